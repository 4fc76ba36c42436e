-- First and last days of service: what is not due is on the queue as scheduled, holds nobody, and is replaced by a later change.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(34);

SELECT tbs.arm('test');
SELECT start_bridge();
-- set_date(column, date): as if the day had come nearer: no capture.
CREATE FUNCTION test.set_date(line_usoc_id bigint, field text, day date) RETURNS void LANGUAGE plpgsql AS $set_date$
BEGIN
    SET LOCAL session_replication_role = replica;
    EXECUTE format('UPDATE tbs.line_usoc SET %I = %L WHERE line_usoc_id = %s', set_date.field, set_date.day, set_date.line_usoc_id);
    SET LOCAL session_replication_role = origin;
END;
$set_date$;

-- A first day in the future
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, active_date) VALUES (1011, 101, 'SEAT', current_date + 5);
SELECT is(work(), '{}', 'a first day in the future: no call');
SELECT results_eq('SELECT result_status, due_at = (current_date + 5)::timestamptz FROM tbs.activity_queue', $$VALUES ('scheduled', true)$$, 'scheduled for that day');
SELECT is(claim(), '{}', 'not claimed before');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1015, 101, 'LISTING');
SELECT is(work(), '{POST /entries}', 'it holds nobody');
SELECT cmp_ok((SELECT s.next_due_milliseconds FROM tbs.bridge_sleep(bridge()) AS s), '>', 3 * 86400 * 1000, 'a bridge that goes to sleep is told when it is due');
SELECT tbs.bridge_wake(bridge());
SELECT set_date(1011, 'active_date', current_date);
SELECT let_time_pass();
SELECT is(value_of('SELECT result_status FROM tbs.activity_queue'), 'scheduled', 'the day has come');
SELECT is(work(), '{POST /domains,POST /domains/acme/users}', 'and it is carried out');
SELECT is(queue(), '{}', 'done');

-- Another first day replaces it
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, active_date) VALUES (1021, 102, 'SEAT', current_date + 5);
SELECT work();
UPDATE tbs.line_usoc SET active_date = current_date + 9 WHERE line_usoc_id = 1021;
SELECT work();
SELECT results_eq('SELECT trigger_type, result_status, due_at = (current_date + 9)::timestamptz FROM tbs.activity_queue', $$VALUES ('usoc_edited', 'scheduled', true)$$, 'a later first day: one activity, for that day');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.line_usoc_id = 1021 AND h.event = 'superseded'), 1::bigint, 'the other is superseded');
UPDATE tbs.line_usoc SET active_date = NULL WHERE line_usoc_id = 1021;
SELECT is(work(), '{POST /domains/acme/users}', 'at once after all');
SELECT is(queue(), '{}', 'nothing is left scheduled');
-- Taken off before its first day
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, active_date) VALUES (1041, 104, 'SEAT', current_date + 5);
SELECT work();
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1041;
SELECT is(work(), '{}', 'taken off before its first day: no call');
SELECT is(queue(), '{}', 'and nothing is left');
-- Several changes, and then another first day: all of them look at it, one is scheduled
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, active_date) VALUES (1042, 104, 'SEAT', current_date + 5);
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1042;
UPDATE tbs.line SET first_name = 'Later' WHERE line_id = 104;
SELECT is(work(), '{}', 'three changes before the first day: no call');
SELECT is(queue(), '{"1042 line_changed scheduled"}', 'the last of them is scheduled, and nothing waits behind it');
UPDATE tbs.activity SET moved_to = 1 WHERE line_usoc_id = 1042;
UPDATE tbs.line_usoc SET usoc = 'LISTING' WHERE line_usoc_id = 1042;
SELECT is(work(), '{}', 'another USOC, still before the first day');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1042;
SELECT work();
SELECT is(queue(), '{}', 'and taken off');

-- A last day
UPDATE tbs.line_usoc SET disconnect_date = current_date + 3 WHERE line_usoc_id = 1011;
SELECT is(work(), '{}', 'a last day in the future: nothing to send');
SELECT results_eq('SELECT trigger_type, result_status, due_at = (current_date + 4)::timestamptz, trigger_description FROM tbs.activity_queue',
                  $$VALUES ('usoc_deleted', 'scheduled', true, 'last day of service ' || (current_date + 3))$$, 'its removal is scheduled for the day after');
UPDATE tbs.line SET first_name = 'New' WHERE line_id = 101;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'until then changes are sent');
SELECT is(queue(), '{"1011 usoc_deleted scheduled"}', 'and the removal stays scheduled, once');
UPDATE tbs.line_usoc SET disconnect_date = current_date + 6 WHERE line_usoc_id = 1011;
SELECT work();
SELECT is((SELECT array_agg(q.due_at = (current_date + 7)::timestamptz) FROM tbs.activity_queue AS q), '{t}', 'another last day: one removal, for that');
SELECT let_time_pass();
SELECT is(work(), '{}', 'one that comes too early, by a clock, sends nothing');
SELECT is(queue(), '{"1011 usoc_deleted scheduled"}', 'and is scheduled again');
SELECT set_date(1011, 'active_date', '2020-01-01');
SELECT set_date(1011, 'disconnect_date', current_date - 1);
SELECT let_time_pass();
SELECT is(work(), '{DELETE /domains/acme/users/101}', 'after the last day it is removed');
SELECT is(queue(), '{}', 'done');
SELECT is_empty('SELECT * FROM tbs.line_usoc_state WHERE line_usoc_id = 1011', 'nothing of it is there');
-- A first day that is moved into the future takes away what others of the line require
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1013, 101, 'SEAT');
SELECT work();
UPDATE tbs.line_usoc SET active_date = current_date + 3 WHERE line_usoc_id = 1013;
SELECT work();
SELECT is_empty('SELECT * FROM tbs.line_usoc_state WHERE line_usoc_id = 1013', 'a seat whose first day is moved into the future is not there any more');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1014, 101, 'NUMBER');
SELECT is(work(), '{}', 'and a number waits for it');
SELECT is(tbs.missing_service(a), 'seat|call_queue', 'as it says') FROM tbs.activity AS a WHERE a.line_usoc_id = 1014;
DELETE FROM tbs.line_usoc WHERE line_usoc_id IN (1013, 1014);
SELECT work();
-- The last day is taken back
UPDATE tbs.line_usoc SET disconnect_date = current_date + 3 WHERE line_usoc_id = 1021;
SELECT work();
UPDATE tbs.line_usoc SET disconnect_date = NULL WHERE line_usoc_id = 1021;
SELECT is(work(), '{}', 'the last day is taken back: nothing to send');
SELECT is(queue(), '{}', 'and no removal is left');
-- The row goes before its last day
UPDATE tbs.line_usoc SET disconnect_date = current_date + 3 WHERE line_usoc_id = 1021;
SELECT work();
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1021;
SELECT is(work(), '{DELETE /domains/acme/users/102,DELETE /domains/acme}', 'taken off before its last day: removed at once');

SELECT * FROM finish();
ROLLBACK;
