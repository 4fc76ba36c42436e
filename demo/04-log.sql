-- 25 seats and 26 numbers, an activity for each. The surcharges caused none, and neither did what was rolled back.
SELECT order_number, activity_type, result_status, count(*) AS activities
FROM tbs.activity_log WHERE trigger_type <> 'test' GROUP BY 1, 2, 3 ORDER BY 1, 2;

-- What was made on the switch. The domain and the site once, by the line that needed them first.
SELECT kind, operation, outcome, count(*) AS api_calls
FROM tbs.activity_log_detail WHERE event = 'api_call' GROUP BY 1, 2, 3 ORDER BY min(activity_history_id);
