-- Phone number: a number of the domain that rings the line's user, its voicemail or its queue, as dial-rule-application says. A destination is always sent: without
-- one a change would lose it.

INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template, found_by, find_template, shared, shipped) VALUES
    ('netsapiens', 'phone_number', 'an inbound number (DID)', '{object.number}', 'telephone_number', '+{object.number}', false, true);
INSERT INTO tbs.service_object (network_resource_type, service, position, kind, identity, values_from, removal_value, shipped) VALUES
    ('netsapiens', 'phone_number', 10, 'phone_number', '{"domain": "{network_information.switch_domain}", "number": "{line_usoc.telephone_number|digits}"}', 'line_usoc', 'phone-number-removal', true);
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts, is_ours, on_exists, on_missing, shipped) VALUES
    ('netsapiens', 'phone_number', 10, 'add', 'POST', '/domains/{object.domain}/phonenumbers',
     '{"phonenumber": "{object.number}", "dial-rule-application": "{values.dial-rule-application}", "dial-rule-translation-destination-user": "{line.extension}", "dial-rule-translation-destination-host": "{object.domain}", "dial-rule-description": "{line.marker}", "enabled": "yes"}',
     '{dial-rule-application,dial-rule-parameter,dial-rule-translation-source-name,enabled}', NULL, 'look', 'transient', true),
    ('netsapiens', 'phone_number', 10, 'edit', 'PUT', '/domains/{object.domain}/phonenumbers/{object.number}',
     '{"dial-rule-application": "{values.dial-rule-application}", "dial-rule-translation-destination-user": "{line.extension}", "dial-rule-translation-destination-host": "{object.domain}", "dial-rule-description": "{line.marker}", "enabled": "yes"}',
     '{dial-rule-application,dial-rule-parameter,dial-rule-translation-source-name,enabled}', NULL, 'look', 'add', true),
    ('netsapiens', 'phone_number', 10, 'delete', 'DELETE', '/domains/{object.domain}/phonenumbers/{object.number}', NULL, '{}', NULL, 'look', 'done', true),
    -- Back into the stock of its domain, for another line to take.
    ('netsapiens', 'phone_number', 10, 'return', 'PUT', '/domains/{object.domain}/phonenumbers/{object.number}',
     '{"dial-rule-application": "available-number", "dial-rule-parameter": "", "dial-rule-translation-destination-user": "[*]", "dial-rule-translation-destination-host": "[*]", "dial-rule-translation-source-name": "[*]", "dial-rule-description": "", "enabled": "yes"}',
     '{}', NULL, 'look', 'done', true),
    -- Ours by the marker in its description; a number in stock is free to take.
    ('netsapiens', 'phone_number', 10, 'look', 'GET', '/domains/{object.domain}/phonenumbers/{object.number}', NULL, '{}',
     '$."dial-rule-description" == $marker || $."dial-rule-application" == "available-number"', 'look', 'fail', true);
