-- E911: the address of the network information is validated and made; the number becomes an endpoint of it at the emergency carrier; the user is bound to both.
-- Made in this order and removed in the other, so that a number is never without. A suspension does not touch it, and what is unchanged is not sent again, not even
-- by a resync: carriers charge for it, and refuse today what they took yesterday.

INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template, found_by, find_template, shared, part_of, shipped) VALUES
    ('netsapiens', 'emergency_address', 'an address for emergency calls', '{object.address_id}@{object.domain}', NULL, NULL, true, NULL, true),
    ('netsapiens', 'emergency_endpoint', 'a number at the emergency carrier', '{object.number} at {object.carrier}', 'telephone_number', '+{object.number}', false, NULL, true),
    ('netsapiens', 'emergency_binding', 'a user''s emergency number and address', '{object.user}@{object.domain}', 'extension', '{object.user}', false, 'user', true);

INSERT INTO tbs.service_object (network_resource_type, service, position, kind, identity, values_from, never_repeat, shipped) VALUES
    ('netsapiens', 'e911', 10, 'emergency_address', '{"domain": "{network_information.switch_domain}", "address_id": "tbs-{network_information.emergency_address_id}"}', 'network_information', true, true),
    ('netsapiens', 'e911', 20, 'emergency_endpoint', '{"domain": "{network_information.switch_domain}", "number": "{line_usoc.telephone_number|digits}", "carrier": "{values.carrier}"}', 'line_usoc', true, true),
    ('netsapiens', 'e911', 30, 'emergency_binding', '{"domain": "{network_information.switch_domain}", "user": "{line.extension}"}', 'line_usoc', true, true);

INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, captures, on_exists, on_missing, shipped)
SELECT 'netsapiens', 'e911', v.position, v.operation, v.method, v.path,
       v.body::jsonb || '{"address-name": "{network_information.emergency_address.name|default:Office}", "caller-name": "{network_information.emergency_address.caller_name}", "address-line-1": "{network_information.emergency_address.line_1}", "address-line-2": "{network_information.emergency_address.line_2|default:}", "address-city": "{network_information.emergency_address.city}", "address-state-province-abbreviation": "{network_information.emergency_address.state}", "address-postal-code": "{network_information.emergency_address.postal_code}", "address-country-abbreviation": "{network_information.emergency_address.country|default:US}", "address-location-description": "{network_information.emergency_address.location|default:}"}',
       v.captures::jsonb, 'edit', v.on_missing, true
FROM (VALUES
    (10, 'prepare', 'POST', '/domains/{object.domain}/addresses/validate', '{}', '{"pidflo": "$.\"address-formatted-pidflo\""}', 'transient'),
    (10, 'add', 'POST', '/domains/{object.domain}/addresses', '{"emergency-address-id": "{object.address_id}", "address-formatted-pidflo": "{remote.pidflo?}"}', '{}', 'transient'),
    (10, 'edit', 'PUT', '/domains/{object.domain}/addresses/{object.address_id}', '{"address-formatted-pidflo": "{remote.pidflo?}"}', '{}', 'add'),
    -- The address in words too, so that a changed one goes to the carrier.
    (20, 'add', 'POST', '/domains/{object.domain}/addresses/endpoints',
     '{"address-callback-number": "{object.number}", "location-id": "tbs-{network_information.emergency_address_id}", "carrier": "{object.carrier}"}', '{}', 'transient'),
    (20, 'edit', 'PUT', '/domains/{object.domain}/addresses/endpoints/{object.number}',
     '{"location-id": "tbs-{network_information.emergency_address_id}", "carrier": "{object.carrier}"}', '{}', 'add'))
    AS v (position, operation, method, path, body, captures, on_missing);
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, on_missing, shipped) VALUES
    ('netsapiens', 'e911', 10, 'delete', 'DELETE', '/domains/{object.domain}/addresses/{object.address_id}', NULL, 'done', true),
    ('netsapiens', 'e911', 20, 'delete', 'DELETE', '/domains/{object.domain}/addresses/endpoints/{object.number}', '{"carrier": "{object.carrier}"}', 'done', true),
    ('netsapiens', 'e911', 30, 'add', 'PUT', '/domains/{object.domain}/users/{object.user}',
     '{"emergency-address-id": "tbs-{network_information.emergency_address_id}", "caller-id-number-emergency": "{line_usoc.telephone_number|digits}"}', 'transient', true),
    ('netsapiens', 'e911', 30, 'edit', 'PUT', '/domains/{object.domain}/users/{object.user}',
     '{"emergency-address-id": "tbs-{network_information.emergency_address_id}", "caller-id-number-emergency": "{line_usoc.telephone_number|digits}"}', 'add', true),
    ('netsapiens', 'e911', 30, 'delete', 'PUT', '/domains/{object.domain}/users/{object.user}', '{"emergency-address-id": "", "caller-id-number-emergency": "[*]"}', 'done', true);

INSERT INTO tbs.outcome_rule (network_resource_type, service, object_position, operation, position, status_from, status_to, body_path, outcome, description, remedy, shipped) VALUES
    ('netsapiens', 'e911', 10, 'prepare', 10, 200, 299, 'exists ($."address-formatted-pidflo"."ValidationStatus" ? (@ != "VALID"))', 'rejected',
     'no emergency service finds this address', 'correct the emergency address of the network information', true);
