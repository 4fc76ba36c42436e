-- Each page of the log is read from the newest end of an index, however long the log is: its plan, over a log that is long enough for the difference to show.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
SELECT plan(10);

SELECT tbs.arm('test');
INSERT INTO tbs.activity_history (activity_id, event, closes, activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id, order_number, telephone_number, usoc,
                                  captured_at, captured_by, recorded_at)
SELECT n, 'succeeded', true, (SELECT min(activity_type_id) FROM tbs.activity_type), (SELECT min(network_resource_id) FROM tbs.network_resource), n % 500, n % 600, n % 300 + 1,
       'O' || n % 400, '+18585550' || n % 900 + 100, 'U' || n % 200, now(), 'app', now() + n * interval '1 microsecond'
FROM generate_series(1, 20000) AS n;
ANALYZE tbs.activity_history;

-- Where it is to choose between this and sorting some dozens of rows, it may do either.
SET LOCAL enable_bitmapscan = off;

-- Merged, each partition by this index, and nothing of the log sorted.
CREATE FUNCTION test.reads_newest_end(page text, index text)
RETURNS text
LANGUAGE plpgsql
AS $reads_newest_end$
DECLARE
    v_line text;
    v_plan text := '';
BEGIN
    FOR v_line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT * FROM tbs.activity_log WHERE %s ORDER BY date DESC LIMIT 10', reads_newest_end.page) LOOP
        v_plan := v_plan || v_line || E'\n';
    END LOOP;
    RETURN matches(v_plan, '->  Merge Append.*Index Scan Backward using activity_history_[0-9_]+_' || reads_newest_end.index || '_idx on activity_history', 'WHERE ' || reads_newest_end.page);
END;
$reads_newest_end$;

SELECT test.reads_newest_end('true', 'recorded_at');
SELECT test.reads_newest_end('customer_id = 1', 'customer');
SELECT test.reads_newest_end($$order_number = 'O1'$$, 'order_number');
SELECT test.reads_newest_end('line_id = 17', 'line');
SELECT test.reads_newest_end('line_usoc_id = 17', 'line_usoc');
SELECT test.reads_newest_end($$telephone_number = '+18585550111'$$, 'telephone_number');
SELECT test.reads_newest_end($$usoc = 'U1'$$, 'usoc');

SELECT results_eq('SELECT activity_id FROM tbs.activity_log WHERE line_id = 17 ORDER BY date DESC LIMIT 3', '{19517,19017,18517}'::bigint[], 'and it is the newest that come');
SELECT is((SELECT count(*) FROM tbs.activity_log WHERE line_id IS NULL), 40::bigint, 'those without a line are there');
SELECT is((SELECT count(DISTINCT activity_id) FROM tbs.activity_log), 20000::bigint, 'as all are');

SELECT * FROM finish();
ROLLBACK;
