-- Who may do what. Each access has exactly what it needs; a role without one has nothing.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(81);

CREATE ROLE test_app;
CREATE ROLE test_operator;
CREATE ROLE test_admin;
CREATE ROLE test_bridge;
CREATE ROLE test_viewer;
CREATE ROLE test_nobody;
SELECT tbs.grant_access(('test_' || a)::regrole, a) FROM unnest('{app,operator,admin,bridge,viewer}'::text[]) AS a;
SELECT refused($$SELECT tbs.grant_access('test_nobody', 'god')$$, '22023', 'unknown access: "god"', NULL, 'app:.*operator:.*admin:.*bridge:.*viewer:', 'an unknown access: the hint names those that there are');
SELECT refused($$SELECT tbs.grant_access('test_nobody', NULL)$$, '22023', 'unknown access', NULL, 'app:', 'none');
SELECT throws_ok($$SELECT tbs.grant_access('no_such_role', 'app')$$, '42704', NULL, 'an unknown role');
SELECT tbs.arm('test');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
INSERT INTO tbs.network_resource_secret (network_resource_id, name, value) VALUES (1, 'key', 'k3y');

CREATE FUNCTION test.tables_of(role name, privilege text) RETURNS SETOF text LANGUAGE sql AS $tables_of$
    SELECT c.relname::text FROM pg_class AS c WHERE c.relnamespace = 'tbs'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege(tables_of.role, c.oid, tables_of.privilege);
$tables_of$;
CREATE FUNCTION test.functions_of(role name) RETURNS SETOF text LANGUAGE sql AS $functions_of$
    SELECT p.proname::text FROM pg_proc AS p WHERE p.pronamespace = 'tbs'::regnamespace AND has_function_privilege(functions_of.role, p.oid, 'EXECUTE');
$functions_of$;

-- Exactly these
SELECT is_empty($$SELECT tables_of('test_nobody', p) FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS p$$, 'a role without an access: no table');
SELECT is_empty($$SELECT functions_of('test_nobody')$$, 'no function');
SELECT is(has_schema_privilege('test_nobody', 'tbs', 'USAGE'), false, 'not even the schema');
SELECT set_eq($$SELECT tables_of('test_app', 'INSERT')$$, '{customer,customer_order,master_usoc,device,line,network_information,line_usoc,line_device,line_member}'::text[], 'app writes the business tables');
SELECT set_eq($$SELECT tables_of('test_app', 'SELECT')$$, '{customer,customer_order,master_usoc,device,line,network_information,line_usoc,line_device,line_member,line_status}'::text[], 'and reads them and the status');
SELECT set_eq($$SELECT functions_of('test_app')$$, '{e164,is_telephone_number,is_usoc,set_lane,set_origin}'::text[], 'and may name an origin and a lane');
SELECT set_eq($$SELECT tables_of('test_operator', 'SELECT')$$,
              '{customer,customer_order,master_usoc,device,line,network_information,line_usoc,line_device,line_member,line_status,activity_queue,activity_failure_group,activity_log,activity_log_detail,line_not_in_step,health,setting,audit_status,audit_result,audit_difference}'::text[], 'operator reads');
SELECT is_empty($$SELECT tables_of('test_operator', p) FROM unnest('{INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) AS p$$, 'and writes nothing but through functions');
SELECT set_eq($$SELECT functions_of('test_operator')$$,
              '{audit_resource,compare_audit,plan_audit,resync_changed,set_origin,retry_activity,remove_activity,hold_activity,release_activity,skip_step,mark_done,set_maximum_calls,run_now,resync,test_network_resource,pause_network_resource,resume_network_resource,rotate_secret,reveal_secret,is_armed,setting_value,error_signature,result_status,remedy_of,ended_as,last_recorded_at,find_troubles,why_waiting,explain_line,explain_values,explain_policy,explain_outcome,preview,preview_activity,preview_change,lines_captured_for,last_activity_id,impact_of_default}'::text[],
              'these');
SELECT set_eq($$SELECT tables_of('test_viewer', 'SELECT')$$, $$SELECT tables_of('test_operator', 'SELECT')$$, 'viewer reads what operator reads');
SELECT is_empty($$SELECT tables_of('test_viewer', p) FROM unnest('{INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) AS p$$, 'writes nothing');
SELECT set_eq($$SELECT functions_of('test_viewer')$$, '{is_armed,setting_value,error_signature,result_status,remedy_of,ended_as,last_recorded_at,find_troubles,why_waiting,explain_line,explain_values,explain_policy,explain_outcome,preview,preview_activity,preview_change,lines_captured_for,last_activity_id,impact_of_default}'::text[], 'and asks');
SELECT set_eq($$SELECT functions_of('test_bridge')$$, '{bridge_start,bridge_configuration,bridge_beat,claim,report,bridge_stop,bridge_sleep,bridge_wake}'::text[], 'bridge has the functions of its contract');
SELECT is_empty($$SELECT tables_of('test_bridge', p) FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) AS p$$, 'and no table');
SELECT set_eq($$SELECT tables_of('test_admin', 'INSERT')$$,
              '{network_resource_type,service,network_resource,network_resource_maintenance,network_resource_default,master_usoc_network_resource,activity_type,remote_object_kind,service_object,activity_step,value_source,audit_step,outcome_rule,activity_policy,master_usoc,network_resource_secret}'::text[],
              'admin writes the configuration');
SELECT set_eq($$SELECT functions_of('test_admin')$$,
              '{audit_resource,compare_audit,plan_audit,resync_changed,arm,disarm,without_capture,set_setting,adopt,resync,test_network_resource,pause_network_resource,resume_network_resource,drop_history,e164,is_telephone_number,is_usoc,is_armed,setting_value,error_signature,result_status,remedy_of,ended_as,last_recorded_at,find_troubles,why_waiting,explain_line,explain_values,explain_policy,explain_outcome,preview,preview_activity,preview_change,lines_captured_for,last_activity_id,impact_of_default}'::text[],
              'and has these functions');
SELECT is_empty($$SELECT r, t FROM unnest('{test_app,test_operator,test_admin,test_bridge,test_viewer}'::text[]) AS r CROSS JOIN LATERAL tables_of(r::name, 'SELECT') AS t WHERE t IN ('subscriber_secret', 'network_resource_secret', 'activity', 'activity_history', 'remote_object')$$,
                'nobody reads secrets or the tables behind the views');
SELECT is_empty($$SELECT r, t FROM unnest('{test_app,test_operator,test_admin,test_bridge,test_viewer}'::text[]) AS r, unnest('{TRUNCATE,TRIGGER,REFERENCES}'::text[]) AS p CROSS JOIN LATERAL tables_of(r::name, p) AS t$$, 'nobody truncates, references, or puts triggers on our tables');
SELECT is_empty($$SELECT r FROM unnest('{test_app,test_operator,test_admin,test_bridge,test_viewer}'::text[]) AS r WHERE has_schema_privilege(r, 'tbs', 'CREATE')$$, 'nobody creates in our schema');

-- app at work: everything that an application does, without a right on the queue
SELECT is(as_role('test_app', statement), 'ok', 'app: ' || left(statement, 60))
FROM unnest(ARRAY[
    $$SELECT tbs.set_origin('O-9', 'clerk')$$,
    $$INSERT INTO tbs.customer (customer_id, account_number, name) VALUES (5001, 'A-5', tbs.e164('858 555 1234'))$$,
    $$INSERT INTO tbs.network_information (network_information_id, customer_id, name, switch_domain) VALUES (5001, 5001, 'five', 'five')$$,
    $$INSERT INTO tbs.line (line_id, customer_id, network_information_id, telephone_number, extension, first_name, last_name) VALUES (5001, 5001, 5001, '+18585555001', '5001', 'F', 'L')$$,
    $$INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (50011, 5001, 'SEAT'), (50012, 5001, 'LISTED')$$,
    $$INSERT INTO tbs.device (device_id, mac) VALUES (5001, '00:15:65:00:50:01')$$,
    $$INSERT INTO tbs.line_device (line_id, device_id) VALUES (5001, 5001)$$,
    $$INSERT INTO tbs.line_member (line_id, member_line_id) VALUES (5001, 101)$$,
    $$UPDATE tbs.customer SET name = 'Five' WHERE customer_id = 5001$$,
    $$UPDATE tbs.network_information SET time_zone = 'US/Pacific' WHERE network_information_id = 5001$$,
    $$UPDATE tbs.line SET extension = '5002' WHERE line_id = 5001$$,
    $$UPDATE tbs.line_usoc SET usoc = 'SEATPLUS' WHERE line_usoc_id = 50011$$,
    $$UPDATE tbs.device SET model = 'x' WHERE device_id = 5001$$,
    $$MERGE INTO tbs.line_usoc AS t USING (VALUES (50012)) AS s (id) ON t.line_usoc_id = s.id WHEN MATCHED THEN DELETE$$,
    $$SELECT * FROM tbs.line_status$$,
    $$DELETE FROM tbs.line WHERE line_id = 5001$$]) AS statement;
SELECT is((SELECT array_agg(DISTINCT a.order_number || ' ' || a.user_name) FROM tbs.activity AS a WHERE a.line_id = 5001), '{O-9 clerk}', 'all of it is captured');
SELECT is(as_role('test_app', statement), '42501', 'app not: ' || left(statement, 60))
FROM unnest(ARRAY[
    'SELECT * FROM tbs.activity_queue', 'SELECT * FROM tbs.activity_log', 'SELECT * FROM tbs.activity_log_detail', 'SELECT * FROM tbs.activity', 'SELECT * FROM tbs.activity_history', 'SELECT * FROM tbs.subscriber_secret',
    'SELECT * FROM tbs.network_resource_secret', 'SELECT * FROM tbs.network_resource', 'SELECT tbs.retry_activity(1, ''x'')', 'SELECT tbs.without_capture(''x'')', 'SELECT tbs.arm(''x'')', 'SELECT tbs.reveal_secret(101, ''101'', ''x'')',
    'SELECT * FROM tbs.claim(1, 1)', 'SELECT tbs.capture_lines(''{101}'', ''line_changed'', ''x'')', 'SELECT tbs.grant_access(''test_app'', ''admin'')', 'SELECT tbs.ring()', 'TRUNCATE tbs.line',
    'SELECT tbs.secrets_of_body(''__TBS_SECRET_1_1__'')']) AS statement;
-- The settings behind the functions are no way round them.
SELECT is(as_role('test_app', $$SET tbs.without_capture = 'x'$$), '42501', 'app cannot switch capture off by its setting');
SELECT is(as_role('test_app', $$SET tbs.allow_drop = on$$), '42501', 'nor allow a drop');
SELECT is(as_role('test_app', $$SET tbs.wake_up = off$$), '42501', 'nor switch wake-ups off');

-- operator, admin, bridge, viewer
SELECT is(as_role('test_operator', 'SELECT * FROM tbs.activity_queue'), 'ok', 'operator reads the queue');
SELECT is(as_role('test_operator', 'SELECT * FROM tbs.health'), 'ok', 'and the health');
SELECT is(as_role('test_operator', 'SELECT * FROM tbs.preview(101)'), 'ok', 'and previews');
SELECT is(as_role('test_operator', $$UPDATE tbs.line SET first_name = 'x'$$), '42501', 'and does not write lines');
SELECT is(as_role('test_viewer', 'SELECT * FROM tbs.activity_log_detail'), 'ok', 'viewer reads the log');
SELECT is(as_role('test_viewer', $$SELECT tbs.remove_activity(1, 'x')$$), '42501', 'and removes nothing');
SELECT is(as_role('test_admin', $$INSERT INTO tbs.network_resource_secret (network_resource_id, name, value) VALUES (2, 'key', 'x')$$), 'ok', 'admin writes a secret');
SELECT is(as_role('test_admin', 'SELECT value FROM tbs.network_resource_secret'), '42501', 'and cannot read one');
SELECT is(as_role('test_admin', $$UPDATE tbs.network_resource_secret SET value = 'y' WHERE network_resource_id = 2$$), 'ok', 'but change it');
SELECT is(as_role('test_admin', $$INSERT INTO tbs.network_resource_default (network_resource_type, name, value) VALUES ('netsapiens', 'privacy', '"no"')$$), 'ok', 'admin adds a default');
SELECT is(as_role('test_admin', $$INSERT INTO tbs.value_source (network_resource_type, layer, name, template) VALUES ('directory', 'line', 'who', '{email}')$$), 'ok', 'and a value source, which composes the recipes anew');
SELECT is(as_role('test_admin', $$INSERT INTO tbs.activity_policy (network_resource_type, maximum_calls) VALUES ('netsapiens', 3)$$), 'ok', 'and a policy');
SELECT is(as_role('test_admin', $$SELECT tbs.set_setting('maximum_calls', '9', 'x')$$), 'ok', 'and a setting');
SELECT is(as_role('test_admin', $$UPDATE tbs.setting_override SET value = '9'$$), '42501', 'not past its function');
SELECT is(as_role('test_admin', $$SELECT tbs.adopt('ns-east', 1011, 'x')$$), 'ok', 'admin adopts');
SELECT is(as_role('test_admin', $$SELECT tbs.drop_history('2020-01-01')$$), 'ok', 'and drops old history');
SELECT is(as_role('test_bridge', $$SELECT * FROM tbs.bridge_start('b', '1', 'test')$$), 'ok', 'bridge registers');
SELECT is(as_role('test_bridge', format('SELECT (tbs.claim(%s, 10)).body', (SELECT max(b.bridge_id) FROM tbs.bridge AS b))), 'ok', 'claims');
SELECT is(value_as('test_bridge', format('SELECT secrets ->> ''key'' FROM tbs.bridge_configuration(%s) WHERE name = ''ns-east''', (SELECT max(b.bridge_id) FROM tbs.bridge AS b))), 'k3y', 'reads its secrets');
SELECT is(as_role('test_bridge', format('SELECT * FROM tbs.bridge_beat(%s, ''{}'')', (SELECT max(b.bridge_id) FROM tbs.bridge AS b))), 'ok', 'beats');
SELECT is(as_role('test_bridge', 'SELECT * FROM tbs.line'), '42501', 'and reads no line');

SELECT * FROM finish();
ROLLBACK;
