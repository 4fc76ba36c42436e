-- The queue. What has used up its calls waits for a person, and what needs it waits behind it; all other lines go on.
SELECT activity_id, activity_type, telephone_number, result_status, calls_used, last_outcome
FROM tbs.activity_queue ORDER BY activity_id;

SELECT activity_id, tbs.why_waiting(activity_id) FROM tbs.activity_queue ORDER BY activity_id;

-- Is anything else wrong?
SELECT trouble, detail FROM tbs.health;

-- What the first of these lines would send now, rendered without sending it.
SELECT operation, kind, method, path, body
FROM tbs.preview((SELECT line_id FROM tbs.line WHERE external_id = 'karen'));
