-- A role that may create objects in public puts look-alikes of functions, operators and tables there and in pg_temp, and calls everything with a search
-- path that finds them first. None of them may ever be called with the rights of the extension's owner.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(55);

CREATE ROLE test_hostile;
SELECT tbs.grant_access('test_hostile', a) FROM unnest('{app,operator,admin,bridge,viewer}'::text[]) AS a;
GRANT CREATE, USAGE ON SCHEMA public TO test_hostile;
INSERT INTO tbs.device (device_id, mac) VALUES (1, '00:15:65:00:00:01');
INSERT INTO tbs.line_device (line_id, device_id) VALUES (101, 1);
SELECT tbs.arm('test');

-- What the statements below need, so that they hold no operator themselves.
CREATE FUNCTION test.bridge_now(OUT bridge_id bigint, OUT activity_ids bigint[], OUT call_numbers integer[], OUT curl_results integer[], OUT statuses integer[], OUT headers jsonb,
                                OUT answers bytea[], OUT started timestamptz[], OUT elapsed bigint[])
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $bridge_now$
    SELECT max(b.bridge_id), x.* FROM tbs.bridge AS b
    CROSS JOIN (SELECT array_agg(a.activity_id), array_agg(a.call_number), array_agg(0), array_agg(200), coalesce(jsonb_agg('{}'::jsonb), '[]'), array_agg('{}'::bytea), array_agg(now()), array_agg(1::bigint)
                FROM tbs.activity AS a WHERE a.state = 'processing') AS x (activity_ids, call_numbers, curl_results, statuses, headers, answers, started, elapsed)
    GROUP BY x.activity_ids, x.call_numbers, x.curl_results, x.statuses, x.headers, x.answers, x.started, x.elapsed;
$bridge_now$;
CREATE FUNCTION test.any_activity() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $any_activity$ SELECT max(a.activity_id) FROM tbs.activity AS a $any_activity$;
GRANT USAGE ON SCHEMA test TO test_hostile;

-- Look-alikes of the operators and functions of pg_catalog on the types that we use, each of which raises.
CREATE FUNCTION test.make_look_alikes() RETURNS integer LANGUAGE plpgsql AS $make_look_alikes$
DECLARE
    v_types oid[] := '{text,bigint,integer,smallint,boolean,jsonb,timestamptz,date,interval,"char",name,oid,macaddr,text[],bigint[],integer[],bytea,float8,numeric,jsonpath,regclass}'::regtype[]::oid[];
    v_row record;
    v_count integer := 0;
BEGIN
    SET LOCAL ROLE test_hostile;
    FOR v_row IN
        SELECT o.oprname, format_type(o.oprleft, NULL) AS l, format_type(o.oprright, NULL) AS r, format_type(o.oprresult, NULL) AS result
        FROM pg_operator AS o
        WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprleft = ANY (v_types) AND o.oprright = ANY (v_types) AND o.oprresult <> 0
    LOOP
        v_count := v_count + 1;
        EXECUTE format('CREATE FUNCTION public.hijack_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION ''hijacked'' USING ERRCODE = ''HI000''; END$$', v_count, v_row.l, v_row.r, v_row.result);
        EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.hijack_%s)', v_row.oprname, v_row.l, v_row.r, v_count);
    END LOOP;
    FOR v_row IN
        SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result
        FROM pg_proc AS p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND NOT p.proretset AND p.provariadic = 0
          AND p.proname = ANY ('{lower,upper,now,clock_timestamp,random,btrim,rtrim,left,substr,length,split_part,regexp_replace,to_char,to_date,date_trunc,current_setting,set_config,
                                 jsonb_typeof,jsonb_array_length,jsonb_path_match,jsonb_path_match_tz,jsonb_path_query_first,hashint8extended,pg_advisory_xact_lock,pg_try_advisory_xact_lock,
                                 pg_advisory_xact_lock_shared,nextval,current_database,power,ceil,strpos,replace,to_regclass,repeat,numeric_eq,texteq,int8eq,int4eq}'::text[])
          AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) AS t WHERE t IN ('anyelement'::regtype, 'anyarray'::regtype, '"any"'::regtype, 'internal'::regtype, 'cstring'::regtype))
          AND p.prorettype <> ALL ('{internal,cstring,anyelement,anyarray}'::regtype[])
    LOOP
        v_count := v_count + 1;
        EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION ''hijacked'' USING ERRCODE = ''HI000''; END$$', v_row.proname, v_row.arguments, v_row.result);
    END LOOP;
    -- Our own functions, with the very argument types, in public.
    FOR v_row IN
        SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments FROM pg_proc AS p
        WHERE p.pronamespace = 'tbs'::regnamespace AND p.proname IN ('is_armed', 'ring', 'capture_reason', 'setting_value', 'database_epoch', 'lock_lines', 'make_history_partitions', 'need_reason')
    LOOP
        v_count := v_count + 1;
        EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION ''hijacked'' USING ERRCODE = ''HI000''; END$$', v_row.proname, v_row.arguments);
    END LOOP;
    -- Tables that are searched for in pg_temp first, where a path does not put it last.
    FOR v_row IN SELECT t FROM unnest('{activity,activity_type,line,line_usoc,customer,arming,bridge,new_rows,old_rows,setting,recipe,remote_object,pg_database,pg_class,pg_inherits,network_resource}'::text[]) AS t LOOP
        EXECUTE format('CREATE TEMPORARY TABLE %I (hijacked integer CHECK (false))', v_row.t);
        EXECUTE format('GRANT ALL ON pg_temp.%I TO PUBLIC', v_row.t);
    END LOOP;
    RESET ROLE;
    RETURN v_count;
END;
$make_look_alikes$;
SELECT cmp_ok(make_look_alikes(), '>', 300, 'look-alikes of operators and functions are there');

-- hostile(statement): what comes of it with the hostile path; only the statement itself sees that path.
CREATE FUNCTION test.hostile(statement text) RETURNS text LANGUAGE plpgsql AS $hostile$
DECLARE
    v_message text;
BEGIN
    PERFORM pg_catalog.set_config('role', 'test_hostile', true);
    PERFORM pg_catalog.set_config('search_path', 'pg_temp, public, tbs, pg_catalog', true);
    EXECUTE statement;
    PERFORM pg_catalog.set_config('search_path', 'test, public', true);
    PERFORM pg_catalog.set_config('role', 'none', true);
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) SQLERRM;
END;
$hostile$;
SELECT is(hostile('SELECT 1 WHERE 1 = 1'), 'HI000 hijacked', 'the trap works: an operator of a statement is hijacked');
SELECT is(hostile($$SELECT lower('X'::text)$$), 'HI000 hijacked', 'so is a function');

-- Every function that somebody may call, and every trigger. No comparison in the statements themselves: those would be hijacked rightly.
SELECT is(hostile(statement), 'ok', statement) FROM unnest(ARRAY[
    $$SELECT tbs.set_origin('O-1', 'clerk')$$,
    $$SELECT tbs.e164('(858) 555-1234', 'US')$$,
    $$INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc, telephone_number) VALUES (1011, 101, 'SEAT', NULL), (1012, 101, 'LISTED', '+18585550101'), (1021, 102, 'SEAT', NULL)$$,
    $$UPDATE tbs.line_usoc SET quantity = 2$$,
    $$UPDATE tbs.line SET first_name = 'x'$$,
    $$UPDATE tbs.customer SET name = 'x'$$,
    $$UPDATE tbs.network_information SET time_zone = 'x'$$,
    $$UPDATE tbs.device SET model = 'x'$$,
    $$INSERT INTO tbs.line_device (line_id, device_id, slot) VALUES (102, 1, 2)$$,
    $$UPDATE tbs.line_device SET shared = true$$,
    $$INSERT INTO tbs.line_member (line_id, member_line_id) VALUES (101, 102)$$,
    $$UPDATE tbs.line_member SET position = 2$$,
    $$DELETE FROM tbs.line_member$$,
    $$INSERT INTO tbs.master_usoc (usoc) VALUES ('MINE')$$,
    $$UPDATE tbs.network_resource SET connections = 3$$,
    $$INSERT INTO tbs.network_resource_secret (network_resource_id, name, value) VALUES (1, 'k', 'v')$$,
    $$INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service) VALUES ('MINE', 1, 'seat')$$,
    $$INSERT INTO tbs.value_source (network_resource_type, layer, name, template) VALUES ('directory', 'line', 'who', '{email}')$$,
    $$SELECT tbs.bridge_start('b', '1', 'test')$$,
    $$SELECT tbs.bridge_configuration(b.bridge_id) FROM test.bridge_now() AS b$$,
    $$SELECT tbs.claim(b.bridge_id, 100) FROM test.bridge_now() AS b$$,
    $$SELECT tbs.bridge_beat(b.bridge_id, '{}') FROM test.bridge_now() AS b$$,
    $$SELECT tbs.report(b.bridge_id, b.activity_ids, b.call_numbers, b.curl_results, b.statuses, b.headers, b.answers, b.started, b.elapsed) FROM test.bridge_now() AS b$$,
    $$SELECT tbs.bridge_sleep(b.bridge_id) FROM test.bridge_now() AS b$$,
    $$SELECT tbs.bridge_wake(b.bridge_id) FROM test.bridge_now() AS b$$,
    $$SELECT * FROM tbs.activity_queue$$,
    $$SELECT * FROM tbs.activity_log$$,
    $$SELECT * FROM tbs.activity_log_detail$$,
    $$SELECT * FROM tbs.line_status$$,
    $$SELECT * FROM tbs.health$$,
    $$SELECT * FROM tbs.preview(101, true)$$,
    $$SELECT * FROM tbs.explain_line(101)$$,
    $$SELECT * FROM tbs.explain_values(1011, 'ns-east')$$,
    $$SELECT tbs.why_waiting(a.activity_id) FROM test.any_activity() AS a (activity_id)$$,
    $$SELECT tbs.explain_policy(a.activity_id) FROM test.any_activity() AS a (activity_id)$$,
    $$SELECT tbs.resync(line_id => 101, reason => 'x')$$,
    $$SELECT tbs.test_network_resource('ns-east')$$,
    $$SELECT tbs.pause_network_resource('ns-west', 'x')$$,
    $$SELECT tbs.resume_network_resource('ns-west', 'x')$$,
    $$SELECT tbs.adopt('ns-east', 1021, 'x')$$,
    $$SELECT tbs.audit_resource('ns-east')$$,
    $$SELECT * FROM tbs.audit_status$$,
    $$SELECT * FROM tbs.audit_result$$,
    $$SELECT tbs.plan_audit('{1}', 'adopt', 'x')$$,
    $$SELECT * FROM tbs.preview_change('UPDATE tbs.line SET first_name = ''x''')$$,
    $$SELECT * FROM tbs.impact_of_default('netsapiens', 'dial-plan', '"x"')$$,
    $$SELECT tbs.resync_changed('{1021}', 'x')$$,
    $$SELECT tbs.set_setting('maximum_calls', '4', 'x')$$,
    $$SELECT tbs.drop_history('2020-01-01')$$,
    $$SELECT tbs.without_capture('x')$$,
    $$SELECT tbs.disarm('x')$$,
    $$DELETE FROM tbs.line$$]) AS statement;

SELECT * FROM finish();
ROLLBACK;
