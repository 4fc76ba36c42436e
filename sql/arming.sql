-- Arming, origin, and switching capture off: what an application or a DBA says about a whole database or one transaction.

CREATE FUNCTION tbs.arm(reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $arm$
BEGIN
    IF coalesce(btrim(arm.reason), '') = '' THEN
        RAISE EXCEPTION 'a reason is needed to arm' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'From now on changes are captured and network resources are called: SELECT tbs.arm(''go live'');';
    END IF;
    PERFORM tbs.make_history_partitions();
    -- Rows of one's own that came with a restore are not in the derived tables yet.
    PERFORM tbs.rebuild_recipes();
    PERFORM tbs.rebuild_resource_contexts();
    INSERT INTO tbs.arming AS a (armed, system_identifier, database_oid, changed_at, changed_by, reason)
    SELECT true, split_part(tbs.database_epoch(), '/', 1), d.oid, clock_timestamp(), session_user, arm.reason FROM pg_database AS d WHERE d.datname = current_database()
    ON CONFLICT (only_row) DO UPDATE
    SET armed = true, system_identifier = excluded.system_identifier, database_oid = excluded.database_oid, changed_at = excluded.changed_at,
        changed_by = excluded.changed_by, reason = excluded.reason;
    PERFORM tbs.record_event('armed', arm.reason);
    PERFORM tbs.ring();
END;
$arm$;
COMMENT ON FUNCTION tbs.arm(text) IS 'from now on changes are captured and sent; needed after CREATE EXTENSION and after a restore; raises invalid_parameter_value (22023) without a reason';

CREATE FUNCTION tbs.disarm(reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $disarm$
BEGIN
    IF coalesce(btrim(disarm.reason), '') = '' THEN
        RAISE EXCEPTION 'a reason is needed to disarm' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM tbs.make_history_partitions();
    UPDATE tbs.arming AS a SET armed = false, changed_at = clock_timestamp(), changed_by = session_user, reason = disarm.reason;
    PERFORM tbs.record_event('disarmed', disarm.reason);
END;
$disarm$;
COMMENT ON FUNCTION tbs.disarm(text) IS 'changes are neither captured nor sent any more; what was captured stays on the queue';

CREATE FUNCTION tbs.set_origin(order_number text, user_name text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $set_origin$
BEGIN
    PERFORM set_config('tbs.order_number', coalesce(set_origin.order_number, ''), true);
    PERFORM set_config('tbs.user_name', coalesce(set_origin.user_name, ''), true);
END;
$set_origin$;
COMMENT ON FUNCTION tbs.set_origin(text, text) IS 'names the order and the clerk for what is captured in the rest of this transaction';

CREATE FUNCTION tbs.set_lane(lane text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $set_lane$
BEGIN
    IF set_lane.lane IS NULL OR set_lane.lane NOT IN ('restore', 'normal', 'bulk', 'resync') THEN
        RAISE EXCEPTION 'unknown lane: "%"', set_lane.lane
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Lanes are restore, normal, bulk and resync.';
    END IF;
    PERFORM set_config('tbs.lane', set_lane.lane, true);
END;
$set_lane$;
COMMENT ON FUNCTION tbs.set_lane(text) IS
'the lane (restore, normal, bulk, resync) of what is captured in the rest of this transaction: a mass change in bulk does not keep single changes waiting; raises invalid_parameter_value (22023) for an unknown one';

CREATE FUNCTION tbs.without_capture(reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $without_capture$
BEGIN
    IF coalesce(btrim(without_capture.reason), '') = '' THEN
        RAISE EXCEPTION 'a reason is needed to switch capture off' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'SELECT tbs.without_capture(''correcting a typing error that the switch never saw'');';
    END IF;
    PERFORM tbs.make_history_partitions();
    PERFORM set_config('tbs.without_capture', without_capture.reason, true);
    PERFORM tbs.record_event('without_capture', without_capture.reason);
END;
$without_capture$;
COMMENT ON FUNCTION tbs.without_capture(text) IS 'switches capture off for the rest of this transaction; the history says who and why';
