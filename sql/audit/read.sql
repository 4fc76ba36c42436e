-- Reading: an audit is an activity of the network resource itself, one page at a time, by the same claim and report as everything else. How far it is is in rows,
-- so that it goes on where it was after any kind of death; a page whose answer was lost is asked for again.

-- What is not sold of a network resource, and not on record, is none of our business, and not read.
CREATE FUNCTION tbs.kinds_to_audit(resource tbs.network_resource)
RETURNS text[]
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $kinds_to_audit$
BEGIN
    RETURN ARRAY(
        WITH RECURSIVE kinds AS (
            SELECT s.kind FROM tbs.audit_step AS s
            WHERE s.network_resource_type = resource.network_resource_type
              AND (EXISTS (SELECT FROM tbs.master_usoc_network_resource AS m
                           JOIN tbs.service_object AS o ON (o.network_resource_type, o.service) = (m.network_resource_type, m.service)
                           WHERE m.network_resource_id = resource.network_resource_id AND o.kind = s.kind)
                   OR EXISTS (SELECT FROM tbs.remote_object AS r WHERE r.network_resource_id = resource.network_resource_id AND r.kind = s.kind))
            UNION
            -- And what has to be read to get at it.
            SELECT n.kind
            FROM kinds AS k JOIN tbs.audit_step AS s ON s.network_resource_type = resource.network_resource_type AND s.kind = k.kind
            CROSS JOIN LATERAL (VALUES (s.for_each), (s.same_list_as)) AS n (kind)
            WHERE n.kind IS NOT NULL)
        SELECT k.kind FROM kinds AS k ORDER BY k.kind);
END;
$kinds_to_audit$;
COMMENT ON FUNCTION tbs.kinds_to_audit(tbs.network_resource) IS 'internal: the kinds of remote objects that an audit of a network resource is about';

CREATE FUNCTION tbs.audit_resource(network_resource text, domain text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $audit_resource$
DECLARE
    v_resource tbs.network_resource;
    v_activity_id bigint;
    v_audit_id bigint;
BEGIN
    IF NOT tbs.is_armed() THEN
        RAISE EXCEPTION 'the database is not armed' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT tbs.arm(''reason'');';
    END IF;
    SELECT * INTO v_resource FROM tbs.network_resource AS r WHERE r.network_resource_id = tbs.network_resource_named(audit_resource.network_resource);
    -- Two sessions that ask for the same at once: the second sees the first's.
    PERFORM pg_advisory_xact_lock(hashint8extended(v_resource.network_resource_id, 2290455817733));
    SELECT q.activity_id INTO v_activity_id FROM tbs.audit AS a JOIN tbs.activity AS q ON q.activity_id = a.activity_id
    WHERE a.network_resource_id = v_resource.network_resource_id AND a.domain IS NOT DISTINCT FROM audit_resource.domain;
    IF FOUND THEN
        RAISE EXCEPTION 'network resource "%" is being audited already', v_resource.name
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Its activity is %s.', v_activity_id),
                  HINT = format('SELECT tbs.why_waiting(%s); or take it off the queue with tbs.remove_activity(%s, reason).', v_activity_id, v_activity_id);
    END IF;
    v_audit_id := nextval('tbs.audit_audit_id_seq');
    -- A sequence of its own: a connection test, or an audit of another domain, does not wait for this one to end.
    INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, user_name, trigger_description, lane)
    SELECT t.activity_type_id, v_resource.network_resource_id, -v_audit_id, 0, nullif(current_setting('tbs.user_name', true), ''),
           'audit' || coalesce(' of domain ' || audit_resource.domain, ''), 4
    FROM tbs.activity_type AS t
    WHERE t.network_resource_type = v_resource.network_resource_type AND t.trigger_type = 'audit'
      AND EXISTS (SELECT FROM tbs.audit_step AS s WHERE s.network_resource_type = v_resource.network_resource_type)
    RETURNING activity_id INTO v_activity_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the type of network resource "%" has no audit', v_resource.name
            USING ERRCODE = 'feature_not_supported', HINT = 'An audit takes rows of tbs.audit_step, and an activity type with trigger type audit.';
    END IF;
    DELETE FROM tbs.audit AS a WHERE a.network_resource_id = v_resource.network_resource_id AND a.domain IS NOT DISTINCT FROM audit_resource.domain;
    INSERT INTO tbs.audit (audit_id, network_resource_id, domain, kinds, activity_id, history_from) OVERRIDING SYSTEM VALUE
    SELECT v_audit_id, v_resource.network_resource_id, audit_resource.domain, tbs.kinds_to_audit(v_resource), v_activity_id, s.last_value + s.is_called::integer FROM tbs.activity_history_id_seq AS s;
    INSERT INTO tbs.audit_list (audit_id, position, kind, page_size)
    SELECT v_audit_id, s.position, s.kind, s.page_size FROM tbs.audit_step AS s
    WHERE s.network_resource_type = v_resource.network_resource_type AND s.for_each IS NULL AND s.same_list_as IS NULL
      AND s.kind = ANY (tbs.kinds_to_audit(v_resource));
    PERFORM tbs.ring();
    RETURN v_audit_id;
END;
$audit_resource$;
COMMENT ON FUNCTION tbs.audit_resource(text, text) IS
'puts an audit of a network resource, or of one switch domain of it, on the queue, in place of an earlier one of the same, and returns its number; see tbs.audit_status, then tbs.compare_audit(); raises undefined_object (42704) for an unknown network resource, feature_not_supported (0A000) for one whose type cannot be audited, object_not_in_prerequisite_state (55000) while the database is not armed, or one is under way';

-- The next page of an audit. Null: all is read.
CREATE FUNCTION tbs.next_page(bridge_id bigint, activity tbs.activity, resource tbs.network_resource, timeout_milliseconds integer)
RETURNS tbs.api_call
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $next_page$
DECLARE
    v_audit tbs.audit;
    v_list tbs.audit_list;
    v_step tbs.audit_step;
    v_request record;
BEGIN
    SELECT * INTO v_audit FROM tbs.audit AS a WHERE a.activity_id = activity.activity_id;
    SELECT * INTO v_list FROM tbs.audit_list AS l WHERE l.audit_id = v_audit.audit_id AND NOT l.finished ORDER BY l.position, l.audit_list_id LIMIT 1;
    IF NOT FOUND THEN
        UPDATE tbs.audit AS a SET finished_at = clock_timestamp(), audit_list_id = NULL WHERE a.audit_id = v_audit.audit_id;
        PERFORM tbs.succeed_activities(ARRAY[activity], NULL, ARRAY(SELECT format('%s objects read in %s calls', count(*), activity.call_number)
                                                                    FROM tbs.audit_object AS o WHERE o.audit_id = v_audit.audit_id AND o.found IS NOT NULL));
        RETURN NULL;
    END IF;
    SELECT * INTO v_step FROM tbs.audit_step AS s WHERE s.network_resource_type = resource.network_resource_type AND s.kind = v_list.kind;
    IF NOT FOUND THEN
        PERFORM tbs.fail_activity(activity, 'rejected', format('kind %s has no audit step any more', v_list.kind));
        RETURN NULL;
    END IF;
    SELECT * INTO v_request FROM tbs.render_request(
        jsonb_build_object('method', 'GET', 'path', CASE WHEN v_audit.domain IS NULL THEN v_step.path ELSE coalesce(v_step.domain_path, v_step.path) END, 'query', v_step.query),
        jsonb_build_object('resource', tbs.resource_context(resource), 'parent', v_list.parent, 'audit', jsonb_build_object('domain', v_audit.domain),
                           'page', jsonb_build_object('start', v_list.start_row, 'limit', v_list.page_size, 'number', v_list.page_number)), NULL, '{}');
    IF v_request.error IS NOT NULL THEN
        PERFORM tbs.fail_activity(activity, 'rejected', format('list of kind %s, %s: %s', v_list.kind, v_request.error_member, v_request.error));
        RETURN NULL;
    END IF;
    UPDATE tbs.audit AS a SET audit_list_id = v_list.audit_list_id WHERE a.audit_id = v_audit.audit_id;
    UPDATE tbs.activity AS a
    SET state = 'processing', state_xid = pg_current_xact_id(), bridge_id = next_page.bridge_id, call_number = a.call_number + 1, claimed_at = clock_timestamp(), due_at = NULL, operation = 'look',
        request_method = v_request.method, request_path = v_request.path, request_body = NULL
    WHERE a.activity_id = activity.activity_id;
    RETURN ROW(activity.activity_id, activity.call_number + 1, activity.network_resource_id, v_request.method, v_request.path, v_request.headers, NULL, NULL,
               next_page.timeout_milliseconds)::tbs.api_call;
END;
$next_page$;
COMMENT ON FUNCTION tbs.next_page(bigint, tbs.activity, tbs.network_resource, integer) IS 'internal: the API call for the next page of an audit; null when it is finished, or has failed';

-- What of a kind is kept and compared: the members that steps of any service send to it, and those that say whose it is; no secret.
CREATE FUNCTION tbs.audited_members(network_resource_type text, kind text)
RETURNS text[]
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $audited_members$
BEGIN
    RETURN ARRAY(
        SELECT m.name
        FROM tbs.service_object AS o
        JOIN tbs.activity_step AS s ON (s.network_resource_type, s.service, s.position) = (o.network_resource_type, o.service, o.position)
        CROSS JOIN LATERAL (SELECT jsonb_object_keys(CASE WHEN jsonb_typeof(s.body) = 'object' THEN s.body ELSE '{}' END) AS name UNION SELECT unnest(s.accepts)) AS m
        JOIN tbs.network_resource_type AS t ON t.network_resource_type = o.network_resource_type
        WHERE o.network_resource_type = audited_members.network_resource_type AND o.kind = audited_members.kind AND s.operation IN ('add', 'edit')
          AND lower(m.name) <> ALL (SELECT lower(x) FROM unnest(t.secret_members) AS x)
        GROUP BY m.name);
END;
$audited_members$;
COMMENT ON FUNCTION tbs.audited_members(text, text) IS 'internal: members of a kind of remote object that an audit keeps and compares';

-- The objects of a kind that a page has, one row for each of its rows. One whose identity cannot be made out has no key; is_one: the step applies to it.
CREATE FUNCTION tbs.objects_of_page(step tbs.audit_step, page jsonb, items jsonpath, parent jsonb)
RETURNS TABLE (ordinal bigint, key text, identity jsonb, found jsonb, is_one boolean)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $objects_of_page$
BEGIN
    RETURN QUERY
    WITH kind AS MATERIALIZED (
        SELECT jsonb_build_object('identity', step.identity, 'key', k.key_template, 'find_value', NULL, 'values_from', 'line_usoc', 'business_values', '{}'::jsonb) AS recipe,
               tbs.audited_members(step.network_resource_type, step.kind) AS members, t.secret_members
        FROM tbs.remote_object_kind AS k
        JOIN tbs.network_resource_type AS t ON t.network_resource_type = k.network_resource_type
        WHERE k.network_resource_type = step.network_resource_type AND k.kind = step.kind)
    SELECT i.ordinal, CASE WHEN o.error IS NULL THEN o.key END, o.identity,
           (SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}') FROM jsonb_each(tbs.mask_secrets(u.item, k.secret_members)) AS m WHERE m.key = ANY (k.members)),
           step.applies IS NULL OR coalesce(jsonb_path_match(
               (SELECT jsonb_object_agg(m.key, CASE jsonb_typeof(m.value) WHEN 'number' THEN to_jsonb(m.value #>> '{}')
                                                                          WHEN 'boolean' THEN CASE WHEN m.value = 'true' THEN '"yes"'::jsonb ELSE '"no"' END
                                                                          ELSE m.value END) FROM jsonb_each(u.item) AS m), step.applies, '{}', true), false)
    FROM kind AS k
    CROSS JOIN LATERAL jsonb_path_query(objects_of_page.page, objects_of_page.items, '{}', true) WITH ORDINALITY AS i (item, ordinal)
    CROSS JOIN LATERAL (SELECT CASE WHEN jsonb_typeof(i.item) = 'object' THEN i.item ELSE '{}' END || (SELECT coalesce(jsonb_object_agg(a.value, i.item -> a.key), '{}') FROM jsonb_each_text(step.aliases) AS a
                                          WHERE i.item ? a.key AND NOT i.item ? a.value) AS item) AS u
    CROSS JOIN LATERAL tbs.render_object(k.recipe, jsonb_build_object('parent', objects_of_page.parent), u.item) AS o
    WHERE jsonb_typeof(i.item) = 'object';
END;
$objects_of_page$;
COMMENT ON FUNCTION tbs.objects_of_page(tbs.audit_step, jsonb, jsonpath, jsonb) IS 'internal: the objects of a kind in one answer of an audit, under one spelling of their members, without secrets';

-- take_page: keeps what a page has, and says where to go on. Pages overlap by one row: when the row that was read last is not in the next page, rows before it have
-- been removed meanwhile, and some that were not read yet have moved behind us; then one page back.
CREATE FUNCTION tbs.take_page(activity tbs.activity, INOUT outcome text, curl_result integer, answer bytea, OUT message text, OUT kind text, OUT key text)
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $take_page$
DECLARE
    v_audit tbs.audit;
    v_list tbs.audit_list;
    v_step tbs.audit_step;
    v_other tbs.audit_step;
    v_page jsonb;
    v_rows integer;
    v_last_key text;
    v_has_last boolean;
    v_unidentified integer;
    v_references text[];
BEGIN
    SELECT * INTO v_audit FROM tbs.audit AS a WHERE a.activity_id = activity.activity_id;
    SELECT * INTO v_list FROM tbs.audit_list AS l WHERE l.audit_list_id = v_audit.audit_list_id;
    SELECT s.* INTO v_step FROM tbs.audit_step AS s JOIN tbs.network_resource AS r ON r.network_resource_type = s.network_resource_type
    WHERE r.network_resource_id = v_audit.network_resource_id AND s.kind = v_list.kind;
    IF NOT FOUND THEN
        outcome := 'rejected';
        message := format('kind %s has no audit step any more', v_list.kind);
        RETURN;
    END IF;
    kind := v_list.kind;
    key := (SELECT string_agg(p.value, ' ') FROM jsonb_each_text(v_list.parent) AS p);
    v_page := tbs.answer_json(take_page.answer);
    CASE
        WHEN take_page.curl_result = 63 THEN
            -- CURLE_FILESIZE_EXCEEDED: more than maximum_answer_bytes.
            outcome := CASE WHEN v_list.page_size > 2 THEN 'noop' ELSE 'rejected' END;
            message := CASE WHEN v_list.page_size > 2 THEN 'larger than maximum_answer_bytes: asked for in smaller pages'
                            ELSE 'two rows are larger than maximum_answer_bytes of the network resource' END;
            UPDATE tbs.audit_list AS l SET page_size = greatest(l.page_size / 2, 2) WHERE l.audit_list_id = v_list.audit_list_id;
            RETURN;
        WHEN outcome = 'missing' AND v_list.parent = '{}' AND v_audit.domain IS NULL THEN
            outcome := 'rejected';
            RETURN;
        WHEN outcome = 'missing' THEN
            -- What the list belongs to is not there (any more): nothing of it is.
            UPDATE tbs.audit_list AS l SET finished = true WHERE l.audit_list_id = v_list.audit_list_id;
            outcome := 'noop';
            RETURN;
        WHEN outcome IN ('done', 'noop') AND v_page IS NULL THEN
            outcome := 'transient';
            message := 'the answer has no document';
            RETURN;
        WHEN outcome = 'in_progress' THEN
            outcome := 'transient';
            RETURN;
        WHEN outcome NOT IN ('done', 'noop') THEN
            RETURN;
        ELSE NULL;
    END CASE;

    SELECT count(*), (array_agg(p.key ORDER BY p.ordinal DESC))[1], coalesce(bool_or(p.key = v_list.last_key), false), count(*) FILTER (WHERE p.key IS NULL)
      INTO v_rows, v_last_key, v_has_last, v_unidentified
    FROM tbs.objects_of_page(v_step, v_page, v_step.items, v_list.parent) AS p;
    -- Something came, and nothing of it is what the list is about (a message, say): no reason to take what is missing for gone.
    IF v_unidentified = v_rows AND EXISTS (SELECT FROM jsonb_path_query(v_page, v_step.items, '{}', true)) THEN
        outcome := 'rejected';
        message := format('the answer has no row of kind %s: %s', v_list.kind, left(v_page::text, 100));
        RETURN;
    END IF;
    FOR v_other IN
        SELECT s.* FROM tbs.audit_step AS s
        WHERE s.network_resource_type = v_step.network_resource_type AND v_list.kind IN (s.kind, s.same_list_as) AND s.kind = ANY (v_audit.kinds)
        ORDER BY s.position
    LOOP
        INSERT INTO tbs.audit_object AS o (audit_id, kind, key, identity, found, read_at)
        SELECT DISTINCT ON (p.key) v_audit.audit_id, v_other.kind, p.key, p.identity, p.found, activity.claimed_at
        FROM tbs.objects_of_page(v_other, v_page, v_step.items, v_list.parent) AS p
        WHERE p.is_one AND p.key IS NOT NULL
          AND (v_audit.domain IS NULL OR coalesce(p.identity ->> v_other.domain_member, p.found ->> v_other.domain_member) = v_audit.domain)
        ORDER BY p.key
        ON CONFLICT ON CONSTRAINT audit_object_key DO UPDATE SET identity = excluded.identity, found = excluded.found, read_at = excluded.read_at;
        INSERT INTO tbs.audit_list (audit_id, position, kind, parent, page_size)
        SELECT v_audit.audit_id, s.position, s.kind, p.identity, s.page_size
        FROM tbs.objects_of_page(v_other, v_page, v_step.items, v_list.parent) AS p
        JOIN tbs.audit_step AS s ON s.network_resource_type = v_other.network_resource_type AND s.for_each = v_other.kind AND s.same_list_as IS NULL AND s.kind = ANY (v_audit.kinds)
        WHERE p.is_one AND p.key IS NOT NULL AND (v_audit.domain IS NULL OR p.identity ->> v_other.domain_member = v_audit.domain)
        ORDER BY p.key
        ON CONFLICT DO NOTHING;
    END LOOP;
    UPDATE tbs.audit AS a SET unidentified = a.unidentified + v_unidentified WHERE a.audit_id = v_audit.audit_id AND v_unidentified > 0;
    -- Every page has a round of calls of its own.
    UPDATE tbs.activity AS a SET calls_used = 0 WHERE a.activity_id = activity.activity_id;
    message := v_rows || ' rows';

    v_references := tbs.uri_template_references(CASE WHEN v_audit.domain IS NULL THEN v_step.path ELSE coalesce(v_step.domain_path, v_step.path) END)
                    || tbs.document_references(v_step.query);
    IF v_list.start_row > 0 AND v_list.last_key IS NOT NULL AND NOT v_has_last AND 'page.start' = ANY (v_references) AND v_list.turned_back < 100 THEN
        UPDATE tbs.audit_list AS l SET start_row = greatest(l.start_row - l.page_size + 1, 0), last_key = NULL, turned_back = l.turned_back + 1
        WHERE l.audit_list_id = v_list.audit_list_id;
        message := message || '; the list has moved, one page back';
    ELSIF v_rows < v_list.page_size OR NOT v_references && '{page.start,page.number}' THEN
        UPDATE tbs.audit_list AS l SET finished = true WHERE l.audit_list_id = v_list.audit_list_id;
    ELSIF v_list.start_row > 0 AND v_last_key = v_list.last_key THEN
        outcome := 'rejected';
        message := format('the list of kind %s gives the same page again: it does not page, and has more than %s rows', v_list.kind, v_list.page_size);
    ELSE
        UPDATE tbs.audit_list AS l
        SET start_row = l.start_row + v_rows - ('page.start' = ANY (v_references))::integer, page_number = l.page_number + 1, last_key = v_last_key
        WHERE l.audit_list_id = v_list.audit_list_id;
    END IF;
END;
$take_page$;
COMMENT ON FUNCTION tbs.take_page(tbs.activity, text, integer, bytea) IS 'internal: keeps what an answer of an audit has; the outcome that it counts as, and what for';
