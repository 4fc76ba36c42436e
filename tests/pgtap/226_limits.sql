-- Limits of a network resource over all bridges, maintenance, lanes, the delete brake, suspension.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(47);

SELECT tbs.arm('test');
SELECT start_bridge('one');
SELECT set_config('test.one', test.bridge()::text, true);
INSERT INTO tbs.line (line_id, customer_id, network_information_id, extension, first_name, last_name)
SELECT n, l.customer_id, l.network_information_id, n::text, 'Mass', n::text FROM generate_series(2001, 2040) AS n JOIN tbs.line AS l ON l.line_id = 101;
UPDATE tbs.network_resource SET delete_brake = NULL;
INSERT INTO tbs.line_usoc (line_id, line_usoc_id, usoc) SELECT n, n, 'SEAT' FROM generate_series(2001, 2040) AS n;
SELECT work();
SELECT is((SELECT count(*) FROM tbs.activity), 0::bigint, 'forty lines are there');

-- Connections: under way at one time, over all bridges
UPDATE tbs.network_resource SET connections = 6 WHERE network_resource_id = 1;
UPDATE tbs.line SET first_name = 'C1' WHERE line_id BETWEEN 2001 AND 2040;
SELECT is(cardinality(claim()), 6, 'one bridge gets all that the resource bears');
SELECT is(claim(), '{}', 'and no more');
SELECT is(cardinality(answer(200, which => '%2001')), 0, 'an answer makes room');
SELECT is(cardinality(claim()), 1, 'for one');
SELECT start_bridge('two');
SELECT is(claim(), '{}', 'another bridge gets nothing while the first has it all');
SELECT set_config('test.bridge', current_setting('test.one'), true);
SELECT tbs.bridge_configuration(test.bridge());
SELECT answer(200);
SELECT is(cardinality(claim()), 3, 'then half of it each');
SELECT is(claim(), '{}', 'the other half is the other''s');
SELECT tbs.bridge_stop(b.bridge_id) FROM tbs.bridge AS b WHERE b.name = 'two';
SELECT answer(200);
SELECT work();
SELECT is(queue(), '{}', 'all are done');
UPDATE tbs.network_resource SET connections = 1000 WHERE network_resource_id = 1;

-- Requests per second: a bucket of one second's worth
UPDATE tbs.network_resource SET requests_per_second = 10 WHERE network_resource_id = 1;
UPDATE tbs.line SET first_name = 'R1' WHERE line_id BETWEEN 2001 AND 2040;
SELECT is(cardinality(claim()), 1, 'a bucket starts with one call');
SELECT answer(200);
UPDATE tbs.bridge_tokens SET counted_at = clock_timestamp() - interval '1 hour';
SELECT is(cardinality(claim()), 10, 'it holds one second''s worth');
SELECT ok(value_of('SELECT k.tokens < 1 FROM tbs.bridge_tokens AS k')::boolean, 'and is empty then');
-- As if the time stood still, however slow the machine is.
UPDATE tbs.bridge_tokens SET counted_at = clock_timestamp() + interval '1 minute', tokens = 0.5;
SELECT is(claim(), '{}', 'without a token there is no call');
SELECT is(cardinality(answer(200)), 0, 'an answer gives no more');
SELECT ok(value_of('SELECT next_due_milliseconds BETWEEN 30000 AND 60050 FROM tbs.bridge_sleep(test.bridge())')::boolean, 'the bridge comes back for the next token');
UPDATE tbs.bridge_tokens SET counted_at = clock_timestamp(), tokens = 5;
SELECT ok(value_of('SELECT next_due_milliseconds BETWEEN 0 AND 1000 FROM tbs.bridge_sleep(test.bridge())')::boolean, 'soon, when one has come in since it looked');
UPDATE tbs.bridge_tokens SET counted_at = clock_timestamp() - interval '450 milliseconds', tokens = 0;
SELECT cmp_ok(cardinality(claim()), '>=', 4, 'they grow with time');
SELECT answer(200);
UPDATE tbs.network_resource SET requests_per_second = NULL WHERE network_resource_id = 1;
SELECT work();
SELECT is(queue(), '{}', 'all are done');

-- Maintenance: nothing is sent, nothing counts
INSERT INTO tbs.network_resource_maintenance (network_resource_id, starts_at, ends_at, reason) VALUES (1, clock_timestamp() - interval '1 hour', clock_timestamp() + interval '1 hour', 'new release');
UPDATE tbs.line SET first_name = 'M1' WHERE line_id = 2001;
SELECT is(claim(), '{}', 'nothing goes during maintenance');
SELECT is((SELECT h.reason FROM tbs.network_resource AS r CROSS JOIN LATERAL tbs.held_up(r) AS h WHERE r.network_resource_id = 1), 'maintenance', 'it is held up');
DELETE FROM tbs.network_resource_maintenance;
UPDATE tbs.network_resource SET time_zone = 'America/New_York' WHERE network_resource_id = 1;
INSERT INTO tbs.network_resource_maintenance (network_resource_id, starts_at, ends_at, repeats_every)
SELECT 1, (t.local - interval '70 days 1 minute') AT TIME ZONE 'America/New_York', (t.local - interval '70 days' + interval '1 hour') AT TIME ZONE 'America/New_York', '7 days'
FROM (SELECT clock_timestamp() AT TIME ZONE 'America/New_York' AS local) AS t;
SELECT ok((SELECT (h.until AT TIME ZONE 'America/New_York')::time = (m.ends_at AT TIME ZONE 'America/New_York')::time FROM tbs.network_resource_maintenance AS m, tbs.network_resource AS r CROSS JOIN LATERAL tbs.held_up(r) AS h
           WHERE r.network_resource_id = 1), 'every week at the same local time');
UPDATE tbs.network_resource_maintenance SET starts_at = starts_at - interval '3 hours', ends_at = ends_at - interval '3 hours';
SELECT is((SELECT h.until FROM tbs.network_resource AS r CROSS JOIN LATERAL tbs.held_up(r) AS h WHERE r.network_resource_id = 1), NULL, 'and not at another time');
SELECT is(work(), '{PUT /domains/acme/users/2001}', 'over: it goes');
DELETE FROM tbs.network_resource_maintenance;
SELECT refused($$UPDATE tbs.network_resource SET time_zone = 'Mars/Olympus' WHERE network_resource_id = 1$$, '23514', 'unknown time zone', NULL, 'IANA', 'a time zone that nobody knows');
SELECT refused($$INSERT INTO tbs.network_resource_maintenance (network_resource_id, starts_at, ends_at) VALUES (1, '2030-01-02', '2030-01-01')$$, '23514', 'order', NULL, NULL, 'a maintenance that ends before it begins');

-- Lanes: weighted, none starves
SELECT tbs.set_lane('bulk');
UPDATE tbs.line SET first_name = 'L1' WHERE line_id BETWEEN 2001 AND 2030;
SELECT tbs.set_lane('normal');
UPDATE tbs.line SET first_name = 'L2' WHERE line_id BETWEEN 2031 AND 2036;
UPDATE tbs.network_resource SET connections = 6 WHERE network_resource_id = 1;
SELECT claim();
SELECT results_eq('SELECT a.lane::integer, count(*)::integer FROM tbs.activity AS a WHERE a.state = ''processing'' GROUP BY a.lane ORDER BY a.lane', $$VALUES (3, 4), (4, 2)$$, 'two normal ones for each of bulk');
SELECT refused('SELECT tbs.set_lane(''fast'')', '22023', 'unknown lane', NULL, 'bulk', 'an unknown lane');
UPDATE tbs.network_resource SET connections = 1000 WHERE network_resource_id = 1;
SELECT answer(200);
SELECT work();
UPDATE tbs.line SET first_name = 'L3' WHERE line_id = 2001;
SELECT tbs.set_setting('bulk_size', '100', 'test');
INSERT INTO tbs.line (line_id, customer_id, network_information_id, extension, first_name, last_name)
SELECT n, l.customer_id, l.network_information_id, n::text, 'Mass', n::text FROM generate_series(3001, 3120) AS n JOIN tbs.line AS l ON l.line_id = 101;
SELECT set_config('tbs.lane', '', true);
INSERT INTO tbs.line_usoc (line_id, line_usoc_id, usoc) SELECT n, n, 'SEAT' FROM generate_series(3001, 3120) AS n;
SELECT is((SELECT array_agg(DISTINCT a.lane) FROM tbs.activity AS a WHERE a.line_id > 3000), '{4}'::smallint[], 'a statement of very many rows is bulk by itself');
SELECT work();

-- The delete brake
UPDATE tbs.network_resource SET delete_brake = 5 WHERE network_resource_id = 1;
DELETE FROM tbs.line_usoc WHERE line_usoc_id BETWEEN 2001 AND 2010;
SELECT is(cardinality(work()), 5, 'so many removals are carried out');
SELECT is((SELECT count(*) FROM tbs.activity AS a WHERE a.state = 'held' AND a.held_reason LIKE 'delete brake%'), 5::bigint, 'the rest is held');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event = 'held' AND h.reason LIKE 'delete brake%'), 5::bigint, 'on record');
UPDATE tbs.line SET first_name = 'D1' WHERE line_id = 2020;
SELECT is(work(), '{PUT /domains/acme/users/2020}', 'other changes go on');
UPDATE tbs.activity SET brake_released = true, state = 'new' WHERE line_usoc_id = 2010;
SELECT is(work(), '{DELETE /domains/acme/users/2010}', 'one that an operator lets through goes');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) SELECT a.line_usoc_id, a.line_id, 'SEAT' FROM tbs.activity AS a WHERE a.state = 'held';
SELECT work();
SELECT is((SELECT count(*) FROM tbs.line_usoc_state AS s JOIN tbs.line_usoc AS lu USING (line_usoc_id) WHERE s.line_id BETWEEN 2001 AND 2009 AND s.present), 4::bigint, 'rows that are put back are wanted again');
UPDATE tbs.network_resource_removal SET begun_at = begun_at - interval '2 hours';
DELETE FROM tbs.line_usoc WHERE line_usoc_id IN (2021, 2022);
SELECT is(work(), '{DELETE /domains/acme/users/2021,DELETE /domains/acme/users/2022}', 'an hour later there is room again');

-- Suspension: an attribute of the line; defaults say what it means; an emergency service is not touched
INSERT INTO tbs.network_resource_default (network_resource_type, name, value, while_suspended) VALUES ('netsapiens', 'dial-policy', '"Nothing at all"', true);
UPDATE tbs.line SET parameters = '{"netsapiens": {"dial-policy": "International"}}' WHERE line_id = 2030;
SELECT work();
SELECT captured();
UPDATE tbs.line SET suspended = true WHERE line_id = 2030;
SELECT captured_is('{2030 line_changed seat ns-east}', 'a suspension is a change of the line');
SELECT is(value_of('SELECT trigger_description FROM tbs.activity WHERE line_usoc_id = 2030'), 'line suspended', 'and says so');
SELECT is(work(), '{PUT /domains/acme/users/2030}', 'one change of state');
SELECT is(last_body('PUT /domains/acme/users/2030') ->> 'dial-policy', 'Nothing at all', 'what it means is nearer than the line''s own value');
UPDATE tbs.line SET suspended = false WHERE line_id = 2030;
SELECT is(value_of('SELECT lane FROM tbs.activity WHERE line_usoc_id = 2030'), '2', 'who is resumed goes first');
SELECT work();
SELECT is(last_body('PUT /domains/acme/users/2030') ->> 'dial-policy', 'International', 'resumed: as before');
UPDATE tbs.line SET suspended = true WHERE line_id = 2030;
UPDATE tbs.line SET suspended = false WHERE line_id = 2030;
SELECT is(work(), '{}', 'a resume that comes while the suspension still waits cancels it');
INSERT INTO tbs.service (network_resource_type, service, description, ignores_suspension) VALUES ('directory', 'emergency', 'x', true);
UPDATE tbs.master_usoc_network_resource SET service = 'listing' WHERE false;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2930, 2030, 'LISTING');
SELECT work();
SELECT captured();
UPDATE tbs.line SET suspended = true WHERE line_id = 2030;
SELECT captured_is('{2030 line_changed seat ns-east,2930 line_changed listing listings}', 'a suspension concerns all services of the line');
SELECT work();
SELECT set_config('session_replication_role', 'replica', true);
UPDATE tbs.service SET ignores_suspension = true WHERE service = 'listing';
SELECT set_config('session_replication_role', 'origin', true);
UPDATE tbs.line SET suspended = false WHERE line_id = 2030;
SELECT captured_is('{2030 line_changed seat ns-east}', 'but one that ignores it');
UPDATE tbs.line SET suspended = true, first_name = 'New' WHERE line_id = 2030;
SELECT captured_is('{2030 line_changed seat ns-east,2930 line_changed listing listings}', 'a change of more than that concerns it');
SELECT is(tbs.activity_context(2930, 3, 'line_changed') #>> '{line,suspended}', 'false', 'it sees a line that is not suspended');
SELECT is(tbs.activity_context(2030, 1, 'line_changed') #>> '{line,suspended}', 'true', 'others see it');
SELECT work();

SELECT * FROM finish();
ROLLBACK;
