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
    DELETE FROM tbs.bridge;
    DELETE FROM tbs.line_usoc;
    DELETE FROM tbs.line;
    DELETE FROM tbs.network_information;
    DELETE FROM tbs.customer;
    DELETE FROM tbs.master_usoc_network_resource;
    DELETE FROM tbs.master_usoc;
    DELETE FROM tbs.network_resource;
    DELETE FROM tbs.arming;
    -- Errors name activities.
    ALTER SEQUENCE tbs.activity_activity_id_seq RESTART;
END;
$tear_down$;

CREATE PROCEDURE race.set_up()
LANGUAGE plpgsql
AS $set_up$
BEGIN
    INSERT INTO tbs.network_resource (network_resource_id, name, network_resource_type, base_url, environment) VALUES (1, 'ns', 'netsapiens', 'http://ns.example', 'race');
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
    RETURN format('line %s: %s %s', v_line_id, (take.call).method, (take.call).path);
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

-- activity(line USOC): its first activity on the queue.
CREATE FUNCTION race.activity(line_usoc_id bigint) RETURNS bigint LANGUAGE sql AS $activity$ SELECT min(a.activity_id) FROM tbs.activity AS a WHERE a.line_usoc_id = activity.line_usoc_id $activity$;

CREATE VIEW race.queue AS
SELECT q.line_usoc_id, q.trigger_type, q.result_status FROM tbs.activity_queue AS q ORDER BY q.line_usoc_id, q.activity_id;
CREATE VIEW race.history AS
SELECT h.line_usoc_id, h.event, h.http_status, h.outcome FROM tbs.activity_history AS h WHERE h.line_usoc_id IS NOT NULL ORDER BY h.line_usoc_id, h.activity_history_id;
