-- Every kind of change of a line USOC, and which activities it captures, in which order.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(43);

SELECT tbs.arm('test');
SELECT start_bridge();

-- Insert
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
SELECT captured_is('{1011 usoc_added seat ns-east}', 'a USOC with one association: one activity');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1012, 101, 'SURCHARGE');
SELECT captured_is('{}', 'a USOC without association: none');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1013, 101, 'LISTED');
SELECT captured_is('{1013 usoc_added listing listings,1013 usoc_added phone_number ns-east}', 'two associations: two activities, ascending by position');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, quantity) VALUES (1014, 101, 'NUMBER', 5);
SELECT captured_is('{1014 usoc_added phone_number ns-east}', 'quantity does not multiply activities');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1023, 102, 'LISTED'), (1021, 102, 'SEAT'), (1031, 103, 'BOTH');
SELECT captured_is('{1021 usoc_added seat ns-east,1023 usoc_added listing listings,1023 usoc_added phone_number ns-east,1031 usoc_added seat ns-east,1031 usoc_added seat ns-west}',
                   'one statement, two lines: line by line, each ascending by position, whatever the order of the rows');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) SELECT 1041, 104, 'SEAT' WHERE false;
SELECT captured_is('{}', 'an insert of no rows captures nothing');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, active_date) VALUES (1041, 104, 'SEAT', current_date + 7);
SELECT captured_is('{1041 usoc_added seat ns-east}', 'a USOC with a date in the future is captured: whether it is wanted is decided later');
SELECT isnt(work('{"service-code": "tbs:101"}'), '{}', 'all of it is carried out');
SELECT results_eq('SELECT line_usoc_id, state FROM tbs.activity', $$VALUES (1041::bigint, 'scheduled')$$, 'but what is not due');

-- Update, column by column: what provisioning reads, and what only billing reads.
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1021;
SELECT captured_is('{1021 usoc_edited seat ns-east}', 'quantity');
UPDATE tbs.line_usoc SET telephone_number = '+18585550999' WHERE line_usoc_id = 1021;
SELECT captured_is('{1021 usoc_edited seat ns-east}', 'telephone number');
UPDATE tbs.line_usoc SET active_date = '2020-01-01' WHERE line_usoc_id = 1021;
SELECT captured_is('{1021 usoc_edited seat ns-east}', 'active date');
UPDATE tbs.line_usoc SET disconnect_date = '2090-01-01' WHERE line_usoc_id = 1021;
SELECT captured_is('{1021 usoc_edited seat ns-east}', 'disconnect date');
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"dial-plan": "x"}}' WHERE line_usoc_id = 1021;
SELECT captured_is('{1021 usoc_edited seat ns-east}', 'parameters');
UPDATE tbs.line_usoc SET external_id = 'x', customer_order_id = 1 WHERE line_usoc_id = 1021;
SELECT captured_is('{}', 'order and external id are read by billing only: nothing');
UPDATE tbs.line_usoc SET quantity = quantity WHERE line_usoc_id IN (1011, 1021);
SELECT captured_is('{}', 'an update to the same values: nothing');
UPDATE tbs.line_usoc SET quantity = CASE line_usoc_id WHEN 1021 THEN 9 ELSE quantity END WHERE line_usoc_id IN (1021, 1023);
SELECT captured_is('{1021 usoc_edited seat ns-east}', 'of two updated rows only the changed one');
UPDATE tbs.line_usoc SET quantity = 4 WHERE line_usoc_id = 1012;
SELECT captured_is('{}', 'an edited USOC without association: nothing');
UPDATE tbs.line_usoc SET quantity = 7 WHERE line_id = 102;
SELECT captured_is('{1021 usoc_edited seat ns-east,1023 usoc_edited listing listings,1023 usoc_edited phone_number ns-east}', 'edits ascend by position');
UPDATE tbs.line_usoc SET quantity = 8 WHERE false;
SELECT captured_is('{}', 'an update of no rows captures nothing');
UPDATE tbs.line_usoc SET quantity = 3 WHERE line_usoc_id = 1041;
SELECT captured_is('{1041 usoc_edited seat ns-east}', 'a USOC that is not active yet');

-- A changed USOC
UPDATE tbs.line_usoc SET usoc = 'SEATPLUS' WHERE line_usoc_id = 1011;
SELECT captured_is('{1011 usoc_edited seat ns-east}', 'swapped for a USOC with the same service on the same network resource: an edit');
UPDATE tbs.line_usoc SET usoc = 'LISTED' WHERE line_usoc_id = 1014;
SELECT captured_is('{1014 usoc_added listing listings,1014 usoc_edited phone_number ns-east}', 'swapped for a USOC with one service more: an edit and an add');
UPDATE tbs.line_usoc SET usoc = 'NUMBER' WHERE line_usoc_id = 1013;
SELECT captured_is('{1013 usoc_deleted listing listings,1013 usoc_edited phone_number ns-east}', 'swapped for a USOC with one service less: a delete and an edit');
UPDATE tbs.line_usoc SET usoc = 'LISTING' WHERE line_usoc_id = 1021;
SELECT captured_is('{1021 usoc_deleted seat ns-east,1021 usoc_added listing listings}', 'swapped for a USOC with another service: the delete first');
UPDATE tbs.line_usoc SET usoc = 'SURCHARGE' WHERE line_usoc_id = 1023;
SELECT captured_is('{1023 usoc_deleted phone_number ns-east,1023 usoc_deleted listing listings}', 'swapped for a USOC without association: deletes, descending by position');
UPDATE tbs.line_usoc SET usoc = 'NUMBER' WHERE line_usoc_id = 1012;
SELECT captured_is('{1012 usoc_added phone_number ns-east}', 'a USOC without association swapped for one with: an add');
UPDATE tbs.line_usoc SET usoc = 'SURCHARGE' WHERE line_usoc_id = 1012;
SELECT captured_is('{1012 usoc_deleted phone_number ns-east}', 'and back, while its add is still queued: a delete');

-- Another line
UPDATE tbs.line_usoc SET line_id = 104 WHERE line_usoc_id = 1031;
SELECT captured_is('{1031 usoc_edited seat ns-east,1031 usoc_edited seat ns-west}', 'moved to another line with the same network resources: edits');
SELECT is((SELECT array_agg(DISTINCT a.line_id) FROM tbs.activity AS a WHERE a.line_usoc_id = 1031), '{104}'::bigint[], 'of the line that it belongs to now');

-- Another id: a delete and an insert
SELECT work();
SELECT captured();
UPDATE tbs.line_usoc SET line_usoc_id = 1049 WHERE line_usoc_id = 1041;
SELECT captured_is('{1041 usoc_deleted seat ns-east,1049 usoc_added seat ns-east}', 'a changed id: a delete and an add, also of what is only scheduled');
UPDATE tbs.line_usoc SET line_usoc_id = 1019 WHERE line_usoc_id = 1011;
SELECT captured_is('{1011 usoc_deleted seat ns-east,1019 usoc_added seat ns-east}', 'a changed id of what is there: a delete and an add');

-- Delete
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2011, 201, 'SEAT'), (2013, 201, 'LISTED'), (2012, 201, 'SURCHARGE');
SELECT captured();
DELETE FROM tbs.line_usoc WHERE line_id = 201;
SELECT captured_is('{2013 usoc_deleted phone_number ns-east,2013 usoc_deleted listing listings,2011 usoc_deleted seat ns-east}',
                   'deletes descend by position, and concern what is only queued as well');
DELETE FROM tbs.line_usoc WHERE line_id = 201;
SELECT captured_is('{}', 'a delete of no rows captures nothing');
SELECT work();
SELECT is((SELECT count(*) FROM tbs.activity WHERE state <> 'scheduled'), 0::bigint, 'what was never sent is gone without a call');

-- A delete is about what is there, whatever the catalogue says now.
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2021, 201, 'SEAT'), (2023, 201, 'LISTED');
SELECT work();
SELECT captured();
UPDATE tbs.master_usoc_network_resource SET active = false WHERE usoc = 'LISTED' AND network_resource_id = 3;
INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service) VALUES ('SEAT', 2, 'seat');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 2023;
SELECT captured_is('{2023 usoc_deleted phone_number ns-east,2023 usoc_deleted listing listings}', 'an association that is switched off does not keep a delete from going out');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 2021;
SELECT captured_is('{2021 usoc_deleted seat ns-east}', 'an association that came later is not deleted from');
SELECT work();

-- By cascade from the line
DELETE FROM tbs.master_usoc_network_resource WHERE usoc = 'SEAT' AND network_resource_id = 2;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, telephone_number, customer_order_id) VALUES (2031, 201, 'SEAT', NULL, NULL), (2033, 201, 'LISTING', '+18585550299', NULL);
SELECT work();
SELECT captured();
DELETE FROM tbs.line WHERE line_id = 201;
SELECT captured_is('{2033 usoc_deleted listing listings,2031 usoc_deleted seat ns-east}', 'a deleted line takes its USOCs with it: one delete each, descending by position');
SELECT results_eq($$SELECT line_usoc_id, line_id, customer_id, telephone_number, usoc, trigger_description FROM tbs.activity WHERE line_id = 201 ORDER BY activity_id$$,
                  $$VALUES (2033::bigint, 201::bigint, 2::bigint, '+18585550299', 'LISTING', 'USOC LISTING deleted'), (2031, 201, 2, '+18585550201', 'SEAT', 'USOC SEAT deleted')$$,
                  'customer, line, number and USOC are kept although the line is gone');
INSERT INTO tbs.line (line_id, customer_id, network_information_id, telephone_number, extension) VALUES (202, 2, 3, '+18585550202', '202'), (203, 2, 3, '+18585550203', '203');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2041, 202, 'SEAT'), (2051, 203, 'SEAT');
SELECT captured();
DELETE FROM tbs.line WHERE line_id IN (202, 203);
SELECT captured_is('{2041 usoc_deleted seat ns-east,2051 usoc_deleted seat ns-east}', 'two lines deleted before anything of them was sent');
SELECT results_eq($$SELECT DISTINCT customer_id, telephone_number FROM tbs.activity WHERE line_usoc_id IN (2041, 2051) ORDER BY 2$$,
                  $$VALUES (2::bigint, '+18585550202'), (2, '+18585550203')$$, 'customer and number come from the activity that was queued');

-- A renamed Master USOC
SELECT work();
SELECT captured();
UPDATE tbs.master_usoc SET usoc = 'CHAIR' WHERE usoc = 'SEATPLUS';
SELECT captured_is('{1019 usoc_edited seat ns-east}', 'a renamed Master USOC is an edit of the lines that have it');

SELECT throws_ok('TRUNCATE tbs.line_usoc', '55000', NULL, 'TRUNCATE, which could not be captured, is refused');
SELECT * FROM finish();
ROLLBACK;
