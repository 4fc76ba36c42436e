-- Netsapiens API v2: the resource type, its outcome rules and defaults. Sources: the vendor's OpenAPI document (core 45.0) and docs.ns-api.com.

-- Ten requests a second: a published firewall for these hosts lets 15 through for each path.
INSERT INTO tbs.network_resource_type (network_resource_type, description, requests_per_second, secret_members, shipped) VALUES
    ('netsapiens', 'Netsapiens VoIP switch, API v2; base URL https://HOST/ns-api/v2', 10,
     '{password,secret,token,pin,key,device-sip-registration-password,device-provisioning-password,voicemail-login-pin,access_token,refresh_token,global-one-time-pass}', true);

INSERT INTO tbs.service (network_resource_type, service, description, for_lines, requires, ignores_suspension, secrets, shipped) VALUES
    ('netsapiens', 'connection_test', 'the API answers and takes our credentials', false, '{}', false, '{}', true),
    ('netsapiens', 'seat', 'a user with its domain and site, SIP accounts and phones', true, '{}', false, '{}', true),
    ('netsapiens', 'sip_account', 'the SIP accounts of a user, sold by themselves', true, '{seat}', false, '{}', true),
    ('netsapiens', 'phone', 'the phones of a user, sold by themselves', true, '{seat}', false, '{}', true),
    ('netsapiens', 'call_queue', 'a call queue with its user and its agents', true, '{}', false, '{}', true),
    ('netsapiens', 'phone_number', 'a number that rings the line''s user or queue', true, '{seat|call_queue}', false, '{}', true),
    ('netsapiens', 'voicemail', 'voicemail of a user', true, '{seat}', false, '{voicemail_pin}', true),
    ('netsapiens', 'caller_id', 'what the called see of a user', true, '{seat}', false, '{}', true),
    ('netsapiens', 'dial_permission', 'what a user may dial', true, '{seat}', false, '{}', true),
    ('netsapiens', 'call_forwarding', 'what becomes of a user''s calls: the answer rule that holds when no other does', true, '{seat}', false, '{}', true),
    ('netsapiens', 'answer_rule', 'what becomes of a user''s calls within a time frame', true, '{seat}', false, '{}', true),
    ('netsapiens', 'e911', 'the emergency address of a number and its user', true, '{seat,phone_number}', true, '{}', true);

INSERT INTO tbs.activity_type (network_resource_type, service, trigger_type, description, shipped)
SELECT 'netsapiens', s.service, t.trigger_type, t.description, true
FROM tbs.service AS s
CROSS JOIN (VALUES ('usoc_added', 'the USOC was put on a line'), ('usoc_edited', 'the USOC of a line was edited'), ('usoc_deleted', 'the USOC was taken off a line'),
                   ('device_changed', 'a device of the line, or its tie, changed'), ('network_information_changed', 'the line''s network information changed'),
                   ('line_changed', 'the line changed'), ('resync', 'everything is sent again')) AS t (trigger_type, description)
WHERE s.network_resource_type = 'netsapiens' AND s.for_lines
  -- A device means nothing to the others.
  AND (t.trigger_type <> 'device_changed' OR s.service IN ('seat', 'sip_account', 'phone'))
UNION ALL
SELECT 'netsapiens', 'connection_test', 'test', 'connection test', true;

INSERT INTO tbs.network_resource_default (network_resource_type, name, value, description, shipped) VALUES
    ('netsapiens', 'user-scope', '"Basic User"', 'permission role of a new user', true),
    ('netsapiens', 'email-address', '""', 'the API wants the member; empty where a line has none', true),
    ('netsapiens', 'reseller', '"~"', 'the reseller of the credentials', true),
    ('netsapiens', 'dial-rule-application', '"to-user"', 'what a number does', true),
    ('netsapiens', 'carrier', '"bandwidth"', 'the carrier for emergency calls', true);

-- An answer rule is sent as a whole: what nobody asks for is off, and what rings are the user's own devices, as the switch makes it with a user.
INSERT INTO tbs.network_resource_default (network_resource_type, name, value, description, shipped) VALUES
    ('netsapiens', 'simultaneous-ring', '{"enabled": "yes", "parameters": ["<OwnDevices>"]}', 'answer rule: the user''s devices ring', true),
    ('netsapiens', 'do-not-disturb', '{"enabled": "no"}', 'answer rule', true),
    ('netsapiens', 'call-screening', '{"enabled": "no"}', 'answer rule', true);
INSERT INTO tbs.network_resource_default (network_resource_type, name, value, description, shipped)
SELECT 'netsapiens', n, '{"enabled": "no", "parameters": []}', 'answer rule', true
FROM unnest('{forward-always,forward-on-active,forward-on-busy,forward-no-answer,forward-when-unregistered,forward-on-dnd,forward-on-spam-call,phone-numbers-to-allow,phone-numbers-to-reject}'::text[]) AS n;

-- What a suspension means: a dial policy under which nothing can be dialled. Its name is that of the vendor's own integrations (Freeside's netsapiens
-- export uses "Deny"); an administrator whose switch has another one adds a default of his own.
INSERT INTO tbs.network_resource_default (network_resource_type, name, value, while_suspended, description, shipped) VALUES
    ('netsapiens', 'dial-policy', '"Deny"', true, 'dial policy of a suspended line; it has to exist on the switch', true);

-- Which columns are which values.
INSERT INTO tbs.value_source (network_resource_type, layer, name, template, shipped) VALUES
    ('netsapiens', 'network_information_parent', 'reseller', '{reseller}', true),
    ('netsapiens', 'network_information_parent', 'time-zone', '{time_zone}', true),
    ('netsapiens', 'network_information_parent', 'caller-id-name', '{caller_id_name}', true),
    ('netsapiens', 'network_information_parent', 'caller-id-number', '{caller_id_number}', true),
    ('netsapiens', 'network_information', 'time-zone', '{time_zone}', true),
    ('netsapiens', 'network_information', 'caller-id-name', '{caller_id_name}', true),
    ('netsapiens', 'network_information', 'caller-id-number', '{caller_id_number}', true),
    ('netsapiens', 'line', 'name-first-name', '{first_name}', true),
    ('netsapiens', 'line', 'name-last-name', '{last_name}', true),
    ('netsapiens', 'line', 'email-address', '{email}', true);

INSERT INTO tbs.outcome_rule (network_resource_type, position, status_from, status_to, operation, body_path, body_pattern, body_is_json, outcome, description, remedy, shipped) VALUES
    ('netsapiens', 10, 200, 299, NULL, NULL, '\S', false, 'transient', 'a page instead of the API''s answer: expired credentials or a wrong URL', 'check base URL and credentials', true),
    ('netsapiens', 20, 401, 401, NULL, '$.message like_regex "Invalid Scope"', NULL, NULL, 'rejected', 'the credentials are good, their scope is too low', 'give the API key or user a higher scope', true),
    ('netsapiens', 30, 404, 404, NULL, '$.message like_regex "No Route Found"', NULL, NULL, 'rejected', 'this server does not know the URL; not: the object is missing', 'check the base URL and the server''s version', true),
    ('netsapiens', 40, 404, 404, 'add', NULL, NULL, NULL, 'missing', 'what the new object belongs to is not there (yet)', '', true),
    ('netsapiens', 50, 403, 403, NULL, NULL, NULL, false, 'throttled', 'refused by a proxy in front of the API', '', true),
    ('netsapiens', 55, 409, 409, 'add', '$.message like_regex "login"', NULL, NULL, 'rejected', 'another user of the switch has the login name, in whatever domain', 'give the other user another login name', true),
    ('netsapiens', 60, 400, 400, 'add', '$.message like_regex "already exist" flag "i"', NULL, NULL, 'exists', 'create of what is there', '', true),
    ('netsapiens', 70, 404, 404, 'prepare', NULL, NULL, NULL, 'missing', 'what it is about is not there (yet)', '', true);
