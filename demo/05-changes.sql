BEGIN;
SELECT tbs.set_origin('ORD-1003', 'clerk.nora');

-- A USOC is edited: Bob may have two calls at a time.
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"limits-max-active-calls-total": "2"}}'
WHERE usoc = 'SEAT' AND line_id = (SELECT line_id FROM tbs.line WHERE external_id = 'bob');

-- Another edit, of something that the switch need not know: how many are billed. Looked at, and nothing to send.
UPDATE tbs.line_usoc SET quantity = 2
WHERE usoc = 'DID' AND line_id = (SELECT line_id FROM tbs.line WHERE external_id = 'bob');

-- A USOC is swapped for another that means the same service: Carol's user is changed, not removed and made anew.
UPDATE tbs.line_usoc SET usoc = 'SEATPRO'
WHERE usoc = 'SEAT' AND line_id = (SELECT line_id FROM tbs.line WHERE external_id = 'carol');

-- The sales number moves from David to Emma. It is pointed to her, and never released in between.
UPDATE tbs.line_usoc SET line_id = (SELECT line_id FROM tbs.line WHERE external_id = 'emma')
WHERE external_id = 'sales';

-- Frank and Grace trade telephone numbers, in one statement.
UPDATE tbs.line AS l SET telephone_number = other.telephone_number
FROM tbs.line AS other
WHERE (l.external_id, other.external_id) IN (('frank', 'grace'), ('grace', 'frank'));
COMMIT;

BEGIN;
SELECT tbs.set_origin('ORD-1004', 'clerk.omar');

-- Henry's phone breaks and is replaced: another MAC. His SIP account and its password stay.
UPDATE tbs.device SET mac = '00:15:65:a0:00:f8', model = 'SIP-T48S' WHERE external_id = 'phone-henry';

-- Irene gets another extension. The switch cannot rename a user, so a new one is made, her number and her phone are
-- pointed to it, and then the old one goes.
UPDATE tbs.line SET extension = '1200' WHERE external_id = 'irene';

-- The head office has a new caller name: that concerns its domain and each of its lines.
UPDATE tbs.network_information SET caller_id_name = 'Acme Tools Inc' WHERE external_id = 'acme';

-- Jack leaves. His USOCs go with the line, and take what they have on the switch with them.
DELETE FROM tbs.line WHERE external_id = 'jack';
COMMIT;
