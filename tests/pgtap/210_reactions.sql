-- Answers that are neither yes nor no: exists, missing, unknown, in use elsewhere.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(64);

SELECT tbs.arm('test');
SELECT start_bridge();

-- Exists: a shared parent is taken as it is
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
SELECT is(claim(), '{POST /domains}', 'the domain is ensured');
SELECT is(answer(409, '{"code": 409, "message": "already exists"}'), '{POST /domains/acme/users}', 'it exists: that will do');
SELECT is(objects(), '{domain acme found present,user 101@acme made perhaps}', 'and is known as found, not made');
-- Exists: a user is looked at
SELECT is(answer(409), '{GET /domains/acme/users/101}', 'a user that exists: a look');
SELECT is(answer(200, '{"user": "101", "service-code": "tbs:101"}'), '{PUT /domains/acme/users/101}', 'ours by its mark: updated');
SELECT is(answer(202), '{}', 'and done');
SELECT is(queue(), '{}', 'the queue is empty');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1011;
SELECT is(work(), '{DELETE /domains/acme/users/101}', 'what was found is not deleted: the domain stays there');
SELECT is(objects(), '{}', 'and is forgotten');

-- Exists, and is somebody else's
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1012, 101, 'SEAT');
SELECT claim();
SELECT answer(409, which => 'POST /domains');
SELECT answer(409);
SELECT is(answer(200, '{"user": "101", "service-code": "somebody"}'), '{}', 'a user that is not ours: no call');
SELECT is(queue(), '{1012 usoc_added failed}', 'but failed');
SELECT matches(value_of($$SELECT last_message FROM tbs.activity_queue$$), 'user 101@acme is in use elsewhere.*adopt', 'in use elsewhere, and the remedy');
SELECT is(objects(), '{domain acme found present,user 101@acme made absent}', 'it is not taken for ours');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1012;
SELECT is(work(), '{}', 'and so it is not deleted');
SELECT is(queue(), '{}', 'the failed activity goes with its USOC');
SELECT is(value_of($$SELECT string_agg(tbs.ended_as(event), ',' ORDER BY activity_history_id) FROM tbs.activity_history WHERE line_usoc_id = 1012 AND (closes OR event <> 'api_call')$$),
          'failed,superseded,succeeded', 'as superseded');

-- Exists as HTTP 400 with a message
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1013, 101, 'SEAT');
SELECT claim();
SELECT is(answer(400, '{"code": 400, "message": "Domain Already Exists"}'), '{POST /domains/acme/users}', '"already exists" with status 400 is understood as well');
SELECT answer(202);

-- Missing: an edit of what is gone
UPDATE tbs.line SET first_name = 'Agnes' WHERE line_id = 101;
SELECT is(claim(), '{PUT /domains/acme/users/101}', 'an edit');
SELECT is(answer(404), '{POST /domains/acme/users}', 'of a user that is gone: made again');
SELECT is(answer(404, '{"message": "Domain acme does not exist"}'), '{}', 'its parent is gone too: tried again later');
SELECT is(queue(), '{1013 line_changed waiting}', 'it waits for its next try');
SELECT is(value_of('SELECT last_outcome FROM tbs.activity'), 'missing', 'and says why');
SELECT let_time_pass();
SELECT is(claim(), '{POST /domains/acme/users}', 'a create that was refused for its parent has made nothing: no look');
SELECT answer(202);
-- Missing: a delete of what is gone
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1013;
SELECT is(claim(), '{DELETE /domains/acme/users/101}', 'a delete');
SELECT is(answer(404), '{}', 'of what was written a moment ago, and may only not be visible yet');
SELECT is(objects(), '{user 101@acme made perhaps}', 'may be there');
UPDATE tbs.remote_object SET accepted_at = accepted_at - interval '1 minute';
SELECT let_time_pass();
SELECT is(claim(), '{DELETE /domains/acme/users/101}', 'so it is tried again later');
SELECT is(answer(404), '{}', 'of what is not there is done');
SELECT is(objects(), '{}', 'nothing is left');

-- A resource that contradicts itself: an edit says missing, a create says exists
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1014, 101, 'SEAT');
SELECT work();
UPDATE tbs.line SET first_name = 'Ann' WHERE line_id = 101;
CREATE FUNCTION test.contradict() RETURNS integer LANGUAGE plpgsql AS $contradict$
DECLARE
    v_calls integer := 0;
BEGIN
    WHILE v_calls < 500 LOOP
        PERFORM test.let_time_pass();
        PERFORM test.claim();
        EXIT WHEN NOT EXISTS (SELECT FROM test.hand);
        v_calls := v_calls + 1;
        PERFORM test.answer(CASE WHEN (SELECT h.method FROM test.hand AS h) = 'POST' THEN 409 ELSE 404 END);
    END LOOP;
    RETURN v_calls;
END;
$contradict$;
SELECT cmp_ok(contradict(), '<', 60, 'comes to an end');
SELECT is(queue(), '{1014 line_changed failed}', 'in front of an operator');
SELECT tbs.remove_activity(activity_of(1014), 'test');

-- Unknown: sent, the answer lost
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT');
SELECT work();
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1021;
SELECT work();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1022, 102, 'SEAT');
SELECT is(claim(), '{POST /domains/acme/users}', 'a create');
SELECT is(answer(0, '', curl_result => 56), '{}', 'whose answer is lost');
SELECT is(value_of('SELECT last_outcome FROM tbs.activity'), 'unknown', 'is unknown, not failed');
SELECT is(value_of('SELECT calls_used FROM tbs.activity'), '1', 'and counts');
SELECT let_time_pass();
SELECT is(claim(), '{GET /domains/acme/users/102}', 'looked at first');
SELECT is(answer(200, '{"service-code": "tbs:102"}'), '{PUT /domains/acme/users/102}', 'it had arrived: brought up to date');
SELECT is(answer(200), '{}', 'done');
-- Unknown create, and the USOC goes: no orphan
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1041, 104, 'SEAT');
SELECT claim();
SELECT answer(0, '', curl_result => 28);
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1041;
SELECT is(claim(), '{DELETE /domains/acme/users/104}', 'a create that may have arrived, deleted: the delete goes out');
SELECT is(answer(0, '', curl_result => 56), '{}', 'its answer is lost too');
SELECT let_time_pass();
SELECT is(claim(), '{DELETE /domains/acme/users/104}', 'a delete is repeated without a look');
SELECT is(answer(404), '{}', 'and is done when nothing is there');
SELECT is((SELECT count(*) FROM tbs.remote_object AS o WHERE o.key = '104@acme'), 0::bigint, 'no orphan is left');
-- Unknown edit
UPDATE tbs.line SET first_name = 'Bea' WHERE line_id = 102;
SELECT claim();
SELECT answer(0, '', curl_result => 52);
SELECT let_time_pass();
SELECT is(claim(), '{PUT /domains/acme/users/102}', 'an edit whose answer was lost is repeated');
SELECT answer(0, '', curl_result => 52);
UPDATE tbs.line SET first_name = 'Ben' WHERE line_id = 102;
SELECT let_time_pass();
SELECT is(claim(), '{PUT /domains/acme/users/102}', 'changed back to what was accepted before it: sent, since the other may have arrived');
SELECT is(last_body('PUT /domains/acme/users/102') ->> 'name-first-name', 'Ben', 'with what is wanted');
SELECT answer(200);
SELECT is(work(), '{}', 'and no more');

-- Exists after our own lost create, where there is no look: ours
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1042, 104, 'SEAT'), (1045, 104, 'LISTING');
SELECT claim();
SELECT answer(202, which => '%users%');
SELECT answer(503);
SELECT let_time_pass();
SELECT is(claim(), '{POST /entries}', 'a create with 503, and no step to look: again');
SELECT is(answer(409), '{PUT /entries/%2B18585550104}', 'exists now: the earlier one has arrived, so it is updated');
SELECT answer(200);

-- Ours by the mark of another line of ours: a create for line 101 whose answer was lost, and whose extension went to line 103 meanwhile
UPDATE tbs.line SET extension = '777' WHERE line_id = 101;
SELECT claim();
SELECT is(in_hand(), '{POST /domains/acme/users}', 'a user for line 101');
SELECT answer(0, '', curl_result => 56);
UPDATE tbs.line SET extension = '101' WHERE line_id = 101;
UPDATE tbs.line SET extension = '777', network_information_id = 1 WHERE line_id = 103;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1039, 103, 'SEAT');
SELECT is(claim(), '{GET /domains/acme/users/777}', 'that line 103 wants now: looked at');
SELECT is(answer(200, '{"service-code": "tbs:101"}'), '{PUT /domains/acme/users/777}', 'it has the mark of line 101: ours');
SELECT answer(200);
SELECT let_time_pass();
SELECT is(ARRAY(SELECT c FROM unnest(work()) AS c WHERE c LIKE '%/777%'), '{}', 'line 101 wants it no more, and does not remove it');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1039;
SELECT is(work(), '{DELETE /domains/acme/users/777}', 'when line 103 does not want it either, it goes');
UPDATE tbs.line SET extension = '103', network_information_id = 2 WHERE line_id = 103;

-- A number: ours by its mark, free in stock, or somebody's
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1043, 104, 'NUMBER');
SELECT claim();
SELECT is(answer(409), '{GET /domains/acme/phonenumbers/18585550104}', 'a number that exists is looked at');
SELECT is(answer(200, '{"dial-rule-application": "available-number"}'), '{PUT /domains/acme/phonenumbers/18585550104}', 'in stock: taken');
SELECT answer(200);
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, telephone_number) VALUES (1044, 104, 'NUMBER', '+18585550199');
SELECT claim();
SELECT answer(409);
SELECT is(answer(200, '{"dial-rule-application": "to-user", "dial-rule-description": "tbs:999"}'), '{}', 'another line''s: not taken');
SELECT is(queue(), '{1044 usoc_added failed}', 'failed');

-- It exists, and cannot be read
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1031, 103, 'SEAT');
SELECT claim();
SELECT answer(202, which => 'POST %/sites');
SELECT answer(409, which => 'POST %/users');
SELECT is(answer(404, which => 'GET %/users/103'), '{}', 'exists, and is missing at the look: not readable yet');
SELECT is(queue(), '{1044 usoc_added failed,1031 usoc_added waiting}', 'tried again later');
SELECT let_time_pass();
SELECT is(claim(), '{GET /domains/acme/users/103}', 'with a look');
SELECT is(answer(200, '{"service-code": "tbs:103"}'), '{PUT /domains/acme/users/103}', 'and it is ours');

-- A network resource that is deleted while a call is under way
INSERT INTO tbs.network_resource (network_resource_id, name, network_resource_type, base_url, environment) OVERRIDING SYSTEM VALUE
SELECT 99, 'ns-gone', r.network_resource_type, r.base_url, r.environment FROM tbs.network_resource AS r WHERE r.name = 'ns-east';
SELECT tbs.test_network_resource('ns-gone');
SELECT ok('GET /domains?limit=1' = ANY (claim()), 'its connection is tested');
DELETE FROM tbs.network_resource WHERE name = 'ns-gone';
SELECT answer(200, '[]', which => 'GET /domains?limit=1');
SELECT is((SELECT array_agg(h.event ORDER BY h.activity_history_id) FROM tbs.activity_history AS h WHERE h.network_resource_id = 99), '{api_call,succeeded}', 'the call is on record, and its end');

SELECT * FROM finish();
ROLLBACK;
