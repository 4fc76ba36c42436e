-- Audits: what is read, page by page; what comes out when it is compared with the rows; what is done about it.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(94);

SELECT refused($$SELECT tbs.audit_resource('ns-east')$$, '55000', 'not armed', NULL, 'tbs.arm', 'no audit while disarmed');
SELECT tbs.arm('test');
SELECT start_bridge();
SELECT refused($$SELECT tbs.audit_resource('nowhere')$$, '42704', 'unknown network resource', NULL, 'SELECT name', 'nor of what is not there');
SELECT refused($$SELECT tbs.audit_resource('listings')$$, '0A000', 'has no audit', NULL, 'tbs.audit_step', 'nor of a type without audit steps');

-- Audit steps are checked when they are written.
CREATE FUNCTION test.step(columns text, vals text) RETURNS text LANGUAGE sql AS $step$
    SELECT format('INSERT INTO tbs.audit_step (network_resource_type, kind, position, identity, %s) VALUES (''directory'', ''entry'', 10, ''{"number": "{item.number}"}'', %s)', step.columns, step.vals);
$step$;
SELECT refused(step('path', '''/entries/{oops'''), '22023', 'malformed URI template', NULL, NULL, 'a broken path');
SELECT refused(step('path', '''/entries/{line.extension}?n={page.first'''), '22023', 'malformed', NULL, NULL, 'another one');
SELECT refused(step('path', '''/entries/{somewhere.else}'''), '22023', 'unknown reference "\{somewhere.else\}" in the audit step of kind entry', NULL, 'A context has', 'an unknown reference');
SELECT refused(step('path, formats', '''/entries'', ''{"name": "upper"}'''), '22023', 'unknown format "upper" of member name', NULL, 'mac, digits and lower', 'an unknown format');
SELECT refused(step('path, for_each', '''/entries'', ''entry'''), '22023', 'not read before it', NULL, 'for_each', 'a circle');
SELECT throws_ok(step('path, page_size', '''/entries'', 1'), '23514', NULL, 'pages of one row cannot overlap');
SELECT throws_ok(step('path, same_list_as', '''/entries'', ''user'''), '23514', NULL, 'a list of its own and one of another''s');
SELECT lives_ok(step('path', '''/entries{?page.start}'''), 'a good one');
DELETE FROM tbs.audit_step WHERE network_resource_type = 'directory';
SELECT refused($$UPDATE tbs.audit_step SET page_size = 50 WHERE kind = 'user'$$, '55000', 'comes with the extension', NULL, NULL, 'a shipped one is not changed');

-- audit_of(resource, domain): asks for an audit and claims its first call; its number is in test.audit.
CREATE FUNCTION test.audit_of(resource text, domain text DEFAULT NULL) RETURNS text[] LANGUAGE plpgsql AS $audit_of$
BEGIN
    PERFORM set_config('test.audit', tbs.audit_resource(audit_of.resource, audit_of.domain)::text, true);
    RETURN test.claim();
END;
$audit_of$;
CREATE FUNCTION test.audit() RETURNS bigint LANGUAGE sql AS $audit$ SELECT current_setting('test.audit')::bigint $audit$;
-- finish(): answers what is left of an audit with empty lists.
CREATE FUNCTION test.finish_audit() RETURNS text[] LANGUAGE sql AS $finish_audit$ SELECT test.work('[]') $finish_audit$;
CREATE FUNCTION test.results(audit_id bigint) RETURNS text[] LANGUAGE sql AS $results$
    SELECT ARRAY(SELECT concat_ws(' ', r.kind, r.key, r.status, r.whose, '(' || r.explanation || ')') FROM tbs.audit_result AS r WHERE r.audit_id = results.audit_id ORDER BY r.kind, r.key);
$results$;
-- As if what was accepted had been accepted long ago: nothing of it can be not visible yet.
CREATE FUNCTION test.let_it_show() RETURNS void LANGUAGE sql AS $let_it_show$ UPDATE tbs.remote_object SET sent_at = sent_at - interval '1 hour', accepted_at = accepted_at - interval '1 hour' $let_it_show$;

-- Two lines on the switch: 101 and 102, with a phone at 101.
INSERT INTO tbs.device (device_id, mac, brand, model) VALUES (1, '00:11:22:33:44:AA', 'Yealink', 'T54W');
INSERT INTO tbs.line_device (line_id, device_id) VALUES (101, 1);
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1012, 101, 'NUMBER'), (1021, 102, 'SEAT');
SELECT work();
SELECT let_it_show();
SELECT is((SELECT count(*) FROM tbs.line_usoc_state WHERE in_step), 3::bigint, 'two lines are on the switch');

-- Reading
SELECT is(audit_of('ns-east'), '{"GET /domains?limit=100&start=0"}', 'an audit begins with the domains');
SELECT is((SELECT q.lane FROM tbs.activity_queue AS q), 'bulk', 'in the bulk lane');
SELECT answer(404, '{"code": 404, "message": "Resource not found."}');
SELECT is(queue(), '{"0 audit failed"}', 'without which there is no audit');
SELECT tbs.retry_activity((SELECT q.activity_id FROM tbs.activity_queue AS q), 'test');
SELECT is(claim(), '{"GET /domains?limit=100&start=0"}', 'until it is retried');
SELECT refused($$SELECT tbs.audit_resource('ns-east')$$, '55000', 'is being audited already', 'activity is', 'tbs.why_waiting', 'one at a time');
SELECT refused($$SELECT tbs.compare_audit(audit())$$, '55000', 'has not read everything', NULL, 'tbs.why_waiting', 'and nothing to compare before it is read');
SELECT is((SELECT array_agg(format('%s %s', q.activity_type, q.line_id)) FROM tbs.activity_queue AS q), '{"netsapiens.audit.audit "}', 'it is an activity of the network resource itself');
SELECT is(answer(200, '[{"domain": "acme", "reseller": "r", "description": "acme", "time_zone": "US/Eastern"}, {"domain": "other"}]'), '{"GET /domains/acme/sites?limit=100&start=0"}', 'then the lists in each domain');
SELECT is(answer(404, '{"code": 404, "message": "Domain acme does not exist"}'), '{"GET /domains/other/sites?limit=100&start=0"}', 'a list that is not there has nothing');
SELECT is(answer(200, '[]'), '{"GET /domains/acme/users?limit=100&start=0"}', 'nor has an empty one');
SELECT is(answer(500, 'oops'), '{}', 'an error: another try later');
SELECT is(queue(), '{"0 audit waiting"}', 'of the same activity');
SELECT let_time_pass();
SELECT is(claim(), '{"GET /domains/acme/users?limit=100&start=0"}', 'the same page again');
SELECT tbs.test_network_resource('ns-east');
SELECT is(claim(), '{"GET /domains?limit=1"}', 'a connection test does not wait for it');
SELECT answer(200, '[]', '%limit=1');
SELECT is((SELECT state FROM tbs.audit_status), 'processing', 'its state is the activity''s');
-- The bridge dies with the page: another goes on there.
SELECT tbs.bridge_stop(bridge());
SELECT start_bridge('second');
DELETE FROM test.hand;
SELECT is(claim(), '{"GET /domains/acme/users?limit=100&start=0"}', 'after the bridge''s death another asks for that page again');
SELECT is(answer(200, '[{"user": "domain", "service-code": "system-domain"},
    {"user": "101", "first_name": "Ada", "name-last-name": "Able", "email-address": null, "user-scope": "Basic User", "service-code": "tbs:101", "time-zone": "US/Eastern", "voicemail-login-pin": "1234"},
    {"user": "102", "name-first-name": "Ben", "name-last-name": "Boker", "user-scope": "Basic User", "service-code": "tbs:102", "time-zone": "US/Eastern"},
    {"user": 900, "name-first-name": "X", "service-code": "tbs:900"}, {"user": "901"}]'), '{"GET /domains/other/users?limit=100&start=0"}', 'users');
SELECT is(answer(200, '[]'), '{"GET /domains/acme/devices?limit=100&start=0"}', 'devices');
SELECT is(answer(200, '[{"user": "101", "device": "101", "device-sip-registration-password": "****"}, {"user": "102", "device": "900"}, {"nothing": 1}]'),
          '{"GET /domains/other/devices?limit=100&start=0"}', 'one row has no identity');
SELECT is(answer(200, ''), '{}', 'an answer without a document: another try');
SELECT let_time_pass();
SELECT claim();
SELECT is(answer(200, '[]'), '{"GET /phones?limit=100&start=0"}', 'the phones of the whole switch');
SELECT is(answer(200, format('[{"mac": "0011223344AA", "domain": "acme", "model": "Yealink T54W", "device1": "sip:101@acme", "line1_enable": true%s}]',
                             (SELECT string_agg(format(', "device%s": "", "line%s_enable": 0, "line%s_share": "no"', n, n, n), '') FROM generate_series(2, 8) AS n) || ', "line1_share": "no"')),
          '{"GET /phonenumbers?limit=100&start=0"}', 'and its numbers');
SELECT is(answer(200, '[{"phonenumber": 18585550101, "domain": "other", "dial-rule-application": "to-user", "dial-rule-translation-destination-user": "101", "dial-rule-translation-destination-host": "acme",
    "enabled": "yes", "dial-rule-description": "tbs:101"}, {"phonenumber": "18005550100", "domain": "stock", "dial-rule-application": "available-number"}]'), '{}', 'that is all');
SELECT is((SELECT array_agg(format('%s %s %s %s %s', state, objects, unidentified, lists_left, asked_by)) FROM tbs.audit_status), ARRAY[format('read 16 1 0 %s', me())], 'it is read');
SELECT is((SELECT array_agg(l.result_status || ': ' || l.result) FROM tbs.activity_log AS l WHERE l.trigger_type = 'audit'), '{"succeeded: 16 objects read in 13 calls"}', 'and in the log');
SELECT is((SELECT max(length(answer)) <= 203 AND count(*) = 12 AND bool_and(kind IS NOT NULL) FROM tbs.activity_history WHERE event = 'api_call' AND line_id = -audit()), true, 'which has the beginnings of its answers');
SELECT is_empty($$SELECT found FROM tbs.audit_object WHERE found ? 'voicemail-login-pin' OR found ? 'device-sip-registration-password' OR found::text LIKE '%1234"%'$$, 'no secret is kept');

-- Comparing
SELECT results_eq($$SELECT * FROM tbs.compare_audit(audit())$$,
                  $$VALUES ('device', 'extra', 1::bigint), ('device', 'in step', 1), ('domain', 'extra', 1), ('domain', 'in step', 1), ('phone', 'in step', 1), ('phone_number', 'different', 1),
                    ('phone_number', 'extra', 1), ('user', 'different', 1), ('user', 'extra', 2), ('user', 'in step', 1)$$, 'compared: counted by kind and status');
SELECT is(results(audit()), '{"device 101@acme in step ours","device 900@acme extra no mark","domain acme in step ours","domain other extra no mark","phone 0011223344aa in step ours","phone_number 18005550100 extra not ours","phone_number 18585550101 different ours (domain)","user 101@acme in step ours","user 102@acme different ours (name-last-name)","user 900@acme extra ours","user 901@acme extra not ours"}',
          'spelling, letter case, yes and no, numbers and v1 names are no difference; values are; so is another domain; whose things are');
SELECT results_eq($$SELECT key, member, wanted, found, accepted FROM tbs.audit_difference ORDER BY 1$$,
                  $$VALUES ('102@acme', 'name-last-name', '"Baker"'::jsonb, '"Boker"'::jsonb, '"Baker"'::jsonb), ('18585550101', 'domain', '"acme"', '"other"', '"acme"')$$, 'member by member');
SELECT results_eq($$SELECT usoc, account_number, line_id, line_usoc_id, telephone_number FROM tbs.audit_result WHERE status = 'different' ORDER BY key$$,
                  $$VALUES ('SEAT', 'A-1', 102::bigint, 1021::bigint, '+18585550102'), ('NUMBER', 'A-1', 101, 1012, '+18585550101')$$, 'with USOC, account and line');
SELECT is((SELECT array_agg(r.line_id) FROM tbs.audit_result AS r WHERE r.key = '900@acme' AND r.kind = 'user'), '{900}', 'an extra one with the line whose mark it carries');

-- Corrected rows are compared without reading again; what was written meanwhile is left alone.
SAVEPOINT corrected;
UPDATE tbs.line SET last_name = 'Boker' WHERE line_id = 102;
SELECT tbs.compare_audit(audit());
SELECT is((SELECT status FROM tbs.audit_result WHERE kind = 'user' AND key = '102@acme'), 'changing', 'what an activity is about to write is changing');
SELECT work();
SELECT tbs.compare_audit(audit());
SELECT is((SELECT status FROM tbs.audit_result WHERE kind = 'user' AND key = '102@acme'), 'changing', 'and so is what was written after it was read');
ROLLBACK TO SAVEPOINT corrected;
SAVEPOINT corrected;
SELECT tbs.without_capture('a typing error');
UPDATE tbs.line SET last_name = 'Boker' WHERE line_id = 102;
UPDATE tbs.line SET first_name = NULL WHERE line_id = 101;
SELECT tbs.compare_audit(audit());
SELECT is(results(audit()) @> '{"user 102@acme in step ours","user 101@acme not renderable ours (name-first-name: no value for {values.name-first-name})"}', true, 'rows are as of now');
UPDATE tbs.line SET extension = NULL WHERE line_id = 101;
SELECT tbs.compare_audit(audit());
SELECT set_eq($$SELECT kind, status FROM tbs.audit_result WHERE line_id = 101 AND kind IN ('user', 'device')$$,
              $$VALUES ('user', 'not renderable'), ('device', 'not renderable')$$, 'what a line has on record is not extra because its data are incomplete');
ROLLBACK TO SAVEPOINT corrected;
SAVEPOINT removed;
DELETE FROM tbs.line WHERE line_id = 101;
SELECT work();
SELECT tbs.compare_audit(audit());
SELECT is_empty($$SELECT kind, key FROM tbs.audit_result WHERE status = 'extra' AND key LIKE '%101%'$$, 'what was removed after it was read is not extra');
ROLLBACK TO SAVEPOINT removed;

-- Acting on it
CREATE FUNCTION test.act(what text, status text, kind text DEFAULT '%') RETURNS bigint LANGUAGE sql AS $act$
    SELECT tbs.plan_audit(array_agg(r.audit_object_id), act.what, 'test') FROM tbs.audit_result AS r WHERE r.audit_id = test.audit() AND r.status = act.status AND r.kind LIKE act.kind;
$act$;
SELECT refused($$SELECT tbs.plan_audit('{1}', 'adopt', '')$$, '22023', 'a reason is needed', NULL, NULL, 'not without a reason');
SELECT refused($$SELECT tbs.plan_audit('{1}', 'delete', 'test')$$, '22023', 'unknown action', NULL, 'remove_not_ours', 'nor anything else');
SELECT is(tbs.plan_audit('{}', 'send', 'test'), 0::bigint, 'nothing chosen, nothing done');
SELECT is(act('send', 'in step') + act('remove', 'different') + act('adopt', 'extra'), 0::bigint, 'what does not fit is left out');
SELECT is(queue(), '{}', 'and has no effect');
SELECT is(act('send', 'different'), 2::bigint, 'send what is different');
SELECT is((SELECT array_agg(format('%s %s', q.line_usoc_id, q.lane) ORDER BY q.line_usoc_id) FROM tbs.activity_queue AS q), '{"1012 bulk","1021 bulk"}', 'in the bulk lane');
SELECT is(work(), '{"DELETE /domains/other/phonenumbers/18585550101","PUT /domains/acme/users/102","POST /domains/acme/phonenumbers"}', 'that, and nothing else, is sent; a number in another domain is released there');
SELECT is(act('remove', 'extra'), 1::bigint, 'only what is ours is removed');
SELECT is((SELECT array_agg(format('%s %s', q.activity_type, q.line_id)) FROM tbs.activity_queue AS q), '{"netsapiens.call_queue.resync "}', 'by an activity without a line');
SELECT is(work(), '{"DELETE /domains/acme/users/900"}', 'a user that no row wants');
SELECT is(act('remove', 'extra') + act('send', 'different'), 0::bigint, 'each only once');
SELECT is(act('remove_not_ours', 'extra'), 4::bigint, 'the rest on purpose');
UPDATE tbs.network_resource SET delete_brake = 3 WHERE name = 'ns-east';
SELECT set_eq('SELECT unnest(work())', '{DELETE /domains/acme/users/901,DELETE /domains/acme/users/102/devices/900}'::text[], 'within the delete brake');
SELECT is((SELECT count(*) FROM tbs.activity_queue WHERE result_status = 'held'), 2::bigint, 'the rest is held');
UPDATE tbs.network_resource SET delete_brake = NULL WHERE name = 'ns-east';
SELECT tbs.release_activity(array_agg(activity_id), 'meant') FROM tbs.activity_queue;
SELECT set_eq('SELECT unnest(work())', '{DELETE /domains/other,DELETE /domains/stock/phonenumbers/18005550100}'::text[], 'and released');
SELECT is_empty($$SELECT * FROM tbs.line_usoc_state WHERE line_usoc_id < 0$$, 'nothing is left of them');
SELECT is((SELECT array_agg(h.message ORDER BY h.activity_history_id) FROM tbs.activity_history AS h WHERE h.event = 'audit_planned' AND h.message NOT LIKE '%, 0 objects'),
          ARRAY[format('audit %s: send, 2 objects', audit()), format('audit %s: remove, 1 objects', audit()), format('audit %s: remove_not_ours, 4 objects', audit())], 'what was decided is on record');

-- One domain; a list that moves, and one that does not page; answers that are too large.
SELECT let_it_show();
SELECT is(audit_of('ns-east', 'acme'), '{"GET /domains/acme?limit=100&start=0"}', 'an audit of one domain');
SELECT answer(200, '{"domain": "acme"}');
SELECT is(answer(200, '[]', 'GET /domains/acme/sites%'), '{"GET /domains/acme/users?limit=100&start=0"}', 'reads its lists');
SELECT is(answer(200, '', '%', 63), '{"GET /domains/acme/users?limit=50&start=0"}', 'an answer that is too large: half as many');
CREATE FUNCTION test.users(a integer, b integer) RETURNS text LANGUAGE sql AS $users$ SELECT jsonb_agg(jsonb_build_object('user', 1000 + n))::text FROM generate_series(users.a, users.b) AS n $users$;
SELECT is(answer(200, users(1, 50)), '{"GET /domains/acme/users?limit=50&start=49"}', 'pages overlap by one');
SELECT is(answer(200, users(55, 104)), '{"GET /domains/acme/users?limit=50&start=0"}', 'the last row is not where it was: a page back');
SELECT is(answer(200, users(6, 55)), '{"GET /domains/acme/users?limit=50&start=49"}', 'and on');
SELECT is(answer(200, users(55, 60)), '{"GET /domains/acme/devices?limit=100&start=0"}', 'a short page is the last');
SELECT answer(200, (SELECT jsonb_agg(jsonb_build_object('user', '1', 'device', n))::text FROM generate_series(1, 100) AS n));
SELECT is(answer(200, (SELECT jsonb_agg(jsonb_build_object('user', '1', 'device', n))::text FROM generate_series(1, 100) AS n)), '{}', 'the same page again');
SELECT matches((SELECT q.last_message FROM tbs.activity_queue AS q), 'does not page', 'is not taken for all there is');
SELECT is((SELECT s.state || ': ' || s.result FROM tbs.audit_status AS s WHERE s.domain = 'acme') LIKE 'failed: the list of kind device%', true, 'the audit has failed');
SELECT tbs.retry_activity((SELECT q.activity_id FROM tbs.activity_queue AS q), 'test');
SELECT is(claim(), '{"GET /domains/acme/devices?limit=100&start=99"}', 'a retry goes on where it was');
SELECT answer(200, '[]');
SELECT is(in_hand(), '{"GET /domains/acme/devices?limit=100&start=0"}', 'an empty page behind others: a page back');
SELECT answer(200, '{"code": 200, "message": "Accepted"}');
SELECT matches((SELECT q.result_status || ' ' || q.last_message FROM tbs.activity_queue AS q), 'failed .*no row of kind device: .*Accepted', 'a message is no list');
SELECT tbs.retry_activity((SELECT q.activity_id FROM tbs.activity_queue AS q), 'test');
SELECT claim();
SELECT answer(200, '"nothing"');
SELECT matches((SELECT q.result_status || ' ' || q.last_message FROM tbs.activity_queue AS q), 'failed .*no row of kind device', 'nor is a word');
SELECT tbs.remove_activity((SELECT q.activity_id FROM tbs.activity_queue AS q), 'test');
SELECT is((SELECT s.state FROM tbs.audit_status AS s WHERE s.domain = 'acme'), 'given up', 'removed: given up');

-- Taking over: what is on the switch and not on record.
DELETE FROM tbs.remote_object_use;
DELETE FROM tbs.remote_object;
DELETE FROM tbs.line_usoc_state;
SELECT audit_of('ns-east');
SELECT answer(200, '[{"domain": "acme", "description": "acme", "time-zone": "US/Eastern"}]');
SELECT answer(200, '[]');
SELECT answer(200, '[{"user": "101", "name-first-name": "Ada", "name-last-name": "Able", "email-address": "", "user-scope": "Basic User", "service-code": "theirs", "time-zone": "US/Eastern"}]');
SELECT answer(200, '[{"user": "101", "device": "101"}]');
SELECT finish_audit();
SELECT tbs.compare_audit(audit());
SELECT is(results(audit()), '{"device 101@acme in step no mark","domain acme in step no mark","phone 0011223344aa missing","phone_number 18585550101 missing","user 101@acme different not ours (service-code)","user 102@acme missing"}', 'a switch that was there before');
SELECT is(act('send', 'different'), 0::bigint, 'what is not ours is not overwritten');
SELECT is(act('adopt', '%') + act('adopt', 'in step') + act('adopt', 'different'), 3::bigint, 'adopted');
SELECT is(objects(), '{"device 101@acme adopted present","domain acme adopted present","user 101@acme adopted present"}', 'on record');
SELECT is(queue(), '{}', 'nothing is sent');
SELECT results_eq($$SELECT line_usoc_id, present, in_step, last_result FROM tbs.line_usoc_state ORDER BY 1$$,
                  $$VALUES (1011::bigint, true, false, 'adopted in part, or as it differs'), (1021, true, false, 'adopted in part, or as it differs')$$, 'a line USOC that lacks something is not in step');
SELECT is((SELECT count(*) FROM tbs.activity_history WHERE event = 'adopted' AND reason = 'test'), 3::bigint, 'with a row in the history for each line USOC of each call');
SELECT is(act('send', 'different'), 1::bigint, 'what was adopted can be sent');
SELECT is(act('send', 'missing'), 3::bigint, 'what is missing as well');
SELECT set_eq('SELECT unnest(work())', '{PUT /domains/acme/users/101,POST /phones,POST /domains/acme/users,POST /domains/acme/phonenumbers}'::text[], 'and only that');
SELECT is((SELECT count(*) FROM tbs.line_usoc_state WHERE in_step), 3::bigint, 'all in step');

SELECT * FROM finish();
ROLLBACK;
