-- The stand-in switch as the first network resource of a stand, and what turns the system on. base_url and key_file are
-- psql variables. It is not a switch that others use: no limit on requests a second. Running it again changes nothing, except the base URL when the switch had to take another port.
INSERT INTO tbs.network_resource (name, network_resource_type, base_url, environment, authentication)
VALUES ('ns-east', 'netsapiens', :'base_url', 'demo',
        jsonb_build_object('kind', 'bearer', 'token', 'file:' || :'key_file'))
ON CONFLICT (name) DO UPDATE SET base_url = excluded.base_url
WHERE tbs.network_resource.base_url <> excluded.base_url;

UPDATE tbs.network_resource SET requests_per_second = NULL WHERE name = 'ns-east';

SELECT tbs.arm('./tbs up');
