-- The stand-in switch is the first network resource of this stand. Its key is in a file that only the bridge reads.
SELECT name, network_resource_type, state, environment, authentication ->> 'kind' AS authentication
FROM tbs.network_resource;

-- Billing's catalogue. A USOC that no network resource knows is normal: a surcharge is a line on a bill, and no more.
INSERT INTO tbs.master_usoc (usoc, description) VALUES
    ('SEAT',    'Hosted seat'),
    ('SEATPRO', 'Hosted seat with call limits of its own'),
    ('DID',     'Telephone number'),
    ('FUSF',    'Federal universal service fund surcharge');

-- What they mean on the switch. Both seats mean the same service, with different values.
INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service, parameters, position)
SELECT a.usoc, r.network_resource_id, a.service, a.parameters::jsonb, a.position
FROM tbs.network_resource AS r,
     (VALUES ('SEAT',    'seat',         '{"dial-policy": "US and Canada"}', 1),
             ('SEATPRO', 'seat',         '{"dial-policy": "International", "limits-max-active-calls-total": "4"}', 1),
             ('DID',     'phone_number', '{}', 2)) AS a (usoc, service, parameters, position)
WHERE r.name = 'ns-east';

-- A value for every user of the switch, from now on, without touching any template.
INSERT INTO tbs.network_resource_default (network_resource_type, network_resource_id, name, value)
SELECT network_resource_type, network_resource_id, 'ring-no-answer-timeout-seconds', '"25"'
FROM tbs.network_resource WHERE name = 'ns-east';

-- As shipped, an activity may use 8 calls and then waits for a person. A demo is impatient: 2 calls, at once.
INSERT INTO tbs.activity_policy (network_resource_id, maximum_calls, first_retry)
SELECT network_resource_id, 2, '0.2 seconds' FROM tbs.network_resource WHERE name = 'ns-east';

-- A resource that is down is probed every 15 seconds as shipped.
UPDATE tbs.network_resource SET probe_interval = '1 second' WHERE name = 'ns-east';
