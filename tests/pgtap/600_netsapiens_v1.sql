-- Netsapiens API v1: the calls of a line, what a create cannot say follows at once, and what its answers mean.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(49);

INSERT INTO tbs.network_resource (network_resource_id, name, network_resource_type, base_url, environment, connections, requests_per_second)
VALUES (4, 'old', 'netsapiens_v1', 'http://old.example/ns-api', 'test', 1000, 100000);
INSERT INTO tbs.master_usoc (usoc) VALUES ('OLDSEAT'), ('OLDNUMBER'), ('OLDVMAIL');
INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service, position) VALUES
    ('OLDSEAT', 4, 'seat', 10), ('OLDNUMBER', 4, 'phone_number', 20), ('OLDVMAIL', 4, 'voicemail', 30);
UPDATE tbs.network_information SET reseller = 'north' WHERE network_information_id = 1;
INSERT INTO tbs.device (device_id, mac, brand, model) VALUES (1, '00:15:65:00:00:01', 'Yealink', 'T54W');
INSERT INTO tbs.line_device (line_device_id, line_id, device_id) VALUES (1, 101, 1);
SELECT tbs.arm('test');
SELECT start_bridge();

-- form(body): the fields of a form, decoded as far as these tests need it.
CREATE FUNCTION test.form(body text)
RETURNS jsonb
LANGUAGE sql
AS $form$
    SELECT jsonb_object_agg(split_part(f, '=', 1), replace(replace(replace(replace(split_part(f, '=', 2), '%3A', ':'), '%40', '@'), '%2A', '*'), '+', ' '))
    FROM unnest(string_to_array(form.body, '&')) AS f;
$form$;
CREATE FUNCTION test.last_form(which text)
RETURNS jsonb
LANGUAGE sql
AS $last_form$ SELECT test.form(s.body) FROM test.sent AS s WHERE s.call LIKE last_form.which ORDER BY s.ordinal DESC LIMIT 1 $last_form$;
-- short(calls): without what all have in common.
CREATE FUNCTION test.short(calls text[])
RETURNS text[]
LANGUAGE sql
AS $short$ SELECT ARRAY(SELECT regexp_replace(c, '^POST /\?action=(\w+)&object=(\w+)$', '\2 \1') FROM unnest(short.calls) WITH ORDINALITY AS u (c, n) ORDER BY n) $short$;

-- A line
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'OLDSEAT');
SELECT is(short(work('')), '{domain create,domain update,subscriber create,device create,device update,mac create}', 'a seat: what a create cannot say follows it');
SELECT is(last_form('%create&object=domain'), '{"format": "json", "domain": "acme", "territory": "north", "description": "acme"}', 'a domain with its territory');
SELECT is(last_form('%create&object=subscriber') ->> 'srv_code', 'tbs:101', 'a user carries our mark');
SELECT is(last_form('%create&object=device'), '{"format": "json", "domain": "acme", "device": "sip:101@acme", "user": "101", "mac": "", "model": ""}', 'a SIP account without password');
SELECT ok(last_form('%update&object=device') ?& '{format,device,transport,authentication_key}', 'which the change brings');
SELECT is((SELECT count(*) FROM jsonb_object_keys((SELECT s.secrets FROM test.sent AS s WHERE s.call LIKE '%update&object=device' ORDER BY s.ordinal DESC LIMIT 1))), 1::bigint, 'as a secret');
SELECT is(last_form('%create&object=mac') ->> 'device1', 'sip:101@acme', 'a phone with its line key');
SELECT is((SELECT s.headers ->> 'Content-Type' FROM test.sent AS s ORDER BY s.ordinal DESC LIMIT 1), 'application/x-www-form-urlencoded', 'forms');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1012, 101, 'OLDNUMBER'), (1013, 101, 'OLDVMAIL');
SELECT is(short(work('')), '{phonenumber create,phonenumber update,subscriber update}', 'number and voicemail');
SELECT is(last_form('%create&object=phonenumber') ->> 'responder', 'AvailableDID', 'a number is made as one in stock');
SELECT is(last_form('%update&object=phonenumber') - '{format,dialplan}'::text[],
          '{"matchrule": "sip:18585550101@*", "dest_domain": "acme", "to_user": "101", "to_host": "acme", "responder": "sip:start@to-user", "plan_description": "tbs:101", "enable": "yes"}',
          'and assigned, with our mark');
SELECT is_empty('SELECT * FROM tbs.preview(101)', 'nothing is left to send');

-- Edits
UPDATE tbs.line SET first_name = 'Grace' WHERE line_id = 101;
SELECT is(short(work('')), '{subscriber update}', 'a name is one change');
SELECT is(last_form('%update&object=subscriber') ->> 'uid', '101@acme', 'of the user by its uid');
UPDATE tbs.line SET email = 'grace@example.com' WHERE line_id = 101;
SELECT work('');
UPDATE tbs.line SET email = NULL WHERE line_id = 101;
SELECT work('');
SELECT is(last_form('%update&object=subscriber') ->> 'email', '', 'what has no value any more is cleared');
UPDATE tbs.line SET suspended = true WHERE line_id = 101;
SELECT is(short(work('')), '{subscriber update}', 'a suspension');
SELECT is(last_form('%update&object=subscriber') ->> 'dial_policy', 'Deny', 'is a dial policy');
UPDATE tbs.line SET extension = '1101' WHERE line_id = 101;
SELECT is(short(work('')), '{subscriber create,device create,device update,mac update,phonenumber update,subscriber update,device delete,subscriber delete}',
          'a new extension: made, re-pointed, the old one removed with its voicemail');

-- The answer to the create of a number is lost: in stock, as it was made, it is ours
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, telephone_number) VALUES (1014, 101, 'OLDNUMBER', '+18585550999');
SELECT is(short(claim()), '{phonenumber create}', 'another number');
SELECT answer(0, '', '%', 56);
SELECT let_time_pass();
SELECT is(short(claim()), '{phonenumber read}', 'its answer is lost: it is looked at');
SELECT is(short(answer(200, '[{"matchrule": "sip:18585550999@*", "responder": "AvailableDID"}]')), '{phonenumber update}', 'and assigned');
SELECT answer(202, '');
SELECT is(queue(), '{}', 'done');

-- Voicemail by itself, then the rest
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1013;
SELECT is(short(work('')), '{subscriber update}', 'voicemail is taken off');
SELECT is(last_form('%update&object=subscriber') - '{format,uid}'::text[], '{"vmail_provisioned": "no", "vmail_enabled": "no"}', 'with its off-values');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1013, 101, 'OLDVMAIL');
SELECT work('');
DELETE FROM tbs.line_usoc WHERE line_id = 101;
SELECT is((SELECT array_agg(c ORDER BY c) FROM unnest(short(work(''))) AS c),
          '{device delete,domain delete,mac delete,phonenumber delete,phonenumber delete,subscriber delete}', 'all of it goes, voicemail with its user');
SELECT is((SELECT count(*) FROM tbs.remote_object AS o WHERE o.presence <> 'absent'), 0::bigint, 'nothing is left');

-- A step whose edit follows is an add's
SELECT is((SELECT array_agg(DISTINCT s.operation) FROM tbs.activity_step AS s WHERE s.edit_follows), '{add}', 'only an add has something to follow');
SELECT (refused($$INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, edit_follows) VALUES ('directory', 'listing', 1, 'look', 'GET', '/x', true)$$,
                '23514', 'activity_step_edit_follows_add', NULL, NULL, 'a look has not'));

-- What answers mean
SELECT is((tbs.decide_outcome(r, v.service, v.position, v.operation, 0, v.status, '{}', convert_to(v.answer, 'UTF8'))).outcome, v.outcome, v.description)
FROM tbs.network_resource AS r, (VALUES
    ('seat', 30, 'add', 202, '', 'done', '202 with nothing'),
    ('seat', 30, 'edit', 200, ' ', 'done', '200 with nothing'),
    ('seat', 30, 'look', 200, '[{"user": "101", "srv_code": "tbs:101"}]', 'done', 'a read'),
    ('seat', 30, 'look', 200, '{"user": "101"}', 'done', 'a read of one, without a list'),
    ('seat', 30, 'look', 200, '[]', 'missing', 'an empty list'),
    ('seat', 30, 'look', 200, '[{"user": "", "domain": null}]', 'missing', 'one empty row'),
    ('seat', 30, 'look', 200, '', 'transient', 'a read with nothing'),
    ('seat', 30, 'edit', 200, '<html>login</html>', 'transient', 'a page'),
    ('seat', 30, 'add', 202, E'\n<?xml version="1.0"?><xml/>', 'transient', 'XML'),
    ('seat', 30, 'add', 200, '{"code": "409", "msg": "exists"}', 'exists', 'a code in the document: 409 of a create'),
    ('seat', 30, 'edit', 200, '{"code": 409}', 'rejected', 'of a change'),
    ('seat', 30, 'delete', 200, '{"code": 404}', 'missing', '404'),
    ('seat', 30, 'edit', 200, '{"code": 503}', 'transient', '503'),
    ('seat', 30, 'edit', 200, '{"code": "ok"}', 'done', 'a code that is no number'),
    ('seat', 30, 'add', 409, '', 'exists', '409'),
    ('seat', 30, 'delete', 404, '<xml><code>404</code></xml>', 'missing', '404 with an error of the API'),
    ('seat', 30, 'delete', 404, '<!DOCTYPE html><HTML>Not Found</HTML>', 'rejected', '404 of a web server: the URL is wrong, nothing is missing'),
    ('seat', 30, 'add', 404, '', 'missing', '404 of a create: its domain'),
    ('seat', 30, 'edit', 403, '<html>blocked</html>', 'throttled', '403 of a proxy'),
    ('seat', 30, 'edit', 403, '', 'rejected', '403 of the API'),
    ('seat', 30, 'edit', 401, '', 'unauthorized', '401'))
    AS v (service, position, operation, status, answer, outcome, description)
WHERE r.network_resource_id = 4;

SELECT * FROM finish();
ROLLBACK;
