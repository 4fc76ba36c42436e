-- What operators do: effects, and who did what and why in the history.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(84);

CREATE ROLE test_operator;
SELECT tbs.grant_access('test_operator', 'operator');
SELECT tbs.arm('test');
SELECT start_bridge();
-- the last history row of an event: who, as whom, why
CREATE FUNCTION test.on_record(event text) RETURNS text LANGUAGE sql AS $on_record$
    SELECT concat_ws('|', h.session_role, h.acting_role, h.reason, h.message, h.line_usoc_id, h.network_resource_id, h.closes) FROM tbs.activity_history AS h
    WHERE h.event = on_record.event ORDER BY h.activity_history_id DESC LIMIT 1;
$on_record$;

-- retry_activity
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1012, 101, 'NUMBER');
SELECT refused('SELECT tbs.retry_activity(999999, ''x'')', 'P0002', 'unknown activity: 999999', 'No activity has or had this number', 'activity_queue', 'retry of an unknown activity');
SELECT refused(format('SELECT tbs.retry_activity(%s, %L)', activity_of(1011), ''), '22023', 'reason', NULL, 'history', 'retry without a reason');
SELECT refused(format('SELECT tbs.retry_activity(%s, %L)', activity_of(1011), 'x'), '55000', 'has not failed', 'Its state is new', 'why_waiting', 'retry of what has not failed: pending');
SELECT claim();
SELECT refused(format('SELECT tbs.retry_activity(%s, %L)', activity_of(1011), 'x'), '55000', 'has not failed', 'processing', 'why_waiting', 'processing');
SELECT refused(format('SELECT tbs.retry_activity(%s, %L)', activity_of(1012), 'x'), '55000', 'has not failed', 'waiting', 'why_waiting', 'waiting');
SELECT answer(400);
SELECT is(as_role('test_operator', format('SELECT tbs.retry_activity(%s, %L)', activity_of(1011), 'called the vendor')), 'ok', 'retry of what failed');
SELECT is(on_record('retried'), concat_ws('|', me(), 'test_operator', 'called the vendor', '1011', '1', 'f'), 'is on record: who logged in, as whom he acts, and why');
SELECT is(queue(), '{1011 usoc_added pending,1012 usoc_added waiting}', 'it is pending again');
SELECT is(claim(), '{POST /domains}', 'at once');
SELECT answer(200);
SELECT answer(500, '{}');
SELECT is(value_of('SELECT calls_used || '' '' || round FROM tbs.activity WHERE line_usoc_id = 1011'), '1 2', 'with a new round of calls');
SELECT lives_ok(format('SELECT tbs.retry_activity(%s, %L)', activity_of(1011), 'now'), 'one that waits for its next try can be told not to wait');
SELECT is(work('{"service-code": "tbs:101"}'), '{PUT /domains/acme,GET /domains/acme/users/101,PUT /domains/acme/users/101,POST /domains/acme/phonenumbers}',
          'it sends again even what was accepted before, and the line goes on');
SELECT refused(format('SELECT tbs.retry_activity(%s, %L)', (SELECT min(h.activity_id) FROM tbs.activity_history AS h WHERE h.line_usoc_id = 1011), 'x'), 'P0002', 'unknown activity', 'left the queue on .*: succeeded', 'activity_log',
               'retry of what is done: the detail says so');

-- remove_activity
UPDATE tbs.line SET first_name = 'A1' WHERE line_id = 101;
SELECT refused('SELECT tbs.remove_activity(999999, ''x'')', 'P0002', 'unknown activity', NULL, 'activity_queue', 'remove an unknown activity');
SELECT refused(format('SELECT tbs.remove_activity(%s, NULL)', activity_of(1011)), '22023', 'reason', NULL, 'history', 'remove without a reason');
SELECT claim();
SELECT refused(format('SELECT tbs.remove_activity(%s, %L)', activity_of(1011), 'x'), '55000', 'is being processed', 'no answer yet', 'Try again', 'remove what is being processed');
SELECT answer(400);
INSERT INTO tbs.activity_policy (activity_id, maximum_calls) VALUES (activity_of(1011), 5);
SELECT is(as_role('test_operator', format('SELECT tbs.remove_activity(%s, %L)', activity_of(1011), 'sold twice')), 'ok', 'remove what failed');
SELECT is(on_record('removed'), concat_ws('|', me(), 'test_operator', 'sold twice', '1011', '1', 't'), 'is on record, and closes it');
SELECT is((SELECT count(*) FROM tbs.activity AS a WHERE a.line_usoc_id = 1011), 0::bigint, 'it is off the queue');
SELECT is((SELECT count(*) FROM tbs.activity_policy AS p WHERE p.activity_id IS NOT NULL), 0::bigint, 'with its policy');
SELECT results_eq($$SELECT status, in_step, explanation FROM tbs.line_status WHERE line_usoc_id = 1011$$, $$VALUES ('not in step', false, 'removed')$$, 'its line USOC shows as not in step');
SELECT work();
UPDATE tbs.line SET first_name = 'A2' WHERE line_id = 101;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'a later change brings it into step');
SELECT is(value_of('SELECT status FROM tbs.line_status WHERE line_usoc_id = 1011'), 'in step', 'in step');
-- those behind it go on
UPDATE tbs.line SET extension = '1101' WHERE line_id = 101;
SELECT claim();
SELECT answer(422);
SELECT is(queue(), '{1011 line_changed failed,1012 line_changed waiting}', 'a failed seat, and the number behind it');
SELECT tbs.remove_activity(activity_of(1011), 'never mind');
SELECT is(work(), '{PUT /domains/acme/phonenumbers/18585550101}', 'when it is removed, what waited for it goes on');
UPDATE tbs.line SET extension = '101' WHERE line_id = 101;
SELECT work();
-- remove before it was ever claimed
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT');
SELECT tbs.remove_activity(activity_of(1021), 'by mistake');
SELECT is(work(), '{}', 'what is removed before it was claimed is not carried out');
SELECT results_eq($$SELECT status, explanation FROM tbs.line_status WHERE line_usoc_id = 1021$$, $$VALUES ('not in step', 'removed')$$, 'and its line USOC is not in step');

-- resync
SELECT refused('SELECT tbs.resync(line_id => 102)', '22023', 'reason', NULL, 'history', 'resync without a reason');
SELECT refused('SELECT tbs.resync(reason => ''x'')', '22023', 'nothing to resync', NULL, 'line_id', 'resync of nothing in particular');
SELECT is(tbs.resync(line_id => 102, reason => 'after a mistake'), 1::bigint, 'a line');
SELECT is(on_record('resynced'), concat_ws('|', me(), me(), 'after a mistake', '1 activities', 'f'), 'is on record');
SELECT is(queue(), '{1021 resync pending}', 'one activity');
SELECT is(work(), '{PUT /domains/acme,POST /domains/acme/users}', 'what is not there is made, the rest is sent again');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2011, 201, 'SEAT'), (2013, 201, 'LISTED');
SELECT work();
SELECT is(tbs.resync(customer_id => 2, reason => 'x'), 3::bigint, 'a customer: for each line USOC and network resource');
SELECT is(tbs.resync(customer_id => 2, network_resource_id => 3, reason => 'x'), 1::bigint, 'a customer on one network resource');
SELECT is(tbs.resync(network_resource_id => 1, reason => 'x'), 5::bigint, 'a network resource');
SELECT is(tbs.resync(line_id => 99, reason => 'x'), 0::bigint, 'an unknown line: nothing');
SELECT work();
SELECT tbs.disarm('test');
SELECT refused('SELECT tbs.resync(line_id => 102, reason => ''x'')', '55000', 'not armed', NULL, 'tbs\.arm', 'a disarmed database');
SELECT refused('SELECT tbs.test_network_resource(''ns-east'')', '55000', 'not armed', NULL, 'tbs\.arm', 'a test neither');
SELECT tbs.arm('test');
-- what is left of a deleted line USOC is taken along
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1049, 104, 'SEAT');
SELECT work();
SET LOCAL session_replication_role = replica;
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1049;
SET LOCAL session_replication_role = origin;
SELECT is(tbs.resync(line_id => 104, reason => 'rows were deleted behind our back'), 1::bigint, 'a line USOC that went without capture');
SELECT is(work(), '{DELETE /domains/acme/users/104}', 'is removed by a resync');
-- lines that share a domain do not send it in turn for ever
SELECT work();
SELECT is((SELECT count(DISTINCT s.line_id) FROM tbs.line_usoc_state AS s JOIN tbs.line AS l USING (line_id) WHERE s.service = 'seat' AND s.network_resource_id = 1 AND l.line_id IN (101, 102)),
          2::bigint, 'two lines of one domain');
SELECT tbs.resync(network_resource_id => 1, reason => 'x');
SELECT is(cardinality(array_positions(work(), 'PUT /domains/acme')), 1, 'a resync of both sends their domain once');

-- test_network_resource
SELECT refused('SELECT tbs.test_network_resource(''nowhere'')', '42704', 'unknown network resource: "nowhere"', NULL, 'SELECT name', 'test of an unknown network resource');
SELECT refused('SELECT tbs.test_network_resource(''listings'')', '0A000', 'has no connection test', NULL, NULL, 'of a type without a test');
SELECT is(as_role('test_operator', 'SELECT tbs.test_network_resource(''ns-west'')'), 'ok', 'a connection test');
SELECT is(claim(), '{GET /domains?limit=1}', 'is one read');
SELECT is(answer(200, '[]'), '{}', 'good');
SELECT results_eq($$SELECT activity_type, activity_description, result_status, line_id, line_usoc_id FROM tbs.activity_log WHERE trigger_type = 'test'$$,
                  $$VALUES ('netsapiens.connection_test.test', 'ns-west', 'succeeded', NULL::bigint, NULL::bigint)$$, 'and in the log, of no line');
SELECT tbs.test_network_resource('ns-west');
SELECT claim();
SELECT answer(401, '{"message": "Unauthorized"}');
SELECT is(value_of($$SELECT state FROM tbs.network_resource WHERE name = 'ns-west'$$), 'paused', 'a test with refused credentials pauses the resource');
SELECT is(value_of($$SELECT result_status FROM tbs.activity_log WHERE trigger_type = 'test' ORDER BY activity_id DESC LIMIT 1$$), 'failed', 'and has failed, in the log');

-- pause and resume
SELECT refused('SELECT tbs.resume_network_resource(''nowhere'', ''x'')', '42704', 'unknown network resource', NULL, 'SELECT name', 'resume an unknown network resource');
SELECT refused('SELECT tbs.resume_network_resource(''ns-east'', ''x'')', '55000', 'is not paused', NULL, NULL, 'resume what is not paused');
SELECT refused('SELECT tbs.resume_network_resource(''ns-west'', '' '')', '22023', 'reason', NULL, 'history', 'without a reason');
SELECT is(as_role('test_operator', 'SELECT tbs.resume_network_resource(''ns-west'', ''new key'')'), 'ok', 'resume');
SELECT is(on_record('resumed'), concat_ws('|', me(), 'test_operator', 'new key', '2', 'f'), 'is on record');
SELECT tbs.test_network_resource('ns-west');
SELECT is(claim(), '{GET /domains?limit=1}', 'and it is called again');
SELECT answer(200, '[]');
SELECT refused('SELECT tbs.pause_network_resource(''nowhere'', ''x'')', '42704', 'unknown network resource', NULL, 'SELECT name', 'pause an unknown one');
SELECT refused('SELECT tbs.pause_network_resource(''ns-east'', NULL)', '22023', 'reason', NULL, 'history', 'without a reason');
SELECT is(as_role('test_operator', 'SELECT tbs.pause_network_resource(''ns-east'', ''maintenance tonight'')'), 'ok', 'pause');
SELECT is(on_record('paused'), concat_ws('|', me(), 'test_operator', 'maintenance tonight', '1', 'f'), 'is on record');
UPDATE tbs.line SET first_name = 'A3' WHERE line_id = 101;
SELECT is(claim(), '{}', 'changes are captured, not sent');
SELECT results_eq($$SELECT trouble, detail LIKE 'ns-east since % maintenance tonight', remedy LIKE '%resume_network_resource(''ns-east''%' FROM tbs.health WHERE trouble LIKE 'network resource%'$$,
                  $$VALUES ('network resource paused', true, true)$$, 'health says so, and what to do');
SELECT tbs.resume_network_resource('ns-east', 'over');
SELECT is(work(), '{PUT /domains/acme/users/101}', 'and goes on');

-- adopt: no call
SELECT refused('SELECT * FROM tbs.adopt(''ns-east'', 1011, '''')', '22023', 'reason', NULL, 'history', 'adopt without a reason');
SELECT refused('SELECT * FROM tbs.adopt(''nowhere'', 1011, ''x'')', '42704', 'unknown network resource', NULL, NULL, 'on an unknown network resource');
SELECT refused('SELECT * FROM tbs.adopt(''ns-west'', 1011, ''x'')', 'P0002', 'not associated', NULL, 'explain_line', 'what is not associated');
SELECT tbs.without_capture('migration');
UPDATE tbs.network_information SET switch_domain = 'globex' WHERE network_information_id = 3;
INSERT INTO tbs.line (line_id, customer_id, network_information_id, telephone_number, extension, first_name, last_name) VALUES (202, 2, 3, '+18585550202', '202', 'Flo', 'Ford');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2021, 202, 'SEAT'), (2022, 202, 'NUMBER');
SELECT set_config('tbs.without_capture', '', true);
SELECT is(queue(), '{}', 'a line that is on the switch already, loaded without capture');
SELECT results_eq($$SELECT kind, key FROM tbs.adopt('ns-east', 2021, 'from the old system')$$, $$VALUES ('domain', 'globex'), ('user', '202@globex')$$, 'adopt returns what it has recorded');
SELECT is(on_record('adopted'), concat_ws('|', me(), me(), 'from the old system', 'line USOC 2021', '1', 'f'), 'is on record');
SELECT is(value_of('SELECT status FROM tbs.line_status WHERE line_usoc_id = 2021'), 'in step', 'the line USOC is in step');
UPDATE tbs.line SET parameters = '{"other": {"a": 1}}' WHERE line_id = 202;
SELECT is(work(), '{POST /domains/globex/phonenumbers}', 'what was adopted is not sent, what was not is made');
UPDATE tbs.line SET first_name = 'Flora' WHERE line_id = 202;
SELECT is(work(), '{PUT /domains/globex/users/202}', 'a change goes out as a change');
DELETE FROM tbs.line WHERE line_id = 202;
SELECT is(work(), '{DELETE /domains/globex/phonenumbers/18585550202,DELETE /domains/globex/users/202}', 'a delete as a delete');
INSERT INTO tbs.line (line_id, customer_id, network_information_id, extension, first_name) VALUES (203, 2, 3, '203', 'Gus');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2031, 203, 'SEAT');
SELECT refused('SELECT * FROM tbs.adopt(''ns-east'', 2031, ''x'')', '22023', 'cannot adopt user: no value for', 'Member: name-last-name', NULL, 'data that cannot be rendered');

-- history: retention and partitions
SELECT is(tbs.make_history_partitions(), 0, 'the partitions of this month and the next three are there');
SELECT is(tbs.make_history_partition('2020-02-01'), true, 'one more');
SELECT is(tbs.make_history_partition('2020-02-29'), false, 'is made once');
INSERT INTO tbs.activity_history (recorded_at, event) VALUES ('2020-02-01 00:00Z', 'api_call'), ('2020-02-29 23:59:59.999Z', 'api_call');
SELECT throws_ok($$INSERT INTO tbs.activity_history (recorded_at, event) VALUES ('2020-03-01 00:00Z', 'api_call')$$, '23514', NULL, 'months are those of UTC');
SELECT is(tbs.drop_history('2020-02-29'), 0, 'a month that has not ended before the day stays');
SELECT is(tbs.drop_history('2020-03-01'), 1, 'one that has is dropped');
SELECT is((SELECT count(*) FROM tbs.activity_history AS h WHERE h.recorded_at < '2020-03-01'), 0::bigint, 'with its rows');
SELECT refused(format('SELECT tbs.drop_history(%L)', current_date + 2), '22023', 'future', NULL, 'day in the past', 'history of the future');
SELECT is((SELECT count(*) FROM pg_inherits AS i WHERE i.inhparent = 'tbs.activity_history'::regclass AND to_date(substr(i.inhrelid::regclass::text, 22), 'YYYY_MM') >= date_trunc('month', now() AT TIME ZONE 'UTC')), 4::bigint,
          'this month and three ahead are there');

SELECT * FROM finish();
ROLLBACK;
