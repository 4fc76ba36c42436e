-- Explanations: why something is sent, waits, or is not captured.

-- Who could take activities of an environment: bridges that beat. None, or none that has read the configuration as it is now, and nothing is sent.
CREATE FUNCTION tbs.why_no_bridge(environment text)
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $why_no_bridge$
DECLARE
    v_bridges integer;
    v_with_new_configuration integer;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE b.configuration_version >= v.version) INTO v_bridges, v_with_new_configuration
    FROM tbs.bridge AS b JOIN tbs.bridge_lease AS l ON l.bridge_id = b.bridge_id CROSS JOIN tbs.configuration_version AS v
    WHERE b.environment = why_no_bridge.environment AND l.beat_at > clock_timestamp() - 2 * tbs.setting_value('lease')::interval;
    RETURN CASE WHEN v_bridges = 0 THEN format('no bridge is running for environment "%s"', why_no_bridge.environment)
                WHEN v_with_new_configuration = 0 THEN format('no bridge of environment "%s" has read the changed configuration yet; each does with its next beat', why_no_bridge.environment) END;
END;
$why_no_bridge$;
COMMENT ON FUNCTION tbs.why_no_bridge(text) IS 'internal: why no bridge takes anything of an environment; null: one could';

-- What keeps a network resource as a whole from being called.
CREATE FUNCTION tbs.why_resource_waits(resource tbs.network_resource)
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $why_resource_waits$
DECLARE
    v_until timestamptz := tbs.maintenance_until(resource);
    v_condition tbs.network_resource_condition;
BEGIN
    IF resource.state <> 'active' THEN
        RETURN format('network resource "%s" is %s%s', resource.name, resource.state, ': ' || resource.pause_reason);
    ELSIF v_until IS NOT NULL THEN
        RETURN format('network resource "%s" has maintenance until %s', resource.name, v_until);
    END IF;
    SELECT * INTO v_condition FROM tbs.network_resource_condition AS c WHERE c.network_resource_id = resource.network_resource_id;
    IF v_condition.unavailable_since IS NOT NULL THEN
        RETURN format('network resource "%s" is unavailable since %s (%s); the next probe is due at %s', resource.name, v_condition.unavailable_since,
                      v_condition.unavailable_reason, v_condition.probe_at);
    ELSIF v_condition.not_before > clock_timestamp() THEN
        RETURN format('network resource "%s" asked for a pause until %s', resource.name, v_condition.not_before);
    END IF;
    RETURN NULL;
END;
$why_resource_waits$;
COMMENT ON FUNCTION tbs.why_resource_waits(tbs.network_resource) IS 'internal: what keeps everything for a network resource waiting, and until when; null: nothing does';

-- Limits of a network resource that are reached now, or how many want to be sent to it.
CREATE FUNCTION tbs.why_limited(resource tbs.network_resource)
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $why_limited$
DECLARE
    v_ramp_from timestamptz := (SELECT c.ramp_from FROM tbs.network_resource_condition AS c WHERE c.network_resource_id = resource.network_resource_id);
    v_connections integer := tbs.ramped_connections(resource.connections, v_ramp_from);
    v_under_way bigint := (SELECT count(*) FROM tbs.activity AS a WHERE a.state = 'processing' AND a.network_resource_id = resource.network_resource_id);
    v_is_spent boolean;
    v_until timestamptz;
    v_before bigint;
BEGIN
    IF v_under_way >= v_connections THEN
        RETURN format('network resource "%s" has %s API calls under way, and its limit is %s', resource.name, v_under_way,
                      CASE WHEN v_connections < resource.connections
                           THEN format('%s just now (it begins gently since %s, then %s)', v_connections, v_ramp_from, resource.connections)
                           ELSE format('%s (connections)', resource.connections) END);
    END IF;
    IF resource.requests_per_second IS NOT NULL THEN
        SELECT bool_and(g.tokens < 1), min(g.look_again_at) INTO v_is_spent, v_until
        FROM tbs.bridge AS b CROSS JOIN LATERAL unnest(tbs.budgets(b.bridge_id)) AS g
        WHERE b.ended_at IS NULL AND b.environment = resource.environment AND g.network_resource_id = resource.network_resource_id;
        IF v_is_spent THEN
            RETURN format('network resource "%s" has had its %s requests a second; the next may go at %s', resource.name, resource.requests_per_second, v_until);
        END IF;
    END IF;
    SELECT count(*) INTO v_before FROM tbs.activity AS a WHERE a.network_resource_id = resource.network_resource_id AND a.state = 'new';
    IF v_before > 100 THEN
        RETURN format('%s others for network resource "%s" are pending as well; a bridge takes them in their lanes', v_before - 1, resource.name);
    END IF;
    RETURN NULL;
END;
$why_limited$;
COMMENT ON FUNCTION tbs.why_limited(tbs.network_resource) IS 'internal: which limit of a network resource is in the way now; null: none';

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
    v_why text;
BEGIN
    SELECT * INTO v_activity FROM tbs.activity AS a WHERE a.activity_id = why_waiting.activity_id;
    IF NOT FOUND THEN
        RETURN coalesce((SELECT format('it left the queue on %s: %s', h.recorded_at, tbs.ended_as(h.event)) FROM tbs.activity_history AS h
                         WHERE h.activity_id = why_waiting.activity_id AND h.closes LIMIT 1), 'there is no such activity');
    END IF;
    SELECT * INTO STRICT v_resource FROM tbs.network_resource AS r WHERE r.network_resource_id = v_activity.network_resource_id;
    -- First what is about this activity alone.
    IF v_activity.state = 'processing' THEN
        RETURN format('it is with bridge %s since %s', v_activity.bridge_id, v_activity.claimed_at);
    ELSIF v_activity.state = 'failed' THEN
        RETURN format('it failed: %s; retry it with tbs.retry_activity(%s, reason), or correct the data', v_activity.last_message, v_activity.activity_id);
    ELSIF v_activity.state = 'held' THEN
        RETURN format('it is held: %s; SELECT tbs.release_activity(%s, reason) lets it go', v_activity.held_reason, v_activity.activity_id);
    ELSIF NOT tbs.is_armed() THEN
        RETURN 'the database is not armed: SELECT tbs.arm(reason)';
    ELSIF v_activity.state = 'scheduled' THEN
        RETURN format('it is due on %s; SELECT tbs.run_now(%s, reason) does not wait for that', v_activity.due_at, v_activity.activity_id);
    END IF;
    -- Then the network resource as a whole: as long as that waits, all that is for it does.
    v_why := tbs.why_resource_waits(v_resource);
    IF v_why IS NOT NULL THEN
        RETURN v_why;
    ELSIF v_activity.state = 'retry' AND v_activity.due_at > clock_timestamp() THEN
        RETURN format('for its next try at %s, after: %s', v_activity.due_at, v_activity.last_message);
    ELSIF v_activity.waits_for_object_id IS NOT NULL THEN
        RETURN coalesce((SELECT format('for the call of activity %s to %s %s', o.in_flight_activity_id, o.kind, o.key) FROM tbs.remote_object AS o
                         WHERE o.remote_object_id = v_activity.waits_for_object_id AND o.in_flight_activity_id IS NOT NULL),
                        'the remote object that it waited for is free: a bridge is about to take it');
    END IF;
    -- The sequence of its line.
    SELECT * INTO v_other FROM tbs.activity AS a
    WHERE a.line_id = v_activity.line_id AND a.network_resource_id = v_activity.network_resource_id AND a.activity_id <> v_activity.activity_id
      AND (a.state = 'processing' OR (a.state = 'retry' AND a.due_at > clock_timestamp())
           OR (a.line_usoc_id = v_activity.line_usoc_id AND coalesce(a.moved_to, a.activity_id) < coalesce(v_activity.moved_to, v_activity.activity_id)))
    ORDER BY a.state = 'processing' DESC, a.state = 'retry' DESC, coalesce(a.moved_to, a.activity_id) LIMIT 1;
    IF FOUND THEN
        RETURN format('behind activity %s of its line (%s)', v_other.activity_id, v_other.state);
    END IF;
    v_service := tbs.missing_service(v_activity);
    IF v_service IS NOT NULL THEN
        SELECT a.* INTO v_other FROM tbs.activity AS a JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id AND t.service = ANY (string_to_array(v_service, '|'))
        WHERE a.line_id = v_activity.line_id AND a.state <> 'scheduled' AND (a.moved_to IS NULL OR a.moved_to < coalesce(v_activity.moved_to, v_activity.activity_id))
        ORDER BY coalesce(a.moved_to, a.activity_id) LIMIT 1;
        RETURN format('its line does not have service "%s" in step', replace(v_service, '|', '" or "'))
            || CASE WHEN FOUND THEN format(': activity %s is %s', v_other.activity_id, CASE WHEN v_other.state = 'new' THEN 'pending' ELSE v_other.state END) ELSE '' END;
    END IF;
    RETURN coalesce(tbs.why_no_bridge(v_resource.environment), tbs.why_limited(v_resource), 'a bridge is about to take it');
END;
$why_waiting$;
COMMENT ON FUNCTION tbs.why_waiting(bigint) IS
'one sentence: what an activity waits for (another activity, a required service, a remote object, its date, its next try, a pause, maintenance, an unavailable or throttled network resource, a limit, a bridge) and until when; or how it ended';

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
RETURNS TABLE (name text, value text, layer text)
LANGUAGE sql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $explain_policy$
    SELECT v.name, coalesce(n.value, tbs.setting_value(v.name)), coalesce(n.layer, 'setting')
    FROM tbs.activity AS a
    JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
    CROSS JOIN (VALUES (1, 'maximum_calls'), (2, 'first_retry'), (3, 'longest_retry')) AS v (ordinal, name)
    LEFT JOIN LATERAL (
        SELECT x.value, l.layer
        FROM tbs.activity_policy AS p
        CROSS JOIN LATERAL (SELECT CASE v.name WHEN 'maximum_calls' THEN p.maximum_calls::text WHEN 'first_retry' THEN p.first_retry::text ELSE p.longest_retry::text END AS value) AS x
        CROSS JOIN LATERAL (SELECT CASE WHEN p.activity_id IS NOT NULL THEN 1 WHEN p.activity_type_id IS NOT NULL THEN 2 WHEN p.network_resource_id IS NOT NULL THEN 3 ELSE 4 END AS nearness) AS d
        CROSS JOIN LATERAL (SELECT ('{activity,activity type,network resource,resource type}'::text[])[d.nearness] AS layer) AS l
        WHERE x.value IS NOT NULL
          AND (p.activity_id = a.activity_id OR p.activity_type_id = a.activity_type_id OR p.network_resource_id = a.network_resource_id
               OR p.network_resource_type = t.network_resource_type)
        ORDER BY d.nearness LIMIT 1) AS n ON true
    WHERE a.activity_id = explain_policy.activity_id
    ORDER BY v.ordinal;
$explain_policy$;
COMMENT ON FUNCTION tbs.explain_policy(bigint) IS
'maximum_calls, first_retry and longest_retry that hold for an activity, each with the layer that sets it: activity, activity type, network resource, resource type or setting';

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
