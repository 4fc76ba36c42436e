-- Limits: how much may be sent to a network resource now, over all bridges. Each live bridge has an equal share, which it can use without asking
-- another: no row is written by all of them.

-- When the maintenance that is going on ends; null when there is none. A repeated one keeps its local time when clocks change.
CREATE FUNCTION tbs.maintenance_until(resource tbs.network_resource)
RETURNS timestamptz
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $maintenance_until$
DECLARE
    v_zone text := coalesce(resource.time_zone, current_setting('TimeZone'));
    v_now timestamptz := clock_timestamp();
BEGIN
    RETURN (
        SELECT max(w.ends)
        FROM tbs.network_resource_maintenance AS m
        CROSS JOIN LATERAL (
            SELECT CASE WHEN m.repeats_every IS NULL THEN 0
                        ELSE greatest(floor(extract(epoch FROM (v_now AT TIME ZONE v_zone) - (m.starts_at AT TIME ZONE v_zone)) / extract(epoch FROM m.repeats_every)), 0) END
                   AS times) AS t
        CROSS JOIN LATERAL (
            SELECT ((m.starts_at AT TIME ZONE v_zone) + t.times * coalesce(m.repeats_every, '0')) AT TIME ZONE v_zone AS starts,
                   ((m.ends_at AT TIME ZONE v_zone) + t.times * coalesce(m.repeats_every, '0')) AT TIME ZONE v_zone AS ends) AS w
        WHERE m.network_resource_id = resource.network_resource_id AND v_now >= w.starts AND v_now < w.ends);
END;
$maintenance_until$;
COMMENT ON FUNCTION tbs.maintenance_until(tbs.network_resource) IS 'internal: when the maintenance of a network resource that is going on ends; null: none is';

-- Why nothing is sent to an active network resource now, and until when; null when nothing is in the way.
CREATE FUNCTION tbs.held_up(resource tbs.network_resource, OUT reason text, OUT until timestamptz)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $held_up$
DECLARE
    v_condition tbs.network_resource_condition;
BEGIN
    until := tbs.maintenance_until(resource);
    IF until IS NOT NULL THEN
        reason := 'maintenance';
        RETURN;
    END IF;
    SELECT * INTO v_condition FROM tbs.network_resource_condition AS c WHERE c.network_resource_id = resource.network_resource_id;
    IF v_condition.unavailable_since IS NOT NULL AND v_condition.probe_at > clock_timestamp() THEN
        reason := 'unavailable';
        until := v_condition.probe_at;
    ELSIF v_condition.not_before > clock_timestamp() THEN
        reason := 'throttled';
        until := v_condition.not_before;
    END IF;
END;
$held_up$;
COMMENT ON FUNCTION tbs.held_up(tbs.network_resource) IS 'internal: what keeps everything for a network resource waiting (maintenance, unavailable, throttled), and until when it is looked at again; null: nothing does';

CREATE TABLE tbs.bridge_tokens (
    bridge_id           bigint NOT NULL,
    network_resource_id integer NOT NULL,
    tokens              double precision NOT NULL,
    counted_at          timestamptz NOT NULL,
    CONSTRAINT bridge_tokens_pkey PRIMARY KEY (bridge_id, network_resource_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE tbs.bridge_tokens IS 'token buckets: what a bridge may send at once of its share of a network resource''s requests_per_second';
COMMENT ON COLUMN tbs.bridge_tokens.tokens IS 'API calls that it could make at counted_at; they grow by its share, up to one second''s worth';

CREATE TYPE tbs.budget AS (
    network_resource_id integer,
    calls               integer,
    tokens              integer,
    probe               boolean,
    look_again_at       timestamptz,
    metered             boolean
);
COMMENT ON TYPE tbs.budget IS 'internal: how many more calls a bridge may have under way at a network resource, and how many it may begin now; probe: it is unavailable, one call may look whether it is back; metered: its calls are counted by the second';

-- The ramp: after trouble, or a mass retry, a network resource gets one call at a time, then two, four ... from second to second.
CREATE FUNCTION tbs.ramped_connections(connections integer, ramp_from timestamptz)
RETURNS integer
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $ramped_connections$
DECLARE
    v_seconds double precision := extract(epoch FROM clock_timestamp() - ramp_from);
BEGIN
    IF v_seconds IS NULL OR v_seconds >= 10 THEN
        RETURN connections;
    END IF;
    RETURN least(connections, power(2, greatest(floor(v_seconds), 0))::integer);
END;
$ramped_connections$;
COMMENT ON FUNCTION tbs.ramped_connections(integer, timestamptz) IS 'internal: how many calls may be under way at a network resource on its ramp';

-- A bridge that has not read the last change of configuration gets no calls: a corrected key counts from the statement that corrected it.
CREATE FUNCTION tbs.budgets(bridge_id bigint)
RETURNS tbs.budget[]
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $budgets$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    RETURN ARRAY(
        SELECT ROW(
            r.network_resource_id,
            CASE WHEN h.until IS NOT NULL THEN 0
                 WHEN c.unavailable_since IS NOT NULL THEN (u.all_bridges = 0)::integer
                 ELSE greatest(least(n.connections / f.bridges + (f.before_this < n.connections % f.bridges)::integer - u.this_bridge, n.connections - u.all_bridges), 0)::integer END,
            CASE WHEN r.requests_per_second IS NULL THEN 2147483647 ELSE floor(t.tokens)::integer END,
            c.unavailable_since IS NOT NULL,
            CASE WHEN h.until IS NOT NULL THEN h.until
                 WHEN t.tokens < 1 THEN v_now + make_interval(secs => (1 - t.tokens) / s.per_second)
                 ELSE v_now + interval '1 second' END,
            r.requests_per_second IS NOT NULL)::tbs.budget
        FROM tbs.bridge AS b
        CROSS JOIN LATERAL (SELECT count(*)::integer AS bridges, count(*) FILTER (WHERE x.bridge_id < b.bridge_id)::integer AS before_this
                            FROM tbs.bridge AS x WHERE x.ended_at IS NULL AND x.environment = b.environment) AS f
        JOIN tbs.network_resource AS r ON r.environment = b.environment AND r.state = 'active'
        LEFT JOIN tbs.network_resource_condition AS c ON c.network_resource_id = r.network_resource_id
        -- Asked only where there is something that could hold it up.
        CROSS JOIN LATERAL (SELECT CASE WHEN c.unavailable_since IS NOT NULL OR c.not_before > v_now
                                          OR EXISTS (SELECT FROM tbs.network_resource_maintenance AS m WHERE m.network_resource_id = r.network_resource_id)
                                        THEN (tbs.held_up(r)).until END AS until OFFSET 0) AS h
        CROSS JOIN LATERAL (SELECT CASE WHEN c.ramp_from IS NULL THEN r.connections ELSE tbs.ramped_connections(r.connections, c.ramp_from) END AS connections OFFSET 0) AS n
        CROSS JOIN LATERAL (SELECT count(*) AS all_bridges, count(*) FILTER (WHERE a.bridge_id = b.bridge_id) AS this_bridge,
                                   tbs.raise_low_water_mark(r.network_resource_id, -1, min(a.state_xid))
                            FROM tbs.activities_under_way(r.network_resource_id) AS a) AS u
        CROSS JOIN LATERAL (SELECT (r.requests_per_second / greatest(f.bridges, 1))::double precision AS per_second) AS s
        LEFT JOIN tbs.bridge_tokens AS k ON r.requests_per_second IS NOT NULL AND k.bridge_id = b.bridge_id AND k.network_resource_id = r.network_resource_id
        -- A bucket holds one second's worth. One that is just starting has a single call.
        CROSS JOIN LATERAL (SELECT CASE WHEN k.tokens IS NULL THEN 1
                                        ELSE least(greatest(s.per_second, 1), k.tokens + s.per_second * extract(epoch FROM v_now - k.counted_at)) END AS tokens) AS t
        WHERE b.bridge_id = budgets.bridge_id AND b.ended_at IS NULL AND b.configuration_version >= (SELECT v.version FROM tbs.configuration_version AS v)
          AND EXISTS (SELECT FROM tbs.arming_here()));
END;
$budgets$;
COMMENT ON FUNCTION tbs.budgets(bigint) IS 'internal: what a bridge may send to each active network resource of its environment now; nothing while the database is not armed, or it has not read the configuration as it is now';

-- Only its own bridge writes a bucket.
CREATE FUNCTION tbs.spend_tokens(bridge_id bigint, network_resource_ids integer[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $spend_tokens$
BEGIN
    INSERT INTO tbs.bridge_tokens AS k (bridge_id, network_resource_id, tokens, counted_at)
    SELECT spend_tokens.bridge_id, s.network_resource_id, 1 - s.calls, clock_timestamp()
    FROM (SELECT x.id AS network_resource_id, count(*)::integer AS calls FROM unnest(spend_tokens.network_resource_ids) AS x (id) GROUP BY x.id) AS s
    JOIN tbs.network_resource AS r ON r.network_resource_id = s.network_resource_id AND r.requests_per_second IS NOT NULL
    ON CONFLICT ON CONSTRAINT bridge_tokens_pkey DO UPDATE
    SET tokens = (SELECT least(greatest(f.per_second, 1), k.tokens + f.per_second * extract(epoch FROM excluded.counted_at - k.counted_at)) + excluded.tokens - 1
                  FROM (SELECT (r.requests_per_second / greatest(count(*), 1))::double precision AS per_second
                        FROM tbs.network_resource AS r
                        LEFT JOIN tbs.bridge AS b ON b.environment = r.environment AND b.ended_at IS NULL
                        WHERE r.network_resource_id = excluded.network_resource_id GROUP BY r.requests_per_second) AS f),
        counted_at = excluded.counted_at;
END;
$spend_tokens$;
COMMENT ON FUNCTION tbs.spend_tokens(bigint, integer[]) IS 'internal: takes one token for each call of this list from a bridge''s buckets';

-- When something that waits can be sent: the earliest due time, or when what holds its network resource up is over.
CREATE FUNCTION tbs.next_due_at(bridge_id bigint)
RETURNS timestamptz
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $next_due_at$
BEGIN
    RETURN (
        -- A token may have come in since the last claim: with work there, it is worth a look soon.
        SELECT min(CASE WHEN b.calls > 0 AND b.tokens > 0 THEN least(d.due_at, CASE WHEN n.waiting THEN b.look_again_at END)
                        WHEN n.waiting THEN b.look_again_at
                        ELSE greatest(b.look_again_at, d.due_at) END)
        FROM unnest(tbs.budgets(next_due_at.bridge_id)) AS b
        CROSS JOIN LATERAL (SELECT min(x.due_at) AS due_at
                            FROM (SELECT a.due_at FROM tbs.activity AS a
                                  WHERE a.network_resource_id = b.network_resource_id AND a.state IN ('retry', 'scheduled')
                                  ORDER BY a.due_at LIMIT 1) AS x) AS d
        CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM generate_series(0, 5) AS l (lane)
                                           CROSS JOIN LATERAL (SELECT FROM tbs.new_activities(b.network_resource_id, l.lane) LIMIT 1) AS a) AS waiting) AS n
        WHERE n.waiting OR d.due_at IS NOT NULL);
END;
$next_due_at$;
COMMENT ON FUNCTION tbs.next_due_at(bigint) IS 'internal: when a bridge should look again without being woken; null: nothing is waiting for a time, or this bridge gets nothing now (tbs.budgets)';
