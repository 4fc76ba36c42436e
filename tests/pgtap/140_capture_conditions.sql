-- When nothing, or less, is captured: associations, network resources, activity types, arming, without_capture. And what is kept with an activity.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(40);

-- Disarmed
SELECT is(tbs.is_armed(), false, 'after CREATE EXTENSION the database is not armed');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
UPDATE tbs.line_usoc SET quantity = 2;
UPDATE tbs.line SET first_name = 'A';
DELETE FROM tbs.line_usoc;
SELECT captured_is('{}', 'business rows can be written, nothing is captured');
SELECT refused($$SELECT tbs.arm('')$$, '22023', 'reason', NULL, 'tbs.arm', 'arming needs a reason');
SELECT refused($$SELECT tbs.arm(NULL)$$, '22023', 'reason', NULL, 'tbs.arm', 'a null reason is none');
SELECT refused($$SELECT tbs.disarm('  ')$$, '22023', 'reason', NULL, NULL, 'disarming needs a reason');
SELECT tbs.arm('go live');
SELECT is(tbs.is_armed(), true, 'armed');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
SELECT captured_is('{1011 usoc_added seat ns-east}', 'from now on changes are captured');
SELECT tbs.disarm('maintenance');
UPDATE tbs.line_usoc SET quantity = 3;
SELECT captured_is('{}', 'disarmed again: nothing');
SELECT is((SELECT count(*) FROM tbs.activity), 1::bigint, 'what was captured stays on the queue');
SELECT tbs.arm('again');
SELECT results_eq($$SELECT event, reason, session_role FROM tbs.activity_history ORDER BY activity_history_id$$,
                  $$VALUES ('armed', 'go live', me()), ('disarmed', 'maintenance', me()), ('armed', 'again', me())$$, 'who armed and disarmed, and why, is on record');
UPDATE tbs.arming SET database_oid = 0;
SELECT is(tbs.is_armed(), false, 'a copy in another database is not armed');
UPDATE tbs.arming SET database_oid = (SELECT oid FROM pg_database WHERE datname = current_database()), system_identifier = '1';
SELECT is(tbs.is_armed(), false, 'nor one in another cluster');
SELECT tbs.arm('here');
SELECT is(tbs.is_armed(), true, 'until it is armed there');

-- without_capture
SAVEPOINT without;
SELECT refused($$SELECT tbs.without_capture('')$$, '22023', 'reason', NULL, 'tbs.without_capture', 'switching capture off needs a reason');
SELECT tbs.without_capture('a typing error');
UPDATE tbs.line_usoc SET quantity = 4;
DELETE FROM tbs.line WHERE line_id = 104;
SELECT captured_is('{}', 'capture is off for the rest of the transaction');
SELECT results_eq($$SELECT reason, session_role FROM tbs.activity_history WHERE event = 'without_capture'$$, $$VALUES ('a typing error', me())$$, 'and that is on record');
ROLLBACK TO SAVEPOINT without;
UPDATE tbs.line_usoc SET quantity = 4;
SELECT captured_is('{1011 usoc_edited seat ns-east}', 'rolled back, capture is on again');

-- Origin
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, customer_order_id) VALUES (1012, 101, 'NUMBER', 1);
SELECT results_eq($$SELECT order_number, user_name, captured_by FROM tbs.activity WHERE line_usoc_id = 1012$$, $$VALUES ('O-1', NULL::text, me())$$, 'the order of the line USOC, and the session''s user');
SELECT tbs.set_origin('O-77', 'clerk');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, customer_order_id) VALUES (1021, 102, 'SEAT', 1);
UPDATE tbs.line SET first_name = 'B' WHERE line_id = 101;
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1021;
SELECT results_eq($$SELECT DISTINCT order_number, user_name FROM tbs.activity AS a JOIN tbs.activity_type AS t USING (activity_type_id)
                    WHERE a.line_usoc_id = 1021 OR t.trigger_type = 'line_changed'$$, $$VALUES ('O-77', 'clerk')$$, 'an origin that is named goes before it, for every kind of change');
SELECT tbs.set_origin(NULL);
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1022, 102, 'SEAT');
SELECT results_eq($$SELECT order_number, user_name FROM tbs.activity WHERE line_usoc_id = 1022$$, $$VALUES (NULL::text, NULL::text)$$, 'and can be taken back');
SELECT is((SELECT array_agg(DISTINCT a.trigger_description ORDER BY a.trigger_description) FROM tbs.activity AS a WHERE a.line_usoc_id = 1021), '{USOC SEAT added,USOC SEAT deleted}', 'the trigger description says what happened');
SELECT results_eq($$SELECT customer_id, line_id, telephone_number, usoc, state FROM tbs.activity WHERE line_usoc_id = 1022$$,
                  $$VALUES (1::bigint, 102::bigint, '+18585550102', 'SEAT', 'new')$$, 'customer, line, number and USOC as captured, in one neutral state');

-- An association that is switched off
SELECT captured();
UPDATE tbs.master_usoc_network_resource SET active = false WHERE usoc = 'LISTED' AND network_resource_id = 3;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1031, 103, 'LISTED');
SELECT captured_is('{1031 usoc_added phone_number ns-east}', 'a switched-off association: not for a line that does not have it yet');
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1031;
SELECT captured_is('{1031 usoc_edited phone_number ns-east}', 'nor when that is edited');
UPDATE tbs.line SET first_name = 'C' WHERE line_id = 103;
SELECT captured_is('{1031 line_changed phone_number ns-east}', 'nor when its line changes');
UPDATE tbs.master_usoc_network_resource SET active = true WHERE usoc = 'LISTED';
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1032, 103, 'LISTED');
UPDATE tbs.master_usoc_network_resource SET active = false WHERE usoc = 'LISTED' AND network_resource_id = 3;
SELECT captured();
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1032;
SELECT captured_is('{1032 usoc_edited listing listings,1032 usoc_edited phone_number ns-east}', 'for a line that has it, or may have it, edits still go out');
UPDATE tbs.line SET first_name = 'D' WHERE line_id = 103;
SELECT set_eq($$SELECT unnest(captured())$$, '{1031 line_changed phone_number ns-east,1032 line_changed listing listings,1032 line_changed phone_number ns-east}'::text[], 'and changes of its line');
UPDATE tbs.master_usoc_network_resource SET active = true WHERE usoc = 'LISTED';

-- A network resource that is paused or retired
UPDATE tbs.network_resource SET state = 'paused' WHERE network_resource_id = 1;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1041, 104, 'LISTED');
SELECT captured_is('{1041 usoc_added listing listings,1041 usoc_added phone_number ns-east}', 'a paused network resource: captured');
UPDATE tbs.network_resource SET state = 'retired' WHERE network_resource_id = 1;
UPDATE tbs.line_usoc SET quantity = 3 WHERE line_usoc_id = 1041;
SELECT captured_is('{1041 usoc_edited listing listings}', 'a retired one: not captured when edited');
UPDATE tbs.line SET first_name = 'E' WHERE line_id = 104;
SELECT captured_is('{1041 line_changed listing listings}', 'nor when its line changes');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1041;
SELECT captured_is('{1041 usoc_deleted listing listings}', 'nor when deleted');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1042, 104, 'LISTED');
SELECT captured_is('{1042 usoc_added listing listings}', 'nor when added');
UPDATE tbs.network_resource SET state = 'active' WHERE network_resource_id = 1;

-- Network information that names a network resource
UPDATE tbs.network_information SET network_resource_id = 2 WHERE network_information_id = 3;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2011, 201, 'BOTH'), (2012, 201, 'LISTED');
SELECT captured_is('{2012 usoc_added listing listings,2011 usoc_added seat ns-west}', 'it applies instead of others of its type, and leaves other types alone');
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_id = 201;
SELECT captured_is('{2012 usoc_edited listing listings,2011 usoc_edited seat ns-west}', 'also for edits');
UPDATE tbs.line SET first_name = 'F' WHERE line_id = 201;
SELECT captured_is('{2012 line_changed listing listings,2011 line_changed seat ns-west}', 'and for changes of the line');
UPDATE tbs.network_information SET network_resource_id = 1 WHERE network_information_id = 3;
SELECT set_eq($$SELECT unnest(captured())$$,
              '{2011 usoc_added seat ns-east,2011 usoc_deleted seat ns-west,2012 usoc_added phone_number ns-east}'::text[],
              'when it names another one: added on the one that is to have it, deleted on the one that may have it');
UPDATE tbs.network_information SET network_resource_id = 2, parent_id = NULL WHERE network_information_id = 1;
SELECT captured();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1033, 103, 'BOTH');
SELECT captured_is('{1033 usoc_added seat ns-west}', 'a site inherits the network resource that its domain names');

-- No activity type
INSERT INTO tbs.service (network_resource_type, service, description) VALUES ('directory', 'silent', 'without activity types');
INSERT INTO tbs.master_usoc (usoc) VALUES ('SILENT');
INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service) VALUES ('SILENT', 3, 'silent');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1045, 104, 'SILENT');
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1045;
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1045;
SELECT captured_is('{}', 'a service without activity types: nothing');

-- What is wrong with a network resource is no reason for a sale to fail.
UPDATE tbs.network_resource SET state = 'paused' WHERE network_resource_id = 3;
UPDATE tbs.line SET network_information_id = NULL, extension = NULL, telephone_number = NULL WHERE line_id = 102;
SELECT lives_ok($$INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1024, 102, 'LISTED')$$, 'a line without data that its network resource needs');
SELECT captured();

-- session_replication_role = replica (a restore): nothing
SET LOCAL session_replication_role = replica;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1025, 102, 'SEAT');
UPDATE tbs.line_usoc SET quantity = 9;
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1025;
SET LOCAL session_replication_role = origin;
SELECT captured_is('{}', 'a restore captures nothing');

SELECT * FROM finish();
ROLLBACK;
