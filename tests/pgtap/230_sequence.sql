-- Whose turn it is: one at a time for each (line, network resource), required services, failures, supersession, remote objects that two lines want.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(71);

SELECT tbs.arm('test');
SELECT start_bridge();

-- One at a time for each (line, network resource)
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1012, 101, 'LISTED');
SELECT is(claim(), '{POST /domains,POST /entries}', 'a line''s activities on two network resources run side by side');
SELECT is(queue(), '{"1011 usoc_added processing","1012 usoc_added processing","1012 usoc_added waiting"}', 'two on one network resource do not');
SELECT answer(200, which => 'POST /entries');
SELECT is(answer(200), '{POST /domains/acme/users}', 'the seat goes on');
SELECT is(claim(), '{}', 'the number waits for it');
SELECT is(answer(202), '{POST /domains/acme/phonenumbers}', 'and has its turn when the seat is done');
SELECT is(answer(200), '{}', 'done');
SELECT is((SELECT count(*) FROM tbs.line_status WHERE line_id = 101 AND in_step), 3::bigint, 'all in step');

-- Numbered earlier and committed later: it comes first for its line USOC, and yet not while another of the line is under way or between tries
UPDATE tbs.line SET first_name = 'A0' WHERE line_id = 101;
SELECT claim();
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1011;
UPDATE tbs.activity SET moved_to = 1 WHERE activity_id = (SELECT max(a.activity_id) FROM tbs.activity AS a);
SELECT is(claim(), '{}', 'one whose transaction committed late does not start beside the one that is under way');
SELECT answer(500, which => 'PUT /domains/acme/users/101');
SELECT is(claim(), '{}', 'nor while that one waits for its next try');
SELECT let_time_pass();
SELECT is(work(), '{PUT /domains/acme/users/101}', 'and then finds nothing to send');

-- In the order of capture, whatever the trigger type
UPDATE tbs.line SET first_name = 'A1' WHERE line_id = 101;
UPDATE tbs.line_usoc SET telephone_number = '+18585550777' WHERE line_usoc_id = 1012;
SELECT is(ARRAY(SELECT c FROM unnest(work()) AS c WHERE c NOT LIKE '%/entries%'),
          '{PUT /domains/acme/users/101,POST /domains/acme/phonenumbers,DELETE /domains/acme/phonenumbers/18585550101}',
          'in the order of capture; a new number is made before the old one is released');

-- Lines do not wait for each other
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT'), (1041, 104, 'SEAT');
SELECT is(claim(), '{POST /domains/acme/users,POST /domains/acme/users}', 'two lines side by side');
SELECT answer(500, which => '%');
SELECT is(queue(), '{1021 usoc_added waiting,1041 usoc_added waiting}', 'both are to be tried again');
UPDATE tbs.activity SET due_at = clock_timestamp() - interval '1 ms' WHERE line_usoc_id = 1021;
SELECT is(claim(), '{GET /domains/acme/users/102}', 'one is due, the other is not');
SELECT answer(200, '{"service-code": "tbs:102"}');
SELECT answer(200);
SELECT is(queue(), '{1041 usoc_added waiting}', 'a line that is stuck costs others nothing');

-- An activity that waits for its next try holds its line
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1042, 104, 'NUMBER');
SELECT is(claim(), '{}', 'what comes later for the line waits through its retries');
SELECT matches(tbs.why_waiting(activity_of(1042)), '^behind activity [0-9]+ of its line', 'and says so');
SELECT let_time_pass();
SELECT is(claim(), '{GET /domains/acme/users/104}', 'the retry first');
SELECT is(answer(404), '{POST /domains/acme/users}', 'not there');
SELECT is(answer(202), '{POST /domains/acme/phonenumbers}', 'then the number');
SELECT answer(200);

-- What is required: captured before its seat, and never carried out without it
UPDATE tbs.network_information SET switch_domain = 'north' WHERE network_information_id = 2;
UPDATE tbs.network_information SET parent_id = NULL WHERE network_information_id = 2;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1032, 103, 'NUMBER');
SELECT is(claim(), '{}', 'a number without a seat on the line');
SELECT is(queue(), '{1032 usoc_added waiting}', 'waits');
SELECT is(tbs.why_waiting(activity_of(1032)), 'its line does not have service "seat" or "call_queue" in step', 'and says for what');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1031, 103, 'SEAT');
SELECT is(work(), '{POST /domains,POST /domains/north/users,POST /domains/north/phonenumbers}', 'the seat comes, then the number');
DELETE FROM tbs.line_usoc WHERE line_id = 103;
SELECT is(work(), '{DELETE /domains/north/phonenumbers/18585550103,DELETE /domains/north/users/103,DELETE /domains/north}', 'a delete waits for nothing that is required');

-- A required service on another network resource
INSERT INTO tbs.service (network_resource_type, service, description, requires) VALUES ('directory', 'premium', 'an entry that needs a number', '{phone_number}');
INSERT INTO tbs.activity_type (network_resource_type, service, trigger_type) VALUES ('directory', 'premium', 'usoc_added'), ('directory', 'premium', 'usoc_deleted');
INSERT INTO tbs.service_object (network_resource_type, service, position, kind, identity) VALUES ('directory', 'premium', 1, 'entry', '{"number": "premium-{line_usoc.telephone_number|digits}"}');
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body) VALUES
    ('directory', 'premium', 1, 'add', 'POST', '/premium', '{"number": "{object.number}"}'), ('directory', 'premium', 1, 'delete', 'DELETE', '/premium/{object.number}', NULL);
INSERT INTO tbs.master_usoc (usoc) VALUES ('PREMIUM');
INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service) VALUES ('PREMIUM', 3, 'premium');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1039, 103, 'PREMIUM'), (1032, 103, 'NUMBER'), (1031, 103, 'SEAT');
SELECT is(claim(), '{POST /domains}', 'only the seat can start');
SELECT answer(200);
SELECT is(answer(202), '{POST /domains/north/phonenumbers}', 'then the number');
SELECT answer(200);
SELECT is(claim(), '{POST /premium}', 'then what requires it on the other network resource');
SELECT answer(200);
SELECT is(queue(), '{}', 'all done');

-- A failed activity holds what comes later for its line USOC and what requires it; the rest of the line goes on
UPDATE tbs.line SET extension = '1103' WHERE line_id = 103;
SELECT claim();
SELECT is(in_hand(), '{POST /domains/north/users}', 'the seat is renamed');
SELECT answer(400, which => 'POST %');
SELECT is(queue(), '{1031 line_changed failed,1032 line_changed waiting}', 'the seat fails: the number, which requires it, waits');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1038, 103, 'LISTING');
SELECT is(claim(), '{POST /entries}', 'another service of the line goes on');
SELECT answer(200);
UPDATE tbs.line SET extension = '2103' WHERE line_id = 103;
SELECT is(claim(), '{POST /domains/north/users}', 'a later change gives the failed one a new round');
SELECT is(last_body('POST /domains/north/users') ->> 'user', '2103', 'with the rows of now');
SELECT is(answer(202), '{PUT /domains/north/phonenumbers/18585550103}', 'the number is pointed to the new user');
SELECT is(answer(200), '{DELETE /domains/north/users/103}', 'before the old one is removed');
SELECT answer(200);
SELECT is(work(), '{}', 'and nothing is left to do');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.event = 'new_round'), 1::bigint, 'the new round is on record');

-- A change of the number, and before its turn the line moves to another domain: the number is made from the rows of now, so the seat goes there first
UPDATE tbs.line_usoc SET quantity = 3 WHERE line_usoc_id = 1032;
UPDATE tbs.line SET network_information_id = 1 WHERE line_id = 103;
SELECT is(claim(), '{POST /domains/acme/users}', 'the later change of what is required comes first');
SELECT is(queue(), '{1032 usoc_edited waiting,1031 network_information_changed processing,1032 network_information_changed waiting}', 'the number waits for it');
SELECT is(answer(200), '{DELETE /domains/north/phonenumbers/18585550103}', 'and follows');
SELECT is(answer(200), '{POST /domains/acme/phonenumbers}', 'into the domain of its new seat');
SELECT is(answer(202), '{DELETE /domains/north/users/2103}', 'before the old one goes');
SELECT answer(200);
SELECT work();

-- What is required has its last day of service on the queue: it is there until then
UPDATE tbs.line_usoc SET disconnect_date = current_date + 30 WHERE line_usoc_id = 1031;
SELECT work();
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"dial-rule-translation-source-name": "Acme"}}' WHERE line_usoc_id = 1032;
SELECT is(work(), '{PUT /domains/acme/phonenumbers/18585550103}', 'a scheduled removal holds nobody');
SELECT is(queue(), '{1031 usoc_deleted scheduled}', 'it is still scheduled');
UPDATE tbs.line_usoc SET disconnect_date = NULL WHERE line_usoc_id = 1031;
UPDATE tbs.line_usoc SET parameters = '{}' WHERE line_usoc_id = 1032;
UPDATE tbs.line SET network_information_id = 2 WHERE line_id = 103;
SELECT work();

-- A delete closes what was not sent, or failed, as superseded
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1022, 102, 'NUMBER');
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1022;
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1022;
SELECT is(work(), '{}', 'added, edited and deleted before anything was sent: no call');
SELECT is(value_of($$SELECT string_agg(event, ',' ORDER BY activity_id, activity_history_id) FROM tbs.activity_history WHERE line_usoc_id = 1022$$), 'superseded,superseded,succeeded', 'two superseded, the delete has nothing to send');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1023, 102, 'NUMBER');
SELECT claim();
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1023;
SELECT is(claim(), '{}', 'a delete while the add is out waits');
SELECT is(queue(), '{1023 usoc_added processing,1023 usoc_deleted waiting}', 'behind it');
SELECT is(answer(200), '{DELETE /domains/acme/phonenumbers/18585550102}', 'and then removes it');
SELECT answer(200);
SELECT is(queue(), '{}', 'done');

-- Two lines and one remote object: no two calls to it are ever in flight
INSERT INTO tbs.device (device_id, mac) VALUES (1, '00:15:65:00:00:01');
INSERT INTO tbs.line_device (line_device_id, line_id, device_id, slot) VALUES (1, 102, 1, 1), (2, 104, 1, 2);
SELECT is(claim(), '{POST /domains/acme/users/102/devices,POST /domains/acme/users/104/devices}', 'two lines with a shared phone');
SELECT is(answer(202), '{POST /phones}', 'only one of them sends the phone');
SELECT is(queue(), '{1021 device_changed processing,1041 device_changed waiting}', 'the other waits for that call');
SELECT matches(tbs.why_waiting(activity_of(1041)), '^for the call of activity [0-9]+ to phone 001565000001$', 'and says so');
SELECT is(claim(), '{}', 'a claim does not pass it');
SELECT is(answer(200), '{}', 'the phone is there');
SELECT is(claim(), '{}', 'and is already as the other wants it');
SELECT is(queue(), '{}', 'so that both are done');
SELECT is((SELECT count(*) FROM test.sent AS s WHERE s.call LIKE '% /phones'), 1::bigint, 'with one call');

-- A rejected call does not block the object's other users for ever
UPDATE tbs.device SET model = 'T46S' WHERE device_id = 1;
SELECT is(claim(), '{PUT /phones}', 'a change of the shared phone');
SELECT answer(0, '', curl_result => 56);
SELECT is(claim(), '{PUT /phones}', 'its answer is lost: the other line brings it up to date');
SELECT answer(200);
SELECT let_time_pass();
SELECT is(work(), '{}', 'and the first finds it done');
SELECT is(queue(), '{}', 'the queue is empty');

-- The limit of a claim
INSERT INTO tbs.line (line_id, customer_id, network_information_id, extension, first_name, last_name) SELECT 300 + n, 1, 1, '3' || n, 'F', 'L' FROM generate_series(1, 10) AS n;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) SELECT 3000 + n, 300 + n, 'SEAT' FROM generate_series(1, 10) AS n;
SELECT is(cardinality(claim(3)), 3, 'a claim takes at most what it is asked for');
SELECT is(cardinality(claim(100)), 7, 'the rest with the next');
SELECT is(cardinality(answer(202)), 0, 'all answered in one report');
SELECT is(cardinality(claim(0)), 0, 'a maximum of nothing gives nothing');
UPDATE tbs.line SET last_name = NULL WHERE line_id BETWEEN 301 AND 306;
UPDATE tbs.line SET suspended = true WHERE line_id = 307;
UPDATE tbs.line SET last_name = 'M' WHERE line_id >= 308;
SELECT is(cardinality(claim(3)), 3, 'a claim goes past what cannot be sent, and what needs no call');

-- Whose turn it is, on lines with few activities and with many: as the rule says it, whatever states they are in.
-- rule(line): the rule written down, without an index in mind.
CREATE FUNCTION test.rule(line_id bigint, network_resource_id integer) RETURNS bigint LANGUAGE sql AS $rule$
    WITH of_line AS (SELECT a.*, coalesce(a.moved_to, a.activity_id) AS place FROM tbs.activity AS a
                     WHERE a.line_id = rule.line_id AND a.network_resource_id = rule.network_resource_id)
    SELECT a.activity_id FROM of_line AS a
    WHERE (a.state IN ('new', 'waiting') OR (a.state = 'retry' AND a.due_at <= clock_timestamp())) AND a.waits_for_object_id IS NULL
      AND NOT EXISTS (SELECT FROM of_line AS b WHERE b.line_usoc_id = a.line_usoc_id AND b.place < a.place AND b.state <> 'scheduled')
      AND NOT EXISTS (SELECT FROM of_line AS b WHERE b.state = 'processing' OR (b.state = 'retry' AND b.due_at > clock_timestamp()))
    ORDER BY a.place LIMIT 1
$rule$;
-- Lines 9001 and on, each with its number of activities modulo 45, on five USOCs. Hashed, so that each run has the same.
DELETE FROM tbs.activity;
INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, state, due_at, waits_for_object_id, moved_to)
SELECT t.activity_type_id, r.network_resource_id, 9000 + l.n, (9000 + l.n) * 10 + abs(hashint4(l.n * 1000 + k)) % 5,
       CASE WHEN x.die < 2 THEN 'scheduled' WHEN x.die < 4 THEN 'failed' WHEN x.die < 5 THEN 'held' WHEN x.die < 7 THEN 'new' WHEN x.die = 7 AND l.n % 3 = 0 THEN 'retry'
            WHEN x.die = 8 AND l.n % 7 = 0 THEN 'processing' ELSE 'waiting' END,
       CASE WHEN x.die < 2 THEN 'infinity' WHEN x.die = 7 AND l.n % 3 = 0 THEN CASE WHEN k % 2 = 0 THEN '-infinity' ELSE 'infinity' END::timestamptz END,
       CASE WHEN x.die = 9 AND k % 5 = 0 THEN 1 END, CASE WHEN k % 3 = 0 THEN 100 - k END
FROM generate_series(1, 300) AS l (n) CROSS JOIN LATERAL generate_series(0, l.n % 45) AS k
CROSS JOIN LATERAL (SELECT abs(hashint4(l.n * 777 + k)) % 10 AS die) AS x
JOIN tbs.network_resource AS r ON r.name = 'listings'
JOIN tbs.activity_type AS t ON t.network_resource_type = r.network_resource_type AND t.trigger_type = 'usoc_added'
JOIN tbs.service AS v ON v.network_resource_type = t.network_resource_type AND v.service = t.service AND v.requires = '{}';
SELECT cmp_ok((SELECT count(DISTINCT w.long) FROM (SELECT count(*) > 30 AS long FROM tbs.activity AS a WHERE rule(a.line_id, a.network_resource_id) IS NOT NULL GROUP BY a.line_id) AS w), '=', 2::bigint,
              'lines with few and with many activities have one whose turn it is');
SELECT set_eq($$SELECT unnest(tbs.next_activities(array_agg(l.line_id), array_agg(l.network_resource_id))) FROM (SELECT DISTINCT a.line_id, a.network_resource_id FROM tbs.activity AS a) AS l$$,
              $$SELECT rule(l.line_id, l.network_resource_id) FROM (SELECT DISTINCT a.line_id, a.network_resource_id FROM tbs.activity AS a) AS l WHERE rule(l.line_id, l.network_resource_id) IS NOT NULL$$,
              'and it is as the rule says');

SELECT * FROM finish();
ROLLBACK;
