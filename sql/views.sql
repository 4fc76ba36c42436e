-- Views for people, with the names and columns of TBS's pages. Every page of TBS (admin, customer, order, local product, USOC detail) is one WHERE.

-- The remedy of the outcome rule that decided an activity's last API call.
CREATE FUNCTION tbs.remedy_of(activity_id bigint)
RETURNS text
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $remedy_of$
BEGIN
    RETURN (
        SELECT nullif(o.remedy, '')
        FROM (SELECT h.outcome_rule_id, h.activity_history_id FROM tbs.activity_history AS h
              WHERE h.activity_id = remedy_of.activity_id AND h.event = 'api_call' ORDER BY h.activity_history_id DESC LIMIT 1) AS c
        JOIN tbs.outcome_rule AS o ON o.outcome_rule_id = c.outcome_rule_id);
END;
$remedy_of$;
COMMENT ON FUNCTION tbs.remedy_of(bigint) IS 'what the outcome rule of an activity''s last API call says can be done about it; null: nothing';

-- An expression of the server's own, in the statement's time: a view that is sorted and limited must stay a plain read of an index.
CREATE FUNCTION tbs.result_status(state text, due_at timestamptz)
RETURNS text
LANGUAGE sql
STABLE
RETURN CASE WHEN state = 'new' OR (state = 'retry' AND due_at <= statement_timestamp()) THEN 'pending' WHEN state = 'retry' THEN 'waiting' ELSE state END;
COMMENT ON FUNCTION tbs.result_status(text, timestamptz) IS 'what people see of the state of an activity: pending (due), waiting (also for its next try), or the state itself';

CREATE VIEW tbs.activity_queue AS
SELECT a.activity_id,
       t.network_resource_type || '.' || t.service || '.' || t.trigger_type AS activity_type,
       r.name AS activity_description,
       t.trigger_type,
       a.trigger_description,
       tbs.result_status(a.state, a.due_at) AS result_status,
       a.calls_used,
       a.due_at,
       a.last_outcome,
       a.last_message,
       a.captured_at,
       a.captured_by,
       a.user_name,
       a.customer_id,
       c.account_number,
       a.order_number,
       nullif(greatest(a.line_id, 0), 0) AS line_id,
       a.telephone_number,
       nullif(greatest(a.line_usoc_id, 0), 0) AS line_usoc_id,
       a.usoc,
       a.network_resource_id,
       a.activity_type_id,
       (ARRAY['person', 'restore', 'normal', 'bulk', 'resync'])[a.lane] AS lane,
       a.held_reason,
       a.corrections,
       -- Of the rule that decided its last call. Only looked up where this column is asked for.
       CASE WHEN a.state = 'failed' THEN tbs.remedy_of(a.activity_id) END AS remedy
FROM tbs.activity AS a
JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
LEFT JOIN tbs.customer AS c ON c.customer_id = a.customer_id;
COMMENT ON VIEW tbs.activity_queue IS 'what is to be done, and what failed';
COMMENT ON COLUMN tbs.activity_queue.activity_type IS 'resource type, service and trigger type';
COMMENT ON COLUMN tbs.activity_queue.activity_description IS 'the network resource';
COMMENT ON COLUMN tbs.activity_queue.result_status IS 'scheduled (not due), pending (due), waiting (behind another, for its next try, or for what it requires: tbs.why_waiting), processing, failed, held';
COMMENT ON COLUMN tbs.activity_queue.calls_used IS 'failed tries in this round';
COMMENT ON COLUMN tbs.activity_queue.lane IS 'person (a retry by hand), restore, normal, bulk or resync: whose turn it is among lines';
COMMENT ON COLUMN tbs.activity_queue.held_reason IS 'why it is held: an operator''s reason, or the delete brake';
COMMENT ON COLUMN tbs.activity_queue.corrections IS 'values that an operator gave for this activity alone';
COMMENT ON COLUMN tbs.activity_queue.remedy IS 'of a failed one: what the outcome rule that decided says can be done';

-- What messages of one cause have in common: without what differs from case to case. The HTTP status stays: 404 and 500 are two causes.
CREATE FUNCTION tbs.error_signature(message text)
RETURNS text
LANGUAGE plpgsql
IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $error_signature$
DECLARE
    v_status text := substring(message FROM '^HTTP [0-9]{3}\M');
    v_rest text := substr(message, coalesce(length(v_status), 0) + 1);
BEGIN
    -- Quoted strings; an apostrophe within a word opens none.
    v_rest := regexp_replace(v_rest, '"[^"]*"|(?<![[:alnum:]])''[^'']*''(?![[:alnum:]])', '"*"', 'g');
    -- Addresses: URLs, e-mail and SIP addresses, MAC and IP addresses, UUIDs.
    v_rest := regexp_replace(v_rest, '\m[a-z]{2,10}://[^\s;,]+|[^\s;,:<>()]+@[^\s;,:<>()]+|\m[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}\M|\m[0-9]{1,3}(\.[0-9]{1,3}){3}\M'
                                     '|\m[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*[0-9A-Fa-f]\M|\m[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\M', '*', 'g');
    RETURN coalesce(v_status, '') || regexp_replace(v_rest, '[0-9]+', '#', 'g');
END;
$error_signature$;
COMMENT ON FUNCTION tbs.error_signature(text) IS 'a message without what differs from case to case: quoted strings and addresses (URL, user@domain, MAC, IP, UUID) become *, digits #; a leading HTTP status stays';

CREATE VIEW tbs.activity_failure_group AS
SELECT g.network_resource, g.service, g.outcome, g.signature, g.count, g.oldest, g.newest, g.example_activity_id, e.last_message AS example,
       tbs.remedy_of(g.example_activity_id) AS remedy, g.network_resource_id
FROM (SELECT r.name AS network_resource, t.service, a.last_outcome AS outcome, coalesce(tbs.error_signature(a.last_message), '') AS signature, count(*) AS count,
             min(coalesce(a.claimed_at, a.captured_at)) AS oldest, max(coalesce(a.claimed_at, a.captured_at)) AS newest,
             min(a.activity_id) AS example_activity_id, a.network_resource_id
      FROM tbs.activity AS a
      JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
      JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
      WHERE a.state = 'failed'
      GROUP BY r.name, t.service, a.last_outcome, 4, a.network_resource_id) AS g
JOIN tbs.activity AS e ON e.activity_id = g.example_activity_id;
COMMENT ON VIEW tbs.activity_failure_group IS 'what failed, one row for each cause: the same network resource, service, outcome and message apart from names and numbers';
COMMENT ON COLUMN tbs.activity_failure_group.signature IS 'what the messages have in common: tbs.error_signature(last_message)';
COMMENT ON COLUMN tbs.activity_failure_group.oldest IS 'when the oldest of them was last sent; captured, where nothing was';
COMMENT ON COLUMN tbs.activity_failure_group.example_activity_id IS 'the first of them, to look at: SELECT * FROM tbs.activity_log_detail WHERE activity_id = ...';
COMMENT ON COLUMN tbs.activity_failure_group.remedy IS 'what the outcome rule says can be done about it';

-- A function, and said to be cheap: with the look-up in the view, the server expects so much work from a long queue that it compiles the query, which takes a second.
CREATE FUNCTION tbs.last_recorded_at(activity_id bigint, captured_at timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql
STABLE SECURITY DEFINER COST 1
SET search_path = pg_catalog, pg_temp
AS $last_recorded_at$
BEGIN
    -- Nothing was recorded before it was captured: older partitions are not looked at.
    RETURN (SELECT max(h.recorded_at) FROM tbs.activity_history AS h
            WHERE h.activity_id = last_recorded_at.activity_id AND h.recorded_at >= last_recorded_at.captured_at);
END;
$last_recorded_at$;
COMMENT ON FUNCTION tbs.last_recorded_at(bigint, timestamptz) IS 'when the last row of the history of an activity was written, of those since it was captured';

-- A page is the newest rows of something: WHERE, ORDER BY date DESC, LIMIT. Each part of the union is one table without a condition of its own, and what is joined is
-- joined to both together: so the server merges the partitions' indexes from their newest end and stops, however long the log is.
CREATE VIEW tbs.activity_log AS
SELECT e.activity_id, t.network_resource_type || '.' || t.service || '.' || t.trigger_type AS activity_type, r.name AS activity_description, t.trigger_type, e.trigger_description,
       e.result_status, e.result, e."user", e.date, e.captured_at, e.customer_id, c.account_number, e.order_number, e.line_id, e.telephone_number, e.line_usoc_id, e.usoc,
       e.network_resource_id
FROM (SELECT a.activity_id, a.activity_type_id, a.network_resource_id, a.trigger_description, tbs.result_status(a.state, a.due_at) AS result_status,
             coalesce(a.last_message, a.last_outcome, tbs.result_status(a.state, a.due_at)) AS result, coalesce(a.user_name, a.captured_by) AS "user",
             -- Not looked up for what has had no call yet: that may be a million.
             CASE WHEN a.call_number > 0 OR a.state NOT IN ('new', 'waiting') THEN coalesce(tbs.last_recorded_at(a.activity_id, a.captured_at), a.captured_at)
                  ELSE a.captured_at END AS date,
             a.captured_at, a.customer_id, a.order_number, nullif(greatest(a.line_id, 0), 0) AS line_id, a.telephone_number,
             nullif(greatest(a.line_usoc_id, 0), 0) AS line_usoc_id, a.usoc, true AS is_row_of_log
      FROM tbs.activity AS a
      UNION ALL
      SELECT h.activity_id, h.activity_type_id, h.network_resource_id, h.trigger_description, tbs.ended_as(h.event), coalesce(h.message, h.reason, tbs.ended_as(h.event)),
             coalesce(CASE WHEN h.reason IS NOT NULL THEN h.session_role END, h.user_name, h.captured_by), h.recorded_at, h.captured_at, h.customer_id, h.order_number,
             -- As the partitions' indexes have them.
             nullif(greatest(h.line_id, 0), 0), h.telephone_number, nullif(greatest(h.line_usoc_id, 0), 0), h.usoc, h.closes
      FROM tbs.activity_history AS h) AS e
LEFT JOIN tbs.activity_type AS t ON t.activity_type_id = e.activity_type_id
LEFT JOIN tbs.network_resource AS r ON r.network_resource_id = e.network_resource_id
LEFT JOIN tbs.customer AS c ON c.customer_id = e.customer_id
WHERE e.is_row_of_log;
COMMENT ON VIEW tbs.activity_log IS 'one row per task, on the queue or done, with its most recent result, user and date';
COMMENT ON COLUMN tbs.activity_log.result IS 'the most recent result in words';
COMMENT ON COLUMN tbs.activity_log."user" IS 'who changed it last: the operator, the claimed clerk, or the role that made the change';
COMMENT ON COLUMN tbs.activity_log.date IS 'when that was; of what waits and has had no call yet: when it was captured';

CREATE VIEW tbs.activity_log_detail AS
SELECT a.activity_id, NULL::bigint AS activity_history_id, 'captured'::text AS event, a.captured_at AS date, a.activity_type, a.activity_description, a.trigger_type,
       a.trigger_description, NULL::integer AS call_number, NULL::text AS kind, NULL::text AS key, NULL::text AS operation, NULL::text AS method, NULL::text AS path, NULL::text AS request_body,
       NULL::integer AS http_status, NULL::text AS answer, NULL::text AS outcome, NULL::text AS message, NULL::bigint AS elapsed_microseconds,
       coalesce(a.user_name, a.captured_by) AS "user", NULL::text AS acting_role, NULL::text AS reason,
       a.customer_id, a.account_number, a.order_number, a.line_id, a.telephone_number, a.line_usoc_id, a.usoc, a.network_resource_id
FROM tbs.activity_queue AS a
UNION ALL
SELECT h.activity_id, NULL, 'captured', h.captured_at, t.network_resource_type || '.' || t.service || '.' || t.trigger_type, r.name, t.trigger_type,
       h.trigger_description, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, coalesce(h.user_name, h.captured_by), NULL, NULL,
       h.customer_id, c.account_number, h.order_number, nullif(greatest(h.line_id, 0), 0), h.telephone_number, nullif(greatest(h.line_usoc_id, 0), 0), h.usoc, h.network_resource_id
FROM tbs.activity_history AS h
LEFT JOIN tbs.activity_type AS t ON t.activity_type_id = h.activity_type_id
LEFT JOIN tbs.network_resource AS r ON r.network_resource_id = h.network_resource_id
LEFT JOIN tbs.customer AS c ON c.customer_id = h.customer_id
WHERE h.closes
UNION ALL
-- A call that closes its activity is one row of the history, and two here: the end comes after the call.
SELECT h.activity_id, h.activity_history_id, 'succeeded', h.recorded_at + interval '1 microsecond',
       t.network_resource_type || '.' || t.service || '.' || t.trigger_type, r.name, t.trigger_type,
       h.trigger_description, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, h.outcome, NULL, NULL, coalesce(h.session_role, h.user_name, h.captured_by), h.acting_role, NULL,
       h.customer_id, c.account_number, h.order_number, nullif(greatest(h.line_id, 0), 0), h.telephone_number, nullif(greatest(h.line_usoc_id, 0), 0), h.usoc, h.network_resource_id
FROM tbs.activity_history AS h
LEFT JOIN tbs.activity_type AS t ON t.activity_type_id = h.activity_type_id
LEFT JOIN tbs.network_resource AS r ON r.network_resource_id = h.network_resource_id
LEFT JOIN tbs.customer AS c ON c.customer_id = h.customer_id
WHERE h.closes AND h.event = 'api_call'
UNION ALL
SELECT h.activity_id, h.activity_history_id, h.event, h.recorded_at, t.network_resource_type || '.' || t.service || '.' || t.trigger_type, r.name, t.trigger_type,
       h.trigger_description, h.call_number, h.kind, h.key, h.operation, h.method, h.path, h.request_body, h.http_status, h.answer, h.outcome, h.message, h.elapsed_microseconds,
       coalesce(CASE WHEN h.event <> 'api_call' THEN h.session_role END, h.user_name, h.captured_by), CASE WHEN h.event <> 'api_call' THEN h.acting_role END, h.reason,
       h.customer_id, c.account_number, h.order_number, nullif(greatest(h.line_id, 0), 0), h.telephone_number, nullif(greatest(h.line_usoc_id, 0), 0), h.usoc, h.network_resource_id
FROM tbs.activity_history AS h
LEFT JOIN tbs.activity_type AS t ON t.activity_type_id = h.activity_type_id
LEFT JOIN tbs.network_resource AS r ON r.network_resource_id = h.network_resource_id
LEFT JOIN tbs.customer AS c ON c.customer_id = h.customer_id;
COMMENT ON VIEW tbs.activity_log_detail IS 'the whole history of every task: capture, API calls, operator actions, end; ORDER BY date. An end that is the row of its last call has that one''s activity_history_id';

CREATE VIEW tbs.line_status AS
SELECT lu.line_id, lu.line_usoc_id, lu.usoc, l.customer_id, coalesce(lu.telephone_number, l.telephone_number) AS telephone_number, r.name AS network_resource,
       a.service,
       CASE WHEN q.state IN ('failed', 'held') THEN q.state
            WHEN q.activity_id IS NOT NULL THEN 'in progress'
            WHEN s.in_step AND s.present THEN 'in step'
            WHEN coalesce(lu.active_date > (clock_timestamp() AT TIME ZONE coalesce(r.time_zone, current_setting('TimeZone')))::date, false) THEN 'not yet active'
            WHEN s.line_usoc_id IS NULL
                 AND (lu.disconnect_date < (clock_timestamp() AT TIME ZONE coalesce(r.time_zone, current_setting('TimeZone')))::date
                      OR EXISTS (SELECT FROM tbs.line_usoc_run_now AS n WHERE n.line_usoc_id = lu.line_usoc_id AND n.what = 'end' AND n.day = lu.disconnect_date)) THEN 'ended'
            ELSE 'not in step' END AS status,
       coalesce(s.in_step AND s.present AND q.activity_id IS NULL, false) AS in_step,
       coalesce(CASE WHEN q.state = 'held' THEN 'held: ' || q.held_reason END, q.last_message, s.last_result, 'not captured') AS explanation,
       s.changed_at
FROM tbs.line_usoc AS lu
JOIN tbs.line AS l ON l.line_id = lu.line_id
JOIN tbs.line_usoc_association AS a ON a.line_usoc_id = lu.line_usoc_id
JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
LEFT JOIN tbs.line_usoc_state AS s ON s.line_usoc_id = a.line_usoc_id AND s.network_resource_id = a.network_resource_id AND s.service = a.service
LEFT JOIN LATERAL (SELECT x.* FROM tbs.activity AS x
                   WHERE x.line_usoc_id = a.line_usoc_id AND x.network_resource_id = a.network_resource_id
                     -- What is only due on a later day changes nothing today.
                     AND x.state <> 'scheduled'
                   ORDER BY x.state = 'failed' DESC, x.state = 'held' DESC, coalesce(x.moved_to, x.activity_id) LIMIT 1) AS q ON true
WHERE a.active OR s.line_usoc_id IS NOT NULL;
COMMENT ON VIEW tbs.line_status IS 'for applications: whether each USOC of a line is in step with its network resources';
COMMENT ON COLUMN tbs.line_status.status IS 'in step; in progress; failed or held (for an operator); not yet active; ended (after its last day); not in step (its last activity was removed, or it was not captured)';

CREATE VIEW tbs.line_not_in_step AS
SELECT s.line_id, s.customer_id, s.telephone_number, s.line_usoc_id, s.usoc, s.network_resource, s.service, s.status, s.explanation, s.changed_at
FROM tbs.line_status AS s
WHERE NOT s.in_step AND s.status NOT IN ('in step', 'not yet active', 'ended')
UNION ALL
-- What is there although no row wants it any more, or was to be removed and is not known to be.
SELECT s.line_id, s.customer_id, s.telephone_number, s.line_usoc_id, s.usoc, r.name, s.service,
       CASE WHEN q.state IN ('failed', 'held') THEN q.state WHEN q.activity_id IS NOT NULL THEN 'in progress' ELSE 'left behind' END,
       coalesce(CASE WHEN q.state = 'held' THEN 'held: ' || q.held_reason END, q.last_message, s.last_result), s.changed_at
FROM tbs.line_usoc_state AS s
JOIN tbs.network_resource AS r ON r.network_resource_id = s.network_resource_id
LEFT JOIN LATERAL (SELECT x.* FROM tbs.activity AS x
                   WHERE x.line_usoc_id = s.line_usoc_id AND x.network_resource_id = s.network_resource_id
                   ORDER BY x.state = 'failed' DESC, x.state = 'held' DESC, coalesce(x.moved_to, x.activity_id) LIMIT 1) AS q ON true
WHERE NOT EXISTS (SELECT FROM tbs.line_usoc_association AS a
                  WHERE a.line_usoc_id = s.line_usoc_id AND a.network_resource_id = s.network_resource_id AND a.service = s.service)
  AND (s.present OR q.activity_id IS NOT NULL);
COMMENT ON VIEW tbs.line_not_in_step IS 'lines that are not in step with their network resources: one row for each line USOC, network resource and service; tbs.resync(line_id => ..., reason => ...) brings one back';
COMMENT ON COLUMN tbs.line_not_in_step.status IS 'failed or held (for an operator); in progress; not in step (its last activity was removed, or it was not captured); left behind (it is there, and no row wants it)';

-- A function, so that whoever may read the view needs no right on what it looks at.
CREATE FUNCTION tbs.find_troubles()
RETURNS TABLE (trouble text, detail text, remedy text)
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $find_troubles$
DECLARE
    v_lease interval := tbs.setting_value('lease')::interval;
    v_month date := date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC')::date;
BEGIN
    IF NOT tbs.is_armed() THEN
        RETURN QUERY SELECT 'not armed', 'changes are neither captured nor sent', 'SELECT tbs.arm(reason);';
    END IF;

    RETURN QUERY
    SELECT 'network resource paused', format('%s since %s: %s', r.name, r.paused_at, r.pause_reason),
           format('remove the cause, then SELECT tbs.resume_network_resource(%L, reason);', r.name)
    FROM tbs.network_resource AS r WHERE r.state = 'paused' ORDER BY r.name;

    RETURN QUERY
    SELECT 'network resource unavailable', format('%s since %s: %s; next probe at %s', r.name, c.unavailable_since, c.unavailable_reason, c.probe_at),
           'nothing: it is probed, no try is counted, and the queue goes on by itself when it is back; call its operator'
    FROM tbs.network_resource_condition AS c JOIN tbs.network_resource AS r ON r.network_resource_id = c.network_resource_id
    WHERE c.unavailable_since IS NOT NULL AND r.state = 'active' ORDER BY r.name;

    RETURN QUERY
    SELECT 'network resource throttled', format('%s asked for a pause until %s', r.name, c.not_before),
           format('nothing: it goes on then; often: UPDATE tbs.network_resource SET requests_per_second = ... WHERE name = %L;', r.name)
    FROM tbs.network_resource_condition AS c JOIN tbs.network_resource AS r ON r.network_resource_id = c.network_resource_id
    WHERE c.not_before > clock_timestamp() AND r.state = 'active' ORDER BY r.name;

    RETURN QUERY
    SELECT 'maintenance', format('%s until %s', r.name, m.until), 'nothing: it goes on then; over already: end it in tbs.network_resource_maintenance'
    FROM tbs.network_resource AS r CROSS JOIN LATERAL (SELECT tbs.maintenance_until(r) AS until) AS m
    WHERE r.state = 'active' AND m.until IS NOT NULL ORDER BY r.name;

    RETURN QUERY
    SELECT 'no bridge', format('environment %s has network resources and no running bridge', r.environment), 'start tbs-bridge --environment ' || r.environment
    FROM (SELECT DISTINCT n.environment FROM tbs.network_resource AS n WHERE n.state = 'active') AS r
    WHERE NOT EXISTS (SELECT FROM tbs.bridge AS b JOIN tbs.bridge_lease AS l ON l.bridge_id = b.bridge_id
                      WHERE b.environment = r.environment AND l.beat_at > clock_timestamp() - 2 * v_lease)
    ORDER BY r.environment;

    -- It reads the configuration with its beat, so this is normal for a moment and a trouble when it stays.
    RETURN QUERY
    SELECT 'bridge with an old configuration', format('bridge %s (%s) has not read the last change, and takes nothing', b.bridge_id, b.name),
           'wait for its next beat; if this stays: restart that bridge, its log says why'
    FROM tbs.bridge AS b JOIN tbs.bridge_lease AS l ON l.bridge_id = b.bridge_id CROSS JOIN tbs.configuration_version AS v
    WHERE l.beat_at > clock_timestamp() - 2 * v_lease AND b.configuration_version < v.version ORDER BY b.bridge_id;

    RETURN QUERY
    SELECT 'bridge without a beat', format('bridge %s (%s) since %s', b.bridge_id, b.name, l.beat_at),
           'another bridge takes over what it had; if none does: start one'
    FROM tbs.bridge AS b JOIN tbs.bridge_lease AS l ON l.bridge_id = b.bridge_id
    WHERE l.beat_at <= clock_timestamp() - 2 * v_lease ORDER BY b.bridge_id;

    RETURN QUERY
    SELECT 'failed activities', format('%s of network resource %s, the oldest since %s', count(*), r.name, min(a.captured_at)),
           format('SELECT * FROM tbs.activity_failure_group WHERE network_resource = %L; says what is wrong; then tbs.retry_activity, tbs.remove_activity ...', r.name)
    FROM tbs.activity AS a JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
    WHERE a.state = 'failed' GROUP BY r.name ORDER BY r.name;

    RETURN QUERY
    SELECT 'removals held by the delete brake', format('%s of network resource %s, the oldest since %s', count(*), r.name, min(a.captured_at)),
           format('meant: SELECT tbs.release_activity(array_agg(activity_id), reason) FROM tbs.activity_queue WHERE held_reason LIKE ''delete brake%%'' AND '
                  'activity_description = %L; not meant: put the rows back, then tbs.remove_activity', r.name)
    FROM tbs.activity AS a JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
    WHERE a.state = 'held' AND a.held_reason LIKE 'delete brake%' GROUP BY r.name ORDER BY r.name;

    RETURN QUERY
    SELECT 'activities processing for long', format('%s of network resource %s, the oldest since %s', count(*), r.name, min(a.claimed_at)),
           format('bridge %s should have reported by now: look at its log; when it is dead another takes over', string_agg(DISTINCT a.bridge_id::text, ', '))
    FROM tbs.activity AS a JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
    JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
    WHERE a.state = 'processing'
      AND a.claimed_at < clock_timestamp() - 2 * v_lease - 2 * make_interval(secs => coalesce(t.timeout_milliseconds, r.timeout_milliseconds) / 1000.0)
    GROUP BY r.name ORDER BY r.name;

    -- Autovacuum is one that ends by itself, and makes nobody wait.
    RETURN QUERY
    SELECT 'long transaction',
           format('%s with process %s (%s) since %s: the rows that the queue has done with stay, and claims get slower', s.usename, s.pid, s.application_name, s.xact_start),
           format('end it: SELECT pg_terminate_backend(%s); for good: idle_in_transaction_session_timeout, and a replica for what has to read for long', s.pid)
    FROM pg_catalog.pg_stat_activity AS s
    WHERE s.datname = current_database() AND s.backend_type = 'client backend' AND coalesce(s.backend_xmin, s.backend_xid) IS NOT NULL
      AND s.xact_start < clock_timestamp() - tbs.setting_value('long_transaction')::interval
    UNION ALL
    SELECT 'long transaction',
           format('prepared transaction %s of %s since %s: the rows that the queue has done with stay, and claims get slower', p.gid, p.owner, p.prepared),
           format('COMMIT PREPARED %L; or ROLLBACK PREPARED %1$L;', p.gid)
    FROM pg_catalog.pg_prepared_xacts AS p
    WHERE p.database = current_database() AND p.prepared < clock_timestamp() - tbs.setting_value('long_transaction')::interval
    ORDER BY 2;

    RETURN QUERY
    SELECT 'history partition missing', format('%s has none: what is done then cannot be recorded', to_char(m, 'YYYY-MM')),
           'SELECT tbs.make_history_partitions(); a running bridge does it by itself'
    FROM generate_series(v_month::timestamp, v_month + interval '2 months', interval '1 month') AS m
    WHERE tbs.is_armed() AND to_regclass('tbs.activity_history_' || to_char(m, 'YYYY_MM')) IS NULL ORDER BY m;
END;
$find_troubles$;
COMMENT ON FUNCTION tbs.find_troubles() IS 'what tbs.health shows';

CREATE VIEW tbs.health AS
SELECT f.trouble, f.detail, f.remedy FROM tbs.find_troubles() AS f;
COMMENT ON VIEW tbs.health IS 'one line per trouble, with what to do about it; empty: all is well';
