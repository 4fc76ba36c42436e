-- Answer rules: call_forwarding is the rule of the time frame *, which the switch makes with the user and which cannot be removed; answer_rule that of a time frame
-- by name. Subscribers change their rules themselves: they are sent when they are new or the rows say something else, and never again unchanged.

INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template, found_by, find_template, part_of, shipped) VALUES
    ('netsapiens', 'call_forwarding', 'the answer rule of a user for the time frame *', '{object.user}@{object.domain}', 'extension', '{object.user}', 'user', true),
    ('netsapiens', 'answer_rule', 'an answer rule of a user', '{object.time_frame} of {object.user}@{object.domain}', 'extension', '{object.user}', NULL, true);

INSERT INTO tbs.service_object (network_resource_type, service, position, kind, identity, values_from, never_repeat, shipped) VALUES
    ('netsapiens', 'call_forwarding', 10, 'call_forwarding', '{"domain": "{network_information.switch_domain}", "user": "{line.extension}"}', 'line_usoc', true, true),
    ('netsapiens', 'answer_rule', 10, 'answer_rule', '{"domain": "{network_information.switch_domain}", "user": "{line.extension}", "time_frame": "{values.time-frame}"}', 'line_usoc', true, true);

INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts, on_exists, on_missing, shipped)
SELECT 'netsapiens', v.service, 10, v.operation, v.method, v.path, v.body::jsonb,
       '{simultaneous-ring,do-not-disturb,forward-always,forward-on-active,forward-on-busy,forward-no-answer,forward-when-unregistered,forward-on-dnd,forward-on-spam-call,call-screening,phone-numbers-to-allow,phone-numbers-to-reject}',
       'edit', v.on_missing, true
FROM (VALUES
    ('call_forwarding', 'add', 'PUT', '/domains/{object.domain}/users/{object.user}/answerrules/%2A', '{"enabled": "yes"}', 'transient'),
    ('call_forwarding', 'edit', 'PUT', '/domains/{object.domain}/users/{object.user}/answerrules/%2A', '{"enabled": "yes"}', 'add'),
    ('answer_rule', 'add', 'POST', '/domains/{object.domain}/users/{object.user}/answerrules', '{"synchronous": "yes", "time-frame": "{object.time_frame}", "enabled": "yes"}', 'transient'),
    ('answer_rule', 'edit', 'PUT', '/domains/{object.domain}/users/{object.user}/answerrules/{object.time_frame}', '{"enabled": "yes"}', 'add'))
    AS v (service, operation, method, path, body, on_missing);
-- As the switch makes it: all devices of the user ring, and nothing else.
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, on_missing, shipped)
SELECT 'netsapiens', 'call_forwarding', 10, 'delete', 'PUT', '/domains/{object.domain}/users/{object.user}/answerrules/%2A',
       (SELECT jsonb_object_agg(d.name, d.value) FROM tbs.network_resource_default AS d WHERE d.network_resource_type = 'netsapiens' AND d.shipped AND d.description LIKE 'answer rule%')
       || '{"enabled": "yes"}', 'done', true;
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, on_missing, shipped) VALUES
    ('netsapiens', 'answer_rule', 10, 'delete', 'DELETE', '/domains/{object.domain}/users/{object.user}/answerrules/{object.time_frame}', 'done', true),
    ('netsapiens', 'answer_rule', 10, 'look', 'GET', '/domains/{object.domain}/users/{object.user}/answerrules/{object.time_frame}', 'fail', true);
