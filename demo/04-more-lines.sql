-- Fourteen colleagues at the head office, as an import would add them. Capture costs one INSERT for each statement,
-- however many rows it has.
CREATE TEMP TABLE colleague (extension text, name text, surname text);
INSERT INTO colleague VALUES
    ('1002', 'Bob', 'Baker'),   ('1003', 'Carol', 'Chen'),  ('1004', 'David', 'Diaz'),   ('1005', 'Emma', 'Evans'),
    ('1006', 'Frank', 'Foster'), ('1007', 'Grace', 'García'), ('1008', 'Henry', 'Hughes'), ('1009', 'Irene', 'Ito'),
    ('1010', 'Jack', 'Jones'),  ('1011', 'Karen', 'Kim'),   ('1012', 'Leo', 'Lopez'),    ('1013', 'Mona', 'Moore'),
    ('1014', 'Nils', 'Nilsson'), ('1015', 'Olga', 'O''Neil');

BEGIN;
SELECT tbs.set_origin('ORD-1001', 'clerk.nora');

INSERT INTO tbs.line
    (customer_id, network_information_id, telephone_number, extension, first_name, last_name, external_id)
SELECT n.customer_id, n.network_information_id, '+185855501' || right(c.extension, 2), c.extension, c.name, c.surname,
       lower(c.name)
FROM colleague AS c, tbs.network_information AS n WHERE n.external_id = 'acme';

INSERT INTO tbs.device (mac, brand, model, external_id)
SELECT ('00:15:65:a0:00:' || right(extension, 2))::macaddr, 'Yealink', 'SIP-T46S', 'phone-' || lower(name)
FROM colleague;

INSERT INTO tbs.line_device (line_id, device_id)
SELECT l.line_id, d.device_id
FROM colleague
JOIN tbs.line AS l ON l.external_id = lower(name) JOIN tbs.device AS d ON d.external_id = 'phone-' || lower(name);

INSERT INTO tbs.line_usoc (line_id, usoc)
SELECT l.line_id, usoc
FROM colleague JOIN tbs.line AS l ON l.external_id = lower(name), unnest('{SEAT,DID,FUSF}'::text[]) AS usoc;
COMMIT;

-- Ten more at the warehouse. The last three have a soft phone: a device without a MAC.
TRUNCATE colleague;
INSERT INTO colleague VALUES
    ('1101', 'Paul', 'Price'), ('1102', 'Quinn', 'Quist'), ('1103', 'Rosa', 'Ramos'), ('1104', 'Sam', 'Stone'),
    ('1105', 'Tara', 'Tran'),  ('1106', 'Umar', 'Usman'),  ('1107', 'Vera', 'Voß'),   ('1108', 'Will', 'Wong'),
    ('1109', 'Xena', 'Xu'),    ('1110', 'Yuri', 'Young');

BEGIN;
SELECT tbs.set_origin('ORD-1002', 'clerk.omar');

INSERT INTO tbs.line
    (customer_id, network_information_id, telephone_number, extension, first_name, last_name, external_id)
SELECT n.customer_id, n.network_information_id, '+172055501' || right(c.extension, 2), c.extension, c.name, c.surname,
       lower(c.name)
FROM colleague AS c, tbs.network_information AS n WHERE n.external_id = 'acme-warehouse';

INSERT INTO tbs.device (mac, brand, model, external_id)
SELECT CASE WHEN extension < '1108' THEN ('00:15:65:b0:00:' || right(extension, 2))::macaddr END, 'Yealink', 'W73P',
       'phone-' || lower(name)
FROM colleague;

INSERT INTO tbs.line_device (line_id, device_id)
SELECT l.line_id, d.device_id
FROM colleague
JOIN tbs.line AS l ON l.external_id = lower(name) JOIN tbs.device AS d ON d.external_id = 'phone-' || lower(name);

INSERT INTO tbs.line_usoc (line_id, usoc)
SELECT l.line_id, usoc
FROM colleague JOIN tbs.line AS l ON l.external_id = lower(name), unnest('{SEAT,DID,FUSF}'::text[]) AS usoc;
COMMIT;

-- The sales number is a second number of David's line.
INSERT INTO tbs.line_usoc (line_id, usoc, telephone_number, external_id)
SELECT line_id, 'DID', tbs.e164('858.555.0150'), 'sales' FROM tbs.line WHERE external_id = 'david';

-- And one that the customer thinks better of. What is rolled back never was: no activity, no call.
BEGIN;
INSERT INTO tbs.line
    (customer_id, network_information_id, telephone_number, extension, first_name, last_name, external_id)
SELECT customer_id, network_information_id, '+18585550199', '1099', 'Zoe', 'Zimmer', 'zoe'
FROM tbs.network_information WHERE external_id = 'acme';

INSERT INTO tbs.line_usoc (line_id, usoc)
SELECT line_id, usoc FROM tbs.line, unnest('{SEAT,DID}'::text[]) AS usoc WHERE external_id = 'zoe';
ROLLBACK;

SELECT count(*) AS lines FROM tbs.line;
