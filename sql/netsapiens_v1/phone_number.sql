-- Phone number: a rule of the dial plan "DID Table" that leads to the line's user. It is created as a number in stock and assigned by the change that follows: a create
-- takes no description, so without that nobody could say whose a number is whose create was answered by nothing.

INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template, found_by, find_template, shared, shipped) VALUES
    ('netsapiens_v1', 'phone_number', 'an inbound number (DID)', '{object.number}', 'telephone_number', '+{object.number}', false, true);
INSERT INTO tbs.service_object (network_resource_type, service, position, kind, identity, values_from, shipped) VALUES
    ('netsapiens_v1', 'phone_number', 10, 'phone_number', '{"domain": "{network_information.switch_domain}", "number": "{line_usoc.telephone_number|digits}"}', 'line_usoc', true);
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, query, body, body_format, accepts, is_ours, on_exists, on_missing, edit_follows, shipped) VALUES
    ('netsapiens_v1', 'phone_number', 10, 'add', 'POST', '/', '{"object": "phonenumber", "action": "create"}',
     '{"format": "json", "dest_domain": "{object.domain}", "dialplan": "DID Table", "matchrule": "sip:{object.number}@*", "responder": "AvailableDID", "to_user": "[*]", "to_host": "{object.domain}", "enable": "yes"}',
     'form', '{}', NULL, 'look', 'transient', true, true),
    -- A destination is always sent: without one a change would lose it.
    ('netsapiens_v1', 'phone_number', 10, 'edit', 'POST', '/', '{"object": "phonenumber", "action": "update"}',
     '{"format": "json", "dest_domain": "{object.domain}", "dialplan": "DID Table", "matchrule": "sip:{object.number}@*", "responder": "{values.responder}", "to_user": "{line.extension}", "to_host": "{object.domain}", "plan_description": "{line.marker}", "enable": "yes"}',
     'form', '{responder,parameter,from_name,enable}', NULL, 'look', 'add', false, true),
    ('netsapiens_v1', 'phone_number', 10, 'delete', 'POST', '/', '{"object": "phonenumber", "action": "delete"}',
     '{"format": "json", "domain": "{object.domain}", "dialplan": "DID Table", "matchrule": "sip:{object.number}@*"}', 'form', '{}', NULL, 'look', 'done', false, true),
    -- Ours by the marker in its description; a number in stock is free to take.
    ('netsapiens_v1', 'phone_number', 10, 'look', 'POST', '/', '{"object": "phonenumber", "action": "read"}',
     '{"format": "json", "dialplan": "DID Table", "matchrule": "sip:{object.number}@*"}', 'form', '{}',
     '$.**.plan_description == $marker || $.**.responder == "AvailableDID"', 'look', 'fail', false, true);
