-- None of these statements waits for the switch, and none fails because it is down.
BEGIN;
SELECT tbs.set_origin('ORD-1005', 'clerk.omar');

UPDATE tbs.line SET first_name = 'Karin' WHERE external_id = 'karen';

UPDATE tbs.line_usoc SET usoc = 'SEATPRO'
WHERE usoc = 'SEAT' AND line_id = (SELECT line_id FROM tbs.line WHERE external_id = 'leo');

UPDATE tbs.line SET last_name = 'More' WHERE external_id = 'mona';
COMMIT;
