-- What an audit reads. /phones and /phonenumbers are the whole switch in few calls; users, devices and sites are read domain by domain. The limit is 100 by the
-- vendor's document. Aliases: replies of some servers have the names of v1 (the document's own examples do, too).

INSERT INTO tbs.service (network_resource_type, service, description, for_lines, shipped) VALUES
    ('netsapiens', 'audit', 'what the switch has', false, true);
INSERT INTO tbs.activity_type (network_resource_type, service, trigger_type, description, shipped) VALUES
    ('netsapiens', 'audit', 'audit', 'the switch is read', true);

INSERT INTO tbs.audit_step (network_resource_type, kind, position, for_each, path, domain_path, query, applies, identity, domain_member, aliases, empty_values, shipped) VALUES
    ('netsapiens', 'domain', 10, NULL, '/domains', '/domains/{audit.domain}', '{"start": "{page.start}", "limit": "{page.limit}"}', NULL,
     '{"domain": "{item.domain}"}', 'domain',
     '{"territory": "reseller", "dial_plan": "dial-plan", "dial_policy": "dial-policy", "area_code": "area-code", "time_zone": "time-zone", "callid_name": "caller-id-name", "callid_nmbr": "caller-id-number", "callid_emgr": "caller-id-number-emergency"}',
     '{[*]}', true),
    ('netsapiens', 'site', 20, 'domain', '/domains/{parent.domain}/sites', NULL, '{"start": "{page.start}", "limit": "{page.limit}"}', NULL,
     '{"domain": "{parent.domain}", "site": "{item.site}"}', 'domain',
     '{"dial_plan": "dial-plan", "dial_policy": "dial-policy", "area_code": "area-code", "time_zone": "time-zone", "callid_name": "caller-id-name", "callid_nmbr": "caller-id-number", "callid_emgr": "caller-id-number-emergency"}',
     '{[*]}', true),
    -- The user named domain holds the domain's defaults: the switch makes it.
    ('netsapiens', 'user', 30, 'domain', '/domains/{parent.domain}/users', NULL, '{"start": "{page.start}", "limit": "{page.limit}"}', '$."user" != "domain"',
     '{"domain": "{parent.domain}", "user": "{item.user}"}', 'domain',
     '{"first_name": "name-first-name", "last_name": "name-last-name", "email": "email-address", "scope": "user-scope", "group": "department", "srv_code": "service-code", "dial_plan": "dial-plan", "dial_policy": "dial-policy", "area_code": "area-code", "time_zone": "time-zone", "language": "language-token", "callid_name": "caller-id-name", "callid_nmbr": "caller-id-number", "callid_emgr": "caller-id-number-emergency", "no_answer_timeout": "ring-no-answer-timeout-seconds", "call_limit": "limits-max-active-calls-total", "dir_anc": "directory-announce-in-dial-by-name-enabled", "dir_list": "directory-name-visible-in-list-enabled"}',
     '{[*]}', true),
    ('netsapiens', 'device', 40, 'domain', '/domains/{parent.domain}/devices', NULL, '{"start": "{page.start}", "limit": "{page.limit}"}', NULL,
     '{"domain": "{parent.domain}", "user": "{item.user}", "device": "{item.device}"}', 'domain',
     '{"expires": "device-sip-registration-expiry-seconds", "callid_emgr": "caller-id-number-emergency"}', '{[*]}', true);

INSERT INTO tbs.audit_step (network_resource_type, kind, position, path, domain_path, query, identity, domain_member, aliases, formats, shipped)
SELECT 'netsapiens', 'phone', 50, '/phones', '/domains/{audit.domain}/phones', '{"start": "{page.start}", "limit": "{page.limit}"}',
       '{"mac": "{item.device-provisioning-mac-address|mac}"}', 'domain',
       '{"mac": "device-provisioning-mac-address", "model": "device-models-brand-and-model", "server": "device-provisioning-registration-core-server", "transport": "device-provisioning-sip-transport-protocol", "overrides": "device-models-overrides-blob"}'::jsonb
       || (SELECT jsonb_object_agg('device' || n, 'device-provisioning-sip-uri-' || n) || jsonb_object_agg('line' || n || '_enable', 'device-provisioning-line-' || n || '-enabled')
                  || jsonb_object_agg('line' || n || '_share', 'device-provisioning-sip-uri-' || n || '-shared-line-enabled')
           FROM generate_series(1, 8) AS n),
       '{"device-provisioning-mac-address": "mac"}', true;

INSERT INTO tbs.audit_step (network_resource_type, kind, position, path, domain_path, query, identity, domain_member, aliases, empty_values, shipped) VALUES
    ('netsapiens', 'phone_number', 60, '/phonenumbers', '/domains/{audit.domain}/phonenumbers', '{"start": "{page.start}", "limit": "{page.limit}"}',
     '{"domain": "{item.domain|default:}", "number": "{item.phonenumber|digits}"}', 'domain',
     '{"matchrule": "phonenumber", "responder": "dial-rule-application", "parameter": "dial-rule-parameter", "to_user": "dial-rule-translation-destination-user", "to_host": "dial-rule-translation-destination-host", "from_name": "dial-rule-translation-source-name", "plan_description": "dial-rule-description", "enable": "enabled"}',
     '{[*]}', true);

-- What is sold of a user by itself is in the user's row. Not audited are its PIN, a secret; its answer rules, a call for each user and the subscriber's own; and emergency
-- endpoints: the vendor's document does not say by which name the list gives their number.
INSERT INTO tbs.audit_step (network_resource_type, kind, position, same_list_as, identity, domain_member, aliases, empty_values, shipped)
SELECT 'netsapiens', v.kind, v.position, 'user', '{"domain": "{parent.domain}", "user": "{item.user}"}', 'domain', v.aliases::jsonb, '{[*]}', true
FROM (VALUES
    ('dial_policy', 31, '{"dial_policy": "dial-policy"}'),
    ('voicemail', 32, '{"vmail_enabled": "voicemail-enabled"}'),
    ('caller_id', 33, '{"callid_name": "caller-id-name", "callid_nmbr": "caller-id-number"}'),
    ('emergency_binding', 34, '{"callid_emgr": "caller-id-number-emergency", "address_id": "emergency-address-id"}')) AS v (kind, position, aliases);

-- Agents by domain and not by queue: a removed queue leaves its agents behind. They change themselves how they are available.
INSERT INTO tbs.audit_step (network_resource_type, kind, position, for_each, path, query, identity, domain_member, aliases, ignores, shipped) VALUES
    ('netsapiens', 'call_queue', 70, 'domain', '/domains/{parent.domain}/callqueues', '{"start": "{page.start}", "limit": "{page.limit}"}',
     '{"domain": "{parent.domain}", "callqueue": "{item.callqueue}"}', 'domain', '{"queue": "callqueue", "huntgroup_option": "callqueue-dispatch-type"}', '{}', true),
    ('netsapiens', 'agent', 80, 'domain', '/domains/{parent.domain}/agents', '{"start": "{page.start}", "limit": "{page.limit}"}',
     '{"domain": "{parent.domain}", "callqueue": "{item.callqueue}", "agent": "{item.callqueue-agent-id}"}', 'domain', '{}', '{callqueue-agent-availability-type}', true),
    ('netsapiens', 'emergency_address', 90, 'domain', '/domains/{parent.domain}/addresses', '{"start": "{page.start}", "limit": "{page.limit}"}',
     '{"domain": "{parent.domain}", "address_id": "{item.emergency-address-id}"}', 'domain', '{"address_id": "emergency-address-id"}', '{address-formatted-pidflo}', true);
