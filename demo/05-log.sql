-- The two orders, statement by statement, and what came of each.
SELECT order_number, trigger_description, trigger_type, result_status, count(*) AS activities
FROM tbs.activity_log WHERE order_number IN ('ORD-1003', 'ORD-1004') GROUP BY 1, 2, 3, 4 ORDER BY min(activity_id);

-- The sales number, from its first call to its last.
SELECT activity_id, operation, key, request_body::jsonb ->> 'dial-rule-translation-destination-user' AS rings, outcome,
       http_status
FROM tbs.activity_log_detail WHERE event = 'api_call' AND key = '18585550150' ORDER BY activity_history_id;

-- Irene's new extension, in the order of the calls.
SELECT activity_id, operation, kind, key, outcome, http_status
FROM tbs.activity_log_detail
WHERE event = 'api_call' AND order_number = 'ORD-1004'
  AND line_id = (SELECT line_id FROM tbs.line WHERE external_id = 'irene')
ORDER BY activity_history_id;

-- Jack, who is not in the business tables any more, still is in the log.
SELECT activity_id, telephone_number, usoc, trigger_description, result_status, "user"
FROM tbs.activity_log WHERE telephone_number = '+18585550110' ORDER BY activity_id;
