-- SIP accounts and phones sold by themselves, on a line whose seat then leaves them to these: the same objects, made in the same way.

INSERT INTO tbs.service_object (network_resource_type, service, position, kind, for_each, identity, values_from, shipped)
SELECT s.network_resource_type, v.service, 10, s.kind, s.for_each, s.identity, s.values_from, true
FROM (VALUES ('sip_account', 'device'), ('phone', 'phone')) AS v (service, kind)
JOIN tbs.service_object AS s ON s.network_resource_type = 'netsapiens' AND s.service = 'seat' AND s.kind = v.kind;

INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts, on_exists, on_missing, shipped)
SELECT a.network_resource_type, v.service, 10, a.operation, a.method, a.path, a.body, a.accepts, a.on_exists, a.on_missing, true
FROM (VALUES ('sip_account', 'device'), ('phone', 'phone')) AS v (service, kind)
JOIN tbs.service_object AS s ON s.network_resource_type = 'netsapiens' AND s.service = 'seat' AND s.kind = v.kind
JOIN tbs.activity_step AS a ON (a.network_resource_type, a.service, a.position) = (s.network_resource_type, s.service, s.position);
