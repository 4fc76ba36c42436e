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
