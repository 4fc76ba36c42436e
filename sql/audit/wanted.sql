-- What the rows want of a network resource, all of it, and not what is left to do: for audits, and for what a changed default would change.
-- Thousands of the same few statements by key: the plans are kept, and are right for tables of any size (as in bridge.sql).

CREATE FUNCTION tbs.wanted_of(audit_id bigint, associations tbs.line_usoc_association[], resource tbs.network_resource)
RETURNS SETOF tbs.audit_wanted
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $wanted_of$
BEGIN
    RETURN QUERY
    SELECT wanted_of.audit_id, (w.recipe).kind, coalesce(w.key, format('(line USOC %s)', a.line_usoc_id)), a.line_usoc_id, a.service, (w.recipe).position, a.line_id,
           w.identity, w.find_value, w.content, coalesce(tbs.removal_of(c.context, (w.recipe).removal_value), 'delete'), w.error_member || ': ' || w.error
    FROM unnest(wanted_of.associations) AS a
    CROSS JOIN LATERAL (SELECT tbs.activity_context(a.line_usoc_id, resource.network_resource_id, 'resync') AS context OFFSET 0) AS c
    CROSS JOIN LATERAL tbs.wanted_objects(c.context, resource.network_resource_type, a.service) AS w
    WHERE tbs.is_wanted(a.line_usoc_id, resource.network_resource_id, a.service);
END;
$wanted_of$;
COMMENT ON FUNCTION tbs.wanted_of(bigint, tbs.line_usoc_association[], tbs.network_resource) IS 'internal: the remote objects that these associations of line USOCs want, rendered from the rows of now';
