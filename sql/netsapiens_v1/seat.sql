-- Seat: domain ensured, the user (v1: subscriber), its SIP accounts (device), its phones (mac). Extension, device and domain cannot be renamed: new key, new object.
-- A site is not made: v1 has no call for it.

INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template, found_by, find_template, shared, shipped) VALUES
    ('netsapiens_v1', 'domain', 'a tenant, also the SIP domain', '{object.domain}', 'switch_domain', '{object.domain}', true, true),
    ('netsapiens_v1', 'user', 'an extension in a domain', '{object.user}@{object.domain}', 'extension', '{object.user}', false, true),
    ('netsapiens_v1', 'device', 'a SIP account of a user', '{object.device}@{object.domain}', 'sip_account', '{object.device}', false, true),
    ('netsapiens_v1', 'phone', 'a phone by its MAC, with up to 8 line keys', '{object.mac}', 'mac', '{object.mac}', true, true);

-- A phone's domain is part of its identity: a change cannot say another one, so it is removed there and made here.
INSERT INTO tbs.service_object (network_resource_type, service, position, kind, for_each, identity, values_from, shipped) VALUES
    ('netsapiens_v1', 'seat', 10, 'domain', NULL, '{"domain": "{network_information.switch_domain}"}', 'network_information_parent', true),
    ('netsapiens_v1', 'seat', 30, 'user', NULL, '{"domain": "{network_information.switch_domain}", "user": "{line.extension}"}', 'line_usoc', true),
    ('netsapiens_v1', 'seat', 40, 'device', '$.sip_accounts[*]',
     '{"domain": "{network_information.switch_domain}", "user": "{line.extension}", "device": "{item.sip_account}"}', 'device', true),
    ('netsapiens_v1', 'seat', 50, 'phone', '$.devices[*] ? (@.mac != null)', '{"domain": "{network_information.switch_domain}", "mac": "{item.mac|mac}"}', 'device', true);

-- A create of a domain takes its limits only, the rest is a change. What a domain that is there already has is left alone.
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, query, body, body_format, accepts, on_exists, on_missing, edit_follows, shipped) VALUES
    ('netsapiens_v1', 'seat', 10, 'add', 'POST', '/', '{"object": "domain", "action": "create"}',
     '{"format": "json", "domain": "{object.domain}", "territory": "{values.territory}", "description": "{object.domain}"}', 'form',
     '{description,call_limit,call_limit_ext,max_user,max_call_queue,max_aa,max_conference,max_department,max_site,max_device}', 'done', 'fail', true, true),
    ('netsapiens_v1', 'seat', 10, 'edit', 'POST', '/', '{"object": "domain", "action": "update"}',
     '{"format": "json", "domain": "{object.domain}", "description": "{object.domain}"}', 'form',
     '{description,resi,dial_plan,dial_policy,call_limit,call_limit_ext,sub_limit,max_user,max_call_queue,max_aa,max_conference,max_department,max_site,max_device}',
     'look', 'add', false, true),
    ('netsapiens_v1', 'seat', 10, 'delete', 'POST', '/', '{"object": "domain", "action": "delete"}', '{"format": "json", "domain": "{object.domain}"}', 'form',
     '{}', 'look', 'done', false, true),
    ('netsapiens_v1', 'seat', 10, 'look', 'POST', '/', '{"object": "domain", "action": "read"}', '{"format": "json", "domain": "{object.domain}"}', 'form',
     '{}', 'look', 'fail', false, true);

-- srv_code carries our marker, by which a look knows our own users. The voicemail PIN can only be said when a user is made.
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, query, body, body_format, accepts, is_ours, on_exists, on_missing, shipped) VALUES
    ('netsapiens_v1', 'seat', 30, 'add', 'POST', '/', '{"object": "subscriber", "action": "create"}',
     '{"format": "json", "domain": "{object.domain}", "user": "{object.user}", "srv_code": "{line.marker}", "subscriber_pin": "{secret.voicemail_pin}"}', 'form',
     '{first_name,last_name,email,scope,group,time_zone,dial_plan,dial_policy,area_code,callid_name,callid_nmbr,callid_emgr,no_answer_timeout,call_limit,language,dir,dir_anc,dir_list}',
     NULL, 'look', 'transient', true),
    ('netsapiens_v1', 'seat', 30, 'edit', 'POST', '/', '{"object": "subscriber", "action": "update"}',
     '{"format": "json", "uid": "{object.user}@{object.domain}", "srv_code": "{line.marker}"}', 'form',
     '{first_name,last_name,email,scope,group,time_zone,dial_plan,dial_policy,area_code,callid_name,callid_nmbr,callid_emgr,no_answer_timeout,call_limit,language,dir,dir_anc,dir_list}',
     NULL, 'look', 'add', true),
    ('netsapiens_v1', 'seat', 30, 'delete', 'POST', '/', '{"object": "subscriber", "action": "delete"}', '{"format": "json", "uid": "{object.user}@{object.domain}"}', 'form',
     '{}', NULL, 'look', 'done', true),
    ('netsapiens_v1', 'seat', 30, 'look', 'POST', '/', '{"object": "subscriber", "action": "read"}', '{"format": "json", "domain": "{object.domain}", "user": "{object.user}"}', 'form',
     '{}', '$.**.srv_code == $marker', 'look', 'fail', true);

-- A create cannot say the password: a change follows it. mac and model have to be there, and are the business of the phone.
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, query, body, body_format, accepts, on_exists, on_missing, edit_follows, shipped) VALUES
    ('netsapiens_v1', 'seat', 40, 'add', 'POST', '/', '{"object": "device", "action": "create"}',
     '{"format": "json", "domain": "{object.domain}", "device": "sip:{object.device}@{object.domain}", "user": "{object.user}", "mac": "", "model": ""}', 'form',
     '{}', 'edit', 'transient', true, true),
    ('netsapiens_v1', 'seat', 40, 'edit', 'POST', '/', '{"object": "device", "action": "update"}',
     '{"format": "json", "device": "sip:{object.device}@{object.domain}", "domain": "{object.domain}", "transport": "{values.transport}", "authentication_key": "{item.secret.sip_password}"}', 'form',
     '{call_processing_rule}', 'look', 'add', false, true),
    ('netsapiens_v1', 'seat', 40, 'delete', 'POST', '/', '{"object": "device", "action": "delete"}',
     '{"format": "json", "device": "sip:{object.device}@{object.domain}", "termination_match": "{object.domain}"}', 'form', '{}', 'look', 'done', false, true),
    ('netsapiens_v1', 'seat', 40, 'look', 'POST', '/', '{"object": "device", "action": "read"}',
     '{"format": "json", "domain": "{object.domain}", "device": "sip:{object.device}@{object.domain}"}', 'form', '{}', 'look', 'fail', false, true);

-- A read wants extension and checkExistance (the vendor's spelling) as well; the MAC alone is to decide.
-- All line keys in one document, empty ones too: a field left out of a change would keep its old value on the switch.
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, query, body, body_format, accepts, on_exists, on_missing, shipped)
SELECT 'netsapiens_v1', 'seat', 50, o.operation, 'POST', '/', jsonb_build_object('object', 'mac', 'action', o.action),
       o.own || '{"format": "json", "mac": "{object.mac}", "model": "{item.brand?} {item.model?}"}'
       || (SELECT jsonb_object_agg('device' || n, format('{item.line_keys.%s.sip_uri|default:}', n))
                  || jsonb_object_agg('line' || n || '_enable', format('{item.line_keys.%s.enabled|default:no}', n))
                  || jsonb_object_agg('line' || n || '_share', format('{item.line_keys.%s.shared|yes_no|default:no}', n))
           FROM generate_series(1, 8) AS n),
       'form', '{transport,server,notes,overrides,redundancy,presence,dir_inc}', 'edit', o.on_missing, true
FROM (VALUES ('add', 'create', '{"domain": "{object.domain}"}'::jsonb, 'transient'), ('edit', 'update', '{}', 'add')) AS o (operation, action, own, on_missing);
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, query, body, body_format, on_missing, shipped) VALUES
    ('netsapiens_v1', 'seat', 50, 'delete', 'POST', '/', '{"object": "mac", "action": "delete"}', '{"format": "json", "mac": "{object.mac}", "domain": "{object.domain}"}', 'form', 'done', true),
    ('netsapiens_v1', 'seat', 50, 'look', 'POST', '/', '{"object": "mac", "action": "read"}', '{"format": "json", "mac": "{object.mac}", "extension": "", "checkExistance": "yes"}', 'form', 'fail', true);
