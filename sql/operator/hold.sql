-- The fallout desk: hold and release.

CREATE FUNCTION tbs.hold_activities(activities tbs.activity[], reason text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $hold_activities$
BEGIN
    UPDATE tbs.activity AS a
    -- A date stays known. Nobody wakes what waits for an object and is held.
    SET state = 'held', held_reason = hold_activities.reason, due_at = CASE WHEN a.state = 'scheduled' THEN a.due_at END, waits_for_object_id = NULL
    WHERE a.activity_id = ANY (ARRAY(SELECT h.activity_id FROM unnest(hold_activities.activities) AS h));
    PERFORM tbs.record_activity_events('held', hold_activities.reason, hold_activities.activities);
    PERFORM tbs.wake_lines(ARRAY(SELECT DISTINCT a.line_id FROM unnest(hold_activities.activities) AS a));
    RETURN cardinality(hold_activities.activities);
END;
$hold_activities$;
COMMENT ON FUNCTION tbs.hold_activities(tbs.activity[], text) IS 'internal: holds locked activities';

CREATE FUNCTION tbs.hold_activity(activity_id bigint, reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $hold_activity$
DECLARE
    v_activity tbs.activity;
BEGIN
    PERFORM tbs.need_reason(hold_activity.reason, 'hold an activity');
    v_activity := tbs.lock_activity(hold_activity.activity_id);
    IF v_activity.state = 'processing' THEN
        PERFORM tbs.refuse_activity(v_activity, 'is being processed');
    ELSIF v_activity.state NOT IN ('new', 'waiting', 'retry', 'scheduled') THEN
        PERFORM tbs.refuse_activity(v_activity, 'does not go on by itself');
    END IF;
    PERFORM tbs.hold_activities(ARRAY[v_activity], hold_activity.reason);
END;
$hold_activity$;
COMMENT ON FUNCTION tbs.hold_activity(bigint, text) IS
'keeps an activity from being carried out until tbs.release_activity(); it holds what comes later for its line USOC and what requires it, the line''s other services go on; raises no_data_found (P0002) for an unknown activity, object_not_in_prerequisite_state (55000) for one that is being processed, has failed or is held';

CREATE FUNCTION tbs.hold_activity(activity_ids bigint[], reason text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $hold_activity$
BEGIN
    PERFORM tbs.need_reason(hold_activity.reason, 'hold activities');
    RETURN tbs.hold_activities(ARRAY(SELECT a FROM unnest(tbs.lock_activities(hold_activity.activity_ids)) AS a
                                     WHERE a.state IN ('new', 'waiting', 'retry', 'scheduled')), hold_activity.reason);
END;
$hold_activity$;
COMMENT ON FUNCTION tbs.hold_activity(bigint[], text) IS 'the same for those of an array that would go on by themselves; returns how many';

CREATE FUNCTION tbs.release_activities(activities tbs.activity[], reason text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $release_activities$
DECLARE
    v_is_mass boolean := cardinality(release_activities.activities) > 1;
BEGIN
    UPDATE tbs.activity AS a
    SET state = CASE WHEN a.due_at > clock_timestamp() THEN 'scheduled' ELSE 'new' END, due_at = CASE WHEN a.due_at > clock_timestamp() THEN a.due_at END,
        waits = 0, held_reason = NULL, brake_released = a.brake_released OR a.held_reason LIKE 'delete brake%',
        lane = CASE WHEN v_is_mass THEN greatest(a.lane, 4::smallint) ELSE a.lane END
    WHERE a.activity_id = ANY (ARRAY(SELECT r.activity_id FROM unnest(release_activities.activities) AS r));
    PERFORM tbs.record_activity_events('released', release_activities.reason, release_activities.activities);
    IF v_is_mass THEN
        PERFORM tbs.ramp_for(release_activities.activities);
    END IF;
    PERFORM tbs.ring();
    RETURN cardinality(release_activities.activities);
END;
$release_activities$;
COMMENT ON FUNCTION tbs.release_activities(tbs.activity[], text) IS 'internal: lets locked activities that are held go on';

CREATE FUNCTION tbs.release_activity(activity_id bigint, reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $release_activity$
DECLARE
    v_activity tbs.activity;
BEGIN
    PERFORM tbs.need_reason(release_activity.reason, 'release an activity');
    v_activity := tbs.lock_activity(release_activity.activity_id);
    IF v_activity.state <> 'held' THEN
        PERFORM tbs.refuse_activity(v_activity, 'is not held');
    END IF;
    PERFORM tbs.release_activities(ARRAY[v_activity], release_activity.reason);
END;
$release_activity$;
COMMENT ON FUNCTION tbs.release_activity(bigint, text) IS
'lets a held activity go on, also past the delete brake that held it; raises no_data_found (P0002) for an unknown activity, object_not_in_prerequisite_state (55000) for one that is not held';

CREATE FUNCTION tbs.release_activity(activity_ids bigint[], reason text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $release_activity$
BEGIN
    PERFORM tbs.need_reason(release_activity.reason, 'release activities');
    RETURN tbs.release_activities(ARRAY(SELECT a FROM unnest(tbs.lock_activities(release_activity.activity_ids)) AS a WHERE a.state = 'held'),
                                  release_activity.reason);
END;
$release_activity$;
COMMENT ON FUNCTION tbs.release_activity(bigint[], text) IS 'the same for those of an array that are held; returns how many; more than one go behind what people wait for, and begin gently';
