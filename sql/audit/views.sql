-- Audits for people.

CREATE VIEW tbs.audit_status AS
SELECT a.audit_id, r.name AS network_resource, a.domain,
       CASE WHEN a.compared_at IS NOT NULL THEN 'compared' WHEN a.finished_at IS NOT NULL THEN 'read' ELSE coalesce(q.result_status, 'given up') END AS state,
       q.last_message AS result,
       (SELECT count(*) FROM tbs.audit_list AS l WHERE l.audit_id = a.audit_id AND NOT l.finished) AS lists_left,
       (SELECT count(*) FROM tbs.audit_object AS o WHERE o.audit_id = a.audit_id AND o.found IS NOT NULL) AS objects,
       a.unidentified, a.asked_at, a.asked_by, a.finished_at, a.compared_at, a.activity_id, a.network_resource_id
FROM tbs.audit AS a
JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
LEFT JOIN tbs.activity_queue AS q ON q.activity_id = a.activity_id;
COMMENT ON VIEW tbs.audit_status IS 'audits, and how far they are';
COMMENT ON COLUMN tbs.audit_status.state IS 'as the activity''s result_status while it reads; read: SELECT tbs.compare_audit(audit_id); compared; given up: its activity was removed or marked done';
COMMENT ON COLUMN tbs.audit_status.lists_left IS 'lists that are not read to their end; more become known while it reads';
COMMENT ON COLUMN tbs.audit_status.objects IS 'found so far';
COMMENT ON COLUMN tbs.audit_status.unidentified IS 'rows of answers whose identity could not be made out: look at the audit step';

CREATE VIEW tbs.audit_result AS
SELECT o.audit_id, o.audit_object_id, r.name AS network_resource, o.kind, o.key, o.status, o.whose,
       coalesce(o.message, (SELECT string_agg(d.key, ', ' ORDER BY d.key) FROM jsonb_each(o.differences) AS d)) AS explanation,
       o.line_id, o.line_usoc_id, o.service, coalesce(lu.usoc, s.usoc) AS usoc, coalesce(l.customer_id, s.customer_id) AS customer_id, c.account_number,
       c.name AS customer_name, coalesce(lu.telephone_number, l.telephone_number, s.telephone_number) AS telephone_number, o.decided, o.decided_at
FROM tbs.audit_object AS o
JOIN tbs.audit AS a ON a.audit_id = o.audit_id
JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
LEFT JOIN tbs.line AS l ON l.line_id = o.line_id
LEFT JOIN tbs.line_usoc AS lu ON lu.line_usoc_id = o.line_usoc_id
LEFT JOIN tbs.line_usoc_state AS s ON s.line_usoc_id = o.line_usoc_id AND s.network_resource_id = a.network_resource_id AND s.service = o.service
LEFT JOIN tbs.customer AS c ON c.customer_id = coalesce(l.customer_id, s.customer_id)
WHERE o.status IS NOT NULL;
COMMENT ON VIEW tbs.audit_result IS 'what came out of an audit, object by object; tbs.plan_audit() decides what is done about it';
COMMENT ON COLUMN tbs.audit_result.status IS 'in step; missing; extra (no row wants it); different; changing (an activity is under way, or wrote it while it was read: audit again); not renderable (its data are incomplete)';
COMMENT ON COLUMN tbs.audit_result.whose IS 'ours (on record, or with our mark); found (on record as there before us: used, and never deleted); not ours (another mark, or none where ours has one); no mark (objects of this kind carry none)';
COMMENT ON COLUMN tbs.audit_result.explanation IS 'the members that differ, or why it cannot be rendered';
COMMENT ON COLUMN tbs.audit_result.line_id IS 'the line that wants it; of an extra one the line that it is on record for, or whose mark it carries';
COMMENT ON COLUMN tbs.audit_result.decided IS 'what tbs.plan_audit() has done about it: adopted, sent or removed; null: nothing yet';

CREATE VIEW tbs.audit_difference AS
SELECT o.audit_id, o.audit_object_id, o.kind, o.key, d.key AS member, d.value -> 'wanted' AS wanted, d.value -> 'found' AS found, d.value -> 'accepted' AS accepted
FROM tbs.audit_object AS o CROSS JOIN LATERAL jsonb_each(o.differences) AS d
WHERE o.status = 'different';
COMMENT ON VIEW tbs.audit_difference IS 'the members of different objects of an audit';
COMMENT ON COLUMN tbs.audit_difference.accepted IS 'what the network resource accepted last: like wanted: somebody changed it there; like found: the rows changed and it was not sent';
