-- Outcome rules, retries with backoff, maximum number of calls, pauses.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(108);

SELECT tbs.arm('test');
SELECT start_bridge();
CREATE FUNCTION test.outcome(service text, object_position integer, operation text, curl_result integer, status integer, answer bytea, headers jsonb DEFAULT '{}')
RETURNS text
LANGUAGE sql
AS $outcome$
    SELECT (tbs.decide_outcome(r, outcome.service, outcome.object_position, outcome.operation, outcome.curl_result, outcome.status, outcome.headers, outcome.answer)).outcome
    FROM tbs.network_resource AS r WHERE r.network_resource_id = 1;
$outcome$;

-- The shipped rules, for a user
SELECT is(outcome('seat', 30, v.operation, v.curl_result, v.status, convert_to(v.answer, 'UTF8')), v.outcome, v.description)
FROM (VALUES
    ('add', 0, 200, '{}', 'done', '200'),
    ('add', 0, 202, '{"code": 202}', 'done', '202'),
    ('edit', 0, 204, '', 'done', '204 without body'),
    ('add', 0, 409, '{}', 'exists', '409 of a create'),
    ('edit', 0, 409, '{}', 'rejected', '409 of a change'),
    ('add', 0, 400, '{"code": 400, "message": "User already exists."}', 'exists', '400 that says "already exists"'),
    ('edit', 0, 400, '{"code": 400, "message": "already exists"}', 'rejected', 'the same of a change'),
    ('add', 0, 400, '{"message": "bad"}', 'rejected', '400'),
    ('add', 0, 422, '{}', 'rejected', '422'),
    ('add', 0, 404, '{"message": "Domain does not exist"}', 'missing', '404 of a create: its parent'),
    ('edit', 0, 404, '{"message": "User 101 does not exist"}', 'missing', '404 of a change'),
    ('delete', 0, 404, '{}', 'missing', '404 of a delete'),
    ('look', 0, 404, '{}', 'missing', '404 of a look'),
    ('edit', 0, 404, '{"code": 404, "message": "No Route Found [92]"}', 'rejected', '404 with "No Route Found [92]": the URL is wrong, nothing is missing'),
    ('delete', 0, 404, '{"code": 404, "message": "No Route Found [92]"}', 'rejected', 'also of a delete: it must not count as done'),
    ('add', 0, 404, '{"code": 404, "message": "No Route Found [92]"}', 'rejected', 'and of a create'),
    ('edit', 0, 410, '{}', 'missing', '410'),
    ('edit', 0, 401, '{"message": "Unauthorized"}', 'unauthorized', '401'),
    ('edit', 0, 401, '{"code": 401, "message": "Invalid Scope"}', 'rejected', '401 with "Invalid Scope": the credentials are good'),
    ('edit', 0, 403, '{"message": "Forbidden"}', 'rejected', '403 of the API'),
    ('edit', 0, 403, '<html>blocked</html>', 'throttled', '403 of a proxy in front of it'),
    ('edit', 0, 200, '<html>login</html>', 'transient', '200 with a page instead of JSON'),
    ('add', 0, 202, 'Accepted', 'transient', '202 with text'),
    ('edit', 0, 429, '{}', 'throttled', '429'),
    ('edit', 0, 423, '{}', 'busy', '423'),
    ('edit', 0, 408, '{}', 'transient', '408'),
    ('edit', 0, 425, '{}', 'transient', '425'),
    ('edit', 0, 500, '', 'transient', '500'),
    ('edit', 0, 503, '<html/>', 'transient', '503'),
    ('edit', 0, 302, '', 'rejected', 'a redirect'),
    ('edit', 6, 0, '', 'unavailable', 'no such host'),
    ('edit', 7, 0, '', 'unavailable', 'connection refused'),
    ('edit', 60, 0, '', 'unavailable', 'certificate not trusted'),
    ('edit', 28, 0, '', 'unknown', 'timed out'),
    ('edit', 52, 0, '', 'unknown', 'empty answer'),
    ('edit', 56, 0, '', 'unknown', 'connection reset'),
    ('edit', 3, 0, '', 'rejected', 'malformed URL'),
    ('edit', 63, 0, '', 'rejected', 'answer too long')) AS v (operation, curl_result, status, answer, outcome, description);

-- Answers that are no text at all decide one activity and break nothing
SELECT is(outcome('seat', 30, 'edit', 0, 200, '\x00'), 'transient', 'a NUL byte');
SELECT is(outcome('seat', 30, 'edit', 0, 200, '\xc328'), 'transient', 'invalid UTF-8');
SELECT is(outcome('seat', 30, 'edit', 0, 200, convert_to('{"a": "\u0000"}', 'UTF8')), 'transient', 'JSON with \u0000, which jsonb cannot hold');
SELECT is(outcome('seat', 30, 'edit', 0, 404, convert_to(repeat('[', 100000), 'UTF8')), 'missing', 'JSON that is nested too deep, with a status that decides');
SELECT is(outcome('seat', 30, 'edit', 0, 404, convert_to('[1, 2]', 'UTF8')), 'missing', 'JSON of another shape than the rule''s path');

-- Own rules: the nearest scope first, own before shipped
INSERT INTO tbs.outcome_rule (position, status_from, outcome) VALUES (999, 418, 'busy');
SELECT is(outcome('seat', 30, 'edit', 0, 418, '{}'), 'busy', 'a rule for all types');
INSERT INTO tbs.outcome_rule (network_resource_type, position, status_from, outcome) VALUES ('netsapiens', 999, 418, 'done');
SELECT is(outcome('seat', 30, 'edit', 0, 418, '{}'), 'done', 'for the type goes before it');
INSERT INTO tbs.outcome_rule (network_resource_type, network_resource_id, position, status_from, outcome) VALUES ('netsapiens', 1, 999, 418, 'transient');
SELECT is(outcome('seat', 30, 'edit', 0, 418, '{}'), 'transient', 'for the network resource');
INSERT INTO tbs.outcome_rule (network_resource_type, service, position, status_from, outcome) VALUES ('netsapiens', 'seat', 999, 418, 'rejected');
SELECT is(outcome('seat', 30, 'edit', 0, 418, '{}'), 'rejected', 'for the service');
INSERT INTO tbs.outcome_rule (network_resource_type, service, object_position, operation, position, status_from, outcome) VALUES ('netsapiens', 'seat', 30, 'edit', 999, 418, 'noop');
SELECT is(outcome('seat', 30, 'edit', 0, 418, '{}'), 'noop', 'for the step');
SELECT is(outcome('seat', 30, 'add', 0, 418, '{}'), 'rejected', 'and not for another step');
INSERT INTO tbs.outcome_rule (position, status_from, header_name, header_pattern, outcome) VALUES (1, 200, 'X-Cache', 'hit', 'transient');
SELECT is(outcome('phone_number', 10, 'edit', 0, 200, '{}', '{"x-cache": "hit"}'), 'transient', 'a rule on a header goes before the shipped ones of the same scope');
SELECT is(outcome('phone_number', 10, 'edit', 0, 200, '{}', '{"x-cache": "miss"}'), 'done', 'and only where it matches');
INSERT INTO tbs.outcome_rule (position, body_pattern, outcome) VALUES (2, 'maintenance', 'busy');
SELECT is(outcome('phone_number', 10, 'edit', 0, 500, convert_to('under maintenance', 'UTF8')), 'busy', 'a rule on the text of the answer');
INSERT INTO tbs.outcome_rule (position, body_path, outcome) VALUES (3, '$.result == "later"', 'in_progress');
SELECT is(outcome('phone_number', 10, 'edit', 0, 200, convert_to('{"result": "later"}', 'UTF8')), 'in_progress', 'a rule on the document');
SELECT is(outcome('phone_number', 10, 'edit', 0, 200, convert_to('{"result": {"later": 1}}', 'UTF8')), 'done', 'a path that does not fit the document does not match');
INSERT INTO tbs.outcome_rule (position, body_path, outcome) VALUES (0, 'strict $.not.there', 'busy');
SELECT is(outcome('phone_number', 10, 'edit', 0, 200, convert_to('{"a": 1}', 'UTF8')), 'done', 'nor does a strict path that misses, or one that is no predicate');
DELETE FROM tbs.outcome_rule WHERE NOT shipped;

-- Rejected: failed at once, the line's other services go on
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1015, 101, 'LISTING');
SELECT claim();
SELECT is(answer(400, '{"code": 400, "message": "Bad domain"}', which => 'POST /domains'), '{}', 'rejected: no further call');
SELECT is(queue(), '{1011 usoc_added failed,1015 usoc_added processing}', 'failed at once, in front of an operator');
SELECT is(value_of('SELECT last_message FROM tbs.activity_queue WHERE line_usoc_id = 1011'), 'HTTP 400; Bad domain; correct the data and save the row again, or retry', 'with what came back, and what to do');
SELECT is(answer(200), '{}', 'another resource''s activity is not concerned');
SELECT is(value_of('SELECT present::text || in_step FROM tbs.line_usoc_state WHERE line_usoc_id = 1011'), 'falsefalse', 'the line USOC is not in step');

-- A later change gives it one new round
UPDATE tbs.line SET first_name = 'Ada2' WHERE line_id = 101;
SELECT is(claim(), '{POST /domains}', 'a later change gives the failed one a new try');
SELECT is(value_of('SELECT string_agg(round::text, '','' ORDER BY activity_id) FROM tbs.activity'), '2,1', 'in a new round');
SELECT answer(200);
SELECT is(answer(202), '{}', 'which succeeds; nothing is left to send for the change');
SELECT is(queue(), '{}', 'both are done');

-- Transient: retries with backoff until the calls are used up
INSERT INTO tbs.activity_policy (network_resource_id, maximum_calls, first_retry, longest_retry) VALUES (1, 3, '10 seconds', '15 seconds');
UPDATE tbs.line SET first_name = 'Ada3' WHERE line_id = 101;
SELECT claim();
SELECT answer(500);
SELECT results_eq($$SELECT state, calls_used::integer, due_at > clock_timestamp() - interval '1 minute' AND due_at <= clock_timestamp() + interval '10 seconds' FROM tbs.activity$$,
                  $$VALUES ('retry', 1, true)$$, 'first failed try: within first_retry');
UPDATE tbs.activity SET due_at = clock_timestamp() + interval '1 minute';
SELECT is(claim(), '{}', 'not before it is due');
SELECT let_time_pass();
SELECT is(claim(), '{PUT /domains/acme/users/101}', 'then again');
SELECT answer(500);
SELECT ok(value_of($$SELECT due_at <= clock_timestamp() + interval '15 seconds' AND calls_used = 2 FROM tbs.activity$$)::boolean, 'second: twice as long, at most longest_retry');
SELECT let_time_pass();
SELECT claim();
SELECT answer(500, '{"message": "still broken"}');
SELECT is(queue(), '{1011 line_changed failed}', 'the third uses the maximum number of calls up');
SELECT let_time_pass();
SELECT is(claim(), '{}', 'and it is not tried again by itself');
SELECT is(value_of('SELECT last_message FROM tbs.activity_queue'), 'HTTP 500; still broken', 'the last answer is what people see');

-- The delays: exponential, full jitter, capped
SELECT is((SELECT count(*) FROM generate_series(1, 200) AS n CROSS JOIN LATERAL (SELECT tbs.retry_delay(n % 12 + 1, '1 second', '1 minute') AS delay) AS d
           WHERE d.delay < interval '0' OR d.delay > least(interval '1 second' * power(2, n % 12), interval '1 minute')), 0::bigint, 'a delay is never longer than its bound');
SELECT cmp_ok((SELECT count(DISTINCT tbs.retry_delay(5, '1 second', '1 minute')) FROM generate_series(1, 50)), '>', 40::bigint, 'and is random');
SELECT lives_ok($$SELECT tbs.retry_delay(1000000, '1 second', '5 minutes')$$, 'very many tries do not overflow');

-- Layers of the policy: activity > activity type > network resource > resource type > setting, value by value
SELECT tbs.retry_activity(activity_of(1011), 'test');
SELECT results_eq($$SELECT * FROM tbs.explain_policy(activity_of(1011))$$, $$VALUES ('maximum_calls', '3', 'network resource'), ('first_retry', '00:00:10', 'network resource'), ('longest_retry', '00:00:15', 'network resource')$$, 'network resource');
INSERT INTO tbs.activity_policy (network_resource_type, maximum_calls) VALUES ('netsapiens', 20);
SELECT is((SELECT value || ' ' || layer FROM tbs.explain_policy(activity_of(1011)) WHERE name = 'maximum_calls'), '3 network resource', 'goes before its type');
INSERT INTO tbs.activity_policy (activity_type_id, maximum_calls) SELECT a.activity_type_id, 5 FROM tbs.activity AS a WHERE a.activity_id = activity_of(1011);
SELECT results_eq($$SELECT * FROM tbs.explain_policy(activity_of(1011))$$, $$VALUES ('maximum_calls', '5', 'activity type'), ('first_retry', '00:00:10', 'network resource'), ('longest_retry', '00:00:15', 'network resource')$$, 'activity type goes before it, for what it sets');
INSERT INTO tbs.activity_policy (activity_id, maximum_calls, first_retry) VALUES (activity_of(1011), 1, '1 millisecond');
SELECT results_eq($$SELECT * FROM tbs.explain_policy(activity_of(1011))$$, $$VALUES ('maximum_calls', '1', 'activity'), ('first_retry', '00:00:00.001', 'activity'), ('longest_retry', '00:00:15', 'network resource')$$, 'the activity itself goes before all');
SELECT claim();
SELECT answer(500);
SELECT is(queue(), '{1011 line_changed failed}', 'a maximum of one call: the first failed try is the last');
SELECT tbs.retry_activity(activity_of(1011), 'test');
SELECT work();
SELECT is((SELECT count(*) FROM tbs.activity_policy AS p WHERE p.activity_id IS NOT NULL), 0::bigint, 'the policy of an activity goes with it');
DELETE FROM tbs.activity_policy;
UPDATE tbs.line SET first_name = 'Ada4' WHERE line_id = 101;
SELECT results_eq($$SELECT * FROM tbs.explain_policy(activity_of(1011))$$, $$SELECT n, tbs.setting_value(n), 'setting' FROM unnest('{maximum_calls,first_retry,longest_retry}'::text[]) AS n$$, 'without a row: the settings');
SELECT tbs.set_setting('maximum_calls', '2', 'test');
SELECT is((SELECT value FROM tbs.explain_policy(activity_of(1011)) WHERE name = 'maximum_calls'), '2', 'as an administrator has set them');
SELECT work();

-- Unauthorized: the resource is paused, no other activity is burnt
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT'), (1041, 104, 'SEAT'), (1045, 104, 'LISTING');
SELECT is(claim(2), '{POST /domains/acme/users,POST /domains/acme/users}', 'two calls are out');
SELECT is(answer(401, '{"code": 401, "message": "Unauthorized"}', which => '%users'), '{}', 'credentials refused');
SELECT results_eq($$SELECT state, pause_reason LIKE 'credentials refused%' FROM tbs.network_resource WHERE network_resource_id = 1$$, $$VALUES ('paused', true)$$, 'the resource is paused and says why');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event = 'paused'), 1::bigint, 'once');
SELECT is(value_of('SELECT string_agg(calls_used::text, '','') FROM tbs.activity WHERE network_resource_id = 1'), '0,0', 'no try is counted');
SELECT is(claim(), '{POST /entries}', 'other resources go on');
SELECT answer(200);
SELECT is((SELECT count(*) FROM tbs.health WHERE trouble = 'network resource paused'), 1::bigint, 'health says so');
SELECT tbs.resume_network_resource('ns-east', 'new key');
SELECT let_ramp_pass();
SELECT is(claim(), '{POST /domains/acme/users,POST /domains/acme/users}', 'resumed, both go out again, without a look: a refused call has made nothing');
SELECT answer(202);

-- What was sent with the old credentials is answered after an operator has put them right
UPDATE tbs.line SET first_name = 'Ada6' WHERE line_id IN (102, 104);
SELECT is(claim(2), '{PUT /domains/acme/users/102,PUT /domains/acme/users/104}', 'two calls are out again');
SELECT answer(401, '{"code": 401, "message": "Unauthorized"}', which => '%/102');
SELECT tbs.resume_network_resource('ns-east', 'the right key');
SELECT is(answer(401, '{"code": 401, "message": "Unauthorized"}', which => '%/104'), '{}', 'refused before the resume, answered after it: nothing goes out before the bridge has read what is right now');
SELECT is(value_of('SELECT state FROM tbs.network_resource WHERE network_resource_id = 1'), 'active', 'and it is not paused again');
SELECT let_ramp_pass();
SELECT is(claim(2), '{PUT /domains/acme/users/102,PUT /domains/acme/users/104}', 'both are sent again');
UPDATE tbs.network_resource SET authentication = '{"kind": "bearer", "token": "env:NEW"}' WHERE network_resource_id = 1;
SELECT tbs.bridge_configuration(bridge());
SELECT answer(401, '{"code": 401, "message": "Unauthorized"}', which => '%/104');
SELECT is(value_of('SELECT state FROM tbs.network_resource WHERE network_resource_id = 1'), 'active', 'changed meanwhile, without a pause: no pause either');
SELECT is(claim(1), '{PUT /domains/acme/users/104}', 'it is sent again');
SELECT answer(401, '{"code": 401, "message": "Unauthorized"}', which => '%/104');
SELECT is(value_of('SELECT state FROM tbs.network_resource WHERE network_resource_id = 1'), 'paused', 'refused with what is right now: paused');
SELECT answer(202);
SELECT tbs.resume_network_resource('ns-east', 'now the right one');
SELECT let_ramp_pass();
SELECT work('{"code": 202}');

-- What must not count, and is recorded
UPDATE tbs.line SET first_name = 'Ada5' WHERE line_id = 101;
SELECT claim();
SELECT answer(200, '<html><body>Please log in</body></html>');
SELECT is(value_of('SELECT last_outcome FROM tbs.activity'), 'transient', 'a page with status 200 is not taken for success');
SELECT let_time_pass();
SELECT claim();
SELECT answer(401, '{"code": 401, "message": "Invalid Scope"}');
SELECT is(queue(), '{1011 line_changed failed}', 'Invalid Scope: failed');
SELECT is(value_of('SELECT state FROM tbs.network_resource WHERE network_resource_id = 1'), 'active', 'and the resource is not paused');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1021;
SELECT claim();
SELECT answer(404, '{"code": 404, "message": "No Route Found [92]"}');
SELECT is(queue(), '{1011 line_changed failed,1021 usoc_deleted failed}', 'a delete at a URL that the server does not know is not done');
SELECT is((SELECT o.presence FROM tbs.remote_object AS o WHERE o.key = '102@acme'), 'present', 'the user is still there');

-- Answers that are no text: one activity, never its batch
UPDATE tbs.line SET first_name = 'Dan5' WHERE line_id IN (101, 104);
SELECT claim();
SELECT is(in_hand(), '{PUT /domains/acme/users/101,PUT /domains/acme/users/104}', 'two calls');
SELECT is(answer_bytes(200, '\x7b2261223a00ff7d'), '{}', 'answers with NUL and invalid UTF-8');
SELECT is(value_of('SELECT string_agg(DISTINCT last_outcome, '','') FROM tbs.activity WHERE line_usoc_id IN (1011, 1041)'), 'transient', 'are tried again');
SELECT ok(value_of($$SELECT answer FROM tbs.activity_history WHERE event = 'api_call' ORDER BY activity_history_id DESC LIMIT 1$$) LIKE '%' || chr(65533) || '%', 'and are on record, as far as text can');
SELECT let_time_pass();
SELECT claim();
SELECT is(answer(200, '{"device-sip-registration-password": "hunter2", "Token": {"x": "hunter2"}, "a": 1}'), '{}', 'an answer with secrets');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h::text LIKE '%hunter2%'), 0::bigint, 'which the history does not have');

SELECT * FROM finish();
ROLLBACK;
