-- The fallout desk: what operators do with activities, one or an array of them. Each function takes the lines' locks, so that it never decides past a claim or
-- a report, leaves a row for each activity in the history with who, as whom and why, and lets those that the activity held look again.
-- For one activity, what cannot be done is an error; of an array it is left out, and the number of those that were done is returned.
-- enable_seqscan and jit are off in the forms for arrays, for the reason that bridge.sql gives: a kept plan must not depend on how small the tables once were.

CREATE FUNCTION tbs.need_reason(reason text, what text)
RETURNS void
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $need_reason$
BEGIN
    IF coalesce(btrim(need_reason.reason), '') = '' THEN
        RAISE EXCEPTION 'a reason is needed to %', need_reason.what
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is kept in the history with who did it.';
    END IF;
END;
$need_reason$;
COMMENT ON FUNCTION tbs.need_reason(text, text) IS 'internal: raises invalid_parameter_value (22023) when an operator gives no reason';

CREATE FUNCTION tbs.lock_activities(activity_ids bigint[])
RETURNS tbs.activity[]
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $lock_activities$
DECLARE
    v_lines bigint[] := ARRAY(SELECT DISTINCT a.line_id FROM tbs.activity AS a WHERE a.activity_id = ANY (lock_activities.activity_ids));
BEGIN
    PERFORM tbs.make_history_partitions();
    PERFORM tbs.lock_lines(v_lines);
    -- One that went to another line, or left the queue, while this waited is left to whoever took it.
    RETURN ARRAY(SELECT a FROM tbs.activity AS a
                 WHERE a.activity_id = ANY (lock_activities.activity_ids) AND a.line_id = ANY (v_lines) ORDER BY a.activity_id);
END;
$lock_activities$;
COMMENT ON FUNCTION tbs.lock_activities(bigint[]) IS 'internal: those of these activities that are on the queue, with their lines locked';

CREATE FUNCTION tbs.lock_activity(activity_id bigint)
RETURNS tbs.activity
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $lock_activity$
DECLARE
    v_activities tbs.activity[] := tbs.lock_activities(ARRAY[lock_activity.activity_id]);
BEGIN
    IF cardinality(v_activities) = 0 THEN
        RAISE EXCEPTION 'unknown activity: %', lock_activity.activity_id
            USING ERRCODE = 'no_data_found',
                  DETAIL = coalesce((SELECT format('It left the queue on %s: %s.', h.recorded_at, tbs.ended_as(h.event)) FROM tbs.activity_history AS h
                                     WHERE h.activity_id = lock_activity.activity_id AND h.closes LIMIT 1), 'No activity has or had this number.'),
                  HINT = 'SELECT * FROM tbs.activity_queue; shows what is on the queue, tbs.activity_log what was.';
    END IF;
    RETURN v_activities[1];
END;
$lock_activity$;
COMMENT ON FUNCTION tbs.lock_activity(bigint) IS 'internal: an activity with its line locked; raises no_data_found (P0002) for an unknown one';

CREATE FUNCTION tbs.refuse_activity(activity tbs.activity, message text, detail text DEFAULT NULL, hint text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $refuse_activity$
BEGIN
    RAISE EXCEPTION 'activity % %', activity.activity_id, refuse_activity.message
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = coalesce(refuse_activity.detail, format('Its state is %s.', activity.state)
                                || CASE WHEN activity.state = 'processing' THEN ' Its API call has been sent and has no answer yet.' ELSE '' END),
              HINT = coalesce(refuse_activity.hint, CASE WHEN activity.state = 'processing' THEN 'Try again when the call is over. ' ELSE '' END
                              || format('SELECT tbs.why_waiting(%s); says what it waits for.', activity.activity_id));
END;
$refuse_activity$;
COMMENT ON FUNCTION tbs.refuse_activity(tbs.activity, text, text, text) IS 'internal: raises object_not_in_prerequisite_state (55000) for an activity with which something cannot be done now';

-- One row for each, as tbs.record_event() makes them.
CREATE FUNCTION tbs.record_activity_events(event text, reason text, activities tbs.activity[], closes boolean DEFAULT false, message text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $record_activity_events$
BEGIN
    INSERT INTO tbs.activity_history (event, reason, closes, message, activity_id, activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id,
                                      order_number, telephone_number, usoc, captured_at, captured_by, user_name, trigger_description, bridge_id, outcome,
                                      session_role, acting_role)
    SELECT record_activity_events.event, record_activity_events.reason, record_activity_events.closes, record_activity_events.message,
           a.activity_id, a.activity_type_id, a.network_resource_id, a.line_id, a.line_usoc_id, a.customer_id,
           coalesce(a.order_number, nullif(current_setting('tbs.order_number', true), '')), a.telephone_number, a.usoc, a.captured_at, a.captured_by,
           coalesce(a.user_name, nullif(current_setting('tbs.user_name', true), '')), a.trigger_description, a.bridge_id, a.last_outcome,
           session_user, coalesce(nullif(current_setting('role', true), 'none'), session_user)
    FROM unnest(record_activity_events.activities) AS a;
END;
$record_activity_events$;
COMMENT ON FUNCTION tbs.record_activity_events(text, text, tbs.activity[], boolean, text) IS 'internal: appends one history row for each of these activities';

-- Those who waited behind what an operator has just decided on may look again. The lines' locks are held.
CREATE FUNCTION tbs.wake_lines(line_ids bigint[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $wake_lines$
BEGIN
    UPDATE tbs.activity AS a SET state = 'new' WHERE a.line_id = ANY (wake_lines.line_ids) AND a.state = 'waiting' AND a.waits_for_object_id IS NULL;
    PERFORM tbs.ring();
END;
$wake_lines$;
COMMENT ON FUNCTION tbs.wake_lines(bigint[]) IS 'internal: lets what waits on these lines look again whether it is its turn';

-- More than one at a time is bulk: behind what people wait for, and the network resource gets it gently.
CREATE FUNCTION tbs.ramp_for(activities tbs.activity[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $ramp_for$
BEGIN
    PERFORM tbs.start_ramp(g.network_resource_id)
    FROM (SELECT a.network_resource_id, count(*) AS activities FROM unnest(ramp_for.activities) AS a GROUP BY a.network_resource_id) AS g
    JOIN tbs.network_resource AS r ON r.network_resource_id = g.network_resource_id
    -- So few cannot be a stampede.
    WHERE g.activities > r.connections
    ORDER BY g.network_resource_id;
END;
$ramp_for$;
COMMENT ON FUNCTION tbs.ramp_for(tbs.activity[]) IS 'internal: starts the ramp of each network resource that gets more of these activities than it has connections';
