-- Nobody had to do anything: it was probed, it answered, and what had waited was sent.
SELECT event, message FROM tbs.activity_log_detail
WHERE event IN ('made_unavailable', 'available_again') ORDER BY date;

SELECT result_status, count(*) FROM tbs.activity_log WHERE order_number = 'ORD-1005' GROUP BY 1;
