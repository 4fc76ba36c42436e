-- Trouble of a network resource as a whole, and answers that come later: what waits, what counts, what goes out when it is over.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(66);

SELECT tbs.arm('test');
SELECT start_bridge();
CREATE FUNCTION test.condition(field text, network_resource_id integer DEFAULT 1) RETURNS text LANGUAGE plpgsql AS $condition$
DECLARE
    v_value text;
BEGIN
    EXECUTE format('SELECT (%s)::text FROM tbs.network_resource_condition WHERE network_resource_id = %s', condition.field, condition.network_resource_id) INTO v_value;
    RETURN v_value;
END;
$condition$;
CREATE FUNCTION test.let_pause_pass() RETURNS void LANGUAGE sql AS $let_pause_pass$
    UPDATE tbs.network_resource_condition
    SET not_before = least(not_before, clock_timestamp() - interval '1 hour'), probe_at = CASE WHEN probe_at IS NOT NULL THEN clock_timestamp() - interval '1 second' END,
        ramp_from = CASE WHEN ramp_from IS NOT NULL THEN clock_timestamp() - interval '1 hour' END
$let_pause_pass$;
CREATE FUNCTION test.used() RETURNS text LANGUAGE sql AS $used$ SELECT string_agg(calls_used::text, ',' ORDER BY activity_id) FROM tbs.activity $used$;

INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1021, 102, 'SEAT'), (1041, 104, 'SEAT');
SELECT work();

-- busy: this activity waits, nothing counts, Retry-After is obeyed in both forms
UPDATE tbs.line SET first_name = 'B1' WHERE line_id = 101;
SELECT claim();
SELECT is(answer(423, headers => '{"retry-after": "120"}'), '{}', 'busy');
SELECT is(queue(), '{1011 line_changed waiting}', 'waits');
SELECT is(used(), '0', 'without counting');
SELECT ok(value_of($$SELECT due_at BETWEEN clock_timestamp() + interval '100 seconds' AND clock_timestamp() + interval '121 seconds' FROM tbs.activity$$)::boolean, 'for as long as Retry-After says, in seconds');
SELECT let_time_pass();
SELECT claim();
SELECT answer(423, headers => jsonb_build_object('retry-after', to_char((clock_timestamp() + interval '10 minutes') AT TIME ZONE 'UTC', 'Dy, DD Mon YYYY HH24:MI:SS "GMT"')));
SELECT ok(value_of($$SELECT due_at BETWEEN clock_timestamp() + interval '9 minutes' AND clock_timestamp() + interval '10 minutes' FROM tbs.activity$$)::boolean, 'or as a date');
SELECT is(value_of('SELECT waits FROM tbs.activity'), '2', 'the waits are counted for their own sake');
SELECT is((SELECT tbs.retry_after(jsonb_build_object('retry-after', x)) FROM (VALUES ('soon')) AS v (x)), NULL, 'a Retry-After that is neither is none');
SELECT is(tbs.retry_after('{"retry-after": "999999999"}'), interval '1 day', 'and nobody means more than a day');
SELECT is(tbs.retry_after('{"retry-after": "Wed, 99 Foo 2015 07:28:00 GMT"}'), NULL, 'a date that is none');
SELECT let_time_pass();
SELECT claim();
SELECT answer(200);
SELECT is(queue(), '{}', 'done');

-- throttled: the whole resource waits, other resources go on
UPDATE tbs.line SET first_name = 'T1' WHERE line_id IN (101, 102);
SELECT is(claim(1), '{PUT /domains/acme/users/101}', 'one call of two');
SELECT is(answer(429, headers => '{"retry-after": "60"}'), '{}', 'throttled');
SELECT is(claim(), '{}', 'nothing goes there until the pause is over');
SELECT is(used(), '0,0', 'nothing counts');
SELECT ok(condition($$not_before BETWEEN clock_timestamp() + interval '50 seconds' AND clock_timestamp() + interval '60 seconds'$$)::boolean, 'which is when Retry-After says');
SELECT is((SELECT h.until FROM tbs.network_resource AS r CROSS JOIN LATERAL tbs.held_up(r) AS h WHERE r.network_resource_id = 1)::text, condition('not_before'), 'until then it is held up');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event = 'throttled'), 1::bigint, 'on record');
SELECT ok(value_of('SELECT next_due_milliseconds BETWEEN 40000 AND 60000 FROM tbs.bridge_sleep(test.bridge())')::boolean, 'the bridge sleeps until then');
SELECT let_pause_pass();
SELECT let_time_pass();
SELECT is(claim(), '{PUT /domains/acme/users/101,PUT /domains/acme/users/102}', 'then both go');
SELECT answer(429);
SELECT is(condition('throttles'), '3', 'three in a row');
SELECT let_pause_pass();
SELECT let_time_pass();
SELECT claim();
SELECT answer(200);
SELECT is(condition('throttles'), '0', 'an answer ends the row');
SELECT is(queue(), '{}', 'done');

-- unavailable: a few failures of the resource as a whole pause it; nothing counts
UPDATE tbs.network_resource SET unavailable_failures = 3 WHERE network_resource_id = 1;
UPDATE tbs.line SET first_name = 'U1' WHERE line_id IN (101, 102, 104);
SELECT claim();
SELECT answer(0, '', which => '%101', curl_result => 7);
SELECT answer(0, '', which => '%102', curl_result => 6);
SELECT is(condition('unavailable_since'), NULL, 'two are not enough');
SELECT is(used(), '0,0,0', 'and do not count');
SELECT is(value_of($$SELECT settled::text || presence FROM tbs.remote_object WHERE key = '101@acme'$$), 'truepresent', 'a call that did not arrive leaves things as they are');
SELECT answer(0, '', which => '%104', curl_result => 7);
SELECT isnt(condition('unavailable_since'), NULL, 'three are');
SELECT matches(condition('unavailable_reason'), 'connect', 'and it says why');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event = 'made_unavailable'), 1::bigint, 'on record');
SELECT let_time_pass();
SELECT is(claim(), '{}', 'nothing goes before the next probe');
SELECT is((SELECT count(*) FROM tbs.network_resource_failure), 0::bigint, 'the failures are forgotten');
SELECT ok(value_of('SELECT next_due_milliseconds BETWEEN 5000 AND 15000 FROM tbs.bridge_sleep(test.bridge())')::boolean, 'the bridge sleeps until then');
SELECT let_pause_pass();
SELECT is(cardinality(claim()), 1, 'then one call looks');
SELECT is(claim(), '{}', 'and no second one while it is under way');
SELECT is(answer(0, '', curl_result => 7), '{}', 'still down');
SELECT is(used(), '0,0,0', 'which does not count');
SELECT let_time_pass();
SELECT is(claim(), '{}', 'the next probe is an interval later');
SELECT let_pause_pass();
SELECT is(cardinality(claim()), 1, 'one call looks');
SELECT is(cardinality(answer(200)), 0, 'it is back');
SELECT is(condition('unavailable_since'), NULL, 'available');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event = 'available_again'), 1::bigint, 'on record');
SELECT let_time_pass();
SELECT is(cardinality(claim()), 1, 'and gets one call at a time at first');
SELECT is(claim(), '{}', 'not two');
SELECT let_ramp_pass();
SELECT is(cardinality(claim()), 1, 'then more');
SELECT answer(200);
SELECT is(queue(), '{}', 'all done');

-- Failures that count until they turn out to be the resource's: un-counted, and what failed gets back
INSERT INTO tbs.activity_policy (network_resource_id, maximum_calls) VALUES (1, 1);
UPDATE tbs.line SET first_name = 'F1' WHERE line_id IN (101, 102, 104);
SELECT claim();
SELECT answer(500, '', which => '%101');
SELECT answer(500, '', which => '%102');
SELECT is(queue(), '{1011 line_changed failed,1021 line_changed failed,1041 line_changed processing}', 'two have used their calls up');
SELECT answer(0, '', which => '%104', curl_result => 28);
SELECT isnt(condition('unavailable_since'), NULL, 'three lines: it is the resource');
SELECT is(used(), '0,0,0', 'nothing has counted');
SELECT is((SELECT count(*) FROM tbs.activity AS a WHERE a.state = 'failed'), 0::bigint, 'and nothing has failed');
SELECT let_pause_pass();
SELECT let_time_pass();
SELECT claim();
SELECT answer(400, '{"message": "no"}');
SELECT is(condition('unavailable_since'), NULL, 'a refusal is an answer, too');
SELECT let_pause_pass();
SELECT let_time_pass();
SELECT claim();
SELECT answer(200);
SELECT is((SELECT count(*) FROM tbs.activity), 1::bigint, 'one was refused');
SELECT tbs.remove_activity(a.activity_id, 'test') FROM tbs.activity AS a;

-- One line whose data make the system stumble is not the resource
DELETE FROM tbs.activity_policy;
UPDATE tbs.line SET first_name = 'P1' WHERE line_id = 101;
SELECT claim();
SELECT answer(500);
SELECT let_time_pass();
SELECT claim();
SELECT answer(500);
SELECT let_time_pass();
SELECT claim();
SELECT answer(500);
SELECT let_time_pass();
SELECT claim();
SELECT answer(500);
SELECT is(condition('unavailable_since'), NULL, 'a poisonous activity does not pause the resource');
SELECT is(used(), '4', 'and uses its own calls up');
SELECT let_time_pass();
SELECT claim();
SELECT answer(200);

-- in_progress: taken, carried out later; looked at until done, failed or overdue
INSERT INTO tbs.outcome_rule (network_resource_type, service, object_position, operation, position, status_from, outcome) VALUES ('netsapiens', 'seat', 30, 'edit', 1, 202, 'in_progress'), ('netsapiens', 'seat', 30, 'add', 1, 202, 'in_progress'), ('netsapiens', 'seat', 30, 'delete', 1, 202, 'in_progress');
UPDATE tbs.line SET first_name = 'I1' WHERE line_id = 101;
SELECT claim();
SELECT is(answer(202), '{}', 'taken');
SELECT is(value_of($$SELECT state || calls_used || (in_progress_since IS NOT NULL)::text || (due_at <= clock_timestamp() + interval '5 seconds')::text FROM tbs.activity$$), 'retry0truetrue', 'looked at soon, without counting');
SELECT let_time_pass();
SELECT is(claim(), '{GET /domains/acme/users/101}', 'a look, not the change again');
SELECT is(answer(200, '{"service-code": "tbs:101"}'), '{}', 'there it is');
SELECT is(queue(), '{}', 'done, without sending it again');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1031, 103, 'SEAT');
SELECT claim();
SELECT answer(202);
SELECT answer(202);
SELECT let_time_pass();
SELECT is(claim(), '{GET /domains/acme/users/103}', 'a create that was taken is looked at');
SELECT is(answer(404), '{}', 'not yet');
SELECT is(value_of('SELECT last_outcome FROM tbs.activity WHERE line_usoc_id = 1031 AND network_resource_id = 1'), 'in_progress', 'is still to come');
UPDATE tbs.activity SET in_progress_since = clock_timestamp() - interval '2 hours' WHERE line_usoc_id = 1031 AND network_resource_id = 1;
SELECT let_time_pass();
SELECT claim();
SELECT answer(404, which => 'GET /domains/acme/users/103');
SELECT matches(value_of($$SELECT result_status || ' ' || last_message FROM tbs.activity_queue WHERE line_usoc_id = 1031 AND network_resource_id = 1$$), '^failed overdue', 'after an hour it is overdue');

-- A look whose answer is empty says nothing about whose it is
DELETE FROM tbs.outcome_rule WHERE NOT shipped;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1012, 101, 'NUMBER');
SELECT claim();
SELECT answer(0, '', which => 'POST /domains/acme/phonenumbers', curl_result => 28);
SELECT let_time_pass();
SELECT claim();
SELECT answer(200, '', which => 'GET /domains/acme/phonenumbers%');
SELECT is(value_of('SELECT state || last_outcome FROM tbs.activity WHERE line_usoc_id = 1012'), 'retrytransient', 'an empty answer to a look: it looks again');
SELECT let_time_pass();
SELECT claim();
SELECT answer(404, which => 'GET /domains/acme/phonenumbers%');
SELECT answer(200, which => 'POST /domains/acme/phonenumbers');

-- Once the calls are used up, a rule may say what it counts as
DELETE FROM tbs.outcome_rule WHERE NOT shipped;
INSERT INTO tbs.outcome_rule (network_resource_type, position, status_from, outcome, outcome_when_used_up) VALUES ('netsapiens', 1, 500, 'transient', 'done');
INSERT INTO tbs.activity_policy (network_resource_id, maximum_calls) VALUES (1, 2);
UPDATE tbs.line SET first_name = 'S1' WHERE line_id = 101;
SELECT claim();
SELECT answer(500, which => '%101');
SELECT is((SELECT calls_used FROM tbs.activity WHERE line_usoc_id = 1011), 1::smallint, 'the first counts');
SELECT let_time_pass();
SELECT claim();
SELECT answer(500, which => '%101');
SELECT is((SELECT count(*) FROM tbs.activity WHERE line_usoc_id = 1011), 0::bigint, 'the last one counts as done');
SELECT matches((SELECT message FROM tbs.activity_history WHERE line_usoc_id = 1011 AND event = 'api_call' ORDER BY activity_history_id DESC LIMIT 1), 'counts as done', 'and the log says so');
SELECT results_eq($$SELECT result_status, result LIKE 'counts as done%' FROM tbs.activity_log WHERE line_usoc_id = 1011 ORDER BY date DESC LIMIT 1$$, $$VALUES ('succeeded', true)$$, 'also as the result of the task');

SELECT * FROM finish();
ROLLBACK;
