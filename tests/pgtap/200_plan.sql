-- Level, not edge: what is sent is decided from the rows and the remote objects when an activity is due.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(57);

SELECT tbs.arm('test');
SELECT start_bridge();

-- Add
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
SELECT is(queue(), '{1011 usoc_added pending}', 'captured: pending');
SELECT is(claim(), '{POST /domains}', 'claimed: the first call, to ensure the domain');
SELECT is(queue(), '{1011 usoc_added processing}', 'processing');
SELECT is(claim(), '{}', 'a second claim has nothing');
SELECT is(objects(), '{domain acme made perhaps,user 101@acme made absent}', 'what is sent is stored before it goes; so are the uses');
SELECT is(answer(200), '{POST /domains/acme/users}', 'the answer is settled, the next call comes back with the report');
SELECT is(answer(202), '{}', 'accepted: nothing more');
SELECT is(queue(), '{}', 'the queue is empty');
SELECT is(objects(), '{domain acme made present,user 101@acme made present}', 'both are there');
SELECT is(last_body('POST /domains/acme/users') - '{email-address,user-scope,time-zone}'::text[],
          '{"synchronous": "yes", "user": "101", "name-first-name": "Ada", "name-last-name": "Able", "service-code": "tbs:101"}'::jsonb, 'rendered from the rows');
SELECT is(events((SELECT max(h.activity_id) FROM tbs.activity_history AS h)), '{api_call done,api_call done closes}', 'every call, and the end, is in the history');

-- Nothing to do
UPDATE tbs.line SET parameters = '{"other": {"a": 1}}' WHERE line_id = 101;
SELECT is(work(), '{}', 'a change that no template reads: no call');
SELECT is((SELECT h.message FROM tbs.activity_history AS h WHERE h.closes ORDER BY h.activity_history_id DESC LIMIT 1), 'nothing to send', 'and the history says so');
UPDATE tbs.line SET first_name = 'Agnes' WHERE line_id = 101;
UPDATE tbs.line SET first_name = 'Ada' WHERE line_id = 101;
SELECT is(work(), '{}', 'changed and changed back before it was due: no call');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.closes AND tbs.ended_as(h.event) = 'succeeded'), 4::bigint, 'though two activities');

-- Edit
UPDATE tbs.line SET first_name = 'Agnes' WHERE line_id = 101;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'a changed name: an edit');
SELECT is(last_body('PUT %') ->> 'name-first-name', 'Agnes', 'with what is in the row now');
UPDATE tbs.line SET first_name = 'First' WHERE line_id = 101;
SELECT claim();
UPDATE tbs.line SET first_name = 'Second' WHERE line_id = 101;
SELECT is(answer(200), '{PUT /domains/acme/users/101}', 'changed while the call was out: one more, whatever the first activity sent');
SELECT is(last_body('PUT %') ->> 'name-first-name', 'Second', 'with the newest');
SELECT is(answer(200), '{}', 'and then none for the activity that had been captured for it');
SELECT is(queue(), '{}', 'the queue is empty');

-- A USOC swapped for another with the same service
UPDATE tbs.line_usoc SET usoc = 'SEATPLUS' WHERE line_usoc_id = 1011;
SELECT is(work(), '{}', 'the same content: no call');
UPDATE tbs.master_usoc SET parameters = '{"netsapiens": {"department": "yes"}}' WHERE usoc = 'SEATPLUS';
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1011;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'a value of the Master USOC goes out with the next change');

-- Devices: for each SIP account, for each phone
INSERT INTO tbs.device (device_id, mac, brand, model) VALUES (1, '00:15:65:00:00:01', 'Yealink', 'T46S'), (2, NULL, NULL, NULL);
INSERT INTO tbs.line_device (line_device_id, line_id, device_id, sip_account) VALUES (1, 101, 1, NULL), (2, 101, 2, '101s');
SELECT is(work(), '{POST /domains/acme/users/101/devices,POST /domains/acme/users/101/devices,POST /phones}', 'SIP accounts and phones of the line, one call each; a soft phone has no phone');
SELECT is((SELECT s.body::jsonb - 'synchronous' FROM test.sent AS s WHERE s.call LIKE 'POST %/devices' ORDER BY s.ordinal LIMIT 1),
          jsonb_build_object('device', '101', 'device-sip-registration-password',
                             (SELECT format('__TBS_SECRET_%s_1__', x.subscriber_secret_id) FROM tbs.subscriber_secret AS x WHERE x.account = '101')), 'the secret is a reference');
SELECT is((SELECT array_agg(s.value) FROM (SELECT jsonb_each_text(t.secrets) AS s FROM test.sent AS t WHERE t.call LIKE 'POST %/devices') AS q (pair) CROSS JOIN LATERAL (SELECT (q.pair).value) AS s),
          (SELECT array_agg(x.value ORDER BY x.account) FROM tbs.subscriber_secret AS x), 'whose value goes to the bridge beside the body');
SELECT is(last_body('POST /phones') ->> 'device-provisioning-sip-uri-1', 'sip:101@acme', 'the phone''s line key');
SELECT is(last_body('POST /phones') ->> 'device-provisioning-line-2-enabled', 'no', 'empty line keys are sent too');
DELETE FROM tbs.line_device WHERE line_device_id = 1;
SELECT is(work(), '{DELETE /phones,DELETE /domains/acme/users/101/devices/101}', 'untied: removed, in descending position');
SELECT is(last_body('DELETE /phones'), '{"device-provisioning-mac-address": "001565000001"}'::jsonb, 'with what was sent last');

-- Number: a requirement, another service
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1012, 101, 'NUMBER');
SELECT is(work(), '{POST /domains/acme/phonenumbers}', 'a number on a line with a seat');
SELECT is(last_body('POST %phonenumbers'), '{"phonenumber": "18585550101", "dial-rule-application": "to-user", "dial-rule-translation-destination-user": "101", "dial-rule-translation-destination-host": "acme", "dial-rule-description": "tbs:101", "enabled": "yes"}'::jsonb, 'rings the line''s user');

-- Two users of one shared object
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT');
SELECT is(work(), '{POST /domains/acme/users}', 'the domain is there: a second line only adds its user');
SELECT is((SELECT count(*) FROM tbs.remote_object_use AS u JOIN tbs.remote_object AS o USING (remote_object_id) WHERE o.kind = 'domain'), 2::bigint, 'and uses it');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1031, 103, 'SEAT');
SELECT is(work(), '{POST /domains/acme/sites,POST /domains/acme/users}', 'a line of a site ensures the site');
SELECT is(last_body('POST /domains/acme/users') ->> 'site', 'north', 'its user is at the site');

-- Delete
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1031;
SELECT is(work(), '{DELETE /domains/acme/users/103}', 'the user goes; the domain is in use, and sites cannot be deleted');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1021;
SELECT is(work(), '{DELETE /domains/acme/users/102}', 'the domain stays while another line uses it');
DELETE FROM tbs.line WHERE line_id = 101;
SELECT is(work(), '{DELETE /domains/acme/phonenumbers/18585550101,DELETE /domains/acme/users/101/devices/101s,DELETE /domains/acme/users/101,DELETE /domains/acme}',
          'a deleted line: number first, then devices, user and the domain that nobody uses any more');
SELECT is((SELECT count(*) FROM tbs.remote_object WHERE kind <> 'site') + (SELECT count(*) FROM tbs.remote_object_use) + (SELECT count(*) FROM tbs.line_usoc_state), 0::bigint, 'nothing is left behind but what cannot be deleted');

-- Dates
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, active_date) VALUES (1041, 104, 'SEAT', current_date + 7);
SELECT is(work(), '{}', 'not active yet: nothing is sent');
UPDATE tbs.line_usoc SET active_date = current_date WHERE line_usoc_id = 1041;
SELECT is(work(), '{POST /domains,POST /domains/acme/users}', 'active from today');
UPDATE tbs.line_usoc SET active_date = '2020-01-01', disconnect_date = current_date - 1 WHERE line_usoc_id = 1041;
SELECT is(work(), '{DELETE /domains/acme/users/104,DELETE /domains/acme}', 'its last day was yesterday: removed');
UPDATE tbs.line_usoc SET disconnect_date = current_date WHERE line_usoc_id = 1041;
SELECT is(work(), '{POST /domains,POST /domains/acme/users}', 'its last day is today: there again');

-- An association that is switched off still holds for those that have it
UPDATE tbs.master_usoc_network_resource SET active = false WHERE usoc = 'SEAT';
UPDATE tbs.line SET first_name = 'Dora' WHERE line_id = 104;
SELECT is(work(), '{PUT /domains/acme/users/104}', 'a switched-off association: changes still go out');
UPDATE tbs.master_usoc_network_resource SET active = true WHERE usoc = 'SEAT';

-- Another network resource
UPDATE tbs.network_information SET network_resource_id = 2 WHERE network_information_id = 1;
UPDATE tbs.line_usoc SET usoc = 'BOTH' WHERE line_usoc_id = 1041;
SELECT set_eq($$SELECT unnest(work())$$, '{DELETE /domains/acme,DELETE /domains/acme/users/104,POST /domains,POST /domains/acme/users}'::text[], 'network information that names another resource: made there, removed here');
SELECT is((SELECT array_agg(DISTINCT r.name) FROM tbs.remote_object AS o JOIN tbs.network_resource AS r USING (network_resource_id) WHERE o.kind <> 'site'), '{ns-west}'::text[], 'all of it is on the new one');

-- When an acceptance does not count any more
UPDATE tbs.line SET parameters = '{"other": {"a": 2}}' WHERE line_id = 104;
SELECT is(work(), '{}', 'nothing to do');
UPDATE tbs.network_resource SET base_url = 'http://west2.example/ns-api/v2' WHERE network_resource_id = 2;
UPDATE tbs.line SET parameters = '{"other": {"a": 1}}' WHERE line_id = 104;
SELECT is(work(), '{PUT /domains/acme,PUT /domains/acme/users/104}', 'another base URL: sent again');
UPDATE tbs.remote_object SET accepted_epoch = 'another timeline ' || accepted_epoch;
UPDATE tbs.line SET parameters = '{"other": {"a": 2}}' WHERE line_id = 104;
SELECT is(work(), '{PUT /domains/acme,PUT /domains/acme/users/104}', 'another database epoch: sent again');
SELECT is(tbs.resync(line_id => 104, reason => 'test'), 1::bigint, 'a resync');
SELECT is(work(), '{PUT /domains/acme,PUT /domains/acme/users/104}', 'sends all that was accepted, each once');

-- Own resource type
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1043, 104, 'LISTING');
SELECT is(work(), '{POST /entries}', 'a resource type made of rows');
UPDATE tbs.line SET last_name = NULL WHERE line_id = 104;
SELECT ok(work() @> '{PUT /entries/%2B18585550104}', 'a plus sign in a path is escaped');
SELECT is(last_body('PUT /entries%'), '{"number": "+18585550104", "name": ""}'::jsonb, 'a member that was sent once and has no value any more is cleared');
UPDATE tbs.line_usoc SET telephone_number = '+18585550777' WHERE line_usoc_id = 1043;
SELECT ok(work() @> '{POST /entries,DELETE /entries/%2B18585550104}', 'another number, another entry');
SELECT is(last_body('POST /entries%'), '{"number": "+18585550777"}'::jsonb, 'an optional value that is not there drops its member');

SELECT * FROM finish();
ROLLBACK;
