-- The plan: what a line USOC needs on a network resource, decided from the rows and the remote objects as they are now (level, not edge).
-- The same function serves the bridge and tbs.preview().

CREATE TYPE tbs.planned_object AS (
    position         integer,
    kind             text,
    key              text,
    operation        text,
    remote_object_id bigint,
    identity         jsonb,
    find_value       text,
    content          jsonb,
    item             jsonb,
    step             jsonb,
    sent_at          timestamptz,
    accepted_at      timestamptz,
    error            text,
    error_member     text,
    removal          text,
    is_used          boolean,
    whole            text
);
COMMENT ON TYPE tbs.planned_object IS 'internal: one remote object of a plan; operation prepare, add, edit, look, delete (a call), none (as it should be), release (another wants it) or forget (nothing to call); step: that of the operation, where it is a call (of a delete it may be the step return); is_used: that the line USOC uses it is on record, with this removal; whole: see tbs.recipe';

CREATE FUNCTION tbs.has_service(line_id bigint, network_resource_id integer, services text[])
RETURNS boolean
LANGUAGE plpgsql
STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $has_service$
BEGIN
    RETURN EXISTS (SELECT FROM tbs.line_usoc_association AS a
                   WHERE a.line_id = has_service.line_id AND a.network_resource_id = has_service.network_resource_id AND a.service = ANY (has_service.services)
                     AND tbs.is_wanted(a.line_usoc_id, a.network_resource_id, a.service));
END;
$has_service$;
COMMENT ON FUNCTION tbs.has_service(bigint, integer, text[]) IS 'internal: whether the rows of today want one of these services for a line on a network resource';

CREATE FUNCTION tbs.removal_of(context jsonb, removal_value text)
RETURNS text
LANGUAGE plpgsql
IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $removal_of$
BEGIN
    RETURN coalesce(
        (SELECT l.layer -> 'parameters' ->> removal_of.removal_value
         FROM jsonb_array_elements(removal_of.context -> 'layers') WITH ORDINALITY AS l (layer, nearness)
         WHERE l.layer -> 'parameters' ? removal_of.removal_value
         ORDER BY l.nearness DESC LIMIT 1), 'delete');
END;
$removal_of$;
COMMENT ON FUNCTION tbs.removal_of(jsonb, text) IS 'internal: what the layered values say that becomes of an object when nobody wants it any more; delete where they say nothing; null without a name of such a value';

-- The objects that a service of a line USOC consists of, rendered from this context. None without a context.
-- This function and plan() are of one statement and have no settings of their own, so that the server puts them into the query that uses them: many
-- activities are planned in one.
CREATE FUNCTION tbs.wanted_objects(context jsonb, network_resource_type text, service text, kind text DEFAULT NULL)
RETURNS TABLE (recipe tbs.recipe, item jsonb, ordinal bigint, key text, identity jsonb, find_value text, content jsonb, error text, error_member text)
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT r, i.item, i.ordinal, o.key, o.identity, o.find_value, o.content, o.error, o.error_member
    FROM tbs.recipe AS r
    -- Where it is not for each of something: for one, which is nothing.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN r.for_each IS NOT NULL THEN e.item END AS item, e.ordinal
        FROM jsonb_path_query(CASE WHEN r.for_each IS NULL AND wanted_objects.context IS NOT NULL THEN 'null' ELSE wanted_objects.context END,
                              coalesce(r.for_each, '$'), '{}', true) WITH ORDINALITY AS e (item, ordinal)) AS i
    CROSS JOIN LATERAL tbs.render_object(
        r.object_recipe,
        CASE WHEN r.object_recipe ->> 'values_from' = 'device' THEN tbs.item_context(wanted_objects.context, i.item, r.network_resource_type)
             ELSE wanted_objects.context END, i.item) AS o
    WHERE r.network_resource_type = wanted_objects.network_resource_type AND r.service = wanted_objects.service
      AND (wanted_objects.kind IS NULL OR r.kind = wanted_objects.kind)
      AND (r.unless_service = '{}' OR NOT tbs.has_service((wanted_objects.context #>> '{line,line_id}')::bigint,
                                                          (wanted_objects.context #>> '{resource,network_resource_id}')::integer, r.unless_service));
END;
COMMENT ON FUNCTION tbs.wanted_objects(jsonb, text, text, text) IS 'internal: the remote objects that a service consists of in this context';

CREATE FUNCTION tbs.wants_object(line_usoc_id bigint, network_resource_id integer, service text, kind text, key text)
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $wants_object$
BEGIN
    RETURN (
        SELECT tbs.is_wanted(wants_object.line_usoc_id, wants_object.network_resource_id, wants_object.service)
           AND EXISTS (SELECT FROM tbs.network_resource AS r
                       CROSS JOIN LATERAL tbs.wanted_objects(
                           tbs.activity_context(wants_object.line_usoc_id, wants_object.network_resource_id, 'resync'),
                           r.network_resource_type, wants_object.service, wants_object.kind) AS o
                       WHERE r.network_resource_id = wants_object.network_resource_id AND o.key = wants_object.key));
END;
$wants_object$;
COMMENT ON FUNCTION tbs.wants_object(bigint, integer, text, text, text) IS 'internal: whether the rows of now make this line USOC want this remote object';

-- Lines that may want an object, by the business attribute that its kind names. Index look-ups; wants_object() has the last word.
CREATE FUNCTION tbs.lines_found_by(found_by text, find_value text)
RETURNS SETOF bigint
LANGUAGE plpgsql
STABLE STRICT ROWS 3
SET search_path = pg_catalog, pg_temp
AS $lines_found_by$
BEGIN
    CASE found_by
        WHEN 'telephone_number' THEN
            RETURN QUERY SELECT l.line_id FROM tbs.line AS l WHERE l.telephone_number = find_value
                         UNION SELECT u.line_id FROM tbs.line_usoc AS u WHERE u.telephone_number = find_value;
        WHEN 'extension' THEN
            RETURN QUERY SELECT l.line_id FROM tbs.line AS l WHERE l.extension = find_value;
        WHEN 'sip_account' THEN
            RETURN QUERY SELECT d.line_id FROM tbs.line_device AS d WHERE d.sip_account = find_value
                         UNION SELECT l.line_id FROM tbs.line AS l WHERE l.extension = find_value;
        WHEN 'mac' THEN
            RETURN QUERY SELECT t.line_id FROM tbs.device AS d JOIN tbs.line_device AS t ON t.device_id = d.device_id WHERE d.mac = find_value::macaddr;
        WHEN 'switch_domain' THEN
            RETURN QUERY SELECT l.line_id FROM tbs.network_information AS d
                         JOIN tbs.network_information AS n ON d.network_information_id IN (n.network_information_id, n.parent_id)
                         JOIN tbs.line AS l ON l.network_information_id = n.network_information_id WHERE d.switch_domain = find_value;
    END CASE;
END;
$lines_found_by$;
COMMENT ON FUNCTION tbs.lines_found_by(text, text) IS 'internal: lines that a remote object may belong to';

-- Another line USOC that wants this object now, by the rows: one that used it, or one that has not come to its turn yet.
CREATE FUNCTION tbs.other_user(network_resource_id integer, kind text, key text, find_value text, line_usoc_id bigint, service text,
                               OUT line_usoc_id_found bigint, OUT line_id_found bigint, OUT service_found text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $other_user$
DECLARE
    v_candidate record;
BEGIN
    -- Candidates by index first; asking one what it wants renders its objects. Step by step, whatever the planner thinks of the tables: hence OFFSET 0.
    FOR v_candidate IN
        SELECT a.line_usoc_id, a.line_id, a.service
        FROM (SELECT x.found_by FROM tbs.network_resource AS r
              JOIN tbs.remote_object_kind AS x ON x.network_resource_type = r.network_resource_type AND x.kind = other_user.kind
              WHERE r.network_resource_id = other_user.network_resource_id OFFSET 0) AS k
        CROSS JOIN LATERAL (
            SELECT u.line_usoc_id FROM tbs.remote_object AS o JOIN tbs.remote_object_use AS u ON u.remote_object_id = o.remote_object_id
            WHERE o.network_resource_id = other_user.network_resource_id AND o.kind = other_user.kind AND o.key = other_user.key
            UNION
            SELECT lu.line_usoc_id
            FROM (SELECT x.line_id FROM tbs.lines_found_by(k.found_by, other_user.find_value) AS x (line_id) OFFSET 0) AS f
            CROSS JOIN LATERAL (SELECT x.line_usoc_id FROM tbs.line_usoc AS x WHERE x.line_id = f.line_id OFFSET 0) AS lu) AS c
        CROSS JOIN LATERAL (
            SELECT x.line_usoc_id, x.line_id, x.service FROM tbs.line_usoc_association AS x
            WHERE x.line_usoc_id = c.line_usoc_id AND x.network_resource_id = other_user.network_resource_id
              AND EXISTS (SELECT FROM tbs.service_object AS s
                          WHERE s.network_resource_type = x.network_resource_type AND s.service = x.service AND s.kind = other_user.kind) OFFSET 0) AS a
        WHERE (a.line_usoc_id, a.service) IS DISTINCT FROM (other_user.line_usoc_id, other_user.service)
    LOOP
        IF tbs.wants_object(v_candidate.line_usoc_id, other_user.network_resource_id, v_candidate.service, other_user.kind, other_user.key) THEN
            line_usoc_id_found := v_candidate.line_usoc_id;
            line_id_found := v_candidate.line_id;
            service_found := v_candidate.service;
            RETURN;
        END IF;
    END LOOP;
END;
$other_user$;
COMMENT ON FUNCTION tbs.other_user(integer, text, text, text, bigint, text) IS 'internal: a line USOC, other than this one, that wants the object now';

CREATE FUNCTION tbs.accepted_epoch(resource tbs.network_resource)
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $accepted_epoch$
BEGIN
    RETURN (
        SELECT tbs.database_epoch() || ' ' || resource.base_url);
END;
$accepted_epoch$;
COMMENT ON FUNCTION tbs.accepted_epoch(tbs.network_resource) IS 'internal: what an acceptance is only good for: this database on this timeline, this base URL';

CREATE FUNCTION tbs.left_objects(line_usoc_id bigint, network_resource_id integer, service text, wanted bigint[])
RETURNS SETOF tbs.planned_object
LANGUAGE plpgsql
STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $left_objects$
BEGIN
    RETURN QUERY
    SELECT u.position, o.kind, o.key, d.operation, o.remote_object_id, o.identity, o.find_value, NULL::jsonb, NULL::jsonb,
           CASE WHEN d.operation = 'delete' THEN q.steps -> CASE WHEN u.removal = 'return' AND q.steps ? 'return' THEN 'return' ELSE 'delete' END END,
           o.sent_at, o.accepted_at, NULL::text, NULL::text, u.removal, true,
           -- As tbs.recipe has it, whose object in this position may be of another kind by now.
           CASE WHEN EXISTS (SELECT FROM tbs.remote_object_kind AS y
                             WHERE y.network_resource_type = k.network_resource_type AND coalesce(k.part_of, k.kind) IN (y.kind, y.part_of) AND y.kind <> k.kind)
                THEN coalesce(k.part_of, k.kind) END
    FROM tbs.remote_object_use AS u
    JOIN tbs.remote_object AS o ON o.remote_object_id = u.remote_object_id
    JOIN tbs.network_resource AS r ON r.network_resource_id = u.network_resource_id
    JOIN tbs.remote_object_kind AS k ON k.network_resource_type = r.network_resource_type AND k.kind = o.kind
    LEFT JOIN tbs.recipe AS q ON q.network_resource_type = r.network_resource_type AND q.service = u.service AND q.position = u.position
    CROSS JOIN LATERAL (
        -- What several lines share stays until the last of those that used it has moved away.
        SELECT CASE WHEN (k.shared AND EXISTS (SELECT FROM tbs.remote_object_use AS x
                                               WHERE x.remote_object_id = u.remote_object_id AND (x.line_usoc_id, x.service) <> (u.line_usoc_id, u.service)))
                      OR (tbs.other_user(left_objects.network_resource_id, o.kind, o.key, o.find_value, left_objects.line_usoc_id, left_objects.service)).line_usoc_id_found IS NOT NULL
                    THEN 'release'
                    WHEN o.presence = 'absent' OR o.origin = 'found' OR u.removal = 'keep' OR NOT coalesce(q.steps ? 'delete', false) THEN 'forget'
                    ELSE 'delete' END AS operation
        OFFSET 0) AS d
    WHERE u.line_usoc_id = left_objects.line_usoc_id AND u.network_resource_id = left_objects.network_resource_id AND u.service = left_objects.service
      AND u.remote_object_id <> ALL (left_objects.wanted)
    -- Members of an object that the service has too come last: when that one goes, nothing is left to do about them.
    ORDER BY k.part_of IS NOT NULL AND EXISTS (SELECT FROM tbs.service_object AS s
                                               WHERE s.network_resource_type = r.network_resource_type AND s.service = u.service AND s.kind = k.part_of),
             u.position DESC, o.remote_object_id DESC;
END;
$left_objects$;
COMMENT ON FUNCTION tbs.left_objects(bigint, integer, text, bigint[]) IS 'internal: what a service of a line USOC has on a network resource besides these remote objects, and does not want any more, in the order of the calls';

CREATE FUNCTION tbs.with_cleared_members(content jsonb, members text[])
RETURNS jsonb
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $with_cleared_members$
BEGIN
    RETURN content || (SELECT jsonb_object_agg(x.member, '') FROM unnest(members) AS x (member) WHERE NOT content ? x.member);
END;
$with_cleared_members$;
COMMENT ON FUNCTION tbs.with_cleared_members(jsonb, text[]) IS 'internal: a content with empty values for those of these members that it does not have';

-- plan: the wanted objects in ascending position, then what this line USOC has and does not want any more, in descending position. As one array, and of each object no
-- more than that row beside what it is sorted by: whatever goes through the steps of a query costs something at its start, column by column.
CREATE FUNCTION tbs.plan(line_usoc_id bigint, network_resource_id integer, network_resource_type text, base_url text, service text, context jsonb, round_at timestamptz, send_all boolean)
RETURNS TABLE (plan tbs.planned_object[])
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT coalesce(w.plan, '{}')
        -- What it does not want any more: mostly nothing, which is found out without starting the query for it.
        || CASE WHEN NOT u.remote_object_ids <@ w.remote_object_ids
                THEN ARRAY(SELECT l FROM tbs.left_objects(plan.line_usoc_id, plan.network_resource_id, plan.service, w.remote_object_ids) AS l) ELSE '{}' END
    -- What it uses already: read once, for all of its objects.
    FROM (SELECT coalesce(array_agg(x.remote_object_id), '{}') AS remote_object_ids, array_agg(x.removal) AS removals
          FROM tbs.remote_object_use AS x
          WHERE x.line_usoc_id = plan.line_usoc_id AND x.network_resource_id = plan.network_resource_id AND x.service = plan.service) AS u
    CROSS JOIN LATERAL (
        SELECT array_agg(p.planned ORDER BY p.position, p.ordinal) AS plan,
               coalesce(array_agg(p.remote_object_id) FILTER (WHERE p.remote_object_id IS NOT NULL), '{}') AS remote_object_ids
        FROM (
            -- One that is wanted twice (by two elements of a list) counts once.
            SELECT DISTINCT ON ((m.recipe).kind, m.key) (m.recipe).position AS position, m.ordinal, o.remote_object_id,
                   ROW((m.recipe).position, (m.recipe).kind, m.key, d.operation, o.remote_object_id, CASE WHEN d.operation = 'delete' THEN o.identity ELSE m.identity END,
                       m.find_value, d.content, m.item, (m.recipe).steps -> d.operation, o.sent_at, o.accepted_at,
                       CASE WHEN d.used_by IS NULL THEN d.error ELSE format('%s %s is in use by line %s', (m.recipe).kind, m.key, d.used_by) END,
                       CASE WHEN d.used_by IS NOT NULL THEN (m.recipe).kind WHEN m.error IS NULL AND d.error IS NOT NULL THEN (m.recipe).removal_value
                            ELSE m.error_member END,
                       d.removal, coalesce(u.removals[array_position(u.remote_object_ids, o.remote_object_id)] = d.removal, false),
                       (m.recipe).whole)::tbs.planned_object AS planned
            FROM tbs.wanted_objects(plan.context, plan.network_resource_type, plan.service) AS m
            LEFT JOIN LATERAL (SELECT x.remote_object_id, x.identity, x.presence, x.settled, x.sent_at, x.accepted, x.accepted_at, x.accepted_epoch, x.prepared, x.members
                               FROM tbs.remote_object AS x
                               WHERE x.network_resource_id = plan.network_resource_id AND x.kind = (m.recipe).kind AND x.key = m.key OFFSET 0) AS o ON true
            CROSS JOIN LATERAL (
                SELECT a.content, a.removal, a.error, a.operation,
                       -- An object that another line wants by its rows is that line's. One that it has only left behind is taken over.
                       CASE WHEN a.error IS NULL AND NOT (m.recipe).shared AND a.operation <> 'none'
                                 AND EXISTS (SELECT FROM tbs.remote_object_use AS x
                                             WHERE x.remote_object_id = o.remote_object_id AND x.line_usoc_id <> plan.line_usoc_id)
                            THEN (SELECT y.line_id_found FROM tbs.other_user(plan.network_resource_id, (m.recipe).kind, m.key, NULL, plan.line_usoc_id, plan.service) AS y
                                  WHERE y.line_id_found <> (plan.context #>> '{line,line_id}')::bigint) END AS used_by
                FROM (
                    SELECT c.content, c.removal, c.error,
                           CASE WHEN c.error IS NOT NULL OR (c.difference IN ('add', 'edit') AND NOT (m.recipe).steps ? c.difference) THEN 'none'
                                WHEN c.difference IN ('add', 'edit') AND (m.recipe).steps ? 'prepare' AND o.prepared IS DISTINCT FROM c.content THEN 'prepare'
                                ELSE c.difference END AS operation
                    FROM (
                        SELECT v.content, v.removal,
                               coalesce(m.error, CASE WHEN v.removal NOT IN ('delete', 'keep') AND NOT (v.removal = 'return' AND (m.recipe).steps ? 'return')
                                                      THEN format('"%s" is no way to remove it', v.removal) END) AS error,
                               CASE
                                   WHEN coalesce(o.presence, 'absent') = 'absent' THEN 'add'
                                   -- The same key in another place (a number of another domain): it goes there, and comes here.
                                   WHEN o.identity <> m.identity AND (m.recipe).steps ? 'delete' THEN 'delete'
                                   WHEN o.presence = 'perhaps' THEN CASE WHEN (m.recipe).steps ? 'look' THEN 'look' ELSE 'add' END
                                   WHEN o.settled AND o.accepted = v.content AND o.accepted_epoch = tbs.database_epoch() || ' ' || plan.base_url
                                        -- Even where everything is sent again, it is sent once in a round, whichever activity sent it: lines share domains and phones.
                                        AND ((m.recipe).never_repeat OR o.sent_at > plan.round_at OR NOT (plan.send_all OR (m.recipe).repeat_unchanged)) THEN 'none'
                                   ELSE 'edit' END AS difference
                        FROM (
                            -- What was sent once and has no value any more is cleared: a member left out of a change would keep its old value.
                            SELECT CASE WHEN m.content ?& coalesce(o.members, '{}') THEN m.content ELSE tbs.with_cleared_members(m.content, o.members) END AS content,
                                   CASE WHEN (m.recipe).removal_value IS NULL THEN 'delete' ELSE tbs.removal_of(plan.context, (m.recipe).removal_value) END AS removal
                            OFFSET 0) AS v
                        OFFSET 0) AS c
                    OFFSET 0) AS a
                OFFSET 0) AS d
            ORDER BY (m.recipe).kind, m.key, (m.recipe).position, m.ordinal) AS p) AS w;
END;
COMMENT ON FUNCTION tbs.plan(bigint, integer, text, text, text, jsonb, timestamptz, boolean) IS
'internal: what a service of a line USOC needs on a network resource now, object by object in the order of the calls; context null: it is not wanted any more';

CREATE FUNCTION tbs.planned_request(planned tbs.planned_object, context jsonb, resource tbs.network_resource,
                                    OUT method text, OUT path text, OUT headers jsonb, OUT body text, OUT error text, OUT error_member text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $planned_request$
DECLARE
    v_step jsonb := planned.step;
    v_context jsonb := planned_request.context;
    v_request record;
BEGIN
    IF v_step IS NULL THEN
        RETURN;
    END IF;
    IF v_context IS NULL OR planned.operation = 'delete' THEN
        v_context := jsonb_build_object('resource', tbs.resource_context(resource));
    ELSIF v_step ->> 'values_from' = 'device' THEN
        v_context := tbs.item_context(v_context, planned.item, resource.network_resource_type);
    END IF;
    -- Only where a template asks: the same context rendered many times over is parsed once.
    IF (v_step -> 'reads_object')::boolean THEN
        v_context := v_context || (SELECT coalesce(jsonb_object_agg(x.k, x.v), '{}')
                                   FROM tbs.remote_object AS o CROSS JOIN LATERAL (VALUES ('remote', o.identifiers), ('previous', o.accepted)) AS x (k, v)
                                   WHERE o.remote_object_id = planned.remote_object_id);
    END IF;
    v_request := tbs.render_request(v_step, v_context, planned.item, planned.identity);
    method := v_request.method;
    path := v_request.path;
    headers := v_request.headers;
    body := v_request.body;
    error := v_request.error;
    error_member := v_request.error_member;
    IF planned.operation = 'delete' AND body IS NOT NULL AND v_step ->> 'body_format' = 'json' THEN
        -- Members of an object that stays: whatever was sent of them is cleared.
        body := coalesce((SELECT (jsonb_object_agg(m, '') || body::jsonb)::text
                          FROM tbs.remote_object AS o
                          JOIN tbs.remote_object_kind AS k ON k.network_resource_type = resource.network_resource_type AND k.kind = o.kind AND k.part_of IS NOT NULL
                          CROSS JOIN LATERAL unnest(o.members) AS m
                          WHERE o.remote_object_id = planned.remote_object_id), body);
    ELSIF planned.operation = 'edit' AND body IS NOT NULL AND jsonb_path_exists(planned.content, '$.* ? (@ == "")') THEN
        body := CASE v_step ->> 'body_format'
            WHEN 'json' THEN (SELECT CASE WHEN c.cleared IS NULL THEN body ELSE (body::jsonb || c.cleared)::text END
                              FROM (SELECT jsonb_object_agg(m.key, m.value) AS cleared FROM jsonb_each(planned.content) AS m
                                    WHERE m.value = '""' AND NOT body::jsonb ? m.key) AS c)
            WHEN 'form' THEN (SELECT body || coalesce(string_agg('&' || m.key || '=', ''), '') FROM jsonb_each(planned.content) AS m
                              WHERE m.value = '""' AND '&' || body NOT LIKE '%&' || m.key || '=%')
            ELSE body END;
    END IF;
END;
$planned_request$;
COMMENT ON FUNCTION tbs.planned_request(tbs.planned_object, jsonb, tbs.network_resource) IS 'internal: the API call of a planned operation, rendered';
