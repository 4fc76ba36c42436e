-- Voicemail: members of a user, sold by themselves. On and off are changes of the user, which the seat has made; one that is repeated does no harm. A change does not
-- take a PIN: that comes with the user.

INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template, found_by, find_template, part_of, shipped) VALUES
    ('netsapiens_v1', 'voicemail', 'voicemail of a user', '{object.user}@{object.domain}', 'extension', '{object.user}', 'user', true);
INSERT INTO tbs.service_object (network_resource_type, service, position, kind, identity, values_from, shipped) VALUES
    ('netsapiens_v1', 'voicemail', 10, 'voicemail', '{"domain": "{network_information.switch_domain}", "user": "{line.extension}"}', 'line_usoc', true);
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, query, body, body_format, accepts, on_missing, shipped)
SELECT 'netsapiens_v1', 'voicemail', 10, o.operation, 'POST', '/', '{"object": "subscriber", "action": "update"}',
       jsonb_build_object('format', 'json', 'uid', '{object.user}@{object.domain}', 'vmail_provisioned', o.is_on, 'vmail_enabled', o.is_on), 'form', o.accepts, o.on_missing, true
FROM (VALUES ('add', 'yes', '{vmail_greeting,vmail_notify,vmail_annc_time,vmail_annc_cid,vmail_sort_lifo,vmail_transcribe,data_limit}'::text[], 'transient'),
             ('edit', 'yes', '{vmail_greeting,vmail_notify,vmail_annc_time,vmail_annc_cid,vmail_sort_lifo,vmail_transcribe,data_limit}', 'add'),
             ('delete', 'no', '{}', 'done')) AS o (operation, is_on, accepts, on_missing);
