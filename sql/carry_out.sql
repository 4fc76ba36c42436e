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

-- Successful, failed or removed activities leave their mark on their line USOCs.
CREATE FUNCTION tbs.note_line_usoc_states(activities tbs.activity[], presents boolean[], in_step boolean, result text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $note_line_usoc_states$
BEGIN
    IF note_line_usoc_states.in_step AND false = ANY (note_line_usoc_states.presents) THEN
        DELETE FROM tbs.line_usoc_state AS s
        WHERE s.ctid = ANY (ARRAY(
            SELECT x.ctid
            FROM unnest(note_line_usoc_states.activities) WITH ORDINALITY AS a
            JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
            CROSS JOIN LATERAL (SELECT y.ctid FROM tbs.line_usoc_state AS y
                                WHERE y.line_usoc_id = a.line_usoc_id AND y.network_resource_id = a.network_resource_id AND y.service = t.service OFFSET 0) AS x
            WHERE NOT note_line_usoc_states.presents[a.ordinality]));
    END IF;
    -- In one order for everybody.
    INSERT INTO tbs.line_usoc_state AS s (line_usoc_id, network_resource_id, service, line_id, customer_id, telephone_number, usoc, present, in_step,
                                          last_activity_id, last_result, changed_at)
    SELECT a.line_usoc_id, a.network_resource_id, t.service, a.line_id, a.customer_id, a.telephone_number, a.usoc,
           -- Unknown: as it was.
           coalesce(p.present, (SELECT x.present FROM tbs.line_usoc_state AS x
                                WHERE x.line_usoc_id = a.line_usoc_id AND x.network_resource_id = a.network_resource_id AND x.service = t.service), false),
           note_line_usoc_states.in_step, a.activity_id, note_line_usoc_states.result, clock_timestamp()
    FROM unnest(note_line_usoc_states.activities) WITH ORDINALITY AS a
    JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
    CROSS JOIN LATERAL (SELECT note_line_usoc_states.presents[a.ordinality] AS present) AS p
    WHERE a.line_usoc_id <> 0 AND (p.present OR NOT note_line_usoc_states.in_step OR p.present IS NULL)
    ORDER BY a.line_usoc_id, a.network_resource_id
    ON CONFLICT ON CONSTRAINT line_usoc_state_pkey DO UPDATE
    SET line_id = excluded.line_id, customer_id = coalesce(excluded.customer_id, s.customer_id),
        telephone_number = coalesce(excluded.telephone_number, s.telephone_number), usoc = excluded.usoc, present = excluded.present, in_step = excluded.in_step,
        last_activity_id = excluded.last_activity_id, last_result = excluded.last_result, changed_at = excluded.changed_at;
END;
$note_line_usoc_states$;
COMMENT ON FUNCTION tbs.note_line_usoc_states(tbs.activity[], boolean[], boolean, text) IS 'internal: keeps line_usoc_state; present null leaves that as it is';

CREATE FUNCTION tbs.note_line_usoc_state(activity tbs.activity, present boolean, in_step boolean, result text)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $note_line_usoc_state$
BEGIN
    PERFORM tbs.note_line_usoc_states(ARRAY[note_line_usoc_state.activity], ARRAY[note_line_usoc_state.present], note_line_usoc_state.in_step, note_line_usoc_state.result);
END;
$note_line_usoc_state$;
COMMENT ON FUNCTION tbs.note_line_usoc_state(tbs.activity, boolean, boolean, text) IS 'internal: keeps line_usoc_state for one activity; present null leaves that as it is';

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

-- What activities have changed may be what others of their lines, on other network resources, wait for.
CREATE FUNCTION tbs.waiting_on_other_resources(activities tbs.activity[])
RETURNS SETOF bigint
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT x.activity_id FROM unnest(waiting_on_other_resources.activities) AS d
    -- Two ranges of an index, however many of the line wait on the same network resource.
    CROSS JOIN LATERAL (SELECT y.activity_id FROM tbs.activity AS y
                        WHERE y.line_id = d.line_id AND y.network_resource_id < d.network_resource_id AND y.state = 'waiting' AND y.waits_for_object_id IS NULL
                        UNION ALL
                        SELECT y.activity_id FROM tbs.activity AS y
                        WHERE y.line_id = d.line_id AND y.network_resource_id > d.network_resource_id AND y.state = 'waiting' AND y.waits_for_object_id IS NULL
                        OFFSET 0) AS x
    WHERE d.line_id <> 0;
END;
COMMENT ON FUNCTION tbs.waiting_on_other_resources(tbs.activity[]) IS 'internal: activities of these lines that wait on other network resources';

-- The lines' locks are held.
CREATE FUNCTION tbs.wake_other_resources(activities tbs.activity[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $wake_other_resources$
BEGIN
    UPDATE tbs.activity AS a SET state = 'new'
    WHERE a.activity_id = ANY (ARRAY(SELECT w.activity_id FROM tbs.waiting_on_other_resources(wake_other_resources.activities) AS w (activity_id)));
    IF FOUND THEN
        PERFORM tbs.ring();
    END IF;
END;
$wake_other_resources$;
COMMENT ON FUNCTION tbs.wake_other_resources(tbs.activity[]) IS 'internal: lets activities of these lines on other network resources look again whether what they require is in step';

CREATE FUNCTION tbs.end_activities(activities tbs.activity[], presents boolean[], result text)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $end_activities$
DECLARE
    v_ids bigint[] := ARRAY(SELECT a.activity_id FROM unnest(end_activities.activities) AS a);
    v_has_policies boolean;
    v_has_last_days boolean;
    v_has_others boolean;
BEGIN
    DELETE FROM tbs.activity AS a WHERE a.activity_id = ANY (v_ids);
    PERFORM tbs.note_line_usoc_states(end_activities.activities, end_activities.presents, true, end_activities.result);
    -- Mostly none of it is there: one question instead of a statement for each.
    SELECT EXISTS (SELECT FROM tbs.activity_policy AS p WHERE p.activity_id = ANY (v_ids)),
           EXISTS (SELECT FROM tbs.line_usoc AS lu
                   WHERE lu.line_usoc_id = ANY (ARRAY(SELECT a.line_usoc_id FROM unnest(end_activities.activities) AS a)) AND lu.disconnect_date IS NOT NULL),
           EXISTS (SELECT FROM unnest(end_activities.activities) AS a WHERE EXISTS (SELECT FROM tbs.activity AS x WHERE x.line_id = a.line_id OFFSET 0))
      INTO v_has_policies, v_has_last_days, v_has_others;
    IF v_has_policies THEN
        DELETE FROM tbs.activity_policy AS p WHERE p.activity_id = ANY (v_ids);
    END IF;
    IF v_has_others AND EXISTS (SELECT FROM tbs.waiting_on_other_resources(end_activities.activities)) THEN
        PERFORM tbs.wake_other_resources(end_activities.activities);
    END IF;
    IF v_has_last_days THEN
        -- Its last day of service is known: the removal is on the queue from now on, and due by itself. A later change replaces it.
        INSERT INTO tbs.activity (activity_type_id, network_resource_id, line_id, line_usoc_id, customer_id, order_number, telephone_number, usoc, user_name,
                                  trigger_description, state, due_at)
        SELECT t.activity_type_id, d.network_resource_id, lu.line_id, lu.line_usoc_id, d.customer_id, d.order_number, d.telephone_number,
               lu.usoc, d.user_name, format('last day of service %s', lu.disconnect_date), 'scheduled', tbs.beginning_of_day(lu.disconnect_date + 1, d.network_resource_id)
        FROM unnest(end_activities.activities) WITH ORDINALITY AS d
        JOIN tbs.line_usoc AS lu ON lu.line_usoc_id = d.line_usoc_id AND lu.disconnect_date IS NOT NULL
        JOIN tbs.activity_type AS own ON own.activity_type_id = d.activity_type_id
        JOIN tbs.activity_type AS t ON t.network_resource_type = own.network_resource_type AND t.service = own.service AND t.trigger_type = 'usoc_deleted'
        WHERE end_activities.presents[d.ordinality]
          AND NOT EXISTS (SELECT FROM tbs.activity AS a WHERE a.line_usoc_id = d.line_usoc_id AND a.network_resource_id = d.network_resource_id);
    END IF;
    RETURN v_has_others;
END;
$end_activities$;
COMMENT ON FUNCTION tbs.end_activities(tbs.activity[], boolean[], text) IS
'internal: takes finished activities, whose end is in the log, off the queue; present: whether what they are about is there now, null: that is as it was; returns whether any of their lines had others on the queue';

CREATE FUNCTION tbs.succeed_activities(activities tbs.activity[], presents boolean[], messages text[], event text DEFAULT 'succeeded', reason text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $succeed_activities$
BEGIN
    IF cardinality(succeed_activities.activities) > 0 THEN
        PERFORM tbs.record_events(succeed_activities.event, succeed_activities.reason, succeed_activities.activities, true, succeed_activities.messages);
        PERFORM tbs.end_activities(succeed_activities.activities, succeed_activities.presents, replace(succeed_activities.event, '_', ' '));
    END IF;
END;
$succeed_activities$;
COMMENT ON FUNCTION tbs.succeed_activities(tbs.activity[], boolean[], text[], text, text) IS
'internal: ends activities, carried out or, by an operator, marked done, and writes it down';

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
    PERFORM tbs.note_line_usoc_state(activity, NULL, false, 'failed');
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
    PERFORM tbs.note_line_usoc_state(activity, NULL, false, 'held');
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
DECLARE
    v_look jsonb;
BEGIN
    IF activity.in_progress_since IS NOT NULL AND planned.remote_object_id = activity.remote_object_id
       AND EXISTS (SELECT FROM tbs.remote_object AS o WHERE o.remote_object_id = planned.remote_object_id AND o.sent IS NOT DISTINCT FROM planned.content) THEN
        SELECT r.steps -> 'look' INTO v_look
        FROM tbs.activity_type AS t JOIN tbs.recipe AS r ON r.network_resource_type = t.network_resource_type AND r.service = t.service AND r.position = planned.position
        WHERE t.activity_type_id = activity.activity_type_id;
        IF v_look IS NOT NULL THEN
            planned.operation := 'look';
            planned.step := v_look;
        END IF;
    END IF;
    RETURN planned;
END;
$look_while_in_progress$;
COMMENT ON FUNCTION tbs.look_while_in_progress(tbs.activity, tbs.planned_object) IS 'internal: turns a call whose effect is still to come into a look';

-- Those who waited for an object's call to end may look again. SKIP LOCKED: a row that is locked is just being decided on by the session that has it;
-- the beat catches what could be missed.
CREATE FUNCTION tbs.wake_object_waiters(remote_object_ids bigint[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $wake_object_waiters$
BEGIN
    UPDATE tbs.activity AS a SET state = 'new', waits_for_object_id = NULL
    WHERE a.activity_id = ANY (ARRAY(SELECT w.activity_id FROM tbs.activity AS w WHERE w.waits_for_object_id = ANY (wake_object_waiters.remote_object_ids)
                                     FOR UPDATE SKIP LOCKED));
    IF FOUND THEN
        PERFORM tbs.ring();
    END IF;
END;
$wake_object_waiters$;
COMMENT ON FUNCTION tbs.wake_object_waiters(bigint[]) IS 'internal: lets activities look again that waited for another call to one of these remote objects';

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

CREATE FUNCTION tbs.make_secrets(line_ids bigint[], network_resource_types text[], services text[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $make_secrets$
BEGIN
    INSERT INTO tbs.subscriber_secret (line_id, account, name, value)
    SELECT DISTINCT ON (w.line_id, w.account, w.name) w.line_id, w.account, w.name, tbs.new_secret(w.name)
    FROM (SELECT l.line_id, coalesce(t.sip_account, l.extension) AS account, 'sip_password' AS name
          FROM unnest(make_secrets.line_ids) AS i (line_id)
          CROSS JOIN LATERAL (SELECT x.line_id, x.sip_account FROM tbs.line_device AS x WHERE x.line_id = i.line_id OFFSET 0) AS t
          JOIN tbs.line AS l ON l.line_id = t.line_id
          UNION ALL
          SELECT i.line_id, '', x.name
          FROM unnest(make_secrets.line_ids, make_secrets.network_resource_types, make_secrets.services) AS i (line_id, network_resource_type, service)
          JOIN tbs.service AS v ON v.network_resource_type = i.network_resource_type AND v.service = i.service
          CROSS JOIN LATERAL unnest(v.secrets) AS x (name)) AS w
    WHERE w.account IS NOT NULL AND w.line_id <> 0
      AND NOT EXISTS (SELECT FROM tbs.subscriber_secret AS s WHERE s.line_id = w.line_id AND s.account = w.account AND s.name = w.name)
    ON CONFLICT DO NOTHING;
END;
$make_secrets$;
COMMENT ON FUNCTION tbs.make_secrets(bigint[], text[], text[]) IS 'internal: makes the SIP passwords that lines do not have yet, and the secrets that the services of these types want of them';

-- Members of an object that another service owns are sent to the same place as the object: no two calls at one time, whichever lines they are for. The lock of
-- the place is only tried, and holds until the call is on record. Returns null when the place is free; the object whose call is under way and that can be waited
-- for; or 0 when somebody is just deciding.
CREATE FUNCTION tbs.who_is_at(object tbs.remote_object, whole text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $who_is_at$
DECLARE
    v_id bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(concat_ws(' ', object.network_resource_id, who_is_at.whole, object.key), 8460176912405)) THEN
        RETURN 0;
    END IF;
    SELECT o.remote_object_id INTO v_id
    FROM tbs.network_resource AS r
    JOIN tbs.remote_object_kind AS k ON k.network_resource_type = r.network_resource_type AND who_is_at.whole IN (k.kind, k.part_of) AND k.kind <> object.kind
    CROSS JOIN LATERAL (SELECT x.remote_object_id FROM tbs.remote_object AS x
                        WHERE x.network_resource_id = object.network_resource_id AND x.kind = k.kind AND x.key = object.key AND x.in_flight_activity_id IS NOT NULL
                        OFFSET 0) AS o
    WHERE r.network_resource_id = object.network_resource_id LIMIT 1;
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

CREATE TYPE tbs.sending AS (
    activity_id          bigint,
    call_number          integer,
    activity_type_id     integer,
    network_resource_id  integer,
    line_id              bigint,
    line_usoc_id         bigint,
    service              text,
    kind                 text,
    key                  text,
    whole                text,
    operation            text,
    identity             jsonb,
    find_value           text,
    content              jsonb,
    sent_at              timestamptz,
    accepted_at          timestamptz,
    method               text,
    path                 text,
    headers              jsonb,
    body                 text,
    error                text,
    error_member         text,
    finishes             boolean
);
COMMENT ON TYPE tbs.sending IS 'internal: an API call that is about to be made; finishes: nothing else is left to do for its activity';

-- What an activity is about to send, rendered.
CREATE FUNCTION tbs.prepare_sending(activity tbs.activity, service text, planned tbs.planned_object, context jsonb, resource tbs.network_resource, finishes boolean)
RETURNS tbs.sending
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $prepare_sending$
DECLARE
    v_planned tbs.planned_object := planned;
    v_request record;
BEGIN
    IF activity.in_progress_since IS NOT NULL THEN
        v_planned := tbs.look_while_in_progress(activity, planned);
    END IF;
    v_request := tbs.planned_request(v_planned, prepare_sending.context, resource);
    RETURN ROW(activity.activity_id, activity.call_number, activity.activity_type_id, activity.network_resource_id, activity.line_id, activity.line_usoc_id,
               prepare_sending.service, v_planned.kind, v_planned.key, v_planned.whole, v_planned.operation, v_planned.identity, v_planned.find_value, v_planned.content,
               v_planned.sent_at, v_planned.accepted_at, v_request.method, v_request.path, v_request.headers, v_request.body, v_request.error, v_request.error_member,
               prepare_sending.finishes AND v_planned.operation IN ('add', 'edit'));
END;
$prepare_sending$;
COMMENT ON FUNCTION tbs.prepare_sending(tbs.activity, text, tbs.planned_object, jsonb, tbs.network_resource, boolean) IS 'internal: the API call of a planned operation, ready to be sent';

-- Volatile: it sees what was committed until the object's row was locked.
CREATE FUNCTION tbs.is_shared_with_others(object tbs.remote_object, line_usoc_id bigint, service text)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $is_shared_with_others$
BEGIN
    RETURN EXISTS (SELECT FROM tbs.remote_object_use AS u
                   JOIN tbs.network_resource AS r ON r.network_resource_id = u.network_resource_id
                   JOIN tbs.remote_object_kind AS k ON k.network_resource_type = r.network_resource_type AND k.kind = object.kind AND k.shared
                   WHERE u.remote_object_id = object.remote_object_id
                     AND (u.line_usoc_id, u.service) <> (is_shared_with_others.line_usoc_id, is_shared_with_others.service));
END;
$is_shared_with_others$;
COMMENT ON FUNCTION tbs.is_shared_with_others(tbs.remote_object, bigint, text) IS 'internal: whether an object of a kind that several line USOCs share has other users than this service of a line USOC';

-- send: stores what is about to be sent, takes the remote objects, and returns the requests. One whose object is busy, or has changed since it was planned,
-- is put back.
CREATE FUNCTION tbs.send(bridge_id bigint, sendings tbs.sending[])
RETURNS tbs.api_call[]
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $send$
DECLARE
    -- The object of each, where it can be sent to.
    v_objects bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(sendings)]);
    v_taken bigint[] := '{}';
    v_places text[] := '{}';
    v_calls tbs.api_call[];
    v_row record;
BEGIN
    IF cardinality(sendings) = 0 THEN
        RETURN '{}';
    END IF;
    -- The rows stay locked until the end of the transaction: whoever releases an object sees who waits for it. In one order for everybody, and all of them before
    -- the first is decided on: hence sorted twice.
    FOR v_row IN
        SELECT s.ordinality AS place, s.activity_id, o.remote_object_id, o.in_flight_activity_id,
               -- The place that it shares with others, if any: an object and its members that other services own.
               CASE WHEN s.whole IS NOT NULL THEN concat_ws(' ', s.network_resource_id, s.whole, s.key) END AS place_key,
               CASE WHEN s.whole IS NOT NULL THEN tbs.who_is_at(o.object, s.whole) END AS who_is_there,
               (o.sent_at, o.accepted_at) IS DISTINCT FROM (s.sent_at, s.accepted_at)
               -- What several lines share, and nobody used when this was planned: somebody may have begun to since.
               OR (s.removes AND tbs.is_shared_with_others(o.object, s.line_usoc_id, s.service)) AS has_changed,
               CASE WHEN s.error IS NOT NULL THEN format('%s %s, %s: %s', s.operation, s.kind, s.error_member, s.error) END AS error
        FROM (SELECT n.ordinality, n.activity_id, n.network_resource_id, n.line_usoc_id, n.service, n.kind, n.key, n.whole, n.operation, n.operation = 'delete' AND n.content IS NULL AS removes,
                     n.sent_at, n.accepted_at, n.error, n.error_member,
                     (SELECT x.remote_object_id FROM tbs.remote_object AS x
                      WHERE x.network_resource_id = n.network_resource_id AND x.kind = n.kind AND x.key = n.key) AS remote_object_id
              FROM unnest(sendings) WITH ORDINALITY AS n
              ORDER BY remote_object_id OFFSET 0) AS s
        CROSS JOIN LATERAL (SELECT x AS object, x.remote_object_id, x.in_flight_activity_id, x.sent_at, x.accepted_at
                            FROM tbs.remote_object AS x WHERE x.remote_object_id = s.remote_object_id FOR NO KEY UPDATE) AS o
        ORDER BY s.ordinality
    LOOP
        IF v_row.in_flight_activity_id IS NOT NULL OR v_row.remote_object_id = ANY (v_taken) THEN
            UPDATE tbs.activity AS a SET state = 'waiting', waits_for_object_id = v_row.remote_object_id, bridge_id = NULL WHERE a.activity_id = v_row.activity_id;
        ELSIF v_row.has_changed THEN
            UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL WHERE a.activity_id = v_row.activity_id;
            PERFORM tbs.ring();
        ELSIF v_row.who_is_there > 0 THEN
            UPDATE tbs.activity AS a SET state = 'waiting', waits_for_object_id = v_row.who_is_there, bridge_id = NULL WHERE a.activity_id = v_row.activity_id;
        ELSIF v_row.place_key = ANY (v_places) THEN
            UPDATE tbs.activity AS a SET state = 'waiting', waits_for_object_id = v_taken[array_position(v_places, v_row.place_key)], bridge_id = NULL
            WHERE a.activity_id = v_row.activity_id;
        ELSIF v_row.who_is_there = 0 THEN
            UPDATE tbs.activity AS a SET state = 'retry', bridge_id = NULL, due_at = clock_timestamp() + interval '50 milliseconds' WHERE a.activity_id = v_row.activity_id;
        ELSIF v_row.error IS NOT NULL THEN
            PERFORM tbs.fail_activity(a, 'rejected', v_row.error) FROM tbs.activity AS a WHERE a.activity_id = v_row.activity_id;
        ELSE
            v_objects[v_row.place] := v_row.remote_object_id;
            v_taken := v_taken || v_row.remote_object_id;
            v_places := v_places || v_row.place_key;
        END IF;
    END LOOP;
    -- ANY of one: so that each is looked up. Of two that are equal the server may compare all of the batch with all, and a plan that was made when the queue was
    -- empty begins with the whole table.
    WITH taken AS (
        UPDATE tbs.remote_object AS o
        SET in_flight_activity_id = s.activity_id, presence_before = o.presence, settled_before = o.settled,
            presence = CASE WHEN s.operation IN ('add', 'delete') THEN 'perhaps' ELSE o.presence END,
            settled = o.settled AND s.operation IN ('look', 'prepare'),
            identity = coalesce(s.identity, o.identity), find_value = coalesce(s.find_value, o.find_value),
            sent = CASE WHEN s.operation IN ('look', 'prepare') THEN o.sent WHEN s.operation <> 'delete' THEN s.content END,
            prepared = CASE WHEN s.operation = 'prepare' THEN s.content ELSE o.prepared END,
            -- The content has all that were sent before: those without a value any more are cleared.
            members = CASE WHEN s.operation IN ('add', 'edit') THEN ARRAY(SELECT jsonb_object_keys(s.content)) ELSE o.members END,
            markers = CASE WHEN s.operation IN ('add', 'edit') AND 'tbs:' || s.line_id <> ALL (o.markers)
                           THEN o.markers || ('tbs:' || s.line_id) ELSE o.markers END,
            sent_operation = s.operation, sent_at = clock_timestamp()
        FROM unnest(sendings) WITH ORDINALITY AS s
        WHERE o.remote_object_id = ANY (ARRAY[v_objects[s.ordinality]])),
    sent AS (
        UPDATE tbs.activity AS a
        SET state = 'processing', state_xid = pg_current_xact_id(), bridge_id = send.bridge_id, call_number = a.call_number + 1, claimed_at = clock_timestamp(), due_at = NULL,
            remote_object_id = v_objects[s.ordinality], operation = s.operation, finishes = s.finishes,
            request_method = s.method, request_path = s.path, request_body = s.body
        FROM unnest(sendings) WITH ORDINALITY AS s
        WHERE v_objects[s.ordinality] IS NOT NULL AND a.activity_id = ANY (ARRAY[s.activity_id])
        RETURNING s.ordinality,
                  ROW(a.activity_id, a.call_number, a.network_resource_id, s.method, s.path, s.headers, s.body,
                      CASE WHEN s.body LIKE '%\_\_TBS\_SECRET\_%' THEN tbs.secrets_of_body(s.body) END,
                      coalesce((SELECT t.timeout_milliseconds FROM tbs.activity_type AS t WHERE t.activity_type_id = a.activity_type_id),
                               (SELECT r.timeout_milliseconds FROM tbs.network_resource AS r WHERE r.network_resource_id = a.network_resource_id)))::tbs.api_call AS call)
    SELECT coalesce(array_agg(x.call ORDER BY x.ordinality), '{}') INTO v_calls FROM sent AS x;
    RETURN v_calls;
END;
$send$;
COMMENT ON FUNCTION tbs.send(bigint, tbs.sending[]) IS 'internal: makes the API calls of planned operations, stored as sent and not settled before they go; returns those that could be made';

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
    SET state = 'processing', state_xid = pg_current_xact_id(), bridge_id = carry_out_for_resource.bridge_id, call_number = a.call_number + 1, claimed_at = clock_timestamp(), due_at = NULL, operation = 'look',
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

-- let_go: all that an activity wants is there; what its line USOC does not want any more is handed over, forgotten or deleted. Null: no API call is needed for it.
CREATE FUNCTION tbs.let_go(activity tbs.activity, service text, wanted boolean, plan tbs.planned_object[], resource tbs.network_resource)
RETURNS tbs.sending
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $let_go$
DECLARE
    v_planned tbs.planned_object;
    v_due_at timestamptz;
    v_is_held boolean;
BEGIN
    -- All that is wanted is there. What is not wanted any more: hand over what another line wants, forget what was never there, delete the rest.
    -- Two that leave an object at one time must not each take the other for its user: the second waits here, and sees that it is the last.
    PERFORM FROM tbs.remote_object AS o
    WHERE o.remote_object_id IN (SELECT p.remote_object_id FROM unnest(let_go.plan) AS p WHERE p.operation = 'release')
    ORDER BY o.remote_object_id FOR NO KEY UPDATE;
    FOR v_planned IN SELECT p.* FROM unnest(let_go.plan) AS p WHERE p.operation IN ('release', 'forget') LOOP
        IF v_planned.operation = 'release' AND NOT tbs.hand_over(activity, v_planned, let_go.service) THEN
            -- Whoever wanted it has just changed its mind: planned anew.
            UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL WHERE a.activity_id = activity.activity_id;
            PERFORM tbs.ring();
            RETURN NULL;
        END IF;
        DELETE FROM tbs.remote_object_use AS u
        WHERE u.remote_object_id = v_planned.remote_object_id AND u.line_usoc_id = activity.line_usoc_id AND u.service = let_go.service;
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

    SELECT p.* INTO v_planned FROM unnest(let_go.plan) WITH ORDINALITY AS p WHERE p.operation = 'delete' AND p.content IS NULL ORDER BY p.ordinality LIMIT 1;
    IF FOUND THEN
        IF (let_go.wanted
            OR EXISTS (SELECT FROM tbs.remote_object_kind AS k
                       WHERE k.network_resource_type = resource.network_resource_type AND k.kind = v_planned.kind AND k.part_of IS NOT NULL))
           AND NOT activity.removal_postponed AND EXISTS (
               SELECT FROM tbs.activity AS a
               WHERE a.line_id = activity.line_id AND a.network_resource_id = activity.network_resource_id
                 AND a.activity_id <> activity.activity_id AND a.state IN ('new', 'waiting')) THEN
            -- A rename: the new object is there. The line's other activities (its number) are pointed to it before the old one goes. Or members of an object (a user's
            -- voicemail) are not wanted any more: where one of the others removes that object, they go with it and need no call.
            UPDATE tbs.activity AS a
            SET state = 'waiting', bridge_id = NULL, removal_postponed = true, moved_to = nextval('tbs.activity_activity_id_seq')
            WHERE a.activity_id = activity.activity_id;
            IF let_go.wanted THEN
                PERFORM tbs.note_line_usoc_state(activity, true, true, 'old objects are still to be removed');
            END IF;
            PERFORM tbs.wake_other_resources(ARRAY[activity]);
            RETURN NULL;
        END IF;
        IF NOT let_go.wanted THEN
            v_is_held := tbs.is_held_by_brake(activity, resource);
            IF v_is_held IS NULL THEN
                UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL WHERE a.activity_id = activity.activity_id;
                PERFORM tbs.ring();
                RETURN NULL;
            ELSIF v_is_held THEN
                PERFORM tbs.hold(activity, format('delete brake: more than %s removals within an hour', resource.delete_brake));
                RETURN NULL;
            END IF;
        END IF;
        RETURN tbs.prepare_sending(activity, let_go.service, v_planned, NULL, resource, false);
    END IF;

    SELECT tbs.beginning_of_day(lu.active_date, activity.network_resource_id) INTO v_due_at FROM tbs.line_usoc AS lu
    WHERE lu.line_usoc_id = activity.line_usoc_id AND lu.active_date > tbs.business_day(resource.time_zone)
      -- One that an operator has let begin before its day, and end, does not begin again on that day.
      AND NOT EXISTS (SELECT FROM tbs.line_usoc_run_now AS n WHERE n.line_usoc_id = lu.line_usoc_id AND n.what = 'start' AND n.day = lu.active_date);
    IF NOT let_go.wanted AND FOUND THEN
        -- One is scheduled, the last: it will look at the dates as they are then.
        IF EXISTS (SELECT FROM tbs.activity AS a JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
                   WHERE a.line_usoc_id = activity.line_usoc_id AND a.network_resource_id = activity.network_resource_id AND a.line_id = activity.line_id
                     AND t.service = let_go.service AND a.state IN ('new', 'waiting') AND a.activity_id <> activity.activity_id) THEN
            DELETE FROM tbs.activity AS a WHERE a.activity_id = activity.activity_id;
            DELETE FROM tbs.activity_policy AS p WHERE p.activity_id = activity.activity_id;
            PERFORM tbs.record_event('superseded', NULL, activity, true, 'a later change came before this was done');
            RETURN NULL;
        END IF;
        UPDATE tbs.activity AS a SET state = 'scheduled', bridge_id = NULL, due_at = v_due_at WHERE a.activity_id = activity.activity_id;
        -- What it had before is gone: what requires it waits.
        PERFORM tbs.note_line_usoc_state(activity, false, true, 'scheduled');
        RETURN NULL;
    END IF;
    PERFORM tbs.succeed_activities(ARRAY[activity], ARRAY[let_go.wanted], ARRAY[CASE WHEN activity.call_number = 0 THEN 'nothing to send' END]);
    RETURN NULL;
END;
$let_go$;
COMMENT ON FUNCTION tbs.let_go(tbs.activity, text, boolean, tbs.planned_object[], tbs.network_resource) IS
'internal: goes on with an activity whose objects are all there: what is not wanted any more; null when there is nothing to call';

CREATE TYPE tbs.planned_use AS (
    line_usoc_id        bigint,
    network_resource_id integer,
    service             text,
    position            integer,
    kind                text,
    key                 text,
    identity            jsonb,
    find_value          text,
    removal             text,
    is_new              boolean
);
COMMENT ON TYPE tbs.planned_use IS 'internal: that a line USOC is about to use a remote object; is_new: the object is not on record yet';

CREATE TYPE tbs.planned_activity AS (
    activity tbs.activity,
    service  text,
    wanted   boolean,
    plan     tbs.planned_object[],
    resource tbs.network_resource
);
COMMENT ON TYPE tbs.planned_activity IS 'internal: an activity with its plan; wanted: the rows of now want its service';

-- carry_out: plans activities whose turn it is, of different lines, and returns their next API calls. Those without one are done, failed, or wait; their lines
-- may go on. All are planned by one query, as the rows are now, and what is about to be written is written for all of them. What one of them changes and
-- another has planned with is seen when the other's turn to write comes, as between two sessions.
CREATE FUNCTION tbs.carry_out(bridge_id bigint, activity_ids bigint[])
RETURNS tbs.api_call[]
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $carry_out$
DECLARE
    v_row record;
    v_activity tbs.activity;
    v_planned tbs.planned_object;
    v_first tbs.planned_object;
    v_error tbs.planned_object;
    v_differences integer;
    v_relies boolean;
    v_comes_to_use boolean;
    v_wanted boolean;
    v_uses tbs.planned_use[] := '{}';
    v_is_any_new boolean := false;
    v_sendings tbs.sending[] := '{}';
    v_sending tbs.sending;
    v_letting_go tbs.planned_activity[] := '{}';
    v_one tbs.planned_activity;
    v_done tbs.activity[] := '{}';
    v_messages text[] := '{}';
    v_call tbs.api_call;
    v_calls tbs.api_call[] := '{}';
BEGIN
    FOR v_row IN
        SELECT a.activity, t.service, t.trigger_type, coalesce(t.timeout_milliseconds, r.timeout_milliseconds) AS timeout_milliseconds, r AS resource, c.context,
               -- A service may want nothing just now (a phone, on a line that has no device yet).
               coalesce(g.plan, '{}') AS plan
        FROM unnest(carry_out.activity_ids) WITH ORDINALITY AS i (activity_id, place)
        CROSS JOIN LATERAL (SELECT x AS activity, x.activity_type_id, x.network_resource_id, x.line_usoc_id, x.corrections, x.round_at, x.send_all
                            FROM tbs.activity AS x WHERE x.activity_id = i.activity_id OFFSET 0) AS a
        JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
        JOIN tbs.network_resource AS r ON r.network_resource_id = a.network_resource_id
        LEFT JOIN LATERAL (
            SELECT CASE WHEN a.corrections IS NULL THEN x.context ELSE tbs.corrected_context(x.context, a.corrections) END AS context
            -- OFFSET 0: the context is in the plan once, and not for each of the two.
            FROM (SELECT y.context FROM tbs.context_of(a.line_usoc_id, a.network_resource_id, t.trigger_type) AS y
                  WHERE y.service = t.service AND y.wanted OFFSET 0) AS x OFFSET 0) AS c ON true
        LEFT JOIN LATERAL tbs.plan(a.line_usoc_id, a.network_resource_id, r.network_resource_type, r.base_url, t.service, c.context, a.round_at, a.send_all) AS g ON a.line_usoc_id <> 0
        ORDER BY i.place
    LOOP
        v_activity := v_row.activity;
        IF v_activity.line_usoc_id = 0 THEN
            v_call := CASE WHEN v_row.trigger_type = 'audit' THEN tbs.next_page(carry_out.bridge_id, v_activity, v_row.resource, v_row.timeout_milliseconds)
                           ELSE tbs.carry_out_for_resource(carry_out.bridge_id, v_activity, v_row.resource) END;
            IF v_call.activity_id IS NOT NULL THEN
                v_calls := v_calls || v_call;
            END IF;
            CONTINUE;
        END IF;
        v_error := NULL;
        v_first := NULL;
        v_differences := 0;
        v_relies := false;
        v_comes_to_use := false;
        FOREACH v_planned IN ARRAY v_row.plan LOOP
            IF v_planned.error IS NOT NULL AND v_error.kind IS NULL THEN
                v_error := v_planned;
            END IF;
            v_comes_to_use := v_comes_to_use OR (v_planned.content IS NOT NULL AND NOT v_planned.is_used);
            IF v_planned.operation <> 'none' THEN
                v_differences := v_differences + 1;
                IF v_planned.content IS NOT NULL AND v_first.kind IS NULL THEN
                    v_first := v_planned;
                END IF;
            ELSIF NOT v_planned.is_used THEN
                v_relies := true;
            END IF;
        END LOOP;
        -- Data that cannot be rendered, or a number that is another line's: this activity alone fails, before anything of it is sent.
        IF v_error.kind IS NOT NULL THEN
            PERFORM tbs.fail_activity(v_activity, 'rejected', format('%s, %s: %s', v_error.kind, v_error.error_member, v_error.error));
            CONTINUE;
        END IF;
        v_wanted := v_row.context IS NOT NULL;
        IF v_wanted AND v_comes_to_use THEN
            IF v_relies AND NOT tbs.rely_on(v_activity.line_usoc_id, v_row.service, v_row.plan) THEN
                UPDATE tbs.activity AS a SET state = 'retry', bridge_id = NULL, due_at = clock_timestamp() + interval '50 milliseconds'
                WHERE a.activity_id = v_activity.activity_id;
                CONTINUE;
            END IF;
            FOREACH v_planned IN ARRAY v_row.plan LOOP
                IF v_planned.content IS NOT NULL AND NOT v_planned.is_used THEN
                    v_uses := v_uses || ROW(v_activity.line_usoc_id, v_activity.network_resource_id, v_row.service, v_planned.position, v_planned.kind, v_planned.key,
                                            v_planned.identity, v_planned.find_value, v_planned.removal, v_planned.remote_object_id IS NULL)::tbs.planned_use;
                    v_is_any_new := v_is_any_new OR v_planned.remote_object_id IS NULL;
                END IF;
            END LOOP;
        END IF;
        IF v_first.kind IS NOT NULL THEN
            v_sendings := v_sendings || tbs.prepare_sending(v_activity, v_row.service, v_first, v_row.context, v_row.resource, v_differences = 1);
        ELSIF v_differences = 0 AND v_wanted THEN
            v_done := v_done || v_activity;
            v_messages := v_messages || CASE WHEN v_activity.call_number = 0 THEN 'nothing to send' END;
        ELSE
            v_letting_go := v_letting_go || ROW(v_activity, v_row.service, v_wanted, v_row.plan, v_row.resource)::tbs.planned_activity;
        END IF;
    END LOOP;

    -- Uses are on record before the first call, so that a delete that comes in between knows of them. In one order for everybody.
    IF v_is_any_new THEN
        INSERT INTO tbs.remote_object (network_resource_id, kind, key, identity, find_value)
        SELECT w.network_resource_id, w.kind, w.key, w.identity, w.find_value
        FROM unnest(v_uses) AS w
        WHERE w.is_new
        ORDER BY w.network_resource_id, w.kind, w.key
        ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(v_uses) > 0 THEN
        INSERT INTO tbs.remote_object_use AS u (remote_object_id, line_usoc_id, network_resource_id, service, position, removal)
        SELECT o.remote_object_id, w.line_usoc_id, w.network_resource_id, w.service, w.position, w.removal
        FROM unnest(v_uses) AS w
        CROSS JOIN LATERAL (SELECT x.remote_object_id FROM tbs.remote_object AS x
                            WHERE x.network_resource_id = w.network_resource_id AND x.kind = w.kind AND x.key = w.key OFFSET 0) AS o
        ORDER BY 1, 2
        ON CONFLICT ON CONSTRAINT remote_object_use_pkey DO UPDATE SET removal = excluded.removal WHERE u.removal <> excluded.removal;
    END IF;
    FOREACH v_one IN ARRAY v_letting_go LOOP
        v_sending := tbs.let_go(v_one.activity, v_one.service, v_one.wanted, v_one.plan, v_one.resource);
        IF v_sending.activity_id IS NOT NULL THEN
            v_sendings := v_sendings || v_sending;
        END IF;
    END LOOP;
    IF cardinality(v_done) > 0 THEN
        PERFORM tbs.succeed_activities(v_done, array_fill(true, ARRAY[cardinality(v_done)]), v_messages);
    END IF;
    RETURN v_calls || tbs.send(carry_out.bridge_id, v_sendings);
END;
$carry_out$;
COMMENT ON FUNCTION tbs.carry_out(bigint, bigint[]) IS 'internal: the next API calls of activities whose turn it is; one that has none is done, failed, or waits';

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
-- budgets: what the bridge may send, from tbs.budgets(); null: they are asked for when there is a turn to give. looked_at: of the lines, what tbs.look_at_lines()
-- has found new; are_alone: and that each is all that its line has.
CREATE FUNCTION tbs.run(bridge_id bigint, activity_ids bigint[], line_ids bigint[], network_resource_ids integer[], maximum integer, budgets tbs.budget[],
                        looked_at bigint[], are_alone boolean)
RETURNS tbs.api_call[]
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $run$
DECLARE
    -- So many are planned at a time: the clock is looked at in between.
    k_batch CONSTANT integer := 100;
    v_turns bigint[] := run.activity_ids;
    v_continues boolean := true;
    v_lines bigint[] := run.line_ids;
    v_resources integer[] := run.network_resource_ids;
    v_turn record;
    v_call tbs.api_call;
    v_calls tbs.api_call[] := '{}';
    v_budgets tbs.budget[] := run.budgets;
    v_budget tbs.budget;
    v_is_metered boolean := false;
    v_looked_at bigint[] := run.looked_at;
    v_undecided bigint[] := run.looked_at;
    v_are_alone boolean := run.are_alone;
    v_place integer;
    v_places integer[];
    v_probes integer[];
    v_taken bigint[];
    v_taken_lines bigint[];
    v_taken_resources integer[];
    v_new_lines bigint[];
    v_new_resources integer[];
    v_later bigint[] := '{}';
    v_sent integer[] := '{}';
    v_look record;
    v_called bigint[];
    v_until timestamptz := clock_timestamp() + interval '1 second';
    v_is_over boolean := false;
    v_may_send boolean;
BEGIN
    LOOP
        IF cardinality(v_turns) = 0 THEN
            EXIT WHEN coalesce(cardinality(v_lines), 0) = 0;
            IF cardinality(v_undecided) = 0 THEN
                EXIT WHEN NOT EXISTS (
                    SELECT FROM unnest(v_lines, v_resources) AS k (line_id, network_resource_id)
                    CROSS JOIN LATERAL (SELECT FROM tbs.activity AS a WHERE a.line_id = k.line_id AND a.network_resource_id = k.network_resource_id LIMIT 1) AS a);
            END IF;
            v_turns := CASE WHEN v_are_alone THEN v_undecided ELSE tbs.next_activities(v_lines, v_resources) END;
            v_are_alone := false;
            -- Once: who has had its turn and is new again, has to be looked at by a claim.
            IF cardinality(v_undecided) > 0 AND v_undecided <> v_turns THEN
                v_undecided := ARRAY(SELECT u.id FROM unnest(v_undecided) AS u (id) EXCEPT SELECT t.id FROM unnest(v_turns) AS t (id));
                UPDATE tbs.activity AS a SET state = 'waiting' WHERE a.activity_id = ANY (v_undecided) AND a.state = 'new';
            END IF;
            v_undecided := '{}';
            EXIT WHEN cardinality(v_turns) = 0;
            v_lines := '{}';
            v_resources := '{}';
            v_continues := false;
        END IF;
        IF v_budgets IS NULL THEN
            v_budgets := tbs.budgets(run.bridge_id);
        END IF;
        v_taken := '{}';
        v_taken_lines := '{}';
        v_taken_resources := '{}';
        v_places := '{}';
        v_probes := '{}';
        v_new_lines := '{}';
        v_new_resources := '{}';
        FOR v_turn IN
            SELECT a.activity_id, a.line_id, a.network_resource_id, a.state, b.ordinality::integer AS budget, t.network_resource_type, t.service,
                   (SELECT lu.line_id FROM tbs.line_usoc AS lu WHERE lu.line_usoc_id = a.line_usoc_id AND lu.line_id <> a.line_id) AS moved_to_line,
                   CASE WHEN v.secrets <> '{}' OR EXISTS (SELECT FROM tbs.line_device AS x WHERE x.line_id = a.line_id)
                        THEN tbs.is_wanted(a.line_usoc_id, a.network_resource_id, t.service) END AS needs_secrets
            FROM unnest(v_turns) WITH ORDINALITY AS i (activity_id, place)
            CROSS JOIN LATERAL (SELECT x.activity_id, x.activity_type_id, x.line_id, x.line_usoc_id, x.network_resource_id, x.state FROM tbs.activity AS x
                                WHERE x.activity_id = i.activity_id OFFSET 0) AS a
            JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
            JOIN tbs.service AS v ON v.network_resource_type = t.network_resource_type AND v.service = t.service
            LEFT JOIN unnest(v_budgets) WITH ORDINALITY AS b ON b.network_resource_id = a.network_resource_id
            ORDER BY i.place
        LOOP
            IF v_turn.state = 'new' AND v_turn.activity_id <> ALL (v_looked_at) THEN
                -- Captured since a claim has looked at its line.
                v_new_lines := v_new_lines || v_turn.line_id;
                v_new_resources := v_new_resources || v_turn.network_resource_id;
                CONTINUE;
            ELSIF v_turn.moved_to_line IS NOT NULL THEN
                -- The line USOC was put on another line: the activity goes along, into that line's sequence.
                UPDATE tbs.activity AS a SET line_id = v_turn.moved_to_line, state = 'new', bridge_id = NULL WHERE a.activity_id = v_turn.activity_id;
                v_looked_at := array_remove(v_looked_at, v_turn.activity_id);
                PERFORM tbs.ring();
                v_lines := v_lines || v_turn.line_id;
                v_resources := v_resources || v_turn.network_resource_id;
                CONTINUE;
            END IF;
            v_place := v_turn.budget;
            v_budget := v_budgets[v_place];
            v_is_over := v_is_over OR clock_timestamp() >= v_until;
            -- One that goes on has its place among the calls under way already.
            v_may_send := v_place IS NOT NULL AND NOT v_is_over AND cardinality(v_sent) + cardinality(v_taken) < run.maximum AND cardinality(v_taken) < k_batch
                      AND v_budget.tokens > 0 AND (v_budget.calls > 0 OR (v_continues AND NOT v_budget.probe));
            IF v_may_send AND v_budget.probe THEN
                v_may_send := tbs.take_probe((SELECT r FROM tbs.network_resource AS r WHERE r.network_resource_id = v_turn.network_resource_id));
                IF v_may_send THEN
                    v_probes := v_probes || v_turn.network_resource_id;
                END IF;
            END IF;
            IF v_may_send THEN
                v_taken := v_taken || v_turn.activity_id;
                v_taken_lines := v_taken_lines || v_turn.line_id;
                v_taken_resources := v_taken_resources || v_turn.network_resource_id;
                v_places := v_places || v_place;
                IF v_turn.needs_secrets THEN
                    PERFORM tbs.make_secrets(ARRAY[v_turn.line_id], ARRAY[v_turn.network_resource_type], ARRAY[v_turn.service]);
                END IF;
                v_is_metered := v_is_metered OR v_budget.metered;
                v_budget.tokens := v_budget.tokens - 1;
                v_budget.calls := v_budget.calls - (NOT v_continues)::integer;
                v_budgets[v_place] := v_budget;
            ELSE
                v_later := v_later || v_turn.activity_id;
            END IF;
        END LOOP;
        IF cardinality(v_new_lines) > 0 THEN
            v_look := tbs.look_at_lines(v_new_lines, v_new_resources);
            v_lines := v_lines || v_look.line_ids;
            v_resources := v_resources || v_look.network_resource_ids;
            v_looked_at := v_looked_at || v_look.activity_ids;
            v_undecided := v_undecided || v_look.activity_ids;
        END IF;
        v_called := '{}';
        IF cardinality(v_taken) > 0 THEN
            FOREACH v_call IN ARRAY tbs.carry_out(run.bridge_id, v_taken) LOOP
                v_called := v_called || v_call.activity_id;
                v_sent := v_sent || v_call.network_resource_id;
                v_calls := v_calls || v_call;
            END LOOP;
        END IF;
        -- Those without a call leave their place to others, and the turn to the next of their lines.
        FOR i IN 1 .. cardinality(v_taken) LOOP
            CONTINUE WHEN v_taken[i] = ANY (v_called);
            v_budget := v_budgets[v_places[i]];
            v_budget.tokens := v_budget.tokens + 1;
            v_budget.calls := v_budget.calls + 1;
            v_budgets[v_places[i]] := v_budget;
            IF v_taken_resources[i] = ANY (v_probes) THEN
                PERFORM tbs.return_probe(v_taken_resources[i]);
            END IF;
            v_lines := v_lines || v_taken_lines[i];
            v_resources := v_resources || v_taken_resources[i];
        END LOOP;
        v_turns := '{}';
        IF cardinality(v_later) > 0 AND cardinality(v_taken) > 0 THEN
            -- What did not fit into this batch, or has room now.
            v_turns := v_later;
        ELSIF cardinality(v_later) > 0 THEN
            UPDATE tbs.activity AS a SET state = 'new', bridge_id = NULL, due_at = NULL WHERE a.activity_id = ANY (v_later);
            IF FOUND AND (v_is_over OR cardinality(v_sent) >= run.maximum) THEN
                -- Not for a limit, which ends by itself.
                PERFORM tbs.ring();
            END IF;
        END IF;
        v_later := '{}';
    END LOOP;
    IF v_is_metered AND cardinality(v_sent) > 0 THEN
        PERFORM tbs.spend_tokens(run.bridge_id, v_sent);
    END IF;
    RETURN v_calls;
END;
$run$;
COMMENT ON FUNCTION tbs.run(bigint, bigint[], bigint[], integer[], integer, tbs.budget[], bigint[], boolean) IS 'internal: carries out activities of locked lines and returns the API calls to make';
