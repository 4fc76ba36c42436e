-- What provisioning reads of the business rows: extension/pg/context.cpp has the one list of columns of each table. The context of an activity is made of them,
-- and capture compares exactly them, so that a column that only billing reads triggers nothing.

CREATE FUNCTION tbs.customer_context(r tbs.customer) RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tbs_customer_context';
COMMENT ON FUNCTION tbs.customer_context(tbs.customer) IS 'the columns of a customer that provisioning reads';

CREATE FUNCTION tbs.network_information_context(r tbs.network_information) RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tbs_network_information_context';
COMMENT ON FUNCTION tbs.network_information_context(tbs.network_information) IS 'the columns of a network information record that provisioning reads';

CREATE FUNCTION tbs.line_context(r tbs.line) RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tbs_line_context';
COMMENT ON FUNCTION tbs.line_context(tbs.line) IS 'the columns of a line that provisioning reads';

CREATE FUNCTION tbs.line_usoc_context(r tbs.line_usoc) RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tbs_line_usoc_context';
COMMENT ON FUNCTION tbs.line_usoc_context(tbs.line_usoc) IS 'the columns of a line USOC that provisioning reads';

CREATE FUNCTION tbs.device_context(r tbs.device) RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tbs_device_context';
COMMENT ON FUNCTION tbs.device_context(tbs.device) IS 'the columns of a device that provisioning reads';

CREATE FUNCTION tbs.line_device_context(r tbs.line_device) RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tbs_line_device_context';
COMMENT ON FUNCTION tbs.line_device_context(tbs.line_device) IS 'the columns of a line''s tie to a device that provisioning reads';

CREATE FUNCTION tbs.line_member_context(r tbs.line_member) RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tbs_line_member_context';
COMMENT ON FUNCTION tbs.line_member_context(tbs.line_member) IS 'the columns of a line''s member that provisioning reads';

-- The instant at which a day begins, and the day that it is, in a network resource's business time zone.
CREATE FUNCTION tbs.beginning_of_day(day date, network_resource_id integer)
RETURNS timestamptz
LANGUAGE plpgsql
STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $beginning_of_day$
BEGIN
    RETURN (
        SELECT day::timestamp AT TIME ZONE coalesce(r.time_zone, current_setting('TimeZone'))
        FROM tbs.network_resource AS r WHERE r.network_resource_id = beginning_of_day.network_resource_id);
END;
$beginning_of_day$;
COMMENT ON FUNCTION tbs.beginning_of_day(date, integer) IS 'internal: when a day begins in the business time zone of a network resource';

CREATE FUNCTION tbs.business_day(time_zone text)
RETURNS date
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $business_day$
BEGIN
    RETURN (clock_timestamp() AT TIME ZONE coalesce(business_day.time_zone, current_setting('TimeZone')))::date;
END;
$business_day$;
COMMENT ON FUNCTION tbs.business_day(text) IS 'internal: the day that it is in a business time zone';

-- The days of service. An operator's decision to start or end one early holds for the date that it was made about.
CREATE FUNCTION tbs.is_in_service(line_usoc tbs.line_usoc, today date)
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $is_in_service$
BEGIN
    IF line_usoc.active_date > today AND NOT EXISTS (
           SELECT FROM tbs.line_usoc_run_now AS n
           WHERE n.line_usoc_id = line_usoc.line_usoc_id AND n.what = 'start' AND n.day = line_usoc.active_date) THEN
        RETURN false;
    END IF;
    RETURN line_usoc.disconnect_date IS NULL
        OR (line_usoc.disconnect_date >= today AND NOT EXISTS (
               SELECT FROM tbs.line_usoc_run_now AS n
               WHERE n.line_usoc_id = line_usoc.line_usoc_id AND n.what = 'end' AND n.day = line_usoc.disconnect_date));
END;
$is_in_service$;
COMMENT ON FUNCTION tbs.is_in_service(tbs.line_usoc, date) IS 'internal: whether a day is within a line USOC''s days of service';

-- The pairs (line USOC, network resource) that the catalogue asks for. Where a line's network information names a resource, associations with
-- other resources of that type do not apply to it. Wanted: today is within its dates; an association that was switched off still holds for those that have it.
CREATE VIEW tbs.line_usoc_association AS
SELECT lu.line_usoc_id, lu.line_id, lu.usoc, l.customer_id, coalesce(lu.telephone_number, l.telephone_number) AS telephone_number,
       o.order_number, m.network_resource_id, m.network_resource_type, m.service, m.position, m.active, m.parameters, r.state AS network_resource_state,
       (m.active OR EXISTS (SELECT FROM tbs.remote_object_use AS u WHERE u.line_usoc_id = lu.line_usoc_id AND u.network_resource_id = m.network_resource_id))
       AND ((lu.active_date IS NULL AND lu.disconnect_date IS NULL) OR tbs.is_in_service(lu, tbs.business_day(r.time_zone))) AS wanted,
       lu AS line_usoc_row, l AS line_row, n AS network_information_row, p AS parent_row, o AS order_row
FROM tbs.line_usoc AS lu
JOIN tbs.line AS l ON l.line_id = lu.line_id
JOIN tbs.master_usoc_network_resource AS m ON m.usoc = lu.usoc
JOIN tbs.network_resource AS r ON r.network_resource_id = m.network_resource_id
LEFT JOIN tbs.customer_order AS o ON o.customer_order_id = lu.customer_order_id
LEFT JOIN tbs.network_information AS n ON n.network_information_id = l.network_information_id
LEFT JOIN tbs.network_information AS p ON p.network_information_id = n.parent_id
LEFT JOIN tbs.network_resource AS named ON named.network_resource_id = coalesce(n.network_resource_id, p.network_resource_id)
WHERE named.network_resource_id IS NULL OR named.network_resource_id = m.network_resource_id OR named.network_resource_type <> m.network_resource_type;
COMMENT ON VIEW tbs.line_usoc_association IS 'which network resources a line USOC is associated with, through its Master USOC and its line''s network information';

-- SIP accounts of a line (one element for each name) and the devices that carry them, each with all its line keys, also those of other lines:
-- a phone's record on the switch is one document for all of them. A secret that was not made yet has id 0.
CREATE FUNCTION tbs.sip_accounts_context(line tbs.line)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $sip_accounts_context$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(account ORDER BY account ->> 'sip_account'), '[]')
        FROM (SELECT DISTINCT ON (coalesce(t.sip_account, line.extension))
                     tbs.line_device_context(t) || jsonb_build_object(
                         'sip_account', coalesce(t.sip_account, line.extension),
                         'device', tbs.device_context(d),
                         'secret', jsonb_build_object('sip_password', coalesce(
                             (SELECT jsonb_build_object('id', s.subscriber_secret_id, 'version', s.version) FROM tbs.subscriber_secret AS s
                              WHERE s.line_id = line.line_id AND s.account = coalesce(t.sip_account, line.extension) AND s.name = 'sip_password'),
                             '{"id": 0, "version": 0}'))) AS account
              FROM tbs.line_device AS t JOIN tbs.device AS d ON d.device_id = t.device_id
              WHERE t.line_id = line.line_id
              ORDER BY coalesce(t.sip_account, line.extension), t.line_device_id) AS accounts);
END;
$sip_accounts_context$;
COMMENT ON FUNCTION tbs.sip_accounts_context(tbs.line) IS 'internal: the SIP accounts of a line for its context';

CREATE FUNCTION tbs.devices_context(line tbs.line, network_resource_id integer)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $devices_context$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(tbs.device_context(d) || jsonb_build_object('line_keys', k.line_keys) ORDER BY d.device_id), '[]')
        FROM tbs.device AS d
        CROSS JOIN LATERAL (
            SELECT jsonb_object_agg(t.slot, jsonb_build_object(
                       'sip_uri', 'sip:' || coalesce(t.sip_account, other.extension) || '@' || coalesce(n.switch_domain, p.switch_domain),
                       'enabled', 'yes', 'shared', t.shared)) AS line_keys
            FROM tbs.line_device AS t
            JOIN tbs.line AS other ON other.line_id = t.line_id
            LEFT JOIN tbs.network_information AS n ON n.network_information_id = other.network_information_id
            LEFT JOIN tbs.network_information AS p ON p.network_information_id = n.parent_id
            WHERE t.device_id = d.device_id
              AND (other.line_id = devices_context.line.line_id OR EXISTS (
                      SELECT FROM tbs.line_usoc_association AS a
                      WHERE a.line_id = other.line_id AND a.network_resource_id = devices_context.network_resource_id
                        -- Not before its first day and not after its last: its account is not there.
                        AND tbs.is_wanted(a.line_usoc_id, a.network_resource_id, a.service)
                        AND EXISTS (SELECT FROM tbs.service_object AS s
                                    JOIN tbs.remote_object_kind AS kind USING (network_resource_type, kind)
                                    WHERE s.network_resource_type = a.network_resource_type AND s.service = a.service AND kind.found_by = 'mac')))) AS k
        WHERE EXISTS (SELECT FROM tbs.line_device AS own WHERE own.device_id = d.device_id AND own.line_id = devices_context.line.line_id));
END;
$devices_context$;
COMMENT ON FUNCTION tbs.devices_context(tbs.line, integer) IS 'internal: the devices of a line with all their line keys, for its context';

-- Members of a queue. One is a user of the network resource when one of its USOCs means a service that makes there what other services own parts of: nobody can be
-- an agent without.
CREATE FUNCTION tbs.members_context(line tbs.line, network_resource_id integer)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $members_context$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(tbs.line_member_context(m) || jsonb_build_object(
                   'extension', other.extension, 'telephone_number', other.telephone_number, 'switch_domain', coalesce(n.switch_domain, p.switch_domain),
                   'is_user', EXISTS (SELECT FROM tbs.line_usoc_association AS a
                                      JOIN tbs.service_object AS o ON o.network_resource_type = a.network_resource_type AND o.service = a.service
                                      JOIN tbs.remote_object_kind AS k ON k.network_resource_type = o.network_resource_type AND k.kind = o.kind
                                      WHERE a.line_id = other.line_id AND a.network_resource_id = members_context.network_resource_id
                                        AND EXISTS (SELECT FROM tbs.remote_object_kind AS p
                                                    WHERE p.network_resource_type = k.network_resource_type AND p.part_of = k.kind)))
                   ORDER BY m.position, m.line_member_id), '[]')
        FROM tbs.line_member AS m
        JOIN tbs.line AS other ON other.line_id = m.member_line_id
        LEFT JOIN tbs.network_information AS n ON n.network_information_id = other.network_information_id
        LEFT JOIN tbs.network_information AS p ON p.network_information_id = n.parent_id
        WHERE m.line_id = members_context.line.line_id);
END;
$members_context$;
COMMENT ON FUNCTION tbs.members_context(tbs.line, integer) IS 'internal: the members of a line for its context';

CREATE FUNCTION tbs.resource_context(r tbs.network_resource)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $resource_context$
BEGIN
    RETURN (SELECT x.context FROM tbs.network_resource_context AS x WHERE x.network_resource_id = r.network_resource_id);
END;
$resource_context$;
COMMENT ON FUNCTION tbs.resource_context(tbs.network_resource) IS 'internal: what templates may know of a network resource, with its default headers and query parameters';

-- The nearest layer, of one element of a list: a SIP account's tie and device, or a device.
CREATE FUNCTION tbs.item_context(context jsonb, item jsonb, network_resource_type text)
RETURNS jsonb
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $item_context$
BEGIN
    RETURN (
        SELECT context || jsonb_build_object('layers', (context -> 'layers') || jsonb_build_array(jsonb_build_object(
            'layer', 'device', 'columns', coalesce(item -> 'device', item),
            'parameters', coalesce(item #> ARRAY['device', 'parameters', network_resource_type], '{}') || coalesce(item #> ARRAY['parameters', network_resource_type], '{}')))));
END;
$item_context$;
COMMENT ON FUNCTION tbs.item_context(jsonb, jsonb, text) IS 'internal: a context with the values of one device or tie as its nearest layer';

-- What a line has several of, and its secrets. Mostly it has none, and this is not asked.
CREATE FUNCTION tbs.lists_context(line tbs.line, network_resource_id integer, secrets text[])
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $lists_context$
BEGIN
    RETURN jsonb_build_object(
        'sip_accounts', tbs.sip_accounts_context(line), 'devices', tbs.devices_context(line, lists_context.network_resource_id),
        'members', tbs.members_context(line, lists_context.network_resource_id),
        'secret', (SELECT jsonb_object_agg(x.name, jsonb_build_object('id', coalesce(k.subscriber_secret_id, 0), 'version', coalesce(k.version, 0)))
                   FROM unnest(lists_context.secrets) AS x (name)
                   LEFT JOIN tbs.subscriber_secret AS k ON k.line_id = line.line_id AND k.account = '' AND k.name = x.name));
END;
$lists_context$;
COMMENT ON FUNCTION tbs.lists_context(tbs.line, integer, text[]) IS 'internal: SIP accounts, devices and members of a line, and which of these secrets it has, for its context';

CREATE FUNCTION tbs.compose_context(trigger_type text, service text, network_resource_type text, suspended boolean, customer tbs.customer,
                                    customer_order tbs.customer_order, usoc tbs.master_usoc, line tbs.line, line_usoc tbs.line_usoc,
                                    network_information tbs.network_information, parent tbs.network_information,
                                    resource tbs.network_resource_context, parameters jsonb, lists jsonb)
RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tbs_compose_context';
COMMENT ON FUNCTION tbs.compose_context(text, text, text, boolean, tbs.customer, tbs.customer_order, tbs.master_usoc, tbs.line, tbs.line_usoc, tbs.network_information,
                                        tbs.network_information, tbs.network_resource_context, jsonb, jsonb) IS
'internal: the document that templates look values up in, of these rows; parameters: of the association; lists: from tbs.lists_context()';

-- context_of(line USOC, network resource, trigger type): the document that templates look values up in, the service, and whether the rows of now want it;
-- no row when the line USOC or its association is gone. Without settings of its own and of one statement, so that the server puts it into the query that
-- uses it: a batch of activities gets its contexts in one.
CREATE FUNCTION tbs.context_of(line_usoc_id bigint, network_resource_id integer, trigger_type text)
RETURNS TABLE (service text, wanted boolean, context jsonb)
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT m.service, m.wanted,
           tbs.compose_context(
               context_of.trigger_type, m.service, m.network_resource_type, (m.line_row).suspended AND NOT s.ignores_suspension,
               c, m.order_row, u, m.line_row, m.line_usoc_row, m.network_information_row, m.parent_row, r, m.parameters,
               CASE WHEN s.secrets = '{}' AND NOT EXISTS (SELECT FROM tbs.line_device AS t WHERE t.line_id = m.line_id)
                         AND NOT EXISTS (SELECT FROM tbs.line_member AS t WHERE t.line_id = m.line_id)
                    THEN '{"sip_accounts": [], "devices": [], "members": [], "secret": null}'
                    ELSE tbs.lists_context(m.line_row, m.network_resource_id, s.secrets) END)
    FROM tbs.line_usoc_association AS m
    JOIN tbs.customer AS c ON c.customer_id = m.customer_id
    JOIN tbs.master_usoc AS u ON u.usoc = m.usoc
    JOIN tbs.network_resource_context AS r ON r.network_resource_id = m.network_resource_id
    JOIN tbs.service AS s ON s.network_resource_type = m.network_resource_type AND s.service = m.service
    WHERE m.line_usoc_id = context_of.line_usoc_id AND m.network_resource_id = context_of.network_resource_id;
END;
COMMENT ON FUNCTION tbs.context_of(bigint, integer, text) IS
'internal: the context of an activity as of now, with its service and whether it is wanted; no row when the line USOC or its association is gone';

CREATE FUNCTION tbs.activity_context(line_usoc_id bigint, network_resource_id integer, trigger_type text)
RETURNS jsonb
LANGUAGE plpgsql
STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $activity_context$
BEGIN
    RETURN (
        SELECT c.context FROM tbs.context_of(activity_context.line_usoc_id, activity_context.network_resource_id, activity_context.trigger_type) AS c);
END;
$activity_context$;
COMMENT ON FUNCTION tbs.activity_context(bigint, integer, text) IS
'the context of an activity as of now: the JSON document that templates look values up in; null when the line USOC or its association is gone';

CREATE FUNCTION tbs.corrected_context(context jsonb, corrections jsonb)
RETURNS jsonb
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $corrected_context$
BEGIN
    RETURN CASE WHEN corrected_context.corrections IS NULL OR corrected_context.corrections = '{}' THEN corrected_context.context
                ELSE corrected_context.context || jsonb_build_object('layers', (corrected_context.context -> 'layers')
                         || jsonb_build_array(jsonb_build_object('layer', 'correction', 'parameters', corrected_context.corrections))) END;
END;
$corrected_context$;
COMMENT ON FUNCTION tbs.corrected_context(jsonb, jsonb) IS 'internal: the context of an activity with the values that an operator gave for it, nearer than all other layers; null stays null';

CREATE FUNCTION tbs.is_wanted(line_usoc_id bigint, network_resource_id integer, service text)
RETURNS boolean
LANGUAGE plpgsql
STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $is_wanted$
BEGIN
    RETURN EXISTS (SELECT FROM tbs.line_usoc_association AS a
                   WHERE a.line_usoc_id = is_wanted.line_usoc_id AND a.network_resource_id = is_wanted.network_resource_id
                     AND a.service = is_wanted.service AND a.wanted);
END;
$is_wanted$;
COMMENT ON FUNCTION tbs.is_wanted(bigint, integer, text) IS 'whether the rows of today want this service for this line USOC on this network resource';
