-- Settings and policies: how often, how long.

CREATE FUNCTION tbs.setting_value(name text)
RETURNS text
LANGUAGE plpgsql
STABLE STRICT SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $setting_value$
BEGIN
    RETURN (
        SELECT s.value FROM tbs.setting AS s WHERE s.name = setting_value.name);
END;
$setting_value$;
COMMENT ON FUNCTION tbs.setting_value(text) IS 'the value of a row of tbs.setting';

INSERT INTO tbs.setting_default (name, value, description) VALUES
    ('maximum_calls', '8', 'maximum number of calls: failed tries an activity may use before it waits for a person, 1 to 1000; activity_policy overrides it'),
    ('first_retry', '1 second', 'upper bound of the wait after the first failed try; it doubles with each further one (full jitter)'),
    ('longest_retry', '5 minutes', 'upper bound of any wait between tries'),
    ('lease', '3 seconds', 'how long a bridge may send without having renewed its lease; another bridge takes over after one whole lease without a beat'),
    ('bulk_size', '1000', 'a statement that changes so many rows goes to the bulk lane, 100 to 1000000000; tbs.set_lane() for a transaction'),
    ('long_transaction', '15 minutes', 'a transaction that is open for so long is named in tbs.health: it keeps the rows that the queue has done with, and claims get slower'),
    ('beat', '1 second', 'how often a bridge renews its lease; at most a third of the lease');

CREATE FUNCTION tbs.set_setting(name text, value text, reason text)
RETURNS void
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $set_setting$
BEGIN
    IF coalesce(btrim(set_setting.reason), '') = '' THEN
        RAISE EXCEPTION 'a reason is needed to change a setting' USING ERRCODE = 'invalid_parameter_value', HINT = 'It is kept in the history with who did it.';
    END IF;
    IF NOT EXISTS (SELECT FROM tbs.setting_default AS d WHERE d.name = set_setting.name) THEN
        RAISE EXCEPTION 'unknown setting: "%"', set_setting.name
            USING ERRCODE = 'undefined_object', HINT = 'SELECT name, value, description FROM tbs.setting;';
    END IF;
    -- Casting first: a value that cannot work is refused here.
    IF set_setting.name = 'maximum_calls' THEN
        IF set_setting.value::integer NOT BETWEEN 1 AND 1000 THEN
            RAISE EXCEPTION 'maximum_calls must be from 1 to 1000, not %', set_setting.value USING ERRCODE = 'invalid_parameter_value';
        END IF;
    ELSIF set_setting.name = 'bulk_size' THEN
        IF set_setting.value::integer NOT BETWEEN 100 AND 1000000000 THEN
            RAISE EXCEPTION 'bulk_size must be from 100 to 1000000000, not %', set_setting.value USING ERRCODE = 'invalid_parameter_value';
        END IF;
    ELSIF set_setting.value::interval <= interval '0' THEN
        RAISE EXCEPTION 'setting "%" must be longer than nothing, not %', set_setting.name, set_setting.value USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO tbs.setting_override AS o (name, value) VALUES (set_setting.name, set_setting.value)
    ON CONFLICT ON CONSTRAINT setting_override_pkey DO UPDATE SET value = excluded.value;
    IF tbs.setting_value('beat')::interval * 3 > tbs.setting_value('lease')::interval THEN
        RAISE EXCEPTION 'beat must be at most a third of lease' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Change lease first when both grow, beat first when both shrink.';
    END IF;
    PERFORM tbs.make_history_partitions();
    PERFORM tbs.record_event('setting_changed', set_setting.reason, message => format('%s = %s', set_setting.name, set_setting.value));
END;
$set_setting$;
COMMENT ON FUNCTION tbs.set_setting(text, text, text) IS 'changes a setting; raises undefined_object (42704) for an unknown one, invalid_parameter_value (22023) or a cast error for a value that cannot work';

-- The nearest row that sets a value wins: activity, activity type, network resource, resource type, setting.
CREATE FUNCTION tbs.effective_policy(activity_id bigint, activity_type_id integer, network_resource_id integer,
                                     OUT maximum_calls integer, OUT first_retry interval, OUT longest_retry interval)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $effective_policy$
BEGIN
    SELECT coalesce((array_agg(p.maximum_calls ORDER BY p.nearness) FILTER (WHERE p.maximum_calls IS NOT NULL))[1], tbs.setting_value('maximum_calls')::integer),
           coalesce((array_agg(p.first_retry ORDER BY p.nearness) FILTER (WHERE p.first_retry IS NOT NULL))[1], tbs.setting_value('first_retry')::interval),
           coalesce((array_agg(p.longest_retry ORDER BY p.nearness) FILTER (WHERE p.longest_retry IS NOT NULL))[1], tbs.setting_value('longest_retry')::interval)
    INTO maximum_calls, first_retry, longest_retry
    FROM (SELECT y.*, CASE WHEN y.activity_id IS NOT NULL THEN 1 WHEN y.activity_type_id IS NOT NULL THEN 2 WHEN y.network_resource_id IS NOT NULL THEN 3 ELSE 4 END AS nearness
          FROM tbs.activity_policy AS y
          WHERE y.activity_id = effective_policy.activity_id OR y.activity_type_id = effective_policy.activity_type_id
             OR y.network_resource_id = effective_policy.network_resource_id
             OR y.network_resource_type = (SELECT t.network_resource_type FROM tbs.activity_type AS t WHERE t.activity_type_id = effective_policy.activity_type_id)) AS p;
END;
$effective_policy$;
COMMENT ON FUNCTION tbs.effective_policy(bigint, integer, integer) IS 'maximum number of calls and retry timing of an activity, the nearest activity_policy row for each value';

-- retry_delay: exponential with full jitter and a cap.
CREATE FUNCTION tbs.retry_delay(calls_used integer, first_retry interval, longest_retry interval)
RETURNS interval
LANGUAGE sql
VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $retry_delay$
    SELECT random() * least(first_retry * power(2, least(greatest(calls_used, 1) - 1, 30)), longest_retry);
$retry_delay$;
COMMENT ON FUNCTION tbs.retry_delay(integer, interval, interval) IS 'wait before the next try: random between nothing and first_retry doubled with each failed try, at most longest_retry';
