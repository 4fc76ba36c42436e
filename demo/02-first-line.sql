-- The customer, with two records of network information. The one without a parent is a domain of the switch; its child
-- is a site of that domain, with a time zone of its own.
INSERT INTO tbs.customer (account_number, name) VALUES ('10045', 'Acme Tools');

INSERT INTO tbs.network_information
    (customer_id, name, switch_domain, time_zone, caller_id_name, caller_id_number, external_id)
SELECT customer_id, 'Head office', 'acme', 'US/Pacific', 'Acme Tools', '18585550100', 'acme'
FROM tbs.customer WHERE account_number = '10045';

INSERT INTO tbs.network_information (customer_id, parent_id, name, site, time_zone, external_id)
SELECT customer_id, network_information_id, 'Warehouse', 'warehouse', 'US/Mountain', 'acme-warehouse'
FROM tbs.network_information WHERE external_id = 'acme';

-- The order, the line, its phone and its USOCs, in one transaction.
BEGIN;
SELECT tbs.set_origin('ORD-1001', 'clerk.nora');

INSERT INTO tbs.line
    (customer_id, network_information_id, telephone_number, extension, first_name, last_name, external_id)
SELECT customer_id, network_information_id, tbs.e164('(858) 555-0101'), '1001', 'Ada', 'Alvarez', 'ada'
FROM tbs.network_information WHERE external_id = 'acme';

INSERT INTO tbs.device (mac, brand, model, external_id)
VALUES ('00:15:65:a0:00:01', 'Yealink', 'SIP-T46S', 'phone-ada');

INSERT INTO tbs.line_device (line_id, device_id)
SELECT l.line_id, d.device_id
FROM tbs.line AS l, tbs.device AS d WHERE l.external_id = 'ada' AND d.external_id = 'phone-ada';

INSERT INTO tbs.line_usoc (line_id, usoc)
SELECT line_id, usoc FROM tbs.line, unnest('{SEAT,DID,FUSF}'::text[]) AS usoc WHERE external_id = 'ada';
COMMIT;
