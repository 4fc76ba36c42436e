-- What would be sent: for an activity, for a change that was not made, with another default. Nothing of it stays.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(33);

SELECT tbs.arm('test');
SELECT start_bridge();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1012, 101, 'NUMBER'), (1021, 102, 'SEAT'), (2011, 201, 'SEAT'), (1031, 103, 'BOTH');
SELECT work();

-- An activity
SELECT refused($$SELECT * FROM tbs.preview_activity(999999)$$, 'P0002', 'unknown activity', NULL, 'why_waiting', 'of an unknown activity');
UPDATE tbs.line SET first_name = 'Adele' WHERE line_id = 101;
SELECT claim();
SELECT answer(400, '{"message": "no such name"}');
SELECT results_eq($$SELECT p.operation, p.method, p.path, p.body::jsonb ->> 'name-first-name' FROM tbs.preview_activity(activity_of(1011)) AS p$$,
                  $$VALUES ('edit', 'PUT', '/domains/acme/users/101', 'Adele')$$, 'what an activity would send');
SELECT tbs.retry_activity(activity_of(1011), 'test', '{"name-first-name": "Ada-Elena"}');
SELECT is((SELECT p.body::jsonb ->> 'name-first-name' FROM tbs.preview_activity(activity_of(1011)) AS p WHERE p.kind = 'user'), 'Ada-Elena', 'with an operator''s correction');
SELECT tbs.hold_activity(activity_of(1011), 'test');
SELECT set_eq($$SELECT p.kind FROM tbs.preview_activity(activity_of(1011)) AS p$$, '{domain,user}'::text[], 'a retry sends what was accepted as well');
SELECT tbs.remove_activity(activity_of(1011), 'test');
UPDATE tbs.line SET first_name = 'Ada' WHERE line_id = 101;
SELECT work();
SELECT tbs.test_network_resource('ns-east');
SELECT is_empty($$SELECT * FROM tbs.preview_activity((SELECT activity_id FROM tbs.activity_queue))$$, 'a connection test has no remote objects');
SELECT work();

-- A change
CREATE TEMP TABLE state_before AS SELECT (SELECT count(*) FROM tbs.activity) AS activities, (SELECT count(*) FROM tbs.activity_history) AS history,
    (SELECT jsonb_agg(to_jsonb(l)) FROM tbs.line AS l) AS lines, (SELECT count(*) FROM tbs.line_usoc) AS line_usocs, (SELECT count(*) FROM tbs.remote_object) AS objects,
    (SELECT count(*) FROM tbs.subscriber_secret) AS secrets, (SELECT count(*) FROM tbs.network_resource_default) AS defaults;
CREATE TEMP VIEW state_now AS SELECT (SELECT count(*) FROM tbs.activity) AS activities, (SELECT count(*) FROM tbs.activity_history) AS history,
    (SELECT jsonb_agg(to_jsonb(l)) FROM tbs.line AS l) AS lines, (SELECT count(*) FROM tbs.line_usoc) AS line_usocs, (SELECT count(*) FROM tbs.remote_object) AS objects,
    (SELECT count(*) FROM tbs.subscriber_secret) AS secrets, (SELECT count(*) FROM tbs.network_resource_default) AS defaults;

SELECT results_eq($$SELECT p.line_id, p.operation, p.method, p.path FROM tbs.preview_change('INSERT INTO tbs.line_usoc (line_id, usoc) VALUES (102, ''NUMBER'')') AS p$$,
                  $$VALUES (102::bigint, 'add', 'POST', '/domains/acme/phonenumbers')$$, 'a USOC that is added to a line');
SELECT results_eq($$SELECT p.line_id, p.kind, p.operation, p.path FROM tbs.preview_change('DELETE FROM tbs.line WHERE line_id = 201') AS p$$,
                  $$VALUES (201::bigint, 'user', 'delete', '/domains/globex/users/201'), (201, 'domain', 'delete', '/domains/globex')$$, 'a line that goes');
SELECT results_eq($$SELECT p.line_id, p.network_resource, p.kind, p.key, p.operation FROM tbs.preview_change('UPDATE tbs.network_information SET switch_domain = ''acme2'' WHERE network_information_id = 1') AS p
                    WHERE p.line_id = 102$$,
                  $$VALUES (102::bigint, 'ns-east', 'domain', 'acme2', 'add'), (102, 'ns-east', 'user', '102@acme2', 'add'), (102, 'ns-east', 'user', '102@acme', 'delete')$$, 'another network information');
SELECT set_eq($$SELECT p.line_id FROM tbs.preview_change('UPDATE tbs.network_information SET time_zone = ''US/Pacific'' WHERE network_information_id = 1; UPDATE tbs.line SET first_name = ''E'' WHERE line_id = 201') AS p$$,
              '{101,102,103,201}'::bigint[], 'several statements, all lines that they concern');
SELECT is_empty($$SELECT * FROM tbs.preview_change('UPDATE tbs.line SET external_id = ''x'' WHERE line_id = 101')$$, 'what only billing reads leads to no call');
SELECT results_eq($$SELECT p.kind, p.body::jsonb ->> 'dial-plan' FROM tbs.preview_change(
                      'INSERT INTO tbs.network_resource_default (network_resource_type, name, value) VALUES (''netsapiens'', ''dial-plan'', ''"Standard"'')', '{201}') AS p$$,
                  $$VALUES ('domain', 'Standard'), ('user', 'Standard')$$, 'a default, for a line that is named');
SELECT refused($$SELECT * FROM tbs.preview_change('UPDATE tbs.line SET extension = ''with space'' WHERE line_id = 101')$$, '23514', 'line_extension_format', NULL, NULL, 'what cannot be done is an error');
SAVEPOINT disarmed;
SELECT tbs.disarm('test');
SELECT refused($$SELECT * FROM tbs.preview_change('UPDATE tbs.line SET first_name = ''E'' WHERE line_id = 201')$$, '55000', 'not armed', 'Nothing is captured', 'line_ids', 'disarmed, the lines have to be named');
SELECT is((SELECT array_agg(p.key) FROM tbs.preview_change('UPDATE tbs.line SET first_name = ''E'' WHERE line_id = 201', '{201}') AS p), '{201@globex}', 'and are previewed');
ROLLBACK TO SAVEPOINT disarmed;
SELECT results_eq('SELECT * FROM state_now', 'SELECT * FROM state_before', 'nothing stays');
SELECT is(current_setting('tbs.user_name', true), '', 'not even a setting');

-- With the rights of the caller
CREATE ROLE test_operator;
CREATE ROLE test_clerk;
SELECT tbs.grant_access('test_operator', 'operator'), tbs.grant_access('test_clerk', 'operator'), tbs.grant_access('test_clerk', 'app');
SELECT is(as_role('test_operator', $$SELECT * FROM tbs.preview_change('DELETE FROM tbs.line WHERE line_id = 201')$$), '42501', 'who may not change a line may not preview it');
SELECT is(as_role('test_clerk', $$SELECT * FROM tbs.preview_change('DELETE FROM tbs.line WHERE line_id = 201')$$), 'ok', 'who may, may');

-- A default
SELECT refused($$SELECT * FROM tbs.impact_of_default('nothing', 'dial-plan', '"x"')$$, '42704', 'unknown resource type', NULL, 'SELECT', 'of an unknown type');
SELECT refused($$SELECT * FROM tbs.impact_of_default('netsapiens', 'dial-plan', '"x"', 'nowhere')$$, '42704', 'unknown network resource', NULL, 'SELECT', 'of an unknown network resource');
SELECT set_eq($$SELECT i.line_id, i.line_usoc_id, i.impact_on, i.kind, i.key, i.member, i.old_value, i.new_value FROM tbs.impact_of_default('netsapiens', 'dial-plan', '"Standard"', 'ns-west') AS i$$,
              $$VALUES (103::bigint, 1031::bigint, 'ns-west', 'domain', 'acme', 'dial-plan', NULL::jsonb, '"Standard"'::jsonb), (103, 1031, 'ns-west', 'site', 'north@acme', 'dial-plan', NULL, '"Standard"'),
                       (103, 1031, 'ns-west', 'user', '103@acme', 'dial-plan', NULL, '"Standard"')$$, 'a new default of a network resource: members with old and new value');
SELECT set_eq($$SELECT i.line_id FROM tbs.impact_of_default('netsapiens', 'user-scope', '"Advanced User"') AS i$$, '{101,102,103,201}'::bigint[], 'a default of the type, nearer than the shipped one');
UPDATE tbs.line SET parameters = '{"netsapiens": {"user-scope": "No Portal"}}' WHERE line_id = 102;
SELECT work();
SELECT set_eq($$SELECT i.line_id FROM tbs.impact_of_default('netsapiens', 'user-scope', '"Advanced User"') AS i$$, '{101,103,201}'::bigint[], 'not a line that has a nearer value');
SELECT is_empty($$SELECT * FROM tbs.impact_of_default('netsapiens', 'user-scope', '"Basic User"')$$, 'the same value: nothing');
SELECT is_empty($$SELECT * FROM tbs.impact_of_default('netsapiens', 'dial-policy', '"No calls"', while_suspended => true)$$, 'what a suspension means is nothing to lines that are not suspended');
UPDATE tbs.line SET suspended = true WHERE line_id = 101;
SELECT work();
SELECT results_eq($$SELECT i.line_id, i.old_value, i.new_value FROM tbs.impact_of_default('netsapiens', 'dial-policy', '"No calls"', while_suspended => true) AS i$$,
                  $$VALUES (101::bigint, '"Deny"'::jsonb, '"No calls"'::jsonb)$$, 'to one that is, it is');
SELECT is((SELECT count(DISTINCT i.line_usoc_id) FROM tbs.impact_of_default('netsapiens', 'X-Trace', '"1"', 'ns-east', place => 'header') AS i WHERE i.member = 'header X-Trace'), 5::bigint, 'a header goes with every call');

-- Made: exactly those are sent
INSERT INTO tbs.network_resource_default (network_resource_type, network_resource_id, name, value) VALUES ('netsapiens', 2, 'dial-plan', '"Standard"');
SELECT results_eq($$SELECT DISTINCT i.line_id, i.old_value, i.new_value FROM tbs.impact_of_default('netsapiens', 'dial-plan', NULL, 'ns-west') AS i$$,
                  $$VALUES (103::bigint, '"Standard"'::jsonb, NULL::jsonb)$$, 'a default that is removed');
SELECT refused($$SELECT tbs.resync_changed('{1031}', '')$$, '22023', 'a reason is needed', NULL, NULL, 'a resync needs a reason');
SELECT is(tbs.resync_changed('{1031,1031,1021}', 'a new default', 'ns-west'), 1::bigint, 'the line USOCs that it is about, on that network resource');
SELECT is((SELECT q.lane || ' ' || q.trigger_description FROM tbs.activity_queue AS q), 'bulk resync: a new default', 'in the bulk lane');
SELECT is(work(), '{"PUT /domains/acme","PUT /domains/acme/sites/north","PUT /domains/acme/users/103"}', 'what has changed is sent');
SELECT tbs.resync_changed('{1031}', 'again');
SELECT is(work(), '{}', 'and what has not is not');

SELECT * FROM finish();
ROLLBACK;
