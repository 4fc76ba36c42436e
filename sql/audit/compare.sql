-- Comparing what was read with what the rows want, and with what was last accepted. In the session of whoever asks, so that no bridge waits for it; it can be
-- repeated after the rows were corrected, without reading anything again.

-- What a value means, whatever its spelling; null: none.
CREATE FUNCTION tbs.plain_value(value jsonb, format text, empty_values text[])
RETURNS text
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $plain_value$
DECLARE
    v_text text := CASE jsonb_typeof(plain_value.value)
                       WHEN 'string' THEN btrim(plain_value.value #>> '{}')
                       WHEN 'number' THEN trim_scale((plain_value.value #>> '{}')::numeric)::text
                       WHEN 'boolean' THEN CASE WHEN plain_value.value = 'true' THEN 'yes' ELSE 'no' END
                       WHEN 'null' THEN NULL
                       ELSE plain_value.value::text END;
BEGIN
    IF v_text = ANY (plain_value.empty_values) THEN
        RETURN NULL;
    END IF;
    RETURN nullif(CASE plain_value.format
                      WHEN 'mac' THEN lower(regexp_replace(v_text, '[^0-9A-Fa-f]', '', 'g'))
                      WHEN 'digits' THEN regexp_replace(v_text, '[^0-9]', '', 'g')
                      WHEN 'lower' THEN lower(v_text)
                      ELSE v_text END, '');
END;
$plain_value$;
COMMENT ON FUNCTION tbs.plain_value(jsonb, text, text[]) IS 'internal: a value of a remote object without what is mere spelling: number or string, null or empty; null: no value';

CREATE FUNCTION tbs.is_same_value(wanted jsonb, actual jsonb, format text, empty_values text[])
RETURNS boolean
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $is_same_value$
DECLARE
    v_wanted text := tbs.plain_value(wanted, format, empty_values);
    v_actual text := tbs.plain_value(actual, format, empty_values);
BEGIN
    RETURN v_wanted IS NOT DISTINCT FROM v_actual
        -- What is wanted as yes or no may come back in any spelling of that.
        OR coalesce((lower(v_wanted) IN ('yes', 'true') AND lower(v_actual) IN ('yes', 'true', 'on', '1'))
                    OR (lower(v_wanted) IN ('no', 'false') AND lower(v_actual) IN ('no', 'false', 'off', '0')), false);
END;
$is_same_value$;
COMMENT ON FUNCTION tbs.is_same_value(jsonb, jsonb, text, text[]) IS 'internal: whether a member has the value that is wanted: yes and true, 5 and "5", null and "" are the same';

-- {member: {"wanted", "found", "accepted"}} for members that differ. Identities count as members.
CREATE FUNCTION tbs.audit_differences(step tbs.audit_step, members text[], wanted jsonb, actual jsonb, accepted jsonb)
RETURNS jsonb
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $audit_differences$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_object_agg(m.key, jsonb_build_object('wanted', m.value, 'found', audit_differences.actual -> m.key, 'accepted', audit_differences.accepted -> m.key)), '{}')
        FROM jsonb_each(audit_differences.wanted) AS m
        WHERE m.key = ANY (audit_differences.members) AND m.key <> ALL (step.ignores)
          -- Most are equal to the letter.
          AND audit_differences.actual -> m.key IS DISTINCT FROM m.value
          AND m.value::text NOT LIKE '%\_\_TBS\_SECRET\_%'
          AND NOT tbs.is_same_value(m.value, audit_differences.actual -> m.key, step.formats ->> m.key, step.empty_values));
END;
$audit_differences$;
COMMENT ON FUNCTION tbs.audit_differences(tbs.audit_step, text[], jsonb, jsonb, jsonb) IS 'internal: the members of a remote object that are not as they should be, without secrets and what cannot be read back';

-- What the rows of now want of what was audited, as tbs.plan() renders it.
CREATE FUNCTION tbs.render_wanted(audit tbs.audit, resource tbs.network_resource)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $render_wanted$
DECLARE
    v_associations tbs.line_usoc_association[];
BEGIN
    v_associations := ARRAY(
        SELECT a FROM tbs.line_usoc_association AS a
        JOIN tbs.line AS l ON l.line_id = a.line_id
        LEFT JOIN tbs.network_information AS n ON n.network_information_id = l.network_information_id
        LEFT JOIN tbs.network_information AS p ON p.network_information_id = n.parent_id
        WHERE a.network_resource_id = resource.network_resource_id
          AND (audit.domain IS NULL OR coalesce(n.switch_domain, p.switch_domain) = audit.domain)
          AND EXISTS (SELECT FROM tbs.service_object AS o
                      WHERE (o.network_resource_type, o.service) = (a.network_resource_type, a.service) AND o.kind = ANY (audit.kinds)));
    -- So that what is recorded as accepted names the secrets that the next change would send.
    PERFORM tbs.make_secrets(array_agg(l.line_id), array_agg(resource.network_resource_type), array_agg(l.service))
    FROM (SELECT DISTINCT a.line_id, a.service FROM unnest(v_associations) AS a) AS l;
    INSERT INTO tbs.audit_wanted
    SELECT w.* FROM tbs.wanted_of(audit.audit_id, v_associations, resource) AS w
    JOIN tbs.audit_step AS s ON s.network_resource_type = resource.network_resource_type AND s.kind = w.kind
    WHERE w.kind = ANY (audit.kinds)
      AND (audit.domain IS NULL OR w.error IS NOT NULL OR coalesce(w.identity ->> s.domain_member, w.content ->> s.domain_member) = audit.domain)
    ON CONFLICT DO NOTHING;
END;
$render_wanted$;
COMMENT ON FUNCTION tbs.render_wanted(tbs.audit, tbs.network_resource) IS 'internal: renders what the rows want of what was audited';

CREATE FUNCTION tbs.compare_audit(audit_id bigint)
RETURNS TABLE (kind text, status text, objects bigint)
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $compare_audit$
#variable_conflict use_column
DECLARE
    v_audit tbs.audit;
    v_resource tbs.network_resource;
BEGIN
    SELECT * INTO v_audit FROM tbs.audit AS a WHERE a.audit_id = compare_audit.audit_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown audit: %', compare_audit.audit_id
            USING ERRCODE = 'no_data_found', HINT = 'SELECT * FROM tbs.audit_status; a new audit takes the place of an earlier one of the same network resource and domain.';
    ELSIF v_audit.finished_at IS NULL THEN
        RAISE EXCEPTION 'audit % has not read everything', compare_audit.audit_id
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT tbs.why_waiting(%s); says where it is.', v_audit.activity_id);
    END IF;
    SELECT * INTO STRICT v_resource FROM tbs.network_resource AS r WHERE r.network_resource_id = v_audit.network_resource_id;

    DELETE FROM tbs.audit_wanted AS w WHERE w.audit_id = v_audit.audit_id;
    DELETE FROM tbs.audit_object AS o WHERE o.audit_id = v_audit.audit_id AND o.found IS NULL;
    PERFORM tbs.render_wanted(v_audit, v_resource);
    INSERT INTO tbs.audit_object (audit_id, kind, key, identity)
    SELECT DISTINCT ON (w.kind, w.key) v_audit.audit_id, w.kind, w.key, w.identity FROM tbs.audit_wanted AS w WHERE w.audit_id = v_audit.audit_id
    ORDER BY w.kind, w.key
    ON CONFLICT DO NOTHING;
    -- They have just been filled, and nobody has counted them yet.
    ANALYZE tbs.audit_wanted, tbs.audit_object;

    WITH kinds AS MATERIALIZED (
        SELECT s AS step, s.kind, tbs.audited_members(s.network_resource_type, s.kind)
                   || ARRAY(SELECT DISTINCT m FROM tbs.service_object AS o, jsonb_object_keys(o.identity) AS m
                            WHERE o.network_resource_type = s.network_resource_type AND o.kind = s.kind) AS members,
               ARRAY(SELECT DISTINCT b.key FROM tbs.service_object AS o
                JOIN tbs.activity_step AS x ON (x.network_resource_type, x.service, x.position) = (o.network_resource_type, o.service, o.position)
                CROSS JOIN LATERAL jsonb_each_text(CASE WHEN jsonb_typeof(x.body) = 'object' THEN x.body ELSE '{}' END) AS b
                WHERE o.network_resource_type = s.network_resource_type AND o.kind = s.kind AND b.value LIKE '%{line.marker}%') AS marks,
               r.part_of IS NOT NULL AS is_part
        FROM tbs.audit_step AS s JOIN tbs.remote_object_kind AS r ON r.network_resource_type = s.network_resource_type AND r.kind = s.kind
        WHERE s.network_resource_type = v_resource.network_resource_type),
    -- Where several rows want an object with different values, any of them will do: the one that it is nearest to.
    wanted AS MATERIALIZED (
        SELECT DISTINCT ON (c.kind, c.key) c.kind, c.key, c.line_usoc_id, c.line_id, c.service, c.error, d.differences
        FROM (SELECT w.kind, w.key, w.identity, w.content, w.error, min(w.line_usoc_id) AS line_usoc_id, (array_agg(w.line_id ORDER BY w.line_usoc_id))[1] AS line_id,
                     (array_agg(w.service ORDER BY w.line_usoc_id))[1] AS service
              FROM tbs.audit_wanted AS w WHERE w.audit_id = v_audit.audit_id GROUP BY w.kind, w.key, w.identity, w.content, w.error) AS c
        JOIN kinds AS k ON k.kind = c.kind
        JOIN tbs.audit_object AS f ON f.audit_id = v_audit.audit_id AND f.kind = c.kind AND f.key = c.key
        LEFT JOIN tbs.remote_object AS r ON r.network_resource_id = v_resource.network_resource_id AND r.kind = c.kind AND r.key = c.key
        CROSS JOIN LATERAL (
            SELECT CASE WHEN f.found IS NULL OR c.error IS NOT NULL THEN '{}'
                        -- What was sent once and has no value any more should be empty there.
                        ELSE tbs.audit_differences(k.step, k.members, (SELECT coalesce(jsonb_object_agg(m, ''), '{}') FROM unnest(r.members) AS m) || c.identity || c.content,
                                                   f.identity || f.found, r.identity || r.accepted) END AS differences) AS d
        ORDER BY c.kind, c.key, (SELECT count(*) FROM jsonb_object_keys(d.differences)), c.line_usoc_id),
    -- What is still on its way, or was written while it was read (or so shortly before that it may not have shown): nothing can be said about it.
    pending AS MATERIALIZED (
        SELECT DISTINCT q.line_usoc_id FROM tbs.activity AS q
        WHERE q.network_resource_id = v_resource.network_resource_id AND q.line_usoc_id <> 0 AND q.state IN ('new', 'waiting', 'processing', 'retry')),
    written AS MATERIALIZED (
        SELECT x.kind, x.key, max(x.at) AS at
        FROM (SELECT h.kind, h.key, h.recorded_at AS at FROM tbs.activity_history AS h
              WHERE h.activity_history_id >= v_audit.history_from AND h.network_resource_id = v_resource.network_resource_id
                AND h.event IN ('api_call', 'taken_over', 'given_back') AND h.operation IN ('add', 'edit', 'delete')
              UNION ALL
              SELECT o.kind, o.key, o.accepted_at FROM tbs.remote_object AS o
              WHERE o.network_resource_id = v_resource.network_resource_id AND o.accepted_activity_id IS NOT NULL AND o.accepted_at > v_audit.asked_at - interval '5 seconds'
              UNION ALL
              SELECT o.kind, o.key, 'infinity' FROM tbs.remote_object AS o
              WHERE o.network_resource_id = v_resource.network_resource_id AND o.in_flight_activity_id IS NOT NULL
              UNION ALL
              SELECT w.kind, w.key, 'infinity' FROM pending AS p JOIN tbs.audit_wanted AS w ON w.line_usoc_id = p.line_usoc_id AND w.audit_id = v_audit.audit_id
              UNION ALL
              SELECT o.kind, o.key, 'infinity' FROM pending AS p
              JOIN tbs.remote_object_use AS u ON u.line_usoc_id = p.line_usoc_id AND u.network_resource_id = v_resource.network_resource_id
              JOIN tbs.remote_object AS o ON o.remote_object_id = u.remote_object_id) AS x
        GROUP BY x.kind, x.key),
    users AS MATERIALIZED (
        SELECT o.kind, o.key, min(u.line_usoc_id) AS line_usoc_id, (array_agg(u.service ORDER BY u.line_usoc_id))[1] AS service
        FROM tbs.remote_object_use AS u JOIN tbs.remote_object AS o ON o.remote_object_id = u.remote_object_id
        WHERE u.network_resource_id = v_resource.network_resource_id AND u.line_usoc_id > 0
        GROUP BY o.kind, o.key)
    UPDATE tbs.audit_object AS o
    SET status = CASE WHEN t.at > coalesce(o.read_at, v_audit.asked_at) - interval '5 seconds' THEN 'changing'
                      -- Also what a line USOC has on record whose data do not say any more what it wants: it is not extra for that.
                      WHEN w.error IS NOT NULL
                           OR (w.key IS NULL AND EXISTS (SELECT FROM tbs.audit_wanted AS e WHERE e.audit_id = v_audit.audit_id AND e.line_usoc_id = u.line_usoc_id
                                                           AND e.service = u.service AND e.error IS NOT NULL)) THEN 'not renderable'
                      -- What nobody sells of a user is whatever it is.
                      WHEN w.key IS NULL AND k.is_part AND u.kind IS NULL THEN NULL
                      WHEN w.key IS NULL THEN 'extra'
                      WHEN o.found IS NULL THEN 'missing'
                      WHEN w.differences <> '{}' THEN 'different'
                      ELSE 'in step' END,
        whose = CASE WHEN o.found IS NULL THEN NULL
                     WHEN r.origin = 'found' THEN 'found'
                     WHEN r.presence IN ('present', 'perhaps') THEN 'ours'
                     WHEN k.marks = '{}' THEN 'no mark'
                     WHEN m.line_id IS NOT NULL THEN 'ours'
                     ELSE 'not ours' END,
        differences = coalesce(w.differences, '{}'), message = w.error,
        line_id = coalesce(w.line_id, s.line_id, m.line_id),
        line_usoc_id = coalesce(w.line_usoc_id, u.line_usoc_id), service = coalesce(w.service, u.service), decided = NULL, decided_at = NULL
    FROM tbs.audit_object AS self
    JOIN kinds AS k ON k.kind = self.kind
    CROSS JOIN LATERAL (SELECT max(substring(self.found ->> x FROM '\mtbs:([0-9]{1,18})\M')::bigint) AS line_id FROM unnest(k.marks) AS x) AS m
    LEFT JOIN wanted AS w ON w.kind = self.kind AND w.key = self.key
    LEFT JOIN written AS t ON t.kind = self.kind AND t.key = self.key
    LEFT JOIN users AS u ON u.kind = self.kind AND u.key = self.key
    LEFT JOIN tbs.line_usoc_state AS s ON s.line_usoc_id = u.line_usoc_id AND s.network_resource_id = v_resource.network_resource_id AND s.service = u.service
    LEFT JOIN tbs.remote_object AS r ON r.network_resource_id = v_resource.network_resource_id AND r.kind = self.kind AND r.key = self.key
    WHERE self.audit_id = v_audit.audit_id AND o.audit_object_id = self.audit_object_id;
    UPDATE tbs.audit AS a SET compared_at = clock_timestamp() WHERE a.audit_id = v_audit.audit_id;
    RETURN QUERY
    SELECT o.kind, o.status, count(*) FROM tbs.audit_object AS o WHERE o.audit_id = v_audit.audit_id AND o.status IS NOT NULL
    GROUP BY o.kind, o.status ORDER BY o.kind, o.status;
END;
$compare_audit$;
COMMENT ON FUNCTION tbs.compare_audit(bigint) IS
'compares what an audit has read with what the rows of now want and with what was last accepted, and counts by kind and status; the rows are in tbs.audit_result, their members in tbs.audit_difference; may be repeated; raises no_data_found (P0002) for an unknown audit, object_not_in_prerequisite_state (55000) for one that is not finished';
