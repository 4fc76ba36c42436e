-- Numbers, extensions, phones and domains that move: re-pointed and handed over, never released in between.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(51);

INSERT INTO tbs.device (device_id, mac) VALUES (1, '00:15:65:00:00:01'), (2, '00:15:65:00:00:02');
INSERT INTO tbs.line_device (line_device_id, line_id, device_id) VALUES (1, 101, 1), (2, 102, 2);
SELECT tbs.arm('test');
SELECT start_bridge();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1012, 101, 'NUMBER'), (1021, 102, 'SEAT'), (1022, 102, 'NUMBER');
SELECT isnt(work(), '{}', 'two lines, each with seat, number and phone');
CREATE FUNCTION test.settled() RETURNS text LANGUAGE sql AS $settled$
    SELECT coalesce((SELECT string_agg(o.kind || ' ' || o.key || ' ' || o.presence, ',') FROM tbs.remote_object AS o WHERE o.presence <> 'present' OR (NOT o.settled AND o.kind <> 'site') OR o.in_flight_activity_id IS NOT NULL
                       -- A site cannot be deleted.
                       OR o.kind <> 'site' AND NOT EXISTS (SELECT FROM tbs.remote_object_use AS u WHERE u.remote_object_id = o.remote_object_id)), '')
        || coalesce((SELECT string_agg(l.line_usoc_id || ' ' || l.status, ',') FROM tbs.line_status AS l WHERE NOT l.in_step), '')
        || (SELECT coalesce(string_agg(p.operation || ' ' || p.kind || ' ' || p.key, ','), '') FROM tbs.line AS n CROSS JOIN LATERAL tbs.preview(n.line_id) AS p);
$settled$;
SELECT is(settled(), '', 'all settled, in step, nothing left to send');

-- Two lines swap their numbers
UPDATE tbs.line SET telephone_number = CASE line_id WHEN 101 THEN '+18585550102' ELSE '+18585550101' END WHERE line_id IN (101, 102);
SELECT set_eq($$SELECT unnest(work())$$, '{PUT /domains/acme/phonenumbers/18585550101,PUT /domains/acme/phonenumbers/18585550102}'::text[], 'swapped numbers are re-pointed');
SELECT is(last_body('PUT %/18585550101') ->> 'dial-rule-translation-destination-user', '102', 'each to the other line''s user');
SELECT is(settled(), '', 'settled');

-- A number that moves from one line to another in one transaction, delete first
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1012;
UPDATE tbs.line SET telephone_number = NULL WHERE line_id = 101;
UPDATE tbs.line SET telephone_number = '+18585550102' WHERE line_id = 104;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1041, 104, 'SEAT'), (1042, 104, 'NUMBER');
SELECT set_eq($$SELECT unnest(work())$$, '{POST /domains/acme/users,PUT /domains/acme/phonenumbers/18585550102}'::text[], 'a number that moves is re-pointed and never released');
SELECT is(last_body('PUT %/18585550102') ->> 'dial-rule-description', 'tbs:104', 'with the mark of its new line');
SELECT is(settled(), '', 'settled');
-- insert first, and the new line's turn comes first too
UPDATE tbs.line SET telephone_number = NULL WHERE line_id = 104;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, telephone_number) VALUES (1013, 101, 'NUMBER', '+18585550102');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1042;
SELECT is(work(), '{PUT /domains/acme/phonenumbers/18585550102}', 'the other way round: insert, then delete');
SELECT is(settled(), '', 'settled');
-- in two transactions, with the delete carried out in between
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1013;
SELECT is(work(), '{DELETE /domains/acme/phonenumbers/18585550102}', 'released when nobody wants it');
UPDATE tbs.line SET telephone_number = '+18585550102' WHERE line_id = 101;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1012, 101, 'NUMBER');
SELECT is(work(), '{POST /domains/acme/phonenumbers}', 'and made anew');

-- Two lines swap their extensions
UPDATE tbs.line SET extension = CASE line_id WHEN 101 THEN '102' ELSE '101' END WHERE line_id IN (101, 102);
SELECT is((SELECT array_agg(DISTINCT split_part(c, ' ', 1)) FROM unnest(work()) AS c), '{PUT}', 'swapped extensions: changes only, nothing is removed');
SELECT is(last_body('PUT /domains/acme/users/101') ->> 'service-code', 'tbs:102', 'the user has the mark of its line');
SELECT is(last_body('PUT %/phonenumbers/18585550102') ->> 'dial-rule-translation-destination-user', '102', 'the numbers follow');
SELECT is((SELECT s.body::jsonb ->> 'device-provisioning-sip-uri-1' FROM test.sent AS s WHERE s.call = 'PUT /phones' AND s.body LIKE '%001565000001%' ORDER BY s.ordinal DESC LIMIT 1), 'sip:102@acme', 'so do the phones');
SELECT is(settled(), '', 'settled');

-- A new extension: what the switch cannot rename is made new, the number re-pointed, the old one removed
UPDATE tbs.line SET extension = '1101' WHERE line_id = 101;
SELECT is(work(), '{POST /domains/acme/users,POST /domains/acme/users/1101/devices,PUT /phones,PUT /domains/acme/phonenumbers/18585550102,DELETE /domains/acme/users/102/devices/102,DELETE /domains/acme/users/102}',
          'a new extension: made, re-pointed, removed');
SELECT is(settled(), '', 'settled');

-- The extension that became free, given to another line in the same transaction
UPDATE tbs.line SET extension = '2101' WHERE line_id = 101;
UPDATE tbs.line SET extension = '1101' WHERE line_id = 104;
SELECT ok(NOT work() && '{DELETE /domains/acme/users/1101}', 'an extension that another line takes over at once is not removed');
SELECT is(settled(), '', 'settled');

-- An extension that another line still has
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1031, 103, 'SEAT');
SELECT work();
UPDATE tbs.line SET extension = '101' WHERE line_id = 103;
SELECT is(work(), '{}', 'an extension that another line still has: nothing is sent');
SELECT matches(value_of('SELECT last_message FROM tbs.activity_queue'), 'user 101@acme is in use by line 102', 'it fails, naming that line');
UPDATE tbs.line SET extension = '103' WHERE line_id = 103;
SELECT is(work(), '{}', 'taken back: nothing to do');
SELECT is(queue(), '{}', 'and nothing is left');
SELECT is(settled(), '', 'settled');

-- A number that another line still has
UPDATE tbs.line SET telephone_number = '+18585550199' WHERE line_id = 103;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, telephone_number) VALUES (1032, 103, 'NUMBER', '+18585550101');
SELECT is(work(), '{}', 'a number that another line still has: nothing is sent');
SELECT matches(value_of('SELECT last_message FROM tbs.activity_queue'), 'phone_number 18585550101 is in use by line 102', 'it fails, naming that line');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1022;
SELECT is(ARRAY(SELECT c FROM unnest(work()) AS c WHERE c LIKE '%phonenumbers%'), '{PUT /domains/acme/phonenumbers/18585550101}',
          'the other line gives it up: it is handed over, not released, and the failed activity gets a new try by itself');
SELECT is(queue(), '{}', 'nothing is left');
SELECT is(settled(), '', 'settled');

-- A shared phone: handed over, not removed
INSERT INTO tbs.line_device (line_device_id, line_id, device_id, slot) VALUES (3, 104, 1, 2);
SELECT ok(work() @> '{PUT /phones}', 'a second line on a phone');
DELETE FROM tbs.line_device WHERE line_device_id = 1;
SELECT ok(NOT work() && '{DELETE /phones}', 'the first leaves it: the phone stays');
SELECT is(last_body('% /phones') ->> 'device-provisioning-sip-uri-1', '', 'with an empty line key');
SELECT is((SELECT array_agg(u.line_usoc_id) FROM tbs.remote_object AS o JOIN tbs.remote_object_use AS u USING (remote_object_id) WHERE o.key = '001565000001'), '{1041}'::bigint[], 'and belongs to the other');
UPDATE tbs.line_device SET line_id = 103, slot = 1 WHERE line_device_id = 3;
SELECT ok(NOT work() && '{DELETE /phones}', 'a phone that goes to another line is handed over');
SELECT is((SELECT array_agg(u.line_usoc_id) FROM tbs.remote_object AS o JOIN tbs.remote_object_use AS u USING (remote_object_id) WHERE o.key = '001565000001'), '{1031}'::bigint[], 'to that line');
INSERT INTO tbs.line_device (line_device_id, line_id, device_id, slot) VALUES (4, 104, 1, 2);
SELECT work();
DELETE FROM tbs.line WHERE line_id = 103;
SELECT ok(NOT work() && '{DELETE /phones}', 'a deleted line leaves a shared phone to the other');
SELECT is(last_body('% /phones') ->> 'device-provisioning-sip-uri-1', '', 'whose line key is cleared');
DELETE FROM tbs.line_device WHERE line_device_id = 4;
SELECT ok(work() @> '{DELETE /phones}', 'the last one takes it away');
SELECT is(settled(), '', 'settled');

-- Another domain name: everything is made there, and removed here
UPDATE tbs.network_information SET switch_domain = 'acme2' WHERE network_information_id = 1;
SELECT work();
SELECT is((SELECT array_agg(DISTINCT o.key ORDER BY o.key) FROM tbs.remote_object AS o WHERE o.kind = 'domain'), '{acme2}', 'another domain name: the old domain is gone');
SELECT is((SELECT s.call FROM test.sent AS s WHERE s.call LIKE 'DELETE /domains/acme%' ORDER BY s.ordinal DESC LIMIT 1), 'DELETE /domains/acme', 'last of all');
SELECT is(settled(), '', 'settled');

-- A domain goes with its last seat, and its numbers with it: they are made again when a seat is there again
INSERT INTO tbs.network_information (network_information_id, customer_id, name, switch_domain) VALUES (90, 1, 'alone', 'alone');
INSERT INTO tbs.line (line_id, customer_id, network_information_id, telephone_number, extension, first_name, last_name) VALUES (190, 1, 90, '+18585550190', '190', 'F', 'L');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1901, 190, 'SEAT'), (1902, 190, 'NUMBER');
SELECT is(work(), '{POST /domains,POST /domains/alone/users,POST /domains/alone/phonenumbers}', 'a line alone in its domain');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1901;
SELECT is(work(), '{DELETE /domains/alone/users/190,DELETE /domains/alone}', 'its seat goes');
SELECT is(queue(), '{"1902 resync waiting"}', 'the number went with the domain, and waits for a seat');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1903, 190, 'SEAT');
SELECT is((work('{"dial-rule-description": "tbs:190"}'))[1:3], '{POST /domains,POST /domains/alone/users,GET /domains/alone/phonenumbers/18585550190}', 'it is looked at when there is one again');

-- A seat that failed on its line is put on another one, which is just being worked on: what it left behind comes along, and nothing of it stays for ever
INSERT INTO tbs.line (line_id, customer_id, network_information_id, telephone_number, extension, first_name, last_name) VALUES
    (191, 1, 90, '+18585550191', '191', 'F', 'L'), (192, 1, 90, '+18585550192', '192', 'F', 'L');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1911, 191, 'SEAT'), (1922, 192, 'NUMBER'), (1923, 192, 'SEAT');
SELECT work();
UPDATE tbs.line SET first_name = NULL WHERE line_id = 191;
SELECT work();
SELECT is(queue(), '{"1911 line_changed failed"}', 'a seat that cannot be made fails');
UPDATE tbs.line_usoc SET telephone_number = '+18585550193' WHERE line_usoc_id = 1922;
SELECT is(claim(), '{POST /domains/alone/phonenumbers}', 'a call for the other line is under way');
UPDATE tbs.line_usoc SET line_id = 192 WHERE line_usoc_id = 1911;
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1923;
SELECT answer(202);
SELECT work();
SELECT is(queue(), '{}', 'moved to the other line, it has nothing left on the first');

SELECT * FROM finish();
ROLLBACK;
