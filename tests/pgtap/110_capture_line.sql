-- Every kind of change of a line, its customer and its network information.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/bridge.sql
SELECT plan(44);

INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1012, 101, 'LISTED'), (1019, 101, 'SURCHARGE'), (1021, 102, 'SEAT'), (1031, 103, 'SEAT'),
                                                           (2011, 201, 'LISTING');
SELECT tbs.arm('test');
SELECT captured_is('{}', 'nothing was captured before arming');

-- Line, column by column
INSERT INTO tbs.line (line_id, customer_id, extension) VALUES (105, 1, '105');
SELECT captured_is('{}', 'a new line has no USOC yet: nothing');
UPDATE tbs.line SET first_name = 'Agnes' WHERE line_id = 101;
SELECT captured_is('{1011 line_changed seat ns-east,1012 line_changed listing listings,1012 line_changed phone_number ns-east}',
                   'first name: for each USOC and network resource of the line, ascending by position');
UPDATE tbs.line SET last_name = 'Abel' WHERE line_id = 102;
SELECT captured_is('{1021 line_changed seat ns-east}', 'last name');
UPDATE tbs.line SET email = 'a@example.org' WHERE line_id = 102;
SELECT captured_is('{1021 line_changed seat ns-east}', 'email');
UPDATE tbs.line SET extension = '1102' WHERE line_id = 102;
SELECT captured_is('{1021 line_changed seat ns-east}', 'extension');
UPDATE tbs.line SET telephone_number = '+18585551102' WHERE line_id = 102;
SELECT captured_is('{1021 line_changed seat ns-east}', 'telephone number');
UPDATE tbs.line SET suspended = true WHERE line_id = 102;
SELECT captured_is('{1021 line_changed seat ns-east}', 'suspended');
UPDATE tbs.line SET parameters = '{"netsapiens": {"privacy": "yes"}}' WHERE line_id = 102;
SELECT captured_is('{1021 line_changed seat ns-east}', 'parameters');
UPDATE tbs.line SET external_id = 'L-102' WHERE line_id = 102;
SELECT captured_is('{}', 'external id is read by billing only: nothing');
UPDATE tbs.line SET first_name = first_name;
SELECT captured_is('{}', 'an update to the same values: nothing');
UPDATE tbs.line SET first_name = 'Z' WHERE false;
SELECT captured_is('{}', 'an update of no rows: nothing');
UPDATE tbs.line SET email = 'b@example.org' WHERE line_id IN (101, 105, 201);
SELECT captured_is('{1011 line_changed seat ns-east,1012 line_changed listing listings,1012 line_changed phone_number ns-east,2011 line_changed listing listings}',
                   'several lines in one statement');
UPDATE tbs.line SET telephone_number = CASE line_id WHEN 101 THEN '+18585551102' ELSE '+18585550101' END WHERE line_id IN (101, 102);
SELECT captured_is('{1011 line_changed seat ns-east,1012 line_changed listing listings,1012 line_changed phone_number ns-east,1021 line_changed seat ns-east}',
                   'two lines swap their numbers in one statement');
UPDATE tbs.line SET network_information_id = 2 WHERE line_id = 102;
SELECT captured_is('{1021 network_information_changed seat ns-east}', 'a line that is pointed to another record');
UPDATE tbs.line SET network_information_id = NULL, first_name = 'Bob' WHERE line_id = 102;
SELECT captured_is('{1021 network_information_changed seat ns-east}', 'to none, with another change: one activity, not two');
UPDATE tbs.line SET network_information_id = CASE line_id WHEN 102 THEN 1 END, first_name = 'X' WHERE line_id IN (101, 102);
SELECT set_eq($$SELECT unnest(captured())$$, '{1011 network_information_changed seat ns-east,1012 network_information_changed phone_number ns-east,1021 network_information_changed seat ns-east}'::text[],
              'the listing has no activity type for network information: nothing for it');
UPDATE tbs.line SET network_information_id = 1 WHERE line_id = 101;
SELECT captured();
UPDATE tbs.line SET first_name = CASE line_id WHEN 101 THEN 'Y' ELSE first_name END, network_information_id = CASE line_id WHEN 102 THEN 2 ELSE network_information_id END WHERE line_id IN (101, 102);
SELECT set_eq($$SELECT unnest(captured())$$,
              '{1011 line_changed seat ns-east,1012 line_changed listing listings,1012 line_changed phone_number ns-east,1021 network_information_changed seat ns-east}'::text[],
              'one statement, each line with its own trigger type');
UPDATE tbs.line SET customer_id = 2, network_information_id = 3 WHERE line_id = 102;
SELECT captured_is('{1021 network_information_changed seat ns-east}', 'a line that goes to another customer');
UPDATE tbs.line SET customer_id = 1, network_information_id = 1 WHERE line_id = 102;
SELECT is((SELECT (array_agg(a.customer_id ORDER BY a.activity_id DESC))[1] FROM tbs.activity AS a WHERE a.line_usoc_id = 1021), 1::bigint, 'the activity has the customer of now');
SELECT captured();
UPDATE tbs.line SET line_id = 106 WHERE line_id = 105;
SELECT captured_is('{}', 'a changed id of a line without USOCs: nothing');
SELECT throws_ok('UPDATE tbs.line SET line_id = 107 WHERE line_id = 101', '23503', NULL, 'the id of a line with USOCs cannot change');
DELETE FROM tbs.line WHERE line_id = 106;
SELECT captured_is('{}', 'a deleted line without USOCs: nothing');

-- Customer
UPDATE tbs.customer SET name = 'Acme Inc' WHERE customer_id = 1;
SELECT set_eq($$SELECT unnest(captured())$$,
              '{1011 line_changed seat ns-east,1012 line_changed listing listings,1012 line_changed phone_number ns-east,1021 line_changed seat ns-east,1031 line_changed seat ns-east}'::text[],
              'a customer''s name: line_changed for all its lines');
UPDATE tbs.customer SET account_number = 'A-22' WHERE customer_id = 2;
SELECT captured_is('{2011 line_changed listing listings}', 'account number');
UPDATE tbs.customer SET parameters = '{"directory": {"x": 1}}' WHERE customer_id = 2;
SELECT captured_is('{2011 line_changed listing listings}', 'parameters');
UPDATE tbs.customer SET external_id = 'C-2' WHERE customer_id = 2;
SELECT captured_is('{}', 'external id: nothing');
UPDATE tbs.customer SET name = 'x' WHERE false;
SELECT captured_is('{}', 'no rows: nothing');
INSERT INTO tbs.customer (customer_id, account_number, name) VALUES (9, 'A-9', 'Nobody');
UPDATE tbs.customer SET name = 'Nobody at all' WHERE customer_id = 9;
DELETE FROM tbs.customer WHERE customer_id = 9;
SELECT captured_is('{}', 'a customer without lines: nothing');

-- Orders and the catalogue of USOCs are not changes of a line.
UPDATE tbs.customer_order SET due_date = '2030-01-01';
UPDATE tbs.master_usoc SET description = 'another' WHERE usoc = 'SEAT';
SELECT captured_is('{}', 'an order''s date, a description in the catalogue: nothing');

-- Network information: 101 and 102 point to record 1, 103 to its child, record 2
UPDATE tbs.network_information SET time_zone = 'US/Central' WHERE network_information_id = 2;
SELECT captured_is('{1031 network_information_changed seat ns-east}', 'a child: its own lines only');
UPDATE tbs.network_information SET time_zone = 'US/Mountain' WHERE network_information_id = 1;
SELECT set_eq($$SELECT unnest(captured())$$,
              '{1011 network_information_changed seat ns-east,1012 network_information_changed phone_number ns-east,1021 network_information_changed seat ns-east,1031 network_information_changed seat ns-east}'::text[],
              'a parent: its lines and those of its children');
UPDATE tbs.network_information SET name = name || '!' WHERE network_information_id IN (1, 2);
SELECT is((SELECT count(*) FROM unnest(captured()) AS c WHERE c LIKE '1031%'), 1::bigint, 'parent and child in one statement: one activity for the line of both');
UPDATE tbs.network_information SET switch_domain = 'north' WHERE network_information_id = 2;
SELECT captured_is('{1031 network_information_changed seat ns-east}', 'switch domain');
UPDATE tbs.network_information SET reseller = 'r' WHERE network_information_id = 2;
SELECT captured_is('{1031 network_information_changed seat ns-east}', 'reseller');
UPDATE tbs.network_information SET site = 'far north' WHERE network_information_id = 2;
SELECT captured_is('{1031 network_information_changed seat ns-east}', 'site');
UPDATE tbs.network_information SET caller_id_name = 'ACME' WHERE network_information_id = 2;
SELECT captured_is('{1031 network_information_changed seat ns-east}', 'caller id name');
UPDATE tbs.network_information SET caller_id_number = '18585550000' WHERE network_information_id = 2;
SELECT captured_is('{1031 network_information_changed seat ns-east}', 'caller id number');
UPDATE tbs.network_information SET emergency_address = '{"street": "Main"}' WHERE network_information_id = 2;
SELECT captured_is('{1031 network_information_changed seat ns-east}', 'emergency address');
UPDATE tbs.network_information SET parameters = '{"netsapiens": {"dial-plan": "p"}}' WHERE network_information_id = 2;
SELECT captured_is('{1031 network_information_changed seat ns-east}', 'parameters');
UPDATE tbs.network_information SET parent_id = NULL WHERE network_information_id = 2;
SELECT captured_is('{1031 network_information_changed seat ns-east}', 'parent');
UPDATE tbs.network_information SET network_resource_id = 1 WHERE network_information_id = 2;
SELECT captured_is('{1031 network_information_changed seat ns-east}', 'the network resource that it names');
UPDATE tbs.network_information SET external_id = 'N-2' WHERE network_information_id = 2;
SELECT captured_is('{}', 'external id: nothing');
UPDATE tbs.network_information SET site = site;
UPDATE tbs.network_information SET site = 'x' WHERE false;
INSERT INTO tbs.network_information (network_information_id, customer_id, parent_id, name) VALUES (9, 1, 1, 'unused');
UPDATE tbs.network_information SET site = 'x' WHERE network_information_id = 9;
DELETE FROM tbs.network_information WHERE network_information_id = 9;
SELECT captured_is('{}', 'the same values, no rows, a record that no line points to: nothing');

SELECT * FROM finish();
ROLLBACK;
