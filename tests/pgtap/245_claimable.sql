-- Where claims begin to look: what is new is in the order of the transactions that made it so, whoever did. And by which index they look, whatever was on the queue
-- when statistics were gathered.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
SELECT plan(18);

SELECT tbs.arm('test');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT');
SELECT is((SELECT (state_xid, woken)::text FROM tbs.activity), format('(%s,f)', pg_current_xact_id()), 'what is captured is new by this transaction');

-- A restore brings rows of another time, or of another server, whose transactions had other numbers.
SET LOCAL session_replication_role = replica;
INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, state_xid) SELECT activity_type_id, network_resource_id, line_id, 1, '3' FROM tbs.activity;
SELECT is((SELECT state_xid FROM tbs.activity WHERE line_usoc_id = 1), pg_current_xact_id(), 'what is copied in is new by the transaction that copies it');
SET LOCAL session_replication_role = origin;

-- new_again(state): as if an activity of an earlier transaction, in this state, became new.
CREATE FUNCTION test.new_again(state text) RETURNS text LANGUAGE plpgsql AS $new_again$
DECLARE
    v_result text;
BEGIN
    UPDATE tbs.activity AS a SET state = new_again.state, state_xid = '3', woken = false WHERE a.line_usoc_id = 1;
    UPDATE tbs.activity AS a SET state = 'new' WHERE a.line_usoc_id = 1
    RETURNING CASE WHEN a.state_xid = pg_current_xact_id() THEN 'now' ELSE 'as it was' END || CASE WHEN a.woken THEN ', before the lanes' ELSE ', in its lane' END INTO v_result;
    RETURN v_result;
END;
$new_again$;
SELECT is(new_again('waiting'), 'now, before the lanes', 'what waited for another has waited');
SELECT is(new_again('processing'), 'now, before the lanes', 'so has what a bridge gave back');
SELECT is(new_again('failed'), 'now, in its lane', 'a retry by hand has the lane that it is given');
SELECT is(new_again('scheduled'), 'now, in its lane', 'and what a person runs before its day');
SELECT is(new_again('new'), 'as it was, in its lane', 'what is new already keeps its place');
UPDATE tbs.activity SET state_xid = '3', lane = 3 WHERE line_usoc_id = 1;
UPDATE tbs.activity SET lane = 1 WHERE line_usoc_id = 1;
SELECT is((SELECT (state_xid, woken)::text FROM tbs.activity WHERE line_usoc_id = 1), format('(%s,f)', pg_current_xact_id()), 'in another lane it is new by the transaction that put it there');
UPDATE tbs.activity SET state = 'processing', state_xid = '3' WHERE line_usoc_id = 1;
UPDATE tbs.activity SET state = 'failed' WHERE line_usoc_id = 1;
SELECT is((SELECT state_xid FROM tbs.activity WHERE line_usoc_id = 1), '3', 'in other states it means nothing, and costs nothing');

-- A mark is not raised by a transaction that has written: it may be rolled back.
SELECT is(tbs.low_water_mark(1, 3), '0'::xid8, 'a session begins at the beginning');
SELECT is(tbs.raise_low_water_mark(1, 3, NULL), false, 'nothing is there');
SELECT is(tbs.low_water_mark(1, 3), '0'::xid8, 'a transaction that has written raises no mark');

-- Plans
DELETE FROM tbs.activity;
ANALYZE tbs.activity;
SET LOCAL enable_seqscan = off;
CREATE FUNCTION test.indexes(query text) RETURNS text LANGUAGE plpgsql AS $indexes$
DECLARE
    v_plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || indexes.query INTO v_plan;
    RETURN (SELECT string_agg(DISTINCT i #>> '{}', ' ') FROM jsonb_path_query(v_plan, '$.**."Index Name"') AS i WHERE i #>> '{}' LIKE 'activity%');
END;
$indexes$;
SELECT is(indexes('SELECT FROM tbs.activity AS a WHERE a.line_id = 1 AND a.network_resource_id = 1'), 'activity_sequence_idx', 'on an empty queue: a line''s sequence');
SELECT is(indexes('SELECT FROM tbs.activity AS a WHERE a.line_usoc_id = 1 AND a.network_resource_id = 1 AND a.line_id > 1'), 'activity_line_usoc_idx', 'what a line USOC has left on other lines');
SELECT is(indexes('SELECT FROM tbs.new_activities(1, 3) AS a ORDER BY a.state_xid LIMIT 1'), 'activity_claimable_idx', 'what is new is in an index of its own');
SELECT is(indexes('SELECT count(*) FROM tbs.activities_under_way(1)'), 'activity_processing_idx', 'what is under way is in an index of its own');
SELECT is(indexes('SELECT a.line_usoc_id, max(a.activity_id) FROM tbs.activity AS a WHERE a.activity_id = ANY (ARRAY[1, 2, 3]) GROUP BY a.line_usoc_id'), 'activity_pkey',
          'activities of a list are looked up by their numbers, whatever order is wanted');
SELECT is_empty($$SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = 'tbs.activity'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget IS DISTINCT FROM 0$$,
                'no statistics are gathered of what happens to be on the queue');

SELECT * FROM finish();
ROLLBACK;
