-- Every kind of change of a device, of its ties to lines, and of a queue's members.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
SELECT plan(31);

INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1012, 101, 'LISTED'), (1021, 102, 'SEAT'), (1031, 103, 'SEAT'), (1041, 104, 'SURCHARGE');
INSERT INTO tbs.device (device_id, mac) VALUES (1, '00:15:65:00:00:01'), (2, '00:15:65:00:00:02'), (3, NULL);
SELECT tbs.arm('test');

-- Ties
INSERT INTO tbs.line_device (line_device_id, line_id, device_id) VALUES (1, 101, 1);
SELECT captured_is('{1011 device_changed seat ns-east}', 'a device tied to a line: for its seat; a number and a listing have no activity type for it');
INSERT INTO tbs.line_device (line_device_id, line_id, device_id, slot) VALUES (2, 102, 1, 2);
SELECT captured_is('{1011 device_changed seat ns-east,1021 device_changed seat ns-east}', 'a second line on the same device: for both lines, since the device''s record has both');
INSERT INTO tbs.line_device (line_device_id, line_id, device_id) VALUES (3, 104, 3);
SELECT captured_is('{}', 'a line without a provisioned USOC: nothing');
UPDATE tbs.line_device SET sip_account = '101a' WHERE line_device_id = 1;
SELECT captured_is('{1011 device_changed seat ns-east,1021 device_changed seat ns-east}', 'SIP account');
UPDATE tbs.line_device SET slot = 3 WHERE line_device_id = 1;
SELECT captured_is('{1011 device_changed seat ns-east,1021 device_changed seat ns-east}', 'slot');
UPDATE tbs.line_device SET shared = true WHERE line_device_id = 1;
SELECT captured_is('{1011 device_changed seat ns-east,1021 device_changed seat ns-east}', 'shared');
UPDATE tbs.line_device SET parameters = '{"netsapiens": {"notes": "x"}}' WHERE line_device_id = 1;
SELECT captured_is('{1011 device_changed seat ns-east,1021 device_changed seat ns-east}', 'parameters');
UPDATE tbs.line_device SET external_id = 'T-1' WHERE line_device_id = 1;
SELECT captured_is('{}', 'external id: nothing');
UPDATE tbs.line_device SET slot = slot;
SELECT captured_is('{}', 'the same values: nothing');
UPDATE tbs.line_device SET device_id = 2 WHERE line_device_id = 1;
SELECT captured_is('{1011 device_changed seat ns-east,1021 device_changed seat ns-east}', 'another device: the line, and the lines of the device that it left');
UPDATE tbs.line_device SET line_id = 103 WHERE line_device_id = 1;
SELECT captured_is('{1011 device_changed seat ns-east,1031 device_changed seat ns-east}', 'another line: the old and the new one');
UPDATE tbs.line_device SET line_device_id = 11 WHERE line_device_id = 1;
SELECT captured_is('{1031 device_changed seat ns-east}', 'a changed id of a tie concerns its line');
UPDATE tbs.line_device SET slot = 2 WHERE line_device_id = 11;
SELECT captured();
INSERT INTO tbs.line_device (line_device_id, line_id, device_id, slot) VALUES (4, 101, 2, 1);
SELECT captured();
UPDATE tbs.line_device SET slot = 3 - slot WHERE device_id = 2;
SELECT captured_is('{1011 device_changed seat ns-east,1031 device_changed seat ns-east}', 'two line keys swapped in one statement');
DELETE FROM tbs.line_device WHERE line_device_id = 4;
SELECT captured_is('{1011 device_changed seat ns-east,1031 device_changed seat ns-east}', 'untied: the line, and the other lines of the device');
DELETE FROM tbs.line_device WHERE false;
INSERT INTO tbs.line_device (line_id, device_id, slot) SELECT 101, 1, 9 WHERE false;
SELECT captured_is('{}', 'no rows: nothing');

-- Device
INSERT INTO tbs.line_device (line_device_id, line_id, device_id, slot) VALUES (5, 101, 2, 5);
SELECT captured();
UPDATE tbs.device SET model = 'T46S' WHERE device_id = 2;
SELECT captured_is('{1011 device_changed seat ns-east,1031 device_changed seat ns-east}', 'model: for every line of the device');
UPDATE tbs.device SET brand = 'Yealink' WHERE device_id = 1;
SELECT captured_is('{1021 device_changed seat ns-east}', 'brand');
UPDATE tbs.device SET mac = '00:15:65:00:00:11' WHERE device_id = 1;
SELECT captured_is('{1021 device_changed seat ns-east}', 'MAC');
UPDATE tbs.device SET parameters = '{"netsapiens": {"notes": "y"}}' WHERE device_id = 1;
SELECT captured_is('{1021 device_changed seat ns-east}', 'parameters');
UPDATE tbs.device SET external_id = 'D-1' WHERE device_id = 1;
SELECT captured_is('{}', 'external id: nothing');
UPDATE tbs.device SET mac = CASE device_id WHEN 1 THEN '00:15:65:00:00:02'::macaddr ELSE '00:15:65:00:00:11' END WHERE device_id IN (1, 2);
SELECT captured_is('{1011 device_changed seat ns-east,1021 device_changed seat ns-east,1031 device_changed seat ns-east}', 'two devices swap their MACs in one statement');
INSERT INTO tbs.device (device_id, mac) VALUES (9, '00:15:65:00:00:99');
UPDATE tbs.device SET model = 'x' WHERE device_id = 9;
DELETE FROM tbs.device WHERE device_id = 9;
SELECT captured_is('{}', 'a device without a line: nothing');
DELETE FROM tbs.device WHERE device_id = 2;
SELECT captured_is('{1011 device_changed seat ns-east,1031 device_changed seat ns-east}', 'a deleted device: for the lines that it was tied to');

-- A changed line on a phone that it shares
INSERT INTO tbs.line_device (line_device_id, line_id, device_id, slot) VALUES (6, 101, 1, 1);
SELECT captured();
UPDATE tbs.line SET extension = '1999' WHERE line_id = 102;
SELECT set_eq($$SELECT unnest(captured())$$, '{1021 line_changed seat ns-east,1011 device_changed seat ns-east}'::text[], 'a changed extension: also the other lines of a shared phone');
UPDATE tbs.line SET first_name = 'Other' WHERE line_id = 102;
SELECT captured_is('{1021 line_changed seat ns-east}', 'a changed name is not on the phone');
DELETE FROM tbs.line WHERE line_id = 102;
SELECT set_eq($$SELECT unnest(captured())$$, '{1021 usoc_deleted seat ns-east,1011 device_changed seat ns-east}'::text[],
              'a deleted line: its USOC, and the other line of its phone');

-- Members of a queue: line 101 is the queue
INSERT INTO tbs.line_member (line_member_id, line_id, member_line_id) VALUES (1, 101, 103);
SELECT set_eq($$SELECT unnest(captured())$$, '{1011 line_changed seat ns-east,1012 line_changed listing listings,1012 line_changed phone_number ns-east}'::text[],
              'a new member: line_changed for the queue, nothing for the member');
UPDATE tbs.line_member SET position = 2 WHERE line_member_id = 1;
SELECT is((SELECT count(*) FROM unnest(captured()) AS c WHERE c LIKE '101_ line_changed%'), 3::bigint, 'position');
UPDATE tbs.line_member SET external_id = 'M-1';
UPDATE tbs.line_member SET position = position;
SELECT captured_is('{}', 'external id, or the same values: nothing');
UPDATE tbs.line SET extension = '1103' WHERE line_id = 103;
SELECT set_eq($$SELECT unnest(captured())$$,
              '{1031 line_changed seat ns-east,1011 line_changed seat ns-east,1012 line_changed listing listings,1012 line_changed phone_number ns-east}'::text[],
              'a member''s extension: the member, and the queue that has it');
DELETE FROM tbs.line_member WHERE line_member_id = 1;
SELECT is((SELECT count(*) FROM unnest(captured()) AS c WHERE c LIKE '101_ line_changed%'), 3::bigint, 'a member less');

SELECT * FROM finish();
ROLLBACK;
