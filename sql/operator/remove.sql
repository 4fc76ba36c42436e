-- The fallout desk: remove, and what becomes of the followers.

CREATE FUNCTION tbs.activities_behind(activities tbs.activity[])
RETURNS tbs.activity[]
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $activities_behind$
BEGIN
    RETURN ARRAY(
        WITH RECURSIVE behind AS (
            SELECT r.activity_id, r.line_id, r.network_resource_id, r.line_usoc_id, coalesce(r.moved_to, r.activity_id) AS place, t.service
            FROM unnest(activities_behind.activities) AS r JOIN tbs.activity_type AS t ON t.activity_type_id = r.activity_type_id
            UNION
            SELECT a.activity_id, a.line_id, a.network_resource_id, a.line_usoc_id, coalesce(a.moved_to, a.activity_id), t.service
            FROM behind AS b
            JOIN tbs.activity AS a ON a.line_id = b.line_id AND coalesce(a.moved_to, a.activity_id) > b.place
            JOIN tbs.activity_type AS t ON t.activity_type_id = a.activity_type_id
            JOIN tbs.service AS s ON s.network_resource_type = t.network_resource_type AND s.service = t.service
            WHERE (a.line_usoc_id = b.line_usoc_id AND a.network_resource_id = b.network_resource_id) OR (b.service = ANY (string_to_array(array_to_string(s.requires, '|'), '|')) AND a.line_id <> 0))
        SELECT a FROM tbs.activity AS a
        WHERE a.activity_id IN (SELECT b.activity_id FROM behind AS b) AND a.state <> 'processing'
          AND a.activity_id <> ALL (ARRAY(SELECT r.activity_id FROM unnest(activities_behind.activities) AS r))
        ORDER BY a.activity_id);
END;
$activities_behind$;
COMMENT ON FUNCTION tbs.activities_behind(tbs.activity[]) IS 'internal: what these activities hold: later ones of their line USOC on the network resource, and of services that require theirs';

CREATE FUNCTION tbs.note_removed(activity tbs.activity)
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $note_removed$
DECLARE
    v_service text := tbs.activity_service(activity.activity_type_id);
BEGIN
    -- Of a line USOC that is gone and has nothing on the other side there is nothing left to say.
    IF activity.line_usoc_id <> 0
       AND NOT EXISTS (SELECT FROM tbs.line_usoc AS lu WHERE lu.line_usoc_id = activity.line_usoc_id)
       AND NOT EXISTS (SELECT FROM tbs.remote_object_use AS u
                       WHERE u.line_usoc_id = activity.line_usoc_id AND u.network_resource_id = activity.network_resource_id AND u.service = v_service) THEN
        PERFORM tbs.note_line_usoc_state(activity, false, true, 'removed');
    ELSE
        PERFORM tbs.note_line_usoc_state(activity, NULL, false, 'removed');
    END IF;
END;
$note_removed$;
COMMENT ON FUNCTION tbs.note_removed(tbs.activity) IS 'internal: what a removed activity leaves in line_usoc_state';

CREATE FUNCTION tbs.remove_activities(activities tbs.activity[], reason text, followers text)
RETURNS bigint
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $remove_activities$
DECLARE
    v_followers tbs.activity[] := '{}';
    v_all tbs.activity[];
BEGIN
    IF remove_activities.followers IN ('remove', 'hold') THEN
        v_followers := tbs.activities_behind(remove_activities.activities);
    END IF;
    IF remove_activities.followers = 'hold' THEN
        PERFORM tbs.hold_activities(ARRAY(SELECT f FROM unnest(v_followers) AS f WHERE f.state IN ('new', 'waiting', 'retry', 'scheduled')),
                                    'what it followed was removed: ' || remove_activities.reason);
        v_followers := '{}';
    END IF;
    v_all := remove_activities.activities || v_followers;
    DELETE FROM tbs.activity AS a WHERE a.activity_id = ANY (ARRAY(SELECT r.activity_id FROM unnest(v_all) AS r));
    DELETE FROM tbs.activity_policy AS p WHERE p.activity_id = ANY (ARRAY(SELECT r.activity_id FROM unnest(v_all) AS r));
    PERFORM tbs.record_activity_events('removed', remove_activities.reason, remove_activities.activities, true);
    PERFORM tbs.record_activity_events('removed', remove_activities.reason, v_followers, true, 'with what it followed');
    PERFORM tbs.note_removed(a) FROM unnest(v_all) AS a;
    PERFORM tbs.wake_lines(ARRAY(SELECT DISTINCT a.line_id FROM unnest(v_all) AS a));
    RETURN cardinality(remove_activities.activities);
END;
$remove_activities$;
COMMENT ON FUNCTION tbs.remove_activities(tbs.activity[], text, text) IS 'internal: takes locked activities off the queue';

CREATE FUNCTION tbs.check_followers(followers text)
RETURNS void
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $check_followers$
BEGIN
    IF check_followers.followers IS NULL OR check_followers.followers NOT IN ('release', 'remove', 'hold') THEN
        RAISE EXCEPTION 'followers can be release, remove or hold, not "%"', check_followers.followers
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'What becomes of the activities behind it: release: they go on; remove: they go with it; hold: they wait for tbs.release_activity().';
    END IF;
END;
$check_followers$;
COMMENT ON FUNCTION tbs.check_followers(text) IS 'internal: raises invalid_parameter_value (22023) for what cannot become of followers';

CREATE FUNCTION tbs.remove_activity(activity_id bigint, reason text, followers text DEFAULT 'release')
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $remove_activity$
DECLARE
    v_activity tbs.activity;
BEGIN
    PERFORM tbs.need_reason(remove_activity.reason, 'remove an activity');
    PERFORM tbs.check_followers(remove_activity.followers);
    v_activity := tbs.lock_activity(remove_activity.activity_id);
    IF v_activity.state = 'processing' THEN
        PERFORM tbs.refuse_activity(v_activity, 'is being processed');
    END IF;
    PERFORM tbs.remove_activities(ARRAY[v_activity], remove_activity.reason, remove_activity.followers);
END;
$remove_activity$;
COMMENT ON FUNCTION tbs.remove_activity(bigint, text, text) IS
'takes an activity off the queue without carrying it out; its line USOC then shows as not in step; followers (later ones of its line USOC, and of services that require its own): release lets them go on, remove takes them along, hold holds them; raises no_data_found (P0002) for an unknown activity, object_not_in_prerequisite_state (55000) while it is being processed, invalid_parameter_value (22023) for other followers';

CREATE FUNCTION tbs.remove_activity(activity_ids bigint[], reason text, followers text DEFAULT 'release')
RETURNS bigint
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $remove_activity$
BEGIN
    PERFORM tbs.need_reason(remove_activity.reason, 'remove activities');
    PERFORM tbs.check_followers(remove_activity.followers);
    RETURN tbs.remove_activities(ARRAY(SELECT a FROM unnest(tbs.lock_activities(remove_activity.activity_ids)) AS a WHERE a.state <> 'processing'),
                                 remove_activity.reason, remove_activity.followers);
END;
$remove_activity$;
COMMENT ON FUNCTION tbs.remove_activity(bigint[], text, text) IS 'the same for those of an array that are not being processed; returns how many, followers not counted; raises invalid_parameter_value (22023) for other followers';
