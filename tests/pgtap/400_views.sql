-- The pages for people: from the commit of a change until long after it is done, removed, or its line is gone.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(48);

-- Columns that TBS's pages have
SELECT ok(NOT EXISTS (SELECT c FROM unnest('{activity_type,activity_description,trigger_type,trigger_description,result_status,customer_id,account_number,order_number,line_id,telephone_number,line_usoc_id,usoc}'::text[]) AS c
                      EXCEPT SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = v.view::regclass), v.view || ' has the columns of TBS''s pages') FROM unnest('{tbs.activity_queue,tbs.activity_log}'::text[]) AS v (view);
SELECT has_column('tbs', 'activity_log', c, 'activity_log has ' || c) FROM unnest('{result,user,date}'::text[]) AS c;
SELECT ok(NOT EXISTS (SELECT c FROM unnest('{event,date,user,reason,customer_id,account_number,order_number,line_id,telephone_number,line_usoc_id,usoc}'::text[]) AS c
                      EXCEPT SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = 'tbs.activity_log_detail'::regclass), 'activity_log_detail too');

SELECT results_eq('SELECT trouble FROM tbs.health ORDER BY trouble', '{no bridge,not armed}'::text[], 'before anything: not armed, no bridge');
SELECT tbs.arm('test');
SELECT results_eq('SELECT trouble, remedy FROM tbs.health', $$VALUES ('no bridge', 'start tbs-bridge --environment test')$$, 'armed: no bridge, and what to do');
SELECT start_bridge();
SELECT is_empty('SELECT * FROM tbs.health', 'all is well: nothing');
SELECT tbs.set_setting('long_transaction', '1 microsecond', 'test');
SELECT results_eq('SELECT trouble, remedy FROM tbs.health', $$VALUES ('long transaction', format('end it: SELECT pg_terminate_backend(%s); for good: idle_in_transaction_session_timeout, and a replica for what has to read for long', pg_backend_pid()))$$, 'a transaction that is open for long: which, and what to do');
SELECT tbs.set_setting('long_transaction', '15 minutes', 'test');
SELECT is_empty('SELECT * FROM tbs.activity_log', 'no task yet: the log is empty, whatever was armed');

-- Captured
SELECT tbs.set_origin('O-77', 'clerk');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
SELECT set_config('test.activity', activity_of(1011)::text, true);
SELECT results_eq($$SELECT activity_type, activity_description, trigger_type, trigger_description, result_status, captured_by, user_name, account_number, order_number, line_id, telephone_number, usoc FROM tbs.activity_queue$$,
                  $$VALUES ('netsapiens.seat.usoc_added', 'ns-east', 'usoc_added', 'USOC SEAT added', 'pending', me(), 'clerk', 'A-1', 'O-77', 101::bigint, '+18585550101', 'SEAT')$$, 'captured: on the queue');
SELECT results_eq($$SELECT activity_type, result_status, result, "user", account_number, order_number, line_usoc_id FROM tbs.activity_log$$,
                  $$VALUES ('netsapiens.seat.usoc_added', 'pending', 'pending', 'clerk', 'A-1', 'O-77', 1011::bigint)$$, 'and in the log');
SELECT results_eq($$SELECT event, "user", trigger_description FROM tbs.activity_log_detail WHERE activity_id IS NOT NULL$$, $$VALUES ('captured', 'clerk', 'USOC SEAT added')$$, 'and its history begins');
SELECT results_eq($$SELECT service, status, in_step FROM tbs.line_status$$, $$VALUES ('seat', 'in progress', false)$$, 'the line USOC is in progress');
-- Processing
SELECT claim();
SELECT is(value_of('SELECT result_status FROM tbs.activity_log'), 'processing', 'processing');
-- Waiting for its next try
SELECT answer(500, '{"message": "busy just now"}');
SELECT results_eq($$SELECT result_status, calls_used::integer, last_outcome, last_message, due_at IS NOT NULL FROM tbs.activity_queue$$, $$VALUES ('waiting', 1, 'transient', 'HTTP 500; busy just now', true)$$, 'waiting for its next try, with the reason');
SELECT is(value_of('SELECT result FROM tbs.activity_log'), 'HTTP 500; busy just now', 'the most recent result');
SELECT let_time_pass();
SELECT is(value_of('SELECT result_status FROM tbs.activity_queue'), 'pending', 'due: pending');
SELECT is(value_of('SELECT status FROM tbs.line_status'), 'in progress', 'in progress still');
-- Failed
SELECT claim();
SELECT answer(404, '{}', which => 'GET%');
SELECT answer(400, '{"message": "Bad domain"}');
SELECT results_eq($$SELECT result_status, last_message LIKE 'HTTP 400; Bad domain%' FROM tbs.activity_queue$$, $$VALUES ('failed', true)$$, 'failed');
SELECT results_eq($$SELECT status, in_step, explanation LIKE 'HTTP 400%' FROM tbs.line_status$$, $$VALUES ('failed', false, true)$$, 'for the application as well, with the reason');
SELECT results_eq($$SELECT trouble, detail LIKE '1 of network resource ns-east%', remedy LIKE '%activity_failure_group%retry_activity%' FROM tbs.health$$, $$VALUES ('failed activities', true, true)$$, 'health says so');
-- Retried, succeeded
SELECT tbs.retry_activity(activity_of(1011), 'fixed');
SELECT work();
SELECT is_empty('SELECT * FROM tbs.activity_queue', 'done: off the queue');
SELECT results_eq($$SELECT activity_id::text, result_status, "user", order_number, line_usoc_id, activity_description FROM tbs.activity_log$$,
                  $$VALUES (current_setting('test.activity'), 'succeeded', 'clerk', 'O-77', 1011::bigint, 'ns-east')$$, 'in the log as one row for the task');
SELECT is((SELECT array_agg(d.event ORDER BY d.date) FROM tbs.activity_log_detail AS d WHERE d.activity_id = current_setting('test.activity')::bigint),
          '{captured,api_call,api_call,api_call,failed,retried,api_call,api_call,succeeded}', 'its whole history');
SELECT results_eq($$SELECT call_number, kind, key, operation, http_status, outcome, message LIKE '%Bad domain%', answer LIKE '%Bad domain%' FROM tbs.activity_log_detail WHERE http_status = 400$$,
                  $$VALUES (3, 'domain', 'acme', 'add', 400, 'rejected', true, true)$$, 'every call with its answer');
SELECT results_eq($$SELECT method, path, request_body::jsonb - '{email-address,user-scope,time-zone}'::text[], elapsed_microseconds FROM tbs.activity_log_detail WHERE kind = 'user' AND http_status IS NOT NULL$$,
                  $$VALUES ('POST', '/domains/acme/users', '{"synchronous": "yes", "user": "101", "name-first-name": "Ada", "name-last-name": "Able", "service-code": "tbs:101"}'::jsonb, 1000::bigint)$$,
                  'and what was sent, where, and how long it took');
SELECT results_eq($$SELECT "user", acting_role, reason FROM tbs.activity_log_detail WHERE event = 'retried'$$, $$VALUES (me(), me(), 'fixed')$$, 'and who retried it, and why');
SELECT results_eq($$SELECT status, in_step FROM tbs.line_status$$, $$VALUES ('in step', true)$$, 'the line USOC is in step');
-- Removed
UPDATE tbs.line SET first_name = 'A1' WHERE line_id = 101;
SELECT set_config('test.activity', activity_of(1011)::text, true);
SELECT tbs.remove_activity(activity_of(1011), 'not wanted');
SELECT results_eq($$SELECT result_status, result, "user" FROM tbs.activity_log WHERE activity_id = current_setting('test.activity')::bigint$$, $$VALUES ('removed', 'not wanted', me())$$, 'removed: in the log with who removed it and why');
SELECT is((SELECT array_agg(d.event ORDER BY d.date) FROM tbs.activity_log_detail AS d WHERE d.activity_id = current_setting('test.activity')::bigint), '{captured,removed}', 'its whole history');
-- Superseded
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1012, 101, 'NUMBER');
SELECT set_config('test.activity', activity_of(1012)::text, true);
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1012;
SELECT work();
SELECT is(value_of($$SELECT result_status FROM tbs.activity_log WHERE activity_id = current_setting('test.activity')::bigint$$), 'superseded', 'superseded');

-- Every page is one WHERE
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2013, 201, 'LISTED');
SELECT is((SELECT count(*) FROM tbs.activity_log AS l WHERE l.customer_id = 2), 2::bigint, 'the customer''s page');
SELECT is((SELECT count(*) FROM tbs.activity_log AS l WHERE l.account_number = 'A-2'), 2::bigint, 'by account number');
SELECT is((SELECT count(*) FROM tbs.activity_log AS l WHERE l.order_number = 'O-77'), 6::bigint, 'the order''s');
SELECT is((SELECT count(*) FROM tbs.activity_log AS l WHERE l.line_id = 101), 4::bigint, 'the line''s');
SELECT is((SELECT count(*) FROM tbs.activity_log AS l WHERE l.telephone_number = '+18585550101'), 4::bigint, 'the number''s');
SELECT is((SELECT count(*) FROM tbs.activity_log AS l WHERE l.line_usoc_id = 1012), 2::bigint, 'the line USOC''s');
SELECT is((SELECT count(*) FROM tbs.activity_log AS l WHERE l.usoc = 'LISTED'), 2::bigint, 'the Master USOC''s');
SELECT is((SELECT count(*) FROM (SELECT l.activity_id FROM tbs.activity_log AS l GROUP BY l.activity_id HAVING count(*) > 1) AS x), 0::bigint, 'no task is there twice');

-- The line is gone, then the customer: what happened stays
SELECT work();
DELETE FROM tbs.line_usoc WHERE line_id = 201;
DELETE FROM tbs.line WHERE line_id = 201;
SELECT work();
DELETE FROM tbs.network_information WHERE customer_id = 2;
DELETE FROM tbs.customer WHERE customer_id = 2;
SELECT results_eq($$SELECT usoc, result_status, customer_id, line_id, telephone_number FROM tbs.activity_log WHERE line_usoc_id = 2013 AND trigger_type = 'usoc_deleted' AND activity_description = 'listings'$$,
                  $$VALUES ('LISTED', 'succeeded', 2::bigint, 201::bigint, '+18585550201')$$, 'after the line and the customer are gone the log still has it');
SELECT is((SELECT count(*) FROM tbs.activity_log_detail AS d WHERE d.line_id = 201 AND d.event = 'captured'), 4::bigint, 'and its history');
SELECT is_empty('SELECT * FROM tbs.line_status WHERE line_id = 201', 'the status is of lines that there are');

-- line_status: what was never captured, and what is not active yet
SELECT tbs.disarm('x');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT'), (1029, 102, 'SURCHARGE');
SELECT tbs.arm('x');
SELECT results_eq($$SELECT line_usoc_id, status, explanation FROM tbs.line_status WHERE line_id = 102$$, $$VALUES (1021::bigint, 'not in step', 'not captured')$$, 'what was not captured is not in step; a surcharge has no status');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, active_date) VALUES (1041, 104, 'SEAT', current_date + 3);
SELECT work();
SELECT results_eq($$SELECT result_status, due_at = (current_date + 3)::timestamptz FROM tbs.activity_queue WHERE line_usoc_id = 1041$$, $$VALUES ('scheduled', true)$$, 'one with a date in the future is scheduled');
SELECT isnt(value_of('SELECT status FROM tbs.line_status WHERE line_usoc_id = 1041'), 'in step', 'and not in step');
-- nothing in a view is a secret
SELECT is((SELECT count(*) FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid JOIN pg_class AS v ON v.oid = r.ev_class
           WHERE d.refobjid IN ('tbs.subscriber_secret'::regclass, 'tbs.network_resource_secret'::regclass) AND v.relkind = 'v' AND v.relnamespace = 'tbs'::regnamespace), 0::bigint, 'no view reads a table of secrets');

SELECT * FROM finish();
ROLLBACK;
