-- why_waiting, explain_*, preview.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(41);

-- explain_line
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1012, 101, 'SURCHARGE'), (1013, 101, 'LISTING'), (1031, 103, 'BOTH');
SELECT is((SELECT array_agg(DISTINCT e.explanation) FROM tbs.explain_line(101) AS e WHERE e.usoc = 'SEAT'), '{the database is not armed: nothing is captured}', 'disarmed');
SELECT is((SELECT bool_or(e.captured) FROM tbs.explain_line(101) AS e), false, 'nothing is captured');
SELECT tbs.arm('test');
SELECT is((SELECT e.explanation FROM tbs.explain_line(101) AS e WHERE e.usoc = 'SURCHARGE'), 'its Master USOC is associated with no network resource', 'a surcharge');
SELECT is((SELECT count(*) FROM tbs.explain_line(101) AS e WHERE e.usoc = 'SEAT' AND e.captured AND e.explanation = 'captured'), 6::bigint, 'each trigger type of a seat is captured');
SELECT is((SELECT array_agg(e.trigger_type ORDER BY e.trigger_type) FROM tbs.explain_line(101) AS e WHERE e.usoc = 'LISTING' AND NOT e.captured), '{device_changed,network_information_changed}', 'where there is no activity type it is not');
SELECT is((SELECT e.explanation FROM tbs.explain_line(101) AS e WHERE e.usoc = 'LISTING' AND e.trigger_type = 'device_changed'), 'type directory has no activity type for service listing and device_changed', 'and says so');
UPDATE tbs.network_resource SET state = 'paused', pause_reason = 'tea' WHERE network_resource_id = 1;
SELECT is((SELECT DISTINCT e.captured || ' ' || e.explanation FROM tbs.explain_line(101) AS e WHERE e.usoc = 'SEAT'), 'true captured; not sent while the network resource is paused: tea', 'a paused network resource');
UPDATE tbs.network_resource SET state = 'retired' WHERE network_resource_id = 1;
SELECT is((SELECT DISTINCT e.captured || ' ' || e.explanation FROM tbs.explain_line(101) AS e WHERE e.usoc = 'SEAT'), 'false the network resource is retired', 'a retired one');
UPDATE tbs.network_resource SET state = 'active', pause_reason = NULL WHERE network_resource_id = 1;
UPDATE tbs.master_usoc_network_resource SET active = false WHERE usoc = 'SEAT';
SELECT is((SELECT DISTINCT e.captured || ' ' || e.explanation FROM tbs.explain_line(101) AS e WHERE e.usoc = 'SEAT'), 'false the association is switched off', 'a switched-off association');
UPDATE tbs.master_usoc_network_resource SET active = true WHERE usoc = 'SEAT';
UPDATE tbs.network_information SET network_resource_id = 2 WHERE network_information_id = 2;
SELECT is((SELECT DISTINCT e.captured || ' ' || e.explanation FROM tbs.explain_line(103) AS e WHERE e.network_resource = 'ns-east'), 'false the line''s network information names another network resource of this type', 'network information that names another one');
SELECT is((SELECT DISTINCT e.captured FROM tbs.explain_line(103) AS e WHERE e.network_resource = 'ns-west'), true, 'and the one that it names');
SELECT is_empty('SELECT * FROM tbs.explain_line(999)', 'an unknown line: nothing');

-- explain_values
SELECT is_empty($$SELECT * FROM tbs.explain_values(1013, 'ns-east')$$, 'no association: no values');
SELECT results_eq($$SELECT name, value, layer FROM tbs.explain_values(1011, 'ns-east') WHERE name IN ('name-last-name', 'time-zone', 'user-scope')$$,
                  $$VALUES ('name-last-name', '"Able"'::jsonb, 'line'), ('time-zone', '"US/Eastern"', 'network_information_parent'), ('user-scope', '"Basic User"', 'type_default')$$, 'each value with its layer');
SELECT refused($$SELECT * FROM tbs.explain_values(1011, 'nowhere')$$, '42704', 'unknown network resource', NULL, 'SELECT name', 'of an unknown network resource');

-- preview: what would be sent, without sending
SELECT results_eq($$SELECT usoc.usoc, p.kind, p.operation, p.method, p.path, p.error FROM tbs.preview(101) WITH ORDINALITY AS p (line_usoc_id, network_resource, service, kind, key, operation, method, path, headers, body, error, n)
                    JOIN tbs.line_usoc AS usoc USING (line_usoc_id) ORDER BY p.n$$,
                  $$VALUES ('SEAT', 'domain', 'add', 'POST', '/domains', NULL::text), ('SEAT', 'user', 'add', 'POST', '/domains/acme/users', NULL), ('LISTING', 'entry', 'add', 'POST', '/entries', NULL)$$, 'what a new line needs');
SELECT is((SELECT p.body::jsonb ->> 'name-first-name' FROM tbs.preview(101) AS p WHERE p.kind = 'user'), 'Ada', 'as it would be sent');
SELECT is((SELECT count(*) FROM tbs.remote_object) + (SELECT count(*) FROM tbs.activity WHERE line_id = 101), 0::bigint, 'nothing has happened');
SELECT start_bridge();
SELECT tbs.resync(line_id => 101, reason => 'test');
SELECT work();
SELECT is_empty('SELECT * FROM tbs.preview(101)', 'in step: nothing would be sent');
SELECT is((SELECT array_agg(p.method || ' ' || p.path) FROM tbs.preview(101, send_all => true) AS p), '{PUT /domains/acme,PUT /domains/acme/users/101,PUT /entries/%2B18585550101}', 'a resync would send all');
SAVEPOINT planned;
UPDATE tbs.line SET extension = '1101' WHERE line_id = 101;
SELECT results_eq('SELECT operation, method, path FROM tbs.preview(101)', $$VALUES ('add', 'POST', '/domains/acme/users'), ('delete', 'DELETE', '/domains/acme/users/101')$$, 'a planned change, made in a transaction');
ROLLBACK TO SAVEPOINT planned;
SELECT is_empty('SELECT * FROM tbs.preview(101)', 'and rolled back');
SAVEPOINT planned;
DELETE FROM tbs.line WHERE line_id = 101;
SELECT is((SELECT array_agg(p.method || ' ' || p.path) FROM tbs.preview(101) AS p), '{DELETE /domains/acme/users/101,DELETE /domains/acme,DELETE /entries/%2B18585550101}', 'a deleted line');
ROLLBACK TO SAVEPOINT planned;
UPDATE tbs.line SET last_name = NULL WHERE line_id = 102;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT');
SELECT is((SELECT p.error FROM tbs.preview(102) AS p WHERE p.kind = 'user'), 'name-last-name: no value for {values.name-last-name}', 'what cannot be rendered is said');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1021;
SELECT work();

-- why_waiting
SELECT is(tbs.why_waiting(999999), 'there is no such activity', 'an unknown activity');
UPDATE tbs.line SET first_name = 'A1' WHERE line_id = 101;
SELECT is(tbs.why_waiting(activity_of(1011)), 'a bridge is about to take it', 'a bridge is there');
SELECT tbs.bridge_stop(bridge());
SELECT is(tbs.why_waiting(activity_of(1011)), 'no bridge is running for environment "test"', 'none is');
SELECT start_bridge();
SELECT tbs.disarm('x');
SELECT matches(tbs.why_waiting(activity_of(1011)), 'not armed.*tbs\.arm', 'disarmed');
SELECT tbs.arm('x');
SELECT tbs.pause_network_resource('ns-east', 'tea');
SELECT is(tbs.why_waiting(activity_of(1011)), 'network resource "ns-east" is paused: tea', 'paused');
SELECT tbs.resume_network_resource('ns-east', 'x');
SELECT let_ramp_pass();
SELECT claim();
SELECT matches(tbs.why_waiting(activity_of(1011)), '^it is with bridge [0-9]+ since ', 'processing');
SELECT answer(503, '{"message": "later"}', which => 'PUT /domains%');
SELECT matches(tbs.why_waiting(activity_of(1011)), '^for its next try at .*, after: HTTP 503; later', 'its next try');
SELECT let_time_pass();
SELECT is(tbs.why_waiting(activity_of(1011)), 'a bridge is about to take it', 'due');
SELECT claim();
SELECT answer(400, '{"message": "no"}', which => 'PUT /domains%');
SELECT matches(tbs.why_waiting(activity_of(1011)), '^it failed: HTTP 400; no.*retry_activity', 'failed');
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1011;
SELECT matches(tbs.why_waiting((SELECT max(a.activity_id) FROM tbs.activity AS a WHERE a.line_usoc_id = 1011)), '^behind activity [0-9]+ of its line \(failed\)', 'behind a failed one');
SELECT set_config('test.activity', activity_of(1011)::text, true);
SELECT tbs.remove_activity(activity_of(1011), 'x');
SELECT matches(tbs.why_waiting(current_setting('test.activity')::bigint), '^it left the queue on .*: removed', 'removed');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1022, 102, 'NUMBER');
SELECT claim();
SELECT is(tbs.why_waiting(activity_of(1022)), 'its line does not have service "seat" or "call_queue" in step', 'a required service');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, active_date) VALUES (1041, 104, 'SEAT', current_date + 3);
SELECT claim();
SELECT matches(tbs.why_waiting(activity_of(1041)), '^it is due on ', 'scheduled');

-- explain_outcome
SELECT results_eq($$SELECT e.outcome, e.scope, e.description FROM tbs.activity_history AS h CROSS JOIN LATERAL tbs.explain_outcome(h.activity_history_id) AS e WHERE h.http_status = 503$$,
                  $$VALUES ('transient', 'all types', 'the server has a problem')$$, 'the rule that decided');
SELECT is_empty('SELECT * FROM tbs.explain_outcome(-1)', 'of an unknown row: nothing');
INSERT INTO tbs.outcome_rule (outcome_rule_id, network_resource_type, service, object_position, operation, position, status_from, outcome, description) VALUES (100001, 'netsapiens', 'seat', 30, 'edit', 1, 200, 'noop', 'my own');
UPDATE tbs.line SET first_name = 'A2' WHERE line_id = 101;
SELECT work();
SELECT results_eq($$SELECT e.outcome, e.outcome_rule_id, e.scope, e.description FROM tbs.activity_history AS h CROSS JOIN LATERAL tbs.explain_outcome(h.activity_history_id) AS e
                    WHERE h.event = 'api_call' AND h.line_usoc_id = 1011 ORDER BY h.activity_history_id DESC LIMIT 1$$,
                  $$VALUES ('noop', 100001, 'type netsapiens, service seat, object 30, operation edit', 'my own')$$, 'a rule of one''s own');
SELECT is_empty('SELECT * FROM tbs.explain_policy(-1)', 'explain_policy of an unknown activity: nothing');

SELECT * FROM finish();
ROLLBACK;
