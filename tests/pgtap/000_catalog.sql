-- Rules of the house, checked on the catalog: search paths, privileges, comments, dump marks, indexes, triggers; and on the install script.
BEGIN;
\ir fixture/helpers.sql
SELECT plan(29);

CREATE VIEW test.member AS
SELECT d.classid, d.objid FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'tbs';
CREATE VIEW test.member_function AS SELECT p.* FROM pg_proc AS p JOIN test.member AS m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;
CREATE VIEW test.member_relation AS SELECT c.* FROM pg_class AS c JOIN test.member AS m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid;

SELECT cmp_ok((SELECT count(*) FROM test.member_function), '>', 100::bigint, 'the extension has functions (these checks look at something)');
SELECT cmp_ok((SELECT count(*) FROM test.member_relation WHERE relkind = 'r'), '>', 20::bigint, 'and tables');

-- Everything of ours is in schema tbs, and everything in schema tbs is ours.
SELECT is_empty($$SELECT p.oid::regprocedure FROM test.member_function AS p WHERE p.pronamespace <> 'tbs'::regnamespace$$, 'no function outside schema tbs');
SELECT is_empty($$SELECT c.oid::regclass FROM test.member_relation AS c WHERE c.relnamespace <> 'tbs'::regnamespace$$, 'no relation outside schema tbs');
SELECT is_empty($$SELECT t.oid::regtype FROM pg_type AS t JOIN test.member AS m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid WHERE t.typnamespace <> 'tbs'::regnamespace$$, 'no type outside schema tbs');
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'tbs'::regnamespace EXCEPT SELECT oid FROM test.member_function$$, 'no function in schema tbs that the extension does not own');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class AS c WHERE c.relnamespace = 'tbs'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p', 'f') AND NOT c.relispartition EXCEPT SELECT oid FROM test.member_relation$$,
                'no table or view in schema tbs that the extension does not own');
SELECT set_eq($$SELECT DISTINCT classid::regclass::text FROM test.member$$, '{pg_class,pg_proc,pg_type,pg_namespace,pg_event_trigger}'::text[], 'it has no other kinds of objects (casts, operators, languages)');

-- Search paths. Functions with a SQL-standard body are bound when they are created.
SELECT is_empty($$SELECT p.oid::regprocedure FROM test.member_function AS p JOIN pg_language AS l ON l.oid = p.prolang
                  WHERE l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)$$,
                'every function in SQL or PL/pgSQL has search_path = pg_catalog, pg_temp');
SELECT is_empty($$SELECT p.oid::regprocedure FROM test.member_function AS p JOIN pg_language AS l ON l.oid = p.prolang
                  WHERE l.lanname = 'c' AND p.prosecdef$$, 'no function in C runs with its owner''s rights');

-- Nothing for everybody. PUBLIC is role 0; a null ACL means the default, which grants functions and types to PUBLIC.
SELECT is_empty($$SELECT p.oid::regprocedure FROM test.member_function AS p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0$$,
                'no function is executable by PUBLIC');
SELECT is_empty($$SELECT c.oid::regclass FROM test.member_relation AS c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a WHERE a.grantee = 0$$,
                'no table, view or sequence is granted to PUBLIC');
SELECT is_empty($$SELECT t.oid::regtype FROM pg_type AS t JOIN pg_class AS c ON c.oid = t.typrelid
                  CROSS JOIN LATERAL aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) AS a
                  WHERE t.typnamespace = 'tbs'::regnamespace AND c.relkind = 'c' AND a.grantee = 0$$, 'no type is granted to PUBLIC');
SELECT is_empty($$SELECT 1 FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a WHERE n.nspname = 'tbs' AND a.grantee = 0$$,
                'nor is the schema');

-- Comments
SELECT is_empty($$SELECT p.oid::regprocedure FROM test.member_function AS p WHERE obj_description(p.oid, 'pg_proc') IS NULL$$, 'every function has a comment');
SELECT is_empty($$SELECT c.oid::regclass FROM test.member_relation AS c WHERE c.relkind IN ('r', 'p', 'v') AND obj_description(c.oid, 'pg_class') IS NULL$$, 'every table and view has one');
SELECT is_empty($$SELECT c.oid::regclass FROM test.member_relation AS c WHERE c.relkind = 'S' AND obj_description(c.oid, 'pg_class') IS NULL
                  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0)$$,
                'every sequence that does not belong to a column has one');
SELECT is_empty($$SELECT t.oid::regtype FROM pg_type AS t JOIN pg_class AS c ON c.oid = t.typrelid WHERE t.typnamespace = 'tbs'::regnamespace AND c.relkind = 'c' AND obj_description(t.oid, 'pg_type') IS NULL$$,
                'every type has one');
SELECT is_empty($$SELECT e.evtname FROM pg_event_trigger AS e JOIN test.member AS m ON m.objid = e.oid AND m.classid = 'pg_event_trigger'::regclass WHERE obj_description(e.oid, 'pg_event_trigger') IS NULL$$, 'every event trigger has one');
-- A column whose name does not say it all: a document, a duration, a state, a flag.
SELECT is_empty($$SELECT format('%s.%s', c.relname, a.attname)
                  FROM test.member_relation AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  WHERE c.relname IN ('customer', 'customer_order', 'master_usoc', 'network_information', 'line', 'line_usoc', 'device', 'line_device', 'line_member',
                                      'network_resource', 'network_resource_default', 'master_usoc_network_resource', 'activity_policy')
                    AND col_description(c.oid, a.attnum) IS NULL
                    AND a.attname <> ALL ('{name,description,usoc,service,network_resource_type,brand,model,first_name,last_name,email,reseller,site,caller_id_name,
                                           caller_id_number,emergency_address,order_number,paused_at,pause_reason,value,tls,connect_timeout_milliseconds,maximum_answer_bytes,shipped}'::text[])
                    AND a.attname NOT LIKE '%\_id'$$, 'columns that people write have one, unless their name says it all');

-- A dump keeps everything, except what is derived or shipped.
CREATE VIEW test.dumped AS SELECT unnest(e.extconfig) AS oid, unnest(e.extcondition) AS condition FROM pg_extension AS e WHERE e.extname = 'tbs';
SELECT set_eq($$SELECT c.relname::text FROM test.member_relation AS c WHERE c.relkind IN ('r', 'p') AND c.oid NOT IN (SELECT oid FROM test.dumped)$$,
              '{recipe,network_resource_context,setting_default,configuration_version}'::text[], 'every table is marked for dump but the derived ones and what is shipped whole');
SELECT is_empty($$SELECT c.oid::regclass FROM test.member_relation AS c WHERE c.relkind = 'S' AND c.oid NOT IN (SELECT oid FROM test.dumped)$$, 'every sequence is');
SELECT set_eq($$SELECT c.relname::text FROM test.dumped AS d JOIN pg_class AS c ON c.oid = d.oid WHERE d.condition <> ''$$,
              $$SELECT c.relname::text FROM test.member_relation AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'shipped' WHERE c.relkind = 'r'$$,
              'shipped rows are not dumped, in the tables that have such, and only there');

-- Foreign keys
SELECT is_empty($$SELECT format('%s (%s)', f.conname, f.conrelid::regclass) FROM pg_constraint AS f
                  WHERE f.contype = 'f' AND f.connamespace = 'tbs'::regnamespace
                    AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = f.conrelid AND i.indpred IS NULL
                                    AND (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey)$$, 'every foreign key has an index on its columns');
SELECT set_eq($$SELECT f.conname::text FROM pg_constraint AS f WHERE f.contype = 'f' AND f.connamespace = 'tbs'::regnamespace
                  AND f.conrelid::regclass::text IN ('tbs.activity', 'tbs.activity_history', 'tbs.remote_object', 'tbs.remote_object_use', 'tbs.line_usoc_state', 'tbs.subscriber_secret', 'tbs.bridge')$$,
              '{remote_object_use_remote_object_id_fkey}'::text[], 'run-time tables have no foreign key to business or configuration: they outlive them');

-- Triggers. A capture trigger that is ENABLE ALWAYS would fire in a restore.
SELECT is_empty($$SELECT format('%s on %s', t.tgname, t.tgrelid::regclass) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
                  WHERE c.relnamespace = 'tbs'::regnamespace AND NOT t.tgisinternal AND t.tgenabled <> CASE WHEN t.tgname LIKE 'note\_state\_xid%' THEN 'A'::"char" ELSE 'O' END$$,
                'every trigger is enabled in the ordinary way, and none ALWAYS but what keeps tbs.activity.state_xid true');
SELECT set_eq($$SELECT c.relname || ' ' || t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
                WHERE c.relnamespace = 'tbs'::regnamespace AND t.tgname LIKE 'capture%' AND (t.tgtype & 1) = 0$$,
              '{line_usoc capture_insert,line_usoc capture_update,line_usoc capture_delete,line capture_update,customer capture_update,network_information capture_update,device capture_update,line_device capture_insert,line_device capture_update,line_device capture_delete,line_member capture_insert,line_member capture_update,line_member capture_delete}'::text[],
              'capture triggers are statement triggers, one for each event');

-- The install script, where a superuser can read it.
CREATE FUNCTION test.install_script() RETURNS text LANGUAGE sql AS $install_script$
    SELECT regexp_replace(pg_read_file(format('%s/extension/tbs--%s.sql', c.setting, e.extversion)), '--[^\n]*', '', 'g')
    FROM pg_config AS c, pg_extension AS e WHERE c.name = 'SHAREDIR' AND e.extname = 'tbs';
$install_script$;
SELECT is_empty($$SELECT m[1] FROM regexp_matches(install_script(), '(CREATE OR REPLACE[^\n]*|CREATE[^\n]*IF NOT EXISTS[^\n]*|GRANT[^\n]*TO PUBLIC[^\n]*)', 'gi') AS m$$,
                'the install script replaces nothing, takes over nothing and grants nothing to PUBLIC');
SELECT is_empty($$SELECT left(f, 60) FROM regexp_split_to_table(install_script(), 'CREATE FUNCTION ') WITH ORDINALITY AS x (f, n)
                  WHERE n > 1 AND split_part(f, 'AS $', 1) !~ '(VOLATILE|STABLE|IMMUTABLE)'$$, 'every function says whether it is volatile, stable or immutable');

SELECT * FROM finish();
ROLLBACK;
