-- What an operator looks at: failures by cause, lines that are not in step, health with what to do.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(52);

CREATE ROLE test_operator;
SELECT tbs.grant_access('test_operator', 'operator');
SELECT tbs.arm('test');
SELECT start_bridge();

-- error_signature: what messages of one cause have in common
SELECT is(tbs.error_signature(m), s, m) FROM (VALUES
    ('HTTP 500; user 1001 is locked by 17', 'HTTP 500; user # is locked by #'),
    ('HTTP 404; no', 'HTTP 404; no'),
    ('it took 500 ms', 'it took # ms'),
    ('HTTP 400; name "O''Hara, Bob" is not "valid"', 'HTTP 400; name "*" is not "*"'),
    ('domain ''acme'' can''t be found, it isn''t there', 'domain "*" can''t be found, it isn''t there'),
    ('user 1001@acme.example.com exists', 'user * exists'),
    ('HTTP 502; cannot reach https://10.1.2.3:8443/x?y=1; later', 'HTTP 502; cannot reach *; later'),
    ('no route to 192.168.1.77', 'no route to *'),
    ('no route to 2001:db8::8a2e:370:7334', 'no route to *'),
    ('phone 00:0e:08:12:34:af is unknown', 'phone * is unknown'),
    ('request 3f2504e0-4f89-11d3-9a0c-0305e82c3301 was refused', 'request * was refused'),
    ('', '')) AS x (m, s);
SELECT is(tbs.error_signature(NULL), NULL, 'no message: no signature');
SELECT cmp_ok((SELECT count(DISTINCT tbs.error_signature(format('HTTP 422; number +1858555%s of "%s" is refused by 10.0.0.%s', 1000 + n, md5(n::text), n))) FROM generate_series(1, 200) AS n), '=', 1::bigint, 'two hundred of one cause');

-- activity_failure_group
SELECT is_empty('SELECT * FROM tbs.activity_failure_group', 'nothing has failed: no group');
INSERT INTO tbs.outcome_rule (network_resource_type, position, status_from, outcome, description, remedy) VALUES ('netsapiens', 1, 418, 'rejected', 'a teapot', 'find a kettle');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1021, 102, 'SEAT'), (2011, 201, 'SEAT'), (2012, 201, 'LISTING');
SELECT claim();
SELECT answer(418, '{"message": "line 101 of \"acme\" is no kettle"}', which => 'POST /domains');
SELECT claim();
SELECT answer(418, '{"message": "line 7 of \"other\" is no kettle"}', which => 'POST /domains');
SELECT answer(400, '{"message": "line 7 of \"other\" is no kettle"}', which => '%entries');
SELECT results_eq('SELECT network_resource, service, outcome, signature, count, example_activity_id, remedy FROM tbs.activity_failure_group ORDER BY count DESC, network_resource',
                  $$VALUES ('ns-east', 'seat', 'rejected', 'HTTP 418; line # of "*" is no kettle; find a kettle', 3::bigint, activity_of(1011), 'find a kettle'),
                           ('listings', 'listing', 'rejected', 'HTTP 400; line # of "*" is no kettle; correct the data and save the row again, or retry', 1, activity_of(2012), 'correct the data and save the row again, or retry')$$,
                  'one row for each cause, with its remedy');
SELECT ok((SELECT bool_and(g.oldest <= g.newest AND g.oldest > now() - interval '1 minute' AND g.example LIKE 'HTTP 4%') FROM tbs.activity_failure_group AS g), 'since when, and an example');
SELECT is(value_as('test_operator', 'SELECT sum(count) FROM tbs.activity_failure_group'), '4', 'operators see it');
SELECT is(value_as('test_operator', $$SELECT remedy FROM tbs.activity_queue WHERE line_usoc_id = 1011$$), 'find a kettle', 'and the remedy on the queue');
SELECT is(value_as('test_operator', $$SELECT tbs.retry_activity(array_agg(q.activity_id), 'kettle found') FROM tbs.activity_queue AS q
                                      WHERE q.result_status = 'failed' AND tbs.error_signature(q.last_message) LIKE '%kettle; find a kettle'$$), '3', 'a group is retried by its signature');
SELECT is((SELECT array_agg(g.network_resource) FROM tbs.activity_failure_group AS g), '{listings}', 'and is no group any more');
SELECT is(value_of('SELECT remedy FROM tbs.activity_queue WHERE line_usoc_id = 1011'), NULL, 'what has not failed needs no remedy');
SELECT tbs.remove_activity(activity_of(2012), 'x');
SELECT work();
-- data that cannot be rendered has no call and no rule
UPDATE tbs.line SET last_name = NULL WHERE line_id = 101;
SELECT work();
SELECT results_eq('SELECT signature, count, remedy FROM tbs.activity_failure_group', $$VALUES ('user, name-last-name: no value for {values.name-last-name}', 1::bigint, NULL::text)$$, 'one that could not be rendered');
UPDATE tbs.line SET last_name = 'Able' WHERE line_id = 101;
SELECT work();

-- line_not_in_step
SELECT results_eq('SELECT line_id, line_usoc_id, network_resource, service, status, explanation FROM tbs.line_not_in_step', $$VALUES (201::bigint, 2012::bigint, 'listings', 'listing', 'not in step', 'removed')$$, 'what was removed');
SELECT tbs.resync(line_id => 201, reason => 'x');
SELECT results_eq('SELECT DISTINCT status FROM tbs.line_not_in_step WHERE line_id = 201', '{in progress}'::text[], 'what is under way');
SELECT work();
SELECT is_empty('SELECT * FROM tbs.line_not_in_step', 'all in step: nothing');
UPDATE tbs.line SET first_name = 'A1' WHERE line_id = 101;
SELECT claim();
SELECT answer(400, '{"message": "no"}');
SELECT results_eq('SELECT status, explanation LIKE ''HTTP 400; no%'' FROM tbs.line_not_in_step', $$VALUES ('failed', true)$$, 'what failed');
SELECT tbs.retry_activity(activity_of(1011), 'x');
SELECT tbs.hold_activity(activity_of(1011), 'x') FROM claim() AS c WHERE c = '{}';
SELECT answer(200);
SELECT work();
UPDATE tbs.line SET first_name = 'A2' WHERE line_id = 101;
SELECT tbs.hold_activity(activity_of(1011), 'wait for him');
SELECT results_eq('SELECT status, explanation FROM tbs.line_not_in_step', $$VALUES ('held', 'held: wait for him')$$, 'what is held');
SELECT tbs.release_activity(activity_of(1011), 'x');
SELECT work();
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1021;
SELECT claim();
SELECT answer(400, '{"message": "no"}');
SELECT results_eq('SELECT line_id, line_usoc_id, status FROM tbs.line_not_in_step', $$VALUES (102::bigint, 1021::bigint, 'failed')$$, 'a removal that failed, though its row is gone');
SELECT tbs.remove_activity(activity_of(1021), 'x');
SELECT results_eq('SELECT line_id, line_usoc_id, usoc, status, explanation FROM tbs.line_not_in_step', $$VALUES (102::bigint, 1021::bigint, 'SEAT', 'left behind', 'removed')$$, 'what is left behind');
SELECT is(value_as('test_operator', 'SELECT count(*) FROM tbs.line_not_in_step'), '1', 'operators see it');
SELECT tbs.resync(line_id => 102, reason => 'x');
SELECT work();
SELECT is_empty('SELECT * FROM tbs.line_not_in_step', 'a resync brings it back into step');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, active_date) VALUES (1041, 104, 'SEAT', current_date + 3);
SELECT work();
SELECT is_empty('SELECT * FROM tbs.line_not_in_step', 'what begins later is not out of step');

INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, disconnect_date) VALUES (1042, 104, 'LISTING', current_date);
SELECT work();
SELECT tbs.run_now(activities.ids, 'x') FROM (SELECT array_agg(a.activity_id) AS ids FROM tbs.activity AS a WHERE a.line_usoc_id = 1042) AS activities;
SELECT work();
SELECT results_eq('SELECT status, in_step FROM tbs.line_status WHERE line_usoc_id = 1042', $$VALUES ('ended', false)$$, 'what has ended is said to have');
SELECT is_empty('SELECT * FROM tbs.line_not_in_step', 'and is not out of step');

-- health: one line per trouble, and what to do
SELECT is_empty('SELECT * FROM tbs.health', 'all is well: nothing');
CREATE FUNCTION test.trouble(detail text) RETURNS text LANGUAGE sql AS $trouble$
    SELECT string_agg(h.trouble, ',' ORDER BY h.trouble) FROM tbs.health AS h WHERE h.detail ~ trouble.detail AND h.remedy <> '';
$trouble$;
UPDATE tbs.network_resource_condition SET unavailable_since = now(), unavailable_reason = 'connection refused', probe_at = now() + interval '10 seconds' WHERE network_resource_id = 1;
SELECT is(trouble('^ns-east since .*: connection refused; next probe at '), 'network resource unavailable', 'unavailable: since when, why, next probe');
SELECT is((SELECT count(*) FROM tbs.health), 1::bigint, 'one line');
UPDATE tbs.network_resource_condition SET unavailable_since = NULL, probe_at = NULL, not_before = clock_timestamp() + interval '1 hour' WHERE network_resource_id = 1;
SELECT is(trouble('^ns-east asked for a pause until '), 'network resource throttled', 'throttled: until when');
UPDATE tbs.network_resource_condition SET not_before = clock_timestamp() - interval '1 second';
SELECT is_empty('SELECT * FROM tbs.health', 'over');
INSERT INTO tbs.network_resource_maintenance (network_resource_id, starts_at, ends_at, reason) VALUES (1, clock_timestamp() - interval '1 hour', clock_timestamp() + interval '1 hour', 'new release');
SELECT is(trouble('^ns-east until '), 'maintenance', 'maintenance');
DELETE FROM tbs.network_resource_maintenance;
SELECT tbs.pause_network_resource('ns-east', 'tea');
SELECT is(trouble('^ns-east since .*: tea'), 'network resource paused', 'paused');
SELECT tbs.resume_network_resource('ns-east', 'x');
UPDATE tbs.network_resource SET base_url = 'http://east2.example' WHERE network_resource_id = 1;
SELECT is(trouble('^bridge [0-9]+ \(bridge\) has not read the last change'), 'bridge with an old configuration', 'a bridge that has not read the configuration');
SELECT claim();
SELECT is_empty('SELECT * FROM tbs.health', 'it has read it');
UPDATE tbs.line SET first_name = 'H1' WHERE line_id = 101;
SELECT claim();
SELECT is_empty('SELECT * FROM tbs.health', 'a call that has just begun is no trouble');
UPDATE tbs.activity SET claimed_at = claimed_at - interval '10 minutes' WHERE state = 'processing';
SELECT is(trouble('^1 of network resource ns-east, the oldest since '), 'activities processing for long', 'one that should be over');
SELECT answer(400);
SELECT is(trouble('^1 of network resource ns-east, the oldest since '), 'failed activities', 'failed activities');
SELECT tbs.remove_activity(activity_of(1011), 'x');
UPDATE tbs.bridge_lease SET beat_at = beat_at - interval '1 hour';
SELECT is(trouble('environment test has network resources|^bridge [0-9]+ \(bridge\) since'), 'bridge without a beat,no bridge', 'a bridge that does not beat');
UPDATE tbs.bridge_lease SET beat_at = clock_timestamp();
SELECT is_empty('SELECT * FROM tbs.health', 'it beats');
DO $drop_last$ BEGIN EXECUTE format('DROP TABLE tbs.activity_history_%s', to_char(date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + interval '2 months', 'YYYY_MM')); END $drop_last$;
SELECT is(trouble('^[0-9]{4}-[0-9]{2} has none'), 'history partition missing', 'a partition of the history that is missing ahead');
SELECT tbs.make_history_partitions();
SELECT tbs.disarm('x');
SELECT is(trouble('captured nor sent'), 'not armed', 'disarmed');
SELECT is(value_as('test_operator', 'SELECT count(*) FROM tbs.health'), '1', 'operators see it');

SELECT * FROM finish();
ROLLBACK;
