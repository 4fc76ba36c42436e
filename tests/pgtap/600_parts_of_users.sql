-- Services that own members of a user: voicemail, caller_id, dial_permission, call_forwarding; and answer rules.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/services.sql
\ir fixture/bridge.sql
SELECT plan(67);

SELECT tbs.arm('test');
SELECT start_bridge();

-- They wait for the seat
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1012, 101, 'VM');
SELECT is(work(), '{}', 'voicemail alone: nothing to send it to');
SELECT is(tbs.why_waiting(activity_of(1012)), 'its line does not have service "seat" in step', 'it says so');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
SELECT is(work(), '{POST /domains,POST /domains/acme/users,PUT /domains/acme/users/101,PUT /domains/acme/users/101}', 'with the seat: the user, its voicemail, its PIN');
SELECT is((SELECT array_agg(s.body::jsonb ORDER BY s.ordinal) FROM test.sent AS s WHERE s.call LIKE 'PUT %'),
          ARRAY['{"voicemail-enabled": "yes"}'::jsonb,
                jsonb_build_object('voicemail-login-pin', (SELECT format('__TBS_SECRET_%s_1__', x.subscriber_secret_id) FROM tbs.subscriber_secret AS x WHERE x.name = 'voicemail_pin'))],
          'each with its own members only; the PIN is a reference');
SELECT matches((SELECT x.value FROM tbs.subscriber_secret AS x WHERE x.name = 'voicemail_pin'), '^[0-9]{6}$', 'to six digits');

-- The PIN is the subscriber's
SELECT is(tbs.resync(line_id => 101, reason => 'test'), 2::bigint, 'a resync');
SELECT is(work(), '{PUT /domains/acme,PUT /domains/acme/users/101,PUT /domains/acme/users/101}', 'sends the domain, the user, voicemail, and no PIN');
SELECT is((SELECT bool_or(s.body LIKE '%voicemail%') FROM test.sent AS s WHERE s.body LIKE '%name-first-name%'), false, 'the user without what voicemail owns');
SELECT is(tbs.rotate_secret(101, '', 'test', 'voicemail_pin'), 2, 'a rotation');
SELECT is(work(), '{PUT /domains/acme/users/101}', 'sends the new one in place');
SELECT matches(last_body('PUT %') ->> 'voicemail-login-pin', '^__TBS_SECRET_[0-9]+_2__$', 'by reference');
SELECT matches((SELECT x.value FROM tbs.subscriber_secret AS x WHERE x.name = 'voicemail_pin'), '^[0-9]{6}$', 'digits again');

-- What was sent and has no value any more is cleared; taken away, all of it is
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"email-send-alert-new-voicemail-enabled": "yes"}}' WHERE line_usoc_id = 1012;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'edited');
SELECT is(last_body('PUT %'), '{"voicemail-enabled": "yes", "email-send-alert-new-voicemail-enabled": "yes"}'::jsonb, 'a value of the line USOC');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1012;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'taken off, the user stays: one call');
SELECT is(last_body('PUT %'), '{"voicemail-enabled": "no", "email-send-alert-new-voicemail-enabled": ""}'::jsonb, 'with the off-value, and nothing left of the rest');
SELECT is((SELECT count(*) FROM tbs.remote_object_use AS u WHERE u.service = 'voicemail'), 0::bigint, 'nobody uses it');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1013, 101, 'VM');
SELECT is(work(), '{PUT /domains/acme/users/101,PUT /domains/acme/users/101}', 'sold again: voicemail and PIN');

-- Caller id
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1014, 101, 'CID');
SELECT is(work(), '{PUT /domains/acme/users/101}', 'caller id');
SELECT is(last_body('PUT %'), '{"caller-id-number": "18585550101"}'::jsonb, 'the line''s own number');
UPDATE tbs.network_information SET caller_id_number = '18005550100', caller_id_name = 'Acme' WHERE network_information_id = 1;
SELECT is(work(), '{PUT /domains/acme,PUT /domains/acme/users/101}', 'network information with a number: the domain and the caller id, no more');
SELECT is(last_body('PUT %/users/101'), '{"caller-id-number": "18005550100", "caller-id-name": "Acme"}'::jsonb, 'which has it');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1014;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'taken off');
SELECT is(last_body('PUT %'), '{"caller-id-number": "[*]", "caller-id-name": "", "privacy": "no"}'::jsonb, 'back to what the domain has');

-- Dial permission, and the suspension of a line
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1015, 101, 'DIAL');
SELECT is(work(), '{PUT /domains/acme/users/101}', 'dial permission');
SELECT is(last_body('PUT %'), '{"dial-policy": "International"}'::jsonb, 'its association''s');
UPDATE tbs.line SET suspended = true WHERE line_id = 101;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'suspended: one call');
SELECT is(last_body('PUT %'), '{"dial-policy": "Deny"}'::jsonb, 'nothing can be dialled');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1015;
SELECT is(work(), '{}', 'without dial permission meanwhile: the seat has the same');
UPDATE tbs.line SET suspended = false WHERE line_id = 101;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'resumed: one call');
SELECT is(last_body('PUT %'), '{"dial-policy": ""}'::jsonb, 'no policy of its own any more');
UPDATE tbs.line SET parameters = '{"netsapiens": {"dial-policy": "US and Canada"}}' WHERE line_id = 101;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'a policy of the line');
SELECT is(last_body('PUT %'), '{"dial-policy": "US and Canada"}'::jsonb, 'is the seat''s to send');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, parameters) VALUES (1016, 101, 'DIAL', '{"netsapiens": {"dial-policy": "Mexico"}}');
SELECT is(work(), '{PUT /domains/acme/users/101}', 'until a dial permission has the say');
SELECT is(last_body('PUT %'), '{"dial-policy": "Mexico"}'::jsonb, 'with its own');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1016;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'and gives it back');
SELECT is(last_body('PUT %'), '{"dial-policy": "US and Canada"}'::jsonb, 'to the seat');
UPDATE tbs.line SET parameters = '{}' WHERE line_id = 101;
SELECT work();

-- Forwarding
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, parameters) VALUES (1017, 101, 'FWD', '{"netsapiens": {"forward-no-answer": {"enabled": "yes", "parameters": ["vmail_101"]}}}');
SELECT is(work(), '{PUT /domains/acme/users/101/answerrules/%2A}', 'forwarding changes the rule that came with the user');
SELECT is(last_body('PUT %') - '{forward-always,forward-on-active,forward-on-busy,forward-when-unregistered,forward-on-dnd,forward-on-spam-call,phone-numbers-to-allow,phone-numbers-to-reject,call-screening}'::text[],
          '{"enabled": "yes", "simultaneous-ring": {"enabled": "yes", "parameters": ["<OwnDevices>"]}, "do-not-disturb": {"enabled": "no"}, "forward-no-answer": {"enabled": "yes", "parameters": ["vmail_101"]}}'::jsonb,
          'as a whole: what nobody asks for is off');
SELECT tbs.resync(line_id => 101, reason => 'test');
SELECT ok(NOT work() @> '{PUT /domains/acme/users/101/answerrules/%2A}', 'a resync leaves alone what the subscriber may have changed');
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"forward-always": {"enabled": "yes", "parameters": ["18005550111"]}}}' WHERE line_usoc_id = 1017;
SELECT is(work(), '{PUT /domains/acme/users/101/answerrules/%2A}', 'another row is sent');
SELECT is(last_body('PUT %') -> 'forward-no-answer', '{"enabled": "no", "parameters": []}'::jsonb, 'with what is not asked for any more off');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1017;
SELECT is(work(), '{PUT /domains/acme/users/101/answerrules/%2A}', 'taken off: put back');
SELECT is(last_body('PUT %') -> 'forward-always', '{"enabled": "no", "parameters": []}'::jsonb, 'as it came');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, parameters) VALUES (1018, 101, 'RULE', '{"netsapiens": {"do-not-disturb": {"enabled": "yes"}}}');
SELECT is(work(), '{POST /domains/acme/users/101/answerrules}', 'a rule of a time frame is made');
SELECT is(last_body('POST %/answerrules') ->> 'time-frame', 'Vacation', 'for the time frame of its association');
UPDATE tbs.line_usoc SET parameters = '{}' WHERE line_usoc_id = 1018;
SELECT is(work(), '{PUT /domains/acme/users/101/answerrules/Vacation}', 'edited');

-- Another extension: all of it goes along
UPDATE tbs.line SET extension = '150' WHERE line_id = 101;
SELECT is(work(), '{POST /domains/acme/users,PUT /domains/acme/users/150,PUT /domains/acme/users/150,POST /domains/acme/users/150/answerrules,DELETE /domains/acme/users/101}',
          'the new user with all that is its own; then the old one, with which goes the rest');

-- The seat is taken off, and comes again
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1011;
SELECT is(work(), '{DELETE /domains/acme/users/150,DELETE /domains/acme}', 'without the seat: no user');
SELECT is((SELECT array_agg(q.usoc || ' ' || q.result_status ORDER BY q.usoc) FROM tbs.activity_queue AS q), '{"RULE waiting","VM waiting"}'::text[], 'what was the user''s waits for another one');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1019, 101, 'SEAT');
SELECT is(work(), '{POST /domains,POST /domains/acme/users,PUT /domains/acme/users/150,PUT /domains/acme/users/150,POST /domains/acme/users/150/answerrules}', 'which gets it all');
SELECT is(queue(), '{}', 'and nothing waits any more');

-- The line goes
DELETE FROM tbs.line WHERE line_id = 101;
SELECT is(work(), '{DELETE /domains/acme/users/150/answerrules/Vacation,DELETE /domains/acme/users/150,DELETE /domains/acme}', 'a deleted line: no call for what goes with its user');
SELECT is((SELECT count(*) FROM tbs.remote_object) + (SELECT count(*) FROM tbs.remote_object_use) + (SELECT count(*) FROM tbs.line_usoc_state), 0::bigint, 'nothing is left behind');
SELECT is(queue(), '{}', 'the queue is empty');

-- The seat's USOC is put on another line: what it leaves behind waits for another seat there
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT'), (1022, 102, 'VM'), (1023, 102, 'RULE');
SELECT work();
UPDATE tbs.line_usoc SET line_id = 103 WHERE line_usoc_id = 1021;
SELECT ok(work() @> '{DELETE /domains/acme/users/102}', 'the user goes, in the sequence of the other line');
SELECT is((SELECT array_agg(q.usoc || ' ' || q.result_status ORDER BY q.usoc) FROM tbs.activity_queue AS q), '{"RULE waiting","VM waiting"}'::text[], 'its parts are known to be gone');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1024, 102, 'SEAT');
SELECT is(work(), '{POST /domains/acme/users,PUT /domains/acme/users/102,PUT /domains/acme/users/102,POST /domains/acme/users/102/answerrules}', 'and are made again');

-- Somebody has removed the user at the switch by hand: whoever finds that out knows that its parts are gone too
UPDATE tbs.line SET first_name = 'Bertha' WHERE line_id = 102;
SELECT ok(claim() @> '{PUT /domains/acme/users/102}', 'a change');
SELECT is(answer(404, which => 'PUT %/users/102'), '{POST /domains/acme/users}', 'of a user that is gone: made again');
SELECT is(answer(200) || work(), '{PUT /domains/acme/users/102,PUT /domains/acme/users/102,POST /domains/acme/users/102/answerrules}', 'and with it its parts');
SELECT is(queue(), '{}', 'done');

-- The answer to its removal is lost, and another seat wants it by then
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1024;
SELECT is(claim(), '{DELETE /domains/acme/users/102}', 'it goes');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1025, 102, 'SEAT');
SELECT tbs.bridge_stop(bridge());
DELETE FROM test.hand;
SELECT start_bridge('two');
SELECT is(claim(), '{GET /domains/acme/users/102}', 'is it there?');
SELECT is(answer(404), '{POST /domains/acme/users}', 'no: made again');
SELECT is(answer(200) || work(), '{PUT /domains/acme/users/102,PUT /domains/acme/users/102,POST /domains/acme/users/102/answerrules}', 'and with it its parts');
SELECT is(queue(), '{}', 'done');

SELECT * FROM finish();
ROLLBACK;
