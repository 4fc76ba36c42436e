-- What the application sees. It cannot read the queue or the log.
SELECT line_id, usoc, telephone_number, network_resource, service, status, explanation
FROM tbs.line_status ORDER BY line_usoc_id;
