-- Trouble of a network resource as a whole: it asks for a pause (throttled), or is not there (unavailable). Its activities are not to blame.
-- A condition row is only written by whoever gets it without waiting: reports hold rows of remote objects, and would wait for each other.

CREATE FUNCTION tbs.make_condition()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $make_condition$
BEGIN
    INSERT INTO tbs.network_resource_condition (network_resource_id) VALUES (NEW.network_resource_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END;
$make_condition$;
COMMENT ON FUNCTION tbs.make_condition() IS 'trigger: every network resource has a condition';
CREATE TRIGGER make_condition AFTER INSERT ON tbs.network_resource FOR EACH ROW EXECUTE FUNCTION tbs.make_condition();

CREATE FUNCTION tbs.try_condition(network_resource_id integer)
RETURNS tbs.network_resource_condition
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $try_condition$
DECLARE
    v_condition tbs.network_resource_condition;
BEGIN
    SELECT * INTO v_condition FROM tbs.network_resource_condition AS c WHERE c.network_resource_id = try_condition.network_resource_id FOR UPDATE SKIP LOCKED;
    RETURN v_condition;
END;
$try_condition$;
COMMENT ON FUNCTION tbs.try_condition(integer) IS 'internal: the condition of a network resource, locked; null when another session is just changing it';

CREATE FUNCTION tbs.start_ramp(network_resource_id integer)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $start_ramp$
BEGIN
    UPDATE tbs.network_resource_condition AS c SET ramp_from = clock_timestamp() WHERE c.network_resource_id = start_ramp.network_resource_id;
END;
$start_ramp$;
COMMENT ON FUNCTION tbs.start_ramp(integer) IS 'internal: lets the calls under way at a network resource grow from one, so that what has piled up does not fall on it at once';

-- Retry-After of RFC 9110 section 10.2.3: seconds, or an HTTP date. Not more than a day is taken for meant.
CREATE FUNCTION tbs.retry_after(headers jsonb)
RETURNS interval
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $retry_after$
DECLARE
    v_value text := btrim(headers ->> 'retry-after');
BEGIN
    IF v_value ~ '^[0-9]{1,9}$' THEN
        RETURN least(make_interval(secs => v_value::integer), interval '1 day');
    ELSIF v_value ~ '^[A-Za-z]{3,9}, ?[0-9]' THEN
        RETURN least(greatest(v_value::timestamptz - clock_timestamp(), interval '0'), interval '1 day');
    END IF;
    RETURN NULL;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END;
$retry_after$;
COMMENT ON FUNCTION tbs.retry_after(jsonb) IS 'internal: how long an answer asks to wait, by its Retry-After header in either form, at most a day; null: it does not, or not readably';

-- throttled: nothing goes to the network resource until the pause that it asked for is over; without a Retry-After each one in a row is longer.
CREATE FUNCTION tbs.throttle(network_resource_id integer, wait interval, first_retry interval, longest_retry interval, message text)
RETURNS timestamptz
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $throttle$
DECLARE
    v_condition tbs.network_resource_condition := tbs.try_condition(throttle.network_resource_id);
    v_until timestamptz;
BEGIN
    v_until := clock_timestamp() + coalesce(throttle.wait, least(throttle.first_retry * power(2, least(coalesce(v_condition.throttles, 0), 30)), throttle.longest_retry));
    IF v_condition.network_resource_id IS NOT NULL THEN
        IF coalesce(v_condition.not_before < clock_timestamp(), true) THEN
            PERFORM tbs.record_event('throttled', NULL, network_resource_id => throttle.network_resource_id, message => format('until %s: %s', v_until, throttle.message));
        END IF;
        UPDATE tbs.network_resource_condition AS c
        SET not_before = greatest(c.not_before, v_until), throttles = c.throttles + 1, ramp_from = greatest(c.not_before, v_until)
        WHERE c.network_resource_id = throttle.network_resource_id
        RETURNING c.not_before INTO v_until;
    END IF;
    RETURN v_until;
END;
$throttle$;
COMMENT ON FUNCTION tbs.throttle(integer, interval, interval, interval, text) IS 'internal: holds up a network resource that asked for it; returns until when';

-- A failure that may mean that the resource as a whole is down. True: it is unavailable, and failures do not count.
CREATE FUNCTION tbs.note_failure(activity tbs.activity, resource tbs.network_resource, outcome text, message text)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $note_failure$
DECLARE
    v_condition tbs.network_resource_condition;
BEGIN
    SELECT * INTO v_condition FROM tbs.network_resource_condition AS c WHERE c.network_resource_id = resource.network_resource_id;
    IF v_condition.unavailable_since IS NOT NULL THEN
        RETURN true;
    END IF;
    INSERT INTO tbs.network_resource_failure (network_resource_id, activity_id, line_id, outcome)
    VALUES (resource.network_resource_id, activity.activity_id, activity.line_id, note_failure.outcome);
    -- One line's data can make a resource answer 500 again and again; several lines' cannot by chance.
    IF (SELECT count(*) FILTER (WHERE f.outcome = 'unavailable') < resource.unavailable_failures
           AND NOT (count(*) >= resource.unavailable_failures AND count(DISTINCT f.line_id) >= 3)
        FROM tbs.network_resource_failure AS f
        WHERE f.network_resource_id = resource.network_resource_id AND f.failed_at > clock_timestamp() - resource.unavailable_window) THEN
        RETURN false;
    END IF;
    v_condition := tbs.try_condition(resource.network_resource_id);
    IF v_condition.network_resource_id IS NULL OR v_condition.unavailable_since IS NOT NULL THEN
        RETURN true;
    END IF;
    UPDATE tbs.network_resource_condition AS c
    SET unavailable_since = clock_timestamp(), unavailable_reason = note_failure.message, probe_at = clock_timestamp() + resource.probe_interval
    WHERE c.network_resource_id = resource.network_resource_id;
    PERFORM tbs.record_event('made_unavailable', NULL, network_resource_id => resource.network_resource_id, message => note_failure.message);
    PERFORM tbs.forgive_failures(resource.network_resource_id);
    RETURN true;
END;
$note_failure$;
COMMENT ON FUNCTION tbs.note_failure(tbs.activity, tbs.network_resource, text, text) IS 'internal: counts a failure against the network resource; true when that is, or has become, unavailable';

-- The failures that led to the pause were not the activities' fault: they are un-counted, and what failed of them gets back into the queue.
CREATE FUNCTION tbs.forgive_failures(network_resource_id integer)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $forgive_failures$
DECLARE
    v_activity tbs.activity;
BEGIN
    FOR v_activity IN
        UPDATE tbs.activity AS a
        SET calls_used = greatest(a.calls_used - f.failures, 0), state = CASE WHEN a.state = 'failed' THEN 'new' ELSE a.state END
        FROM (SELECT x.activity_id, count(*)::integer AS failures FROM tbs.network_resource_failure AS x
              WHERE x.network_resource_id = forgive_failures.network_resource_id AND x.outcome <> 'unavailable' GROUP BY x.activity_id) AS f
        WHERE a.activity_id = f.activity_id AND a.calls_used > 0
          AND a.activity_id IN (SELECT l.activity_id FROM tbs.activity AS l
                                JOIN tbs.network_resource_failure AS y ON y.activity_id = l.activity_id AND y.network_resource_id = forgive_failures.network_resource_id
                                FOR UPDATE OF l SKIP LOCKED)
        RETURNING a.*
    LOOP
        IF v_activity.state = 'new' THEN
            PERFORM tbs.record_event('new_round', NULL, v_activity, false, 'the network resource was unavailable: its failures do not count');
        END IF;
    END LOOP;
    DELETE FROM tbs.network_resource_failure AS f WHERE f.network_resource_id = forgive_failures.network_resource_id;
END;
$forgive_failures$;
COMMENT ON FUNCTION tbs.forgive_failures(integer) IS 'internal: un-counts the failures that led to a network resource being unavailable';

-- Any answer of the system itself: it is there.
CREATE FUNCTION tbs.note_answer(network_resource_id integer)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $note_answer$
DECLARE
    v_condition tbs.network_resource_condition;
BEGIN
    IF EXISTS (SELECT FROM tbs.network_resource_failure AS f WHERE f.network_resource_id = note_answer.network_resource_id) THEN
        DELETE FROM tbs.network_resource_failure AS f
        WHERE f.ctid = ANY (ARRAY(SELECT x.ctid FROM tbs.network_resource_failure AS x WHERE x.network_resource_id = note_answer.network_resource_id FOR UPDATE SKIP LOCKED));
    END IF;
    SELECT * INTO v_condition FROM tbs.network_resource_condition AS c WHERE c.network_resource_id = note_answer.network_resource_id;
    IF v_condition.unavailable_since IS NULL AND coalesce(v_condition.throttles, 0) = 0 THEN
        RETURN;
    END IF;
    v_condition := tbs.try_condition(note_answer.network_resource_id);
    IF v_condition.network_resource_id IS NULL THEN
        RETURN;
    END IF;
    IF v_condition.unavailable_since IS NOT NULL THEN
        PERFORM tbs.record_event('available_again', NULL, network_resource_id => note_answer.network_resource_id, message => format('unavailable since %s: %s',
                                 v_condition.unavailable_since, v_condition.unavailable_reason));
        UPDATE tbs.network_resource_condition AS c
        SET unavailable_since = NULL, unavailable_reason = NULL, probe_at = NULL, ramp_from = clock_timestamp(), throttles = 0
        WHERE c.network_resource_id = note_answer.network_resource_id;
        PERFORM tbs.ring();
    ELSE
        UPDATE tbs.network_resource_condition AS c SET throttles = 0 WHERE c.network_resource_id = note_answer.network_resource_id;
    END IF;
END;
$note_answer$;
COMMENT ON FUNCTION tbs.note_answer(integer) IS 'internal: the network resource answered: its failures so far mean nothing, and it is available';

-- The one call that may look whether an unavailable network resource is back.
CREATE FUNCTION tbs.take_probe(resource tbs.network_resource)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $take_probe$
DECLARE
    v_condition tbs.network_resource_condition := tbs.try_condition(resource.network_resource_id);
BEGIN
    IF v_condition.unavailable_since IS NULL OR v_condition.probe_at > clock_timestamp() THEN
        RETURN false;
    END IF;
    UPDATE tbs.network_resource_condition AS c SET probe_at = clock_timestamp() + resource.probe_interval WHERE c.network_resource_id = resource.network_resource_id;
    RETURN true;
END;
$take_probe$;
COMMENT ON FUNCTION tbs.take_probe(tbs.network_resource) IS 'internal: true for the one who may send the next probe';

CREATE FUNCTION tbs.return_probe(network_resource_id integer)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $return_probe$
BEGIN
    UPDATE tbs.network_resource_condition AS c SET probe_at = clock_timestamp() WHERE c.network_resource_id = return_probe.network_resource_id;
END;
$return_probe$;
COMMENT ON FUNCTION tbs.return_probe(integer) IS 'internal: the activity that was to be the probe needed no call';

-- The delete brake: null when another session is just counting. More removals than usual within an hour are held, so that a DELETE by mistake takes no customer off the air.
CREATE FUNCTION tbs.is_held_by_brake(activity tbs.activity, resource tbs.network_resource)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $is_held_by_brake$
DECLARE
    v_count integer;
BEGIN
    IF resource.delete_brake IS NULL OR activity.brake_released
       OR EXISTS (SELECT FROM tbs.network_resource_removal AS d
                  WHERE d.network_resource_id = resource.network_resource_id AND d.activity_id = activity.activity_id AND d.begun_at > clock_timestamp() - interval '1 hour') THEN
        RETURN false;
    END IF;
    -- One at a time counts, or two bridges would each see room for the last one. Nobody waits for it: reports hold rows of remote objects.
    IF NOT pg_try_advisory_xact_lock(hashint8extended(resource.network_resource_id, 5027718346091)) THEN
        RETURN NULL;
    END IF;
    SELECT count(*) INTO v_count FROM tbs.network_resource_removal AS d
    WHERE d.network_resource_id = resource.network_resource_id AND d.begun_at > clock_timestamp() - interval '1 hour';
    IF v_count < resource.delete_brake THEN
        INSERT INTO tbs.network_resource_removal (network_resource_id, activity_id) VALUES (resource.network_resource_id, activity.activity_id);
        RETURN false;
    END IF;
    RETURN true;
END;
$is_held_by_brake$;
COMMENT ON FUNCTION tbs.is_held_by_brake(tbs.activity, tbs.network_resource) IS 'internal: whether a removal exceeds the delete brake of its network resource; counts it when it does not; null: ask again';
