-- Bad configuration is refused where it is written, with an error that says what to do.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
SELECT plan(78);

-- Base URL
SELECT refused(format('INSERT INTO tbs.network_resource (name, network_resource_type, base_url, environment) VALUES (%L, ''netsapiens'', %L, ''test'')', 'x', u), '23514', 'invalid base URL of network resource "x"', 'http or https', 'https://',
               'base URL ' || quote_literal(u))
FROM unnest('{ftp://host/x,file:///etc/passwd,host/path,"",http://,http:///x,"https://host/a b",https://host/x?y=1,https://host/x#y,gopher://host,javascript:alert(1)}'::text[]) AS u;
SELECT refused($$UPDATE tbs.network_resource SET base_url = 'ftp://x' WHERE network_resource_id = 1$$, '23514', 'invalid base URL', 'http or https', 'https://', 'also when it is changed');
SELECT lives_ok(format('UPDATE tbs.network_resource SET base_url = %L WHERE network_resource_id = 1', u), 'base URL ' || u)
FROM unnest('{http://east.example/ns-api/v2,https://east.example,https://east.example:8443/,http://[::1]:8080/x,http://127.0.0.1:9}'::text[]) AS u;

-- Authentication
SELECT refused(format('UPDATE tbs.network_resource SET authentication = %L WHERE network_resource_id = 1', v.authentication), '23514', v.message, NULL, v.hint, v.description)
FROM (VALUES ('{}', 'unknown authentication kind', 'Kinds are', 'no kind'), ('{"kind": "magic"}', 'unknown authentication kind.*magic', 'Kinds are', 'an unknown kind'),
             ('{"kind": "basic", "user": "u"}', 'needs "password"', 'env:NAME', 'basic without password'), ('{"kind": "bearer"}', 'needs "token"', 'env:NAME', 'bearer without token'),
             ('{"kind": "bearer", "token": ""}', 'needs "token"', 'env:NAME', 'bearer with an empty token'),
             ('{"kind": "bearer", "token": "nsd_abcdef"}', '"token".*not a reference', 'env:NAME', 'a secret itself instead of a reference'),
             ('{"kind": "basic", "user": "u", "password": "hunter2"}', '"password".*not a reference', 'env:NAME', 'a password itself'),
             ('{"kind": "oauth2_password", "token_url": "/oauth2/token", "client_id": "i", "client_secret": "env:S", "username": "u"}', 'needs "password"', 'env:NAME', 'OAuth 2 without password'),
             ('{"kind": "header", "name": "X-Key", "value": "file:relative"}', '"value".*not a reference', 'file:/path', 'a relative file'),
             ('{"kind": "bearer", "token": "env:1X"}', '"token".*not a reference', 'env:NAME', 'a name that no environment variable can have')) AS v (authentication, message, hint, description);
SELECT lives_ok(format('UPDATE tbs.network_resource SET authentication = %L WHERE network_resource_id = 1', a), a)
FROM unnest(ARRAY['{"kind": "none"}', '{"kind": "basic", "user": "u", "password": "env:P"}', '{"kind": "bearer", "token": "file:/run/key"}', '{"kind": "header", "name": "X-Key", "value": "secret:key"}',
                  '{"kind": "oauth2_client_credentials", "token_url": "https://x/token", "client_id": "i", "client_secret": "secret:s"}']) AS a;
SELECT refused($$UPDATE tbs.network_resource SET network_resource_type = 'directory' WHERE network_resource_id = 2$$, '55000', 'cannot change the type', NULL, 'Retire', 'the type of a resource cannot change');
SELECT throws_ok($$UPDATE tbs.network_resource SET state = 'broken'$$, '23514', NULL, 'an unknown state');
SELECT throws_ok($$UPDATE tbs.network_resource SET connections = 0$$, '23514', NULL, 'no connections');
SELECT throws_ok($$UPDATE tbs.network_resource SET timeout_milliseconds = 0$$, '23514', NULL, 'no time');

-- Associations
SELECT refused($$INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service) VALUES ('SURCHARGE', 1, 'sauna')$$, '23503', 'has no service "sauna"', NULL, 'phone_number, seat', 'an unknown service: the hint names those that there are');
SELECT refused($$INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service) VALUES ('SURCHARGE', 1, 'connection_test')$$, '23503', 'has no service', NULL, 'seat', 'a service of the resource itself is none for a Master USOC');
SELECT refused($$INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service) VALUES ('SURCHARGE', 99, 'seat')$$, '23503', 'unknown network resource: 99', NULL, 'SELECT', 'an unknown network resource');
SELECT throws_ok($$INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service) VALUES ('SEAT', 1, 'phone_number')$$, '23505', NULL, 'one association for each pair');
SELECT lives_ok($$DELETE FROM tbs.master_usoc_network_resource WHERE usoc = 'BOTH' AND network_resource_id = 2$$, 'an association that no line has can be deleted');
SELECT tbs.arm('test');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
INSERT INTO tbs.line_usoc_state (line_usoc_id, network_resource_id, service, line_id, usoc, present, in_step, last_activity_id, last_result, changed_at) VALUES (1011, 1, 'seat', 101, 'SEAT', true, true, 1, 'succeeded', now());
SELECT refused($$DELETE FROM tbs.master_usoc_network_resource WHERE usoc = 'SEAT'$$, '23503', 'lines have it', 'nothing would say', 'active = false', 'one that lines have cannot');

-- Policies and settings
SELECT throws_ok($$INSERT INTO tbs.activity_policy (network_resource_id, maximum_calls) VALUES (1, 0)$$, '23514', NULL, 'a maximum number of calls below 1');
SELECT throws_ok($$INSERT INTO tbs.activity_policy (network_resource_id, first_retry) VALUES (1, '0')$$, '23514', NULL, 'a wait of nothing');
SELECT throws_ok($$INSERT INTO tbs.activity_policy (network_resource_id, network_resource_type, maximum_calls) VALUES (1, 'netsapiens', 3)$$, '23514', NULL, 'two scopes at once');
SELECT throws_ok($$INSERT INTO tbs.activity_policy (maximum_calls) VALUES (3)$$, '23514', NULL, 'no scope');
SELECT refused($$SELECT tbs.set_setting('maximum_calls', '0', 'x')$$, '22023', '1 to 1000', NULL, NULL, 'the setting as well');
SELECT throws_ok($$SELECT tbs.set_setting('maximum_calls', 'many', 'x')$$, '22P02', NULL, 'a number that is none');
SELECT refused($$SELECT tbs.set_setting('lease', '-1 second', 'x')$$, '22023', 'longer than nothing', NULL, NULL, 'a negative duration');
SELECT throws_ok($$SELECT tbs.set_setting('lease', 'a while', 'x')$$, '22007', NULL, 'a duration that is none');
SELECT refused($$SELECT tbs.set_setting('beat', '2 seconds', 'x')$$, '22023', 'a third of lease', NULL, 'lease first', 'a beat that is too slow for the lease');
SELECT refused($$SELECT tbs.set_setting('colour', 'blue', 'x')$$, '42704', 'unknown setting: "colour"', NULL, 'tbs\.setting', 'an unknown setting');
SELECT refused($$SELECT tbs.set_setting('lease', '5 seconds', '')$$, '22023', 'reason', NULL, 'history', 'without a reason');
SELECT is(value_of($$SELECT value FROM tbs.setting WHERE name = 'lease'$$), '3 seconds', 'nothing of it has happened');
SELECT lives_ok($$SELECT tbs.set_setting('lease', '6 seconds', 'slow network')$$, 'a good one');
SELECT results_eq($$SELECT value, default_value FROM tbs.setting WHERE name = 'lease'$$, $$VALUES ('6 seconds', '3 seconds')$$, 'is seen beside its default');
SELECT results_eq($$SELECT reason, message, session_role FROM tbs.activity_history WHERE event = 'setting_changed'$$, $$VALUES ('slow network', 'lease = 6 seconds', me())$$, 'and is on record');

-- Templates: checked when they are written
CREATE FUNCTION test.step_with(path text, body jsonb DEFAULT NULL) RETURNS text LANGUAGE sql AS $step_with$
    SELECT format('UPDATE tbs.activity_step SET path = %L, body = %L WHERE network_resource_type = ''directory'' AND operation = ''edit''', step_with.path, step_with.body);
$step_with$;
SELECT refused(step_with('/x', '{"a": "{line.shoe_size}"}'), '22023', 'unknown reference "\{line\.shoe_size\}" in step edit of object 1 of service listing', '"line" has: .*first_name', 'A context has', 'an unknown column: the detail names those that there are');
SELECT refused(step_with('/x', '{"a": "{lime.extension}"}'), '22023', 'unknown reference', '"lime" is not a member', 'A context has', 'an unknown member of the context');
SELECT refused(step_with('/x/{line.nothing}'), '22023', 'unknown reference', NULL, 'A context has', 'in a path as well');
SELECT refused(step_with('/x', '{"a": {"b": ["{line.extension"]}}'), '22023', '.', 'offset', '.', 'a brace that is not closed, deep in a document');
SELECT refused(step_with('/x', '{"a": "line.extension}"}'), '22023', '.', 'offset', '.', 'a brace that is not opened');
SELECT refused(step_with('/x/{line.extension'), '22023', '.', '.', NULL, 'a broken path');
SELECT refused(step_with('/x', '{"a": "{line.extension|shout}"}'), '22023', '.', '.', 'lower', 'an unknown filter: the error lists the known ones');
SELECT refused($$UPDATE tbs.remote_object_kind SET key_template = '{lime.x}' WHERE network_resource_type = 'directory'$$, '22023', 'unknown reference', NULL, NULL, 'a key');
SELECT refused($$UPDATE tbs.service_object SET identity = '{"n": "{line_usoc.nummer}"}' WHERE network_resource_type = 'directory'$$, '22023', 'unknown reference', NULL, NULL, 'an identity');
SELECT refused($$INSERT INTO tbs.value_source (network_resource_type, layer, name, template) VALUES ('directory', 'line', 'x', '{shoe_size}')$$, '22023', 'unknown reference', NULL, NULL, 'a value source');
SELECT throws_ok($$UPDATE tbs.service_object SET for_each = '$.devices[' WHERE network_resource_type = 'directory'$$, '42601', NULL, 'a broken SQL/JSON path');
SELECT throws_ok($$INSERT INTO tbs.outcome_rule (position, body_pattern, outcome) VALUES (1, '(', 'done')$$, '2201B', NULL, 'a broken regular expression');
SELECT throws_ok($$INSERT INTO tbs.outcome_rule (position, status_from, outcome) VALUES (1, 200, 'splendid')$$, '23514', NULL, 'an unknown outcome');
SELECT lives_ok(step_with('/x{?line.extension}', '{"a": "{line.extension?} {line.last_name|upper}", "b": "{{literal}}"}'), 'a good one');
SELECT is((SELECT r.steps #>> '{edit,path}' FROM tbs.recipe AS r WHERE r.network_resource_type = 'directory' AND r.service = 'listing'), '/x{?line.extension}', 'is in the recipe at once');

-- Shipped rows are read-only, own ones are not
SELECT refused(s, '55000', 'comes with the extension', 'next version', 'row of your own', s)
FROM unnest(ARRAY[$$UPDATE tbs.activity_step SET path = '/x' WHERE network_resource_type = 'netsapiens'$$, $$DELETE FROM tbs.outcome_rule$$, $$UPDATE tbs.network_resource_default SET value = '1'$$,
                  $$INSERT INTO tbs.service (network_resource_type, service, description, shipped) VALUES ('netsapiens', 'mine', '', true)$$]) AS s;
SELECT lives_ok($$INSERT INTO tbs.network_resource_default (network_resource_type, name, value) VALUES ('netsapiens', 'user-scope', '"Call Center Agent"')$$, 'a row of one''s own beside a shipped one');
SELECT cmp_ok((SELECT max(d.network_resource_default_id) FROM tbs.network_resource_default AS d), '>=', 100000, 'own rows are numbered apart from shipped ones');

SELECT * FROM finish();
ROLLBACK;
