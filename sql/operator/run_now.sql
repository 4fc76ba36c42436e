-- The fallout desk: run_now. The decision is about the line USOC and its date, so what is scheduled for it on other network resources goes too.

CREATE FUNCTION tbs.run_activities_now(activities tbs.activity[], reason text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $run_activities_now$
DECLARE
    v_all tbs.activity[];
BEGIN
    INSERT INTO tbs.line_usoc_run_now AS n (line_usoc_id, what, day)
    SELECT DISTINCT lu.line_usoc_id, CASE WHEN s.has_begun THEN 'end' ELSE 'start' END, CASE WHEN s.has_begun THEN lu.disconnect_date ELSE lu.active_date END
    FROM unnest(run_activities_now.activities) AS a
    JOIN tbs.line_usoc AS lu ON lu.line_usoc_id = a.line_usoc_id
    JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
    CROSS JOIN LATERAL (SELECT tbs.is_in_service(lu, tbs.business_day(r.time_zone)) AS has_begun) AS s
    WHERE CASE WHEN s.has_begun THEN lu.disconnect_date ELSE lu.active_date END IS NOT NULL
    ON CONFLICT ON CONSTRAINT line_usoc_run_now_pkey DO UPDATE SET day = excluded.day, decided_at = clock_timestamp();
    v_all := ARRAY(SELECT a FROM tbs.activity AS a
                   WHERE a.state = 'scheduled'
                     AND (a.activity_id = ANY (ARRAY(SELECT r.activity_id FROM unnest(run_activities_now.activities) AS r))
                          OR (a.line_usoc_id, a.line_id) IN (SELECT r.line_usoc_id, r.line_id FROM unnest(run_activities_now.activities) AS r WHERE r.line_usoc_id <> 0))
                   ORDER BY a.activity_id);
    UPDATE tbs.activity AS a SET state = 'new', due_at = NULL, lane = CASE WHEN cardinality(run_activities_now.activities) > 1 THEN 4 ELSE 1 END
    WHERE a.activity_id = ANY (ARRAY(SELECT r.activity_id FROM unnest(v_all) AS r));
    PERFORM tbs.record_activity_events('run_now', run_activities_now.reason, v_all);
    PERFORM tbs.ring();
    RETURN cardinality(run_activities_now.activities);
END;
$run_activities_now$;
COMMENT ON FUNCTION tbs.run_activities_now(tbs.activity[], text) IS 'internal: makes locked scheduled activities due';

CREATE FUNCTION tbs.run_now(activity_id bigint, reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $run_now$
DECLARE
    v_activity tbs.activity;
BEGIN
    PERFORM tbs.need_reason(run_now.reason, 'run an activity now');
    v_activity := tbs.lock_activity(run_now.activity_id);
    IF v_activity.state <> 'scheduled' THEN
        PERFORM tbs.refuse_activity(v_activity, 'is not scheduled');
    END IF;
    PERFORM tbs.run_activities_now(ARRAY[v_activity], run_now.reason);
END;
$run_now$;
COMMENT ON FUNCTION tbs.run_now(bigint, text) IS
'carries out a scheduled activity before its day: its line USOC starts, or ends, now, on every network resource; a date that is changed later voids the decision; raises no_data_found (P0002) for an unknown activity, object_not_in_prerequisite_state (55000) for one that is not scheduled';

CREATE FUNCTION tbs.run_now(activity_ids bigint[], reason text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $run_now$
BEGIN
    PERFORM tbs.need_reason(run_now.reason, 'run activities now');
    RETURN tbs.run_activities_now(ARRAY(SELECT a FROM unnest(tbs.lock_activities(run_now.activity_ids)) AS a WHERE a.state = 'scheduled'), run_now.reason);
END;
$run_now$;
COMMENT ON FUNCTION tbs.run_now(bigint[], text) IS 'the same for those of an array that are scheduled; returns how many';
