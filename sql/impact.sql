-- What a changed default would change, and bringing up to date what was changed without a trigger event.

CREATE FUNCTION tbs.impact_of_default(network_resource_type text, name text, value jsonb, network_resource text DEFAULT NULL, place text DEFAULT 'body',
                                      while_suspended boolean DEFAULT false)
RETURNS TABLE (line_id bigint, line_usoc_id bigint, impact_on text, service text, kind text, key text, member text, old_value jsonb, new_value jsonb)
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $impact_of_default$
#variable_conflict use_column
DECLARE
    v_only integer := CASE WHEN impact_of_default.network_resource IS NOT NULL THEN tbs.network_resource_named(impact_of_default.network_resource) END;
    v_resource tbs.network_resource;
    v_associations tbs.line_usoc_association[];
    v_before tbs.audit_wanted[];
    v_after tbs.audit_wanted[];
    v_common_before jsonb;
    v_common_after jsonb;
BEGIN
    IF NOT EXISTS (SELECT FROM tbs.network_resource_type AS t WHERE t.network_resource_type = impact_of_default.network_resource_type) THEN
        RAISE EXCEPTION 'unknown resource type: "%"', impact_of_default.network_resource_type
            USING ERRCODE = 'undefined_object', HINT = 'SELECT network_resource_type, description FROM tbs.network_resource_type;';
    END IF;
    FOR v_resource IN
        SELECT * FROM tbs.network_resource AS r
        WHERE r.network_resource_type = impact_of_default.network_resource_type AND r.state <> 'retired' AND (v_only IS NULL OR r.network_resource_id = v_only)
        ORDER BY r.name
    LOOP
        -- In parts, so that what was rendered before has room.
        FOR v_associations IN
            SELECT array_agg(x.a)
            FROM (SELECT a, row_number() OVER (ORDER BY a.line_id, a.line_usoc_id, a.service) / 500 AS part FROM tbs.line_usoc_association AS a
                  WHERE a.network_resource_id = v_resource.network_resource_id
                    -- Of a value in the body, services that do not know its name have nothing to say.
                    AND (impact_of_default.place <> 'body' OR EXISTS (
                            SELECT FROM tbs.recipe AS q WHERE q.network_resource_type = a.network_resource_type AND q.service = a.service
                              AND strpos(q.object_recipe::text, impact_of_default.name) > 0))) AS x
            GROUP BY x.part ORDER BY x.part
        LOOP
            v_before := ARRAY(SELECT w FROM tbs.wanted_of(0, v_associations, v_resource) AS w);
            v_common_before := tbs.resource_context(v_resource);
            -- The same functions render it with the default in place, which is then taken back.
            BEGIN
                DELETE FROM tbs.network_resource_default AS d
                WHERE d.network_resource_type = v_resource.network_resource_type AND d.network_resource_id IS NOT DISTINCT FROM v_only AND d.name = impact_of_default.name
                  AND d.place = impact_of_default.place AND d.while_suspended = impact_of_default.while_suspended AND NOT d.shipped;
                INSERT INTO tbs.network_resource_default (network_resource_type, network_resource_id, name, value, place, while_suspended)
                SELECT v_resource.network_resource_type, v_only, impact_of_default.name, impact_of_default.value, impact_of_default.place, impact_of_default.while_suspended
                WHERE impact_of_default.value IS NOT NULL;
                v_after := ARRAY(SELECT w FROM tbs.wanted_of(0, v_associations, v_resource) AS w);
                v_common_after := tbs.resource_context(v_resource);
                RAISE SQLSTATE 'TB002';
            EXCEPTION WHEN SQLSTATE 'TB002' THEN
                NULL;  -- Taken back.
            END;
            RETURN QUERY
            SELECT a.line_id, a.line_usoc_id, v_resource.name, a.service, a.kind, a.key, m.member, m.old_value, m.new_value
            FROM unnest(v_after) AS a
            LEFT JOIN unnest(v_before) AS b ON b.line_usoc_id = a.line_usoc_id AND b.service = a.service AND b.position = a.position AND b.key = a.key
            CROSS JOIN LATERAL (
                SELECT n.member, b.content -> n.member AS old_value, a.content -> n.member AS new_value
                FROM (SELECT jsonb_object_keys(coalesce(a.content, '{}')) UNION SELECT jsonb_object_keys(coalesce(b.content, '{}'))) AS n (member)
                WHERE b.content -> n.member IS DISTINCT FROM a.content -> n.member
                UNION ALL
                SELECT format('(%s)', a.error), NULL, NULL WHERE a.error IS NOT NULL AND b.error IS NULL
                UNION ALL
                SELECT impact_of_default.place || ' ' || impact_of_default.name, c.old_value, c.new_value
                FROM (SELECT v_common_before #> ARRAY[s.part, impact_of_default.name] AS old_value, v_common_after #> ARRAY[s.part, impact_of_default.name] AS new_value
                      FROM (SELECT CASE impact_of_default.place WHEN 'header' THEN 'default_headers' WHEN 'query' THEN 'default_query' END AS part) AS s) AS c
                WHERE c.old_value IS DISTINCT FROM c.new_value) AS m
            ORDER BY a.line_id, a.line_usoc_id, a.service, a.position, a.key, m.member;
        END LOOP;
    END LOOP;
END;
$impact_of_default$;
COMMENT ON FUNCTION tbs.impact_of_default(text, text, jsonb, text, text, boolean) IS
'what would be sent differently if this default had this value (SQL NULL: if it were removed): line, network resource, object, member, old and new value; nothing is changed. network_resource null: a default of the type. After the change tbs.resync_changed() sends exactly that; raises undefined_object (42704) for an unknown type or network resource';

CREATE FUNCTION tbs.resync_changed(line_usoc_ids bigint[], reason text, network_resource text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $resync_changed$
DECLARE
    v_network_resource_id integer := CASE WHEN resync_changed.network_resource IS NOT NULL THEN tbs.network_resource_named(resync_changed.network_resource) END;
    v_count bigint;
BEGIN
    PERFORM tbs.need_reason(resync_changed.reason, 'resync');
    IF NOT tbs.is_armed() THEN
        RAISE EXCEPTION 'the database is not armed' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT tbs.arm(''reason'');';
    END IF;
    PERFORM tbs.make_history_partitions();
    v_count := tbs.enqueue_resync(ARRAY(SELECT DISTINCT x FROM unnest(resync_changed.line_usoc_ids) AS x), v_network_resource_id, 'resync: ' || resync_changed.reason, false, 4);
    PERFORM tbs.record_event('resynced', resync_changed.reason, message => format('%s activities', v_count), network_resource_id => v_network_resource_id);
    PERFORM tbs.ring();
    RETURN v_count;
END;
$resync_changed$;
COMMENT ON FUNCTION tbs.resync_changed(bigint[], text, text) IS
'puts line USOCs on the queue again, in the bulk lane: what differs from what was last accepted is sent, the rest is not; on all network resources or one; returns the number of activities; raises invalid_parameter_value (22023) without a reason, object_not_in_prerequisite_state (55000) while the database is not armed';
