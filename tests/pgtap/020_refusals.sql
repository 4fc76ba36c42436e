-- Bad business data, and commands that would take it away, are refused with an error that says what to do.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
SELECT plan(71);

-- Telephone numbers
SELECT refused(format('INSERT INTO tbs.line (customer_id, telephone_number) VALUES (1, %L)', n), '23514', 'malformed telephone number', 'E\.164', 'tbs\.e164', 'telephone number ' || coalesce(quote_literal(n), 'null'))
FROM unnest('{8585551234,"(858) 555-1234",+1858555123x,+,"",+0858555123,+123456,+1234567890123456," +18585551234","+18585551234 "}'::text[]) AS n;
SELECT refused($$INSERT INTO tbs.line_usoc (line_id, usoc, telephone_number) VALUES (101, 'NUMBER', '911')$$, '23514', 'malformed telephone number: "911"', 'E\.164', 'tbs\.e164', 'the number of a line USOC as well');
SELECT lives_ok($$INSERT INTO tbs.line (customer_id, telephone_number) VALUES (1, '+1234567'), (1, '+123456789012345'), (1, NULL)$$, 'the shortest and the longest E.164 number, and none');
SELECT throws_ok($$INSERT INTO tbs.line (customer_id, telephone_number) VALUES (1, '+18585550101')$$, '23505', NULL, 'a number that another line has');

-- tbs.e164
SELECT is(tbs.e164(v.spelling, v.country), v.number, format('%s in %s', v.spelling, v.country))
FROM (VALUES ('(858) 555-1234', 'US', '+18585551234'), ('858.555.1234', 'us', '+18585551234'), ('1-858-555-1234', 'US', '+18585551234'), ('011 44 20 7946 0958', 'US', '+442079460958'),
             ('+44 (20) 7946 0958', 'US', '+442079460958'), ('020 7946 0958', 'GB', '+442079460958'), ('00 1 858 555 1234', 'DE', '+18585551234'), ('030 123456', 'DE', '+4930123456'),
             ('06 1234 5678', 'IT', '+390612345678')) AS v (spelling, country, number);
SELECT refused($$SELECT tbs.e164('555-1234', 'US')$$, '22023', 'cannot make an E\.164 number', 'US', NULL, 'a number without area code');
SELECT refused($$SELECT tbs.e164('858 555 12345', 'US')$$, '22023', 'cannot make an E\.164 number', 'US', NULL, 'a digit too many');
SELECT refused($$SELECT tbs.e164('hello', 'US')$$, '22023', 'cannot make an E\.164 number', NULL, NULL, 'no number at all');
SELECT refused($$SELECT tbs.e164('123', 'XX')$$, '22023', 'unknown country: "XX"', NULL, 'ISO 3166', 'an unknown country');
SELECT is(tbs.e164(NULL, 'US'), NULL, 'no number stays none');

-- USOCs
SELECT refused(format('INSERT INTO tbs.master_usoc (usoc) VALUES (%L)', u), '23514', 'malformed USOC', 'capital letters', NULL, 'USOC ' || quote_literal(u))
FROM unnest('{seat,"","A B",ABCDEFGHIJK,A-1,É}'::text[]) AS u;
SELECT throws_ok($$INSERT INTO tbs.line_usoc (line_id, usoc) VALUES (101, 'NOSUCH')$$, '23503', NULL, 'a USOC that the catalogue does not have');

-- MACs
SELECT throws_ok(format('INSERT INTO tbs.device (mac) VALUES (%L)', m), '22P02', NULL, 'MAC ' || quote_literal(m)) FROM unnest('{0015650000,00:15:65:00:00:0g,"",00:15:65:00:00:01:02}'::text[]) AS m;
SELECT lives_ok($$INSERT INTO tbs.device (device_id, mac) VALUES (71, '00-15-65-00-00-01'), (72, '0015.6500.0002'), (73, NULL), (74, NULL)$$, 'a MAC in any usual spelling, and any number of devices without one');
SELECT throws_ok($$INSERT INTO tbs.device (mac) VALUES ('00:15:65:00:00:01')$$, '23505', NULL, 'a MAC that another device has');

-- The rest of the business tables
SELECT throws_ok(v.statement, v.code, NULL, v.description)
FROM (VALUES
    ($$INSERT INTO tbs.line_usoc (line_id, usoc, quantity) VALUES (101, 'SEAT', 0)$$, '23514', 'a quantity of nothing'),
    ($$INSERT INTO tbs.line_usoc (line_id, usoc, active_date, disconnect_date) VALUES (101, 'SEAT', '2026-02-02', '2026-02-01')$$, '23514', 'a last day before the first'),
    ($$INSERT INTO tbs.line_usoc (line_id, usoc, parameters) VALUES (101, 'SEAT', '[]')$$, '23514', 'parameters that are no object'),
    ($$INSERT INTO tbs.line (customer_id, extension) VALUES (1, '10 1')$$, '23514', 'an extension with a space'),
    ($$INSERT INTO tbs.line (customer_id, extension) VALUES (1, '')$$, '23514', 'an empty extension'),
    ($$INSERT INTO tbs.line (customer_id, extension) VALUES (1, '../x')$$, '23514', 'an extension that could climb in a path'),
    ($$INSERT INTO tbs.line (customer_id, network_information_id) VALUES (2, 1)$$, '23503', 'network information of another customer'),
    ($$UPDATE tbs.line SET customer_id = 2 WHERE line_id = 101$$, '23503', 'a line that goes to another customer without its network information'),
    ($$INSERT INTO tbs.network_information (network_information_id, customer_id, parent_id, name) VALUES (90, 2, 1, 'x')$$, '23503', 'a parent of another customer'),
    ($$INSERT INTO tbs.network_information (network_information_id, customer_id, parent_id, name) VALUES (91, 1, 2, 'x')$$, '23503', 'a site below a site'),
    ($$UPDATE tbs.network_information SET parent_id = 1 WHERE network_information_id = 1$$, '23503', 'a record that is its own parent'),
    ($$INSERT INTO tbs.network_information (customer_id, name, switch_domain) VALUES (1, 'x', 'a/b')$$, '23514', 'a switch domain with a slash'),
    ($$DELETE FROM tbs.network_information WHERE network_information_id = 1$$, '23503', 'network information that lines point to cannot go'),
    ($$DELETE FROM tbs.customer WHERE customer_id = 1$$, '23503', 'nor a customer with lines'),
    ($$DELETE FROM tbs.master_usoc WHERE usoc = 'SEAT'$$, '23503', 'nor a Master USOC that is associated'),
    ($$INSERT INTO tbs.line_device (line_id, device_id, slot) VALUES (101, 71, 0)$$, '23514', 'a line key below 1'),
    ($$INSERT INTO tbs.line_device (line_id, device_id, slot) VALUES (101, 71, 1), (102, 71, 1)$$, '23505', 'two lines on one line key'),
    ($$INSERT INTO tbs.line_device (line_id, device_id, sip_account) VALUES (101, 71, 'a b')$$, '23514', 'a SIP account with a space'),
    ($$INSERT INTO tbs.line_member (line_id, member_line_id) VALUES (101, 101)$$, '23514', 'a queue that is its own member'),
    ($$INSERT INTO tbs.line_member (line_id, member_line_id) VALUES (101, 102), (101, 102)$$, '23505', 'a member twice'),
    ($$INSERT INTO tbs.customer (account_number, name) VALUES ('A-1', 'again')$$, '23505', 'an account number twice')) AS v (statement, code, description);

-- TRUNCATE and DROP while there are customers
SELECT refused(format('TRUNCATE tbs.%I CASCADE', t), '55000', 'cannot truncate table', 'without telling', 'DELETE FROM tbs\.', 'TRUNCATE of ' || t || ' while there are customers')
FROM unnest('{customer,line,line_usoc}'::text[]) AS t;
SELECT is((SELECT count(*) FROM unnest('{customer_order,master_usoc,device,network_information,line_device,line_member}'::text[]) AS t
           WHERE (raises(format('TRUNCATE tbs.%I CASCADE', t))).sqlstate = '55000'), 6::bigint, 'and of every other business table');
SELECT refused('DROP EXTENSION tbs', '2BP01', 'tbs', 'tbs.customer: 2', 'tbs\.allow_drop', 'DROP EXTENSION while there are customers');
SELECT refused('DROP EXTENSION tbs CASCADE', '2BP01', 'tbs', 'tbs.customer: 2', 'tbs\.allow_drop', 'with CASCADE as well');
SELECT refused('DROP SCHEMA tbs CASCADE', '2BP01', 'tbs', 'tbs.customer: 2', 'tbs\.allow_drop', 'DROP SCHEMA');
SELECT refused('DROP OWNED BY CURRENT_USER', '2BP01', 'tbs', 'tbs.customer: 2', 'tbs\.allow_drop', 'DROP OWNED of the owner');
SELECT is((SELECT count(*) FROM tbs.customer), 2::bigint, 'nothing of it has happened');
SET LOCAL session_replication_role = replica;
DELETE FROM tbs.customer;
SET LOCAL session_replication_role = origin;
SELECT lives_ok('TRUNCATE tbs.line CASCADE', 'without customers TRUNCATE is allowed');

SELECT * FROM finish();
ROLLBACK;
