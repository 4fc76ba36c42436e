-- What operators do with network resources, remote objects and secrets; with activities: operator/activity.sql. Each leaves a row in the history.

CREATE FUNCTION tbs.resync(line_id bigint DEFAULT NULL, customer_id bigint DEFAULT NULL, network_resource_id integer DEFAULT NULL, reason text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $resync$
DECLARE
    v_count bigint;
BEGIN
    PERFORM tbs.need_reason(resync.reason, 'resync');
    IF num_nonnulls(resync.line_id, resync.customer_id, resync.network_resource_id) = 0 THEN
        RAISE EXCEPTION 'nothing to resync is named' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'SELECT tbs.resync(line_id => 1, reason => ''...''); or customer_id, or network_resource_id, or several of them.';
    END IF;
    IF NOT tbs.is_armed() THEN
        RAISE EXCEPTION 'the database is not armed' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT tbs.arm(''reason'');';
    END IF;
    PERFORM tbs.make_history_partitions();
    v_count := tbs.enqueue_resync(
        ARRAY(SELECT lu.line_usoc_id FROM tbs.line_usoc AS lu JOIN tbs.line AS l ON l.line_id = lu.line_id
              WHERE (resync.line_id IS NULL OR l.line_id = resync.line_id) AND (resync.customer_id IS NULL OR l.customer_id = resync.customer_id)
              UNION
              SELECT s.line_usoc_id FROM tbs.line_usoc_state AS s
              WHERE (resync.line_id IS NULL OR s.line_id = resync.line_id) AND (resync.customer_id IS NULL OR s.customer_id = resync.customer_id)),
        resync.network_resource_id, 'resync: ' || resync.reason);
    PERFORM tbs.record_event('resynced', resync.reason, message => format('%s activities', v_count), network_resource_id => resync.network_resource_id, line_id => resync.line_id);
    PERFORM tbs.ring();
    RETURN v_count;
END;
$resync$;
COMMENT ON FUNCTION tbs.resync(bigint, bigint, integer, text) IS
'sends everything again for the line USOCs of a line, a customer or a network resource (several: those in all of them), even what was accepted before; returns the number of activities';

CREATE FUNCTION tbs.pause_network_resource(name text, reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $pause_network_resource$
BEGIN
    PERFORM tbs.need_reason(pause_network_resource.reason, 'pause a network resource');
    PERFORM tbs.pause_resource(tbs.network_resource_named(pause_network_resource.name), pause_network_resource.reason);
END;
$pause_network_resource$;
COMMENT ON FUNCTION tbs.pause_network_resource(text, text) IS 'stops sending to a network resource; changes are still captured; calls in flight end';

CREATE FUNCTION tbs.resume_network_resource(name text, reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $resume_network_resource$
DECLARE
    v_network_resource_id integer := tbs.network_resource_named(resume_network_resource.name);
BEGIN
    PERFORM tbs.need_reason(resume_network_resource.reason, 'resume a network resource');
    UPDATE tbs.network_resource AS r SET state = 'active', paused_at = NULL, pause_reason = NULL WHERE r.network_resource_id = v_network_resource_id AND r.state = 'paused';
    IF FOUND THEN
        PERFORM tbs.start_ramp(v_network_resource_id);
        -- What bridges had sent before does not pause it again, and they log on anew.
        UPDATE tbs.configuration_version SET version = version + 1;
    ELSE
        RAISE EXCEPTION 'network resource "%" is not paused', resume_network_resource.name USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    PERFORM tbs.record_event('resumed', resume_network_resource.reason, network_resource_id => v_network_resource_id);
    PERFORM tbs.ring();
END;
$resume_network_resource$;
COMMENT ON FUNCTION tbs.resume_network_resource(text, text) IS 'sends to a paused network resource again; raises object_not_in_prerequisite_state (55000) when it is not paused';

CREATE FUNCTION tbs.network_resource_named(name text)
RETURNS integer
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $network_resource_named$
DECLARE
    v_network_resource_id integer;
BEGIN
    SELECT r.network_resource_id INTO v_network_resource_id FROM tbs.network_resource AS r WHERE r.name = network_resource_named.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown network resource: "%"', network_resource_named.name
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name, network_resource_type, state FROM tbs.network_resource;';
    END IF;
    RETURN v_network_resource_id;
END;
$network_resource_named$;
COMMENT ON FUNCTION tbs.network_resource_named(text) IS 'internal: id of a network resource; raises undefined_object (42704)';

CREATE FUNCTION tbs.test_network_resource(name text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $test_network_resource$
DECLARE
    v_activity_id bigint;
BEGIN
    IF NOT tbs.is_armed() THEN
        RAISE EXCEPTION 'the database is not armed' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT tbs.arm(''reason'');';
    END IF;
    INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, trigger_description)
    SELECT t.activity_type_id, r.network_resource_id, 0, 0, 'connection test'
    FROM tbs.network_resource AS r JOIN tbs.activity_type AS t ON t.network_resource_type = r.network_resource_type AND t.trigger_type = 'test'
    WHERE r.network_resource_id = tbs.network_resource_named(test_network_resource.name)
    RETURNING activity_id INTO v_activity_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the type of network resource "%" has no connection test', test_network_resource.name USING ERRCODE = 'feature_not_supported';
    END IF;
    PERFORM tbs.ring();
    RETURN v_activity_id;
END;
$test_network_resource$;
COMMENT ON FUNCTION tbs.test_network_resource(text) IS 'puts a connection test of a network resource on the queue and returns its activity; the result is in tbs.activity_log';

-- record_as_present: an object of a plan is there as the plan wants it, without a call. Not settled: its content is somebody's word, so the next change sends it.
CREATE FUNCTION tbs.record_as_present(resource tbs.network_resource, planned tbs.planned_object, line_usoc_id bigint, service text, settled boolean)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $record_as_present$
BEGIN
    -- What has been accepted as it should be needs nobody's word.
    IF planned.operation <> 'none' OR record_as_present.settled THEN
        INSERT INTO tbs.remote_object AS o (network_resource_id, kind, key, identity, find_value, origin, presence, settled, members, accepted, accepted_at, accepted_epoch)
        VALUES (resource.network_resource_id, planned.kind, planned.key, planned.identity, planned.find_value, 'adopted', 'present', record_as_present.settled,
                ARRAY(SELECT jsonb_object_keys(planned.content)), planned.content, clock_timestamp(), tbs.accepted_epoch(resource))
        ON CONFLICT ON CONSTRAINT remote_object_key DO UPDATE
        SET origin = CASE WHEN o.origin = 'made' THEN 'made' ELSE 'adopted' END, presence = 'present', settled = excluded.settled, members = excluded.members,
            accepted = excluded.accepted, accepted_at = excluded.accepted_at, accepted_epoch = excluded.accepted_epoch
        WHERE o.in_flight_activity_id IS NULL;
    END IF;
    INSERT INTO tbs.remote_object_use (remote_object_id, line_usoc_id, network_resource_id, service, position, removal)
    SELECT o.remote_object_id, record_as_present.line_usoc_id, resource.network_resource_id, record_as_present.service, planned.position, planned.removal
    FROM tbs.remote_object AS o
    WHERE o.network_resource_id = resource.network_resource_id AND o.kind = planned.kind AND o.key = planned.key
    ON CONFLICT DO NOTHING;
END;
$record_as_present$;
COMMENT ON FUNCTION tbs.record_as_present(tbs.network_resource, tbs.planned_object, bigint, text, boolean) IS 'internal: records a planned remote object as present and as the rows say, and its use by a line USOC';

-- adopt: a remote object that is there already becomes ours without a call.
CREATE FUNCTION tbs.adopt(network_resource text, line_usoc_id bigint, reason text)
RETURNS TABLE (kind text, key text)
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $adopt$
#variable_conflict use_column
DECLARE
    v_resource tbs.network_resource;
    v_association record;
    v_context jsonb;
    v_planned tbs.planned_object;
BEGIN
    PERFORM tbs.need_reason(adopt.reason, 'adopt remote objects');
    SELECT * INTO v_resource FROM tbs.network_resource AS r WHERE r.network_resource_id = tbs.network_resource_named(adopt.network_resource);
    SELECT a.* INTO v_association FROM tbs.line_usoc_association AS a
    WHERE a.line_usoc_id = adopt.line_usoc_id AND a.network_resource_id = v_resource.network_resource_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'line USOC % is not associated with network resource "%"', adopt.line_usoc_id, adopt.network_resource
            USING ERRCODE = 'no_data_found', HINT = 'SELECT * FROM tbs.explain_line(line_id);';
    END IF;
    PERFORM tbs.make_history_partitions();
    PERFORM tbs.lock_lines(ARRAY[v_association.line_id]);
    PERFORM tbs.make_secrets(ARRAY[v_association.line_id], ARRAY[v_resource.network_resource_type], ARRAY[v_association.service]);
    v_context := tbs.activity_context(adopt.line_usoc_id, v_resource.network_resource_id, 'resync');
    FOR v_planned IN
        SELECT p.*
        FROM tbs.plan(adopt.line_usoc_id, v_resource.network_resource_id, v_resource.network_resource_type, v_resource.base_url, v_association.service, v_context, clock_timestamp(), false) AS g
        CROSS JOIN LATERAL unnest(g.plan) AS p
        WHERE p.content IS NOT NULL OR p.error IS NOT NULL
    LOOP
        IF v_planned.error IS NOT NULL THEN
            RAISE EXCEPTION 'cannot adopt %: %', v_planned.kind, v_planned.error USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Member: ' || v_planned.error_member;
        END IF;
        PERFORM tbs.record_as_present(v_resource, v_planned, adopt.line_usoc_id, v_association.service, true);
        kind := v_planned.kind;
        key := v_planned.key;
        RETURN NEXT;
    END LOOP;
    INSERT INTO tbs.line_usoc_state AS s (line_usoc_id, network_resource_id, service, line_id, customer_id, telephone_number, usoc, present, in_step,
                                          last_activity_id, last_result, changed_at)
    VALUES (adopt.line_usoc_id, v_resource.network_resource_id, v_association.service, v_association.line_id, v_association.customer_id,
            v_association.telephone_number, v_association.usoc, true, true, 0, 'adopted', clock_timestamp())
    ON CONFLICT ON CONSTRAINT line_usoc_state_pkey DO UPDATE SET present = true, in_step = true, last_result = 'adopted', changed_at = excluded.changed_at;
    PERFORM tbs.record_event('adopted', adopt.reason, network_resource_id => v_resource.network_resource_id, line_id => v_association.line_id,
                             message => format('line USOC %s', adopt.line_usoc_id));
END;
$adopt$;
COMMENT ON FUNCTION tbs.adopt(text, bigint, text) IS
'records the remote objects of a line USOC as present, ours and as the rows say, without a call; returns them; raises no_data_found (P0002) when the line USOC is not associated with the network resource, invalid_parameter_value (22023) when its data cannot be rendered';

-- Secrets of subscribers.
CREATE FUNCTION tbs.rotate_secret(line_id bigint, account text, reason text, name text DEFAULT 'sip_password')
RETURNS integer
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $rotate_secret$
DECLARE
    v_version integer;
BEGIN
    PERFORM tbs.need_reason(rotate_secret.reason, 'rotate a secret');
    UPDATE tbs.subscriber_secret AS s SET value = tbs.new_secret(rotate_secret.name), version = s.version + 1, changed_at = clock_timestamp()
    WHERE s.line_id = rotate_secret.line_id AND s.account = rotate_secret.account AND s.name = rotate_secret.name
    RETURNING s.version INTO v_version;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'line % has no secret "%" for account "%"', rotate_secret.line_id, rotate_secret.name, rotate_secret.account
            USING ERRCODE = 'no_data_found', DETAIL = 'A secret is made when it is first sent.';
    END IF;
    PERFORM tbs.make_history_partitions();
    PERFORM tbs.record_event('secret_rotated', rotate_secret.reason, line_id => rotate_secret.line_id, message => format('%s of %s', rotate_secret.name, rotate_secret.account));
    IF tbs.is_capturing() THEN
        PERFORM tbs.capture_lines(ARRAY[rotate_secret.line_id], 'line_changed', 'secret rotated');
    END IF;
    RETURN v_version;
END;
$rotate_secret$;
COMMENT ON FUNCTION tbs.rotate_secret(bigint, text, text, text) IS 'makes a new value for a subscriber''s secret and sends it; returns its version; raises no_data_found (P0002) for an unknown one';

CREATE FUNCTION tbs.reveal_secret(line_id bigint, account text, reason text, name text DEFAULT 'sip_password')
RETURNS text
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $reveal_secret$
DECLARE
    v_value text;
BEGIN
    PERFORM tbs.need_reason(reveal_secret.reason, 'reveal a secret');
    SELECT s.value INTO v_value FROM tbs.subscriber_secret AS s
    WHERE s.line_id = reveal_secret.line_id AND s.account = reveal_secret.account AND s.name = reveal_secret.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'line % has no secret "%" for account "%"', reveal_secret.line_id, reveal_secret.name, reveal_secret.account USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM tbs.make_history_partitions();
    PERFORM tbs.record_event('secret_revealed', reveal_secret.reason, line_id => reveal_secret.line_id, message => format('%s of %s', reveal_secret.name, reveal_secret.account));
    RETURN v_value;
END;
$reveal_secret$;
COMMENT ON FUNCTION tbs.reveal_secret(bigint, text, text, text) IS 'the value of a subscriber''s secret; who asked and why is on record; raises no_data_found (P0002) for an unknown one';
