-- What the operator sees: one row per task, who caused it, and how it ended.
SELECT activity_id, activity_type, order_number, usoc, result_status, "user"
FROM tbs.activity_log WHERE trigger_type <> 'test' ORDER BY activity_id;

-- Each API call of it. The domain was made because this line is the first that needs it.
SELECT activity_id, operation, kind, key, outcome, http_status, round(elapsed_microseconds / 1000.0, 1) AS milliseconds
FROM tbs.activity_log_detail WHERE event = 'api_call' ORDER BY activity_history_id;

-- What was in two of them. The SIP password is a reference: the bridge puts the value in just before it sends.
SELECT kind, jsonb_pretty(request_body::jsonb) AS request_body
FROM tbs.activity_log_detail WHERE kind IN ('user', 'device') AND operation = 'add';

-- The values that were looked up, each from the nearest layer that has one.
SELECT v.* FROM tbs.line_usoc AS lu, tbs.explain_values(lu.line_usoc_id, 'ns-east') AS v WHERE lu.usoc = 'SEAT';
