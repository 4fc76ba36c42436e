-- The fallout desk: retry, also with a corrected value.

CREATE FUNCTION tbs.accepted_values(activity_type_id integer)
RETURNS text[]
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $accepted_values$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT n.name
        FROM tbs.activity_type AS t
        JOIN tbs.service_object AS o ON o.network_resource_type = t.network_resource_type AND o.service = t.service
        -- What lines share takes no values of one line.
             AND o.values_from IN ('line', 'line_usoc', 'device')
        JOIN tbs.activity_step AS s ON s.network_resource_type = o.network_resource_type AND s.service = o.service AND s.position = o.position
             AND s.operation IN ('add', 'edit')
        CROSS JOIN LATERAL (
            SELECT unnest(s.accepts) AS name
            UNION ALL
            SELECT substr(p, 8) FROM unnest(tbs.document_references(coalesce(s.body, '{}')) || tbs.document_references(s.query) || tbs.document_references(s.headers)
                                            || tbs.uri_template_references(s.path)) AS p
            WHERE p LIKE 'values.%') AS n
        WHERE t.activity_type_id = accepted_values.activity_type_id
        ORDER BY n.name);
END;
$accepted_values$;
COMMENT ON FUNCTION tbs.accepted_values(integer) IS 'internal: names of the values that the API calls of an activity type take for one line';

CREATE FUNCTION tbs.check_corrections(activities tbs.activity[], corrections jsonb)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $check_corrections$
DECLARE
    v_type record;
BEGIN
    IF check_corrections.corrections IS NULL THEN
        RETURN;
    ELSIF jsonb_typeof(check_corrections.corrections) <> 'object' THEN
        RAISE EXCEPTION 'corrections must be an object, not %', jsonb_typeof(check_corrections.corrections)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Pass names and values: {"name-last-name": "Able"}; null: do not send it; {}: no corrections any more.';
    END IF;
    FOR v_type IN
        SELECT t.network_resource_type || '.' || t.service AS name, tbs.accepted_values(t.activity_type_id) AS accepted, t.activity_type_id
        FROM (SELECT DISTINCT a.activity_type_id FROM unnest(check_corrections.activities) AS a) AS d
        JOIN tbs.activity_type AS t ON t.activity_type_id = d.activity_type_id
        ORDER BY t.activity_type_id
    LOOP
        IF EXISTS (SELECT FROM jsonb_object_keys(check_corrections.corrections) AS k WHERE k <> ALL (v_type.accepted)) THEN
            RAISE EXCEPTION 'service % takes no value "%"', v_type.name,
                            (SELECT min(k) FROM jsonb_object_keys(check_corrections.corrections) AS k WHERE k <> ALL (v_type.accepted))
                USING ERRCODE = 'invalid_parameter_value',
                      DETAIL = CASE WHEN cardinality(v_type.accepted) = 0 THEN 'It takes no values of a line.'
                                    ELSE format('It takes: %s.', array_to_string(v_type.accepted, ', ')) END,
                      HINT = 'SELECT * FROM tbs.explain_values(line_usoc_id, network_resource); shows the values as they are.';
        END IF;
    END LOOP;
END;
$check_corrections$;
COMMENT ON FUNCTION tbs.check_corrections(tbs.activity[], jsonb) IS 'internal: raises invalid_parameter_value (22023) for a corrected value that a service does not take';

CREATE FUNCTION tbs.retry_activities(activities tbs.activity[], reason text, corrections jsonb)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $retry_activities$
DECLARE
    v_is_mass boolean := cardinality(retry_activities.activities) > 1;
    v_given record;
BEGIN
    PERFORM tbs.check_corrections(retry_activities.activities, retry_activities.corrections);
    UPDATE tbs.activity AS a
    SET state = 'new', calls_used = 0, waits = 0, in_progress_since = NULL, round = a.round + 1, round_at = clock_timestamp(), send_all = true, due_at = NULL,
        lane = CASE WHEN v_is_mass THEN 4 ELSE 1 END, corrections = nullif(coalesce(retry_activities.corrections, a.corrections), '{}')
    WHERE a.activity_id = ANY (ARRAY(SELECT r.activity_id FROM unnest(retry_activities.activities) AS r));
    FOR v_given IN
        -- The history keeps what was corrected, except secrets.
        SELECT array_agg(a) AS activities, tbs.mask_secrets(retry_activities.corrections, n.secret_members)::text AS message
        FROM unnest(retry_activities.activities) AS a
        JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
        JOIN tbs.network_resource_type AS n ON n.network_resource_type = r.network_resource_type
        GROUP BY n.network_resource_type
    LOOP
        PERFORM tbs.record_activity_events(CASE WHEN retry_activities.corrections IS NULL THEN 'retried' ELSE 'corrected' END, retry_activities.reason,
                                           v_given.activities, false, v_given.message);
    END LOOP;
    IF v_is_mass THEN
        PERFORM tbs.ramp_for(retry_activities.activities);
    END IF;
    PERFORM tbs.ring();
    RETURN cardinality(retry_activities.activities);
END;
$retry_activities$;
COMMENT ON FUNCTION tbs.retry_activities(tbs.activity[], text, jsonb) IS 'internal: gives locked activities a new round of calls';

CREATE FUNCTION tbs.retry_activity(activity_id bigint, reason text, corrections jsonb DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $retry_activity$
DECLARE
    v_activity tbs.activity;
BEGIN
    PERFORM tbs.need_reason(retry_activity.reason, 'retry an activity');
    v_activity := tbs.lock_activity(retry_activity.activity_id);
    IF v_activity.state = 'held' THEN
        PERFORM tbs.refuse_activity(v_activity, 'is held', 'It is held: ' || v_activity.held_reason,
                                    format('SELECT tbs.release_activity(%s, reason); lets it go.', v_activity.activity_id));
    ELSIF v_activity.state NOT IN ('failed', 'retry') THEN
        PERFORM tbs.refuse_activity(v_activity, 'has not failed');
    END IF;
    PERFORM tbs.retry_activities(ARRAY[v_activity], retry_activity.reason, retry_activity.corrections);
END;
$retry_activity$;
COMMENT ON FUNCTION tbs.retry_activity(bigint, text, jsonb) IS
'gives a failed activity (or one that waits for its next try) a new round of calls, at once; sends even what was accepted before; corrections: values for this activity only, nearer than all layers, such as {"name-last-name": "Able"} (JSON null: do not send; {}: none any more; not given: those it has stay); raises no_data_found (P0002) for an unknown activity, object_not_in_prerequisite_state (55000) for one that has not failed, invalid_parameter_value (22023) for a value that its service does not take';

CREATE FUNCTION tbs.retry_activity(activity_ids bigint[], reason text, corrections jsonb DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $retry_activity$
BEGIN
    PERFORM tbs.need_reason(retry_activity.reason, 'retry activities');
    RETURN tbs.retry_activities(ARRAY(SELECT a FROM unnest(tbs.lock_activities(retry_activity.activity_ids)) AS a WHERE a.state IN ('failed', 'retry')),
                                retry_activity.reason, retry_activity.corrections);
END;
$retry_activity$;
COMMENT ON FUNCTION tbs.retry_activity(bigint[], text, jsonb) IS
'the same for those of an array that have failed or wait for their next try; returns how many; more than one go behind what people wait for, and begin gently; raises invalid_parameter_value (22023) for a value that a service does not take';
