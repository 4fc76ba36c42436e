SELECT status, count(*) AS line_usocs FROM tbs.line_status GROUP BY 1;

SELECT count(*) AS on_the_queue FROM tbs.activity_queue;

SELECT count(*) AS troubles FROM tbs.health;

-- The day in numbers.
SELECT event, count(*) FROM tbs.activity_log_detail GROUP BY 1 ORDER BY 2 DESC;
