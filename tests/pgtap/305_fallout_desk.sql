-- The fallout desk: one activity or an array of them; what becomes of it, of those behind it, and of the record.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(148);

CREATE ROLE test_operator;
SELECT tbs.grant_access('test_operator', 'operator');
SELECT tbs.arm('test');
SELECT start_bridge();
-- the history rows of an event: for which line USOCs, who, as whom, why, and what
CREATE FUNCTION test.on_record(event text) RETURNS text LANGUAGE sql AS $on_record$
    SELECT string_agg(concat_ws('|', h.line_usoc_id, h.session_role, h.acting_role, h.reason, h.message, h.closes), ' ' ORDER BY h.line_usoc_id, h.activity_history_id)
    FROM tbs.activity_history AS h WHERE h.event = on_record.event;
$on_record$;
CREATE FUNCTION test.forget() RETURNS void LANGUAGE sql AS $forget$ DELETE FROM tbs.activity_history WHERE event NOT IN ('api_call') $forget$;
-- all activities of these line USOCs
CREATE FUNCTION test.activities_of(VARIADIC line_usoc_ids bigint[]) RETURNS bigint[] LANGUAGE sql AS $activities_of$
    SELECT array_agg(a.activity_id ORDER BY a.activity_id) FROM tbs.activity AS a WHERE a.line_usoc_id = ANY (line_usoc_ids);
$activities_of$;

-- Bad input, the same everywhere
SELECT refused(format(c.call, '999999', q.reason), q.code, q.message, NULL, q.hint, format('%s: %s', left(c.call, 32), q.message))
FROM unnest('{"SELECT tbs.retry_activity(%s, %s)","SELECT tbs.remove_activity(%s, %s)","SELECT tbs.hold_activity(%s, %s)","SELECT tbs.release_activity(%s, %s)","SELECT tbs.skip_step(%s, %s)","SELECT tbs.mark_done(%s, %s, ''seen'')","SELECT tbs.set_maximum_calls(%s, 3, %s)","SELECT tbs.run_now(%s, %s)"}'::text[]) WITH ORDINALITY AS c (call, n)
CROSS JOIN (VALUES ('''x''', 'P0002', 'unknown activity: 999999', 'activity_queue'), ('''''', '22023', 'a reason is needed', 'history')) AS q (reason, code, message, hint)
ORDER BY c.n, q.code;
SELECT is(value_of(format(c.call, 'NULL::bigint[]')) || value_of(format(c.call, '''{999999}''::bigint[]')), '00', 'of nothing: none')
FROM unnest('{"SELECT tbs.retry_activity(%s, ''x'')","SELECT tbs.remove_activity(%s, ''x'')","SELECT tbs.hold_activity(%s, ''x'')","SELECT tbs.release_activity(%s, ''x'')","SELECT tbs.skip_step(%s, ''x'')","SELECT tbs.mark_done(%s, ''x'', ''seen'')","SELECT tbs.set_maximum_calls(%s, 3, ''x'')","SELECT tbs.run_now(%s, ''x'')"}'::text[]) AS c (call);

-- What is being processed is left alone
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
SELECT claim();
SELECT refused(format('SELECT tbs.%s', replace(c, '%s', activity_of(1011)::text)), '55000', '^activity [0-9]+ (is being processed|has not failed|is not held|is not scheduled)', 'processing', 'call is over', c || ' while it is processed')
FROM unnest('{"retry_activity(%s, ''x'')","remove_activity(%s, ''x'')","hold_activity(%s, ''x'')","release_activity(%s, ''x'')","skip_step(%s, ''x'')","mark_done(%s, ''x'', ''seen'')","set_maximum_calls(%s, 3, ''x'')","run_now(%s, ''x'')"}'::text[]) AS c;
SELECT is(tbs.retry_activity(activities_of(1011), 'x') + tbs.remove_activity(activities_of(1011), 'x') + tbs.hold_activity(activities_of(1011), 'x') + tbs.release_activity(activities_of(1011), 'x')
          + tbs.skip_step(activities_of(1011), 'x') + tbs.mark_done(activities_of(1011), 'x', 'seen') + tbs.set_maximum_calls(activities_of(1011), 3, 'x') + tbs.run_now(activities_of(1011), 'x'),
          0::bigint, 'of an array it is left out');
SELECT answer(200);
SELECT work();

-- Retry of many: skips what cannot be, one row each, bulk, gently
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT'), (1041, 104, 'SEAT'), (1042, 104, 'NUMBER');
SELECT claim();
SELECT answer(400);
SELECT is(queue(), '{1021 usoc_added failed,1041 usoc_added failed,1042 usoc_added waiting}', 'two have failed');
UPDATE tbs.network_resource SET connections = 1 WHERE network_resource_id = 1;
SELECT forget();
SELECT is(value_as('test_operator', $$SELECT tbs.retry_activity(array_agg(q.activity_id), 'switch was down') FROM tbs.activity_queue AS q$$), '2', 'one statement with a filter of the queue retries them');
SELECT is(on_record('retried'), format('1021|%1$s|test_operator|switch was down|f 1041|%1$s|test_operator|switch was down|f', me()), 'a row for each: who, as whom, why');
SELECT results_eq('SELECT lane FROM tbs.activity_queue WHERE line_usoc_id IN (1021, 1041)', '{bulk,bulk}'::text[], 'many are bulk');
SELECT ok(value_of('SELECT c.ramp_from > clock_timestamp() - interval ''1 minute'' FROM tbs.network_resource_condition AS c WHERE c.network_resource_id = 1')::boolean, 'and begin gently');
UPDATE tbs.network_resource_condition SET ramp_from = NULL;
UPDATE tbs.network_resource SET connections = 10 WHERE network_resource_id = 1;
SELECT claim();
SELECT answer(400);
SELECT tbs.retry_activity(activities_of(1021, 1041), 'again');
SELECT is(value_of('SELECT count(ramp_from) FROM tbs.network_resource_condition'), '0', 'fewer than connections are no stampede');
SELECT claim();
SELECT answer(400);
SELECT tbs.retry_activity(activity_of(1021), 'this one first');
SELECT is(value_of('SELECT lane FROM tbs.activity_queue WHERE line_usoc_id = 1021'), 'person', 'a single one goes first');
SELECT work();
DELETE FROM tbs.line_usoc WHERE line_id = 104;
SELECT work();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1041, 104, 'SEAT'), (1042, 104, 'NUMBER');
SELECT claim();
SELECT answer(400);

-- Retry with a corrected value: nearest of all layers, for this activity alone
SELECT forget();
SELECT refused(format('SELECT tbs.retry_activity(%s, %L, %L)', activity_of(1041), 'x', '{"nickname": "A", "name-last-name": "B"}'), '22023', 'service netsapiens.seat takes no value "nickname"', 'It takes: .*name-last-name', 'explain_values', 'a value that no step takes');
SELECT refused(format('SELECT tbs.retry_activity(%s, %L, %L)', activity_of(1041), 'x', '{"limits-max-users": 5}'), '22023', 'takes no value "limits-max-users"', NULL, NULL, 'one of the domain, which lines share');
SELECT refused(format('SELECT tbs.retry_activity(%s, %L, %L)', activity_of(1041), 'x', '["name-last-name"]'), '22023', 'must be an object, not array', NULL, 'name-last-name', 'not an object');
SELECT is(queue(), '{1041 usoc_added failed,1042 usoc_added waiting}', 'refused: nothing happened');
SELECT is(as_role('test_operator', format('SELECT tbs.retry_activity(%s, %L, %L)', activity_of(1041), 'the switch refuses accents', '{"name-last-name": "Drew2", "area-code": 858}')), 'ok', 'corrected');
SELECT is(on_record('corrected'), format('1041|%s|test_operator|the switch refuses accents|{"area-code": 858, "name-last-name": "Drew2"}|f', me()), 'is on record with the values');
SELECT is(on_record('retried'), NULL, 'as one row');
SELECT is(value_of('SELECT corrections FROM tbs.activity_queue WHERE line_usoc_id = 1041'), '{"area-code": 858, "name-last-name": "Drew2"}', 'and shown on the queue');
SELECT claim();
SELECT answer(200, which => 'PUT /domains/acme');
SELECT answer(500, which => '%users');
SELECT results_eq($$SELECT b ->> 'name-last-name', b ->> 'area-code', b ->> 'name-first-name' FROM last_body('POST %users') AS b$$, $$VALUES ('Drew2', '858', 'Dan')$$, 'it is sent instead of the row''s value');
SELECT tbs.retry_activity(activity_of(1041), 'once more');
SELECT is(value_of('SELECT corrections ->> ''name-last-name'' FROM tbs.activity_queue WHERE line_usoc_id = 1041'), 'Drew2', 'a further retry keeps it');
SELECT work('{"service-code": "tbs:104"}');
SELECT is(last_body('PUT %users/104') ->> 'name-last-name', 'Drew2', 'and sends it');
SELECT is(value_of('SELECT last_name FROM tbs.line WHERE line_id = 104'), 'Drew', 'the row is as it was');
UPDATE tbs.line SET first_name = 'Don' WHERE line_id = 104;
SELECT work();
SELECT is(last_body('PUT %users/104') ->> 'name-last-name', 'Drew', 'the next activity sends the row''s value again');
UPDATE tbs.line SET first_name = 'Dot' WHERE line_id = 104;
SELECT claim();
SELECT answer(400);
SELECT tbs.retry_activity(activity_of(1041), 'x', '{"name-last-name": "Drew3"}');
SELECT claim();
SELECT answer(400);
SELECT tbs.retry_activity(activities_of(1041), 'x', '{}');
SELECT work();
SELECT is(last_body('PUT %users/104') ->> 'name-last-name', 'Drew', 'an empty correction takes it back');
SELECT refused('SELECT tbs.check_corrections(ARRAY(SELECT ROW(a.*)::tbs.activity FROM tbs.activity AS a), ''{"x": 1}'')', '00000', 'nothing', NULL, NULL, 'corrections of no activity: nothing to refuse');

-- Remove: what is behind it goes on, goes along, or is held
CREATE FUNCTION test.three_in_a_row() RETURNS void LANGUAGE plpgsql AS $three_in_a_row$
BEGIN
    UPDATE tbs.line SET extension = CASE extension WHEN '104' THEN '1104' ELSE '104' END WHERE line_id = 104;
    PERFORM claim();
    PERFORM answer(422);
    UPDATE tbs.line_usoc SET quantity = quantity + 1 WHERE line_usoc_id = 1041;
    PERFORM claim();
    -- A later change has given it a new round.
    IF EXISTS (SELECT FROM test.hand) THEN
        PERFORM answer(422);
    END IF;
END $three_in_a_row$;
SELECT three_in_a_row();
SELECT is(queue(), '{1041 line_changed failed,1042 line_changed waiting,1041 usoc_edited waiting}', 'a failed seat; behind it its next change, and the number that requires it');
SELECT refused(format('SELECT tbs.remove_activity(%s, %L, %L)', activity_of(1041), 'x', 'kill'), '22023', 'release, remove or hold, not "kill"', NULL, 'they go on', 'unknown followers');
SELECT refused(format('SELECT tbs.remove_activity(%s, %L, NULL)', activity_of(1041), 'x'), '22023', 'release, remove or hold', NULL, NULL, 'null followers');
SAVEPOINT before;
SELECT tbs.remove_activity(activity_of(1041), 'x');
SELECT is(queue(), '{1042 line_changed pending,1041 usoc_edited pending}', 'release: they go on');
SELECT isnt(work(), '{}', 'at once');
SELECT is(queue(), '{}', 'to the end');
ROLLBACK TO SAVEPOINT before;
SELECT forget();
SELECT tbs.remove_activity(activity_of(1041), 'x', 'remove');
SELECT is(queue(), '{}', 'remove: they go along');
SELECT is((SELECT array_agg(concat_ws(' ', h.line_usoc_id, h.reason, h.message, h.closes) ORDER BY h.activity_history_id) FROM tbs.activity_history AS h WHERE h.event = 'removed'),
          '{1041 x t,1042 x with what it followed t,1041 x with what it followed t}', 'each on record');
SELECT is((SELECT array_agg(DISTINCT s.last_result || s.in_step) FROM tbs.line_usoc_state AS s WHERE s.line_id = 104), '{removedfalse}', 'none is in step');
ROLLBACK TO SAVEPOINT before;
SELECT tbs.remove_activity(activity_of(1041), 'sold twice', 'hold');
SELECT is(queue(), '{1042 line_changed held,1041 usoc_edited held}', 'hold: they wait for a person');
SELECT is((SELECT array_agg(DISTINCT q.held_reason) FROM tbs.activity_queue AS q), '{what it followed was removed: sold twice}', 'with the reason');
SELECT is(work(), '{}', 'nothing is sent');
SELECT is(tbs.release_activity(activities_of(1041, 1042), 'go on'), 2::bigint, 'both are released');
SELECT work();
SELECT is(queue(), '{}', 'and done');
ROLLBACK TO SAVEPOINT before;
-- the array removes both of one line in one go
SELECT is(tbs.remove_activity(activities_of(1041, 1042), 'x', 'remove'), 3::bigint, 'an array: what is named and behind one another is counted once');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event = 'removed' AND h.reason = 'x'), 3::bigint, 'one row each');
ROLLBACK TO SAVEPOINT before;
SELECT tbs.remove_activity(activity_of(1041), 'x');
SELECT work();
-- one that is gone before anything of it was sent leaves no state behind
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2019, 201, 'LISTING');
SELECT tbs.hold_activity(activity_of(2019), 'x');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 2019;
SELECT tbs.remove_activity(activities_of(2019), 'x');
SELECT is((SELECT count(*) FROM tbs.line_usoc_state AS s WHERE s.line_usoc_id = 2019), 0::bigint, 'a line USOC that is gone and was never there leaves nothing behind');
-- the network resource's own
SELECT tbs.test_network_resource('ns-west');
SELECT refused(format('SELECT tbs.skip_step(%s, %L)', activity_of(0), 'x'), '55000', 'is not stuck at a step', NULL, NULL, 'a connection test has no step to skip');
SELECT tbs.mark_done(activity_of(0), 'looked by hand', 'curl says 200');
SELECT is(queue(), '{}', 'a connection test can be marked done');

-- Hold and release
UPDATE tbs.line SET first_name = 'H1' WHERE line_id = 104;
SELECT forget();
SELECT is(as_role('test_operator', format('SELECT tbs.hold_activity(%s, %L)', activity_of(1041), 'the customer will call')), 'ok', 'hold');
SELECT is(on_record('held'), format('1041|%s|test_operator|the customer will call|f', me()), 'on record');
SELECT results_eq('SELECT result_status, held_reason FROM tbs.activity_queue WHERE line_usoc_id = 1041', $$VALUES ('held', 'the customer will call')$$, 'the queue says why');
SELECT results_eq('SELECT status, explanation FROM tbs.line_status WHERE line_usoc_id = 1041', $$VALUES ('held', 'held: the customer will call')$$, 'the application sees it');
SELECT refused(format('SELECT tbs.retry_activity(%s, %L)', activity_of(1041), 'x'), '55000', 'is held', 'the customer will call', 'release_activity', 'a retry does not let it go');
SELECT refused(format('SELECT tbs.hold_activity(%s, %L)', activity_of(1041), 'x'), '55000', 'does not go on by itself', 'Its state is held', NULL, 'held already');
SELECT is(tbs.hold_activity(activities_of(1041), 'x'), 0::bigint, 'of an array it is left out');
UPDATE tbs.line_usoc SET quantity = 7 WHERE line_usoc_id = 1041;
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1042;
SELECT is(claim(), '{}', 'what comes later for its line USOC, or requires it, waits');
SELECT is(queue(), '{1041 line_changed held,1042 line_changed waiting,1041 usoc_edited waiting,1042 usoc_edited waiting}', 'behind it');
SELECT is(as_role('test_operator', format('SELECT tbs.release_activity(%s, %L)', activity_of(1041), 'he called')), 'ok', 'release');
SELECT is(on_record('released'), format('1041|%s|test_operator|he called|f', me()), 'on record');
SELECT is(value_of('SELECT brake_released::text || (held_reason IS NULL)::text FROM tbs.activity WHERE activity_id = ' || activity_of(1041)), 'falsetrue', 'it goes past no brake');
SELECT isnt(work(), '{}', 'and goes on');
SELECT is(queue(), '{}', 'all of them');
SELECT refused($$SELECT tbs.release_activity(a.activity_id, 'x') FROM tbs.activity AS a$$, '00000', 'nothing', NULL, NULL, 'of an empty queue');
-- one between tries holds its line; held, it does not
UPDATE tbs.line SET extension = '1104', first_name = 'H2' WHERE line_id = 104;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1043, 104, 'LISTED');
SELECT claim();
SELECT answer(500, '{}', which => '%users%');
SELECT matches(value_of('SELECT tbs.why_waiting(activity_of(1042))'), 'behind activity [0-9]+ of its line \(retry\)', 'another service of the line waits for one between tries');
SELECT tbs.hold_activity(activity_of(1041), 'x');
SELECT isnt(value_of('SELECT tbs.why_waiting(activity_of(1042))'), 'behind activity [0-9]+ of its line \(retry\)', 'it looks again when that is held');
SELECT tbs.release_activity(activity_of(1041), 'x');
SELECT work('{"service-code": "tbs:104"}');
SELECT is(queue(), '{}', 'all done');
-- one that waits for an object is not woken by it while it is held
UPDATE tbs.activity SET state = 'waiting' WHERE false;
UPDATE tbs.line SET first_name = 'H3' WHERE line_id = 101;
UPDATE tbs.activity SET state = 'waiting', waits_for_object_id = (SELECT o.remote_object_id FROM tbs.remote_object AS o WHERE o.kind = 'domain') WHERE line_usoc_id = 1011;
SELECT tbs.hold_activity(activity_of(1011), 'x');
SELECT tbs.wake_object_waiters(ARRAY[o.remote_object_id]) FROM tbs.remote_object AS o WHERE o.kind = 'domain';
SELECT is(queue(), '{1011 line_changed held}', 'what is held stays held when its object is free');
SELECT tbs.release_activity(activity_of(1011), 'x');
SELECT work();
-- the delete brake
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2019, 201, 'SEAT');
SELECT work();
UPDATE tbs.network_resource SET delete_brake = 0 WHERE network_resource_id = 1;
DELETE FROM tbs.line_usoc WHERE line_usoc_id IN (1021, 2019);
SELECT work();
SELECT is((SELECT array_agg(DISTINCT q.line_usoc_id || ' ' || q.result_status) FROM tbs.activity_queue AS q WHERE q.held_reason LIKE 'delete brake%'), '{1021 held,2019 held}', 'removals are held by the delete brake');
SELECT is(value_of($$SELECT count(*) FROM tbs.health WHERE trouble = 'removals held by the delete brake' AND detail LIKE '2 of network resource ns-east%' AND remedy LIKE '%release_activity%'$$), '1', 'health says so, and what to do');
SELECT is(tbs.release_activity((SELECT array_agg(q.activity_id) FROM tbs.activity_queue AS q WHERE q.held_reason LIKE 'delete brake%'), 'meant'), 2::bigint, 'released');
SELECT is((SELECT array_agg(DISTINCT a.brake_released::text || a.lane) FROM tbs.activity AS a), '{true4}', 'they go past the brake, in bulk');
SELECT work();
SELECT is(queue(), '{}', 'and are gone');
UPDATE tbs.network_resource SET delete_brake = NULL WHERE network_resource_id = 1;

-- Skip a step
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1031, 103, 'SEAT');
SELECT refused(format('SELECT tbs.skip_step(%s, %L)', activity_of(1031), 'x'), '55000', 'is not stuck at a step', 'Its state is new', NULL, 'skip a step of what is not stuck');
SELECT is(claim(), '{POST /domains/acme/sites}', 'its first step is the site');
SELECT answer(400);
SELECT forget();
SELECT is(as_role('test_operator', format('SELECT tbs.skip_step(%s, %L)', activity_of(1031), 'made by hand')), 'ok', 'skipped');
SELECT is(on_record('step_skipped'), format('1031|%s|test_operator|made by hand|add site north@acme|f', me()), 'on record: which step');
SELECT is(work(), '{POST /domains/acme/users}', 'it goes on with the next');
SELECT is((SELECT o.origin || ' ' || o.presence || ' ' || o.settled FROM tbs.remote_object AS o WHERE o.kind = 'site'), 'made present true', 'the site counts as made');
SELECT is(value_of('SELECT status FROM tbs.line_status WHERE line_usoc_id = 1031'), 'in step', 'the line is in step');
-- a retry sends all again; what is skipped in it is not sent all the same
UPDATE tbs.line SET first_name = 'S1' WHERE line_id = 103;
SELECT claim();
SELECT answer(400);
SELECT tbs.retry_activity(activity_of(1031), 'x');
SELECT is(claim(), '{PUT /domains/acme}', 'a retry sends everything');
SELECT answer(400);
SELECT tbs.skip_step(activity_of(1031), 'x');
SELECT is(work(), '{PUT /domains/acme/sites/north,PUT /domains/acme/users/103}', 'but for the step that was skipped');
-- a delete
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1031;
SELECT claim();
SELECT answer(400);
SELECT is(tbs.skip_step(activities_of(1031), 'deleted by hand'), 1::bigint, 'a delete is skipped, as an array');
SELECT work();
SELECT is((SELECT count(*) FROM tbs.remote_object AS o WHERE o.kind = 'user' AND o.key LIKE '103@%'), 0::bigint, 'the user counts as gone');
SELECT is(queue(), '{}', 'done');
-- what cannot be rendered has no step to skip
UPDATE tbs.line SET last_name = NULL WHERE line_id = 101;
SELECT claim();
SELECT refused(format('SELECT tbs.skip_step(%s, %L)', activity_of(1011), 'x'), '55000', 'cannot be made: user, name-last-name', NULL, NULL, 'data that cannot be rendered');
SELECT refused(format('SELECT tbs.mark_done(%s, %L, %L)', activity_of(1011), 'x', 'seen'), '55000', 'cannot be recorded as done: user, name-last-name', NULL, NULL, 'nor be marked done');
SELECT tbs.retry_activity(activity_of(1011), 'x', '{"name-last-name": "Able2"}');
SELECT work();
SELECT is(last_body('PUT %users/101') ->> 'name-last-name', 'Able2', 'but be corrected');
UPDATE tbs.line SET last_name = 'Able' WHERE line_id = 101;
SELECT work();

-- Mark done, with evidence
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1022, 102, 'SEAT'), (1023, 102, 'NUMBER');
SELECT claim();
SELECT answer(400);
SELECT refused(format('SELECT tbs.mark_done(%s, %L, %L)', activity_of(1022), 'x', ' '), '22023', 'evidence is needed', NULL, 'ticket', 'without evidence');
SELECT refused(format('SELECT tbs.mark_done(ARRAY[%s], %L, NULL)', activity_of(1022), 'x'), '22023', 'evidence is needed', NULL, 'ticket', 'of an array too');
SELECT forget();
SELECT is(as_role('test_operator', format('SELECT tbs.mark_done(%s, %L, %L)', activity_of(1022), 'the portal was quicker', 'user page shows 102')), 'ok', 'marked done');
SELECT is(on_record('marked_done'), format('1022|%s|test_operator|the portal was quicker|user page shows 102|t', me()), 'on record with the evidence; it closes the activity');
SELECT results_eq('SELECT status, in_step, explanation FROM tbs.line_status WHERE line_usoc_id = 1022', $$VALUES ('in step', true, 'marked done')$$, 'the line USOC is in step');
SELECT is((SELECT o.origin || ' ' || o.presence || ' ' || (o.accepted ->> 'name-first-name') FROM tbs.remote_object AS o WHERE o.kind = 'user' AND o.key = '102@acme'), 'made present Ben', 'its user is as the row says');
SELECT is(work(), '{POST /domains/acme/phonenumbers}', 'what was behind it goes on');
UPDATE tbs.line_usoc SET quantity = 3 WHERE line_usoc_id = 1022;
SELECT is(work(), '{PUT /domains/acme/users/102}', 'the next change sends it, equal or not');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1023;
SELECT claim();
SELECT answer(400);
SELECT is(tbs.mark_done(activities_of(1023), 'x', 'ticket 4711'), 1::bigint, 'a delete, as an array');
SELECT is((SELECT count(*) FROM tbs.remote_object AS o WHERE o.kind = 'phone_number' AND o.key = '18585550102'), 0::bigint, 'the number counts as gone');
SELECT is((SELECT count(*) FROM tbs.line_usoc_state AS s WHERE s.line_usoc_id = 1023) + (SELECT count(*) FROM tbs.remote_object_use AS u WHERE u.line_usoc_id = 1023), 0::bigint, 'and nothing is left of it');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1024, 102, 'NUMBER');
SELECT is(work(), '{POST /domains/acme/phonenumbers}', 'sold again it is made');

-- The maximum number of calls
UPDATE tbs.line SET first_name = 'M1' WHERE line_id = 101;
SELECT refused(format('SELECT tbs.set_maximum_calls(%s, %s, %L)', activity_of(1011), n, 'x'), '22023', 'from 1 to 1000, not ' || lower(n), NULL, NULL, 'maximum number of calls ' || n) FROM unnest('{0,1001,"NULL"}'::text[]) AS n;
SELECT forget();
SELECT is(as_role('test_operator', format('SELECT tbs.set_maximum_calls(%s, 2, %L)', activity_of(1011), 'patience')), 'ok', 'set');
SELECT is(on_record('maximum_calls_set'), format('1011|%s|test_operator|patience|maximum number of calls = 2|f', me()), 'on record');
SELECT is(tbs.set_maximum_calls(activities_of(1011), 1, 'less'), 1::bigint, 'set again, as an array');
SELECT results_eq($$SELECT value, layer FROM tbs.explain_policy(activity_of(1011)) WHERE name = 'maximum_calls'$$, $$VALUES ('1', 'activity')$$, 'it holds');
SELECT claim();
SELECT answer(500);
SELECT is(queue(), '{1011 line_changed failed}', 'one failed try is the last');
SELECT tbs.remove_activity(activity_of(1011), 'x');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1013, 101, 'LISTING');
SELECT tbs.set_maximum_calls(activity_of(1013), 3, 'x');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1013;
SELECT work();
SELECT is((SELECT count(*) FROM tbs.activity_policy AS p WHERE p.activity_id IS NOT NULL), 0::bigint, 'it goes with an activity that is superseded');

-- Run now: what is scheduled, before its day
SELECT is(tbs.run_now(activities_of(1011), 'x'), 0::bigint, 'nothing is scheduled');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, active_date, disconnect_date) VALUES (2011, 201, 'BOTH', current_date + 3, current_date + 30);
SELECT refused(format('SELECT tbs.run_now(%s, %L)', activity_of(2011), 'x'), '55000', 'is not scheduled', 'Its state is new', NULL, 'one that nobody has looked at');
SELECT work();
SELECT is(queue(), '{2011 usoc_added scheduled,2011 usoc_added scheduled}', 'it begins in three days, on two network resources');
SELECT refused(format('SELECT tbs.mark_done(%s, %L, %L)', activity_of(2011), 'x', 'seen'), '55000', 'is not due yet', NULL, NULL, 'what is not due cannot be done');
SELECT tbs.hold_activity(activity_of(2011), 'x');
SELECT tbs.release_activity(activity_of(2011), 'x');
SELECT is(queue(), '{2011 usoc_added scheduled,2011 usoc_added scheduled}', 'held and released it has its date again');
SELECT forget();
SELECT is(as_role('test_operator', format('SELECT tbs.run_now(%s, %L)', activity_of(2011), 'he is waiting')), 'ok', 'now');
SELECT is((SELECT array_agg(concat_ws(' ', h.event, h.reason, h.network_resource_id)) FROM tbs.activity_history AS h WHERE h.event = 'run_now'), '{"run_now he is waiting 1","run_now he is waiting 2"}', 'on record, one for each network resource');
SELECT is(work(), '{POST /domains,POST /domains,POST /domains/globex/users,POST /domains/globex/users}', 'it begins on both');
SELECT is(queue(), '{2011 usoc_deleted scheduled,2011 usoc_deleted scheduled}', 'its end is scheduled');
UPDATE tbs.line SET first_name = 'R1' WHERE line_id = 201;
SELECT is(cardinality(work()), 2, 'it is as any other until then');
SELECT is(tbs.run_now((SELECT array_agg(q.activity_id) FROM tbs.activity_queue AS q WHERE q.line_usoc_id = 2011 AND q.result_status = 'scheduled'), 'he leaves today'), 2::bigint, 'end it now, as an array');
SELECT is((SELECT count(*) FROM unnest(work()) AS c WHERE c LIKE 'DELETE %users/201'), 2::bigint, 'it ends on both');
SELECT is(queue(), '{}', 'and nothing is left to do');

-- More lines than the lock table has room for are one lock
SELECT set_config('test.locks', (SELECT count(*) FROM pg_locks AS l WHERE l.locktype = 'advisory')::text, true);
SELECT tbs.lock_lines(ARRAY(SELECT 1000000 + n FROM generate_series(1, 1001) AS n));
SELECT is((SELECT count(*) FROM pg_locks AS l WHERE l.locktype = 'advisory') - current_setting('test.locks')::bigint, 1::bigint, 'very many lines take one lock');

SELECT * FROM finish();
ROLLBACK;
