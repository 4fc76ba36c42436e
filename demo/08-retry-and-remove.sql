-- Karin's is retried. An operator says why, and that is on record.
SELECT tbs.retry_activity(activity_id, 'the vendor has repaired the switch')
FROM tbs.activity_queue
WHERE result_status = 'failed' AND line_id = (SELECT line_id FROM tbs.line WHERE external_id = 'karen');

-- Leo's is removed: it leaves the queue without having been carried out.
SELECT tbs.remove_activity(activity_id, 'sold by mistake, billing will take it back')
FROM tbs.activity_queue
WHERE result_status = 'failed' AND line_id = (SELECT line_id FROM tbs.line WHERE external_id = 'leo');
