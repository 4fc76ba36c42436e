-- The bridge's contract: leases, fencing, repeats, late reports, what was never sent.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(67);

SELECT tbs.arm('test');
CREATE FUNCTION test.history() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM tbs.activity_history $$;

-- Start and configuration
SELECT results_eq($$SELECT lease_milliseconds, beat_milliseconds FROM tbs.bridge_start('first', '1.0', 'test')$$, $$VALUES (3000, 1000)$$, 'a bridge gets its lease and how often to beat');
SELECT refused($$SELECT tbs.bridge_start('b', '1', '')$$, '22023', 'environment', NULL, '--environment', 'a bridge without environment is refused');
SELECT start_bridge('one');
UPDATE tbs.network_resource SET base_url = 'http://east.example/ns-api/v2/', authentication = '{"kind": "bearer", "token": "secret:key"}' WHERE network_resource_id = 1;
INSERT INTO tbs.network_resource_secret (network_resource_id, name, value) VALUES (1, 'key', 'k3y');
INSERT INTO tbs.network_resource (network_resource_id, name, network_resource_type, base_url, environment, state) VALUES
    (8, 'elsewhere', 'netsapiens', 'http://elsewhere.example', 'production', 'active'), (9, 'old', 'netsapiens', 'http://old.example', 'test', 'retired');
SELECT results_eq('SELECT name, base_url, secrets FROM tbs.bridge_configuration(bridge()) ORDER BY name',
                  $$VALUES ('listings', 'http://directory.example', '{}'::jsonb), ('ns-east', 'http://east.example/ns-api/v2', '{"key": "k3y"}'), ('ns-west', 'http://west.example/ns-api/v2', '{}')$$,
                  'the resources of its environment that are not retired, with their secrets, without a trailing slash');
SELECT is((SELECT count(*) FROM tbs.bridge_configuration(-1)), 0::bigint, 'an unknown bridge gets none');
SELECT set_config('test.version', (SELECT configuration_version::text FROM tbs.bridge_beat(bridge(), '{}')), true);
UPDATE tbs.network_resource SET connections = 4 WHERE network_resource_id = 1;
SELECT cmp_ok((SELECT configuration_version FROM tbs.bridge_beat(bridge(), '{}')), '>', current_setting('test.version')::bigint, 'a beat tells that the configuration has changed');
UPDATE tbs.network_resource_secret SET value = 'k4y';
SELECT cmp_ok((SELECT configuration_version FROM tbs.bridge_beat(bridge(), '{}')), '>', current_setting('test.version')::bigint + 1, 'also that of a secret');

INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
SELECT is_empty('SELECT * FROM tbs.claim(bridge(), 10)', 'until it has read the new one it gets nothing to send with the old one');

-- An idempotent report
SELECT claim();
CREATE TEMPORARY TABLE first AS SELECT * FROM test.hand;
SELECT is(answer(200), '{POST /domains/acme/users}', 'a report');
SELECT set_config('test.history', history()::text, true);
SELECT is_empty($$SELECT * FROM test.report(bridge(), ARRAY[(SELECT activity_id FROM first)], ARRAY[(SELECT call_number FROM first)], 200, '{}', 0, '{}')$$, 'repeated, because its answer was lost: no call');
SELECT is(history(), current_setting('test.history')::bigint, 'and nothing more in the history');
SELECT is(queue(), '{1011 usoc_added processing}', 'the next call is still out');
SELECT is(answer(202), '{}', 'and is answered');
SELECT set_config('test.history', history()::text, true);
SELECT is_empty($$SELECT * FROM test.report(bridge(), ARRAY[(SELECT activity_id FROM first)], ARRAY[2], 202, '{}', 0, '{}')$$, 'a repeat after the activity is done: no call');
SELECT is(history(), current_setting('test.history')::bigint, 'nothing more in the history');
SELECT is(queue(), '{}', 'and nothing new on the queue');

-- Twice in one report
UPDATE tbs.line SET first_name = 'A1' WHERE line_id = 101;
SELECT claim();
SELECT lives_ok($$SELECT * FROM test.report(bridge(), (SELECT array_fill(h.activity_id, '{2}') FROM test.hand AS h), (SELECT array_fill(h.call_number, '{2}') FROM test.hand AS h), 200, '{}', 0, '{}')$$, 'the same call twice in one report');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event IN ('api_call', 'late_report') AND h.activity_id = (SELECT max(x.activity_id) FROM test.hand AS x)), 1::bigint, 'counts once');
DELETE FROM test.hand;

-- A wrong call number, an unknown activity
UPDATE tbs.line SET first_name = 'A2' WHERE line_id = 101;
SELECT claim();
SELECT is_empty($$SELECT * FROM test.report(bridge(), (SELECT array_agg(h.activity_id) FROM test.hand AS h), ARRAY[99], 200, '{}', 0, '{}')$$, 'a report with another call number: no call');
SELECT is((SELECT array_agg(a.state ORDER BY a.activity_id) FROM tbs.activity AS a WHERE a.line_usoc_id = 1011 AND a.state = 'processing'), '{processing}', 'the call that is out is not settled by it');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event = 'late_report'), 1::bigint, 'it is kept as a call that was made');
SELECT lives_ok($$SELECT * FROM test.report(bridge(), '{999999}', '{1}', 200, '{}', 0, '{}')$$, 'a report of an unknown activity breaks nothing');
SELECT answer(200);
SELECT work();
SELECT refused($$SELECT * FROM tbs.report(bridge(), '{1,2}', '{1}', '{0}', '{200}', '[{}]', '{x}', '{now}', '{1}')$$, '2202E', 'one length', NULL, NULL, 'arrays of different lengths are refused');
SELECT is_empty($$SELECT * FROM tbs.report(bridge(), '{}', '{}', '{}', '{}', '[]', '{}', '{}', '{}')$$, 'an empty report is none');

-- What was never sent is given back as if it had not been claimed
UPDATE tbs.line SET first_name = 'A3' WHERE line_id = 101;
SELECT claim();
SELECT is(answer(0, '', curl_result => -1), '{}', 'a call that was not sent');
SELECT is(queue(), '{1011 line_changed pending}', 'is pending again');
SELECT is(value_of('SELECT calls_used FROM tbs.activity'), '0', 'and does not count');
SELECT is(claim(), '{PUT /domains/acme/users/101}', 'it is claimed again');
SELECT answer(200);
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT');
SELECT claim();
SELECT answer(0, '', curl_result => -1);
SELECT is(claim(), '{POST /domains/acme/users}', 'a create that was not sent needs no look');
SELECT answer(202);

-- The answer to a claim was lost: the bridge does not know of what it has
UPDATE tbs.line SET first_name = 'A4' WHERE line_id = 101;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1041, 104, 'SEAT');
SELECT claim();
DELETE FROM test.hand;
SELECT is((SELECT lost FROM tbs.bridge_beat(bridge(), '{}')), '{}', 'a beat that may have been on its way at the same time takes nothing back');
SELECT is(queue(), '{1011 line_changed processing,1041 usoc_added processing}', 'still out');
SELECT tbs.bridge_beat(bridge(), '{}');
SELECT is(queue(), '{1011 line_changed pending,1041 usoc_added pending}', 'the next one does');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event = 'given_back'), 2::bigint, 'on record');
SELECT is(claim(), '{PUT /domains/acme/users/101,GET /domains/acme/users/104}', 'claimed again: a change is repeated, a create is looked at');
SELECT tbs.bridge_beat(bridge(), ARRAY(SELECT h.activity_id FROM test.hand AS h));
SELECT tbs.bridge_beat(bridge(), ARRAY(SELECT h.activity_id FROM test.hand AS h));
SELECT is(queue(), '{1011 line_changed processing,1041 usoc_added processing}', 'what the bridge has in hand it keeps');
SELECT is((SELECT lost FROM tbs.bridge_beat(bridge(), ARRAY(SELECT h.activity_id FROM test.hand AS h) || 999999::bigint)), '{999999}'::bigint[], 'and is told what it has in hand and does not have');
SELECT answer(404, which => 'GET %');
SELECT answer(202);
SELECT is(queue(), '{}', 'done');

-- Stop
UPDATE tbs.line SET first_name = 'A5' WHERE line_id = 101;
SELECT claim();
SELECT tbs.bridge_stop(bridge());
SELECT is(queue(), '{1011 line_changed pending}', 'a bridge that stops gives back at once what it had');
SELECT refused('SELECT * FROM tbs.claim(bridge(), 10)', 'TB001', 'lost its lease', NULL, 'bridge_start', 'after that it cannot claim');
SELECT refused($$SELECT * FROM tbs.bridge_beat(bridge(), '{}')$$, 'TB001', 'lost its lease', NULL, 'bridge_start', 'nor beat');
SELECT refused($$SELECT * FROM tbs.claim(-1, 10)$$, 'TB001', 'lost its lease', NULL, NULL, 'an unknown bridge cannot either');
SELECT lives_ok('SELECT tbs.bridge_stop(bridge())', 'stopping twice is harmless');

-- A late report: refused, kept, resynced
SELECT set_config('test.old_bridge', current_setting('test.bridge'), true);
CREATE TEMPORARY TABLE late AS SELECT * FROM test.hand;
DELETE FROM test.hand;
SELECT is_empty($$SELECT * FROM test.report(current_setting('test.old_bridge')::bigint, ARRAY(SELECT activity_id FROM late), ARRAY(SELECT call_number FROM late), 200, '{}', 0, '{}')$$,
                'a report after the lease was lost: no call');
SELECT results_eq($$SELECT event, message, http_status, line_usoc_id, bridge_id FROM tbs.activity_history ORDER BY activity_history_id DESC LIMIT 1$$,
                  $$VALUES ('late_report', 'reported after the lease was lost', 200, 1011::bigint, current_setting('test.old_bridge')::bigint)$$, 'kept as a call that was made');
SELECT is(queue(), '{1011 line_changed pending,1011 resync pending}', 'and what it was about is brought up to date again');
SELECT set_config('test.history', history()::text, true);
SELECT test.report(current_setting('test.old_bridge')::bigint, ARRAY(SELECT activity_id FROM late), ARRAY(SELECT call_number FROM late), 200, '{}', 0, '{}');
SELECT is(history(), current_setting('test.history')::bigint, 'repeated, it is kept once');
SELECT start_bridge('two');
SELECT is(work(), '{PUT /domains/acme/users/101,PUT /domains/acme}', 'another bridge carries both out; the resync sends what has not been sent since the late report');

-- Take-over of a bridge that stands still for a whole lease, while this one beats
SELECT tbs.set_setting('beat', '100 milliseconds', 'test');
SELECT tbs.set_setting('lease', '300 milliseconds', 'test');
UPDATE tbs.line SET first_name = 'A6' WHERE line_id = 101;
SELECT claim();
DELETE FROM test.hand;
SELECT set_config('test.frozen', current_setting('test.bridge'), true);
SELECT start_bridge('three');
-- Beats every 50 ms, and lets another bridge beat as well, until something is so, or for a while. A loaded machine makes it longer, not different.
CREATE FUNCTION test.beat_until(condition text, longest interval, other bigint DEFAULT NULL) RETURNS interval LANGUAGE plpgsql AS $beat_until$
DECLARE
    v_from timestamptz := clock_timestamp();
    v_is_so boolean := false;
BEGIN
    WHILE NOT v_is_so AND clock_timestamp() < v_from + beat_until.longest LOOP
        PERFORM tbs.bridge_beat(beat_until.other, '{}') WHERE beat_until.other IS NOT NULL;
        PERFORM tbs.bridge_beat(test.bridge(), '{}');
        EXECUTE 'SELECT ' || beat_until.condition INTO v_is_so;
        PERFORM pg_sleep(0.05);
    END LOOP;
    RETURN clock_timestamp() - v_from;
END;
$beat_until$;
SELECT cmp_ok(beat_until($$queue() = '{1011 line_changed pending}'$$, '20 seconds'), '>=', interval '300 milliseconds', 'not before a whole lease');
SELECT is(queue(), '{1011 line_changed pending}', 'but after it what it had may be claimed');
SELECT results_eq($$SELECT ended_at IS NOT NULL, end_reason LIKE '%taken over by bridge%' FROM tbs.bridge WHERE bridge_id = current_setting('test.frozen')::bigint$$, $$VALUES (true, true)$$, 'the other has ended');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event = 'taken_over'), 2::bigint, 'on record (the stop was the first)');
SELECT refused($$SELECT * FROM tbs.claim(current_setting('test.frozen')::bigint, 10)$$, 'TB001', 'lost its lease', NULL, NULL, 'when it wakes up it cannot claim');
SELECT is(work(), '{PUT /domains/acme/users/101}', 'the one that took over goes on');
-- One that beats is left alone
SELECT set_config('test.other', (SELECT bridge_id::text FROM tbs.bridge_start('four', '1', 'test')), true);
SELECT beat_until('false', '600 milliseconds', current_setting('test.other')::bigint);
SELECT is((SELECT b.ended_at FROM tbs.bridge AS b WHERE b.bridge_id = current_setting('test.other')::bigint), NULL, 'a bridge that beats is left alone');
-- After a stall of one's own the watch begins anew
SELECT pg_sleep(0.4);
SELECT tbs.bridge_beat(bridge(), '{}');
SELECT is((SELECT b.ended_at FROM tbs.bridge AS b WHERE b.bridge_id = current_setting('test.other')::bigint), NULL, 'who stood still himself ends nobody');

-- Arming, state, environment
SELECT tbs.bridge_stop(current_setting('test.other')::bigint);
UPDATE tbs.line SET first_name = 'A7' WHERE line_id = 101;
SELECT tbs.disarm('test');
SELECT is(claim(), '{}', 'a disarmed database gives nothing');
SELECT tbs.arm('test');
UPDATE tbs.network_resource SET state = 'paused' WHERE network_resource_id = 1;
SELECT is(claim(), '{}', 'nor a paused resource');
UPDATE tbs.network_resource SET state = 'active', environment = 'production' WHERE network_resource_id = 1;
SELECT is(claim(), '{}', 'nor one of another environment');
UPDATE tbs.network_resource SET environment = 'test' WHERE network_resource_id = 1;
SELECT is(claim(), '{PUT /domains/acme/users/101}', 'otherwise it is claimed');
-- Paused while a call is out
UPDATE tbs.network_resource SET state = 'paused' WHERE network_resource_id = 1;
UPDATE tbs.line SET first_name = 'A8' WHERE line_id = 101;
SELECT is(answer(200), '{}', 'a call that ends while its resource is paused is settled, and no other goes out');
SELECT is((SELECT o.settled AND o.presence = 'present' FROM tbs.remote_object AS o WHERE o.key = '101@acme'), true, 'settled');
UPDATE tbs.network_resource SET state = 'active' WHERE network_resource_id = 1;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'and it goes on when that is over');
-- Disarmed while a call is out
UPDATE tbs.line SET first_name = 'A9' WHERE line_id = 101;
SELECT claim();
UPDATE tbs.line SET first_name = 'B1' WHERE line_id = 101;
SELECT tbs.disarm('test');
SELECT is(answer(200), '{}', 'disarmed while a call is out: no further call');
SELECT tbs.arm('test');
SELECT is(work(), '{PUT /domains/acme/users/101}', 'until it is armed again');

-- Sleeping: when the next retry is due
SELECT is((SELECT next_due_milliseconds FROM tbs.bridge_sleep(bridge())), NULL, 'nothing is due');
SELECT lives_ok('SELECT tbs.bridge_wake(bridge())', 'awake again');
INSERT INTO tbs.activity_policy (network_resource_id, first_retry, longest_retry) VALUES (1, '10 minutes', '10 minutes');
UPDATE tbs.line SET first_name = 'B2' WHERE line_id = 101;
SELECT claim();
SELECT answer(503);
UPDATE tbs.activity SET due_at = clock_timestamp() + interval '5 minutes';
SELECT cmp_ok((SELECT next_due_milliseconds FROM tbs.bridge_sleep(bridge())), '<=', 300000, 'the next retry is due in five minutes');
SELECT cmp_ok((SELECT next_due_milliseconds FROM tbs.bridge_sleep(bridge())), '>', 290000, 'not earlier');

SELECT * FROM finish();
ROLLBACK;
