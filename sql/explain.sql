-- Explanations: why something is sent, waits, or is not captured, and what would be sent.

CREATE FUNCTION tbs.why_waiting(activity_id bigint)
RETURNS text
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $why_waiting$
DECLARE
    v_activity tbs.activity;
    v_resource tbs.network_resource;
    v_other tbs.activity;
    v_service text;
BEGIN
    SELECT * INTO v_activity FROM tbs.activity AS a WHERE a.activity_id = why_waiting.activity_id;
    IF NOT FOUND THEN
        RETURN coalesce((SELECT format('it left the queue on %s: %s', h.recorded_at, h.event) FROM tbs.activity_history AS h
                         WHERE h.activity_id = why_waiting.activity_id AND h.closes LIMIT 1), 'there is no such activity');
    END IF;
    SELECT * INTO STRICT v_resource FROM tbs.network_resource AS r WHERE r.network_resource_id = v_activity.network_resource_id;
    IF v_activity.state = 'processing' THEN
        RETURN format('it is with bridge %s since %s', v_activity.bridge_id, v_activity.claimed_at);
    ELSIF v_activity.state = 'failed' THEN
        RETURN format('it failed: %s; retry it with tbs.retry_activity(%s, reason), or correct the data', v_activity.last_message, v_activity.activity_id);
    ELSIF v_activity.state = 'held' THEN
        RETURN 'an operator holds it';
    ELSIF NOT tbs.is_armed() THEN
        RETURN 'the database is not armed: SELECT tbs.arm(reason)';
    ELSIF v_resource.state <> 'active' THEN
        RETURN format('network resource "%s" is %s: %s', v_resource.name, v_resource.state, v_resource.pause_reason);
    ELSIF v_activity.state = 'scheduled' THEN
        RETURN format('it is due on %s', v_activity.due_at);
    ELSIF v_activity.state = 'retry' AND v_activity.due_at > clock_timestamp() THEN
        RETURN format('for its next try at %s, after: %s', v_activity.due_at, v_activity.last_message);
    ELSIF v_activity.waits_for_object_id IS NOT NULL THEN
        RETURN (SELECT format('for the call of activity %s to %s %s', o.in_flight_activity_id, o.kind, o.key) FROM tbs.remote_object AS o
                WHERE o.remote_object_id = v_activity.waits_for_object_id);
    END IF;
    SELECT * INTO v_other FROM tbs.activity AS a
    WHERE a.line_id = v_activity.line_id AND a.network_resource_id = v_activity.network_resource_id AND a.activity_id <> v_activity.activity_id
      AND (a.state IN ('processing', 'retry')
           OR (a.line_usoc_id = v_activity.line_usoc_id AND coalesce(a.moved_to, a.activity_id) < coalesce(v_activity.moved_to, v_activity.activity_id)))
    ORDER BY a.state = 'processing' DESC, coalesce(a.moved_to, a.activity_id) LIMIT 1;
    IF FOUND THEN
        RETURN format('behind activity %s of its line (%s)', v_other.activity_id, v_other.state);
    END IF;
    v_service := tbs.missing_service(v_activity);
    IF v_service IS NOT NULL THEN
        RETURN format('its line does not have service "%s" in step', v_service);
    ELSIF NOT EXISTS (SELECT FROM tbs.bridge AS b WHERE b.environment = v_resource.environment AND b.ended_at IS NULL
                      AND b.beat_at > clock_timestamp() - 2 * tbs.setting_value('lease')::interval) THEN
        RETURN format('no bridge is running for environment "%s"', v_resource.environment);
    END IF;
    RETURN 'a bridge is about to take it';
END;
$why_waiting$;
COMMENT ON FUNCTION tbs.why_waiting(bigint) IS 'one sentence: what an activity waits for, or how it ended';

CREATE FUNCTION tbs.explain_line(line_id bigint)
RETURNS TABLE (line_usoc_id bigint, usoc text, network_resource text, service text, trigger_type text, captured boolean, explanation text)
LANGUAGE sql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $explain_line$
    SELECT lu.line_usoc_id, lu.usoc, r.name, m.service, x.trigger_type,
           a.line_usoc_id IS NOT NULL AND m.active AND r.state <> 'retired' AND t.activity_type_id IS NOT NULL AND tbs.is_armed(),
           CASE WHEN m.usoc IS NULL THEN 'its Master USOC is associated with no network resource'
                WHEN NOT tbs.is_armed() THEN 'the database is not armed: nothing is captured'
                WHEN a.line_usoc_id IS NULL THEN 'the line''s network information names another network resource of this type'
                WHEN r.state = 'retired' THEN 'the network resource is retired'
                WHEN NOT m.active THEN 'the association is switched off'
                WHEN t.activity_type_id IS NULL THEN format('type %s has no activity type for service %s and %s', r.network_resource_type, m.service, x.trigger_type)
                WHEN r.state = 'paused' THEN 'captured; not sent while the network resource is paused: ' || r.pause_reason
                ELSE 'captured' END
    FROM tbs.line_usoc AS lu
    LEFT JOIN tbs.master_usoc_network_resource AS m ON m.usoc = lu.usoc
    LEFT JOIN tbs.network_resource AS r ON r.network_resource_id = m.network_resource_id
    LEFT JOIN tbs.line_usoc_association AS a ON a.line_usoc_id = lu.line_usoc_id AND a.network_resource_id = m.network_resource_id
    LEFT JOIN LATERAL (VALUES ('usoc_added'), ('usoc_edited'), ('usoc_deleted'), ('device_changed'), ('network_information_changed'), ('line_changed')) AS x (trigger_type)
           ON m.usoc IS NOT NULL
    LEFT JOIN tbs.activity_type AS t ON t.network_resource_type = m.network_resource_type AND t.service = m.service AND t.trigger_type = x.trigger_type
    WHERE lu.line_id = explain_line.line_id
    ORDER BY lu.line_usoc_id, r.name, x.trigger_type;
$explain_line$;
COMMENT ON FUNCTION tbs.explain_line(bigint) IS 'for each USOC of a line, network resource and trigger type: whether a change is captured, and why or why not';

CREATE FUNCTION tbs.explain_values(line_usoc_id bigint, network_resource text)
RETURNS TABLE (name text, value jsonb, layer text)
LANGUAGE sql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $explain_values$
    SELECT e.*
    FROM (SELECT tbs.network_resource_named(explain_values.network_resource) AS id) AS n
    JOIN tbs.network_resource AS r ON r.network_resource_id = n.id
    CROSS JOIN LATERAL (SELECT q.object_recipe FROM tbs.line_usoc_association AS a
                        JOIN tbs.recipe AS q ON q.network_resource_type = a.network_resource_type AND q.service = a.service
                        WHERE a.line_usoc_id = explain_values.line_usoc_id AND a.network_resource_id = r.network_resource_id LIMIT 1) AS q
    CROSS JOIN LATERAL tbs.explain_layers(q.object_recipe || '{"values_from": "device"}',
                                          tbs.activity_context(explain_values.line_usoc_id, r.network_resource_id, 'resync')) AS e
    ORDER BY 1;
$explain_values$;
COMMENT ON FUNCTION tbs.explain_values(bigint, text) IS 'the layered values of a line USOC on a network resource, each with the layer that won';

CREATE FUNCTION tbs.explain_policy(activity_id bigint)
RETURNS TABLE (maximum_calls integer, first_retry interval, longest_retry interval)
LANGUAGE sql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $explain_policy$
    SELECT p.* FROM tbs.activity AS a
    CROSS JOIN LATERAL tbs.effective_policy(a.activity_id, a.activity_type_id, a.network_resource_id) AS p
    WHERE a.activity_id = explain_policy.activity_id;
$explain_policy$;
COMMENT ON FUNCTION tbs.explain_policy(bigint) IS 'maximum number of calls and retry timing that hold for an activity';

CREATE FUNCTION tbs.explain_outcome(activity_history_id bigint)
RETURNS TABLE (outcome text, outcome_rule_id integer, scope text, description text, remedy text)
LANGUAGE sql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $explain_outcome$
    SELECT h.outcome, r.outcome_rule_id,
           concat_ws(', ', coalesce('type ' || r.network_resource_type, 'all types'), 'service ' || r.service, 'object ' || r.object_position, 'operation ' || r.operation),
           r.description, r.remedy
    FROM tbs.activity_history AS h LEFT JOIN tbs.outcome_rule AS r ON r.outcome_rule_id = h.outcome_rule_id
    WHERE h.activity_history_id = explain_outcome.activity_history_id;
$explain_outcome$;
COMMENT ON FUNCTION tbs.explain_outcome(bigint) IS 'the outcome rule that decided an API call of the history';

-- preview: the API calls that would be made now, without sending. First each object's own call; a later one can depend on an earlier answer.
CREATE FUNCTION tbs.preview(line_id bigint, send_all boolean DEFAULT false)
RETURNS TABLE (line_usoc_id bigint, network_resource text, service text, kind text, key text, operation text, method text, path text, headers jsonb, body text, error text)
LANGUAGE sql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $preview$
    SELECT a.line_usoc_id, r.name, a.service, p.kind, p.key, p.operation, q.method, q.path, q.headers, q.body,
           coalesce(p.error_member || ': ' || p.error, q.error_member || ': ' || q.error)
    FROM (SELECT l.line_usoc_id, l.network_resource_id, l.service, l.position FROM tbs.line_usoc_association AS l WHERE l.line_id = preview.line_id
          UNION
          SELECT s.line_usoc_id, s.network_resource_id, s.service, 0 FROM tbs.line_usoc_state AS s
          WHERE s.line_id = preview.line_id
            AND NOT EXISTS (SELECT FROM tbs.line_usoc_association AS l
                            WHERE (l.line_usoc_id, l.network_resource_id, l.service) = (s.line_usoc_id, s.network_resource_id, s.service))) AS a
    JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
    CROSS JOIN LATERAL (SELECT CASE WHEN tbs.is_wanted(a.line_usoc_id, a.network_resource_id, a.service)
                                    THEN tbs.activity_context(a.line_usoc_id, a.network_resource_id, 'resync') END AS context) AS c
    CROSS JOIN LATERAL tbs.plan(a.line_usoc_id, a.network_resource_id, a.service, c.context, clock_timestamp(), preview.send_all) WITH ORDINALITY AS p
    LEFT JOIN LATERAL tbs.planned_request(
        (p.position, p.kind, p.key, p.operation, p.remote_object_id, p.identity, p.find_value, p.content, p.item, p.steps, p.sent_at, p.accepted_at, p.error,
         p.error_member)::tbs.planned_object, c.context, r) AS q ON p.operation IN ('add', 'edit', 'look', 'delete') AND p.error IS NULL
    WHERE p.operation IN ('add', 'edit', 'look', 'delete') OR p.error IS NOT NULL
    ORDER BY a.position, a.line_usoc_id, r.name, p.ordinality;
$preview$;
COMMENT ON FUNCTION tbs.preview(bigint, boolean) IS
'the API calls that would bring a line up to date now, rendered, without sending; send_all: also what was accepted before. To preview a change, make it in a transaction, call this, and roll back';
