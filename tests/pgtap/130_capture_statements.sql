-- Kinds of statements: upsert, MERGE, COPY, data-modifying CTEs, cascades, savepoints.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
SELECT plan(20);

SELECT tbs.arm('test');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1021, 102, 'SEAT');
SELECT captured();

-- Upsert
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1031, 103, 'SEAT')
ON CONFLICT (line_usoc_id) DO UPDATE SET quantity = tbs.line_usoc.quantity + 1;
SELECT captured_is('{1011 usoc_edited seat ns-east,1031 usoc_added seat ns-east}', 'an upsert with both arms: an edit and an add');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT')
ON CONFLICT (line_usoc_id) DO UPDATE SET quantity = tbs.line_usoc.quantity;
SELECT captured_is('{}', 'an upsert that changes nothing');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1041, 104, 'SEAT')
ON CONFLICT (line_usoc_id) DO UPDATE SET quantity = 9;
SELECT captured_is('{1041 usoc_added seat ns-east}', 'an upsert of new rows only');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT') ON CONFLICT DO NOTHING;
SELECT captured_is('{}', 'ON CONFLICT DO NOTHING that does nothing');

-- MERGE
MERGE INTO tbs.line_usoc AS t
USING (VALUES (1011, 101, 'SEATPLUS'), (1021, 102, NULL), (1032, 103, 'NUMBER')) AS s (line_usoc_id, line_id, usoc) ON t.line_usoc_id = s.line_usoc_id
WHEN MATCHED AND s.usoc IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET usoc = s.usoc
WHEN NOT MATCHED THEN INSERT (line_usoc_id, line_id, usoc) VALUES (s.line_usoc_id, s.line_id, s.usoc);
SELECT set_eq($$SELECT unnest(captured())$$, '{1011 usoc_edited seat ns-east,1021 usoc_deleted seat ns-east,1032 usoc_added phone_number ns-east}'::text[], 'MERGE with three arms');
MERGE INTO tbs.line_usoc AS t
USING (VALUES (999999)) AS s (line_usoc_id) ON t.line_usoc_id = s.line_usoc_id
WHEN MATCHED THEN UPDATE SET quantity = 5;
SELECT captured_is('{}', 'MERGE that matches nothing');

-- COPY
COPY tbs.line_usoc (line_usoc_id, line_id, usoc) FROM STDIN;
1042	104	LISTED
1022	102	NUMBER
1049	104	SURCHARGE
\.
SELECT captured_is('{1022 usoc_added phone_number ns-east,1042 usoc_added listing listings,1042 usoc_added phone_number ns-east}', 'COPY');

-- Several data-modifying CTEs in one statement
WITH added AS (INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1043, 104, 'NUMBER') RETURNING 1),
     edited AS (UPDATE tbs.line_usoc SET quantity = 6 WHERE line_usoc_id = 1011 RETURNING 1),
     edited_too AS (UPDATE tbs.line_usoc SET quantity = 6 WHERE line_usoc_id = 1041 RETURNING 1),
     gone AS (DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1032 RETURNING 1)
SELECT 1 FROM added, edited, edited_too, gone;
SELECT set_eq($$SELECT unnest(captured())$$,
              '{1043 usoc_added phone_number ns-east,1011 usoc_edited seat ns-east,1041 usoc_edited seat ns-east,1032 usoc_deleted phone_number ns-east}'::text[],
              'four data-modifying CTEs on one table: each change once');
WITH new_line AS (INSERT INTO tbs.line (line_id, customer_id, network_information_id, extension) VALUES (105, 1, 1, '105') RETURNING line_id)
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) SELECT 1051, n.line_id, 'SEAT' FROM new_line AS n;
SELECT captured_is('{1051 usoc_added seat ns-east}', 'a line and its USOC in one statement');
WITH renamed AS (UPDATE tbs.line SET extension = '1105' WHERE line_id = 105 RETURNING line_id)
UPDATE tbs.line_usoc SET quantity = 2 WHERE line_usoc_id = 1051;
SELECT set_eq($$SELECT unnest(captured())$$, '{1051 line_changed seat ns-east,1051 usoc_edited seat ns-east}'::text[], 'line and USOC updated in one statement: one activity for each');

-- Savepoints
SAVEPOINT before;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1014, 101, 'NUMBER');
UPDATE tbs.line SET first_name = 'Nobody';
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1051;
ROLLBACK TO SAVEPOINT before;
SELECT captured_is('{}', 'rolled back to a savepoint: nothing');
SAVEPOINT again;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1014, 101, 'NUMBER');
RELEASE SAVEPOINT again;
SELECT captured_is('{1014 usoc_added phone_number ns-east}', 'a released savepoint keeps what it captured');
DO $half$
BEGIN
    INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1015, 101, 'NUMBER');
    BEGIN
        INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1016, 101, 'NUMBER');
        RAISE EXCEPTION 'never mind';
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
END;
$half$;
SELECT captured_is('{1015 usoc_added phone_number ns-east}', 'a caught exception takes away only its own block');

-- Triggers are statement triggers: a big statement makes one look, not one for each row
CREATE TABLE test.statements (n bigint);
CREATE FUNCTION test.count_statement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO test.statements SELECT count(*) FROM new_rows; RETURN NULL; END $$;
CREATE TRIGGER count_statement AFTER INSERT ON tbs.activity REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION test.count_statement();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) SELECT 50000 + n, 101, 'LISTED' FROM generate_series(1, 500) AS n;
SELECT results_eq('SELECT n FROM test.statements', '{1000}'::bigint[], '500 rows with two network resources: one INSERT of 1000 activities');
SELECT is((SELECT count(*) FROM unnest(captured()) WITH ORDINALITY AS c (activity, n) WHERE n <= 500 AND activity LIKE '%listing%'), 500::bigint, 'ascending by position over the whole statement');

-- Cascade of two parents in one statement
TRUNCATE test.statements;
DELETE FROM tbs.line WHERE line_id IN (101, 104);
SELECT is((SELECT count(*) FROM test.statements WHERE n > 0), 1::bigint, 'two lines deleted in one statement: one INSERT');
SELECT is((SELECT count(*) FROM unnest(captured()) AS c), 1000 + 3 + 4::bigint, 'of the deletes of all their USOCs');

-- Prepared transactions of an application are not in the way of the bell; two sessions are in tests/isolation.
SELECT lives_ok($$INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1033, 103, 'NUMBER')$$, 'a later statement in the same transaction');
SELECT captured_is('{1033 usoc_added phone_number ns-east}', 'is captured as well');
-- A plan that a session made for a statement of one row is kept for one of many: no nested loop over what changed, by the way it is written.
SELECT is_empty($$SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'tbs'::regnamespace AND p.prorettype = 'trigger'::regtype
                    AND regexp_replace(p.prosrc, 'FROM (old|new)_rows AS [on] FULL JOIN (old|new)_rows AS [on] ON [^(),]* OFFSET 0', '', 'g') ~ 'JOIN (old|new)_rows|EXISTS \(SELECT FROM (old|new)_rows'$$,
                'old and new rows are joined by a FULL JOIN behind OFFSET 0 everywhere');

SELECT * FROM finish();
ROLLBACK;
