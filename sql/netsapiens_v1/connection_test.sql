-- Connection test: a read that needs good credentials of any kind.

INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template, shared, shipped) VALUES
    ('netsapiens_v1', 'switch', 'the switch itself', '{object.name}', true, true);
INSERT INTO tbs.service_object (network_resource_type, service, position, kind, identity, values_from, shipped) VALUES
    ('netsapiens_v1', 'connection_test', 1, 'switch', '{"name": "{resource.name}"}', 'resource_default', true);
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, query, body, body_format, shipped) VALUES
    ('netsapiens_v1', 'connection_test', 1, 'look', 'POST', '/', '{"object": "domain", "action": "count"}', '{"format": "json"}', 'form', true);
