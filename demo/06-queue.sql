-- Nothing has failed, and no try is counted: the switch as a whole is down, so it is only probed.
SELECT activity_id, activity_type, telephone_number, result_status, calls_used
FROM tbs.activity_queue ORDER BY activity_id;

-- One line says what is wrong, and what to do about it.
SELECT trouble, remedy FROM tbs.health;

SELECT tbs.why_waiting(min(activity_id)) FROM tbs.activity_queue;

-- What the first of these lines would send now, rendered without sending it.
SELECT operation, kind, method, path, body
FROM tbs.preview((SELECT line_id FROM tbs.line WHERE external_id = 'bob'));
