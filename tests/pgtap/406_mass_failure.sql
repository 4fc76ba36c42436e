-- Ten thousand failures of one cause: one statement shows them as one group, one retries them, each has its row on record, and the switch gets them gently.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(16);

CREATE ROLE test_operator;
SELECT tbs.grant_access('test_operator', 'operator');
SELECT tbs.arm('test');
SELECT start_bridge();
INSERT INTO tbs.line (line_id, customer_id, network_information_id, telephone_number, extension, first_name, last_name)
SELECT n, 1, 1, '+1858600' || n, n::text, 'First', 'Last ' || n FROM generate_series(10001, 20000) AS n;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) SELECT n, n, 'SEAT' FROM generate_series(10001, 20000) AS n;
UPDATE tbs.activity SET state = 'failed', last_outcome = 'transient', claimed_at = clock_timestamp(), calls_used = 8,
                        last_message = format('HTTP 500; no licence for user "%s" on 10.0.0.%s', line_id, line_id % 256);
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) SELECT n + 90000, n, 'NUMBER' FROM generate_series(10001, 20000) AS n;
UPDATE tbs.activity SET state = 'waiting' WHERE state = 'new';

SELECT results_eq('SELECT network_resource, service, outcome, signature, count FROM tbs.activity_failure_group',
                  $$VALUES ('ns-east', 'seat', 'transient', 'HTTP 500; no licence for user "*" on *', 10000::bigint)$$, 'one group');
-- This one transaction takes as long as the machine makes it, and no beat can come between.
UPDATE tbs.bridge_lease SET beat_at = clock_timestamp();
SELECT is((SELECT count(*) FROM tbs.health), 1::bigint, 'one line of health');
SAVEPOINT failed;
SELECT is(value_as('test_operator', $$SELECT tbs.retry_activity(array_agg(q.activity_id), 'licences bought') FROM tbs.activity_queue AS q
                                      WHERE q.result_status = 'failed' AND tbs.error_signature(q.last_message) = 'HTTP 500; no licence for user "*" on *'$$), '10000', 'one statement retries them');
SELECT results_eq($$SELECT h.session_role, h.acting_role, h.reason, count(DISTINCT h.activity_id), count(*) FROM tbs.activity_history AS h WHERE h.event = 'retried' GROUP BY 1, 2, 3$$,
                  $$VALUES (me(), 'test_operator', 'licences bought', 10000::bigint, 10000::bigint)$$, 'a row for each: who, as whom, why');
SELECT is((SELECT count(*) FROM tbs.activity_failure_group), 0::bigint, 'none is left in a group');
SELECT results_eq($$SELECT lane, result_status, max(calls_used)::integer FROM tbs.activity_queue WHERE trigger_type = 'usoc_added' AND line_usoc_id < 90000 GROUP BY 1, 2$$, $$VALUES ('bulk', 'pending', 0)$$, 'all are pending, in bulk');
SELECT is((SELECT count(*) FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid()) < 50, true, 'ten thousand lines did not take ten thousand locks');
SELECT is(cardinality(claim()), 1, 'the switch gets one of them first');
UPDATE tbs.network_resource_condition SET ramp_from = clock_timestamp() - interval '1 second' WHERE network_resource_id = 1;
SELECT cmp_ok((SELECT count(*) FROM unnest(answer(200)) AS c) + cardinality(claim()), '<', 8::bigint, 'then a few, not all at once');
-- one that a person asks for does not stand behind them
SELECT tbs.hold_activity(a.activity_id, 'x') FROM tbs.activity AS a WHERE a.line_usoc_id = 19999;
SELECT is((SELECT count(*) FROM tbs.activity AS a WHERE a.state = 'held'), 1::bigint, 'one of the last');
SELECT tbs.release_activity(a.activity_id, 'x') FROM tbs.activity AS a WHERE a.line_usoc_id = 19999;
ROLLBACK TO SAVEPOINT failed;

SELECT is(value_as('test_operator', $$SELECT tbs.remove_activity(array_agg(q.activity_id), 'sold by mistake', 'remove') FROM tbs.activity_queue AS q WHERE q.result_status = 'failed'$$), '10000', 'one statement removes them');
SELECT is((SELECT count(*) FROM tbs.activity), 0::bigint, 'with what was behind them');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event = 'removed' AND h.closes AND h.reason = 'sold by mistake'), 20000::bigint, 'a row for each');
SELECT is((SELECT count(*) FROM tbs.line_usoc_state AS s WHERE s.line_id > 10000 AND NOT s.in_step AND s.last_result = 'removed'), 20000::bigint, 'and none is in step');
ROLLBACK TO SAVEPOINT failed;

SELECT is(value_as('test_operator', $$SELECT tbs.hold_activity(array_agg(q.activity_id), 'first things first') FROM tbs.activity_queue AS q WHERE q.result_status = 'waiting'$$), '10000', 'one statement holds them');
SELECT is(value_as('test_operator', $$SELECT tbs.release_activity(array_agg(q.activity_id), 'go') FROM tbs.activity_queue AS q WHERE q.result_status = 'held'$$), '10000', 'one releases them');

SELECT * FROM finish();
ROLLBACK;
