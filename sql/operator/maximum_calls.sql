-- The fallout desk: the maximum number of calls of an activity.

CREATE FUNCTION tbs.set_maximum_calls_of(activities tbs.activity[], maximum_calls integer, reason text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $set_maximum_calls_of$
BEGIN
    INSERT INTO tbs.activity_policy AS p (activity_id, maximum_calls)
    SELECT a.activity_id, set_maximum_calls_of.maximum_calls FROM unnest(set_maximum_calls_of.activities) AS a
    ON CONFLICT ON CONSTRAINT activity_policy_key DO UPDATE SET maximum_calls = excluded.maximum_calls;
    PERFORM tbs.record_activity_events('maximum_calls_set', set_maximum_calls_of.reason, set_maximum_calls_of.activities, false,
                                       format('maximum number of calls = %s', set_maximum_calls_of.maximum_calls));
    RETURN cardinality(set_maximum_calls_of.activities);
END;
$set_maximum_calls_of$;
COMMENT ON FUNCTION tbs.set_maximum_calls_of(tbs.activity[], integer, text) IS 'internal: the maximum number of calls of locked activities';

CREATE FUNCTION tbs.check_maximum_calls(maximum_calls integer)
RETURNS void
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $check_maximum_calls$
BEGIN
    IF check_maximum_calls.maximum_calls IS NULL OR check_maximum_calls.maximum_calls NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'the maximum number of calls must be from 1 to 1000, not %', coalesce(check_maximum_calls.maximum_calls::text, 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END;
$check_maximum_calls$;
COMMENT ON FUNCTION tbs.check_maximum_calls(integer) IS 'internal: raises invalid_parameter_value (22023) for a number out of range';

CREATE FUNCTION tbs.set_maximum_calls(activity_id bigint, maximum_calls integer, reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $set_maximum_calls$
DECLARE
    v_activity tbs.activity;
BEGIN
    PERFORM tbs.need_reason(set_maximum_calls.reason, 'set the maximum number of calls');
    PERFORM tbs.check_maximum_calls(set_maximum_calls.maximum_calls);
    v_activity := tbs.lock_activity(set_maximum_calls.activity_id);
    IF v_activity.state = 'processing' THEN
        PERFORM tbs.refuse_activity(v_activity, 'is being processed');
    END IF;
    PERFORM tbs.set_maximum_calls_of(ARRAY[v_activity], set_maximum_calls.maximum_calls, set_maximum_calls.reason);
END;
$set_maximum_calls$;
COMMENT ON FUNCTION tbs.set_maximum_calls(bigint, integer, text) IS
'how many failed tries this activity may use, 1 to 1000; one that has failed still needs tbs.retry_activity(); raises no_data_found (P0002) for an unknown activity, object_not_in_prerequisite_state (55000) while it is being processed, invalid_parameter_value (22023) for a number out of range';

CREATE FUNCTION tbs.set_maximum_calls(activity_ids bigint[], maximum_calls integer, reason text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $set_maximum_calls$
BEGIN
    PERFORM tbs.need_reason(set_maximum_calls.reason, 'set the maximum number of calls');
    PERFORM tbs.check_maximum_calls(set_maximum_calls.maximum_calls);
    RETURN tbs.set_maximum_calls_of(ARRAY(SELECT a FROM unnest(tbs.lock_activities(set_maximum_calls.activity_ids)) AS a WHERE a.state <> 'processing'),
                                    set_maximum_calls.maximum_calls, set_maximum_calls.reason);
END;
$set_maximum_calls$;
COMMENT ON FUNCTION tbs.set_maximum_calls(bigint[], integer, text) IS 'the same for those of an array that are not being processed; returns how many';
