-- Devices sold by themselves, call queues with their agents, numbers that go back into stock, domains that are kept.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/services.sql
\ir fixture/bridge.sql
SELECT plan(48);

SELECT tbs.arm('test');
SELECT start_bridge();

-- SIP accounts and phones of a line whose seat leaves them to others
INSERT INTO tbs.device (device_id, mac, brand, model) VALUES (1, '00:15:65:00:00:01', 'Yealink', 'T46S');
INSERT INTO tbs.line_device (line_device_id, line_id, device_id) VALUES (1, 101, 1);
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1012, 101, 'SIP');
SELECT is(work(), '{POST /domains,POST /domains/acme/users,POST /phones,POST /domains/acme/users/101/devices}', 'the seat makes user and phone, the other the SIP account');
SELECT is((SELECT array_agg(u.service || ' ' || o.kind ORDER BY o.kind) FROM tbs.remote_object AS o JOIN tbs.remote_object_use AS u USING (remote_object_id) WHERE o.kind IN ('device', 'phone')),
          '{"sip_account device","seat phone"}'::text[], 'each has its own');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1012;
SELECT is(work(), '{}', 'taken off: the seat has it again, and nothing changes');
SELECT is((SELECT u.service FROM tbs.remote_object AS o JOIN tbs.remote_object_use AS u USING (remote_object_id) WHERE o.kind = 'device'), 'seat', 'handed over');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1013, 101, 'PHONE'), (1014, 101, 'SIP');
SELECT is(work(), '{}', 'sold again on a line that has them: taken over');
UPDATE tbs.device SET model = 'T54W' WHERE device_id = 1;
SELECT is(work(), '{PUT /phones}', 'another model: one call');
SELECT tbs.rotate_secret(101, '101', 'test');
SELECT is(work(), '{PUT /domains/acme/users/101/devices/101}', 'another password: one call');
UPDATE tbs.line_device SET sip_account = '101x' WHERE line_device_id = 1;
SELECT is(work(), '{POST /domains/acme/users/101/devices,PUT /phones,DELETE /domains/acme/users/101/devices/101}', 'another account: made, the phone pointed to it, the old one removed');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1011;
SELECT is(work(), '{DELETE /domains/acme/users/101,DELETE /domains/acme}', 'without the seat the user goes, and the switch takes its account along');
SELECT is(queue(), '{"1014 resync waiting"}', 'which waits for another user');
DELETE FROM tbs.line_usoc WHERE line_id = 101;
SELECT is(work(), '{DELETE /phones}', 'taken off: the phone goes, there is no account any more');
SELECT is((SELECT count(*) FROM tbs.remote_object) + (SELECT count(*) FROM tbs.remote_object_use), 0::bigint, 'nothing is left behind');

DELETE FROM tbs.device;
-- What wants nothing just now is in step with that, and keeps nobody else of the same claim or report waiting.
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1012, 101, 'PHONE'), (1021, 102, 'SEAT');
SELECT is((SELECT count(*) FROM unnest(work())), 3::bigint, 'a phone sold on a line without a device: nothing to send for it');
SELECT is((SELECT count(*) FROM tbs.line_usoc_state WHERE in_step), 3::bigint, 'and all are in step');
DELETE FROM tbs.line_usoc WHERE line_id IN (101, 102);
SELECT work();

-- A call queue: its members are agents when they are users
INSERT INTO tbs.line_member (line_member_id, line_id, member_line_id, position) VALUES (1, 104, 101, 1), (2, 104, 102, 2), (3, 104, 201, 3);
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1041, 104, 'QUEUE');
SELECT is((SELECT array_agg(c ORDER BY c) FROM unnest(work()) AS c),
          '{"POST /domains","POST /domains/acme/callqueues","POST /domains/acme/callqueues/104/agents","POST /domains/acme/users","POST /domains/acme/users"}'::text[],
          'the queue with its user, and one agent');
SELECT is(last_body('POST %/callqueues'), '{"synchronous": "yes", "callqueue": "104", "domain": "acme", "description": "Dan Drew"}'::jsonb, 'the queue');
SELECT is((SELECT s.body::jsonb - '{time-zone}'::text[] FROM test.sent AS s WHERE s.body LIKE '%system-queue%'),
          '{"synchronous": "yes", "user": "104", "name-first-name": "Dan", "name-last-name": "Drew", "email-address": "", "user-scope": "No Portal", "service-code": "system-queue", "status-message": "tbs:104"}'::jsonb,
          'its user, with the mark where it may be');
SELECT is(last_body('POST %/agents'), '{"synchronous": "yes", "callqueue-agent-id": "101@acme", "callqueue-agent-availability-type": "automatic", "callqueue-agent-dispatch-order-ordinal": 1}'::jsonb, 'its agent');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT');
SELECT set_eq($$SELECT unnest(work())$$, '{POST /domains/acme/users,POST /domains/acme/callqueues/104/agents}'::text[], 'a member that becomes a user becomes an agent');
UPDATE tbs.line_member SET position = 5 WHERE line_member_id = 2;
SELECT is(work(), '{PUT /domains/acme/callqueues/104/agents/102%40acme}', 'another place');
UPDATE tbs.line SET extension = '122' WHERE line_id = 102;
SELECT set_eq($$SELECT unnest(work())$$, '{POST /domains/acme/users,DELETE /domains/acme/users/102,POST /domains/acme/callqueues/104/agents,DELETE /domains/acme/callqueues/104/agents/102%40acme}'::text[],
              'another extension of a member: another agent');
SELECT tbs.resync(line_id => 104, reason => 'test');
SELECT ok(NOT work() @> '{PUT /domains/acme/callqueues/104/agents/122%40acme}', 'a resync does not log agents in that have logged out');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1021;
SELECT set_eq($$SELECT unnest(work())$$, '{DELETE /domains/acme/users/122,DELETE /domains/acme/callqueues/104/agents/122%40acme}'::text[], 'a member that is no user any more is no agent');
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"callqueue-dispatch-type": "Ring All"}}' WHERE line_usoc_id = 1041;
SELECT is(work(), '{PUT /domains/acme/callqueues/104}', 'another way to ring');
SELECT is(last_body('PUT %') ->> 'callqueue-dispatch-type', 'Ring All', 'as the row says');
DELETE FROM tbs.line_member WHERE line_member_id = 1;
SELECT is(work(), '{DELETE /domains/acme/callqueues/104/agents/101%40acme}', 'a member less');

-- Its number: whatever makes a user will do
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, parameters) VALUES (1042, 104, 'STOCK', '{"netsapiens": {"dial-rule-application": "to-callqueue"}}');
SELECT is(work(), '{POST /domains/acme/phonenumbers}', 'a number of a queue');
SELECT is(last_body('POST %/phonenumbers') - '{phonenumber,enabled,dial-rule-description}'::text[],
          '{"dial-rule-application": "to-callqueue", "dial-rule-translation-destination-user": "104", "dial-rule-translation-destination-host": "acme"}'::jsonb, 'leads there');
UPDATE tbs.line SET suspended = true WHERE line_id = 104;
SELECT is(work(), '{}', 'a suspended queue: callers are still taken');
UPDATE tbs.line SET extension = '140' WHERE line_id = 104;
SELECT is(work(), '{POST /domains/acme/users,POST /domains/acme/callqueues,PUT /domains/acme/phonenumbers/18585550104,DELETE /domains/acme/callqueues/104,DELETE /domains/acme/users/104}',
          'another extension: a new queue, the number pointed to it, the old one removed');
-- Back into stock
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1042;
SELECT is(work(), '{PUT /domains/acme/phonenumbers/18585550104}', 'taken off: back into stock, as its association says');
SELECT is(last_body('PUT %/phonenumbers/%'), '{"dial-rule-application": "available-number", "dial-rule-parameter": "", "dial-rule-translation-destination-user": "[*]", "dial-rule-translation-destination-host": "[*]", "dial-rule-translation-source-name": "[*]", "dial-rule-description": "", "enabled": "yes"}'::jsonb,
          'without destination and mark');
SELECT is((SELECT count(*) FROM tbs.remote_object AS o WHERE o.kind = 'phone_number'), 0::bigint, 'it is not ours any more');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1043, 104, 'NUMBER');
SELECT is(claim(), '{POST /domains/acme/phonenumbers}', 'sold again');
SELECT is(answer(409, '{"code": 409, "message": "Phone number already exists"}'), '{GET /domains/acme/phonenumbers/18585550104}', 'it is there: looked at');
SELECT is(answer(200, '{"dial-rule-application": "available-number"}'), '{PUT /domains/acme/phonenumbers/18585550104}', 'and taken from the stock');
SELECT answer(202);
UPDATE tbs.master_usoc_network_resource SET parameters = '{"phone-number-removal": "burn"}' WHERE usoc = 'NUMBER';
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1043;
SELECT is(work(), '{}', 'an unknown way to remove it');
SELECT matches((SELECT q.last_message FROM tbs.activity_queue AS q), 'phone-number-removal: "burn" is no way to remove it', 'fails before anything is sent, and says so');
UPDATE tbs.master_usoc_network_resource SET parameters = '{"phone-number-removal": "keep"}' WHERE usoc = 'NUMBER';
UPDATE tbs.line_usoc SET quantity = 3 WHERE line_usoc_id = 1043;
SELECT is(work(), '{}', 'to be kept: nothing to send now');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1043;
SELECT is(work(), '{}', 'nor when it is taken off');
SELECT is((SELECT o.presence FROM tbs.remote_object AS o WHERE o.kind = 'phone_number'), 'present', 'it stays, and we know of it');
DELETE FROM tbs.line_usoc WHERE line_id IN (101, 104);
SELECT set_has($$SELECT unnest(work())$$, $$SELECT unnest('{DELETE /domains/acme/callqueues/140,DELETE /domains/acme/users/140,DELETE /domains/acme/users/101,DELETE /domains/acme}'::text[])$$, 'the last lines go, and the domain');

-- A domain that is kept
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2011, 201, 'SEAT'), (2012, 201, 'NUMBER');
SELECT work();
UPDATE tbs.line_usoc SET usoc = 'KEEPSEAT' WHERE line_usoc_id = 2011;
SELECT is(work(), '{}', 'a seat whose association keeps the domain');
DELETE FROM tbs.line WHERE line_id = 201;
SELECT is(work(), '{DELETE /domains/globex/users/201}', 'the last line goes, the domain stays');

-- Two switches
INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service, position) VALUES ('VM', 2, 'voicemail', 50);
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1022, 102, 'BOTH'), (1023, 102, 'VM');
UPDATE tbs.network_information SET network_resource_id = 1 WHERE network_information_id = 1;
SELECT work();
SELECT captured();
UPDATE tbs.network_information SET network_resource_id = 2 WHERE network_information_id = 1;
SELECT set_eq($$SELECT unnest(captured())$$, '{1022 usoc_added seat ns-west,1022 usoc_deleted seat ns-east,1023 usoc_added voicemail ns-west,1023 usoc_deleted voicemail ns-east}'::text[],
              'network information that names another switch: added there, deleted here');
SELECT work();
SELECT is((SELECT array_agg(DISTINCT r.name || ' ' || o.kind ORDER BY r.name || ' ' || o.kind) FROM tbs.remote_object AS o JOIN tbs.network_resource AS r USING (network_resource_id)
           WHERE o.key = '122@acme'), '{"ns-west user","ns-west voicemail","ns-west voicemail_pin"}'::text[], 'all of it is on the new one');

-- Polite by default
INSERT INTO tbs.network_resource (network_resource_id, name, network_resource_type, base_url, environment) VALUES (11, 'new', 'netsapiens', 'https://new.example/ns-api/v2', 'test');
SELECT is((SELECT r.connections || ' ' || r.requests_per_second FROM tbs.network_resource AS r WHERE r.name = 'new'), '8 10', 'a new switch: 8 connections, 10 requests a second');
INSERT INTO tbs.network_resource (network_resource_id, name, network_resource_type, base_url, environment, requests_per_second) VALUES (12, 'fast', 'netsapiens', 'https://fast.example/ns-api/v2', 'test', 50);
SELECT is((SELECT r.requests_per_second FROM tbs.network_resource AS r WHERE r.name = 'fast'), 50::numeric, 'unless another limit is given');

SELECT * FROM finish();
ROLLBACK;
