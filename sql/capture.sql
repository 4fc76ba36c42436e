-- Capture: statement-level triggers that put one activity per (line USOC, network resource) on the queue, in the transaction that changes the row.
-- Capture only inserts. It takes no lock beyond its own rows, touches no partitioned table, and never fails for what is wrong with a network resource.

-- Without settings of its own, so that it is put into the query that uses it.
CREATE FUNCTION tbs.arming_here()
RETURNS SETOF tbs.arming
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT a.* FROM tbs.arming AS a
    WHERE a.armed AND tbs.is_this_database(a.system_identifier, a.database_oid);
END;
COMMENT ON FUNCTION tbs.arming_here() IS 'internal: by what this very database is armed; no row: it is not';

CREATE FUNCTION tbs.is_armed()
RETURNS boolean
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $is_armed$
BEGIN
    RETURN EXISTS (SELECT FROM tbs.arming_here());
END;
$is_armed$;
COMMENT ON FUNCTION tbs.is_armed() IS 'whether changes are captured and sent: armed on this very database (system identifier and oid), not on the one it was copied from';

CREATE FUNCTION tbs.is_capturing()
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $is_capturing$
BEGIN
    RETURN tbs.capture_reason() IS NULL AND tbs.is_armed();
END;
$is_capturing$;
COMMENT ON FUNCTION tbs.is_capturing() IS 'whether capture is on in this transaction: armed, and not switched off with tbs.without_capture()';

-- What may be on a network resource for a line USOC, whatever the catalogue says now: used objects, or an activity that is not done.
CREATE VIEW tbs.line_usoc_on_resource AS
SELECT u.line_usoc_id, u.network_resource_id, u.service FROM tbs.remote_object_use AS u
UNION
SELECT a.line_usoc_id, a.network_resource_id, t.service FROM tbs.activity AS a JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
WHERE a.line_usoc_id <> 0;
COMMENT ON VIEW tbs.line_usoc_on_resource IS 'what a line USOC has, or may have, on a network resource';

-- The lane of what is captured: as the transaction says, or bulk for a statement that changes very many rows.
CREATE FUNCTION tbs.capture_lane(row_count bigint)
RETURNS smallint
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $capture_lane$
BEGIN
    IF coalesce(current_setting('tbs.lane', true), '') <> '' THEN
        RETURN tbs.lane_number(current_setting('tbs.lane', true));
    ELSIF row_count >= 100 AND row_count >= tbs.setting_value('bulk_size')::integer THEN
        RETURN 4;
    END IF;
    RETURN 3;
END;
$capture_lane$;
COMMENT ON FUNCTION tbs.capture_lane(bigint) IS 'internal: the lane of what a statement that changes so many rows captures';

CREATE FUNCTION tbs.lane_number(name text)
RETURNS smallint
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $lane_number$
BEGIN
    -- An unknown one (the setting was set by hand) must not stop a sale.
    RETURN coalesce(array_position('{retry,restore,normal,bulk,resync}'::text[], lane_number.name), 3);
END;
$lane_number$;
COMMENT ON FUNCTION tbs.lane_number(text) IS 'internal: 1 retry, 2 restore, 3 normal, 4 bulk, 5 resync';

-- capture_lines: one activity per (line USOC, network resource) of these lines. The catalogue's pairs, and those that have something already. Network information may
-- name another network resource than before: added on the one where nothing is yet, deleted on the one where nothing is to be any more.
CREATE FUNCTION tbs.capture_lines(line_ids bigint[], trigger_type text, trigger_description text, suspension boolean DEFAULT false, lane smallint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $capture_lines$
DECLARE
    v_lane smallint := coalesce(capture_lines.lane, tbs.capture_lane(cardinality(capture_lines.line_ids)));
BEGIN
    INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id, order_number, telephone_number, usoc,
                              user_name, trigger_description, lane)
    SELECT t.activity_type_id, p.network_resource_id, lu.line_id, lu.line_usoc_id, l.customer_id,
           coalesce(nullif(current_setting('tbs.order_number', true), ''), o.order_number), coalesce(lu.telephone_number, l.telephone_number), lu.usoc,
           nullif(current_setting('tbs.user_name', true), ''),
           CASE t.trigger_type WHEN capture_lines.trigger_type THEN capture_lines.trigger_description
                               WHEN 'usoc_added' THEN format('USOC %s moved here', lu.usoc) ELSE format('USOC %s moved to another network resource', lu.usoc) END, v_lane
    FROM (SELECT x.line_id, x.customer_id, x.telephone_number FROM tbs.line AS x WHERE x.line_id = ANY (capture_lines.line_ids) OFFSET 0) AS l
    -- Line by line: a plan that was made when there were no line USOCs yet begins with all of them.
    CROSS JOIN LATERAL (SELECT x.line_usoc_id, x.line_id, x.telephone_number, x.usoc, x.customer_order_id FROM tbs.line_usoc AS x WHERE x.line_id = l.line_id OFFSET 0) AS lu
    LEFT JOIN tbs.customer_order AS o ON o.customer_order_id = lu.customer_order_id
    CROSS JOIN LATERAL (
        SELECT x.network_resource_id, x.service, max(x.position) AS position, bool_or(x.is_there) AS is_there, bool_or(x.is_associated) AS is_associated
        FROM (SELECT a.network_resource_id, a.service, a.position, a.active, false AS is_there, true AS is_associated FROM tbs.line_usoc_association AS a
              WHERE a.line_usoc_id = lu.line_usoc_id
              UNION ALL
              SELECT h.network_resource_id, h.service, 0, false, true, false FROM tbs.line_usoc_on_resource AS h WHERE h.line_usoc_id = lu.line_usoc_id) AS x
        GROUP BY x.network_resource_id, x.service
        HAVING bool_or(x.active) OR bool_or(x.is_there)) AS p
    JOIN tbs.network_resource AS r ON r.network_resource_id = p.network_resource_id AND r.state <> 'retired'
    JOIN tbs.activity_type AS t ON t.network_resource_type = r.network_resource_type AND t.service = p.service
                               AND t.trigger_type = CASE WHEN capture_lines.trigger_type <> 'network_information_changed' OR (p.is_there AND p.is_associated) THEN capture_lines.trigger_type
                                                         WHEN p.is_associated THEN 'usoc_added' ELSE 'usoc_deleted' END
    JOIN tbs.service AS s ON s.network_resource_type = t.network_resource_type AND s.service = t.service
                         AND NOT (capture_lines.suspension AND s.ignores_suspension)
    ORDER BY lu.line_id, p.position, lu.line_usoc_id;
    IF FOUND THEN
        PERFORM tbs.ring();
    END IF;
END;
$capture_lines$;
COMMENT ON FUNCTION tbs.capture_lines(bigint[], text, text, boolean, smallint) IS 'internal: captures a change for all line USOCs of these lines; suspension: only for services that a suspension means something to';

-- A line that becomes a user of a network resource, or stops being one, may be a member of a queue.
CREATE FUNCTION tbs.capture_queues_of(line_ids bigint[], usocs text[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $capture_queues_of$
BEGIN
    PERFORM tbs.capture_lines(array_agg(DISTINCT m.line_id), 'line_changed', 'a member of the line changed')
    FROM unnest(capture_queues_of.line_ids, capture_queues_of.usocs) AS c (line_id, usoc)
    JOIN tbs.line_member AS m ON m.member_line_id = c.line_id
    WHERE EXISTS (SELECT FROM tbs.master_usoc_network_resource AS a
                  JOIN tbs.service_object AS o ON o.network_resource_type = a.network_resource_type AND o.service = a.service
                  JOIN tbs.remote_object_kind AS k ON k.network_resource_type = o.network_resource_type AND k.kind = o.kind
                  WHERE a.usoc = c.usoc
                    AND EXISTS (SELECT FROM tbs.remote_object_kind AS p WHERE p.network_resource_type = k.network_resource_type AND p.part_of = k.kind))
    HAVING count(*) > 0;
END;
$capture_queues_of$;
COMMENT ON FUNCTION tbs.capture_queues_of(bigint[], text[]) IS 'internal: line_changed for the queues of lines on which these USOCs came or went';

-- A session runs statements of one row and of a hundred thousand, and what a trigger function reads of their rows is planned for as many as its first statement had in
-- that session, for ever. Nested loops over the rows of a large statement would hardly end. So
-- - old and new rows are joined by a FULL JOIN, which is never a nested loop; behind OFFSET 0, so that no condition makes another join of it;
-- - rows that were inserted are looked up by an array of their ids, whose length a plan knows that is made for it.
CREATE FUNCTION tbs.capture_line_usoc_insert()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $capture_line_usoc_insert$
DECLARE
    v_ids bigint[];
    v_lane smallint;
BEGIN
    IF NOT tbs.is_capturing() THEN
        RETURN NULL;
    END IF;
    v_ids := ARRAY(SELECT n.line_usoc_id FROM new_rows AS n);
    v_lane := tbs.capture_lane(cardinality(v_ids));
    IF cardinality(v_ids) >= 100 THEN
        -- Planned for as many as there are. Until the end of this function, which has the settings as well.
        PERFORM set_config('plan_cache_mode', 'force_custom_plan', true),
                set_config(s.name, 'on', true) FROM unnest('{enable_seqscan,enable_hashjoin,enable_mergejoin}'::text[]) AS s (name);
    END IF;
    INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id, order_number, telephone_number, usoc,
                              user_name, trigger_description, lane)
    SELECT t.activity_type_id, a.network_resource_id, a.line_id, a.line_usoc_id, a.customer_id,
           coalesce(nullif(current_setting('tbs.order_number', true), ''), a.order_number), a.telephone_number, a.usoc,
           nullif(current_setting('tbs.user_name', true), ''), 'USOC ' || a.usoc || ' added', v_lane
    FROM tbs.line_usoc_association AS a
    JOIN tbs.activity_type AS t ON t.network_resource_type = a.network_resource_type AND t.service = a.service AND t.trigger_type = 'usoc_added'
    WHERE a.line_usoc_id = ANY (v_ids) AND a.active AND a.network_resource_state <> 'retired'
    ORDER BY a.line_id, a.position, a.line_usoc_id;
    IF FOUND THEN
        PERFORM tbs.ring();
        PERFORM tbs.capture_queues_of(array_agg(n.line_id), array_agg(n.usoc)) FROM new_rows AS n;
    END IF;
    RETURN NULL;
END;
$capture_line_usoc_insert$;
COMMENT ON FUNCTION tbs.capture_line_usoc_insert() IS 'trigger: a USOC was put on a line: usoc_added, one activity per associated network resource';

-- Shared by delete and by an update that takes a USOC away. The line may be gone already (a cascade): what was known of it last is kept.
CREATE FUNCTION tbs.capture_line_usoc_removal(removed tbs.line_usoc[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $capture_line_usoc_removal$
BEGIN
    INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id, order_number, telephone_number, usoc,
                              user_name, trigger_description, lane)
    SELECT t.activity_type_id, h.network_resource_id, d.line_id, d.line_usoc_id,
           coalesce(l.customer_id, s.customer_id, q.customer_id),
           coalesce(nullif(current_setting('tbs.order_number', true), ''), o.order_number),
           coalesce(d.telephone_number, l.telephone_number, s.telephone_number, q.telephone_number), d.usoc,
           nullif(current_setting('tbs.user_name', true), ''), 'USOC ' || d.usoc || ' deleted',
           tbs.capture_lane(cardinality(capture_line_usoc_removal.removed))
    FROM unnest(capture_line_usoc_removal.removed) AS d
    -- Looked up: a join would make the whole of this view, which is as large as all that is there.
    CROSS JOIN LATERAL (SELECT x.network_resource_id, x.service FROM tbs.line_usoc_on_resource AS x WHERE x.line_usoc_id = d.line_usoc_id OFFSET 0) AS h
    JOIN tbs.network_resource AS r ON r.network_resource_id = h.network_resource_id AND r.state <> 'retired'
    JOIN tbs.activity_type AS t ON t.network_resource_type = r.network_resource_type AND t.service = h.service AND t.trigger_type = 'usoc_deleted'
    LEFT JOIN tbs.line AS l ON l.line_id = d.line_id
    LEFT JOIN tbs.line_usoc_state AS s ON s.line_usoc_id = d.line_usoc_id AND s.network_resource_id = h.network_resource_id
    -- In two steps, or a plan that was made when the queue was empty reads it from its end, by number.
    LEFT JOIN LATERAL (SELECT a.customer_id, a.telephone_number
                       FROM (SELECT x.activity_id, x.customer_id, x.telephone_number FROM tbs.activity AS x WHERE x.line_usoc_id = d.line_usoc_id OFFSET 0) AS a
                       ORDER BY a.activity_id DESC LIMIT 1) AS q ON true
    LEFT JOIN tbs.customer_order AS o ON o.customer_order_id = d.customer_order_id
    LEFT JOIN tbs.master_usoc_network_resource AS m ON m.usoc = d.usoc AND m.network_resource_id = h.network_resource_id
    ORDER BY d.line_id, m.position DESC NULLS LAST, d.line_usoc_id DESC;
    IF FOUND THEN
        PERFORM tbs.ring();
    END IF;
END;
$capture_line_usoc_removal$;
COMMENT ON FUNCTION tbs.capture_line_usoc_removal(tbs.line_usoc[]) IS 'internal: usoc_deleted for line USOCs that are gone, one activity per network resource that has something of them';

CREATE FUNCTION tbs.capture_line_usoc_delete()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $capture_line_usoc_delete$
BEGIN
    IF tbs.is_capturing() THEN
        PERFORM tbs.capture_line_usoc_removal((SELECT array_agg(d::tbs.line_usoc) FROM old_rows AS d));
        PERFORM tbs.capture_queues_of(array_agg(d.line_id), array_agg(d.usoc)) FROM old_rows AS d;
    END IF;
    RETURN NULL;
END;
$capture_line_usoc_delete$;
COMMENT ON FUNCTION tbs.capture_line_usoc_delete() IS 'trigger: a USOC was taken off a line';

-- An update: usoc_edited where the same service stays on the same resource; where the USOC or the line has changed, what only the old one had is
-- usoc_deleted and what only the new one has is usoc_added. A changed id is a delete and an insert.
CREATE FUNCTION tbs.capture_line_usoc_update()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $capture_line_usoc_update$
DECLARE
    v_lane smallint;
BEGIN
    IF NOT tbs.is_capturing() THEN
        RETURN NULL;
    END IF;
    v_lane := tbs.capture_lane((SELECT count(*) FROM new_rows));
    PERFORM tbs.capture_line_usoc_removal(gone.rows)
    FROM (SELECT array_agg(c.o) AS rows
          FROM (SELECT o::tbs.line_usoc AS o, n.line_usoc_id FROM old_rows AS o FULL JOIN new_rows AS n ON n.line_usoc_id = o.line_usoc_id OFFSET 0) AS c
          WHERE c.line_usoc_id IS NULL) AS gone
    WHERE gone.rows IS NOT NULL;

    INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id, order_number, telephone_number, usoc,
                              user_name, trigger_description, lane)
    SELECT t.activity_type_id, p.network_resource_id, c.line_id, c.line_usoc_id, l.customer_id,
           coalesce(nullif(current_setting('tbs.order_number', true), ''), o.order_number), coalesce(c.telephone_number, l.telephone_number), c.usoc,
           nullif(current_setting('tbs.user_name', true), ''),
           CASE WHEN c.old_usoc IS DISTINCT FROM c.usoc AND c.old_usoc IS NOT NULL THEN format('USOC %s changed to %s', c.old_usoc, c.usoc)
                ELSE format('USOC %s %s', c.usoc, CASE p.trigger_type WHEN 'usoc_added' THEN 'added' ELSE 'edited' END) END, v_lane
    FROM (SELECT (b.n).*, (b.o).usoc AS old_usoc, (b.o).line_id AS old_line_id, (b.o).line_usoc_id IS NULL AS is_new
          FROM (SELECT n::tbs.line_usoc AS n, o::tbs.line_usoc AS o FROM new_rows AS n FULL JOIN old_rows AS o ON o.line_usoc_id = n.line_usoc_id OFFSET 0) AS b
          WHERE (b.n).line_usoc_id IS NOT NULL
            AND ((b.o).line_usoc_id IS NULL OR tbs.line_usoc_context(b.o) IS DISTINCT FROM tbs.line_usoc_context(b.n))) AS c
    JOIN tbs.line AS l ON l.line_id = c.line_id
    LEFT JOIN tbs.customer_order AS o ON o.customer_order_id = c.customer_order_id
    CROSS JOIN LATERAL (
        SELECT coalesce(new_pair.network_resource_id, old_pair.network_resource_id) AS network_resource_id,
               coalesce(new_pair.service, old_pair.service) AS service, new_pair.position,
               CASE WHEN old_pair.network_resource_id IS NULL THEN 'usoc_added'
                    WHEN new_pair.network_resource_id IS NULL THEN 'usoc_deleted'
                    ELSE 'usoc_edited' END AS trigger_type
        FROM (SELECT a.network_resource_id, a.service, a.position FROM tbs.line_usoc_association AS a
              WHERE a.line_usoc_id = c.line_usoc_id
                AND (a.active OR EXISTS (SELECT FROM tbs.line_usoc_on_resource AS h
                                         WHERE h.line_usoc_id = a.line_usoc_id AND h.network_resource_id = a.network_resource_id))) AS new_pair
        FULL JOIN (SELECT h.network_resource_id, h.service FROM tbs.line_usoc_on_resource AS h
                   WHERE h.line_usoc_id = c.line_usoc_id AND NOT c.is_new
                   UNION
                   -- Where neither the USOC nor the line has changed, what is associated was so before, even if nothing of it is there yet.
                   SELECT a.network_resource_id, a.service FROM tbs.line_usoc_association AS a
                   WHERE a.line_usoc_id = c.line_usoc_id AND a.active AND c.old_usoc = c.usoc AND c.old_line_id = c.line_id) AS old_pair
               ON old_pair.network_resource_id = new_pair.network_resource_id AND old_pair.service = new_pair.service) AS p
    JOIN tbs.network_resource AS r ON r.network_resource_id = p.network_resource_id AND r.state <> 'retired'
    JOIN tbs.activity_type AS t ON t.network_resource_type = r.network_resource_type AND t.service = p.service AND t.trigger_type = p.trigger_type
    LEFT JOIN tbs.master_usoc_network_resource AS m ON m.usoc = c.old_usoc AND m.network_resource_id = p.network_resource_id
    ORDER BY c.line_id, p.trigger_type <> 'usoc_deleted', CASE WHEN p.trigger_type = 'usoc_deleted' THEN -m.position ELSE p.position END, c.line_usoc_id;
    IF FOUND THEN
        PERFORM tbs.ring();
    END IF;
    PERFORM tbs.capture_queues_of(array_agg(c.line_id), array_agg(c.usoc))
    FROM (SELECT x.line_id, x.usoc
          FROM (SELECT o.line_id AS old_line_id, o.usoc AS old_usoc, n.line_id, n.usoc FROM old_rows AS o FULL JOIN new_rows AS n ON n.line_usoc_id = o.line_usoc_id OFFSET 0) AS b
          CROSS JOIN LATERAL (VALUES (b.old_line_id, b.old_usoc), (b.line_id, b.usoc)) AS x (line_id, usoc)
          WHERE (b.old_line_id, b.old_usoc) <> (b.line_id, b.usoc)) AS c
    HAVING count(*) > 0;
    RETURN NULL;
END;
$capture_line_usoc_update$;
COMMENT ON FUNCTION tbs.capture_line_usoc_update() IS 'trigger: a line USOC was edited, its USOC swapped, or it was moved to another line';

CREATE FUNCTION tbs.capture_line_update()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $capture_line_update$
BEGIN
    IF NOT tbs.is_capturing() THEN
        RETURN NULL;
    END IF;
    PERFORM tbs.capture_lines(array_agg(c.line_id), c.trigger_type, c.trigger_description, c.suspension, c.lane)
    FROM (SELECT (b.n).line_id,
                 CASE WHEN v.other_record THEN 'network_information_changed' ELSE 'line_changed' END AS trigger_type,
                 CASE WHEN v.other_record THEN 'line points to other network information'
                      WHEN NOT v.suspension THEN 'line changed'
                      WHEN (b.n).suspended THEN 'line suspended' ELSE 'line resumed' END AS trigger_description,
                 v.suspension,
                 -- Who has paid wants to call.
                 CASE WHEN (b.o).suspended AND NOT (b.n).suspended THEN 2::smallint END AS lane
          FROM (SELECT n::tbs.line AS n, o::tbs.line AS o FROM new_rows AS n FULL JOIN old_rows AS o ON o.line_id = n.line_id OFFSET 0) AS b
          CROSS JOIN LATERAL (
              SELECT (b.n).network_information_id IS DISTINCT FROM (b.o).network_information_id AS other_record,
                     (b.n).suspended <> (b.o).suspended AND tbs.line_context(b.o) - 'suspended' = tbs.line_context(b.n) - 'suspended' AS suspension) AS v
          WHERE (b.n).line_id = (b.o).line_id AND tbs.line_context(b.o) IS DISTINCT FROM tbs.line_context(b.n)
          UNION ALL
          -- A queue's document has its members' numbers and extensions.
          SELECT DISTINCT m.line_id, 'line_changed', 'a member of the line changed', false, NULL::smallint
          FROM (SELECT n::tbs.line AS n, o::tbs.line AS o FROM new_rows AS n FULL JOIN old_rows AS o ON o.line_id = n.line_id OFFSET 0) AS b
          JOIN tbs.line_member AS m ON m.member_line_id = (b.n).line_id
          WHERE (b.n).line_id = (b.o).line_id
            AND ((b.o).extension, (b.o).telephone_number, (b.o).network_information_id) IS DISTINCT FROM ((b.n).extension, (b.n).telephone_number, (b.n).network_information_id)) AS c
    GROUP BY c.trigger_type, c.trigger_description, c.suspension, c.lane;
    -- A line key of a shared phone is part of the phone's document, which other lines use too.
    PERFORM tbs.capture_lines(array_agg(DISTINCT other.line_id), 'device_changed', 'another line of a device changed')
    FROM (SELECT n::tbs.line AS n, o::tbs.line AS o FROM new_rows AS n FULL JOIN old_rows AS o ON o.line_id = n.line_id OFFSET 0) AS b
    JOIN tbs.line_device AS own ON own.line_id = (b.n).line_id
    JOIN tbs.line_device AS other ON other.device_id = own.device_id AND other.line_id <> own.line_id
    WHERE (b.n).line_id = (b.o).line_id AND ((b.o).extension, (b.o).network_information_id) IS DISTINCT FROM ((b.n).extension, (b.n).network_information_id)
    HAVING count(*) > 0;
    RETURN NULL;
END;
$capture_line_update$;
COMMENT ON FUNCTION tbs.capture_line_update() IS 'trigger: a line was edited (line_changed) or points to other network information (network_information_changed)';

CREATE FUNCTION tbs.capture_customer_update()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $capture_customer_update$
BEGIN
    IF tbs.is_capturing() THEN
        PERFORM tbs.capture_lines(array_agg(l.line_id), 'line_changed', 'customer changed')
        FROM (SELECT n::tbs.customer AS n, o::tbs.customer AS o FROM new_rows AS n FULL JOIN old_rows AS o ON o.customer_id = n.customer_id OFFSET 0) AS b
        JOIN tbs.line AS l ON l.customer_id = (b.n).customer_id
        WHERE (b.n).customer_id = (b.o).customer_id AND tbs.customer_context(b.o) IS DISTINCT FROM tbs.customer_context(b.n)
        HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END;
$capture_customer_update$;
COMMENT ON FUNCTION tbs.capture_customer_update() IS 'trigger: what provisioning reads of a customer has changed: line_changed for its lines';

CREATE FUNCTION tbs.capture_network_information_update()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $capture_network_information_update$
BEGIN
    IF tbs.is_capturing() THEN
        PERFORM tbs.capture_lines(array_agg(DISTINCT l.line_id), 'network_information_changed', 'network information changed')
        FROM (SELECT n::tbs.network_information AS n, o::tbs.network_information AS o
              FROM new_rows AS n FULL JOIN old_rows AS o ON o.network_information_id = n.network_information_id OFFSET 0) AS b
        JOIN tbs.network_information AS i ON (b.n).network_information_id IN (i.network_information_id, i.parent_id)
        JOIN tbs.line AS l ON l.network_information_id = i.network_information_id
        WHERE (b.n).network_information_id = (b.o).network_information_id
          AND tbs.network_information_context(b.o) IS DISTINCT FROM tbs.network_information_context(b.n)
        HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END;
$capture_network_information_update$;
COMMENT ON FUNCTION tbs.capture_network_information_update() IS 'trigger: a network information record was edited: for the lines that point to it or to its children';

CREATE FUNCTION tbs.capture_device_update()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $capture_device_update$
BEGIN
    IF tbs.is_capturing() THEN
        PERFORM tbs.capture_lines(array_agg(DISTINCT t.line_id), 'device_changed', 'device changed')
        FROM (SELECT n::tbs.device AS n, o::tbs.device AS o FROM new_rows AS n FULL JOIN old_rows AS o ON o.device_id = n.device_id OFFSET 0) AS b
        JOIN tbs.line_device AS t ON t.device_id = (b.n).device_id
        WHERE (b.n).device_id = (b.o).device_id AND tbs.device_context(b.o) IS DISTINCT FROM tbs.device_context(b.n)
        HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END;
$capture_device_update$;
COMMENT ON FUNCTION tbs.capture_device_update() IS 'trigger: a device was edited: device_changed for the lines it is tied to';

-- A tie concerns its line and every other line of the device: the phone's document has all line keys.
CREATE FUNCTION tbs.capture_line_device_changes(line_ids bigint[], device_ids bigint[])
RETURNS void
LANGUAGE sql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $capture_line_device_changes$
    SELECT tbs.capture_lines(
        (SELECT array_agg(DISTINCT l) FROM (SELECT unnest(capture_line_device_changes.line_ids)
                                            UNION SELECT t.line_id FROM tbs.line_device AS t WHERE t.device_id = ANY (capture_line_device_changes.device_ids)) AS x (l)),
        'device_changed', 'devices of the line changed');
$capture_line_device_changes$;
COMMENT ON FUNCTION tbs.capture_line_device_changes(bigint[], bigint[]) IS 'internal: device_changed for the lines of changed ties';

CREATE FUNCTION tbs.capture_line_device()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $capture_line_device$
BEGIN
    IF NOT tbs.is_capturing() THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM tbs.capture_line_device_changes(array_agg(n.line_id), array_agg(n.device_id)) FROM new_rows AS n HAVING count(*) > 0;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM tbs.capture_line_device_changes(array_agg(o.line_id), array_agg(o.device_id)) FROM old_rows AS o HAVING count(*) > 0;
    ELSE
        PERFORM tbs.capture_line_device_changes(array_agg(c.line_id), array_agg(c.device_id))
        FROM (SELECT DISTINCT x.line_id, x.device_id
              FROM (SELECT n::tbs.line_device AS n, o::tbs.line_device AS o FROM new_rows AS n FULL JOIN old_rows AS o ON o.line_device_id = n.line_device_id OFFSET 0) AS b
              CROSS JOIN LATERAL (VALUES ((b.o).line_id, (b.o).device_id), ((b.n).line_id, (b.n).device_id)) AS x (line_id, device_id)
              WHERE x.line_id IS NOT NULL AND tbs.line_device_context(b.o) IS DISTINCT FROM tbs.line_device_context(b.n)) AS c
        HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END;
$capture_line_device$;
COMMENT ON FUNCTION tbs.capture_line_device() IS 'trigger: a device was tied to or untied from a line, or the tie was edited';

CREATE FUNCTION tbs.capture_line_member()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $capture_line_member$
BEGIN
    IF NOT tbs.is_capturing() THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM tbs.capture_lines(array_agg(DISTINCT n.line_id), 'line_changed', 'members of the line changed') FROM new_rows AS n HAVING count(*) > 0;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM tbs.capture_lines(array_agg(DISTINCT o.line_id), 'line_changed', 'members of the line changed') FROM old_rows AS o HAVING count(*) > 0;
    ELSE
        PERFORM tbs.capture_lines(array_agg(DISTINCT c.line_id), 'line_changed', 'members of the line changed')
        FROM (SELECT x.line_id
              FROM (SELECT n::tbs.line_member AS n, o::tbs.line_member AS o FROM new_rows AS n FULL JOIN old_rows AS o ON o.line_member_id = n.line_member_id OFFSET 0) AS b
              CROSS JOIN LATERAL (VALUES ((b.o).line_id), ((b.n).line_id)) AS x (line_id)
              WHERE x.line_id IS NOT NULL AND tbs.line_member_context(b.o) IS DISTINCT FROM tbs.line_member_context(b.n)) AS c
        HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END;
$capture_line_member$;
COMMENT ON FUNCTION tbs.capture_line_member() IS 'trigger: the members of a line (agents of a queue) have changed: line_changed for that line';

-- One trigger per event: a trigger with transition tables may have only one. Never ENABLE ALWAYS: a restore with session_replication_role = replica must not capture.
CREATE TRIGGER capture_insert AFTER INSERT ON tbs.line_usoc REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_line_usoc_insert();
CREATE TRIGGER capture_update AFTER UPDATE ON tbs.line_usoc REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_line_usoc_update();
CREATE TRIGGER capture_delete AFTER DELETE ON tbs.line_usoc REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_line_usoc_delete();
CREATE TRIGGER capture_update AFTER UPDATE ON tbs.line REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_line_update();
CREATE TRIGGER capture_update AFTER UPDATE ON tbs.customer REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_customer_update();
CREATE TRIGGER capture_update AFTER UPDATE ON tbs.network_information REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_network_information_update();
CREATE TRIGGER capture_update AFTER UPDATE ON tbs.device REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_device_update();
CREATE TRIGGER capture_insert AFTER INSERT ON tbs.line_device REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_line_device();
CREATE TRIGGER capture_update AFTER UPDATE ON tbs.line_device REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_line_device();
CREATE TRIGGER capture_delete AFTER DELETE ON tbs.line_device REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_line_device();
CREATE TRIGGER capture_insert AFTER INSERT ON tbs.line_member REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_line_member();
CREATE TRIGGER capture_update AFTER UPDATE ON tbs.line_member REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_line_member();
CREATE TRIGGER capture_delete AFTER DELETE ON tbs.line_member REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tbs.capture_line_member();
