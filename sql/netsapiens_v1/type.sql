-- Netsapiens API v1: one URL, POST with ?object=...&action=..., form bodies, answers as JSON with format=json. For switches (or operators) that have no v2.
-- Source: the vendor's public collection of v1 calls; every step sends the fields that it lists as mandatory, and none that it does not list.

-- Ten requests a second: to a firewall in front of the switch v1 is one URL, and a published one lets 15 through.
INSERT INTO tbs.network_resource_type (network_resource_type, description, requests_per_second, secret_members, shipped) VALUES
    ('netsapiens_v1', 'Netsapiens VoIP switch, API v1; base URL https://HOST/ns-api', 10,
     '{password,secret,token,pin,pwd,pwd_hash,key,authentication_key,auth_pass,subscriber_pin,smtp_pwd,access_token,refresh_token}', true);

INSERT INTO tbs.service (network_resource_type, service, description, for_lines, requires, secrets, shipped) VALUES
    ('netsapiens_v1', 'connection_test', 'the API answers and takes our credentials', false, '{}', '{}', true),
    ('netsapiens_v1', 'seat', 'a user with its domain, SIP accounts and phones', true, '{}', '{voicemail_pin}', true),
    ('netsapiens_v1', 'phone_number', 'a number that rings the line''s user', true, '{seat}', '{}', true),
    ('netsapiens_v1', 'voicemail', 'voicemail of a user', true, '{seat}', '{}', true);

INSERT INTO tbs.activity_type (network_resource_type, service, trigger_type, description, shipped)
SELECT 'netsapiens_v1', s.service, t.trigger_type, t.description, true
FROM (VALUES ('seat'), ('phone_number'), ('voicemail')) AS s (service)
CROSS JOIN (VALUES ('usoc_added', 'the USOC was put on a line'), ('usoc_edited', 'the USOC of a line was edited'), ('usoc_deleted', 'the USOC was taken off a line'),
                   ('device_changed', 'a device of the line, or its tie, changed'), ('network_information_changed', 'the line''s network information changed'),
                   ('line_changed', 'the line changed'), ('resync', 'everything is sent again')) AS t (trigger_type, description)
-- A device means something to a seat only.
WHERE s.service = 'seat' OR t.trigger_type <> 'device_changed'
UNION ALL
SELECT 'netsapiens_v1', 'connection_test', 'test', 'connection test', true;

INSERT INTO tbs.network_resource_default (network_resource_type, name, value, description, shipped) VALUES
    ('netsapiens_v1', 'scope', '"Basic User"', 'permission role of a new user', true),
    ('netsapiens_v1', 'transport', '"udp"', 'the API wants the member with every change of a SIP account', true),
    ('netsapiens_v1', 'responder', '"sip:start@to-user"', 'what a number does', true);
INSERT INTO tbs.network_resource_default (network_resource_type, name, value, while_suspended, description, shipped) VALUES
    ('netsapiens_v1', 'dial_policy', '"Deny"', true, 'dial policy of a suspended line; it has to exist on the switch', true);

INSERT INTO tbs.value_source (network_resource_type, layer, name, template, shipped) VALUES
    ('netsapiens_v1', 'network_information_parent', 'territory', '{reseller}', true),
    ('netsapiens_v1', 'network_information_parent', 'time_zone', '{time_zone}', true),
    ('netsapiens_v1', 'network_information_parent', 'callid_name', '{caller_id_name}', true),
    ('netsapiens_v1', 'network_information_parent', 'callid_nmbr', '{caller_id_number}', true),
    ('netsapiens_v1', 'network_information', 'time_zone', '{time_zone}', true),
    ('netsapiens_v1', 'network_information', 'callid_name', '{caller_id_name}', true),
    ('netsapiens_v1', 'network_information', 'callid_nmbr', '{caller_id_number}', true),
    ('netsapiens_v1', 'line', 'first_name', '{first_name}', true),
    ('netsapiens_v1', 'line', 'last_name', '{last_name}', true),
    ('netsapiens_v1', 'line', 'email', '{email}', true);

-- A write is answered 202 with an empty body, a read of what is not there 200 with an empty list or one empty row. The content type says nothing: JSON comes as
-- text/html. What begins like a page is one (HTML of a login or a proxy, XML of an error); some servers put an error's code into the document of a 200.
INSERT INTO tbs.outcome_rule (network_resource_type, position, status_from, status_to, operation, body_path, body_pattern, body_is_json, outcome, description, remedy, shipped) VALUES
    ('netsapiens_v1', 10, 200, 299, NULL, NULL, '^\s*<', false, 'transient', 'a page or XML instead of the API''s answer: an error, expired credentials or a wrong URL',
     'check base URL and credentials', true),
    ('netsapiens_v1', 11, 200, 299, 'look', NULL, NULL, false, 'transient', 'a read without a document', 'check base URL and credentials', true),
    ('netsapiens_v1', 20, 200, 299, 'add', '$.code.double() == 409', NULL, NULL, 'exists', 'create of what is there', '', true),
    ('netsapiens_v1', 21, 200, 299, NULL, '$.code.double() == 404', NULL, NULL, 'missing', 'it is not there', '', true),
    ('netsapiens_v1', 22, 200, 299, NULL, '$.code.double() >= 500', NULL, NULL, 'transient', 'the server has a problem', '', true),
    ('netsapiens_v1', 23, 200, 299, NULL, '$.code.double() >= 400', NULL, NULL, 'rejected', 'refused', 'correct the data and save the row again, or retry', true),
    ('netsapiens_v1', 30, 200, 299, 'look', '!exists($.** ? ((@.type() == "string" && @ != "") || @.type() == "number"))', NULL, NULL, 'missing', 'it is not there', '', true),
    ('netsapiens_v1', 40, 404, 404, NULL, NULL, '(?i)<html', false, 'rejected', 'this server does not know the URL; not: the object is missing', 'check the base URL', true),
    ('netsapiens_v1', 41, 404, 404, 'add', NULL, NULL, NULL, 'missing', 'what the new object belongs to is not there (yet)', '', true),
    ('netsapiens_v1', 50, 403, 403, NULL, NULL, '(?i)<html', false, 'throttled', 'refused by a proxy in front of the API', '', true),
    ('netsapiens_v1', 60, 400, 400, 'add', NULL, '(?i)already exist', NULL, 'exists', 'create of what is there', '', true);
