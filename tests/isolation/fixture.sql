-- What the specs have in common, loaded once before they run: a small stand with three lines, and a bridge played by hand.
-- Lines 1 and 3 are in domain one, line 2 in domain two; each has a seat, line USOC = line * 10 + 1. Nothing of them is on the switch.
CREATE SCHEMA race;
SET search_path = race;

-- What each bridge has in hand.
CREATE TABLE race.bridge (name text PRIMARY KEY, bridge_id bigint NOT NULL);
CREATE TABLE race.hand (name text, activity_id bigint, call_number integer, line_id bigint);

CREATE PROCEDURE race.tear_down()
LANGUAGE plpgsql
AS $tear_down$
BEGIN
    SET LOCAL session_replication_role = replica;
    DELETE FROM race.bridge;
    DELETE FROM race.hand;
    DELETE FROM tbs.activity;
    DELETE FROM tbs.activity_history;
    DELETE FROM tbs.remote_object_use;
    DELETE FROM tbs.remote_object;
    DELETE FROM tbs.line_usoc_state;
    DELETE FROM tbs.bridge_lease;
    DELETE FROM tbs.bridge;
    DELETE FROM tbs.line_usoc;
    DELETE FROM tbs.line;
    DELETE FROM tbs.network_information;
    DELETE FROM tbs.customer;
    DELETE FROM tbs.master_usoc_network_resource;
    DELETE FROM tbs.master_usoc;
    DELETE FROM tbs.network_resource_condition;
    DELETE FROM tbs.network_resource_failure;
    DELETE FROM tbs.network_resource_removal;
    DELETE FROM tbs.network_resource;
    DELETE FROM tbs.arming;
    -- Errors name activities and bridges.
    ALTER SEQUENCE tbs.activity_activity_id_seq RESTART;
    ALTER SEQUENCE tbs.bridge_bridge_id_seq RESTART;
END;
$tear_down$;

CREATE PROCEDURE race.set_up()
LANGUAGE plpgsql
AS $set_up$
BEGIN
    INSERT INTO tbs.network_resource (network_resource_id, name, network_resource_type, base_url, environment) VALUES (1, 'ns', 'netsapiens', 'http://ns.example', 'race');
    UPDATE tbs.network_resource SET requests_per_second = NULL;
    INSERT INTO tbs.master_usoc (usoc) VALUES ('SEAT'), ('NUMBER');
    INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service) VALUES ('SEAT', 1, 'seat'), ('NUMBER', 1, 'phone_number');
    INSERT INTO tbs.customer (customer_id, account_number, name) VALUES (1, 'A-1', 'Acme');
    INSERT INTO tbs.network_information (network_information_id, customer_id, name, switch_domain) VALUES (1, 1, 'one', 'one'), (2, 1, 'two', 'two');
    INSERT INTO tbs.line (line_id, customer_id, network_information_id, telephone_number, extension, first_name, last_name)
    SELECT n, 1, 2 - n % 2, '+1858555000' || n, '100' || n, 'F' || n, 'L' || n FROM generate_series(1, 3) AS n;
    PERFORM tbs.arm('race');
    INSERT INTO race.bridge (name, bridge_id) SELECT 'one', b.bridge_id FROM tbs.bridge_start('one', '1', 'race') AS b;
    INSERT INTO race.bridge (name, bridge_id) SELECT 'two', b.bridge_id FROM tbs.bridge_start('two', '1', 'race') AS b;
    INSERT INTO tbs.line_usoc (line_usoc_id, line_id, usoc) VALUES (11, 1, 'SEAT'), (21, 2, 'SEAT');
END;
$set_up$;

CREATE FUNCTION race.bridge_id(name text) RETURNS bigint LANGUAGE sql AS $bridge_id$ SELECT b.bridge_id FROM race.bridge AS b WHERE b.name = bridge_id.name $bridge_id$;

CREATE FUNCTION race.take(name text, call tbs.api_call)
RETURNS text
LANGUAGE plpgsql
AS $take$
DECLARE
    v_line_id bigint := (SELECT a.line_id FROM tbs.activity AS a WHERE a.activity_id = (take.call).activity_id);
BEGIN
    INSERT INTO race.hand (name, activity_id, call_number, line_id) VALUES (take.name, (take.call).activity_id, (take.call).call_number, v_line_id);
    RETURN CASE WHEN (take.call).method IS NULL THEN format('line %s: report again', v_line_id) ELSE format('line %s: %s %s', v_line_id, (take.call).method, (take.call).path) END;
END;
$take$;

-- claim(bridge, maximum): the API calls, in the order of their lines.
CREATE FUNCTION race.claim(name text, maximum integer DEFAULT 10)
RETURNS SETOF text
LANGUAGE plpgsql
AS $claim$
DECLARE
    v_call tbs.api_call;
BEGIN
    PERFORM tbs.bridge_configuration(race.bridge_id(claim.name));
    FOR v_call IN SELECT c.* FROM tbs.claim(race.bridge_id(claim.name), claim.maximum) AS c ORDER BY c.activity_id LOOP
        RETURN NEXT race.take(claim.name, v_call);
    END LOOP;
END;
$claim$;

-- report(bridge, status): one answer for all that this bridge has in hand; returns the calls that come back.
CREATE FUNCTION race.report(name text, status integer)
RETURNS SETOF text
LANGUAGE plpgsql
-- A report waits for a line as long as it takes the tester to go on.
SET lock_timeout = '30s'
AS $report$
DECLARE
    v_call tbs.api_call;
    v_ids bigint[];
    v_numbers integer[];
BEGIN
    WITH answered AS (DELETE FROM race.hand AS h WHERE h.name = report.name RETURNING h.activity_id, h.call_number)
    SELECT array_agg(d.activity_id ORDER BY d.activity_id), array_agg(d.call_number ORDER BY d.activity_id) INTO v_ids, v_numbers FROM answered AS d;
    FOR v_call IN SELECT r.* FROM tbs.report(race.bridge_id(report.name), v_ids, v_numbers, array_fill(0, ARRAY[cardinality(v_ids)]), array_fill(report.status, ARRAY[cardinality(v_ids)]),
                                             (SELECT jsonb_agg('{}'::jsonb) FROM unnest(v_ids)), array_fill('{}'::bytea, ARRAY[cardinality(v_ids)]),
                                             array_fill(now(), ARRAY[cardinality(v_ids)]), array_fill(1::bigint, ARRAY[cardinality(v_ids)])) AS r ORDER BY r.activity_id LOOP
        RETURN NEXT race.take(report.name, v_call);
    END LOOP;
END;
$report$;

-- until_empty(bridge): carries out all that is on the queue.
CREATE PROCEDURE race.until_empty(name text)
LANGUAGE plpgsql
AS $until_empty$
BEGIN
    PERFORM race.claim(until_empty.name);
    WHILE EXISTS (SELECT FROM race.hand AS h WHERE h.name = until_empty.name) LOOP
        PERFORM race.report(until_empty.name, 200);
        PERFORM race.claim(until_empty.name);
    END LOOP;
END;
$until_empty$;

-- beat(bridge): what it has lost. It holds what it has in hand.
CREATE FUNCTION race.beat(name text)
RETURNS TABLE (lost bigint[])
LANGUAGE sql
AS $beat$
    SELECT b.lost FROM tbs.bridge_beat(race.bridge_id(beat.name), coalesce((SELECT array_agg(h.activity_id) FROM race.hand AS h WHERE h.name = beat.name), '{}')) AS b;
$beat$;

-- watches(bridge, other, leases): as if it had seen the other one unrenewed for so many leases, between two beats of its own.
CREATE PROCEDURE race.watches(name text, other text, leases numeric)
LANGUAGE sql
AS $watches$
    UPDATE tbs.bridge_lease AS b
    SET beat_at = clock_timestamp(),
        watched = jsonb_build_object(o.bridge_id, jsonb_build_array(o.beat_number, clock_timestamp() - watches.leases * tbs.setting_value('lease')::interval))
    FROM tbs.bridge_lease AS o
    WHERE b.bridge_id = race.bridge_id(watches.name) AND o.bridge_id = race.bridge_id(watches.other);
$watches$;

-- The bridges that run.
CREATE VIEW race.running AS SELECT b.name FROM race.bridge AS b JOIN tbs.bridge AS t USING (bridge_id) WHERE t.ended_at IS NULL ORDER BY b.name;

-- activity(line USOC, n): its n-th activity on the queue.
CREATE FUNCTION race.activity(line_usoc_id bigint, n integer DEFAULT 1)
RETURNS bigint
LANGUAGE sql
AS $activity$
    SELECT a.activity_id FROM tbs.activity AS a WHERE a.line_usoc_id = activity.line_usoc_id ORDER BY a.activity_id OFFSET activity.n - 1 LIMIT 1;
$activity$;

CREATE VIEW race.queue AS
SELECT q.line_usoc_id, q.trigger_type, q.result_status FROM tbs.activity_queue AS q ORDER BY q.line_usoc_id, q.activity_id;
CREATE VIEW race.history AS
SELECT h.line_usoc_id, h.event, h.http_status, h.outcome FROM tbs.activity_history AS h WHERE h.line_usoc_id IS NOT NULL ORDER BY h.line_usoc_id, h.activity_history_id;
