-- The contract with the bridge: these functions and no table. Every write is fenced by the bridge's lease.
-- force_generic_plan: thousands of calls a second of the same few statements by key; planning each anew would cost more than running it.
-- enable_seqscan = off, and no joins but by look-ups: such a plan is kept, and may have been made when the tables were small. With an index it is right for any size. And jit = off, because a
-- sequential scan that cannot be avoided then counts as so expensive that it would be compiled. enable_memoize = off: what is looked up is mostly another row each time, and
-- the table to remember it in costs more to set up than a statement of one activity takes to run.

-- The fence: whoever ends a bridge takes this lock exclusively, so that a claim or report that has begun is over by then.
CREATE FUNCTION tbs.bridge_lock_key(bridge_id bigint)
RETURNS bigint
LANGUAGE sql
IMMUTABLE STRICT PARALLEL SAFE
-- A body of its own, without settings: so it is put into the statements that use it. With settings it would be planned anew by each of them.
RETURN hashint8extended(bridge_lock_key.bridge_id, 3351908674771);
COMMENT ON FUNCTION tbs.bridge_lock_key(bigint) IS 'internal: key of the advisory lock of a bridge';

CREATE FUNCTION tbs.fence_bridge(bridge_id bigint)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $fence_bridge$
BEGIN
    -- Tried first: a condition is not a statement, which would have to be started.
    IF NOT pg_try_advisory_xact_lock_shared(tbs.bridge_lock_key(fence_bridge.bridge_id)) THEN
        PERFORM pg_advisory_xact_lock_shared(tbs.bridge_lock_key(fence_bridge.bridge_id));
    END IF;
    RETURN true;
END;
$fence_bridge$;
COMMENT ON FUNCTION tbs.fence_bridge(bigint) IS 'internal: takes the fence of a bridge for this transaction; true';

-- After its fence.
CREATE FUNCTION tbs.is_bridge_alive(bridge_id bigint)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $is_bridge_alive$
BEGIN
    RETURN EXISTS (SELECT FROM tbs.bridge AS b WHERE b.bridge_id = is_bridge_alive.bridge_id AND b.ended_at IS NULL);
END;
$is_bridge_alive$;
COMMENT ON FUNCTION tbs.is_bridge_alive(bigint) IS 'internal: whether a bridge still holds its lease';

CREATE FUNCTION tbs.check_bridge_alive(bridge_id bigint)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $check_bridge_alive$
BEGIN
    IF NOT tbs.is_bridge_alive(check_bridge_alive.bridge_id) THEN
        RAISE EXCEPTION 'bridge % has lost its lease', check_bridge_alive.bridge_id
            USING ERRCODE = 'TB001', HINT = 'Register again with tbs.bridge_start().';
    END IF;
END;
$check_bridge_alive$;
COMMENT ON FUNCTION tbs.check_bridge_alive(bigint) IS 'internal: raises TB001 when a bridge has lost its lease';

CREATE FUNCTION tbs.milliseconds(duration interval)
RETURNS integer
LANGUAGE sql
IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $milliseconds$
    SELECT least(ceil(extract(epoch FROM milliseconds.duration) * 1000), 2147483647)::integer;
$milliseconds$;
COMMENT ON FUNCTION tbs.milliseconds(interval) IS 'internal: an interval in whole milliseconds, rounded up';

CREATE FUNCTION tbs.bridge_start(name text, version text, environment text)
RETURNS TABLE (bridge_id bigint, lease_milliseconds integer, beat_milliseconds integer)
LANGUAGE plpgsql
VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $bridge_start$
BEGIN
    IF bridge_start.environment = '' THEN
        RAISE EXCEPTION 'environment must not be empty' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Start the bridge with --environment NAME, the environment of its network resources.';
    END IF;
    -- A function in C loads the library, and with it how plans are made, before the session makes those that it keeps.
    PERFORM tbs.bell_wake();
    INSERT INTO tbs.bridge AS b (name, version, environment, configuration_version)
    SELECT bridge_start.name, bridge_start.version, bridge_start.environment, v.version FROM tbs.configuration_version AS v
    RETURNING b.bridge_id INTO bridge_start.bridge_id;
    INSERT INTO tbs.bridge_lease (bridge_id) VALUES (bridge_start.bridge_id);
    lease_milliseconds := tbs.milliseconds(tbs.setting_value('lease')::interval);
    beat_milliseconds := tbs.milliseconds(tbs.setting_value('beat')::interval);
    RETURN NEXT;
END;
$bridge_start$;
COMMENT ON FUNCTION tbs.bridge_start(text, text, text) IS 'registers a bridge process; returns its id, its lease and how often to beat (milliseconds)';

CREATE FUNCTION tbs.bridge_configuration(bridge_id bigint)
RETURNS TABLE (network_resource_id integer, name text, base_url text, authentication jsonb, secrets jsonb, tls jsonb, connections integer,
               timeout_milliseconds integer, connect_timeout_milliseconds integer, maximum_answer_bytes integer)
LANGUAGE plpgsql
VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $bridge_configuration$
BEGIN
    UPDATE tbs.bridge AS b SET configuration_version = v.version, configuration_read_at = clock_timestamp()
    FROM tbs.configuration_version AS v
    WHERE b.bridge_id = bridge_configuration.bridge_id AND b.configuration_version < v.version;
    IF FOUND THEN
        -- It may claim again.
        PERFORM tbs.ring();
    END IF;
    RETURN QUERY
    SELECT r.network_resource_id, r.name, rtrim(r.base_url, '/'), r.authentication,
           (SELECT coalesce(jsonb_object_agg(s.name, s.value), '{}') FROM tbs.network_resource_secret AS s WHERE s.network_resource_id = r.network_resource_id),
           r.tls, r.connections, r.timeout_milliseconds, r.connect_timeout_milliseconds, r.maximum_answer_bytes
    FROM tbs.bridge AS b JOIN tbs.network_resource AS r ON r.environment = b.environment
    WHERE b.bridge_id = bridge_configuration.bridge_id AND r.state <> 'retired';
END;
$bridge_configuration$;
COMMENT ON FUNCTION tbs.bridge_configuration(bigint) IS 'the network resources of a bridge''s environment: base URL, authentication with the secrets it refers to, TLS, limits';

-- give_back: what a bridge had and did not finish may be claimed again. Whether a call arrived is not known: the plan looks first. No try is counted.
CREATE FUNCTION tbs.give_back(activity_ids bigint[], event text, message text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $give_back$
DECLARE
    v_activity tbs.activity;
BEGIN
    FOR v_activity IN
        UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL
        WHERE a.activity_id = ANY (give_back.activity_ids) AND a.state = 'processing'
        RETURNING a.*
    LOOP
        UPDATE tbs.remote_object AS o SET in_flight_activity_id = NULL, prepared = CASE WHEN v_activity.operation <> 'prepare' THEN o.prepared END
        WHERE o.remote_object_id = v_activity.remote_object_id AND o.in_flight_activity_id = v_activity.activity_id;
        PERFORM tbs.wake_object_waiters(ARRAY[v_activity.remote_object_id]);
        PERFORM tbs.record_event(give_back.event, NULL, v_activity, false, give_back.message);
    END LOOP;
    IF FOUND THEN
        PERFORM tbs.ring();
    END IF;
END;
$give_back$;
COMMENT ON FUNCTION tbs.give_back(bigint[], text, text) IS 'internal: makes activities of a bridge claimable again, their call''s outcome unknown';

-- end_bridge: wait_for_lines: gives back also what is on lines that somebody is just deciding about. A beat does not wait: the next one has the rest.
CREATE FUNCTION tbs.end_bridge(bridge_id bigint, reason text, wait_for_lines boolean)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $end_bridge$
BEGIN
    PERFORM pg_advisory_xact_lock(tbs.bridge_lock_key(end_bridge.bridge_id));
    UPDATE tbs.bridge AS b SET ended_at = clock_timestamp(), end_reason = end_bridge.reason WHERE b.bridge_id = end_bridge.bridge_id AND b.ended_at IS NULL;
    IF FOUND THEN
        DELETE FROM tbs.bridge_lease AS l WHERE l.bridge_id = end_bridge.bridge_id;
        IF end_bridge.wait_for_lines THEN
            PERFORM tbs.lock_lines(ARRAY(SELECT a.line_id FROM tbs.network_resource AS r CROSS JOIN LATERAL tbs.activities_under_way(r.network_resource_id) AS a
                                         WHERE a.bridge_id = end_bridge.bridge_id));
        END IF;
        PERFORM tbs.give_back_of_ended(end_bridge.reason);
    END IF;
END;
$end_bridge$;
COMMENT ON FUNCTION tbs.end_bridge(bigint, text, boolean) IS 'internal: ends a bridge''s lease and gives back what it had';

-- give_back_of_ended: what ended bridges had. A line that somebody is deciding about (an operator's transaction may be open for long) is left to the next beat.
CREATE FUNCTION tbs.give_back_of_ended(reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $give_back_of_ended$
DECLARE
    v_lines bigint[] := ARRAY(SELECT a.line_id FROM tbs.network_resource AS r CROSS JOIN LATERAL tbs.activities_under_way(r.network_resource_id) AS a
                              WHERE NOT EXISTS (SELECT FROM tbs.bridge AS b WHERE b.bridge_id = a.bridge_id AND b.ended_at IS NULL));
BEGIN
    IF cardinality(v_lines) > 0 THEN
        v_lines := tbs.try_lock_lines(v_lines);
        -- Looked at again with the locks: somebody else may have taken it meanwhile.
        PERFORM tbs.give_back(ARRAY(SELECT a.activity_id FROM tbs.network_resource AS r CROSS JOIN LATERAL tbs.activities_under_way(r.network_resource_id) AS a
                                    WHERE a.line_id = ANY (v_lines)
                                      AND NOT EXISTS (SELECT FROM tbs.bridge AS b WHERE b.bridge_id = a.bridge_id AND b.ended_at IS NULL)),
                              'taken_over', give_back_of_ended.reason);
    END IF;
END;
$give_back_of_ended$;
COMMENT ON FUNCTION tbs.give_back_of_ended(text) IS 'internal: makes claimable again what bridges had that have ended';

-- take_over: ends a bridge that was seen with this beat for a whole lease. A beat waits for nobody: one that is in the middle of a statement is left to the
-- next beat. insist: it has been so for another lease (nobody reads the rows of its claim, say): its session is ended, which rolls the statement back.
CREATE FUNCTION tbs.take_over(bridge_id bigint, beat_number bigint, insist boolean, reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $take_over$
DECLARE
    v_key bigint := tbs.bridge_lock_key(take_over.bridge_id);
BEGIN
    IF NOT pg_try_advisory_xact_lock(v_key) THEN
        IF take_over.insist THEN
            PERFORM pg_terminate_backend(l.pid)
            FROM pg_locks AS l
            WHERE l.locktype = 'advisory' AND l.granted AND l.mode = 'ShareLock' AND l.objsubid = 1 AND l.pid <> pg_backend_pid()
              AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
              AND (l.classid::bigint << 32) | l.objid::bigint = v_key;
        END IF;
        RETURN;
    END IF;
    -- Looked at again with the fence: it may have renewed its lease in the last moment, and then it sends.
    IF EXISTS (SELECT FROM tbs.bridge_lease AS l WHERE l.bridge_id = take_over.bridge_id AND l.beat_number = take_over.beat_number) THEN
        PERFORM tbs.end_bridge(take_over.bridge_id, take_over.reason, false);
    END IF;
END;
$take_over$;
COMMENT ON FUNCTION tbs.take_over(bigint, bigint, boolean, text) IS 'internal: ends a bridge that has not renewed its lease, unless it has just done so or is in the middle of a statement';

-- A session keeps its plans; of two indexes that seemed equally good for an empty table it may have kept the one that has to be read from end to end. Autovacuum
-- comes once in a minute: a load of a hundred thousand lines begins and ends before that. A queue that was empty when autovacuum came has its pages still, and fills them
-- again without growing: hence the rows too.
CREATE FUNCTION tbs.analyze_grown_tables()
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
-- What counts is the size. Wide rows make a large sample dear (half a second for 15,000 remote objects), and a claim waits for it.
SET default_statistics_target = 10
AS $analyze_grown_tables$
DECLARE
    v_table record;
BEGIN
    FOR v_table IN
        SELECT c.relname FROM pg_class AS c
        WHERE c.relnamespace = 'tbs'::regnamespace AND c.relkind = 'r'
          AND (pg_relation_size(c.oid) > 4 * current_setting('block_size')::bigint * greatest(c.relpages, 2)
               OR pg_stat_get_live_tuples(c.oid) > 4 * greatest(c.reltuples, 100))
    LOOP
        EXECUTE format('ANALYZE (SKIP_LOCKED) tbs.%I', v_table.relname);
    END LOOP;
END;
$analyze_grown_tables$;
COMMENT ON FUNCTION tbs.analyze_grown_tables() IS 'internal: gathers statistics of tables that have become four times as large since it was done last, so that plans that are kept are made anew';

CREATE FUNCTION tbs.bridge_beat(bridge_id bigint, held bigint[])
RETURNS TABLE (configuration_version bigint, lost bigint[])
LANGUAGE plpgsql
VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET jit = off
AS $bridge_beat$
DECLARE
    -- First of all, as in tbs.claim().
    v_is_fenced boolean := tbs.fence_bridge(bridge_beat.bridge_id);
    v_previous_beat timestamptz;
    v_watched jsonb;
    v_now timestamptz := clock_timestamp();
    v_lease interval := tbs.setting_value('lease')::interval;
    v_other record;
    v_seen jsonb := '{}';
    v_dead bigint[] := '{}';
    v_lines bigint[];
BEGIN
    PERFORM tbs.check_bridge_alive(bridge_beat.bridge_id);
    SELECT l.beat_at, l.watched INTO v_previous_beat, v_watched FROM tbs.bridge_lease AS l WHERE l.bridge_id = bridge_beat.bridge_id;

    -- Others are watched with this server's clock and only between own beats: after a stall of the server, or of this bridge, the watch begins anew; and so it
    -- does when the clock was set back, or else nobody would be taken over until it has caught up.
    FOR v_other IN SELECT l.bridge_id AS id, l.beat_number FROM tbs.bridge_lease AS l WHERE l.bridge_id <> bridge_beat.bridge_id ORDER BY l.bridge_id LOOP
        IF v_now - v_previous_beat BETWEEN interval '0' AND v_lease AND (v_watched -> v_other.id::text ->> 0)::bigint = v_other.beat_number THEN
            v_seen := v_seen || jsonb_build_object(v_other.id, v_watched -> v_other.id::text);
            IF v_now - (v_watched -> v_other.id::text ->> 1)::timestamptz > v_lease THEN
                v_dead := v_dead || v_other.id;
            END IF;
        ELSE
            v_seen := v_seen || jsonb_build_object(v_other.id, jsonb_build_array(v_other.beat_number, v_now));
        END IF;
    END LOOP;
    UPDATE tbs.bridge_lease AS l SET beat_number = l.beat_number + 1, beat_at = v_now, watched = v_seen WHERE l.bridge_id = bridge_beat.bridge_id;
    PERFORM tbs.take_over(d.id, (v_seen -> d.id::text ->> 0)::bigint, v_now - (v_seen -> d.id::text ->> 1)::timestamptz > 2 * v_lease,
                          format('lease not renewed for %s, taken over by bridge %s', v_lease, bridge_beat.bridge_id))
    FROM unnest(v_dead) AS d (id);
    PERFORM tbs.give_back_of_ended('its bridge has ended');

    -- What the database thinks this bridge has and it does not: the answer to a claim or a report was lost. The beat waits for no line; the next one has the rest.
    v_lines := tbs.try_lock_lines(ARRAY(SELECT a.line_id FROM tbs.network_resource AS r CROSS JOIN LATERAL tbs.activities_under_way(r.network_resource_id) AS a
                                        WHERE a.bridge_id = bridge_beat.bridge_id AND a.activity_id <> ALL (bridge_beat.held)
                                          AND a.claimed_at NOT BETWEEN v_previous_beat AND v_now));
    IF cardinality(v_lines) > 0 THEN
        PERFORM tbs.give_back(ARRAY(SELECT a.activity_id FROM tbs.network_resource AS r CROSS JOIN LATERAL tbs.activities_under_way(r.network_resource_id) AS a
                                    WHERE a.bridge_id = bridge_beat.bridge_id AND a.activity_id <> ALL (bridge_beat.held)
                                      AND a.claimed_at NOT BETWEEN v_previous_beat AND v_now AND a.line_id = ANY (v_lines)),
                              'given_back', 'the bridge does not know of it');
    END IF;
    PERFORM tbs.wake_object_waiters(ARRAY(
        SELECT o.remote_object_id
        FROM (SELECT DISTINCT a.waits_for_object_id FROM tbs.activity AS a WHERE a.waits_for_object_id IS NOT NULL) AS w
        JOIN tbs.remote_object AS o ON o.remote_object_id = w.waits_for_object_id AND o.in_flight_activity_id IS NULL));
    PERFORM tbs.analyze_grown_tables();
    IF extract(minute FROM v_now) <> extract(minute FROM v_previous_beat) THEN
        PERFORM tbs.make_history_partitions();
        DELETE FROM tbs.network_resource_removal AS d WHERE d.begun_at < v_now - interval '1 hour';
        DELETE FROM tbs.bridge_tokens AS k WHERE NOT EXISTS (SELECT FROM tbs.bridge AS b WHERE b.bridge_id = k.bridge_id AND b.ended_at IS NULL);
    END IF;

    RETURN QUERY
    SELECT c.version, ARRAY(SELECT h FROM unnest(bridge_beat.held) AS h
                            WHERE NOT EXISTS (SELECT FROM tbs.activity AS a WHERE a.activity_id = h AND a.bridge_id = bridge_beat.bridge_id))
    FROM tbs.configuration_version AS c;
END;
$bridge_beat$;
COMMENT ON FUNCTION tbs.bridge_beat(bigint, bigint[]) IS
'renews a bridge''s lease, gives back what the database thinks it has and it does not hold, ends bridges that stood still for a whole lease; returns the configuration version and what it has lost; raises TB001 when its lease is lost';

-- What may be claimed for a network resource, line by line: from all lanes, a line of each costing twice one of the lane before it, so that none starves.
-- What is due or new again counts as the first lane: it has waited.
CREATE FUNCTION tbs.claimable_lines(network_resource_id integer, passed_over bigint[], maximum integer)
RETURNS bigint[]
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $claimable_lines$
DECLARE
    v_lines bigint[];
BEGIN
    -- Mostly there is room for all.
    v_lines := ARRAY(
        SELECT r.line_id
        FROM (SELECT unnest(n.line_ids) AS line_id
              FROM generate_series(0, 5) AS l (lane)
              -- Where nothing is passed over, this session knows from now on where each lane begins: hence no LIMIT over all of them.
              CROSS JOIN LATERAL (SELECT array_agg(f.line_id) AS line_ids,
                                         CASE WHEN claimable_lines.passed_over = '{}'
                                              THEN tbs.raise_low_water_mark(claimable_lines.network_resource_id, l.lane, min(f.state_xid)) END
                                  FROM (SELECT a.line_id, a.state_xid FROM tbs.new_activities(claimable_lines.network_resource_id, l.lane) AS a
                                        WHERE a.line_id <> ALL (claimable_lines.passed_over)
                                        ORDER BY a.state_xid, a.captured_at LIMIT claimable_lines.maximum + 1) AS f OFFSET 0) AS n
              UNION ALL
              (SELECT d.line_id FROM tbs.activity AS d
               WHERE d.network_resource_id = claimable_lines.network_resource_id AND d.state IN ('retry', 'scheduled') AND d.due_at <= clock_timestamp()
                 AND d.line_id <> ALL (claimable_lines.passed_over)
               ORDER BY d.due_at LIMIT claimable_lines.maximum + 1)) AS r);
    IF cardinality(v_lines) <= claimable_lines.maximum THEN
        RETURN v_lines;
    END IF;
    RETURN ARRAY(
        SELECT x.line_id
        FROM (SELECT c.line_id, c.lane, row_number() OVER (PARTITION BY c.lane ORDER BY c.is_new, c.place) * power(2, greatest(c.lane, 1)) AS cost
              FROM (SELECT r.line_id, l.lane, bool_and(r.is_new) AS is_new, min(r.place) AS place
                    FROM generate_series(0, 5) AS l (lane)
                    CROSS JOIN LATERAL (
                        -- Several of a line mostly follow each other: some more rows than lines.
                        (SELECT n.line_id, true AS is_new, row_number() OVER (ORDER BY n.state_xid, n.captured_at) AS place
                         FROM tbs.new_activities(claimable_lines.network_resource_id, l.lane) AS n
                         WHERE n.line_id <> ALL (claimable_lines.passed_over)
                         ORDER BY n.state_xid, n.captured_at LIMIT claimable_lines.maximum * 10)
                        UNION ALL
                        (SELECT d.line_id, false, row_number() OVER (ORDER BY d.due_at) FROM tbs.activity AS d
                         WHERE l.lane = 1 AND d.network_resource_id = claimable_lines.network_resource_id AND d.state IN ('retry', 'scheduled')
                           AND d.due_at <= clock_timestamp() AND d.line_id <> ALL (claimable_lines.passed_over)
                         ORDER BY d.due_at LIMIT claimable_lines.maximum)) AS r
                    GROUP BY r.line_id, l.lane) AS c) AS x
        GROUP BY x.line_id
        ORDER BY min(x.cost)
        LIMIT claimable_lines.maximum);
END;
$claimable_lines$;
COMMENT ON FUNCTION tbs.claimable_lines(integer, bigint[], integer) IS 'internal: the lines to look at next for a network resource; one may be there more than once';

-- Whether anything is new, or due by then, for a network resource of the bridge's environment. One row of
-- each range of the two indexes; and where nothing is passed over, this session knows from now on where each range begins.
CREATE FUNCTION tbs.has_claimable(bridge_id bigint, passed_over bigint[], due_by timestamptz)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $has_claimable$
BEGIN
    RETURN coalesce((
        SELECT bool_or(n.is_found OR d.is_due)
        FROM tbs.bridge AS b JOIN tbs.network_resource AS r ON r.environment = b.environment AND r.state = 'active'
        CROSS JOIN LATERAL (
            SELECT bool_or(CASE WHEN has_claimable.passed_over = '{}' THEN tbs.raise_low_water_mark(r.network_resource_id, l.lane, f.state_xid)
                                ELSE f.state_xid IS NOT NULL END) AS is_found
            FROM generate_series(0, 5) AS l (lane)
            LEFT JOIN LATERAL (SELECT a.state_xid FROM tbs.new_activities(r.network_resource_id, l.lane) AS a
                               WHERE a.line_id <> ALL (has_claimable.passed_over) ORDER BY a.state_xid LIMIT 1) AS f ON true) AS n
        CROSS JOIN LATERAL (
            SELECT EXISTS (SELECT FROM tbs.activity AS a
                           WHERE a.network_resource_id = r.network_resource_id AND a.state IN ('retry', 'scheduled') AND a.due_at <= has_claimable.due_by
                             AND a.line_id <> ALL (has_claimable.passed_over) OFFSET 0) AS is_due) AS d
        WHERE b.bridge_id = has_claimable.bridge_id), false);
END;
$has_claimable$;
COMMENT ON FUNCTION tbs.has_claimable(bigint, bigint[], timestamptz) IS 'internal: whether anything but these lines is new, or due by a moment, for a network resource of a bridge''s environment, whatever their limits say';

CREATE FUNCTION tbs.claim(bridge_id bigint, maximum integer)
RETURNS SETOF tbs.api_call
LANGUAGE plpgsql
VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET enable_memoize = off
SET jit = off
AS $claim$
DECLARE
    v_until timestamptz := clock_timestamp() + interval '1 second';
    -- First of all: every statement after it sees whether the bridge was ended.
    v_is_fenced boolean := tbs.fence_bridge(claim.bridge_id);
    v_tried bigint[] := '{}';
    v_budgets tbs.budget[];
    v_found bigint[];
    v_lines bigint[];
    v_look record;
    v_resources integer[];
    v_count integer := 0;
    v_are_all boolean;
    v_calls tbs.api_call[];
    v_call tbs.api_call;
BEGIN
    -- An operator's mass action has all lines: whoever ends it rings.
    v_budgets := CASE WHEN claim.maximum > 0 AND pg_try_advisory_xact_lock_shared(tbs.all_lines_lock_key()) THEN tbs.budgets(claim.bridge_id) ELSE '{}' END;
    IF cardinality(v_budgets) = 0 THEN
        PERFORM tbs.check_bridge_alive(claim.bridge_id);
    END IF;
    -- Round by round: what needs no call (nothing to send, data that cannot be rendered) must not hide what does.
    WHILE cardinality(v_budgets) > 0 LOOP
        -- Lines, not rows, are claimed: whoever has a line's lock looks at all of it. A line that another session has is left to that one.
        SELECT array_agg(g.line_id), array_agg(g.line_id) FILTER (WHERE g.is_locked), array_agg(r.network_resource_id) FILTER (WHERE g.is_locked),
               sum(g.found) FILTER (WHERE r.ordinality = 1) < min(g.asked)
          INTO v_found, v_lines, v_resources, v_are_all
        FROM (SELECT c.line_id, array_agg(DISTINCT c.network_resource_id) AS network_resource_ids, min(c.asked) AS asked, count(*) AS found,
                     pg_try_advisory_xact_lock(tbs.line_lock_key(c.line_id)) AS is_locked
              FROM (SELECT l.line_id, b.network_resource_id, b.asked
                    FROM (SELECT x.network_resource_id, least(x.calls, x.tokens, claim.maximum - v_count) AS asked FROM unnest(v_budgets) AS x) AS b
                    CROSS JOIN LATERAL unnest(tbs.claimable_lines(b.network_resource_id, v_tried, b.asked)) AS l (line_id)
                    WHERE b.asked > 0
                    LIMIT claim.maximum - v_count) AS c
              GROUP BY c.line_id OFFSET 0) AS g
        CROSS JOIN LATERAL unnest(g.network_resource_ids) WITH ORDINALITY AS r (network_resource_id);
        EXIT WHEN v_found IS NULL;
        v_tried := v_tried || v_found;
        CONTINUE WHEN v_lines IS NULL;
        v_look := tbs.look_at_lines(v_lines, v_resources);
        CONTINUE WHEN v_look.line_ids IS NULL;
        v_calls := tbs.run(claim.bridge_id, '{}', v_look.line_ids, v_look.network_resource_ids, claim.maximum - v_count, v_budgets, v_look.activity_ids, v_look.are_alone);
        FOREACH v_call IN ARRAY v_calls LOOP
            RETURN NEXT v_call;
        END LOOP;
        v_count := v_count + cardinality(v_calls);
        IF v_count >= claim.maximum OR clock_timestamp() > v_until THEN
            -- There may be more: whoever sleeps, this bridge too, is woken.
            PERFORM tbs.ring();
            EXIT;
        END IF;
        -- Those were all, and each has a call: what came since is found by the next claim.
        EXIT WHEN (v_are_all AND cardinality(v_calls) >= cardinality(v_look.line_ids)) OR NOT tbs.has_claimable(claim.bridge_id, v_tried, clock_timestamp());
        v_budgets := tbs.budgets(claim.bridge_id);
    END LOOP;
END;
$claim$;
COMMENT ON FUNCTION tbs.claim(bigint, integer) IS
'leases due activities, at most maximum and within the limits of their network resources, and returns their finished requests; nothing while disarmed; raises TB001 when the lease is lost';

CREATE FUNCTION tbs.pause_resource(network_resource_id integer, reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $pause_resource$
BEGIN
    UPDATE tbs.network_resource AS r SET state = 'paused', paused_at = clock_timestamp(), pause_reason = pause_resource.reason
    WHERE r.network_resource_id = pause_resource.network_resource_id AND r.state = 'active';
    IF FOUND THEN
        PERFORM tbs.record_event('paused', pause_resource.reason, network_resource_id => pause_resource.network_resource_id);
    END IF;
END;
$pause_resource$;
COMMENT ON FUNCTION tbs.pause_resource(integer, text) IS 'internal: stops sending to a network resource; changes are still captured';

-- Answers to what was sent with old credentials come after an operator has put them right.
CREATE FUNCTION tbs.note_refused_credentials(activity tbs.activity, message text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $note_refused_credentials$
BEGIN
    IF EXISTS (SELECT FROM tbs.bridge AS b CROSS JOIN tbs.configuration_version AS v
               WHERE b.bridge_id = activity.bridge_id AND b.configuration_version >= v.version AND activity.claimed_at >= b.configuration_read_at) THEN
        PERFORM tbs.pause_resource(activity.network_resource_id, 'credentials refused: ' || note_refused_credentials.message);
    END IF;
END;
$note_refused_credentials$;
COMMENT ON FUNCTION tbs.note_refused_credentials(tbs.activity, text) IS 'internal: pauses a network resource that has refused the credentials that are configured now';

-- What was in a removed object went with it. In it is what has its whole identity, and more (the numbers of a domain, the SIP accounts of a user), or members of it that
-- other services own (a user's voicemail). The line USOCs that still want such a thing bring it up to date again. line_id: of the activity that removed it.
CREATE FUNCTION tbs.forget_parts(removed tbs.remote_object, line_id bigint)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $forget_parts$
DECLARE
    v_parts bigint[];
    v_line_usocs bigint[];
BEGIN
    -- What one line alone has, and its parts: they are used by a line that could want it, and go for certain.
    IF EXISTS (SELECT FROM tbs.network_resource AS r
               JOIN tbs.remote_object_kind AS k ON k.network_resource_type = r.network_resource_type AND k.kind = removed.kind AND NOT k.shared
               JOIN tbs.remote_object_kind AS p ON p.network_resource_type = r.network_resource_type AND p.part_of = k.kind
               WHERE r.network_resource_id = removed.network_resource_id) THEN
        WITH parts AS (
            SELECT o.remote_object_id FROM tbs.remote_object AS o
            WHERE o.remote_object_id IN (
                    SELECT u.remote_object_id
                    FROM (SELECT forget_parts.line_id
                          UNION
                          -- Its USOC may have been moved to another line, and left the rest where it was.
                          SELECT f.line_id FROM tbs.network_resource AS r
                          JOIN tbs.remote_object_kind AS k ON k.network_resource_type = r.network_resource_type AND k.kind = removed.kind
                          CROSS JOIN LATERAL tbs.lines_found_by(k.found_by, removed.find_value) AS f (line_id)
                          WHERE r.network_resource_id = removed.network_resource_id) AS l
                    CROSS JOIN LATERAL (SELECT lu.line_usoc_id FROM tbs.line_usoc AS lu WHERE lu.line_id = l.line_id
                                        UNION
                                        SELECT s.line_usoc_id FROM tbs.line_usoc_state AS s WHERE s.line_id = l.line_id) AS c
                    JOIN tbs.remote_object_use AS u ON u.line_usoc_id = c.line_usoc_id AND u.network_resource_id = removed.network_resource_id
                    UNION ALL
                    SELECT f.remote_object_id FROM tbs.network_resource AS r
                    JOIN tbs.remote_object_kind AS p ON p.network_resource_type = r.network_resource_type AND p.part_of = removed.kind
                    JOIN tbs.remote_object AS f ON f.network_resource_id = r.network_resource_id AND f.kind = p.kind AND f.key = removed.key
                    WHERE r.network_resource_id = removed.network_resource_id)
              AND o.kind <> removed.kind AND o.identity @> removed.identity AND o.presence <> 'absent' AND o.in_flight_activity_id IS NULL
            FOR UPDATE SKIP LOCKED),
        marked AS (
            UPDATE tbs.remote_object AS o SET presence = 'absent', settled = true, accepted = NULL, accepted_at = NULL
            FROM parts AS p WHERE o.remote_object_id = p.remote_object_id
            RETURNING o.remote_object_id)
        SELECT array_agg(m.remote_object_id) INTO v_parts FROM marked AS m;
        v_line_usocs := ARRAY(SELECT DISTINCT u.line_usoc_id FROM tbs.remote_object_use AS u JOIN tbs.remote_object AS o ON o.remote_object_id = u.remote_object_id
                              WHERE u.remote_object_id = ANY (v_parts) AND tbs.wants_object(u.line_usoc_id, u.network_resource_id, u.service, o.kind, o.key));
        PERFORM tbs.resync_parts(removed, v_parts, v_line_usocs);
        RETURN;
    END IF;
    -- Few kinds are shared and have parts, and they are rarely removed: only then all objects are looked through.
    IF NOT EXISTS (SELECT FROM tbs.network_resource AS r
                   JOIN tbs.remote_object_kind AS k ON k.network_resource_type = r.network_resource_type AND k.kind = removed.kind AND k.shared
                   JOIN tbs.service_object AS p ON p.network_resource_type = r.network_resource_type AND p.kind <> removed.kind
                   WHERE r.network_resource_id = removed.network_resource_id AND p.identity ?& ARRAY(SELECT jsonb_object_keys(removed.identity))) THEN
        RETURN;
    END IF;
    -- One that another session has just locked is being sent to, and is told by the answer.
    WITH parts AS (
        SELECT o.remote_object_id FROM tbs.remote_object AS o
        WHERE o.network_resource_id = removed.network_resource_id AND o.kind <> removed.kind AND o.identity @> removed.identity
          AND o.presence = 'present' AND o.in_flight_activity_id IS NULL
        FOR UPDATE SKIP LOCKED),
    marked AS (
        UPDATE tbs.remote_object AS o SET presence = 'perhaps', settled = false FROM parts AS p WHERE o.remote_object_id = p.remote_object_id
        RETURNING o.remote_object_id)
    SELECT array_agg(m.remote_object_id) INTO v_parts FROM marked AS m;
    PERFORM tbs.resync_parts(removed, v_parts,
                             ARRAY(SELECT DISTINCT u.line_usoc_id FROM tbs.remote_object_use AS u WHERE u.remote_object_id = ANY (v_parts)));
END;
$forget_parts$;
COMMENT ON FUNCTION tbs.forget_parts(tbs.remote_object, bigint) IS 'internal: what was part of a removed object is not known to be there any more, and its line USOCs look at it again';

CREATE FUNCTION tbs.resync_parts(removed tbs.remote_object, parts bigint[], line_usoc_ids bigint[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $resync_parts$
BEGIN
    IF resync_parts.parts IS NULL THEN
        RETURN;
    END IF;
    DELETE FROM tbs.remote_object AS o
    WHERE o.remote_object_id = ANY (resync_parts.parts) AND NOT EXISTS (SELECT FROM tbs.remote_object_use AS u WHERE u.remote_object_id = o.remote_object_id)
      AND NOT EXISTS (SELECT FROM tbs.activity AS w WHERE w.waits_for_object_id = o.remote_object_id);
    IF tbs.enqueue_resync(resync_parts.line_usoc_ids, removed.network_resource_id,
                          format('%s %s was removed with all that was in it', removed.kind, removed.key)) > 0 THEN
        PERFORM tbs.ring();
    END IF;
END;
$resync_parts$;
COMMENT ON FUNCTION tbs.resync_parts(tbs.remote_object, bigint[], bigint[]) IS 'internal: forgets parts of a removed object that nobody uses, and lets these line USOCs make theirs again';

-- settled: what the answer says about the remote object.
CREATE FUNCTION tbs.settled(object tbs.remote_object, activity tbs.activity, epoch text, outcome text, step jsonb, answer bytea)
RETURNS tbs.remote_object
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $settled$
DECLARE
    v_object tbs.remote_object := object;
    v_document jsonb;
    v_was_sent_before boolean := object.presence_before = 'perhaps';
BEGIN
    v_object.in_flight_activity_id := NULL;
    v_document := CASE WHEN step -> 'captures' <> '{}' AND outcome IN ('done', 'noop', 'exists') THEN tbs.answer_json(answer) END;
    CASE
        WHEN activity.operation = 'prepare' THEN
            v_object.presence := v_object.presence_before;
            v_object.settled := v_object.settled_before;
            v_object.prepared := CASE WHEN outcome IN ('done', 'noop') THEN v_object.prepared END;
        WHEN outcome IN ('done', 'noop') AND activity.operation IN ('add', 'edit') THEN
            v_object.origin := CASE WHEN activity.operation = 'add' THEN 'made' ELSE v_object.origin END;
            v_object.presence := 'present';
            -- Not yet what the rows want where an add cannot say all of it.
            v_object.settled := activity.operation = 'edit' OR (step -> 'edit_follows')::boolean IS NOT TRUE;
            v_object.accepted := v_object.sent;
        WHEN outcome IN ('done', 'noop', 'missing') AND activity.operation = 'delete' THEN
            v_object.presence := 'absent';
            v_object.settled := true;
            v_object.accepted := NULL;
            v_object.accepted_at := NULL;
        WHEN outcome = 'done' AND activity.operation = 'look' THEN
            -- There, and ours. Its content is not known, so it is sent again, unless it is what the resource took earlier and has now carried out.
            v_object.presence := 'present';
            v_object.settled := activity.in_progress_since IS NOT NULL;
            v_object.accepted := CASE WHEN v_object.settled THEN v_object.sent ELSE v_object.accepted END;
        WHEN outcome = 'missing' THEN
            v_object.presence := CASE WHEN activity.operation = 'look' OR step ->> 'on_missing' = 'add' THEN 'absent' ELSE v_object.presence_before END;
            v_object.settled := CASE WHEN v_object.presence = 'absent' THEN true ELSE v_object.settled_before END;
        WHEN outcome = 'exists' THEN
            -- Ours if an earlier create of ours may have arrived; otherwise as the step says.
            IF v_was_sent_before OR step ->> 'on_exists' = 'edit' THEN
                v_object.presence := 'present';
                v_object.settled := false;
            ELSIF step ->> 'on_exists' = 'done' THEN
                v_object.origin := 'found';
                v_object.presence := 'present';
                v_object.settled := true;
                v_object.accepted := v_object.sent;
            ELSIF step ->> 'on_exists' = 'look' THEN
                v_object.presence := 'perhaps';
            ELSE
                v_object.presence := v_object.presence_before;
                v_object.settled := v_object.settled_before;
            END IF;
        WHEN outcome IN ('rejected', 'unauthorized', 'not_sent', 'busy', 'throttled') THEN
            v_object.presence := v_object.presence_before;
            v_object.settled := v_object.settled_before AND outcome <> 'rejected';
        ELSE
            -- transient, unknown, in_progress: what was sent may have arrived; presence and settled stay as they were put before it went.
            NULL;
    END CASE;
    -- Not what merely exists: until it was looked at, it may be somebody else's.
    IF v_object.presence = 'present' AND activity.operation <> 'prepare' AND (outcome IN ('done', 'noop') OR (outcome = 'exists' AND v_object.settled)) THEN
        v_object.accepted_at := clock_timestamp();
        v_object.accepted_activity_id := activity.activity_id;
        v_object.accepted_epoch := settled.epoch;
    END IF;
    IF v_document IS NOT NULL AND (v_object.presence = 'present' OR activity.operation = 'prepare') THEN
        SELECT v_object.identifiers || coalesce(jsonb_object_agg(c.key, jsonb_path_query_first(v_document, (c.value #>> '{}')::jsonpath, '{}', true)), '{}')
          INTO v_object.identifiers
        FROM jsonb_each(step -> 'captures') AS c;
    END IF;
    RETURN v_object;
END;
$settled$;
COMMENT ON FUNCTION tbs.settled(tbs.remote_object, tbs.activity, text, text, jsonb, bytea) IS 'internal: a remote object as it is after an answer';

-- store_settled: the objects of these activities, which hold their rows, as their answers have made them. They are released. An activity
-- that is about no remote object has one without a number.
CREATE FUNCTION tbs.store_settled(activities tbs.activity[], objects tbs.remote_object[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $store_settled$
DECLARE
    v_ids bigint[] := ARRAY(SELECT s.remote_object_id FROM unnest(objects) AS s);
    v_object tbs.remote_object;
    v_activity tbs.activity;
BEGIN
    -- ANY of one: each is looked up (see tbs.send).
    UPDATE tbs.remote_object AS o
    SET in_flight_activity_id = NULL, origin = s.origin, presence = s.presence, settled = s.settled, accepted = s.accepted, accepted_at = s.accepted_at,
        accepted_activity_id = s.accepted_activity_id, accepted_epoch = s.accepted_epoch, identifiers = s.identifiers, prepared = s.prepared
    FROM unnest(objects) AS s
    WHERE o.remote_object_id = ANY (ARRAY[s.remote_object_id]);
    FOR i IN 1 .. cardinality(objects) LOOP
        CONTINUE WHEN (objects[i]).presence IS DISTINCT FROM 'absent';
        v_object := objects[i];
        v_activity := activities[i];
        IF v_activity.operation = 'delete' THEN
            DELETE FROM tbs.remote_object_use AS u
            WHERE u.remote_object_id = v_object.remote_object_id AND u.line_usoc_id = v_activity.line_usoc_id
              AND u.service = tbs.activity_service(v_activity.activity_type_id);
            DELETE FROM tbs.remote_object AS o
            WHERE o.remote_object_id = v_object.remote_object_id
              AND NOT EXISTS (SELECT FROM tbs.remote_object_use AS u WHERE u.remote_object_id = o.remote_object_id)
              AND NOT EXISTS (SELECT FROM tbs.activity AS w WHERE w.waits_for_object_id = o.remote_object_id);
        END IF;
        -- Also what a look or a change finds to be gone: the answer to its removal was lost, or somebody has removed it by hand.
        CONTINUE WHEN v_activity.operation NOT IN ('delete', 'look', 'edit');
        PERFORM tbs.forget_parts(v_object, v_activity.line_id);
    END LOOP;
    PERFORM tbs.wake_object_waiters(v_ids);
END;
$store_settled$;
COMMENT ON FUNCTION tbs.store_settled(tbs.activity[], tbs.remote_object[]) IS 'internal: stores remote objects as the answers to the calls of these activities have made them, and releases them';

CREATE FUNCTION tbs.settle(activity tbs.activity, resource tbs.network_resource, outcome text, step jsonb, answer bytea)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $settle$
DECLARE
    v_object tbs.remote_object;
BEGIN
    SELECT * INTO STRICT v_object FROM tbs.remote_object AS o WHERE o.remote_object_id = activity.remote_object_id FOR NO KEY UPDATE;
    PERFORM tbs.store_settled(ARRAY[activity], ARRAY[tbs.settled(v_object, activity, tbs.accepted_epoch(resource), settle.outcome, step, answer)]);
END;
$settle$;
COMMENT ON FUNCTION tbs.settle(tbs.activity, tbs.network_resource, text, jsonb, bytea) IS 'internal: settles what was sent to a remote object by an outcome, and releases it';

CREATE TYPE tbs.answered AS (
    activity      tbs.activity,
    trigger_type  text,
    object        tbs.remote_object,
    step          jsonb,
    look          jsonb,
    place         integer,
    curl_result   integer,
    http_status   integer,
    headers       jsonb,
    outcome       text,
    effect        text,
    outcome_rule_id integer,
    message       text,
    counts        boolean
);
COMMENT ON TYPE tbs.answered IS 'internal: an answer with what it was about, and what was decided; effect: the outcome for the remote object';

CREATE TYPE tbs.logged_call AS (
    place           integer,
    is_page         boolean,
    kind            text,
    key             text,
    outcome         text,
    outcome_rule_id integer,
    message         text,
    ends            boolean
);
COMMENT ON TYPE tbs.logged_call IS 'internal: what the log gets of an answer, beside its activity; ends: the activity has succeeded with it';

-- judge: what an answer means, by the rule that it meets and by what is known of the object. Trouble of the network resource is noted.
CREATE FUNCTION tbs.judge(answered tbs.answered, resource tbs.network_resource, answer bytea, rule tbs.outcome_rule)
RETURNS tbs.answered
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $judge$
DECLARE
    v_known tbs.answered := answered;
    v_activity tbs.activity := answered.activity;
    v_object tbs.remote_object := answered.object;
    v_for_resource boolean := v_activity.line_usoc_id = 0;
    v_outcome text := rule.outcome;
    v_message text;
    v_effect text;
    v_is_down boolean := false;
    v_policy record;
    v_page record;
BEGIN
    IF v_outcome NOT IN ('done', 'noop') THEN
        v_message := tbs.answer_message(v_known.curl_result, v_known.http_status, answer, rule);
    END IF;
    IF v_known.trigger_type = 'audit' THEN
        v_page := tbs.take_page(v_activity, v_outcome, v_known.curl_result, answer);
        v_outcome := v_page.outcome;
        v_message := coalesce(v_page.message, v_message);
        v_object.kind := v_page.kind;
        v_object.key := v_page.key;
    END IF;
    -- A look finds something: is it ours? By the mark of this line, or of one for which it may have been made before (its answer was lost, the key moved).
    IF v_outcome = 'done' AND v_activity.operation = 'look' AND NOT v_for_resource AND v_known.step ->> 'is_ours' IS NOT NULL
       AND tbs.answer_json(answer) IS NULL THEN
        v_outcome := 'transient';
        v_message := 'the answer has no document that says whose it is';
    ELSIF v_outcome = 'done' AND v_activity.operation = 'look' AND NOT v_for_resource AND v_object.presence_before = 'perhaps'
       AND v_object.accepted_at IS NULL AND v_known.step ->> 'is_ours' IS NOT NULL
       AND NOT EXISTS (SELECT FROM unnest(v_object.markers || ('tbs:' || v_activity.line_id)) AS m (marker)
                       WHERE jsonb_path_match(tbs.answer_json(answer), (v_known.step ->> 'is_ours')::jsonpath,
                                              jsonb_build_object('marker', m.marker, 'object', v_object.identity), true)) THEN
        v_outcome := 'rejected';
        v_message := format('%s %s is in use elsewhere; adopt it with tbs.adopt(), or give the line another one', v_object.kind, v_object.key);
        v_object.presence_before := 'absent';
        UPDATE tbs.remote_object AS o SET presence_before = 'absent' WHERE o.remote_object_id = v_object.remote_object_id;
    END IF;

    IF v_activity.operation = 'look' AND v_activity.in_progress_since IS NOT NULL
       AND ((v_outcome = 'missing' AND v_object.sent IS NOT NULL) OR (v_outcome = 'done' AND v_object.sent IS NULL)) THEN
        -- Not there yet, or not gone yet.
        v_outcome := 'in_progress';
        v_message := 'the network resource has not carried it out yet';
    ELSIF v_outcome = 'missing' AND v_activity.operation = 'look' AND v_activity.last_outcome = 'exists' THEN
        -- It exists, and cannot be read: not readable yet. Going on at once would go round in circles.
        v_outcome := 'transient';
        v_message := 'it exists already, and cannot be read yet';
    END IF;
    -- It will pause the network resource, whose row an operator's open transaction may have: this answer is asked for again rather than keep the others.
    IF v_outcome = 'unauthorized' THEN
        PERFORM FROM tbs.network_resource AS r WHERE r.network_resource_id = v_activity.network_resource_id FOR NO KEY UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    -- Written a moment ago, and the removal does not find it: it is not visible yet, and would appear later, with nobody to want it.
    IF v_outcome = 'missing' AND v_activity.operation = 'delete' AND v_object.accepted_at > clock_timestamp() - interval '5 seconds' THEN
        v_outcome := 'busy';
        v_effect := 'unknown';
        v_message := 'it was written just now, and cannot be seen yet';
    END IF;

    IF v_outcome IN ('transient', 'unknown', 'unavailable') THEN
        v_is_down := tbs.note_failure(v_activity, resource, v_outcome, v_message);
    END IF;
    v_known.counts := (v_outcome IN ('transient', 'unknown') OR (v_outcome = 'missing' AND v_known.step ->> 'on_missing' = 'transient')) AND NOT v_is_down;
    IF (v_known.counts OR (v_outcome = 'missing' AND v_activity.operation = 'edit')) AND rule.outcome_when_used_up IS NOT NULL THEN
        SELECT * INTO v_policy FROM tbs.effective_policy(v_activity.activity_id, v_activity.activity_type_id, v_activity.network_resource_id);
        IF v_activity.calls_used + 1 >= v_policy.maximum_calls THEN
            v_message := format('counts as %s, its calls are used up; %s', rule.outcome_when_used_up, v_message);
            v_outcome := rule.outcome_when_used_up;
        END IF;
    END IF;
    v_known.object := v_object;
    v_known.outcome := v_outcome;
    v_known.message := v_message;
    v_known.outcome_rule_id := rule.outcome_rule_id;
    -- Not reached is not sent (source: libcurl-errors(3): resolve, connect, TLS set-up); of any other failure the effect is not known.
    v_known.effect := CASE WHEN v_outcome = 'unavailable' AND v_known.curl_result IN (5, 6, 7, 35, 58, 60, 77, 91) THEN 'not_sent' ELSE coalesce(v_effect, v_outcome) END;
    RETURN v_known;
END;
$judge$;
COMMENT ON FUNCTION tbs.judge(tbs.answered, tbs.network_resource, bytea, tbs.outcome_rule) IS 'internal: decides what an answer means; null when it cannot be taken now, and nothing was noted';

-- react: what becomes of an activity whose answer is on record and whose object is settled. True: it goes on at once; false: its line may give the turn to
-- another. One that is finished is not for this function.
CREATE FUNCTION tbs.react(answered tbs.answered)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $react$
DECLARE
    v_activity tbs.activity := answered.activity;
    v_outcome text := answered.outcome;
    v_message text := answered.message;
    v_policy record;
    v_wait interval;
BEGIN
    IF v_activity.line_usoc_id = 0 AND answered.trigger_type <> 'audit' THEN
        -- A connection test is about now: its result is in the log, and there is nothing to retry.
        IF v_outcome IN ('done', 'noop') THEN
            PERFORM tbs.succeed_activities(ARRAY[v_activity], NULL, NULL);
        ELSE
            DELETE FROM tbs.activity AS a WHERE a.activity_id = v_activity.activity_id;
            PERFORM tbs.record_event('failed', NULL, v_activity, true, v_message);
        END IF;
        IF v_outcome = 'unauthorized' THEN
            PERFORM tbs.note_refused_credentials(v_activity, v_message);
        END IF;
        RETURN false;
    END IF;

    -- Reactions that go on at once.
    IF v_outcome IN ('done', 'noop')
       OR (v_outcome = 'exists' AND ((answered.object).presence_before = 'perhaps' OR answered.step ->> 'on_exists' IN ('look', 'done', 'edit')))
       OR (v_outcome = 'missing' AND (v_activity.operation IN ('look', 'delete') OR answered.step ->> 'on_missing' IN ('add', 'done'))) THEN
        -- A change of what turned out to be missing counts, so that a resource that contradicts itself ends in front of an operator.
        IF v_outcome = 'missing' AND v_activity.operation = 'edit' AND v_activity.calls_used + 1
               >= (tbs.effective_policy(v_activity.activity_id, v_activity.activity_type_id, v_activity.network_resource_id)).maximum_calls THEN
            PERFORM tbs.fail_activity(v_activity, v_outcome, v_message);
            RETURN false;
        END IF;
        UPDATE tbs.activity AS a
        SET last_outcome = v_outcome, last_message = v_message, waits = 0, in_progress_since = NULL,
            calls_used = a.calls_used + (v_outcome = 'missing' AND v_activity.operation = 'edit')::integer
        WHERE a.activity_id = v_activity.activity_id;
        RETURN true;
    END IF;
    IF v_outcome = 'unauthorized' THEN
        PERFORM tbs.note_refused_credentials(v_activity, v_message);
        UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL, last_outcome = v_outcome, last_message = v_message WHERE a.activity_id = v_activity.activity_id;
        PERFORM tbs.ring();
        RETURN false;
    END IF;
    IF v_outcome IN ('rejected', 'exists') OR (v_outcome = 'missing' AND coalesce(answered.step ->> 'on_missing', 'fail') = 'fail') THEN
        PERFORM tbs.fail_activity(v_activity, v_outcome, v_message);
        RETURN false;
    END IF;
    -- Everything else is tried again later. Only what may be this activity's own fault counts.
    SELECT * INTO v_policy FROM tbs.effective_policy(v_activity.activity_id, v_activity.activity_type_id, v_activity.network_resource_id);
    IF answered.counts AND v_activity.calls_used + 1 >= v_policy.maximum_calls THEN
        UPDATE tbs.activity AS a SET calls_used = a.calls_used + 1 WHERE a.activity_id = v_activity.activity_id;
        PERFORM tbs.fail_activity(v_activity, v_outcome, v_message);
        RETURN false;
    ELSIF v_outcome = 'in_progress' AND v_activity.in_progress_since < clock_timestamp() - (coalesce(answered.look, answered.step) ->> 'overdue_after')::interval THEN
        PERFORM tbs.fail_activity(v_activity, v_outcome, format('overdue since it was taken at %s; %s', v_activity.in_progress_since, v_message));
        RETURN false;
    END IF;
    v_wait := tbs.retry_after(answered.headers);
    UPDATE tbs.activity AS a
    SET state = 'retry', bridge_id = NULL, last_outcome = v_outcome, last_message = v_message,
        calls_used = a.calls_used + answered.counts::integer,
        waits = CASE WHEN answered.counts OR v_outcome = 'in_progress' THEN 0 ELSE least(a.waits + 1, 1000) END,
        in_progress_since = CASE WHEN v_outcome = 'in_progress' THEN coalesce(a.in_progress_since, clock_timestamp()) ELSE a.in_progress_since END,
        due_at = CASE v_outcome
            WHEN 'throttled' THEN tbs.throttle(v_activity.network_resource_id, v_wait, v_policy.first_retry, v_policy.longest_retry, v_message)
            WHEN 'in_progress' THEN clock_timestamp() + coalesce(v_wait, (coalesce(answered.look, answered.step) ->> 'look_every')::interval)
            WHEN 'busy' THEN clock_timestamp() + coalesce(v_wait, tbs.retry_delay(a.waits + 1, v_policy.first_retry, v_policy.longest_retry))
            -- Only the resource itself is asked for, and by probes: whose turn comes then should not wait long.
            WHEN 'unavailable' THEN clock_timestamp() + greatest(v_wait, tbs.retry_delay(a.waits + 1, v_policy.first_retry,
                least(v_policy.longest_retry, (SELECT r.probe_interval FROM tbs.network_resource AS r WHERE r.network_resource_id = a.network_resource_id))))
            ELSE clock_timestamp() + greatest(tbs.retry_delay(CASE WHEN answered.counts THEN a.calls_used + 1 ELSE a.waits + 1 END, v_policy.first_retry, v_policy.longest_retry), v_wait) END
    WHERE a.activity_id = v_activity.activity_id;
    RETURN false;
END;
$react$;
COMMENT ON FUNCTION tbs.react(tbs.answered) IS 'internal: reacts to an answer that has been judged; true when its activity goes on at once';

-- A report that the fence refuses is kept as a call that was made, and what it touched is brought up to date again.
CREATE FUNCTION tbs.take_late_report(bridge_id bigint, activity_id bigint, call_number integer, curl_result integer, http_status integer, answer bytea,
                                     started_at timestamptz, elapsed_microseconds bigint)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $take_late_report$
DECLARE
    v_known tbs.activity_history;
BEGIN
    IF take_late_report.curl_result = -1
       OR EXISTS (SELECT FROM tbs.activity_history AS h
                  WHERE h.activity_id = take_late_report.activity_id AND h.call_number = take_late_report.call_number AND h.event IN ('api_call', 'late_report')) THEN
        RETURN;
    END IF;
    SELECT h.* INTO v_known FROM tbs.activity_history AS h WHERE h.activity_id = take_late_report.activity_id ORDER BY h.activity_history_id DESC LIMIT 1;
    INSERT INTO tbs.activity_history (event, activity_id, activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id, order_number, telephone_number,
        usoc, captured_at, captured_by, user_name, trigger_description, call_number, http_status, curl_result, answer, bridge_id, started_at, elapsed_microseconds, message)
    VALUES ('late_report', take_late_report.activity_id, v_known.activity_type_id, v_known.network_resource_id, v_known.line_id, v_known.line_usoc_id,
        v_known.customer_id, v_known.order_number, v_known.telephone_number, v_known.usoc, v_known.captured_at, v_known.captured_by, v_known.user_name,
        v_known.trigger_description, take_late_report.call_number, take_late_report.http_status, take_late_report.curl_result,
        tbs.answer_text(take_late_report.answer, 4000, '{password,secret,token,pin}'), take_late_report.bridge_id, take_late_report.started_at,
        take_late_report.elapsed_microseconds, 'reported after the lease was lost');
    PERFORM tbs.enqueue_resync(ARRAY[v_known.line_usoc_id], v_known.network_resource_id, 'a late report: brought up to date again');
END;
$take_late_report$;
COMMENT ON FUNCTION tbs.take_late_report(bigint, bigint, integer, integer, integer, bytea, timestamptz, bigint) IS 'internal: records a refused report and resyncs what it was about';

CREATE FUNCTION tbs.enqueue_resync(line_usoc_ids bigint[], network_resource_id integer, trigger_description text, send_all boolean DEFAULT true, lane integer DEFAULT 5)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $enqueue_resync$
DECLARE
    v_count bigint;
BEGIN
    INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id, order_number, telephone_number, usoc, user_name,
                              trigger_description, send_all, lane)
    SELECT t.activity_type_id, p.network_resource_id, p.line_id, p.line_usoc_id, p.customer_id, nullif(current_setting('tbs.order_number', true), ''),
           p.telephone_number, p.usoc, nullif(current_setting('tbs.user_name', true), ''), enqueue_resync.trigger_description, enqueue_resync.send_all,
           enqueue_resync.lane
    FROM (SELECT a.line_usoc_id, a.network_resource_id, a.service, a.line_id, a.customer_id, a.telephone_number, a.usoc, a.position
          FROM tbs.line_usoc_association AS a WHERE a.line_usoc_id = ANY (enqueue_resync.line_usoc_ids) AND a.active
          UNION
          SELECT DISTINCT u.line_usoc_id, u.network_resource_id, u.service, s.line_id, s.customer_id, s.telephone_number, s.usoc, 0
          FROM tbs.remote_object_use AS u
          JOIN tbs.line_usoc_state AS s ON s.line_usoc_id = u.line_usoc_id AND s.network_resource_id = u.network_resource_id AND s.service = u.service
          WHERE u.line_usoc_id = ANY (enqueue_resync.line_usoc_ids)
            AND NOT EXISTS (SELECT FROM tbs.line_usoc_association AS a
                            WHERE a.line_usoc_id = u.line_usoc_id AND a.network_resource_id = u.network_resource_id AND a.service = u.service AND a.active)) AS p
    JOIN tbs.network_resource AS r ON r.network_resource_id = p.network_resource_id AND r.state <> 'retired'
    JOIN tbs.activity_type AS t ON t.network_resource_type = r.network_resource_type AND t.service = p.service AND t.trigger_type = 'resync'
    WHERE enqueue_resync.network_resource_id IS NULL OR p.network_resource_id = enqueue_resync.network_resource_id
    ORDER BY p.line_id, p.position, p.line_usoc_id;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END;
$enqueue_resync$;
COMMENT ON FUNCTION tbs.enqueue_resync(bigint[], integer, text, boolean, integer) IS 'internal: resync activities for line USOCs, on one or all of their network resources; send_all false: only what is not known to be as it should be';

CREATE FUNCTION tbs.report_again(activity tbs.activity)
RETURNS tbs.api_call
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $report_again$
BEGIN
    RETURN ROW(activity.activity_id, activity.call_number, activity.network_resource_id, NULL, NULL, NULL, NULL, NULL, NULL)::tbs.api_call;
END;
$report_again$;
COMMENT ON FUNCTION tbs.report_again(tbs.activity) IS 'internal: what a report gives back for an answer that it could not take now';

CREATE FUNCTION tbs.report(bridge_id bigint, activity_ids bigint[], call_numbers integer[], curl_results integer[], http_statuses integer[], headers jsonb,
                           answers bytea[], started_at timestamptz[], elapsed_microseconds bigint[])
RETURNS SETOF tbs.api_call
LANGUAGE plpgsql
VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET enable_memoize = off
SET jit = off
AS $report$
DECLARE
    v_is_fenced boolean := tbs.fence_bridge(report.bridge_id);
    v_alive boolean := tbs.is_bridge_alive(report.bridge_id);
    v_answer record;
    v_activity tbs.activity;
    v_call tbs.api_call;
    v_known tbs.answered;
    v_object tbs.remote_object;
    v_has_answered integer := 0;
    v_outcome text;
    v_effect text;
    v_is_plain boolean;
    v_has_others boolean;
    v_locked bigint[];
    v_taken bigint[] := '{}';
    v_ends boolean;
    v_activities tbs.activity[] := '{}';
    v_calls tbs.logged_call[] := '{}';
    v_reacting tbs.answered[] := '{}';
    v_objects tbs.remote_object[] := '{}';
    v_continue bigint[] := '{}';
    v_lines bigint[] := '{}';
    v_resources integer[] := '{}';
BEGIN
    IF cardinality(call_numbers) <> cardinality(activity_ids) OR cardinality(curl_results) <> cardinality(activity_ids)
       OR cardinality(http_statuses) <> cardinality(activity_ids) OR jsonb_array_length(report.headers) <> cardinality(activity_ids)
       OR cardinality(answers) <> cardinality(activity_ids) OR cardinality(report.started_at) <> cardinality(activity_ids)
       OR cardinality(report.elapsed_microseconds) <> cardinality(activity_ids) THEN
        RAISE EXCEPTION 'a report needs arrays of one length' USING ERRCODE = 'array_subscript_error';
    END IF;
    v_locked := tbs.lock_lines_soon(ARRAY(SELECT DISTINCT a.line_id FROM tbs.activity AS a WHERE a.activity_id = ANY (report.activity_ids)));
    -- All answers are read and judged with one query, then recorded, then their objects stored; what becomes of each activity comes last.
    -- Remote objects are locked in one order by everybody, and all of them before the first answer is judged: hence sorted twice.
    FOR v_answer IN
        SELECT i.place, i.activity_id, i.call_number, i.curl_result, i.http_status, i.started_at, i.elapsed_microseconds, d.header, i.activity, t.trigger_type, r AS resource, o.object,
               q.step, q.look, x AS rule
        FROM (SELECT k.*, y AS activity, y.activity_type_id, y.network_resource_id, y.remote_object_id, y.line_usoc_id, y.operation,
                     CASE WHEN v_alive AND y.line_id = ANY (v_locked) AND y.bridge_id = report.bridge_id THEN y.remote_object_id END AS object_to_lock
              FROM unnest(report.activity_ids, report.call_numbers, report.curl_results, report.http_statuses, report.started_at, report.elapsed_microseconds)
                   WITH ORDINALITY AS k (activity_id, call_number, curl_result, http_status, started_at, elapsed_microseconds, place)
              LEFT JOIN tbs.activity AS y ON y.activity_id = k.activity_id
              ORDER BY object_to_lock OFFSET 0) AS i
        CROSS JOIN LATERAL (SELECT report.headers -> (i.place - 1)::integer AS header OFFSET 0) AS d
        LEFT JOIN tbs.activity_type AS t ON t.activity_type_id = i.activity_type_id
        LEFT JOIN tbs.network_resource AS r ON r.network_resource_id = i.network_resource_id
        LEFT JOIN LATERAL (SELECT y AS object, y.kind FROM tbs.remote_object AS y WHERE y.remote_object_id = i.object_to_lock FOR NO KEY UPDATE) AS o ON true
        LEFT JOIN LATERAL (SELECT y.position, y.steps -> i.operation AS step, y.steps -> 'look' AS look FROM tbs.recipe AS y
                           WHERE y.network_resource_type = r.network_resource_type AND y.service = t.service AND (i.line_usoc_id = 0 OR y.kind = o.kind)
                           ORDER BY y.position LIMIT 1) AS q ON true
        LEFT JOIN LATERAL tbs.decide_outcome(r, t.service, q.position, i.operation, i.curl_result, i.http_status, d.header, report.answers[i.place]) AS x ON i.curl_result <> -1
        ORDER BY i.place
    LOOP
        v_activity := v_answer.activity;
        -- Twice in one report.
        CONTINUE WHEN v_activity.activity_id = ANY (v_taken) AND v_activity.call_number = v_answer.call_number;
        IF NOT v_alive OR v_activity.activity_id IS NULL OR v_activity.state <> 'processing' OR v_activity.bridge_id <> report.bridge_id
           OR v_activity.call_number <> v_answer.call_number THEN
            PERFORM tbs.take_late_report(report.bridge_id, v_answer.activity_id, v_answer.call_number, v_answer.curl_result, v_answer.http_status,
                                         report.answers[v_answer.place], v_answer.started_at, v_answer.elapsed_microseconds);
            CONTINUE;
        END IF;
        IF v_activity.line_id <> ALL (v_locked) THEN
            RETURN NEXT tbs.report_again(v_activity);
            CONTINUE;
        END IF;
        v_taken := v_taken || v_activity.activity_id;
        IF v_answer.curl_result = -1 THEN
            -- The bridge did not send it: as if it had not been claimed. It does not get it again with this answer.
            IF v_activity.line_usoc_id <> 0 THEN
                PERFORM tbs.settle(v_activity, v_answer.resource, 'not_sent', v_answer.step, NULL);
            END IF;
            UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL WHERE a.activity_id = v_activity.activity_id;
            PERFORM tbs.ring();
            CONTINUE;
        END IF;
        v_outcome := (v_answer.rule).outcome;
        v_object := v_answer.object;
        -- What was done is done; a look and an audit's page are read.
        v_is_plain := (v_outcome IN ('done', 'noop') AND v_activity.operation <> 'look' AND v_answer.trigger_type <> 'audit') IS TRUE;
        v_effect := v_outcome;
        IF NOT v_is_plain THEN
            v_known := tbs.judge(ROW(v_activity, v_answer.trigger_type, v_object, v_answer.step, v_answer.look, v_answer.place, v_answer.curl_result, v_answer.http_status,
                                     v_answer.header, NULL, NULL, NULL, NULL, false)::tbs.answered,
                                 v_answer.resource, report.answers[v_answer.place], v_answer.rule);
            v_outcome := v_known.outcome;
            v_effect := v_known.effect;
            v_object := v_known.object;
            IF v_outcome IS NULL THEN
                RETURN NEXT tbs.report_again(v_activity);
                CONTINUE;
            END IF;
        END IF;
        IF v_outcome NOT IN ('transient', 'unknown', 'unavailable', 'throttled') THEN
            -- Once for those that follow each other.
            IF v_activity.network_resource_id <> v_has_answered THEN
                PERFORM tbs.note_answer(v_activity.network_resource_id);
                v_has_answered := v_activity.network_resource_id;
            END IF;
        ELSE
            v_has_answered := 0;
        END IF;
        IF v_activity.line_usoc_id <> 0 THEN
            v_object := tbs.settled(v_object, v_activity, tbs.database_epoch() || ' ' || (v_answer.resource).base_url, v_effect, v_answer.step, report.answers[v_answer.place]);
        END IF;
        v_ends := coalesce(v_activity.finishes AND v_outcome IN ('done', 'noop') AND v_object.settled, false);
        v_activities := v_activities || v_activity;
        v_objects := v_objects || v_object;
        IF v_is_plain THEN
            v_calls := v_calls || ROW(v_answer.place, false, v_object.kind, v_object.key, v_outcome, (v_answer.rule).outcome_rule_id, NULL, v_ends)::tbs.logged_call;
        ELSE
            v_calls := v_calls || ROW(v_answer.place, v_answer.trigger_type = 'audit', v_object.kind, v_object.key, v_outcome, v_known.outcome_rule_id, v_known.message,
                                      v_ends)::tbs.logged_call;
        END IF;
        IF NOT v_ends THEN
            IF v_is_plain THEN
                v_known := ROW(v_activity, v_answer.trigger_type, v_answer.object, v_answer.step, v_answer.look, v_answer.place, v_answer.curl_result, v_answer.http_status,
                               v_answer.header, v_outcome, v_outcome, (v_answer.rule).outcome_rule_id, NULL, false);
            END IF;
            v_reacting := v_reacting || v_known;
        END IF;
        -- Where credentials were refused nobody gets a turn with this answer: it is paused now, or this bridge has to read the new ones first.
        IF v_outcome <> 'unauthorized' THEN
            v_lines := v_lines || v_activity.line_id;
            v_resources := v_resources || v_activity.network_resource_id;
        END IF;
    END LOOP;
    INSERT INTO tbs.activity_history (event, closes, activity_id, activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id, order_number,
        telephone_number, usoc, captured_at, captured_by, user_name, trigger_description, bridge_id, call_number, kind, key, operation, method, path, request_body,
        http_status, curl_result, answer, outcome, outcome_rule_id, message, started_at, elapsed_microseconds, session_role, acting_role)
    SELECT 'api_call', k.ends, k.activity_id, k.activity_type_id, k.network_resource_id, k.line_id, k.line_usoc_id, k.customer_id, k.order_number,
        k.telephone_number, k.usoc, k.captured_at, k.captured_by, k.user_name, k.trigger_description, k.bridge_id, k.call_number, k.kind, k.key, k.operation,
        k.request_method, k.request_path, k.request_body, report.http_statuses[k.place], report.curl_results[k.place],
        -- Of an audit's pages only the beginning: they are as large as the switch.
        tbs.answer_text(report.answers[k.place], CASE WHEN k.is_page THEN 200 ELSE 4000 END, t.secret_members), k.outcome, k.outcome_rule_id, k.message,
        report.started_at[k.place], report.elapsed_microseconds[k.place],
        -- Of an end, as tbs.record_events() writes it.
        CASE WHEN k.ends THEN session_user END, CASE WHEN k.ends THEN coalesce(nullif(current_setting('role', true), 'none'), session_user) END
    FROM unnest(v_activities, v_calls) WITH ORDINALITY AS k
    LEFT JOIN LATERAL (SELECT x.secret_members FROM tbs.network_resource AS r JOIN tbs.network_resource_type AS x ON x.network_resource_type = r.network_resource_type
                       WHERE r.network_resource_id = k.network_resource_id OFFSET 0) AS t ON true
    ORDER BY k.ordinality;
    IF cardinality(v_objects) > 0 THEN
        PERFORM tbs.store_settled(v_activities, v_objects);
    END IF;
    FOREACH v_known IN ARRAY v_reacting LOOP
        IF tbs.react(v_known) THEN
            v_continue := v_continue || (v_known.activity).activity_id;
        END IF;
    END LOOP;
    IF cardinality(v_reacting) > 0 THEN
        v_activities := ARRAY(SELECT v_activities[i] FROM generate_subscripts(v_calls, 1) AS i WHERE (v_calls[i]).ends);
    END IF;
    IF cardinality(v_activities) > 0 THEN
        v_has_others := tbs.end_activities(v_activities, array_fill(true, ARRAY[cardinality(v_activities)]), 'succeeded');
        -- Mostly what was reported was all that its line had: there is no turn to give.
        v_lines := CASE WHEN v_has_others OR cardinality(v_reacting) > 0 THEN v_lines ELSE '{}' END;
    END IF;
    IF cardinality(v_continue) > 0 OR cardinality(v_lines) > 0 THEN
        FOREACH v_call IN ARRAY tbs.run(report.bridge_id, v_continue, v_lines, v_resources, cardinality(activity_ids), NULL, '{}', false) LOOP
            RETURN NEXT v_call;
        END LOOP;
    END IF;
END;
$report$;
COMMENT ON FUNCTION tbs.report(bigint, bigint[], integer[], integer[], integer[], jsonb, bytea[], timestamptz[], bigint[]) IS
'records a batch of answers: decides outcomes, writes history, closes or reschedules, gives the turn to the next of each line and returns the API calls to make at once; a row without a method: this answer could not be taken, somebody has its line or its network resource, report it again; a repeat for the same (activity, call number) changes nothing; a report after the lease was lost is kept and resynced';

CREATE FUNCTION tbs.bridge_stop(bridge_id bigint)
RETURNS void
LANGUAGE sql
VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $bridge_stop$
    SELECT tbs.end_bridge(bridge_stop.bridge_id, 'stopped', true);
$bridge_stop$;
COMMENT ON FUNCTION tbs.bridge_stop(bigint) IS 'ends a bridge; what it had not finished may be claimed by others at once';

CREATE FUNCTION tbs.bridge_sleep(bridge_id bigint)
RETURNS TABLE (alone boolean, claimable boolean, next_due_milliseconds integer)
LANGUAGE plpgsql
VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
SET jit = off
AS $bridge_sleep$
DECLARE
    -- First of all: every statement after it sees what was committed without notifying anybody.
    v_has_bell boolean := tbs.bell_sleep();
    v_due_at timestamptz;
BEGIN
    alone := coalesce(v_has_bell, false);
    claimable := false;
    IF tbs.has_claimable(bridge_sleep.bridge_id, '{}', 'infinity') THEN
        claimable := tbs.has_claimable(bridge_sleep.bridge_id, '{}', clock_timestamp());
        v_due_at := tbs.next_due_at(bridge_sleep.bridge_id);
    END IF;
    IF v_due_at IS NOT NULL THEN
        next_due_milliseconds := greatest(tbs.milliseconds(v_due_at - clock_timestamp()), 0);
    END IF;
    -- What is just being committed notifies nobody, and is not to be seen yet.
    IF v_has_bell IS NULL THEN
        next_due_milliseconds := least(next_due_milliseconds, 1);
    END IF;
    RETURN NEXT;
END;
$bridge_sleep$;
COMMENT ON FUNCTION tbs.bridge_sleep(bigint) IS
'on the listening connection, before waiting: alone is true when this bridge is the last one awake, and then commits notify; claimable: there may be work already, so claim once more; next_due_milliseconds: when the next retry is due, or a network resource may be called again, or what is just being committed can be seen';

CREATE FUNCTION tbs.bridge_wake(bridge_id bigint)
RETURNS void
LANGUAGE sql
VOLATILE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $bridge_wake$
    SELECT tbs.bell_wake();
$bridge_wake$;
COMMENT ON FUNCTION tbs.bridge_wake(bigint) IS 'on the listening connection, when awake again: commits need not notify';
