-- Views for people, with the names and columns of TBS's pages. Every page of TBS (admin, customer, order, local product, USOC detail) is one WHERE.

CREATE VIEW tbs.activity_queue AS
SELECT a.activity_id,
       t.network_resource_type || '.' || t.service || '.' || t.trigger_type AS activity_type,
       r.name AS activity_description,
       t.trigger_type,
       a.trigger_description,
       CASE WHEN a.state = 'new' OR (a.state = 'retry' AND a.due_at <= clock_timestamp()) THEN 'pending'
            WHEN a.state = 'retry' THEN 'waiting' ELSE a.state END AS result_status,
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
       nullif(a.line_id, 0) AS line_id,
       a.telephone_number,
       nullif(a.line_usoc_id, 0) AS line_usoc_id,
       a.usoc,
       a.network_resource_id,
       a.activity_type_id
FROM tbs.activity AS a
JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
LEFT JOIN tbs.customer AS c ON c.customer_id = a.customer_id;
COMMENT ON VIEW tbs.activity_queue IS 'what is to be done, and what failed';
COMMENT ON COLUMN tbs.activity_queue.activity_type IS 'resource type, service and trigger type';
COMMENT ON COLUMN tbs.activity_queue.activity_description IS 'the network resource';
COMMENT ON COLUMN tbs.activity_queue.result_status IS 'scheduled (not due), pending (due), waiting (behind another, for its next try, or for what it requires: tbs.why_waiting), processing, failed, held';
COMMENT ON COLUMN tbs.activity_queue.calls_used IS 'failed tries in this round';

CREATE VIEW tbs.activity_log AS
SELECT q.activity_id, q.activity_type, q.activity_description, q.trigger_type, q.trigger_description, q.result_status,
       coalesce(q.last_message, q.last_outcome, q.result_status) AS result,
       coalesce(q.user_name, q.captured_by) AS "user",
       coalesce(h.recorded_at, q.captured_at) AS date,
       q.captured_at, q.customer_id, q.account_number, q.order_number, q.line_id, q.telephone_number, q.line_usoc_id, q.usoc, q.network_resource_id
FROM tbs.activity_queue AS q
LEFT JOIN LATERAL (SELECT x.recorded_at FROM tbs.activity_history AS x WHERE x.activity_id = q.activity_id ORDER BY x.recorded_at DESC LIMIT 1) AS h ON true
UNION ALL
SELECT h.activity_id, t.network_resource_type || '.' || t.service || '.' || t.trigger_type, r.name, t.trigger_type, h.trigger_description, h.event,
       coalesce(h.message, h.reason, h.event), coalesce(CASE WHEN h.reason IS NOT NULL THEN h.session_role END, h.user_name, h.captured_by), h.recorded_at,
       h.captured_at, h.customer_id, c.account_number, h.order_number, nullif(h.line_id, 0), h.telephone_number, nullif(h.line_usoc_id, 0), h.usoc,
       h.network_resource_id
FROM tbs.activity_history AS h
LEFT JOIN tbs.activity_type AS t ON t.activity_type_id = h.activity_type_id
LEFT JOIN tbs.network_resource AS r ON r.network_resource_id = h.network_resource_id
LEFT JOIN tbs.customer AS c ON c.customer_id = h.customer_id
WHERE h.closes;
COMMENT ON VIEW tbs.activity_log IS 'one row per task, on the queue or done, with its most recent result, user and date';
COMMENT ON COLUMN tbs.activity_log.result IS 'the most recent result in words';
COMMENT ON COLUMN tbs.activity_log."user" IS 'who changed it last: the operator, the claimed clerk, or the role that made the change';
COMMENT ON COLUMN tbs.activity_log.date IS 'when that was';

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
       h.customer_id, c.account_number, h.order_number, nullif(h.line_id, 0), h.telephone_number, nullif(h.line_usoc_id, 0), h.usoc, h.network_resource_id
FROM tbs.activity_history AS h
LEFT JOIN tbs.activity_type AS t ON t.activity_type_id = h.activity_type_id
LEFT JOIN tbs.network_resource AS r ON r.network_resource_id = h.network_resource_id
LEFT JOIN tbs.customer AS c ON c.customer_id = h.customer_id
WHERE h.closes
UNION ALL
SELECT h.activity_id, h.activity_history_id, h.event, h.recorded_at, t.network_resource_type || '.' || t.service || '.' || t.trigger_type, r.name, t.trigger_type,
       h.trigger_description, h.call_number, h.kind, h.key, h.operation, h.method, h.path, h.request_body, h.http_status, h.answer, h.outcome, h.message, h.elapsed_microseconds,
       coalesce(h.session_role, h.user_name, h.captured_by), h.acting_role, h.reason,
       h.customer_id, c.account_number, h.order_number, nullif(h.line_id, 0), h.telephone_number, nullif(h.line_usoc_id, 0), h.usoc, h.network_resource_id
FROM tbs.activity_history AS h
LEFT JOIN tbs.activity_type AS t ON t.activity_type_id = h.activity_type_id
LEFT JOIN tbs.network_resource AS r ON r.network_resource_id = h.network_resource_id
LEFT JOIN tbs.customer AS c ON c.customer_id = h.customer_id;
COMMENT ON VIEW tbs.activity_log_detail IS 'the whole history of every task: capture, API calls, operator actions, end; ORDER BY date';

CREATE VIEW tbs.line_status AS
SELECT lu.line_id, lu.line_usoc_id, lu.usoc, l.customer_id, coalesce(lu.telephone_number, l.telephone_number) AS telephone_number, r.name AS network_resource,
       a.service,
       CASE WHEN q.activity_id IS NOT NULL AND q.state = 'failed' THEN 'failed'
            WHEN q.activity_id IS NOT NULL THEN 'in progress'
            WHEN s.in_step AND s.present THEN 'in step'
            WHEN coalesce(lu.active_date > (clock_timestamp() AT TIME ZONE coalesce(r.time_zone, current_setting('TimeZone')))::date, false) THEN 'not yet active'
            ELSE 'not in step' END AS status,
       coalesce(s.in_step AND s.present AND q.activity_id IS NULL, false) AS in_step,
       coalesce(q.last_message, s.last_result, 'not captured') AS explanation,
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
                   ORDER BY x.state = 'failed' DESC, coalesce(x.moved_to, x.activity_id) LIMIT 1) AS q ON true
WHERE a.active OR s.line_usoc_id IS NOT NULL;
COMMENT ON VIEW tbs.line_status IS 'for applications: whether each USOC of a line is in step with its network resources';
COMMENT ON COLUMN tbs.line_status.status IS 'in step; in progress; failed (for an operator); not yet active; not in step (its last activity was removed, or it was not captured)';

CREATE VIEW tbs.health AS
SELECT 'not armed'::text AS trouble, 'changes are neither captured nor sent'::text AS detail, 'SELECT tbs.arm(reason);'::text AS remedy
WHERE NOT tbs.is_armed()
UNION ALL
SELECT 'network resource ' || r.state, format('%s since %s: %s', r.name, r.paused_at, r.pause_reason),
       format('remove the cause, then SELECT tbs.resume_network_resource(%L, reason);', r.name)
FROM tbs.network_resource AS r WHERE r.state = 'paused'
UNION ALL
SELECT 'no bridge', format('environment %s has network resources and no running bridge', r.environment), 'start tbs-bridge --environment ' || r.environment
FROM (SELECT DISTINCT n.environment FROM tbs.network_resource AS n WHERE n.state = 'active') AS r
WHERE NOT EXISTS (SELECT FROM tbs.bridge AS b WHERE b.environment = r.environment AND b.ended_at IS NULL
                  AND b.beat_at > clock_timestamp() - 2 * tbs.setting_value('lease')::interval)
UNION ALL
SELECT 'failed activities', format('%s of network resource %s, the oldest since %s', count(*), r.name, min(a.captured_at)),
       format('SELECT * FROM tbs.activity_queue WHERE result_status = ''failed'' AND activity_description = %L;', r.name)
FROM tbs.activity AS a JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
WHERE a.state = 'failed' GROUP BY r.name;
COMMENT ON VIEW tbs.health IS 'one line per trouble, with what to do about it; empty: all is well';
