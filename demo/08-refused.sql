-- The switch has a bad hour: it refuses every change of a user, as if the data were wrong.
BEGIN;
SELECT tbs.set_origin('ORD-1006', 'clerk.omar');

UPDATE tbs.line SET first_name = 'Karin' WHERE external_id = 'karen';

UPDATE tbs.line_usoc SET usoc = 'SEATPRO'
WHERE usoc = 'SEAT' AND line_id = (SELECT line_id FROM tbs.line WHERE external_id = 'leo');

UPDATE tbs.line SET last_name = 'More' WHERE external_id = 'mona';
COMMIT;
