-- e911: validate, address, endpoint, binding; never sent again unchanged; a suspension does not touch it.
BEGIN;
\ir fixture/helpers.sql
\ir fixture/catalogue.sql
\ir fixture/services.sql
\ir fixture/bridge.sql
SELECT plan(45);

SELECT tbs.arm('test');
SELECT start_bridge();
UPDATE tbs.network_information SET emergency_address = '{"name": "HQ", "caller_name": "Acme", "line_1": "1 Main St", "city": "San Diego", "state": "CA", "postal_code": "92101"}'
WHERE network_information_id = 1;
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1011, 101, 'SEAT'), (1012, 101, 'NUMBER');
SELECT work();

-- Without a required member nothing is sent
UPDATE tbs.network_information SET emergency_address = emergency_address - 'city' WHERE network_information_id = 1;
SELECT work();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1013, 101, 'E911');
SELECT is(work(), '{}', 'an address without a city');
SELECT matches((SELECT q.last_message FROM tbs.activity_queue AS q), 'emergency_address, address-city: no value', 'fails before anything is sent');
UPDATE tbs.network_information SET emergency_address = emergency_address || '{"city": "San Diego"}' WHERE network_information_id = 1;

-- In its order
SELECT is(claim(), '{POST /domains/acme/addresses/validate}', 'corrected: validated first');
SELECT is(last_body('POST %/validate'), '{"address-name": "HQ", "caller-name": "Acme", "address-line-1": "1 Main St", "address-line-2": "", "address-city": "San Diego", "address-state-province-abbreviation": "CA", "address-postal-code": "92101", "address-country-abbreviation": "US", "address-location-description": ""}'::jsonb,
          'the address of the network information');
SELECT is(answer(200, '{"address-formatted-pidflo": {"ValidationStatus": "INVALID"}}'), '{}', 'no such place');
SELECT matches((SELECT q.result_status || ' ' || q.last_message FROM tbs.activity_queue AS q WHERE q.usoc = 'E911' AND q.result_status = 'failed'), '^failed .*correct the emergency address', 'an operator is told');
SELECT is((SELECT o.presence FROM tbs.remote_object AS o WHERE o.kind = 'emergency_address'), 'absent', 'nothing was made');
UPDATE tbs.network_information SET emergency_address = emergency_address || '{"line_1": "2 Main St"}' WHERE network_information_id = 1;
SELECT ok(claim() @> '{POST /domains/acme/addresses/validate}', 'another address is tried by itself');
SELECT is(answer(200, '{"address-formatted-pidflo": {"ValidationStatus": "VALID", "Zip": 92101}}', 'POST %/validate'), '{POST /domains/acme/addresses}', 'valid: made');
SELECT is(last_body('POST %/addresses') - '{address-name,caller-name,address-line-2,address-city,address-state-province-abbreviation,address-postal-code,address-country-abbreviation,address-location-description}'::text[],
          '{"emergency-address-id": "tbs-1", "address-formatted-pidflo": {"ValidationStatus": "VALID", "Zip": 92101}, "address-line-1": "2 Main St"}'::jsonb, 'with what the validation gave');
SELECT is(answer(200, which => 'POST %/addresses'), '{POST /domains/acme/addresses/endpoints}', 'then the number becomes an endpoint');
SELECT is((last_body('POST %/endpoints') ->> 'address-callback-number') || ' ' || (last_body('POST %/endpoints') ->> 'location-id') || ' ' || (last_body('POST %/endpoints') ->> 'carrier'),
          '18585550101 tbs-1 bandwidth', 'at the carrier');
SELECT is(answer(202, which => 'POST %/endpoints'), '{PUT /domains/acme/users/101}', 'then the user is bound');
SELECT is(last_body('PUT %/users/101'), '{"emergency-address-id": "tbs-1", "caller-id-number-emergency": "18585550101"}'::jsonb, 'to both');
SELECT answer(202);
SELECT work();
SELECT is(queue(), '{}', 'done');

-- Never again unchanged
SELECT tbs.resync(line_id => 101, reason => 'test');
SELECT is((SELECT array_agg(c) FROM unnest(work()) AS c WHERE c LIKE '%addresses%'), NULL, 'a resync sends nothing of it');
UPDATE tbs.line SET suspended = true WHERE line_id = 101;
SELECT is((SELECT array_agg(t.service ORDER BY t.service) FROM tbs.activity AS a JOIN tbs.activity_type AS t USING (activity_type_id)), '{phone_number,seat}'::text[], 'a suspension is not its business');
SELECT is((SELECT array_agg(c) FROM unnest(work()) AS c), '{PUT /domains/acme/users/101}', 'and sends the dial policy only');
UPDATE tbs.line SET suspended = false WHERE line_id = 101;
SELECT work();
UPDATE tbs.line SET first_name = 'Agnes' WHERE line_id = 101;
SELECT is(work(), '{PUT /domains/acme/users/101}', 'another name: the user only');

-- One address for all lines of a record
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1021, 102, 'SEAT'), (1022, 102, 'NUMBER'), (1023, 102, 'E911');
SELECT is(work(), '{POST /domains/acme/users,POST /domains/acme/phonenumbers,POST /domains/acme/addresses/endpoints,PUT /domains/acme/users/102}', 'a second line uses the address');
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1031, 103, 'SEAT'), (1032, 103, 'NUMBER'), (1033, 103, 'E911');
SELECT ok(NOT work() @> '{POST /domains/acme/addresses}', 'so does one of a site without an address of its own');
UPDATE tbs.network_information SET emergency_address = '{"caller_name": "Acme", "line_1": "9 North St", "city": "Vista", "state": "CA", "postal_code": "92081"}' WHERE network_information_id = 2;
SELECT is(work('{"address-formatted-pidflo": {}}'), '{POST /domains/acme/addresses/validate,POST /domains/acme/addresses,PUT /domains/acme/addresses/endpoints/18585550103,PUT /domains/acme/users/103}',
          'the site gets its own: made, then endpoint and user pointed to it');
SELECT is((SELECT array_agg(o.key ORDER BY o.key) FROM tbs.remote_object AS o WHERE o.kind = 'emergency_address'), '{tbs-1@acme,tbs-2@acme}'::text[], 'two addresses');

-- A changed one goes everywhere, in place
UPDATE tbs.network_information SET emergency_address = emergency_address || '{"line_2": "Suite 4"}' WHERE network_information_id = 1;
SELECT set_eq($$SELECT unnest(work('{"address-formatted-pidflo": {}}'))$$,
              '{POST /domains/acme/addresses/validate,PUT /domains/acme/addresses/tbs-1,PUT /domains/acme/addresses/endpoints/18585550101,PUT /domains/acme/addresses/endpoints/18585550102}'::text[],
              'validated and changed once, and both endpoints');

-- The bridge goes away while an address is being validated: what was valid before must not be taken for it
UPDATE tbs.network_information SET emergency_address = emergency_address || '{"line_2": "Suite 5"}' WHERE network_information_id = 1;
SELECT ok(claim() @> '{POST /domains/acme/addresses/validate}', 'a change is being validated');
SELECT tbs.bridge_stop(bridge());
DELETE FROM test.hand;
SELECT start_bridge('two');
SELECT ok(claim() @> '{POST /domains/acme/addresses/validate}', 'its answer is lost: validated again');
SELECT is(answer(200, '{"address-formatted-pidflo": {"ValidationStatus": "VALID", "Suite": 5}}', 'POST %/validate'), '{PUT /domains/acme/addresses/tbs-1}', 'then changed');
SELECT is(last_body('PUT %/addresses/tbs-1') -> 'address-formatted-pidflo', '{"ValidationStatus": "VALID", "Suite": 5}'::jsonb, 'to what was validated');
SELECT answer(200);
SELECT work('{"address-formatted-pidflo": {}}');

-- Another number: make before break
UPDATE tbs.line SET telephone_number = '+18585550191' WHERE line_id = 101;
SELECT is(work(), '{POST /domains/acme/phonenumbers,POST /domains/acme/addresses/endpoints,PUT /domains/acme/users/101,DELETE /domains/acme/phonenumbers/18585550101,DELETE /domains/acme/addresses/endpoints/18585550101}',
          'the new number gets an endpoint, the user is bound to it, then the old one goes');
-- Another extension
UPDATE tbs.line SET extension = '191' WHERE line_id = 101;
SELECT is(work(), '{POST /domains/acme/users,PUT /domains/acme/phonenumbers/18585550191,PUT /domains/acme/users/191,DELETE /domains/acme/users/101}', 'the new user is bound before the old one goes');
-- Another carrier
UPDATE tbs.line_usoc SET parameters = '{"netsapiens": {"carrier": "brightlink"}}' WHERE line_usoc_id = 1013;
SELECT is(work(), '{POST /domains/acme/addresses/endpoints,DELETE /domains/acme/addresses/endpoints/18585550191}', 'another carrier: made there, then removed here');
SELECT is(last_body('DELETE %'), '{"carrier": "bandwidth"}'::jsonb, 'as what was sent says');

-- An answer that was lost
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1041, 104, 'SEAT'), (1042, 104, 'NUMBER');
SELECT work();
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (1043, 104, 'E911');
SELECT is(claim(), '{POST /domains/acme/addresses/endpoints}', 'an endpoint');
SELECT answer(0, curl_result => 52);
SELECT let_time_pass();
SELECT is(claim(), '{POST /domains/acme/addresses/endpoints}', 'the answer is lost: it cannot be looked at, so it is made again');
SELECT is(answer(409, '{"message": "Endpoint already exists."}'), '{PUT /domains/acme/addresses/endpoints/18585550104}', 'it is there: changed to what it should be');
SELECT answer(202);
SELECT is(work('{"address-formatted-pidflo": {}}'), '{}', 'bound');
SELECT is(queue(), '{}', 'done');

-- Taken off
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1043;
SELECT is(work(), '{PUT /domains/acme/users/104,DELETE /domains/acme/addresses/endpoints/18585550104}', 'the user is freed before the endpoint goes; others use the address');
SELECT is(last_body('PUT %/users/104'), '{"emergency-address-id": "", "caller-id-number-emergency": "[*]"}'::jsonb, 'back to none');
DELETE FROM tbs.line_usoc WHERE line_usoc_id = 1033;
SELECT is(work(), '{PUT /domains/acme/users/103,DELETE /domains/acme/addresses/endpoints/18585550103,DELETE /domains/acme/addresses/tbs-2}', 'the last one takes the address along');
DELETE FROM tbs.line WHERE line_id = 101;
SELECT is(work(), '{DELETE /domains/acme/phonenumbers/18585550191,DELETE /domains/acme/users/191,DELETE /domains/acme/addresses/endpoints/18585550191}', 'a deleted line takes its endpoint along');
SELECT is(last_body('DELETE %/endpoints/%'), '{"carrier": "brightlink"}'::jsonb, 'at its carrier');

-- A login name that another user has, in whatever domain
INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (2011, 201, 'SEAT');
SELECT claim();
SELECT is(answer(200), '{POST /domains/globex/users}', 'a user');
SELECT is(answer(409, '{"code": 409, "message": "login-username already exists."}'), '{}', 'is not there, but its login name is in use');
SELECT matches((SELECT q.result_status || ' ' || q.last_message FROM tbs.activity_queue AS q WHERE q.line_id = 201), '^failed .*login', 'an operator is told');

SELECT * FROM finish();
ROLLBACK;
