-- Call queue: a line with an extension and without devices. The switch wants a user of the same extension with the service code system-queue and without a portal;
-- our mark is in its status message, which nobody sees. Members of the line that are users of the same domain are its agents.

INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template, found_by, find_template, shipped) VALUES
    ('netsapiens', 'call_queue', 'a call queue', '{object.callqueue}@{object.domain}', 'extension', '{object.callqueue}', true),
    ('netsapiens', 'agent', 'an agent of a call queue', '{object.agent} in {object.callqueue}@{object.domain}', 'extension', '{object.callqueue}', true);

INSERT INTO tbs.service_object (network_resource_type, service, position, kind, for_each, identity, values_from, removal_value, shipped)
SELECT s.network_resource_type, 'call_queue', s.position, s.kind, s.for_each, s.identity, s.values_from, s.removal_value, true
FROM tbs.service_object AS s WHERE s.network_resource_type = 'netsapiens' AND s.service = 'seat' AND s.kind IN ('domain', 'site', 'user');
-- Agents log in and out themselves: they are not sent again unchanged.
INSERT INTO tbs.service_object (network_resource_type, service, position, kind, for_each, identity, values_from, never_repeat, shipped) VALUES
    ('netsapiens', 'call_queue', 40, 'call_queue', NULL, '{"domain": "{network_information.switch_domain}", "callqueue": "{line.extension}"}', 'line_usoc', false, true),
    ('netsapiens', 'call_queue', 50, 'agent', '$.members[*] ? (@.is_user == true && @.extension != null && @.switch_domain == $.network_information.switch_domain)',
     '{"domain": "{network_information.switch_domain}", "callqueue": "{line.extension}", "agent": "{item.extension}@{item.switch_domain}"}', 'device', true, true);

INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts, on_exists, on_missing, shipped)
SELECT a.network_resource_type, 'call_queue', a.position, a.operation, a.method, a.path, a.body, a.accepts, a.on_exists, a.on_missing, true
FROM tbs.activity_step AS a JOIN tbs.service_object AS s ON (s.network_resource_type, s.service, s.position) = (a.network_resource_type, a.service, a.position)
WHERE s.network_resource_type = 'netsapiens' AND s.service = 'seat' AND s.kind IN ('domain', 'site');

INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts, is_ours, on_exists, on_missing, shipped)
SELECT 'netsapiens', 'call_queue', 30, o.operation, o.method, o.path,
       o.body::jsonb || '{"name-first-name": "{values.name-first-name|default:Call}", "name-last-name": "{values.name-last-name|default:Queue}", "email-address": "{values.email-address}", "user-scope": "No Portal", "service-code": "system-queue", "status-message": "{line.marker}", "site": "{network_information.site?}"}',
       '{name-first-name,name-last-name,email-address,time-zone,dial-plan,language-token}', NULL, 'look', o.on_missing, true
FROM (VALUES ('add', 'POST', '/domains/{object.domain}/users', '{"synchronous": "yes", "user": "{object.user}"}', 'transient'),
             ('edit', 'PUT', '/domains/{object.domain}/users/{object.user}', '{}', 'add')) AS o (operation, method, path, body, on_missing);
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, is_ours, on_missing, shipped) VALUES
    ('netsapiens', 'call_queue', 30, 'delete', 'DELETE', '/domains/{object.domain}/users/{object.user}', NULL, 'done', true),
    ('netsapiens', 'call_queue', 30, 'look', 'GET', '/domains/{object.domain}/users/{object.user}', '$."status-message" == $marker', 'fail', true);

INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts, on_exists, on_missing, shipped)
SELECT 'netsapiens', 'call_queue', 40, o.operation, o.method, o.path, o.body::jsonb || '{"description": "{values.name-first-name|default:Call} {values.name-last-name|default:Queue}"}',
       '{callqueue-dispatch-type,callqueue-calculate-statistics,callqueue-agent-dispatch-timeout-seconds,callqueue-force-full-intro-playback,callqueue-max-callback-queueing-hours,callqueue-max-current-callers-to-accept-new-callers,callqueue-max-current-wait-to-accept-new-callers-seconds,callqueue-max-wait-timeout-minutes,callqueue-require-available-agents-to-accept-new-callers,callqueue-agent-auto-logout-after-missed,callqueue-sim-ring-1st-round,callqueue-sim-ring-increment,recording-configuration}',
       'edit', o.on_missing, true
FROM (VALUES ('add', 'POST', '/domains/{object.domain}/callqueues', '{"synchronous": "yes", "callqueue": "{object.callqueue}", "domain": "{object.domain}"}', 'transient'),
             ('edit', 'PUT', '/domains/{object.domain}/callqueues/{object.callqueue}', '{}', 'add')) AS o (operation, method, path, body, on_missing);
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, on_missing, shipped) VALUES
    ('netsapiens', 'call_queue', 40, 'delete', 'DELETE', '/domains/{object.domain}/callqueues/{object.callqueue}', 'done', true),
    ('netsapiens', 'call_queue', 40, 'look', 'GET', '/domains/{object.domain}/callqueues/{object.callqueue}', 'fail', true);

INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts, on_exists, on_missing, shipped)
SELECT 'netsapiens', 'call_queue', 50, o.operation, o.method, o.path,
       o.body::jsonb || '{"callqueue-agent-availability-type": "automatic", "callqueue-agent-dispatch-order-ordinal": "{item.position}"}',
       '{callqueue-agent-availability-type,callqueue-agent-wrap-up-allowance-seconds,callqueue-agent-dispatch-queue-priority-ordinal,callqueue-agent-answer-confirmation-enabled}',
       'edit', o.on_missing, true
FROM (VALUES ('add', 'POST', '/domains/{object.domain}/callqueues/{object.callqueue}/agents', '{"synchronous": "yes", "callqueue-agent-id": "{object.agent}"}', 'transient'),
             ('edit', 'PUT', '/domains/{object.domain}/callqueues/{object.callqueue}/agents/{object.agent}', '{}', 'add')) AS o (operation, method, path, body, on_missing);
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, on_missing, shipped) VALUES
    ('netsapiens', 'call_queue', 50, 'delete', 'DELETE', '/domains/{object.domain}/callqueues/{object.callqueue}/agents/{object.agent}', 'done', true),
    ('netsapiens', 'call_queue', 50, 'look', 'GET', '/domains/{object.domain}/callqueues/{object.callqueue}/agents/{object.agent}', 'fail', true);
