-- The fallout desk: skip_step and mark_done. What an operator says was done counts, without a call.

CREATE FUNCTION tbs.plan_activity(activity tbs.activity, OUT service text, OUT context jsonb, OUT plan tbs.planned_object[])
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $plan_activity$
DECLARE
    v_type tbs.activity_type;
BEGIN
    SELECT * INTO STRICT v_type FROM tbs.activity_type AS t WHERE t.activity_type_id = activity.activity_type_id;
    service := v_type.service;
    IF tbs.is_wanted(activity.line_usoc_id, activity.network_resource_id, v_type.service) THEN
        PERFORM tbs.make_secrets(ARRAY[activity.line_id], ARRAY[v_type.network_resource_type], ARRAY[v_type.service]);
        context := tbs.corrected_context(tbs.activity_context(activity.line_usoc_id, activity.network_resource_id, v_type.trigger_type), activity.corrections);
    END IF;
    plan := (SELECT g.plan FROM tbs.network_resource AS r
             CROSS JOIN LATERAL tbs.plan(activity.line_usoc_id, r.network_resource_id, r.network_resource_type, r.base_url, v_type.service, context, activity.round_at,
                                         activity.send_all) AS g
             WHERE r.network_resource_id = activity.network_resource_id);
END;
$plan_activity$;
COMMENT ON FUNCTION tbs.plan_activity(tbs.activity) IS 'internal: what there is to do for an activity by the rows of now; context null: it is not wanted any more';

-- Null: it can be done for this activity; otherwise why not.
CREATE FUNCTION tbs.why_not_by_hand(activity tbs.activity)
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $why_not_by_hand$
BEGIN
    IF activity.state = 'processing' THEN
        RETURN 'is being processed';
    ELSIF activity.state = 'scheduled' OR EXISTS (
              SELECT FROM tbs.line_usoc AS lu JOIN tbs.network_resource AS r ON r.network_resource_id = activity.network_resource_id
              WHERE lu.line_usoc_id = activity.line_usoc_id AND lu.active_date > tbs.business_day(r.time_zone)
                AND NOT tbs.is_in_service(lu, tbs.business_day(r.time_zone))) THEN
        RETURN 'is not due yet';
    ELSIF tbs.has_moved(activity) THEN
        RETURN 'is about to follow its line USOC to another line';
    END IF;
    RETURN NULL;
END;
$why_not_by_hand$;
COMMENT ON FUNCTION tbs.why_not_by_hand(tbs.activity) IS 'internal: why a step of an activity cannot be done by hand now; null: it can';

CREATE FUNCTION tbs.skip_step_of(activity tbs.activity, reason text)
RETURNS text
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $skip_step_of$
DECLARE
    v_why_not text := tbs.why_not_by_hand(activity);
    v_resource tbs.network_resource;
    v_plan record;
    v_planned tbs.planned_object;
    v_object tbs.remote_object;
BEGIN
    IF v_why_not IS NOT NULL THEN
        RETURN v_why_not;
    ELSIF activity.state NOT IN ('failed', 'held', 'retry') THEN
        RETURN 'is not stuck at a step';
    ELSIF activity.line_usoc_id = 0 THEN
        RETURN 'has one step only: mark it done, or remove it';
    END IF;
    SELECT * INTO STRICT v_resource FROM tbs.network_resource AS r WHERE r.network_resource_id = activity.network_resource_id;
    v_plan := tbs.plan_activity(activity);
    SELECT p.* INTO v_planned FROM unnest(v_plan.plan) WITH ORDINALITY AS p WHERE p.error IS NOT NULL ORDER BY p.ordinality LIMIT 1;
    IF FOUND THEN
        RETURN format('has a step that cannot be made: %s, %s: %s', v_planned.kind, v_planned.error_member, v_planned.error);
    END IF;
    SELECT p.* INTO v_planned FROM unnest(v_plan.plan) WITH ORDINALITY AS p WHERE p.operation IN ('prepare', 'add', 'edit', 'look', 'delete') ORDER BY p.ordinality LIMIT 1;
    IF NOT FOUND THEN
        RETURN 'has no step left';
    END IF;

    -- As if it had been sent and accepted.
    INSERT INTO tbs.remote_object (network_resource_id, kind, key, identity, find_value)
    SELECT activity.network_resource_id, v_planned.kind, v_planned.key, v_planned.identity, v_planned.find_value WHERE v_planned.remote_object_id IS NULL
    ON CONFLICT DO NOTHING;
    SELECT * INTO STRICT v_object FROM tbs.remote_object AS o
    WHERE o.network_resource_id = activity.network_resource_id AND o.kind = v_planned.kind AND o.key = v_planned.key FOR UPDATE;
    IF v_object.in_flight_activity_id IS NOT NULL THEN
        RETURN format('is at %s %s, to which activity %s is just making a call', v_object.kind, v_object.key, v_object.in_flight_activity_id);
    END IF;
    INSERT INTO tbs.remote_object_use (remote_object_id, line_usoc_id, network_resource_id, service, position, removal)
    SELECT v_object.remote_object_id, activity.line_usoc_id, activity.network_resource_id, v_plan.service, v_planned.position, v_planned.removal WHERE v_planned.content IS NOT NULL
    ON CONFLICT DO NOTHING;
    UPDATE tbs.remote_object AS o
    SET presence_before = o.presence, settled_before = o.settled, identity = coalesce(v_planned.identity, o.identity), find_value = coalesce(v_planned.find_value, o.find_value),
        sent = CASE WHEN v_planned.operation IN ('look', 'prepare') THEN o.sent WHEN v_planned.operation <> 'delete' THEN v_planned.content END,
        prepared = CASE WHEN v_planned.operation = 'prepare' THEN v_planned.content ELSE o.prepared END,
        members = ARRAY(SELECT jsonb_object_keys(v_planned.content) WHERE v_planned.operation IN ('add', 'edit') UNION SELECT unnest(o.members)),
        sent_operation = v_planned.operation, sent_at = clock_timestamp()
    WHERE o.remote_object_id = v_object.remote_object_id;
    activity.remote_object_id := v_object.remote_object_id;
    activity.operation := v_planned.operation;
    PERFORM tbs.settle(activity, v_resource, 'done', v_planned.step, NULL);

    -- The round goes on where it was: what it has sent is not sent again.
    UPDATE tbs.activity AS a SET state = 'new', calls_used = 0, waits = 0, in_progress_since = NULL, due_at = NULL, held_reason = NULL, lane = 1
    WHERE a.activity_id = activity.activity_id;
    PERFORM tbs.record_event('step_skipped', skip_step_of.reason, activity, false, format('%s %s %s', v_planned.operation, v_planned.kind, v_planned.key));
    PERFORM tbs.ring();
    RETURN NULL;
END;
$skip_step_of$;
COMMENT ON FUNCTION tbs.skip_step_of(tbs.activity, text) IS 'internal: counts the step that a locked activity is at as done; null, or why it cannot be skipped';

CREATE FUNCTION tbs.skip_step(activity_id bigint, reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $skip_step$
DECLARE
    v_activity tbs.activity;
    v_why_not text;
BEGIN
    PERFORM tbs.need_reason(skip_step.reason, 'skip a step');
    v_activity := tbs.lock_activity(skip_step.activity_id);
    v_why_not := tbs.skip_step_of(v_activity, skip_step.reason);
    IF v_why_not IS NOT NULL THEN
        PERFORM tbs.refuse_activity(v_activity, v_why_not);
    END IF;
END;
$skip_step$;
COMMENT ON FUNCTION tbs.skip_step(bigint, text) IS
'the API call that an activity is stuck at counts as done without being made, and the activity goes on with the next; raises no_data_found (P0002) for an unknown activity, object_not_in_prerequisite_state (55000) for one that is not stuck at a step, or whose data cannot be rendered';

CREATE FUNCTION tbs.skip_step(activity_ids bigint[], reason text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $skip_step$
BEGIN
    PERFORM tbs.need_reason(skip_step.reason, 'skip a step');
    RETURN (SELECT count(*) FILTER (WHERE tbs.skip_step_of(a, skip_step.reason) IS NULL) FROM unnest(tbs.lock_activities(skip_step.activity_ids)) AS a);
END;
$skip_step$;
COMMENT ON FUNCTION tbs.skip_step(bigint[], text) IS 'the same for those of an array that are stuck at a step; returns how many';

CREATE FUNCTION tbs.mark_done_of(activity tbs.activity, reason text, evidence text)
RETURNS text
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $mark_done_of$
DECLARE
    v_why_not text := tbs.why_not_by_hand(activity);
    v_resource tbs.network_resource;
    v_plan record;
    v_planned tbs.planned_object;
BEGIN
    IF v_why_not IS NOT NULL THEN
        RETURN v_why_not;
    ELSIF activity.line_usoc_id = 0 THEN
        PERFORM tbs.succeed_activities(ARRAY[activity], NULL, ARRAY[mark_done_of.evidence], 'marked_done', mark_done_of.reason);
        PERFORM tbs.wake_lines(ARRAY[activity.line_id]);
        RETURN NULL;
    END IF;
    SELECT * INTO STRICT v_resource FROM tbs.network_resource AS r WHERE r.network_resource_id = activity.network_resource_id;
    v_plan := tbs.plan_activity(activity);
    SELECT p.* INTO v_planned FROM unnest(v_plan.plan) WITH ORDINALITY AS p WHERE p.error IS NOT NULL ORDER BY p.ordinality LIMIT 1;
    IF FOUND THEN
        RETURN format('cannot be recorded as done: %s, %s: %s', v_planned.kind, v_planned.error_member, v_planned.error);
    END IF;
    FOR v_planned IN SELECT p.* FROM unnest(v_plan.plan) AS p LOOP
        IF v_planned.content IS NOT NULL THEN
            PERFORM tbs.record_as_present(v_resource, v_planned, activity.line_usoc_id, v_plan.service, false);
            CONTINUE;
        ELSIF v_planned.operation = 'release' AND NOT tbs.hand_over(activity, v_planned, v_plan.service) THEN
            -- Whoever wanted it has just changed its mind: it is gone like the rest.
            v_planned.operation := 'delete';
        END IF;
        DELETE FROM tbs.remote_object_use AS u
        WHERE u.remote_object_id = v_planned.remote_object_id AND u.line_usoc_id = activity.line_usoc_id AND u.service = v_plan.service;
        DELETE FROM tbs.remote_object AS o
        WHERE v_planned.operation IN ('delete', 'forget') AND o.remote_object_id = v_planned.remote_object_id AND o.in_flight_activity_id IS NULL
          AND NOT EXISTS (SELECT FROM tbs.remote_object_use AS u WHERE u.remote_object_id = o.remote_object_id)
          AND NOT EXISTS (SELECT FROM tbs.activity AS w WHERE w.waits_for_object_id = o.remote_object_id);
    END LOOP;
    PERFORM tbs.succeed_activities(ARRAY[activity], ARRAY[v_plan.context IS NOT NULL], ARRAY[mark_done_of.evidence], 'marked_done', mark_done_of.reason);
    PERFORM tbs.wake_lines(ARRAY[activity.line_id]);
    RETURN NULL;
END;
$mark_done_of$;
COMMENT ON FUNCTION tbs.mark_done_of(tbs.activity, text, text) IS 'internal: closes a locked activity as done by hand; null, or why it cannot be';

CREATE FUNCTION tbs.need_evidence(evidence text)
RETURNS void
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $need_evidence$
BEGIN
    IF coalesce(btrim(need_evidence.evidence), '') = '' THEN
        RAISE EXCEPTION 'evidence is needed to mark something done'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'How is it known to be done? A ticket, what the system''s own page shows.';
    END IF;
END;
$need_evidence$;
COMMENT ON FUNCTION tbs.need_evidence(text) IS 'internal: raises invalid_parameter_value (22023) without evidence';

CREATE FUNCTION tbs.mark_done(activity_id bigint, reason text, evidence text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $mark_done$
DECLARE
    v_activity tbs.activity;
    v_why_not text;
BEGIN
    PERFORM tbs.need_reason(mark_done.reason, 'mark an activity done');
    PERFORM tbs.need_evidence(mark_done.evidence);
    v_activity := tbs.lock_activity(mark_done.activity_id);
    v_why_not := tbs.mark_done_of(v_activity, mark_done.reason, mark_done.evidence);
    IF v_why_not IS NOT NULL THEN
        PERFORM tbs.refuse_activity(v_activity, v_why_not);
    END IF;
END;
$mark_done$;
COMMENT ON FUNCTION tbs.mark_done(bigint, text, text) IS
'closes an activity that was done by hand: its remote objects count as made, changed or gone as the rows say, without a call; the next change sends them in full; evidence says how it is known; raises no_data_found (P0002) for an unknown activity, object_not_in_prerequisite_state (55000) for one that is being processed or not due, or whose data cannot be rendered';

CREATE FUNCTION tbs.mark_done(activity_ids bigint[], reason text, evidence text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $mark_done$
BEGIN
    PERFORM tbs.need_reason(mark_done.reason, 'mark activities done');
    PERFORM tbs.need_evidence(mark_done.evidence);
    RETURN (SELECT count(*) FILTER (WHERE tbs.mark_done_of(a, mark_done.reason, mark_done.evidence) IS NULL)
            FROM unnest(tbs.lock_activities(mark_done.activity_ids)) AS a);
END;
$mark_done$;
COMMENT ON FUNCTION tbs.mark_done(bigint[], text, text) IS 'the same for those of an array with which it can be done; returns how many';
