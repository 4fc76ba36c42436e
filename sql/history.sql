-- The history's partitions. Made ahead by tbs.arm() and by the bridge's beat, never by a business transaction.
-- LIKE + ATTACH instead of PARTITION OF: it does not wait for readers of the parent. Indexes are on each partition and none on the parent,
-- because indexes on the parent break pg_restore (the partitions are dumped as tables of their own).

CREATE FUNCTION tbs.make_history_partition(month date)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $make_history_partition$
DECLARE
    v_from timestamptz := date_trunc('month', make_history_partition.month::timestamp) AT TIME ZONE 'UTC';
    v_to timestamptz := (date_trunc('month', make_history_partition.month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    v_name text := 'activity_history_' || to_char(make_history_partition.month, 'YYYY_MM');
    v_index record;
BEGIN
    IF to_regclass('tbs.' || v_name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE tbs.%I (LIKE tbs.activity_history INCLUDING DEFAULTS INCLUDING COMMENTS, CONSTRAINT %I PRIMARY KEY (activity_history_id),'
                   ' CONSTRAINT %I CHECK (recorded_at >= %L AND recorded_at < %L))',
                   v_name, v_name || '_pkey', v_name || '_month', v_from, v_to);
    -- Lines as tbs.activity_log has them: null where the row has none.
    FOR v_index IN
        SELECT * FROM (VALUES ('activity', '(activity_id)', ''),
                              ('line_usoc', '((nullif(greatest(line_usoc_id, 0), 0)), recorded_at)', 'WHERE closes'),
                              ('line', '((nullif(greatest(line_id, 0), 0)), recorded_at)', 'WHERE closes'),
                              ('customer', '(customer_id, recorded_at)', 'WHERE closes'),
                              ('order_number', '(order_number, recorded_at)', 'WHERE closes AND order_number IS NOT NULL'),
                              ('usoc', '(usoc, recorded_at)', 'WHERE closes'),
                              ('telephone_number', '(telephone_number, recorded_at)', 'WHERE closes'),
                              ('recorded_at', '(recorded_at)', 'WHERE closes')) AS i (name, columns, condition)
    LOOP
        EXECUTE format('CREATE INDEX %I ON tbs.%I %s %s', v_name || '_' || v_index.name || '_idx', v_name, v_index.columns, v_index.condition);
    END LOOP;
    EXECUTE format('ALTER TABLE tbs.activity_history ATTACH PARTITION tbs.%I FOR VALUES FROM (%L) TO (%L)', v_name, v_from, v_to);
    RETURN true;
END;
$make_history_partition$;
COMMENT ON FUNCTION tbs.make_history_partition(date) IS 'makes the history partition of a month (UTC), with its indexes; false when it is there already';

CREATE FUNCTION tbs.make_history_partitions()
RETURNS integer
LANGUAGE sql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $make_history_partitions$
    SELECT count(*) FILTER (WHERE tbs.make_history_partition((date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + n * interval '1 month')::date))::integer
    FROM generate_series(0, 3) AS n;
$make_history_partitions$;
COMMENT ON FUNCTION tbs.make_history_partitions() IS 'makes the partitions of this month and the next three where they are missing; returns how many it made';

-- drop_history(before): retention. A short lock_timeout, so that it never queues in front of readers; call it again when it could not.
CREATE FUNCTION tbs.drop_history(before date)
RETURNS integer
LANGUAGE plpgsql
VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '200ms'
AS $drop_history$
DECLARE
    v_partition record;
    v_count integer := 0;
BEGIN
    IF drop_history.before > (clock_timestamp() AT TIME ZONE 'UTC')::date THEN
        RAISE EXCEPTION 'cannot drop history of the future'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Pass a day in the past: months that end before it are dropped.';
    END IF;
    FOR v_partition IN
        SELECT c.relname, to_date(substr(c.relname, 18), 'YYYY_MM') AS month
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'tbs.activity_history'::regclass
    LOOP
        IF (v_partition.month + interval '1 month')::date <= drop_history.before THEN
            EXECUTE format('DROP TABLE tbs.%I', v_partition.relname);
            v_count := v_count + 1;
        END IF;
    END LOOP;
    RETURN v_count;
END;
$drop_history$;
COMMENT ON FUNCTION tbs.drop_history(date) IS 'drops the history of all months that end before this day and returns how many; raises lock_not_available (55P03) when a reader is in the way: call it again';

-- Where nothing was left to do after a call, the call's row closes its activity: it has succeeded.
CREATE FUNCTION tbs.ended_as(event text)
RETURNS text
LANGUAGE sql
-- Not STRICT: so it is put into the query that uses it.
IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN event = 'api_call' THEN 'succeeded' ELSE event END;
COMMENT ON FUNCTION tbs.ended_as(text) IS 'internal: what became of an activity, by the event of the row of the history that closes it';

-- record_events: one row for each, of something that is not an API call. session_user is who logged in, current role who he acts as.
CREATE FUNCTION tbs.record_events(event text, reason text, activities tbs.activity[], closes boolean, messages text[],
                                  network_resource_id integer DEFAULT NULL, line_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $record_events$
BEGIN
    INSERT INTO tbs.activity_history (event, reason, closes, message, activity_id, activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id,
                                      order_number, telephone_number, usoc, captured_at, captured_by, user_name, trigger_description, bridge_id, outcome,
                                      call_number, kind, key, operation, method, path, request_body, session_role, acting_role)
    SELECT record_events.event, record_events.reason, record_events.closes, messages[a.ordinality], a.activity_id, a.activity_type_id,
           coalesce(a.network_resource_id, record_events.network_resource_id), coalesce(a.line_id, record_events.line_id), a.line_usoc_id, a.customer_id,
           coalesce(a.order_number, nullif(current_setting('tbs.order_number', true), '')), a.telephone_number, a.usoc, a.captured_at, a.captured_by,
           coalesce(a.user_name, nullif(current_setting('tbs.user_name', true), '')), a.trigger_description, a.bridge_id, a.last_outcome,
           c.call_number, c.kind, c.key, c.operation, c.request_method, c.request_path, c.request_body,
           session_user, coalesce(nullif(current_setting('role', true), 'none'), session_user)
    FROM unnest(record_events.activities) WITH ORDINALITY AS a
    -- A call whose answer nobody will report: what was on its way is to be seen here, because there is no other row for it.
    LEFT JOIN LATERAL (SELECT a.call_number, o.kind, o.key, a.operation, a.request_method, a.request_path, a.request_body
                       FROM (SELECT a.remote_object_id) AS i LEFT JOIN tbs.remote_object AS o ON o.remote_object_id = i.remote_object_id
                       WHERE record_events.event IN ('taken_over', 'given_back') OFFSET 0) AS c ON true
    ORDER BY a.ordinality;
END;
$record_events$;
COMMENT ON FUNCTION tbs.record_events(text, text, tbs.activity[], boolean, text[], integer, bigint) IS 'internal: appends a history row for each activity for an event that is not an API call';

CREATE FUNCTION tbs.record_event(event text, reason text, activity tbs.activity DEFAULT NULL, closes boolean DEFAULT false, message text DEFAULT NULL,
                                 network_resource_id integer DEFAULT NULL, line_id bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $record_event$
BEGIN
    PERFORM tbs.record_events(record_event.event, record_event.reason, ARRAY[record_event.activity], record_event.closes, ARRAY[record_event.message],
                              record_event.network_resource_id, record_event.line_id);
END;
$record_event$;
COMMENT ON FUNCTION tbs.record_event(text, text, tbs.activity, boolean, text, integer, bigint) IS 'internal: appends one history row for an event that is not an API call';
