-- Seat: domain and site ensured, the user, its SIP accounts, its phones. Extension, device and domain cannot be renamed: new key, new object.
-- A member of a user has one owner: what voicemail, caller_id, dial_permission and e911 own is theirs, and not the seat's.

INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template, found_by, find_template, shared, shipped) VALUES
    ('netsapiens', 'domain', 'a tenant, also the SIP domain', '{object.domain}', 'switch_domain', '{object.domain}', true, true),
    ('netsapiens', 'site', 'a site of a domain', '{object.site}@{object.domain}', NULL, NULL, true, true),
    ('netsapiens', 'user', 'an extension in a domain', '{object.user}@{object.domain}', 'extension', '{object.user}', false, true),
    ('netsapiens', 'device', 'a SIP account of a user', '{object.device}@{object.domain}', 'sip_account', '{object.device}', false, true),
    ('netsapiens', 'phone', 'a phone by its MAC, with up to 8 line keys', '{object.mac}', 'mac', '{object.mac}', true, true);
INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template, found_by, find_template, part_of, shipped) VALUES
    ('netsapiens', 'dial_policy', 'what a user may dial', '{object.user}@{object.domain}', 'extension', '{object.user}', 'user', true);

INSERT INTO tbs.service_object (network_resource_type, service, position, kind, for_each, identity, values_from, unless_service, removal_value, shipped) VALUES
    ('netsapiens', 'seat', 10, 'domain', NULL, '{"domain": "{network_information.switch_domain}"}', 'network_information_parent', '{}', 'domain-removal', true),
    ('netsapiens', 'seat', 20, 'site', '$.network_information ? (@.parent_id != null && @.site != null)',
     '{"domain": "{network_information.switch_domain}", "site": "{network_information.site}"}', 'network_information', '{}', NULL, true),
    ('netsapiens', 'seat', 30, 'user', NULL, '{"domain": "{network_information.switch_domain}", "user": "{line.extension}"}', 'line_usoc', '{}', NULL, true),
    -- Where there is such a value for the seat: always while the line is suspended. A dial_permission of the line has the say instead.
    ('netsapiens', 'seat', 35, 'dial_policy', '$.event ? (exists ($.layers[*].parameters."dial-policy"))',
     '{"domain": "{network_information.switch_domain}", "user": "{line.extension}"}', 'line_usoc', '{dial_permission}', NULL, true),
    ('netsapiens', 'seat', 40, 'device', '$.sip_accounts[*]',
     '{"domain": "{network_information.switch_domain}", "user": "{line.extension}", "device": "{item.sip_account}"}', 'device', '{sip_account}', NULL, true),
    ('netsapiens', 'seat', 50, 'phone', '$.devices[*] ? (@.mac != null)', '{"mac": "{item.mac|mac}"}', 'device', '{phone}', NULL, true);

-- The domain record itself is the farthest layer it may take values from, so that two lines never send different ones.
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts, on_exists, on_missing, shipped) VALUES
    ('netsapiens', 'seat', 10, 'add', 'POST', '/domains',
     '{"synchronous": "yes", "domain": "{object.domain}", "reseller": "{values.reseller}", "description": "{object.domain}"}',
     '{description,domain-type,dial-plan,dial-policy,area-code,caller-id-name,caller-id-number,caller-id-number-emergency,time-zone,language-token,voicemail-enabled,music-on-hold-enabled,limits-max-users,limits-max-active-calls-total,limits-max-sites,limits-max-call-queues}',
     'done', 'fail', true),
    ('netsapiens', 'seat', 10, 'edit', 'PUT', '/domains/{object.domain}',
     '{"description": "{object.domain}"}',
     '{description,domain-type,dial-plan,dial-policy,area-code,caller-id-name,caller-id-number,caller-id-number-emergency,time-zone,language-token,voicemail-enabled,music-on-hold-enabled,limits-max-users,limits-max-active-calls-total,limits-max-sites,limits-max-call-queues}',
     'look', 'add', true),
    ('netsapiens', 'seat', 10, 'delete', 'DELETE', '/domains/{object.domain}', NULL, '{}', 'look', 'done', true),
    ('netsapiens', 'seat', 10, 'look', 'GET', '/domains/{object.domain}', NULL, '{}', 'look', 'fail', true),
    -- Sites cannot be deleted (the API has no such call).
    ('netsapiens', 'seat', 20, 'add', 'POST', '/domains/{object.domain}/sites', '{"synchronous": "yes", "site": "{object.site}"}',
     '{dial-plan,dial-policy,area-code,caller-id-name,caller-id-number,caller-id-number-emergency,time-zone}', 'edit', 'transient', true),
    ('netsapiens', 'seat', 20, 'edit', 'PUT', '/domains/{object.domain}/sites/{object.site}', '{}',
     '{dial-plan,dial-policy,area-code,caller-id-name,caller-id-number,caller-id-number-emergency,time-zone}', 'look', 'add', true);

-- service-code carries our marker, by which a look knows our own users.
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts, is_ours, on_exists, on_missing, shipped) VALUES
    ('netsapiens', 'seat', 30, 'add', 'POST', '/domains/{object.domain}/users',
     '{"synchronous": "yes", "user": "{object.user}", "name-first-name": "{values.name-first-name}", "name-last-name": "{values.name-last-name}", "email-address": "{values.email-address}", "user-scope": "{values.user-scope}", "service-code": "{line.marker}", "site": "{network_information.site?}"}',
     '{name-first-name,name-last-name,email-address,user-scope,department,time-zone,dial-plan,area-code,ring-no-answer-timeout-seconds,limits-max-active-calls-total,language-token,directory-announce-in-dial-by-name-enabled,directory-name-visible-in-list-enabled}',
     NULL, 'look', 'transient', true),
    ('netsapiens', 'seat', 30, 'edit', 'PUT', '/domains/{object.domain}/users/{object.user}',
     '{"name-first-name": "{values.name-first-name}", "name-last-name": "{values.name-last-name}", "email-address": "{values.email-address}", "user-scope": "{values.user-scope}", "service-code": "{line.marker}", "site": "{network_information.site?}"}',
     '{name-first-name,name-last-name,email-address,user-scope,department,time-zone,dial-plan,area-code,ring-no-answer-timeout-seconds,limits-max-active-calls-total,language-token,directory-announce-in-dial-by-name-enabled,directory-name-visible-in-list-enabled}',
     NULL, 'look', 'add', true),
    ('netsapiens', 'seat', 30, 'delete', 'DELETE', '/domains/{object.domain}/users/{object.user}', NULL, '{}', NULL, 'look', 'done', true),
    ('netsapiens', 'seat', 30, 'look', 'GET', '/domains/{object.domain}/users/{object.user}', NULL, '{}', '$."service-code" == $marker', 'look', 'fail', true),
    ('netsapiens', 'seat', 35, 'add', 'PUT', '/domains/{object.domain}/users/{object.user}', '{}', '{dial-policy}', NULL, 'look', 'transient', true),
    ('netsapiens', 'seat', 35, 'edit', 'PUT', '/domains/{object.domain}/users/{object.user}', '{}', '{dial-policy}', NULL, 'look', 'add', true),
    ('netsapiens', 'seat', 35, 'delete', 'PUT', '/domains/{object.domain}/users/{object.user}', '{"dial-policy": ""}', '{}', NULL, 'look', 'done', true),
    ('netsapiens', 'seat', 40, 'add', 'POST', '/domains/{object.domain}/users/{object.user}/devices',
     '{"synchronous": "yes", "device": "{object.device}", "device-sip-registration-password": "{item.secret.sip_password}"}',
     '{device-sip-registration-expiry-seconds,device-srtp-enabled,device-sip-nat-traversal-enabled,device-sip-allowed-user-agent,auto-answer-enabled,caller-id-number-emergency}',
     NULL, 'edit', 'transient', true),
    -- A password is changed in place, never by delete and create.
    ('netsapiens', 'seat', 40, 'edit', 'PUT', '/domains/{object.domain}/users/{object.user}/devices/{object.device}',
     '{"device-sip-registration-password": "{item.secret.sip_password}"}',
     '{device-sip-registration-expiry-seconds,device-srtp-enabled,device-sip-nat-traversal-enabled,device-sip-allowed-user-agent,auto-answer-enabled,caller-id-number-emergency}',
     NULL, 'look', 'add', true),
    ('netsapiens', 'seat', 40, 'delete', 'DELETE', '/domains/{object.domain}/users/{object.user}/devices/{object.device}', NULL, '{}', NULL, 'look', 'done', true),
    ('netsapiens', 'seat', 40, 'look', 'GET', '/domains/{object.domain}/users/{object.user}/devices/{object.device}', NULL, '{}', NULL, 'look', 'fail', true);

-- All line keys in one document, empty ones too: a member left out of a change would keep its old value on the switch.
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts, on_exists, on_missing, shipped)
SELECT 'netsapiens', 'seat', 50, o.operation, o.method, '/phones',
       '{"device-provisioning-mac-address": "{object.mac}", "domain": "{network_information.switch_domain}", "device-models-brand-and-model": "{item.brand?} {item.model?}"}'::jsonb
       || (SELECT jsonb_object_agg('device-provisioning-sip-uri-' || n, format('{item.line_keys.%s.sip_uri|default:}', n))
                  || jsonb_object_agg('device-provisioning-line-' || n || '-enabled', format('{item.line_keys.%s.enabled|default:no}', n))
                  || jsonb_object_agg('device-provisioning-sip-uri-' || n || '-shared-line-enabled', format('{item.line_keys.%s.shared|yes_no|default:no}', n))
           FROM generate_series(1, 8) AS n),
       '{device-provisioning-registration-core-server,device-provisioning-sip-transport-protocol,device-models-overrides-blob,notes}', 'edit', o.on_missing, true
FROM (VALUES ('add', 'POST', 'transient'), ('edit', 'PUT', 'add')) AS o (operation, method, on_missing);
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, on_missing, shipped) VALUES
    ('netsapiens', 'seat', 50, 'delete', 'DELETE', '/phones', '{"device-provisioning-mac-address": "{object.mac}"}', 'done', true),
    ('netsapiens', 'seat', 50, 'look', 'GET', '/phones/{object.mac}', NULL, 'fail', true);
