-- None of these statements waits for the switch, and none fails because it is down.
BEGIN;
SELECT tbs.set_origin('ORD-1005', 'clerk.omar');

UPDATE tbs.line SET first_name = 'Robert' WHERE external_id = 'bob';

UPDATE tbs.line_usoc SET usoc = 'SEATPRO'
WHERE usoc = 'SEAT' AND line_id = (SELECT line_id FROM tbs.line WHERE external_id = 'henry');

UPDATE tbs.line SET email = 'emma@acme.example' WHERE external_id = 'emma';
COMMIT;
