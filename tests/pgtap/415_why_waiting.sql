-- why_waiting and explain_policy: the one reason that holds now, and until when.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(33);

SELECT tbs.arm('test');
SELECT start_bridge();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
CREATE FUNCTION test.why(line_usoc_id bigint) RETURNS text LANGUAGE sql AS $why$ SELECT tbs.why_waiting(activity_of(why.line_usoc_id)) $why$;
SELECT is(why(1011), 'a bridge is about to take it', 'nothing is in its way');

-- No bridge that could
UPDATE tbs.network_resource SET base_url = 'http://east2.example' WHERE network_resource_id = 1;
SELECT is(why(1011), 'no bridge of environment "test" has read the changed configuration yet; each does with its next beat', 'a configuration that no bridge has read');
SELECT is((SELECT count(*) FROM tbs.claim(bridge(), 10)), 0::bigint, 'indeed none takes it');
SELECT tbs.bridge_configuration(bridge());
SELECT is(why(1011), 'a bridge is about to take it', 'it has read it');
UPDATE tbs.bridge_lease SET beat_at = beat_at - interval '1 hour';
SELECT is(why(1011), 'no bridge is running for environment "test"', 'one that does not beat is none');
UPDATE tbs.bridge_lease SET beat_at = clock_timestamp();

-- The network resource as a whole
UPDATE tbs.network_resource_condition SET unavailable_since = now(), unavailable_reason = 'connection refused', probe_at = now() + interval '1 hour' WHERE network_resource_id = 1;
SELECT matches(why(1011), '^network resource "ns-east" is unavailable since .* \(connection refused\); the next probe is due at ', 'unavailable until the next probe');
SELECT is(claim(), '{}', 'indeed it waits');
UPDATE tbs.network_resource_condition SET unavailable_since = NULL, unavailable_reason = NULL, probe_at = NULL, not_before = clock_timestamp() + interval '1 hour' WHERE network_resource_id = 1;
SELECT matches(why(1011), '^network resource "ns-east" asked for a pause until ', 'throttled until');
SELECT is(claim(), '{}', 'indeed it waits');
UPDATE tbs.network_resource_condition SET not_before = NULL;
INSERT INTO tbs.network_resource_maintenance (network_resource_id, starts_at, ends_at) VALUES (1, clock_timestamp() - interval '1 hour', clock_timestamp() + interval '1 hour');
SELECT matches(why(1011), '^network resource "ns-east" has maintenance until ', 'maintenance until');
SELECT is(claim(), '{}', 'indeed it waits');
DELETE FROM tbs.network_resource_maintenance;
SELECT tbs.pause_network_resource('ns-east', 'tea');
SELECT is(why(1011), 'network resource "ns-east" is paused: tea', 'paused');
SELECT tbs.resume_network_resource('ns-east', 'x');
UPDATE tbs.network_resource_condition SET ramp_from = NULL;

-- Limits
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2011, 201, 'SEAT');
UPDATE tbs.network_resource SET connections = 1 WHERE network_resource_id = 1;
SELECT is(claim(), '{POST /domains}', 'one connection: one call');
SELECT matches(why(2011), '^network resource "ns-east" has 1 API calls under way, and its limit is 1 \(connections\)', 'the limit of connections');
UPDATE tbs.network_resource SET connections = 8 WHERE network_resource_id = 1;
SELECT tbs.bridge_configuration(bridge());
UPDATE tbs.network_resource_condition SET ramp_from = clock_timestamp() WHERE network_resource_id = 1;
SELECT matches(why(2011), '^network resource "ns-east" has 1 API calls under way, and its limit is 1 just now \(it begins gently since .*, then 8\)', 'the ramp');
UPDATE tbs.network_resource_condition SET ramp_from = NULL;
UPDATE tbs.network_resource SET requests_per_second = 2 WHERE network_resource_id = 1;
SELECT tbs.bridge_configuration(bridge());
SELECT is(why(2011), 'a bridge is about to take it', 'a limit of requests a second that is not reached');
INSERT INTO tbs.bridge_tokens (bridge_id, network_resource_id, tokens, counted_at) VALUES (bridge(), 1, -1000, clock_timestamp());
SELECT matches(why(2011), '^network resource "ns-east" has had its 2 requests a second; the next may go at ', 'the limit of requests a second');
DELETE FROM tbs.bridge_tokens;
UPDATE tbs.network_resource SET requests_per_second = NULL WHERE network_resource_id = 1;
SELECT answer(200);
SELECT work();

INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id)
SELECT a.activity_type_id, 1, 900000 + n, 900000 + n FROM tbs.activity_type AS a CROSS JOIN generate_series(1, 200) AS n WHERE a.network_resource_type = 'netsapiens' AND a.service = 'seat' AND a.trigger_type = 'resync';
SELECT is(why(900001), '199 others for network resource "ns-east" are pending as well; a bridge takes them in their lanes', 'very many others');
DELETE FROM tbs.activity WHERE line_id > 900000;

-- The activity itself, and its line
UPDATE tbs.line SET first_name = 'A1' WHERE line_id = 101;
SELECT tbs.hold_activity(activity_of(1011), 'he will call');
SELECT matches(why(1011), '^it is held: he will call; SELECT tbs\.release_activity\([0-9]+, reason\)', 'held: why, and how to let it go');
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1011;
SELECT claim();
SELECT matches(tbs.why_waiting((SELECT max(a.activity_id) FROM tbs.activity AS a WHERE a.line_usoc_id = 1011)), '^behind activity [0-9]+ of its line \(held\)', 'behind a held one');
SELECT tbs.release_activity(activity_of(1011), 'x');
SELECT work();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT'), (1022, 102, 'NUMBER');
SELECT claim();
SELECT answer(400);
SELECT matches(why(1022), '^its line does not have service "seat" or "call_queue" in step: activity [0-9]+ is failed', 'a required service, and the activity that it hangs on');
SELECT tbs.remove_activity(activity_of(1021), 'x');
SELECT claim();
SELECT is(why(1022), 'its line does not have service "seat" or "call_queue" in step', 'one that nothing on the queue will bring');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, active_date) VALUES (1041, 104, 'SEAT', current_date + 3);
SELECT claim();
SELECT matches(why(1041), '^it is due on .*; SELECT tbs\.run_now\([0-9]+, reason\)', 'scheduled: when, and how not to wait');
-- a remote object that another line's call has
UPDATE tbs.line SET first_name = 'B1' WHERE line_id = 101;
SELECT claim();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1031, 103, 'SEAT');
UPDATE tbs.activity SET state = 'waiting', waits_for_object_id = (SELECT o.remote_object_id FROM tbs.remote_object AS o WHERE o.in_flight_activity_id IS NOT NULL) WHERE line_usoc_id = 1031;
SELECT is(why(1031), format('for the call of activity %s to user 101@acme', activity_of(1011)), 'the call that it waits for');
SELECT answer(200);
SELECT work();

-- explain_policy: each value with its layer
UPDATE tbs.line SET first_name = 'P1' WHERE line_id = 101;
CREATE FUNCTION test.policy() RETURNS text[] LANGUAGE sql AS $policy$ SELECT array_agg(p.name || ' ' || p.value || ' ' || p.layer) FROM tbs.explain_policy(activity_of(1011)) AS p $policy$;
SELECT is(policy(), ARRAY(SELECT format('%s %s setting', n, tbs.setting_value(n)) FROM unnest('{maximum_calls,first_retry,longest_retry}'::text[]) AS n), 'settings');
INSERT INTO tbs.activity_policy (network_resource_type, maximum_calls, first_retry, longest_retry) VALUES ('netsapiens', 4, '4 seconds', '40 seconds');
SELECT is(policy(), '{maximum_calls 4 resource type,first_retry 00:00:04 resource type,longest_retry 00:00:40 resource type}', 'resource type');
INSERT INTO tbs.activity_policy (network_resource_id, maximum_calls, first_retry) VALUES (1, 3, '3 seconds');
SELECT is(policy(), '{maximum_calls 3 network resource,first_retry 00:00:03 network resource,longest_retry 00:00:40 resource type}', 'network resource');
INSERT INTO tbs.activity_policy (activity_type_id, maximum_calls) SELECT a.activity_type_id, 2 FROM tbs.activity AS a WHERE a.activity_id = activity_of(1011);
SELECT is(policy(), '{maximum_calls 2 activity type,first_retry 00:00:03 network resource,longest_retry 00:00:40 resource type}', 'activity type');
SELECT tbs.set_maximum_calls(activity_of(1011), 1, 'x');
SELECT is(policy(), '{maximum_calls 1 activity,first_retry 00:00:03 network resource,longest_retry 00:00:40 resource type}', 'activity');
SELECT is((SELECT ARRAY[e.maximum_calls::text, e.first_retry::text, e.longest_retry::text] FROM tbs.activity AS a CROSS JOIN LATERAL tbs.effective_policy(a.activity_id, a.activity_type_id, a.network_resource_id) AS e WHERE a.activity_id = activity_of(1011)),
          (SELECT array_agg(p.value) FROM tbs.explain_policy(activity_of(1011)) AS p), 'and that is what holds');
INSERT INTO tbs.activity_policy (network_resource_id, maximum_calls) VALUES (2, 9);
SELECT is(policy(), '{maximum_calls 1 activity,first_retry 00:00:03 network resource,longest_retry 00:00:40 resource type}', 'another network resource''s does not matter');
SELECT claim();
SELECT answer(500);
SELECT is(queue(), '{1022 usoc_added waiting,1041 usoc_added scheduled,1011 line_changed failed}', 'one failed try was the last');
SELECT matches(why(1011), '^it failed: HTTP 500', 'failed');

SELECT * FROM finish();
ROLLBACK;
