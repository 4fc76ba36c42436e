-- What was refused waits for a person, and what needs it waits behind it; all other lines go on.
SELECT activity_id, activity_type, telephone_number, result_status, calls_used, last_outcome
FROM tbs.activity_queue ORDER BY activity_id;

-- However many there are: one row for each cause.
SELECT network_resource, service, signature, count, remedy FROM tbs.activity_failure_group;
