-- Secrets of subscribers: made here, sent by reference, rotated and revealed on record.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(27);

INSERT INTO tbs.device (device_id, mac) VALUES (1, '00:15:65:00:00:01');
INSERT INTO tbs.line_device (line_device_id, line_id, device_id, sip_account) VALUES (1, 101, 1, '101a');
SELECT tbs.arm('test');
SELECT start_bridge();
SELECT refused($$SELECT tbs.rotate_secret(101, '101a', 'x')$$, 'P0002', 'line 101 has no secret "sip_password" for account "101a"', 'first sent', NULL, 'a secret that was not made yet');
SELECT refused($$SELECT tbs.reveal_secret(101, '101a', 'x')$$, 'P0002', 'has no secret', NULL, NULL, 'cannot be revealed');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
SELECT work();
SELECT results_eq($$SELECT account, name, version, value ~ '^[A-Za-z0-9]{24}$' FROM tbs.subscriber_secret$$, $$VALUES ('101a', 'sip_password', 1, true)$$, 'made when it is first sent: 24 random characters');
SELECT is(last_body('POST %/devices') ->> 'device-sip-registration-password', (SELECT format('__TBS_SECRET_%s_1__', s.subscriber_secret_id) FROM tbs.subscriber_secret AS s), 'the body has a reference');
SELECT is((SELECT s.secrets FROM test.sent AS s WHERE s.call LIKE 'POST %/devices'), (SELECT jsonb_build_object(format('__TBS_SECRET_%s_1__', s.subscriber_secret_id), s.value) FROM tbs.subscriber_secret AS s), 'the bridge gets the value beside it');
SELECT is((SELECT s.secrets FROM test.sent AS s WHERE s.call = 'POST /domains'), NULL, 'and none with a body that has no reference');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h, tbs.subscriber_secret AS s WHERE strpos(h::text, s.value) > 0), 0::bigint, 'the history does not have it');
SELECT is((SELECT count(*) FROM tbs.remote_object AS o, tbs.subscriber_secret AS s WHERE strpos(o::text, s.value) > 0), 0::bigint, 'nor what was last sent');

-- Reveal
SELECT refused($$SELECT tbs.reveal_secret(101, '101a', '')$$, '22023', 'reason', NULL, 'history', 'without a reason');
SELECT is(tbs.reveal_secret(101, '101a', 'phone set up by hand'), (SELECT s.value FROM tbs.subscriber_secret AS s), 'revealed');
SELECT results_eq($$SELECT session_role, reason, message, line_id FROM tbs.activity_history WHERE event = 'secret_revealed'$$, $$VALUES (me(), 'phone set up by hand', 'sip_password of 101a', 101::bigint)$$, 'on record');

-- Rotate
SELECT set_config('test.value', (SELECT s.value FROM tbs.subscriber_secret AS s), true);
SELECT refused($$SELECT tbs.rotate_secret(101, '101a', NULL)$$, '22023', 'reason', NULL, 'history', 'rotated without a reason');
SELECT refused($$SELECT tbs.rotate_secret(101, 'nobody', 'x')$$, 'P0002', 'has no secret', NULL, NULL, 'of an unknown account');
SELECT refused($$SELECT tbs.rotate_secret(101, '101a', 'x', 'voicemail_pin')$$, 'P0002', 'has no secret "voicemail_pin"', NULL, NULL, 'of an unknown name');
SELECT is(tbs.rotate_secret(101, '101a', 'somebody left'), 2, 'rotated: its second version');
SELECT isnt((SELECT s.value FROM tbs.subscriber_secret AS s), current_setting('test.value'), 'with another value');
SELECT results_eq($$SELECT session_role, reason, message, line_id FROM tbs.activity_history WHERE event = 'secret_rotated'$$, $$VALUES (me(), 'somebody left', 'sip_password of 101a', 101::bigint)$$, 'on record');
SELECT is(work(), '{PUT /domains/acme/users/101/devices/101a}', 'and sent, to the one device that has it, in place');
SELECT is((SELECT s.secrets FROM test.sent AS s ORDER BY s.ordinal DESC LIMIT 1), (SELECT jsonb_build_object(format('__TBS_SECRET_%s_2__', s.subscriber_secret_id), s.value) FROM tbs.subscriber_secret AS s), 'with the new value');
-- A rotation while a call with the old one is out: both go out
SELECT tbs.rotate_secret(101, '101a', 'again');
SELECT claim();
SELECT tbs.rotate_secret(101, '101a', 'and again');
SELECT is(answer(200), '{PUT /domains/acme/users/101/devices/101a}', 'rotated while the call is out: the newest is sent after it');
SELECT answer(200);

-- Not sent while disarmed, and sent with the next change
SELECT work();
SELECT tbs.disarm('test');
SELECT is(tbs.rotate_secret(101, '101a', 'x'), 5, 'rotated while disarmed');
SELECT is(queue(), '{}', 'is not captured');
SELECT tbs.arm('test');
UPDATE tbs.line SET parameters = '{"other": {"a": 1}}' WHERE line_id = 101;
SELECT is(work(), '{PUT /domains/acme/users/101/devices/101a}', 'and goes out with the next change');

-- A reference that comes from elsewhere
SELECT is(tbs.secrets_of_body('{"a": "__TBS_SECRET_999999_1__"}'), NULL, 'an unknown reference has no value');

-- The random source
SELECT refused('SELECT tbs.random_secret(7)', '22023', '.', NULL, NULL, 'a secret that is too short');
SELECT refused('SELECT tbs.random_secret(129)', '22023', '.', NULL, NULL, 'or too long');
SELECT is((SELECT count(DISTINCT tbs.random_secret(24)) FROM generate_series(1, 200)), 200::bigint, 'no two are equal');

SELECT * FROM finish();
ROLLBACK;
