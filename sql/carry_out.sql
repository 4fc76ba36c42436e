-- Carrying out: from an activity whose turn it is to the next API call, or to its end.

CREATE TYPE tbs.api_call AS (
    activity_id          bigint,
    call_number          integer,
    network_resource_id  integer,
    method               text,
    path                 text,
    headers              jsonb,
    body                 text,
    secrets              jsonb,
    timeout_milliseconds integer
);
COMMENT ON TYPE tbs.api_call IS 'a finished request for the bridge; secrets are to be put into the body just before it is sent';

-- A successful, failed or removed activity leaves its mark on the line USOC.
CREATE FUNCTION tbs.note_line_usoc_state(activity tbs.activity, service text, present boolean, in_step boolean, result text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $note_line_usoc_state$
BEGIN
    IF activity.line_usoc_id = 0 THEN
        RETURN;
    END IF;
    IF in_step AND NOT present THEN
        DELETE FROM tbs.line_usoc_state AS s
        WHERE s.line_usoc_id = activity.line_usoc_id AND s.network_resource_id = activity.network_resource_id AND s.service = note_line_usoc_state.service;
        RETURN;
    END IF;
    INSERT INTO tbs.line_usoc_state AS s (line_usoc_id, network_resource_id, service, line_id, customer_id, telephone_number, usoc, present, in_step,
                                          last_activity_id, last_result, changed_at)
    VALUES (activity.line_usoc_id, activity.network_resource_id, note_line_usoc_state.service, activity.line_id, activity.customer_id,
            activity.telephone_number, activity.usoc, coalesce(note_line_usoc_state.present, false), note_line_usoc_state.in_step, activity.activity_id,
            note_line_usoc_state.result, clock_timestamp())
    ON CONFLICT ON CONSTRAINT line_usoc_state_pkey DO UPDATE
    SET line_id = excluded.line_id, customer_id = coalesce(excluded.customer_id, s.customer_id),
        telephone_number = coalesce(excluded.telephone_number, s.telephone_number), usoc = excluded.usoc,
        present = coalesce(note_line_usoc_state.present, s.present), in_step = excluded.in_step,
        last_activity_id = excluded.last_activity_id, last_result = excluded.last_result, changed_at = excluded.changed_at;
END;
$note_line_usoc_state$;
COMMENT ON FUNCTION tbs.note_line_usoc_state(tbs.activity, text, boolean, boolean, text) IS 'internal: keeps line_usoc_state; present null leaves that as it is';

CREATE FUNCTION tbs.activity_service(activity_type_id integer)
RETURNS text
LANGUAGE plpgsql
STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $activity_service$
BEGIN
    RETURN (
        SELECT t.service FROM tbs.activity_type AS t WHERE t.activity_type_id = activity_service.activity_type_id);
END;
$activity_service$;
COMMENT ON FUNCTION tbs.activity_service(integer) IS 'internal: the service of an activity type';

-- What a service's activity has changed may be what activities of the line on other network resources wait for. The line's lock is held.
CREATE FUNCTION tbs.wake_other_resources(activity tbs.activity)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $wake_other_resources$
BEGIN
    UPDATE tbs.activity AS a SET state = 'new'
    WHERE a.line_id = activity.line_id AND a.line_id <> 0 AND a.network_resource_id <> activity.network_resource_id
      AND a.state = 'waiting' AND a.waits_for_object_id IS NULL;
    IF FOUND THEN
        PERFORM tbs.ring();
    END IF;
END;
$wake_other_resources$;
COMMENT ON FUNCTION tbs.wake_other_resources(tbs.activity) IS 'internal: lets activities of the line on other network resources look again whether what they require is in step';

CREATE FUNCTION tbs.succeed_activity(activity tbs.activity, present boolean, message text, event text DEFAULT 'succeeded', reason text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $succeed_activity$
BEGIN
    DELETE FROM tbs.activity AS a WHERE a.activity_id = activity.activity_id;
    PERFORM tbs.record_event(succeed_activity.event, succeed_activity.reason, activity, true, succeed_activity.message);
    PERFORM tbs.note_line_usoc_state(activity, tbs.activity_service(activity.activity_type_id), succeed_activity.present, true, replace(succeed_activity.event, '_', ' '));
    PERFORM tbs.wake_other_resources(activity);
    DELETE FROM tbs.activity_policy AS p WHERE p.activity_id = activity.activity_id;
    -- Its last day of service is known: the removal is on the queue from now on, and due by itself. A later change replaces it.
    INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id, order_number, telephone_number, usoc, user_name,
                              trigger_description, state, due_at)
    SELECT t.activity_type_id, activity.network_resource_id, lu.line_id, lu.line_usoc_id, activity.customer_id, activity.order_number, activity.telephone_number,
           lu.usoc, activity.user_name, format('last day of service %s', lu.disconnect_date), 'scheduled', tbs.beginning_of_day(lu.disconnect_date + 1, activity.network_resource_id)
    FROM tbs.line_usoc AS lu
    JOIN tbs.activity_type AS own ON own.activity_type_id = activity.activity_type_id
    JOIN tbs.activity_type AS t ON t.network_resource_type = own.network_resource_type AND t.service = own.service AND t.trigger_type = 'usoc_deleted'
    WHERE succeed_activity.present AND lu.line_usoc_id = activity.line_usoc_id AND lu.disconnect_date IS NOT NULL
      AND NOT EXISTS (SELECT FROM tbs.activity AS a WHERE a.line_usoc_id = activity.line_usoc_id AND a.network_resource_id = activity.network_resource_id);
END;
$succeed_activity$;
COMMENT ON FUNCTION tbs.succeed_activity(tbs.activity, boolean, text, text, text) IS 'internal: takes a finished activity off the queue, carried out or, by an operator, marked done';

CREATE FUNCTION tbs.fail_activity(activity tbs.activity, outcome text, message text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $fail_activity$
BEGIN
    IF tbs.has_moved(activity) THEN
        -- Its line USOC was put on another line meanwhile: what it failed with there means nothing here.
        UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL, due_at = NULL, calls_used = 0 WHERE a.activity_id = activity.activity_id;
        PERFORM tbs.ring();
        RETURN;
    END IF;
    UPDATE tbs.activity AS a
    SET state = 'failed', bridge_id = NULL, due_at = NULL, last_outcome = fail_activity.outcome, last_message = fail_activity.message
    WHERE a.activity_id = activity.activity_id;
    activity.last_outcome := fail_activity.outcome;
    PERFORM tbs.record_event('failed', NULL, activity, false, fail_activity.message);
    PERFORM tbs.note_line_usoc_state(activity, tbs.activity_service(activity.activity_type_id), NULL, false, 'failed');
END;
$fail_activity$;
COMMENT ON FUNCTION tbs.fail_activity(tbs.activity, text, text) IS 'internal: puts an activity in front of an operator';

CREATE FUNCTION tbs.hold(activity tbs.activity, reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $hold$
BEGIN
    UPDATE tbs.activity AS a SET state = 'held', held_reason = hold.reason, bridge_id = NULL, due_at = NULL WHERE a.activity_id = activity.activity_id;
    PERFORM tbs.record_event('held', hold.reason, activity);
    PERFORM tbs.note_line_usoc_state(activity, tbs.activity_service(activity.activity_type_id), NULL, false, 'held');
END;
$hold$;
COMMENT ON FUNCTION tbs.hold(tbs.activity, text) IS 'internal: keeps an activity on the queue until an operator releases it';

-- What the resource has taken and not carried out yet is looked at instead of being sent again.
CREATE FUNCTION tbs.look_while_in_progress(activity tbs.activity, planned tbs.planned_object)
RETURNS tbs.planned_object
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $look_while_in_progress$
BEGIN
    IF activity.in_progress_since IS NOT NULL AND planned.steps ? 'look' AND planned.remote_object_id = activity.remote_object_id
       AND EXISTS (SELECT FROM tbs.remote_object AS o WHERE o.remote_object_id = planned.remote_object_id AND o.sent IS NOT DISTINCT FROM planned.content) THEN
        planned.operation := 'look';
    END IF;
    RETURN planned;
END;
$look_while_in_progress$;
COMMENT ON FUNCTION tbs.look_while_in_progress(tbs.activity, tbs.planned_object) IS 'internal: turns a call whose effect is still to come into a look';

-- Those who waited for an object's call to end may look again. SKIP LOCKED: a row that is locked is just being decided on by the session that has it;
-- the beat catches what could be missed.
CREATE FUNCTION tbs.wake_object_waiters(remote_object_id bigint)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $wake_object_waiters$
BEGIN
    UPDATE tbs.activity AS a SET state = 'new', waits_for_object_id = NULL
    WHERE a.activity_id IN (SELECT w.activity_id FROM tbs.activity AS w WHERE w.waits_for_object_id = wake_object_waiters.remote_object_id FOR UPDATE SKIP LOCKED);
    IF FOUND THEN
        PERFORM tbs.ring();
    END IF;
END;
$wake_object_waiters$;
COMMENT ON FUNCTION tbs.wake_object_waiters(bigint) IS 'internal: lets activities look again that waited for another call to the same remote object';

-- A PIN is keyed in on a telephone: digits, of the random bits that a version 4 UUID begins with.
CREATE FUNCTION tbs.new_secret(name text)
RETURNS text
LANGUAGE plpgsql
VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $new_secret$
BEGIN
    RETURN CASE WHEN new_secret.name LIKE '%\_pin'
                THEN lpad((('x' || left(replace(gen_random_uuid()::text, '-', ''), 12))::bit(48)::bigint % 1000000)::text, 6, '0')
                ELSE tbs.random_secret(24) END;
END;
$new_secret$;
COMMENT ON FUNCTION tbs.new_secret(text) IS 'internal: a new value for a subscriber''s secret of this name: six digits for a PIN, else 24 letters and digits';

CREATE FUNCTION tbs.make_secrets(line_id bigint, network_resource_type text, service text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $make_secrets$
BEGIN
    INSERT INTO tbs.subscriber_secret (line_id, account, name, value)
    SELECT DISTINCT l.line_id, coalesce(t.sip_account, l.extension), 'sip_password', tbs.new_secret('sip_password')
    FROM tbs.line AS l JOIN tbs.line_device AS t ON t.line_id = l.line_id
    WHERE l.line_id = make_secrets.line_id AND coalesce(t.sip_account, l.extension) IS NOT NULL
      AND NOT EXISTS (SELECT FROM tbs.subscriber_secret AS s
                      WHERE s.line_id = l.line_id AND s.account = coalesce(t.sip_account, l.extension) AND s.name = 'sip_password')
    UNION ALL
    SELECT make_secrets.line_id, '', x.name, tbs.new_secret(x.name)
    FROM tbs.service AS v CROSS JOIN unnest(v.secrets) AS x (name)
    WHERE v.network_resource_type = make_secrets.network_resource_type AND v.service = make_secrets.service
      AND NOT EXISTS (SELECT FROM tbs.subscriber_secret AS s WHERE s.line_id = make_secrets.line_id AND s.account = '' AND s.name = x.name)
    ON CONFLICT DO NOTHING;
END;
$make_secrets$;
COMMENT ON FUNCTION tbs.make_secrets(bigint, text, text) IS 'internal: makes the SIP passwords that a line does not have yet, and the secrets that a service wants of it';

-- Members of an object that another service owns are sent to the same place as the object: no two calls at one time, whichever lines they are for. The lock of
-- the place is only tried, and holds until the call is on record. Returns null when the place is free; the object whose call is under way and that can be waited
-- for; or 0 when somebody is just deciding.
CREATE FUNCTION tbs.who_is_at(object tbs.remote_object, network_resource_type text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $who_is_at$
DECLARE
    v_whole text;
    v_kinds text[];
    v_id bigint;
BEGIN
    SELECT coalesce(k.part_of, k.kind) INTO v_whole FROM tbs.remote_object_kind AS k
    WHERE k.network_resource_type = who_is_at.network_resource_type AND k.kind = object.kind;
    v_kinds := ARRAY(SELECT k.kind FROM tbs.remote_object_kind AS k
                     WHERE k.network_resource_type = who_is_at.network_resource_type AND v_whole IN (k.kind, k.part_of) AND k.kind <> object.kind);
    IF cardinality(v_kinds) = 0 THEN
        RETURN NULL;
    ELSIF NOT pg_try_advisory_xact_lock(hashtextextended(concat_ws(' ', object.network_resource_id, v_whole, object.key), 8460176912405)) THEN
        RETURN 0;
    END IF;
    SELECT o.remote_object_id INTO v_id FROM tbs.remote_object AS o
    WHERE o.network_resource_id = object.network_resource_id AND o.kind = ANY (v_kinds) AND o.key = object.key AND o.in_flight_activity_id IS NOT NULL LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- Its row, so that whoever releases it sees who waits.
    PERFORM FROM tbs.remote_object AS o WHERE o.remote_object_id = v_id AND o.in_flight_activity_id IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED;
    RETURN CASE WHEN FOUND THEN v_id ELSE 0 END;
END;
$who_is_at$;
COMMENT ON FUNCTION tbs.who_is_at(tbs.remote_object, text) IS 'internal: takes the place that an object shares with parts of it; null: it is free; 0: not to be had just now; else the object whose call is under way there';

-- Values of the secrets that a body refers to, for the bridge only.
CREATE FUNCTION tbs.secrets_of_body(body text)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $secrets_of_body$
BEGIN
    RETURN (
        SELECT jsonb_object_agg(m[1], s.value)
        FROM regexp_matches(body, '(__TBS_SECRET_([0-9]+)_([0-9]+)__)', 'g') AS m
        JOIN tbs.subscriber_secret AS s ON s.subscriber_secret_id = m[2]::bigint);
END;
$secrets_of_body$;
COMMENT ON FUNCTION tbs.secrets_of_body(text) IS 'internal: {placeholder: value} for the secrets that a rendered body refers to';

-- send: stores what is about to be sent, takes the remote object, and returns the request. False in sent: the object is busy or has changed.
CREATE FUNCTION tbs.send(bridge_id bigint, activity tbs.activity, planned tbs.planned_object, context jsonb, resource tbs.network_resource,
                         OUT sent boolean, OUT call tbs.api_call)
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $send$
DECLARE
    v_object tbs.remote_object;
    v_request record;
    v_timeout integer;
    v_other bigint;
BEGIN
    sent := false;
    -- The row stays locked until the end of the transaction: whoever releases the object sees that this activity waits for it.
    SELECT * INTO STRICT v_object FROM tbs.remote_object AS o WHERE o.remote_object_id = planned.remote_object_id FOR NO KEY UPDATE;
    IF v_object.in_flight_activity_id IS NOT NULL THEN
        UPDATE tbs.activity AS a SET state = 'waiting', waits_for_object_id = v_object.remote_object_id, bridge_id = NULL WHERE a.activity_id = activity.activity_id;
        RETURN;
    END IF;
    IF (v_object.sent_at, v_object.accepted_at) IS DISTINCT FROM (planned.sent_at, planned.accepted_at) THEN
        UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL WHERE a.activity_id = activity.activity_id;
        PERFORM tbs.ring();
        RETURN;
    END IF;
    v_other := tbs.who_is_at(v_object, resource.network_resource_type);
    IF v_other > 0 THEN
        UPDATE tbs.activity AS a SET state = 'waiting', waits_for_object_id = v_other, bridge_id = NULL WHERE a.activity_id = activity.activity_id;
        RETURN;
    ELSIF v_other = 0 THEN
        UPDATE tbs.activity AS a SET state = 'retry', bridge_id = NULL, due_at = clock_timestamp() + interval '50 milliseconds' WHERE a.activity_id = activity.activity_id;
        RETURN;
    END IF;
    -- What several lines share, and nobody used when this was planned: somebody may have begun to since.
    IF planned.operation = 'delete' AND planned.content IS NULL AND EXISTS (
           SELECT FROM tbs.remote_object_use AS x
           JOIN tbs.remote_object_kind AS k ON k.network_resource_type = resource.network_resource_type AND k.kind = v_object.kind AND k.shared
           WHERE x.remote_object_id = v_object.remote_object_id
             AND (x.line_usoc_id, x.service) <> (activity.line_usoc_id, tbs.activity_service(activity.activity_type_id))) THEN
        UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL WHERE a.activity_id = activity.activity_id;
        PERFORM tbs.ring();
        RETURN;
    END IF;
    SELECT * INTO v_request FROM tbs.planned_request(planned, send.context, resource);
    IF v_request.error IS NOT NULL THEN
        PERFORM tbs.fail_activity(activity, 'rejected', format('%s %s, %s: %s', planned.operation, planned.kind, v_request.error_member, v_request.error));
        RETURN;
    END IF;
    UPDATE tbs.remote_object AS o
    SET in_flight_activity_id = activity.activity_id, presence_before = o.presence, settled_before = o.settled,
        presence = CASE WHEN planned.operation IN ('add', 'delete') THEN 'perhaps' ELSE o.presence END,
        settled = o.settled AND planned.operation IN ('look', 'prepare'),
        identity = coalesce(planned.identity, o.identity), find_value = coalesce(planned.find_value, o.find_value),
        sent = CASE WHEN planned.operation IN ('look', 'prepare') THEN o.sent WHEN planned.operation <> 'delete' THEN planned.content END,
        prepared = CASE WHEN planned.operation = 'prepare' THEN planned.content ELSE o.prepared END,
        members = ARRAY(SELECT jsonb_object_keys(planned.content) WHERE planned.operation IN ('add', 'edit')
                        UNION SELECT unnest(o.members) WHERE NOT (planned.operation = 'add' AND o.presence = 'absent')),
        markers = CASE WHEN planned.operation IN ('add', 'edit') AND 'tbs:' || activity.line_id <> ALL (o.markers)
                       THEN o.markers || ('tbs:' || activity.line_id) ELSE o.markers END,
        sent_operation = planned.operation, sent_at = clock_timestamp()
    WHERE o.remote_object_id = v_object.remote_object_id;
    SELECT coalesce(t.timeout_milliseconds, resource.timeout_milliseconds) INTO v_timeout
    FROM tbs.activity_type AS t WHERE t.activity_type_id = activity.activity_type_id;
    UPDATE tbs.activity AS a
    SET state = 'processing', bridge_id = send.bridge_id, call_number = a.call_number + 1, claimed_at = clock_timestamp(), due_at = NULL,
        remote_object_id = v_object.remote_object_id, operation = planned.operation,
        request_method = v_request.method, request_path = v_request.path, request_body = v_request.body
    WHERE a.activity_id = activity.activity_id;
    sent := true;
    call := ROW(activity.activity_id, activity.call_number + 1, activity.network_resource_id, v_request.method, v_request.path, v_request.headers,
                v_request.body, CASE WHEN v_request.body LIKE '%\_\_TBS\_SECRET\_%' THEN tbs.secrets_of_body(v_request.body) END, v_timeout);
END;
$send$;
COMMENT ON FUNCTION tbs.send(bigint, tbs.activity, tbs.planned_object, jsonb, tbs.network_resource) IS 'internal: makes an API call of a planned operation, stored as sent and not settled before it goes';

-- An activity of the network resource itself (its connection test): one call, no remote object.
CREATE FUNCTION tbs.carry_out_for_resource(bridge_id bigint, activity tbs.activity, resource tbs.network_resource)
RETURNS tbs.api_call
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $carry_out_for_resource$
DECLARE
    v_step jsonb;
    v_request record;
    v_type tbs.activity_type;
BEGIN
    SELECT * INTO STRICT v_type FROM tbs.activity_type AS t WHERE t.activity_type_id = activity.activity_type_id;
    SELECT r.steps -> 'look' INTO v_step FROM tbs.recipe AS r
    WHERE r.network_resource_type = v_type.network_resource_type AND r.service = v_type.service ORDER BY r.position LIMIT 1;
    SELECT * INTO v_request FROM tbs.render_request(v_step, jsonb_build_object('resource', tbs.resource_context(resource)), NULL, '{}');
    IF v_request.error IS NOT NULL THEN
        PERFORM tbs.fail_activity(activity, 'rejected', v_request.error_member || ': ' || v_request.error);
        RETURN NULL;
    END IF;
    UPDATE tbs.activity AS a
    SET state = 'processing', bridge_id = carry_out_for_resource.bridge_id, call_number = a.call_number + 1, claimed_at = clock_timestamp(), due_at = NULL, operation = 'look',
        request_method = v_request.method, request_path = v_request.path, request_body = v_request.body
    WHERE a.activity_id = activity.activity_id;
    RETURN ROW(activity.activity_id, activity.call_number + 1, activity.network_resource_id, v_request.method, v_request.path, v_request.headers,
               v_request.body, NULL, coalesce(v_type.timeout_milliseconds, resource.timeout_milliseconds))::tbs.api_call;
END;
$carry_out_for_resource$;
COMMENT ON FUNCTION tbs.carry_out_for_resource(bigint, tbs.activity, tbs.network_resource) IS 'internal: the API call of an activity of the network resource itself';

-- rely_on: a line that comes to a domain takes it for there, while in another session the last one that used it may just be removing it. Whoever comes to
-- use an object and has nothing to send to it keeps its row until its use is on record; the removal looks for uses once it has the row.
-- Never waits, since the caller has other locks.
CREATE FUNCTION tbs.rely_on(line_usoc_id bigint, service text, plan tbs.planned_object[])
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $rely_on$
DECLARE
    v_new bigint[];
    v_count integer;
BEGIN
    v_new := ARRAY(SELECT p.remote_object_id FROM unnest(rely_on.plan) AS p
                   WHERE p.content IS NOT NULL AND p.operation = 'none'
                     AND NOT EXISTS (SELECT FROM tbs.remote_object_use AS u
                                     WHERE u.remote_object_id = p.remote_object_id AND u.line_usoc_id = rely_on.line_usoc_id AND u.service = rely_on.service));
    IF cardinality(v_new) = 0 THEN
        RETURN true;
    END IF;
    PERFORM FROM unnest(rely_on.plan) AS p
    CROSS JOIN LATERAL (SELECT FROM tbs.remote_object AS o
                        WHERE o.remote_object_id = p.remote_object_id AND (o.sent_at, o.accepted_at) IS NOT DISTINCT FROM (p.sent_at, p.accepted_at)
                        FOR SHARE SKIP LOCKED) AS kept
    WHERE p.remote_object_id = ANY (v_new);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count = cardinality(v_new);
END;
$rely_on$;
COMMENT ON FUNCTION tbs.rely_on(bigint, text, tbs.planned_object[]) IS
'internal: keeps objects that a line USOC comes to use, and has nothing to send to, from being removed before this transaction is over; false when one is just being decided on';

-- carry_out: plans an activity whose turn it is and returns its next API call. Null: it is done, failed, or waits; its line may go on.
CREATE FUNCTION tbs.carry_out(bridge_id bigint, activity_id bigint)
RETURNS tbs.api_call
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $carry_out$
DECLARE
    v_activity tbs.activity;
    v_type tbs.activity_type;
    v_resource tbs.network_resource;
    v_context jsonb;
    v_plan tbs.planned_object[];
    v_planned tbs.planned_object;
    v_first tbs.planned_object;
    v_send record;
    v_line_id bigint;
    v_due_at timestamptz;
    v_message text;
    v_is_held boolean;
BEGIN
    SELECT * INTO STRICT v_activity FROM tbs.activity AS a WHERE a.activity_id = carry_out.activity_id;
    SELECT * INTO STRICT v_type FROM tbs.activity_type AS t WHERE t.activity_type_id = v_activity.activity_type_id;
    SELECT * INTO STRICT v_resource FROM tbs.network_resource AS r WHERE r.network_resource_id = v_activity.network_resource_id;
    IF v_type.trigger_type = 'audit' THEN
        RETURN tbs.next_page(carry_out.bridge_id, v_activity, v_resource, coalesce(v_type.timeout_milliseconds, v_resource.timeout_milliseconds));
    ELSIF v_activity.line_usoc_id = 0 THEN
        RETURN tbs.carry_out_for_resource(carry_out.bridge_id, v_activity, v_resource);
    END IF;
    SELECT lu.line_id INTO v_line_id FROM tbs.line_usoc AS lu WHERE lu.line_usoc_id = v_activity.line_usoc_id;
    IF v_line_id <> v_activity.line_id THEN
        -- The line USOC was moved to another line: the activity goes along, into that line's sequence.
        UPDATE tbs.activity AS a SET line_id = v_line_id, state = 'new', bridge_id = NULL WHERE a.activity_id = v_activity.activity_id;
        PERFORM tbs.ring();
        RETURN NULL;
    END IF;

    IF tbs.is_wanted(v_activity.line_usoc_id, v_activity.network_resource_id, v_type.service) THEN
        PERFORM tbs.make_secrets(v_activity.line_id, v_resource.network_resource_type, v_type.service);
        v_context := tbs.corrected_context(tbs.activity_context(v_activity.line_usoc_id, v_activity.network_resource_id, v_type.trigger_type),
                                           v_activity.corrections);
    END IF;
    v_plan := ARRAY(SELECT p::tbs.planned_object FROM tbs.plan(v_activity.line_usoc_id, v_activity.network_resource_id, v_type.service, v_context,
                                                              v_activity.round_at, v_activity.send_all) AS p);

    -- Data that cannot be rendered, or a number that is another line's: this activity alone fails, before anything of it is sent.
    SELECT p.* INTO v_planned FROM unnest(v_plan) WITH ORDINALITY AS p WHERE p.error IS NOT NULL ORDER BY p.ordinality LIMIT 1;
    IF FOUND THEN
        v_message := format('%s, %s: %s', v_planned.kind, v_planned.error_member, v_planned.error);
        PERFORM tbs.fail_activity(v_activity, 'rejected', v_message);
        RETURN NULL;
    END IF;

    IF v_context IS NOT NULL THEN
        IF NOT tbs.rely_on(v_activity.line_usoc_id, v_type.service, v_plan) THEN
            UPDATE tbs.activity AS a SET state = 'retry', bridge_id = NULL, due_at = clock_timestamp() + interval '50 milliseconds'
            WHERE a.activity_id = v_activity.activity_id;
            RETURN NULL;
        END IF;
        -- Uses are on record before the first call, so that a delete that comes in between knows of them. In one order for everybody.
        INSERT INTO tbs.remote_object (network_resource_id, kind, key, identity, find_value)
        SELECT v_activity.network_resource_id, p.kind, p.key, p.identity, p.find_value
        FROM unnest(v_plan) AS p WHERE p.remote_object_id IS NULL
        ORDER BY p.kind, p.key
        ON CONFLICT DO NOTHING;
        INSERT INTO tbs.remote_object_use AS u (remote_object_id, line_usoc_id, network_resource_id, service, position, removal)
        SELECT o.remote_object_id, v_activity.line_usoc_id, v_activity.network_resource_id, v_type.service, p.position, p.removal
        FROM unnest(v_plan) AS p
        CROSS JOIN LATERAL (SELECT x.remote_object_id FROM tbs.remote_object AS x
                            WHERE x.network_resource_id = v_activity.network_resource_id AND x.kind = p.kind AND x.key = p.key OFFSET 0) AS o
        WHERE p.content IS NOT NULL
        ON CONFLICT ON CONSTRAINT remote_object_use_pkey DO UPDATE SET removal = excluded.removal WHERE u.removal <> excluded.removal;
        SELECT p.position, p.kind, p.key, p.operation, o.remote_object_id, p.identity, p.find_value, p.content, p.item, p.steps, p.sent_at, p.accepted_at, p.error, p.error_member, p.removal
          INTO v_first
        FROM unnest(v_plan) WITH ORDINALITY AS p
        CROSS JOIN LATERAL (SELECT x.remote_object_id FROM tbs.remote_object AS x
                            WHERE x.network_resource_id = v_activity.network_resource_id AND x.kind = p.kind AND x.key = p.key OFFSET 0) AS o
        WHERE p.content IS NOT NULL AND p.operation <> 'none'
        ORDER BY p.ordinality LIMIT 1;
        IF FOUND THEN
            SELECT * INTO v_send FROM tbs.send(carry_out.bridge_id, v_activity, tbs.look_while_in_progress(v_activity, v_first), v_context, v_resource);
            RETURN CASE WHEN v_send.sent THEN v_send.call END;
        END IF;
    END IF;

    -- All that is wanted is there. What is not wanted any more: hand over what another line wants, forget what was never there, delete the rest.
    -- Two that leave an object at one time must not each take the other for its user: the second waits here, and sees that it is the last.
    PERFORM FROM tbs.remote_object AS o
    WHERE o.remote_object_id IN (SELECT p.remote_object_id FROM unnest(v_plan) AS p WHERE p.operation = 'release')
    ORDER BY o.remote_object_id FOR NO KEY UPDATE;
    FOR v_planned IN SELECT p.* FROM unnest(v_plan) AS p WHERE p.operation IN ('release', 'forget') LOOP
        IF v_planned.operation = 'release' AND NOT tbs.hand_over(v_activity, v_planned, v_type.service) THEN
            -- Whoever wanted it has just changed its mind: planned anew.
            UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL WHERE a.activity_id = v_activity.activity_id;
            PERFORM tbs.ring();
            RETURN NULL;
        END IF;
        DELETE FROM tbs.remote_object_use AS u
        WHERE u.remote_object_id = v_planned.remote_object_id AND u.line_usoc_id = v_activity.line_usoc_id AND u.service = v_type.service;
        DELETE FROM tbs.remote_object AS o
        WHERE v_planned.operation = 'forget' AND o.remote_object_id = v_planned.remote_object_id AND o.in_flight_activity_id IS NULL
          AND (o.presence = 'absent' OR o.origin = 'found')
          AND NOT EXISTS (SELECT FROM tbs.remote_object_use AS u WHERE u.remote_object_id = o.remote_object_id);
        -- What the resource cannot delete (a site) stays there with its values, unless what it belongs to goes: wanted again, it is sent again, and
        -- members without a value are cleared.
        UPDATE tbs.remote_object AS o SET settled = false
        WHERE v_planned.operation = 'forget' AND o.remote_object_id = v_planned.remote_object_id AND o.in_flight_activity_id IS NULL
          AND NOT EXISTS (SELECT FROM tbs.remote_object_use AS u WHERE u.remote_object_id = o.remote_object_id);
    END LOOP;

    SELECT p.* INTO v_first FROM unnest(v_plan) WITH ORDINALITY AS p WHERE p.operation = 'delete' AND p.content IS NULL ORDER BY p.ordinality LIMIT 1;
    IF FOUND THEN
        IF (v_context IS NOT NULL
            OR EXISTS (SELECT FROM tbs.remote_object_kind AS k
                       WHERE k.network_resource_type = v_resource.network_resource_type AND k.kind = v_first.kind AND k.part_of IS NOT NULL))
           AND NOT v_activity.removal_postponed AND EXISTS (
               SELECT FROM tbs.activity AS a
               WHERE a.line_id = v_activity.line_id AND a.network_resource_id = v_activity.network_resource_id
                 AND a.activity_id <> v_activity.activity_id AND a.state IN ('new', 'waiting')) THEN
            -- A rename: the new object is there. The line's other activities (its number) are pointed to it before the old one goes. Or members of an object (a user's
            -- voicemail) are not wanted any more: where one of the others removes that object, they go with it and need no call.
            UPDATE tbs.activity AS a
            SET state = 'waiting', bridge_id = NULL, removal_postponed = true, moved_to = nextval('tbs.activity_activity_id_seq')
            WHERE a.activity_id = v_activity.activity_id;
            IF v_context IS NOT NULL THEN
                PERFORM tbs.note_line_usoc_state(v_activity, v_type.service, true, true, 'old objects are still to be removed');
            END IF;
            PERFORM tbs.wake_other_resources(v_activity);
            RETURN NULL;
        END IF;
        IF v_context IS NULL THEN
            v_is_held := tbs.is_held_by_brake(v_activity, v_resource);
            IF v_is_held IS NULL THEN
                UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL WHERE a.activity_id = v_activity.activity_id;
                PERFORM tbs.ring();
                RETURN NULL;
            ELSIF v_is_held THEN
                PERFORM tbs.hold(v_activity, format('delete brake: more than %s removals within an hour', v_resource.delete_brake));
                RETURN NULL;
            END IF;
        END IF;
        SELECT * INTO v_send FROM tbs.send(carry_out.bridge_id, v_activity, tbs.look_while_in_progress(v_activity, v_first), v_context, v_resource);
        RETURN CASE WHEN v_send.sent THEN v_send.call END;
    END IF;

    SELECT tbs.beginning_of_day(lu.active_date, v_activity.network_resource_id) INTO v_due_at FROM tbs.line_usoc AS lu
    WHERE lu.line_usoc_id = v_activity.line_usoc_id AND lu.active_date > tbs.business_day(v_resource.time_zone)
      -- One that an operator has let begin before its day, and end, does not begin again on that day.
      AND NOT EXISTS (SELECT FROM tbs.line_usoc_run_now AS n WHERE n.line_usoc_id = lu.line_usoc_id AND n.what = 'start' AND n.day = lu.active_date);
    IF v_context IS NULL AND FOUND THEN
        -- One is scheduled, the last: it will look at the dates as they are then.
        IF EXISTS (SELECT FROM tbs.activity AS a JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
                   WHERE a.line_usoc_id = v_activity.line_usoc_id AND a.network_resource_id = v_activity.network_resource_id AND a.line_id = v_activity.line_id
                     AND t.service = v_type.service AND a.state IN ('new', 'waiting') AND a.activity_id <> v_activity.activity_id) THEN
            DELETE FROM tbs.activity AS a WHERE a.activity_id = v_activity.activity_id;
            DELETE FROM tbs.activity_policy AS p WHERE p.activity_id = v_activity.activity_id;
            PERFORM tbs.record_event('superseded', NULL, v_activity, true, 'a later change came before this was done');
            RETURN NULL;
        END IF;
        UPDATE tbs.activity AS a SET state = 'scheduled', bridge_id = NULL, due_at = v_due_at WHERE a.activity_id = v_activity.activity_id;
        -- What it had before is gone: what requires it waits.
        PERFORM tbs.note_line_usoc_state(v_activity, v_type.service, false, true, 'scheduled');
        RETURN NULL;
    END IF;
    PERFORM tbs.succeed_activity(v_activity, v_context IS NOT NULL, CASE WHEN v_activity.call_number = 0 THEN 'nothing to send' END);
    RETURN NULL;
END;
$carry_out$;
COMMENT ON FUNCTION tbs.carry_out(bigint, bigint) IS 'internal: the next API call of an activity whose turn it is; null when it has none';

-- hand_over: an object that this line USOC does not want any more, and another does, becomes that one's: it gets the use, so that it removes the object
-- should it not want it either when its turn comes, and an activity, so that its turn does come. False: nobody wants it any more.
CREATE FUNCTION tbs.hand_over(activity tbs.activity, planned tbs.planned_object, service text)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $hand_over$
DECLARE
    v_user record;
    v_has_users boolean;
    v_is_document_of_lines boolean;
BEGIN
    SELECT k.shared AND EXISTS (SELECT FROM tbs.remote_object_use AS x
                                WHERE x.remote_object_id = planned.remote_object_id AND (x.line_usoc_id, x.service) <> (activity.line_usoc_id, hand_over.service)),
           k.shared AND s.values_from IN ('line', 'line_usoc', 'device')
      INTO STRICT v_has_users, v_is_document_of_lines
    FROM tbs.network_resource AS r
    JOIN tbs.remote_object_kind AS k ON k.network_resource_type = r.network_resource_type AND k.kind = planned.kind
    JOIN tbs.service_object AS s ON s.network_resource_type = r.network_resource_type AND s.service = hand_over.service AND s.position = planned.position
    WHERE r.network_resource_id = activity.network_resource_id;
    -- A domain does not change when one of its lines leaves it; a phone with several line keys does.
    IF v_has_users AND NOT v_is_document_of_lines THEN
        RETURN true;
    END IF;
    v_user := tbs.other_user(activity.network_resource_id, planned.kind, planned.key, planned.find_value, activity.line_usoc_id, hand_over.service);
    IF v_user.line_usoc_id_found IS NULL THEN
        RETURN v_has_users;
    END IF;
    INSERT INTO tbs.remote_object_use (remote_object_id, line_usoc_id, network_resource_id, service, position)
    SELECT planned.remote_object_id, v_user.line_usoc_id_found, activity.network_resource_id, v_user.service_found, s.position
    FROM tbs.network_resource AS r
    JOIN tbs.service_object AS s ON s.network_resource_type = r.network_resource_type AND s.service = v_user.service_found AND s.kind = planned.kind
    WHERE r.network_resource_id = activity.network_resource_id
    ORDER BY s.position LIMIT 1
    ON CONFLICT DO NOTHING;
    INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id, order_number, telephone_number, usoc, trigger_description)
    SELECT t.activity_type_id, a.network_resource_id, a.line_id, a.line_usoc_id, a.customer_id, activity.order_number, a.telephone_number, a.usoc,
           format('%s %s was handed over by line %s', planned.kind, planned.key, activity.line_id)
    FROM tbs.line_usoc_association AS a
    JOIN tbs.activity_type AS t ON t.network_resource_type = a.network_resource_type AND t.service = a.service AND t.trigger_type = 'line_changed'
    WHERE a.line_usoc_id = v_user.line_usoc_id_found AND a.network_resource_id = activity.network_resource_id AND a.service = v_user.service_found;
    PERFORM tbs.ring();
    RETURN true;
END;
$hand_over$;
COMMENT ON FUNCTION tbs.hand_over(tbs.activity, tbs.planned_object, text) IS 'internal: makes an object that another line USOC wants that one''s; false when nobody wants it any more';

-- run: goes on with these activities, then with whose turn it is on these lines, until there is nothing to do or a limit is reached.
-- The caller holds the locks of the lines. Sequences that are left with work are marked new, so that a claim finds them. After a second it takes no
-- further turn: a beat must not wait behind a long claim, and what was planned so far must not be lost to a time-out.
CREATE FUNCTION tbs.run(bridge_id bigint, activity_ids bigint[], line_ids bigint[], network_resource_ids integer[], maximum integer)
RETURNS SETOF tbs.api_call
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $run$
DECLARE
    v_lines bigint[] := run.line_ids;
    v_resources integer[] := run.network_resource_ids;
    v_turns bigint[] := run.activity_ids;
    v_activity tbs.activity;
    v_call tbs.api_call;
    v_id bigint;
    v_budgets tbs.budget[];
    v_budget tbs.budget;
    v_place integer;
    v_sent integer[] := '{}';
    v_continues boolean := true;
    v_until timestamptz := clock_timestamp() + interval '1 second';
    v_may_send boolean;
    v_probes boolean;
BEGIN
    v_budgets := ARRAY(SELECT b::tbs.budget FROM tbs.budgets(run.bridge_id) AS b WHERE tbs.is_armed());
    LOOP
        FOREACH v_id IN ARRAY coalesce(v_turns, '{}') LOOP
            SELECT * INTO v_activity FROM tbs.activity AS a WHERE a.activity_id = v_id;
            CONTINUE WHEN NOT FOUND;
            IF v_activity.state = 'new' THEN
                -- Captured since a claim has looked at its line.
                SELECT v_lines || l.line_ids, v_resources || l.network_resource_ids INTO v_lines, v_resources
                FROM tbs.look_at_lines(ARRAY[v_activity.line_id], ARRAY[v_activity.network_resource_id]) AS l;
                CONTINUE;
            END IF;
            SELECT b.ordinality INTO v_place FROM unnest(v_budgets) WITH ORDINALITY AS b WHERE b.network_resource_id = v_activity.network_resource_id;
            v_budget := v_budgets[v_place];
            -- One that goes on has its place among the calls under way already.
            v_may_send := v_place IS NOT NULL AND cardinality(v_sent) < run.maximum AND v_budget.tokens > 0 AND (v_budget.calls > 0 OR (v_continues AND NOT v_budget.probe))
                      AND clock_timestamp() < v_until;
            v_probes := v_may_send AND v_budget.probe;
            IF v_probes THEN
                v_may_send := tbs.take_probe((SELECT r FROM tbs.network_resource AS r WHERE r.network_resource_id = v_activity.network_resource_id));
            END IF;
            v_call := CASE WHEN v_may_send THEN tbs.carry_out(run.bridge_id, v_id) END;
            IF v_call.activity_id IS NOT NULL THEN
                v_budget.tokens := v_budget.tokens - 1;
                v_budget.calls := v_budget.calls - (NOT v_continues)::integer;
                v_budgets[v_place] := v_budget;
                v_sent := v_sent || v_activity.network_resource_id;
                RETURN NEXT v_call;
            ELSIF v_may_send THEN
                IF v_probes THEN
                    PERFORM tbs.return_probe(v_activity.network_resource_id);
                END IF;
                v_budget.calls := v_budget.calls + v_continues::integer;
                v_budgets[v_place] := v_budget;
                v_lines := v_lines || v_activity.line_id;
                v_resources := v_resources || v_activity.network_resource_id;
            ELSE
                UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL, due_at = NULL WHERE a.activity_id = v_id;
                IF clock_timestamp() >= v_until OR cardinality(v_sent) >= run.maximum THEN
                    -- Not for a limit, which ends by itself.
                    PERFORM tbs.ring();
                END IF;
            END IF;
        END LOOP;
        EXIT WHEN coalesce(cardinality(v_lines), 0) = 0;
        v_turns := tbs.next_activities(v_lines, v_resources);
        v_lines := '{}';
        v_resources := '{}';
        v_continues := false;
        EXIT WHEN cardinality(v_turns) = 0;
    END LOOP;
    PERFORM tbs.spend_tokens(run.bridge_id, v_sent) WHERE cardinality(v_sent) > 0;
END;
$run$;
COMMENT ON FUNCTION tbs.run(bigint, bigint[], bigint[], integer[], integer) IS 'internal: carries out activities of locked lines and returns the API calls to make';
