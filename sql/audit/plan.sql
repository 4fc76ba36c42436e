-- What is done about an audit's result: adopt (what is there is recorded, nothing is sent), send (the network resource gets what the rows want), remove (what no row
-- wants). Only rows that are named, and each only where it makes sense; nothing is decided by default.

-- Chosen rows of an audit with all that deciding takes; the lines' locks are held.
CREATE FUNCTION tbs.adopt_audited(audit tbs.audit, resource tbs.network_resource, chosen bigint[], reason text)
RETURNS bigint[]
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $adopt_audited$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_adopted bigint[];
BEGIN
    -- Content as the line that it was compared for wants it, with what was found in its place where that differs: what is there, in the words of our steps.
    INSERT INTO tbs.remote_object AS r (network_resource_id, kind, key, identity, find_value, origin, presence, members, accepted, accepted_at, accepted_epoch)
    SELECT DISTINCT ON (c.kind, c.key) resource.network_resource_id, c.kind, c.key, c.identity, c.find_value, 'adopted', 'present',
           ARRAY(SELECT jsonb_object_keys(c.content)), c.content, v_now, tbs.accepted_epoch(resource)
    FROM (SELECT o.kind, o.key, o.identity, w.find_value,
                 w.content || (SELECT coalesce(jsonb_object_agg(d.key, coalesce(d.value -> 'found', '""')), '{}')
                               FROM jsonb_each(o.differences) AS d WHERE w.content ? d.key OR (d.value ->> 'found' IS NOT NULL AND NOT o.identity ? d.key)) AS content
          FROM tbs.audit_object AS o
          JOIN tbs.audit_wanted AS w ON w.audit_id = o.audit_id AND w.kind = o.kind AND w.key = o.key AND w.line_usoc_id = o.line_usoc_id AND w.service = o.service
          WHERE o.audit_object_id = ANY (adopt_audited.chosen) AND o.status IN ('in step', 'different') AND w.error IS NULL) AS c
    ORDER BY c.kind, c.key
    ON CONFLICT ON CONSTRAINT remote_object_key DO UPDATE
    SET origin = CASE WHEN r.origin = 'made' THEN 'made' ELSE 'adopted' END, presence = 'present', settled = true, identity = excluded.identity,
        members = excluded.members, accepted = excluded.accepted, accepted_at = excluded.accepted_at, accepted_epoch = excluded.accepted_epoch
    WHERE r.in_flight_activity_id IS NULL;
    IF cardinality(adopt_audited.chosen) > 1000 THEN
        -- They have just been filled, and nobody has counted them yet.
        ANALYZE tbs.remote_object;
    END IF;
    WITH adopted AS (
        UPDATE tbs.audit_object AS o SET decided = 'adopted', decided_at = v_now
        FROM tbs.remote_object AS r
        WHERE o.audit_object_id = ANY (adopt_audited.chosen) AND o.status IN ('in step', 'different')
          AND r.network_resource_id = resource.network_resource_id AND r.kind = o.kind AND r.key = o.key AND r.accepted_at = v_now
        RETURNING o.audit_object_id)
    SELECT array_agg(d.audit_object_id) INTO v_adopted FROM adopted AS d;
    INSERT INTO tbs.remote_object_use (remote_object_id, line_usoc_id, network_resource_id, service, position, removal)
    SELECT r.remote_object_id, w.line_usoc_id, resource.network_resource_id, w.service, w.position, w.removal
    FROM tbs.audit_object AS o
    JOIN tbs.audit_wanted AS w ON w.audit_id = o.audit_id AND w.kind = o.kind AND w.key = o.key
    JOIN tbs.remote_object AS r ON r.network_resource_id = resource.network_resource_id AND r.kind = o.kind AND r.key = o.key
    WHERE o.audit_object_id = ANY (v_adopted)
    ON CONFLICT DO NOTHING;

    -- A line USOC is in step when all that it wants is there, as it wants it, and on record.
    WITH line_usocs AS (
        SELECT DISTINCT w.line_usoc_id, w.service, w.line_id
        FROM tbs.audit_object AS o
        JOIN tbs.audit_wanted AS w ON w.audit_id = o.audit_id AND w.kind = o.kind AND w.key = o.key
        WHERE o.audit_object_id = ANY (v_adopted)),
    judged AS (
        SELECT u.line_usoc_id, u.service, u.line_id, l.customer_id, coalesce(lu.telephone_number, l.telephone_number) AS telephone_number, lu.usoc,
               bool_and(o.status = 'in step' AND r.presence = 'present') AS in_step
        FROM line_usocs AS u
        JOIN tbs.line_usoc AS lu ON lu.line_usoc_id = u.line_usoc_id
        JOIN tbs.line AS l ON l.line_id = u.line_id
        JOIN tbs.audit_wanted AS w ON w.audit_id = audit.audit_id AND w.line_usoc_id = u.line_usoc_id AND w.service = u.service
        JOIN tbs.audit_object AS o ON o.audit_id = audit.audit_id AND o.kind = w.kind AND o.key = w.key
        LEFT JOIN tbs.remote_object AS r ON r.network_resource_id = resource.network_resource_id AND r.kind = w.kind AND r.key = w.key
        GROUP BY u.line_usoc_id, u.service, u.line_id, l.customer_id, lu.telephone_number, l.telephone_number, lu.usoc),
    noted AS (
        INSERT INTO tbs.line_usoc_state AS s (line_usoc_id, network_resource_id, service, line_id, customer_id, telephone_number, usoc, present, in_step,
                                              last_activity_id, last_result, changed_at)
        SELECT j.line_usoc_id, resource.network_resource_id, j.service, j.line_id, j.customer_id, j.telephone_number, j.usoc, true, coalesce(j.in_step, false), 0,
               CASE WHEN j.in_step THEN 'adopted' ELSE 'adopted in part, or as it differs' END, clock_timestamp()
        FROM judged AS j
        ON CONFLICT ON CONSTRAINT line_usoc_state_pkey DO UPDATE
        SET present = true, in_step = excluded.in_step, last_result = excluded.last_result, changed_at = excluded.changed_at)
    INSERT INTO tbs.activity_history (event, reason, network_resource_id, line_id, line_usoc_id, customer_id, telephone_number, usoc, message, session_role, acting_role)
    SELECT 'adopted', adopt_audited.reason, resource.network_resource_id, j.line_id, j.line_usoc_id, j.customer_id, j.telephone_number, j.usoc,
           format('line USOC %s, by audit %s%s', j.line_usoc_id, audit.audit_id, CASE WHEN NOT j.in_step THEN '; not all of it is as the rows want it' ELSE '' END),
           session_user, coalesce(nullif(current_setting('role', true), 'none'), session_user)
    FROM judged AS j;
    RETURN v_adopted;
END;
$adopt_audited$;
COMMENT ON FUNCTION tbs.adopt_audited(tbs.audit, tbs.network_resource, bigint[], text) IS 'internal: records objects that an audit has found and some row wants, as they are there; returns which';

CREATE FUNCTION tbs.send_audited(audit tbs.audit, resource tbs.network_resource, chosen bigint[], reason text)
RETURNS bigint[]
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $send_audited$
DECLARE
    v_sent bigint[];
    v_line_usocs bigint[];
BEGIN
    -- What is different and not on record may be somebody else's: only what a look would take for ours.
    v_sent := ARRAY(
        SELECT o.audit_object_id
        FROM tbs.audit_object AS o
        LEFT JOIN tbs.remote_object AS r ON r.network_resource_id = resource.network_resource_id AND r.kind = o.kind AND r.key = o.key
        LEFT JOIN tbs.audit_wanted AS w ON w.audit_id = o.audit_id AND w.kind = o.kind AND w.key = o.key AND w.line_usoc_id = o.line_usoc_id AND w.service = o.service
        LEFT JOIN tbs.activity_step AS k ON k.network_resource_type = resource.network_resource_type AND k.service = w.service AND k.position = w.position AND k.operation = 'look'
        WHERE o.audit_object_id = ANY (send_audited.chosen) AND o.status IN ('missing', 'different') AND r.in_flight_activity_id IS NULL
          AND (o.status = 'missing' OR coalesce(r.presence, 'absent') <> 'absent' OR k.is_ours IS NULL
               OR coalesce(jsonb_path_match(o.found, k.is_ours, jsonb_build_object('marker', 'tbs:' || w.line_id, 'object', o.identity), true), false)));
    -- The record says what is there, and that it is not as it should be; the plan of the activity sees to the rest.
    UPDATE tbs.remote_object AS r
    SET presence = CASE o.status WHEN 'missing' THEN 'absent' ELSE 'present' END, settled = o.status = 'missing',
        accepted = CASE o.status WHEN 'missing' THEN NULL ELSE r.accepted END, accepted_at = CASE o.status WHEN 'missing' THEN NULL ELSE r.accepted_at END,
        identity = CASE o.status WHEN 'missing' THEN r.identity ELSE o.identity END
    FROM tbs.audit_object AS o
    WHERE o.audit_object_id = ANY (v_sent) AND r.network_resource_id = resource.network_resource_id AND r.kind = o.kind AND r.key = o.key;
    INSERT INTO tbs.remote_object (network_resource_id, kind, key, identity, find_value, origin, presence, settled)
    SELECT resource.network_resource_id, o.kind, o.key, o.identity, w.find_value, 'adopted', 'present', false
    FROM tbs.audit_object AS o
    JOIN tbs.audit_wanted AS w ON w.audit_id = o.audit_id AND w.kind = o.kind AND w.key = o.key AND w.line_usoc_id = o.line_usoc_id AND w.service = o.service
    WHERE o.audit_object_id = ANY (v_sent) AND o.status = 'different'
    ORDER BY o.kind, o.key
    ON CONFLICT DO NOTHING;
    -- What cannot be audited (a PIN) and was in what is missing is missing with it.
    WITH parts AS (
        UPDATE tbs.remote_object AS p SET presence = 'absent', settled = true, accepted = NULL, accepted_at = NULL
        FROM tbs.audit_object AS o
        JOIN tbs.line_usoc_state AS s ON s.line_id = o.line_id AND s.network_resource_id = resource.network_resource_id
        JOIN tbs.remote_object_use AS u ON u.line_usoc_id = s.line_usoc_id AND u.network_resource_id = resource.network_resource_id
        WHERE o.audit_object_id = ANY (v_sent) AND o.status = 'missing' AND p.remote_object_id = u.remote_object_id AND p.kind <> ALL (audit.kinds)
          AND p.identity @> o.identity AND p.in_flight_activity_id IS NULL
        RETURNING p.remote_object_id)
    SELECT array_agg(DISTINCT u.line_usoc_id) INTO v_line_usocs FROM parts AS p JOIN tbs.remote_object_use AS u ON u.remote_object_id = p.remote_object_id;
    v_line_usocs := ARRAY(SELECT o.line_usoc_id FROM tbs.audit_object AS o WHERE o.audit_object_id = ANY (v_sent) UNION SELECT unnest(v_line_usocs));
    PERFORM tbs.enqueue_resync(v_line_usocs, resource.network_resource_id, format('audit %s: %s', audit.audit_id, send_audited.reason), false, 4);
    UPDATE tbs.audit_object AS o SET decided = 'sent', decided_at = clock_timestamp() WHERE o.audit_object_id = ANY (v_sent);
    RETURN v_sent;
END;
$send_audited$;
COMMENT ON FUNCTION tbs.send_audited(tbs.audit, tbs.network_resource, bigint[], text) IS 'internal: lets activities in the bulk lane bring objects up to date that an audit has found missing or different; returns which';

-- What no line USOC wants is removed like what one has left behind: an activity with a number of its own in the place of line and line USOC, negative, with the
-- delete step of a service, the delete brake, and everything else.
CREATE FUNCTION tbs.remove_audited(audit tbs.audit, resource tbs.network_resource, chosen bigint[], others_too boolean, reason text)
RETURNS bigint[]
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $remove_audited$
DECLARE
    v_object record;
    v_remote_object_id bigint;
    v_removed bigint[] := '{}';
    v_left_behind bigint[] := '{}';
BEGIN
    FOR v_object IN
        SELECT o.*, d.service AS delete_service, d.position, t.activity_type_id, u.line_usoc_id AS used_by
        FROM tbs.audit_object AS o
        CROSS JOIN LATERAL (
            SELECT x.service, x.position FROM tbs.service_object AS x
            JOIN tbs.activity_step AS s ON (s.network_resource_type, s.service, s.position) = (x.network_resource_type, x.service, x.position) AND s.operation = 'delete'
            WHERE x.network_resource_type = resource.network_resource_type AND x.kind = o.kind ORDER BY x.service, x.position LIMIT 1) AS d
        JOIN tbs.activity_type AS t ON t.network_resource_type = resource.network_resource_type AND t.service = d.service AND t.trigger_type = 'resync'
        -- One that a line USOC has left behind is that one's to remove.
        LEFT JOIN LATERAL (
            SELECT y.line_usoc_id FROM tbs.remote_object AS r
            JOIN tbs.remote_object_use AS y ON y.remote_object_id = r.remote_object_id
            JOIN tbs.line_usoc_state AS s ON s.line_usoc_id = y.line_usoc_id AND s.network_resource_id = y.network_resource_id AND s.service = y.service
            WHERE r.network_resource_id = resource.network_resource_id AND r.kind = o.kind AND r.key = o.key
            ORDER BY y.line_usoc_id LIMIT 1) AS u ON true
        WHERE o.audit_object_id = ANY (remove_audited.chosen) AND o.status = 'extra' AND (o.whose = 'ours' OR remove_audited.others_too)
        ORDER BY d.position DESC, o.audit_object_id
    LOOP
        INSERT INTO tbs.remote_object AS r (network_resource_id, kind, key, identity, origin, presence, settled)
        VALUES (resource.network_resource_id, v_object.kind, v_object.key, v_object.identity, 'adopted', 'present', false)
        ON CONFLICT ON CONSTRAINT remote_object_key DO UPDATE
        SET origin = CASE WHEN r.origin = 'made' THEN 'made' ELSE 'adopted' END, presence = 'present', settled = false, identity = excluded.identity
        WHERE r.in_flight_activity_id IS NULL
        RETURNING r.remote_object_id INTO v_remote_object_id;
        CONTINUE WHEN NOT FOUND;
        v_removed := v_removed || v_object.audit_object_id;
        IF v_object.used_by IS NOT NULL THEN
            v_left_behind := v_left_behind || v_object.used_by;
            CONTINUE;
        END IF;
        DELETE FROM tbs.remote_object_use AS u WHERE u.remote_object_id = v_remote_object_id;
        INSERT INTO tbs.remote_object_use (remote_object_id, line_usoc_id, network_resource_id, service, position)
        VALUES (v_remote_object_id, -v_object.audit_object_id, resource.network_resource_id, v_object.delete_service, v_object.position);
        INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, user_name, trigger_description, lane)
        VALUES (v_object.activity_type_id, resource.network_resource_id, -v_object.audit_object_id, -v_object.audit_object_id, nullif(current_setting('tbs.user_name', true), ''),
                format('audit %s: removal of %s %s: %s', audit.audit_id, v_object.kind, v_object.key, remove_audited.reason), 4);
    END LOOP;
    PERFORM tbs.enqueue_resync(v_left_behind, resource.network_resource_id, format('audit %s: %s', audit.audit_id, remove_audited.reason), false, 4);
    UPDATE tbs.audit_object AS o SET decided = 'removed', decided_at = clock_timestamp() WHERE o.audit_object_id = ANY (v_removed);
    RETURN v_removed;
END;
$remove_audited$;
COMMENT ON FUNCTION tbs.remove_audited(tbs.audit, tbs.network_resource, bigint[], boolean, text) IS 'internal: lets activities in the bulk lane remove objects that an audit has found and no row wants; returns which';

CREATE FUNCTION tbs.plan_audit(audit_object_ids bigint[], what text, reason text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $plan_audit$
DECLARE
    v_audit tbs.audit;
    v_resource tbs.network_resource;
    v_chosen bigint[];
    v_done bigint[];
    v_count bigint := 0;
BEGIN
    PERFORM tbs.need_reason(plan_audit.reason, 'act on an audit');
    IF plan_audit.what IS NULL OR plan_audit.what NOT IN ('adopt', 'send', 'remove', 'remove_not_ours') THEN
        RAISE EXCEPTION 'unknown action on an audit: "%"', plan_audit.what
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'adopt: record what is there, send nothing; send: send what is missing or different; remove: remove extra objects of ours; remove_not_ours: any extra ones.';
    ELSIF plan_audit.what <> 'adopt' AND NOT tbs.is_armed() THEN
        RAISE EXCEPTION 'the database is not armed' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT tbs.arm(''reason'');';
    END IF;
    PERFORM tbs.make_history_partitions();
    FOR v_audit IN
        SELECT a.* FROM tbs.audit AS a
        WHERE a.compared_at IS NOT NULL AND a.audit_id IN (SELECT o.audit_id FROM tbs.audit_object AS o WHERE o.audit_object_id = ANY (plan_audit.audit_object_ids))
        ORDER BY a.audit_id FOR UPDATE
    LOOP
        SELECT * INTO STRICT v_resource FROM tbs.network_resource AS r WHERE r.network_resource_id = v_audit.network_resource_id;
        -- All users of the objects: none of them may be deciding on one just now.
        PERFORM tbs.lock_lines(ARRAY(
            SELECT w.line_id FROM tbs.audit_object AS o JOIN tbs.audit_wanted AS w ON w.audit_id = o.audit_id AND w.kind = o.kind AND w.key = o.key
            WHERE o.audit_object_id = ANY (plan_audit.audit_object_ids) AND o.audit_id = v_audit.audit_id
            UNION
            SELECT o.line_id FROM tbs.audit_object AS o
            WHERE o.audit_object_id = ANY (plan_audit.audit_object_ids) AND o.audit_id = v_audit.audit_id AND o.line_id IS NOT NULL));
        -- What was written since it was compared is left to who wrote it.
        v_chosen := ARRAY(
            SELECT o.audit_object_id FROM tbs.audit_object AS o
            LEFT JOIN tbs.remote_object AS r ON r.network_resource_id = v_audit.network_resource_id AND r.kind = o.kind AND r.key = o.key
            WHERE o.audit_object_id = ANY (plan_audit.audit_object_ids) AND o.audit_id = v_audit.audit_id
              AND (o.decided IS NULL OR (o.decided = 'adopted' AND plan_audit.what = 'send')) AND coalesce(r.sent_at < v_audit.compared_at, true));
        v_done := CASE plan_audit.what
                      WHEN 'adopt' THEN tbs.adopt_audited(v_audit, v_resource, v_chosen, plan_audit.reason)
                      WHEN 'send' THEN tbs.send_audited(v_audit, v_resource, v_chosen, plan_audit.reason)
                      ELSE tbs.remove_audited(v_audit, v_resource, v_chosen, plan_audit.what = 'remove_not_ours', plan_audit.reason) END;
        PERFORM tbs.record_event('audit_planned', plan_audit.reason, network_resource_id => v_audit.network_resource_id,
                                 message => format('audit %s: %s, %s objects', v_audit.audit_id, plan_audit.what, coalesce(cardinality(v_done), 0)));
        v_count := v_count + coalesce(cardinality(v_done), 0);
    END LOOP;
    PERFORM tbs.ring();
    RETURN v_count;
END;
$plan_audit$;
COMMENT ON FUNCTION tbs.plan_audit(bigint[], text, text) IS
'acts on chosen rows of tbs.audit_result and returns how many; those with which it cannot be done are left out. adopt: in step and different ones are recorded as they are there, and nothing is sent; send: missing and different ones are sent in the bulk lane, different ones that are neither on record nor ours must be adopted first; remove: extra ones that are ours are removed in the bulk lane; remove_not_ours: any extra ones. Raises invalid_parameter_value (22023) for another action or without a reason, object_not_in_prerequisite_state (55000) when there is something to send and the database is not armed';
