-- Members of a user that are sold by themselves. Each is an object of its own that shares the user's place: added and edited by a PUT of its members, and taken
-- away by a PUT of their off-values where the user stays.

INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template, found_by, find_template, part_of, shipped) VALUES
    ('netsapiens', 'voicemail', 'voicemail of a user', '{object.user}@{object.domain}', 'extension', '{object.user}', 'user', true),
    ('netsapiens', 'voicemail_pin', 'the PIN of a user''s voicemail', '{object.user}@{object.domain}', 'extension', '{object.user}', 'user', true),
    ('netsapiens', 'caller_id', 'what the called see of a user', '{object.user}@{object.domain}', 'extension', '{object.user}', 'user', true);

-- The PIN is the subscriber's to change: it is sent when it was made or rotated here, and never again.
INSERT INTO tbs.service_object (network_resource_type, service, position, kind, identity, values_from, never_repeat, shipped)
SELECT 'netsapiens', v.service, v.position, v.kind, '{"domain": "{network_information.switch_domain}", "user": "{line.extension}"}', 'line_usoc', v.never_repeat, true
FROM (VALUES ('voicemail', 10, 'voicemail', false), ('voicemail', 20, 'voicemail_pin', true), ('caller_id', 10, 'caller_id', false),
             ('dial_permission', 10, 'dial_policy', false)) AS v (service, position, kind, never_repeat);

INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts, on_missing, shipped)
SELECT 'netsapiens', v.service, v.position, o.operation, 'PUT', '/domains/{object.domain}/users/{object.user}', v.body::jsonb, v.accepts::text[], o.on_missing, true
FROM (VALUES
    ('voicemail', 10, '{"voicemail-enabled": "yes"}',
     '{voicemail-user-control-enabled,voicemail-transcription-enabled,voicemail-receive-broadcast-enabled,voicemail-playback-announce-datetime-received,voicemail-playback-announce-caller-id,voicemail-playback-sort-newest-to-oldest,email-send-alert-new-voicemail-enabled,email-send-alert-new-voicemail-behavior,email-send-alert-new-voicemail-cc-list-csv}'),
    ('voicemail', 20, '{"voicemail-login-pin": "{secret.voicemail_pin}"}', '{}'),
    -- The line's own number, where nothing says another one.
    ('caller_id', 10, '{"caller-id-number": "{line_usoc.telephone_number?|digits}"}', '{caller-id-number,caller-id-name,privacy}'),
    ('dial_permission', 10, '{"dial-policy": "{values.dial-policy}"}', '{}')) AS v (service, position, body, accepts)
CROSS JOIN (VALUES ('add', 'transient'), ('edit', 'add')) AS o (operation, on_missing);
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, on_missing, shipped) VALUES
    ('netsapiens', 'voicemail', 10, 'delete', 'PUT', '/domains/{object.domain}/users/{object.user}', '{"voicemail-enabled": "no"}', 'done', true),
    ('netsapiens', 'caller_id', 10, 'delete', 'PUT', '/domains/{object.domain}/users/{object.user}', '{"caller-id-number": "[*]", "privacy": "no"}', 'done', true),
    ('netsapiens', 'dial_permission', 10, 'delete', 'PUT', '/domains/{object.domain}/users/{object.user}', '{"dial-policy": ""}', 'done', true);
