-- The whole history of the one that was retried.
SELECT d.event, d.operation, d.kind, d.outcome, d.http_status, d."user", d.reason
FROM tbs.activity_log_detail AS d
WHERE d.activity_id = (SELECT activity_id FROM tbs.activity_log_detail WHERE event = 'retried')
ORDER BY d.date, d.activity_history_id NULLS FIRST;

-- The one that was removed has left its mark: Leo has a SEATPRO in billing, and a SEAT on the switch.
SELECT line_id, usoc, telephone_number, service, status, explanation FROM tbs.line_status WHERE NOT in_step;

-- Does the comparison with the switch see it too?
