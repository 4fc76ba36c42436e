-- Preview: the API calls that would be made, rendered by the same functions that make them, without sending.

-- First each object's own call; a later one can depend on an earlier answer.
CREATE FUNCTION tbs.preview_line_usoc(line_usoc_id bigint, network_resource_id integer, service text, trigger_type text, corrections jsonb, round_at timestamptz, send_all boolean)
RETURNS TABLE (ordinal bigint, kind text, key text, operation text, method text, path text, headers jsonb, body text, error text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $preview_line_usoc$
DECLARE
    v_resource tbs.network_resource;
    v_context jsonb;
BEGIN
    SELECT * INTO STRICT v_resource FROM tbs.network_resource AS r WHERE r.network_resource_id = preview_line_usoc.network_resource_id;
    IF tbs.is_wanted(preview_line_usoc.line_usoc_id, preview_line_usoc.network_resource_id, preview_line_usoc.service) THEN
        v_context := tbs.corrected_context(
            tbs.activity_context(preview_line_usoc.line_usoc_id, preview_line_usoc.network_resource_id, preview_line_usoc.trigger_type), preview_line_usoc.corrections);
    END IF;
    RETURN QUERY
    SELECT p.ordinality, p.kind, p.key, p.operation, q.method, q.path, q.headers, q.body,
           coalesce(p.error_member || ': ' || p.error, q.error_member || ': ' || q.error)
    FROM tbs.plan(preview_line_usoc.line_usoc_id, v_resource.network_resource_id, v_resource.network_resource_type, v_resource.base_url, preview_line_usoc.service, v_context,
                  preview_line_usoc.round_at, preview_line_usoc.send_all) AS g
    CROSS JOIN LATERAL unnest(g.plan) WITH ORDINALITY AS p
    LEFT JOIN LATERAL tbs.planned_request(
        (p.position, p.kind, p.key, p.operation, p.remote_object_id, p.identity, p.find_value, p.content, p.item, p.step, p.sent_at, p.accepted_at, p.error,
         p.error_member, p.removal, p.is_used, p.whole)::tbs.planned_object, v_context, v_resource) AS q ON p.operation IN ('prepare', 'add', 'edit', 'look', 'delete') AND p.error IS NULL
    WHERE p.operation IN ('prepare', 'add', 'edit', 'look', 'delete') OR p.error IS NOT NULL;
END;
$preview_line_usoc$;
COMMENT ON FUNCTION tbs.preview_line_usoc(bigint, integer, text, text, jsonb, timestamptz, boolean) IS 'internal: the API calls that a service of a line USOC needs now';

CREATE FUNCTION tbs.preview(line_id bigint, send_all boolean DEFAULT false)
RETURNS TABLE (line_usoc_id bigint, network_resource text, service text, kind text, key text, operation text, method text, path text, headers jsonb, body text, error text)
LANGUAGE sql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $preview$
    SELECT a.line_usoc_id, r.name, a.service, p.kind, p.key, p.operation, p.method, p.path, p.headers, p.body, p.error
    FROM (SELECT l.line_usoc_id, l.network_resource_id, l.service, l.position FROM tbs.line_usoc_association AS l WHERE l.line_id = preview.line_id
          UNION
          SELECT s.line_usoc_id, s.network_resource_id, s.service, 0 FROM tbs.line_usoc_state AS s
          WHERE s.line_id = preview.line_id
            AND NOT EXISTS (SELECT FROM tbs.line_usoc_association AS l
                            WHERE (l.line_usoc_id, l.network_resource_id, l.service) = (s.line_usoc_id, s.network_resource_id, s.service))) AS a
    JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
    CROSS JOIN LATERAL tbs.preview_line_usoc(a.line_usoc_id, a.network_resource_id, a.service, 'resync', NULL, clock_timestamp(), preview.send_all) AS p
    ORDER BY a.position, a.line_usoc_id, r.name, p.ordinal;
$preview$;
COMMENT ON FUNCTION tbs.preview(bigint, boolean) IS
'the API calls that would bring a line up to date now, rendered, without sending; send_all: also what was accepted before. For a change that was not made yet: tbs.preview_change()';

CREATE FUNCTION tbs.preview_activity(activity_id bigint)
RETURNS TABLE (kind text, key text, operation text, method text, path text, headers jsonb, body text, error text)
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $preview_activity$
DECLARE
    v_activity tbs.activity;
    v_type tbs.activity_type;
BEGIN
    SELECT * INTO v_activity FROM tbs.activity AS a WHERE a.activity_id = preview_activity.activity_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown activity: %', preview_activity.activity_id
            USING ERRCODE = 'no_data_found', HINT = format('SELECT tbs.why_waiting(%s); says whether it was one, and how it ended.', preview_activity.activity_id);
    END IF;
    SELECT * INTO STRICT v_type FROM tbs.activity_type AS t WHERE t.activity_type_id = v_activity.activity_type_id;
    IF v_activity.line_usoc_id <> 0 THEN
        RETURN QUERY
        SELECT p.kind, p.key, p.operation, p.method, p.path, p.headers, p.body, p.error
        FROM tbs.preview_line_usoc(v_activity.line_usoc_id, v_activity.network_resource_id, v_type.service, v_type.trigger_type, v_activity.corrections, v_activity.round_at,
                                   v_activity.send_all) AS p ORDER BY p.ordinal;
    END IF;
END;
$preview_activity$;
COMMENT ON FUNCTION tbs.preview_activity(bigint) IS
'the API calls that an activity on the queue would make if its turn came now, with an operator''s corrections; none for one of a network resource itself; raises no_data_found (P0002) for an unknown activity';

-- For tbs.preview_change(), which runs with its caller's rights: capture marks what it captures with the user name of the transaction.
CREATE FUNCTION tbs.lines_captured_for(user_name text, after bigint)
RETURNS SETOF bigint
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $lines_captured_for$
BEGIN
    RETURN QUERY
    SELECT DISTINCT a.line_id FROM tbs.activity AS a
    WHERE a.activity_id > lines_captured_for.after AND a.user_name = lines_captured_for.user_name AND a.line_id > 0;
END;
$lines_captured_for$;
COMMENT ON FUNCTION tbs.lines_captured_for(text, bigint) IS 'part of tbs.preview_change(): lines of which something was captured in the name of this user, after this activity';

CREATE FUNCTION tbs.last_activity_id()
RETURNS bigint
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $last_activity_id$
BEGIN
    RETURN (SELECT s.last_value FROM tbs.activity_activity_id_seq AS s);
END;
$last_activity_id$;
COMMENT ON FUNCTION tbs.last_activity_id() IS 'part of tbs.preview_change(): number of the newest activity';

-- preview_change: makes the change, with the caller's rights, looks what it means, and takes it back.
CREATE FUNCTION tbs.preview_change(change text, line_ids bigint[] DEFAULT '{}')
RETURNS TABLE (line_id bigint, line_usoc_id bigint, network_resource text, service text, kind text, key text, operation text, method text, path text, headers jsonb,
               body text, error text)
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $preview_change$
#variable_conflict use_column
DECLARE
    v_name text := format('preview %s %s', pg_backend_pid(), clock_timestamp());
    v_after bigint := tbs.last_activity_id();
    v_calls jsonb;
BEGIN
    IF NOT tbs.is_armed() AND cardinality(preview_change.line_ids) = 0 THEN
        RAISE EXCEPTION 'the database is not armed' USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Nothing is captured, so the lines that a change concerns are not known.', HINT = 'Name them in line_ids, or SELECT tbs.arm(''reason'');';
    END IF;
    BEGIN
        PERFORM set_config('tbs.user_name', v_name, true);
        EXECUTE preview_change.change;
        SELECT jsonb_agg(to_jsonb(p) || jsonb_build_object('line_id', l.line_id)) INTO v_calls
        FROM (SELECT c.line_id FROM tbs.lines_captured_for(v_name, v_after) AS c (line_id) UNION SELECT unnest(preview_change.line_ids) ORDER BY 1) AS l
        CROSS JOIN LATERAL tbs.preview(l.line_id) AS p;
        RAISE SQLSTATE 'TB002';
    EXCEPTION WHEN SQLSTATE 'TB002' THEN
        NULL;  -- Taken back.
    END;
    RETURN QUERY
    SELECT c.* FROM jsonb_to_recordset(v_calls) AS c (line_id bigint, line_usoc_id bigint, network_resource text, service text, kind text, key text, operation text,
                                                      method text, path text, headers jsonb, body text, error text);
END;
$preview_change$;
COMMENT ON FUNCTION tbs.preview_change(text, bigint[]) IS
'the API calls that a change would lead to: executes one or more SQL statements (tables with their schema) with the rights of the caller, previews the lines of which that captures something, and those of line_ids, and takes it all back; nothing is sent, nothing stays; raises object_not_in_prerequisite_state (55000) while the database is not armed and no lines are named';
