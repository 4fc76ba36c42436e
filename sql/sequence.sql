-- Sequence: whose turn it is. Activities of one (line, network resource) run one at a time, through retries. Only claim, report and operators decide,
-- and always with the lock of the line: a decision without it could miss the one that another session is just making, and leave a row waiting for ever.

CREATE FUNCTION tbs.line_lock_key(line_id bigint)
RETURNS bigint
LANGUAGE sql
IMMUTABLE STRICT PARALLEL SAFE
-- Hashed, so that an application's own advisory locks on small numbers do not meet ours.
RETURN hashint8extended(line_lock_key.line_id, 8460176912403);
COMMENT ON FUNCTION tbs.line_lock_key(bigint) IS 'internal: key of the advisory lock of a line';

-- An operator's mass action has more lines than the server's lock table has room for: it takes all lines by one lock, which everybody else holds shared.
CREATE FUNCTION tbs.all_lines_lock_key()
RETURNS bigint
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
RETURN hashint8extended(0, 8460176912404);
COMMENT ON FUNCTION tbs.all_lines_lock_key() IS 'internal: key of the advisory lock of all lines at once';

-- lock_lines: waits for each, in one order for everybody.
CREATE FUNCTION tbs.lock_lines(line_ids bigint[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $lock_lines$
BEGIN
    IF cardinality(lock_lines.line_ids) > 1000 THEN
        PERFORM pg_advisory_xact_lock(tbs.all_lines_lock_key());
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(tbs.all_lines_lock_key());
    PERFORM pg_advisory_xact_lock(k.key)
    FROM (SELECT DISTINCT tbs.line_lock_key(l) AS key FROM unnest(lock_lines.line_ids) AS l ORDER BY 1 OFFSET 0) AS k;
END;
$lock_lines$;
COMMENT ON FUNCTION tbs.lock_lines(bigint[]) IS 'internal: takes the locks of these lines until the end of the transaction; of more than 1000 the lock of all lines';

-- try_lock_lines: takes those that nobody else has, and says which. For a beat, which waits for nobody.
CREATE FUNCTION tbs.try_lock_lines(line_ids bigint[])
RETURNS bigint[]
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $try_lock_lines$
BEGIN
    IF NOT pg_try_advisory_xact_lock_shared(tbs.all_lines_lock_key()) THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(SELECT k.line_id FROM (SELECT DISTINCT l AS line_id FROM unnest(try_lock_lines.line_ids) AS l OFFSET 0) AS k
                 WHERE pg_try_advisory_xact_lock(tbs.line_lock_key(k.line_id)));
END;
$try_lock_lines$;
COMMENT ON FUNCTION tbs.try_lock_lines(bigint[]) IS 'internal: takes the locks of these lines that are free, until the end of the transaction, and returns those lines';

-- lock_lines_soon: for a report, which has the answers of many lines: one that somebody keeps (an operator's transaction that was left open) must not keep the
-- others. Waits a little for all of them (or as long as the session's own lock_timeout says), and then takes those that are free.
CREATE FUNCTION tbs.lock_lines_soon(line_ids bigint[])
RETURNS bigint[]
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $lock_lines_soon$
DECLARE
    v_own text := current_setting('lock_timeout');
BEGIN
    -- One is tried first. Not several: those that are free would be taken out of their order.
    IF cardinality(lock_lines_soon.line_ids) = 1 AND pg_try_advisory_xact_lock_shared(tbs.all_lines_lock_key())
       AND pg_try_advisory_xact_lock(tbs.line_lock_key(lock_lines_soon.line_ids[1])) THEN
        RETURN lock_lines_soon.line_ids;
    END IF;
    BEGIN
        IF v_own = '0' THEN
            PERFORM set_config('lock_timeout', '200ms', true);
        END IF;
        PERFORM tbs.lock_lines(lock_lines_soon.line_ids);
        PERFORM set_config('lock_timeout', v_own, true);
        RETURN lock_lines_soon.line_ids;
    EXCEPTION WHEN lock_not_available THEN
        RETURN tbs.try_lock_lines(lock_lines_soon.line_ids);
    END;
END;
$lock_lines_soon$;
COMMENT ON FUNCTION tbs.lock_lines_soon(bigint[]) IS 'internal: takes the locks of these lines until the end of the transaction, of all or, when that takes long, of those that are free; returns whose it has';

CREATE FUNCTION tbs.is_service_met(line_id bigint, service text, activity_id bigint)
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $is_service_met$
BEGIN
    -- There, and brought up to date with the rows, which is also what the activity will be rendered from: a number that was captured before its line moved to
    -- another domain goes there too, after the seat. Only what is postponed behind others, or scheduled, is not waited for.
    RETURN (
        SELECT EXISTS (
            SELECT FROM tbs.line_usoc_state AS s
            WHERE s.line_id = is_service_met.line_id AND s.service = is_service_met.service AND s.present
              AND NOT EXISTS (SELECT FROM tbs.activity AS a JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
                              WHERE a.line_usoc_id = s.line_usoc_id AND a.network_resource_id = s.network_resource_id AND t.service = s.service
                                AND a.state <> 'scheduled' AND (a.moved_to IS NULL OR a.moved_to < is_service_met.activity_id))));
END;
$is_service_met$;
COMMENT ON FUNCTION tbs.is_service_met(bigint, text, bigint) IS 'internal: whether a line has a required service in step, as far as an activity has to wait for it';

CREATE FUNCTION tbs.has_moved(activity tbs.activity)
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $has_moved$
BEGIN
    RETURN EXISTS (SELECT FROM tbs.line_usoc AS lu WHERE lu.line_usoc_id = activity.line_usoc_id AND lu.line_id <> activity.line_id);
END;
$has_moved$;
COMMENT ON FUNCTION tbs.has_moved(tbs.activity) IS 'internal: whether its line USOC has been put on another line since it was captured';

-- The service that an activity still waits for; null when none. A delete waits for nothing.
CREATE FUNCTION tbs.missing_service(activity tbs.activity)
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $missing_service$
BEGIN
    RETURN (
        SELECT q.required
        FROM tbs.activity_type AS t
        JOIN tbs.service AS s ON s.network_resource_type = t.network_resource_type AND s.service = t.service
        CROSS JOIN LATERAL unnest(s.requires) AS q (required)
        WHERE t.activity_type_id = activity.activity_type_id
          AND tbs.is_wanted(activity.line_usoc_id, activity.network_resource_id, t.service)
          -- Where it was put on another line, that one's services count: it goes there first.
          AND NOT tbs.has_moved(activity)
          AND NOT EXISTS (SELECT FROM unnest(string_to_array(q.required, '|')) AS one (service)
                          WHERE tbs.is_service_met(activity.line_id, one.service, coalesce(activity.moved_to, activity.activity_id)))
        LIMIT 1);
END;
$missing_service$;
COMMENT ON FUNCTION tbs.missing_service(tbs.activity) IS 'internal: the required service that the line does not have in step yet';

-- heads_of_long_line: the first activity of each line USOC that is not scheduled for a later day, by a loose index scan: so a line with very many waiting costs no more.
CREATE FUNCTION tbs.heads_of_long_line(line_id bigint, network_resource_id integer)
RETURNS TABLE (activity_id bigint, activity_type_id integer, moved_to bigint, state text, due_at timestamptz, waits_for_object_id bigint)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $heads_of_long_line$
BEGIN
    RETURN QUERY
    WITH RECURSIVE firsts AS (
        (SELECT a.line_usoc_id, a.activity_id, a.activity_type_id, a.moved_to, a.state, a.due_at, a.waits_for_object_id FROM tbs.activity AS a
         WHERE a.line_id = heads_of_long_line.line_id AND a.network_resource_id = heads_of_long_line.network_resource_id
         ORDER BY a.line_usoc_id, coalesce(a.moved_to, a.activity_id) LIMIT 1)
        UNION ALL
        SELECT n.*
        FROM firsts AS f
        CROSS JOIN LATERAL (
            SELECT a.line_usoc_id, a.activity_id, a.activity_type_id, a.moved_to, a.state, a.due_at, a.waits_for_object_id FROM tbs.activity AS a
            WHERE a.line_id = heads_of_long_line.line_id AND a.network_resource_id = heads_of_long_line.network_resource_id AND a.line_usoc_id > f.line_usoc_id
            ORDER BY a.line_usoc_id, coalesce(a.moved_to, a.activity_id) LIMIT 1) AS n)
    SELECT f.activity_id, f.activity_type_id, f.moved_to, f.state, f.due_at, f.waits_for_object_id FROM firsts AS f WHERE f.state <> 'scheduled'
    UNION ALL
    SELECT h.*
    FROM firsts AS f
    CROSS JOIN LATERAL (
        SELECT a.activity_id, a.activity_type_id, a.moved_to, a.state, a.due_at, a.waits_for_object_id FROM tbs.activity AS a
        WHERE a.line_id = heads_of_long_line.line_id AND a.network_resource_id = heads_of_long_line.network_resource_id AND a.line_usoc_id = f.line_usoc_id
          AND a.state <> 'scheduled'
        ORDER BY coalesce(a.moved_to, a.activity_id) LIMIT 1) AS h
    WHERE f.state = 'scheduled';
END;
$heads_of_long_line$;
COMMENT ON FUNCTION tbs.heads_of_long_line(bigint, integer) IS 'internal: the first activity of each line USOC in the sequence of a line with many activities, but for what is scheduled';

-- next_activities: whose turn it is for each of these (line, network resource). The caller holds the lines' locks.
-- The first activity of each line USOC competes (one that is scheduled for a later day holds nobody). One that is processing, or waits for its next try, holds
-- the line; a failed or held one holds only what comes later for its line USOC.
CREATE FUNCTION tbs.next_activities(line_ids bigint[], network_resource_ids integer[])
RETURNS bigint[]
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $next_activities$
BEGIN
    RETURN ARRAY(
        SELECT n.activity_id
        FROM (SELECT DISTINCT d.line_id, d.network_resource_id
              FROM unnest(next_activities.line_ids, next_activities.network_resource_ids) AS d (line_id, network_resource_id)) AS k
        -- Of a few all are read: a jump in the index costs as much as ten rows.
        CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM tbs.activity AS a WHERE a.line_id = k.line_id AND a.network_resource_id = k.network_resource_id OFFSET 30) AS is_long
                            OFFSET 0) AS l
        CROSS JOIN LATERAL (
            SELECT o.activity_id
            FROM (SELECT h.activity_id, h.activity_type_id
                  FROM ((SELECT DISTINCT ON (a.line_usoc_id) a.activity_id, a.activity_type_id, a.moved_to, a.state, a.due_at, a.waits_for_object_id FROM tbs.activity AS a
                         WHERE NOT l.is_long AND a.line_id = k.line_id AND a.network_resource_id = k.network_resource_id AND a.state <> 'scheduled'
                         ORDER BY a.line_usoc_id, coalesce(a.moved_to, a.activity_id))
                        UNION ALL
                        SELECT a.* FROM tbs.heads_of_long_line(k.line_id, k.network_resource_id) AS a WHERE l.is_long) AS h
                  WHERE (h.state IN ('new', 'waiting') OR (h.state = 'retry' AND h.due_at <= clock_timestamp())) AND h.waits_for_object_id IS NULL
                  -- In order, and looked at one by one: mostly the first has its turn. No join outside of this: it would not keep the order.
                  ORDER BY coalesce(h.moved_to, h.activity_id) OFFSET 0) AS o
            WHERE (SELECT v.requires = '{}' FROM tbs.activity_type AS t
                   JOIN tbs.service AS v ON v.network_resource_type = t.network_resource_type AND v.service = t.service
                   WHERE t.activity_type_id = o.activity_type_id)
               OR (SELECT tbs.missing_service(x) FROM tbs.activity AS x WHERE x.activity_id = o.activity_id) IS NULL
            LIMIT 1) AS n
        -- Not only among the heads: one that was numbered earlier and committed later may stand before one that is under way.
        WHERE NOT EXISTS (SELECT FROM tbs.activity AS x
                          WHERE x.line_id = k.line_id AND x.network_resource_id = k.network_resource_id
                            AND x.state IN ('processing', 'retry') AND (x.state = 'processing' OR x.due_at > clock_timestamp()))
        ORDER BY n.activity_id);
END;
$next_activities$;
COMMENT ON FUNCTION tbs.next_activities(bigint[], integer[]) IS 'internal: whose turn it is in the sequences of lines on network resources';

-- bring_along: a line USOC that was put on this line brings what it has left behind in the sequence of its old one. False: another session has that
-- line just now, so this one is looked at later. The caller holds this line's lock; it never waits for a second one.
CREATE FUNCTION tbs.bring_along(line_id bigint, network_resource_id integer)
RETURNS boolean
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $bring_along$
DECLARE
    v_old_line_id bigint;
BEGIN
    FOR v_old_line_id IN
        -- Two look-ups for each USOC of the line, however many activities it has.
        SELECT DISTINCT e.line_id
        FROM tbs.line_usoc AS lu
        CROSS JOIN LATERAL (
            (SELECT a.line_id FROM tbs.activity AS a
             WHERE a.line_usoc_id = lu.line_usoc_id AND a.line_id < lu.line_id AND a.network_resource_id = bring_along.network_resource_id LIMIT 1)
            UNION ALL
            (SELECT a.line_id FROM tbs.activity AS a
             WHERE a.line_usoc_id = lu.line_usoc_id AND a.line_id > lu.line_id AND a.network_resource_id = bring_along.network_resource_id LIMIT 1)) AS e
        WHERE lu.line_id = bring_along.line_id
    LOOP
        IF NOT pg_try_advisory_xact_lock(tbs.line_lock_key(v_old_line_id)) THEN
            PERFORM tbs.ring();
            RETURN false;
        END IF;
        UPDATE tbs.activity AS e SET line_id = bring_along.line_id
        FROM tbs.line_usoc AS lu
        WHERE e.line_id = v_old_line_id AND e.network_resource_id = bring_along.network_resource_id AND e.state <> 'processing'
          AND lu.line_usoc_id = e.line_usoc_id AND lu.line_id = bring_along.line_id;
        -- Those that were behind it on the old line.
        UPDATE tbs.activity AS a SET state = 'new'
        WHERE a.line_id = v_old_line_id AND a.network_resource_id = bring_along.network_resource_id AND a.state = 'waiting' AND a.waits_for_object_id IS NULL;
    END LOOP;
    RETURN true;
END;
$bring_along$;
COMMENT ON FUNCTION tbs.bring_along(bigint, integer) IS 'internal: moves what line USOCs of this line left in the sequence of another; false when that line is busy';

-- look_at_new: what a newly captured activity means for those before it. The caller holds the lines' locks.
-- A delete closes what was not sent for its line USOC as superseded, and any change what is only scheduled for a later day, since it looks at the dates
-- itself. Any other change gives one that failed a new round of calls.
CREATE FUNCTION tbs.look_at_new(activity_ids bigint[])
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $look_at_new$
DECLARE
    v_found record;
    v_earlier tbs.activity;
BEGIN
    -- Both by one query: mostly there is neither.
    FOR v_found IN
        SELECT e.activity_id, coalesce((e.state = 'scheduled' AND e.place < n.newest) OR (e.state <> 'processing' AND e.place < n.newest_delete), false) AS is_superseded
        -- The newest of each line USOC tells it all: thousands of new ones must not each look at thousands before them.
        FROM (SELECT a.line_usoc_id, a.network_resource_id, a.line_id, t.service, max(a.activity_id) AS newest,
                     max(a.activity_id) FILTER (WHERE t.trigger_type = 'usoc_deleted') AS newest_delete
              FROM tbs.activity AS a
              JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
              WHERE a.activity_id = ANY (look_at_new.activity_ids) AND a.line_usoc_id <> 0
              GROUP BY a.line_usoc_id, a.network_resource_id, a.line_id, t.service OFFSET 0) AS n
        -- By the line USOC, whatever a session's plan of long ago took for the size of the table: hence OFFSET 0, and by its number only after that.
        CROSS JOIN LATERAL (SELECT x.activity_id, coalesce(x.moved_to, x.activity_id) AS place, x.activity_type_id, x.state FROM tbs.activity AS x
                            WHERE x.line_usoc_id = n.line_usoc_id AND x.network_resource_id = n.network_resource_id AND x.line_id = n.line_id OFFSET 0) AS e
        JOIN tbs.activity_type AS et ON et.activity_type_id = e.activity_type_id AND et.service = n.service
        WHERE e.activity_id < n.newest AND (e.state IN ('scheduled', 'failed') OR e.place < n.newest_delete)
        ORDER BY is_superseded DESC, e.activity_id
    LOOP
        IF v_found.is_superseded THEN
            DELETE FROM tbs.activity AS a WHERE a.activity_id = v_found.activity_id RETURNING a.* INTO v_earlier;
            DELETE FROM tbs.activity_policy AS p WHERE p.activity_id = v_found.activity_id;
            PERFORM tbs.record_event('superseded', NULL, v_earlier, true, 'a later change came before this was done');
        ELSE
            UPDATE tbs.activity AS a
            SET state = 'waiting', calls_used = 0, round = a.round + 1, round_at = clock_timestamp(), due_at = NULL
            WHERE a.activity_id = v_found.activity_id AND a.state = 'failed' RETURNING a.* INTO v_earlier;
            CONTINUE WHEN NOT FOUND;
            PERFORM tbs.record_event('new_round', NULL, v_earlier, false, 'a later change gives it a new try');
        END IF;
    END LOOP;
END;
$look_at_new$;
COMMENT ON FUNCTION tbs.look_at_new(bigint[]) IS 'internal: supersedes or revives what comes before newly captured activities';

-- look_at_lines: before a turn is given, what is new on these (line, network resource) is looked at: what its line USOC left on another line comes along, it
-- supersedes, it gives a new try; and what has become due competes. Returns the lines whose turn may be given, and what was new: it waits from now on, unless it
-- has its turn at once, and the caller says so, since mostly it has. are_alone: what was new is all that these lines have, one each, and waits for no other
-- service, so that it has the turn. The caller holds the lines' locks.
CREATE FUNCTION tbs.look_at_lines(INOUT line_ids bigint[], INOUT network_resource_ids integer[], OUT activity_ids bigint[], OUT are_alone boolean)
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $look_at_lines$
DECLARE
    v_due bigint[];
    v_are_several boolean;
    v_are_elsewhere boolean;
BEGIN
    -- Mostly nothing was left on another line. Where something was, it is fetched, and all is read once more.
    FOR attempt IN 1 .. 2 LOOP
        -- By the line, and by the state only after that: for a queue that was empty when a session made its plan, the index of all that is new seems as good. Hence OFFSET 0.
        SELECT coalesce(array_agg(n.activity_id ORDER BY n.activity_id) FILTER (WHERE n.state = 'new'), '{}'),
               array_agg(n.activity_id) FILTER (WHERE n.state IN ('scheduled', 'retry') AND n.due_at <= clock_timestamp()), count(*) > count(DISTINCT k.ordinality),
               bool_and(n.activity_id IS NULL OR (n.state = 'new' AND n.requires = '{}')), coalesce(bool_or(e.is_elsewhere), false)
          INTO look_at_lines.activity_ids, v_due, v_are_several, look_at_lines.are_alone, v_are_elsewhere
        FROM unnest(look_at_lines.line_ids, look_at_lines.network_resource_ids) WITH ORDINALITY AS k (line_id, network_resource_id)
        -- Two look-ups for each USOC of the line, however many activities it has.
        CROSS JOIN LATERAL (
            SELECT EXISTS (SELECT FROM tbs.line_usoc AS lu
                           WHERE lu.line_id = k.line_id
                             AND (EXISTS (SELECT FROM tbs.activity AS a
                                          WHERE a.line_usoc_id = lu.line_usoc_id AND a.line_id < lu.line_id AND a.network_resource_id = k.network_resource_id OFFSET 0)
                                  OR EXISTS (SELECT FROM tbs.activity AS a
                                             WHERE a.line_usoc_id = lu.line_usoc_id AND a.line_id > lu.line_id AND a.network_resource_id = k.network_resource_id OFFSET 0))
                           OFFSET 0) AS is_elsewhere OFFSET 0) AS e
        LEFT JOIN LATERAL (SELECT a.activity_id, a.state, a.due_at,
                                  (SELECT v.requires FROM tbs.activity_type AS t
                                   JOIN tbs.service AS v ON v.network_resource_type = t.network_resource_type AND v.service = t.service
                                   WHERE t.activity_type_id = a.activity_type_id) AS requires
                           FROM tbs.activity AS a
                           WHERE a.line_id = k.line_id AND a.network_resource_id = k.network_resource_id OFFSET 0) AS n ON true;
        EXIT WHEN attempt = 2 OR NOT v_are_elsewhere;
        SELECT array_agg(l.line_id), array_agg(l.network_resource_id) INTO look_at_lines.line_ids, look_at_lines.network_resource_ids
        FROM unnest(look_at_lines.line_ids, look_at_lines.network_resource_ids) AS l (line_id, network_resource_id)
        WHERE tbs.bring_along(l.line_id, l.network_resource_id);
    END LOOP;
    -- Where each is the only one of its line there is nothing before it.
    IF v_are_several THEN
        look_at_lines.are_alone := false;
        PERFORM tbs.look_at_new(look_at_lines.activity_ids);
    END IF;
    IF v_due IS NOT NULL THEN
        UPDATE tbs.activity AS a SET state = 'waiting', due_at = NULL WHERE a.activity_id = ANY (v_due);
    END IF;
END;
$look_at_lines$;
COMMENT ON FUNCTION tbs.look_at_lines(bigint[], integer[]) IS
'internal: makes what is new or due on these lines ready for its turn; returns the lines that are not held up by another session, what was new, and whether each of it is the only activity of its line and has the turn';
