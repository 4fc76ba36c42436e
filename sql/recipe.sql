-- Recipes: checked and composed when an administrator writes them, so that a typo is refused there and not found by a customer's line.

-- check_references: every reference of a template must name something that the context has.
CREATE FUNCTION tbs.check_references(refs text[], place text, extra_roots text[])
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $check_references$
DECLARE
    v_reference text;
    v_path text[];
    v_columns jsonb;
BEGIN
    FOREACH v_reference IN ARRAY coalesce(refs, '{}') LOOP
        v_path := string_to_array(v_reference, '.');
        CONTINUE WHEN v_path[1] = ANY (extra_roots);
        v_columns := CASE v_path[1]
            WHEN 'customer' THEN tbs.customer_context(NULL)
            WHEN 'line' THEN tbs.line_context(NULL) || '{"marker": null}'
            WHEN 'line_usoc' THEN tbs.line_usoc_context(NULL)
            WHEN 'network_information' THEN tbs.network_information_context(NULL) || '{"parent": null, "emergency_address_id": null}'
            WHEN 'usoc' THEN '{"usoc": null, "description": null, "service": null, "parameters": null}'
            WHEN 'order' THEN '{"order_number": null, "due_date": null}'
            WHEN 'event' THEN '{"trigger_type": null, "service": null}'
            WHEN 'resource' THEN '{"network_resource_id": null, "name": null, "environment": null, "parameters": null}'
            WHEN 'values' THEN NULL WHEN 'item' THEN NULL WHEN 'object' THEN NULL WHEN 'previous' THEN NULL WHEN 'remote' THEN NULL
            WHEN 'devices' THEN NULL WHEN 'sip_accounts' THEN NULL WHEN 'members' THEN NULL WHEN 'secret' THEN NULL
            ELSE '{}' END;
        IF v_columns IS NOT NULL AND (array_length(v_path, 1) < 2 OR NOT v_columns ? v_path[2]) THEN
            RAISE EXCEPTION 'unknown reference "{%}" in %', v_reference, place
                USING ERRCODE = 'invalid_parameter_value',
                      DETAIL = CASE WHEN v_columns = '{}' THEN format('"%s" is not a member of the context.', v_path[1])
                                    ELSE format('"%s" has: %s.', v_path[1], (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(v_columns) AS k)) END,
                      HINT = 'A context has event, customer, order, line, usoc, line_usoc, sip_accounts, devices, members, secret, network_information, resource, previous, remote, values, item and object.';
        END IF;
    END LOOP;
END;
$check_references$;
COMMENT ON FUNCTION tbs.check_references(text[], text, text[]) IS 'internal: raises invalid_parameter_value (22023) for a reference that no context has';

CREATE FUNCTION tbs.rebuild_recipes()
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $rebuild_recipes$
DECLARE
    v_row record;
BEGIN
    -- References first: template_references raises for broken braces and unknown filters.
    FOR v_row IN SELECT * FROM tbs.value_source LOOP
        PERFORM tbs.check_references(
            (SELECT array_agg('columns.' || r) FROM unnest(tbs.template_references(v_row.template)) AS r
             WHERE NOT (CASE v_row.layer WHEN 'customer' THEN tbs.customer_context(NULL) WHEN 'line' THEN tbs.line_context(NULL)
                                     WHEN 'line_usoc' THEN tbs.line_usoc_context(NULL) WHEN 'device' THEN tbs.device_context(NULL)
                                     ELSE tbs.network_information_context(NULL) END) ? split_part(r, '.', 1)),
            format('value source %s of layer %s', v_row.name, v_row.layer), '{}');
    END LOOP;
    FOR v_row IN SELECT * FROM tbs.remote_object_kind LOOP
        PERFORM tbs.check_references(tbs.template_references(v_row.key_template) || coalesce(tbs.template_references(v_row.find_template), '{}'),
                                     format('the key of kind %s', v_row.kind), '{}');
    END LOOP;
    FOR v_row IN SELECT * FROM tbs.service_object LOOP
        PERFORM tbs.check_references(tbs.document_references(v_row.identity), format('the identity of %s of service %s', v_row.kind, v_row.service), '{}');
    END LOOP;
    FOR v_row IN SELECT * FROM tbs.activity_step LOOP
        PERFORM tbs.check_references(
            tbs.uri_template_references(v_row.path) || tbs.document_references(v_row.query) || tbs.document_references(v_row.headers)
                || tbs.document_references(coalesce(v_row.body, '{}')),
            format('step %s of object %s of service %s', v_row.operation, v_row.position, v_row.service), '{}');
    END LOOP;

    DELETE FROM tbs.recipe;
    INSERT INTO tbs.recipe (network_resource_type, service, position, kind, shared, whole, for_each, repeat_unchanged, never_repeat, unless_service, removal_value,
                            object_recipe, steps)
    SELECT s.network_resource_type, s.service, s.position, s.kind, k.shared,
           CASE WHEN EXISTS (SELECT FROM tbs.remote_object_kind AS y
                             WHERE y.network_resource_type = k.network_resource_type AND coalesce(k.part_of, k.kind) IN (y.kind, y.part_of) AND y.kind <> k.kind)
                THEN coalesce(k.part_of, k.kind) END,
           s.for_each, s.repeat_unchanged, s.never_repeat, s.unless_service, s.removal_value,
           jsonb_build_object('identity', s.identity, 'key', k.key_template, 'find_value', k.find_template, 'values_from', s.values_from,
                              'business_values', b.business_values,
                              'content', (SELECT jsonb_build_object('body', a.body, 'accepts', a.accepts)
                                          FROM tbs.activity_step AS a
                                          WHERE (a.network_resource_type, a.service, a.position) = (s.network_resource_type, s.service, s.position)
                                            AND a.operation IN ('add', 'edit')
                                          ORDER BY a.operation DESC LIMIT 1)),
           coalesce((SELECT jsonb_object_agg(a.operation, jsonb_build_object('method', a.method, 'path', a.path, 'query', a.query, 'headers', a.headers,
                                                 'body', a.body, 'body_format', a.body_format, 'accepts', a.accepts, 'captures', a.captures,
                                                 'is_ours', a.is_ours, 'on_exists', a.on_exists, 'on_missing', a.on_missing, 'edit_follows', a.edit_follows,
                                                 'look_every', a.look_every, 'overdue_after', a.overdue_after,
                                                 'values_from', s.values_from, 'business_values', b.business_values,
                                                 'reads_object', concat(a.path, a.query, a.headers, a.body) ~ '\m(remote|previous)\.'))
                     FROM tbs.activity_step AS a
                     WHERE (a.network_resource_type, a.service, a.position) = (s.network_resource_type, s.service, s.position)), '{}')
    FROM tbs.service_object AS s
    JOIN tbs.remote_object_kind AS k ON (k.network_resource_type, k.kind) = (s.network_resource_type, s.kind)
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_object_agg(l.layer, l.names), '{}') AS business_values
        FROM (SELECT v.layer, jsonb_object_agg(v.name, v.template) AS names FROM tbs.value_source AS v
              WHERE v.network_resource_type = s.network_resource_type GROUP BY v.layer) AS l) AS b;
END;
$rebuild_recipes$;
COMMENT ON FUNCTION tbs.rebuild_recipes() IS 'checks all templates and composes tbs.recipe anew; raises invalid_parameter_value (22023) for a template with broken braces or an unknown reference';

-- What contexts have in common is composed here, and not for every call.
CREATE FUNCTION tbs.rebuild_resource_contexts()
RETURNS void
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $rebuild_resource_contexts$
BEGIN
    INSERT INTO tbs.network_resource_context AS x (network_resource_id, context, layers, suspension)
    SELECT r.network_resource_id,
           jsonb_build_object('network_resource_id', r.network_resource_id, 'name', r.name, 'environment', r.environment, 'parameters', r.parameters,
                              'default_headers', d.headers, 'default_query', d.query),
           l.layers, jsonb_build_array(jsonb_build_object('layer', 'suspension', 'parameters', d.while_suspended))
    FROM tbs.network_resource AS r
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_object_agg(v.name, v.value ORDER BY v.network_resource_id NULLS FIRST, NOT v.shipped) FILTER (WHERE v.place = 'header'), '{}') AS headers,
               coalesce(jsonb_object_agg(v.name, v.value ORDER BY v.network_resource_id NULLS FIRST, NOT v.shipped) FILTER (WHERE v.place = 'query'), '{}') AS query,
               coalesce(jsonb_object_agg(v.name, v.value ORDER BY v.network_resource_id NULLS FIRST, NOT v.shipped) FILTER (WHERE v.while_suspended), '{}') AS while_suspended
        FROM tbs.network_resource_default AS v
        WHERE v.network_resource_type = r.network_resource_type AND (v.network_resource_id IS NULL OR v.network_resource_id = r.network_resource_id)) AS d
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_agg(jsonb_build_object('layer', n.layer, 'parameters', n.parameters) ORDER BY n.nearness), '[]') AS layers
        FROM (SELECT CASE WHEN v.network_resource_id IS NULL THEN 'type_default' ELSE 'resource_default' END AS layer,
                     (v.network_resource_id IS NOT NULL)::integer * 2 + (NOT v.shipped)::integer AS nearness,
                     jsonb_object_agg(v.name, v.value) AS parameters
              FROM tbs.network_resource_default AS v
              WHERE v.network_resource_type = r.network_resource_type AND v.place = 'body' AND NOT v.while_suspended
                AND (v.network_resource_id IS NULL OR v.network_resource_id = r.network_resource_id)
              GROUP BY 1, 2) AS n) AS l
    ON CONFLICT ON CONSTRAINT network_resource_context_pkey DO UPDATE
    SET context = excluded.context, layers = excluded.layers, suspension = excluded.suspension
    WHERE (x.context, x.layers, x.suspension) IS DISTINCT FROM (excluded.context, excluded.layers, excluded.suspension);
END;
$rebuild_resource_contexts$;
COMMENT ON FUNCTION tbs.rebuild_resource_contexts() IS 'composes tbs.network_resource_context anew';

CREATE FUNCTION tbs.resource_contexts_changed()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $resource_contexts_changed$
BEGIN
    PERFORM tbs.rebuild_resource_contexts();
    RETURN NULL;
END;
$resource_contexts_changed$;
COMMENT ON FUNCTION tbs.resource_contexts_changed() IS 'trigger: composes what contexts of a network resource have in common anew after a change of it or of defaults';
CREATE TRIGGER resource_contexts_changed AFTER INSERT OR UPDATE OF network_resource_id, network_resource_type, name, environment, parameters ON tbs.network_resource
    FOR EACH STATEMENT EXECUTE FUNCTION tbs.resource_contexts_changed();
CREATE TRIGGER resource_contexts_changed AFTER INSERT OR UPDATE OR DELETE ON tbs.network_resource_default
    FOR EACH STATEMENT EXECUTE FUNCTION tbs.resource_contexts_changed();

CREATE FUNCTION tbs.recipes_changed()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $recipes_changed$
BEGIN
    PERFORM tbs.rebuild_recipes();
    RETURN NULL;
END;
$recipes_changed$;
COMMENT ON FUNCTION tbs.recipes_changed() IS 'trigger: composes the recipes anew after a change of configuration';

CREATE FUNCTION tbs.refuse_shipped_change()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $refuse_shipped_change$
BEGIN
    RAISE EXCEPTION 'cannot % a row of "%" that comes with the extension', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = 'Shipped rows are replaced by the next version of the extension.',
              HINT = 'Add a row of your own that is nearer in scope, or a resource type of your own.';
END;
$refuse_shipped_change$;
COMMENT ON FUNCTION tbs.refuse_shipped_change() IS 'trigger: refuses to change rows that come with the extension (55000)';

CREATE FUNCTION tbs.count_configuration_version()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $count_configuration_version$
BEGIN
    UPDATE tbs.configuration_version SET version = version + 1;
    PERFORM tbs.ring();
    RETURN NULL;
END;
$count_configuration_version$;
COMMENT ON FUNCTION tbs.count_configuration_version() IS 'trigger: tells bridges to read their configuration again';

CREATE TRIGGER count_configuration_version AFTER INSERT OR DELETE OR UPDATE OF name, base_url, environment, authentication, tls, connections,
    timeout_milliseconds, connect_timeout_milliseconds, maximum_answer_bytes ON tbs.network_resource
    FOR EACH STATEMENT EXECUTE FUNCTION tbs.count_configuration_version();
CREATE TRIGGER count_configuration_version AFTER INSERT OR UPDATE OR DELETE ON tbs.network_resource_secret
    FOR EACH STATEMENT EXECUTE FUNCTION tbs.count_configuration_version();

-- A network resource is checked as a whole, with an error that says what to type.
CREATE FUNCTION tbs.check_network_resource()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $check_network_resource$
DECLARE
    v_kind text := NEW.authentication ->> 'kind';
    v_needs text[];
    v_missing text;
BEGIN
    IF TG_OP = 'INSERT' AND NEW.requests_per_second IS NULL THEN
        NEW.requests_per_second := (SELECT t.requests_per_second FROM tbs.network_resource_type AS t WHERE t.network_resource_type = NEW.network_resource_type);
    END IF;
    IF NEW.base_url !~ '^https?://[^/?#[:space:]]+(/[^?#[:space:]]*)?$' THEN
        RAISE EXCEPTION 'invalid base URL of network resource "%": "%"', NEW.name, NEW.base_url
            USING ERRCODE = 'check_violation',
                  DETAIL = 'A base URL is http or https with a host and a path, without query and fragment.',
                  HINT = 'For instance https://switch.example/ns-api/v2.';
    END IF;
    v_needs := CASE v_kind WHEN 'none' THEN '{}'::text[] WHEN 'basic' THEN '{user,password}' WHEN 'bearer' THEN '{token}' WHEN 'header' THEN '{name,value}'
                           WHEN 'oauth2_password' THEN '{token_url,client_id,client_secret,username,password}'
                           WHEN 'oauth2_client_credentials' THEN '{token_url,client_id,client_secret}' END;
    IF v_needs IS NULL THEN
        RAISE EXCEPTION 'unknown authentication kind of network resource "%": %', NEW.name, coalesce('"' || v_kind || '"', 'none is given')
            USING ERRCODE = 'check_violation',
                  HINT = 'Kinds are none, basic, bearer, header, oauth2_password and oauth2_client_credentials.';
    END IF;
    SELECT n INTO v_missing FROM unnest(v_needs) AS n WHERE coalesce(NEW.authentication ->> n, '') = '' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'authentication kind "%" of network resource "%" needs "%"', v_kind, NEW.name, v_missing
            USING ERRCODE = 'check_violation',
                  HINT = format('It takes %s; secrets as references: env:NAME, file:/path or secret:NAME.', array_to_string(v_needs, ', '));
    END IF;
    SELECT n INTO v_missing FROM unnest('{password,token,value,client_secret}'::text[]) AS n
     WHERE NEW.authentication ->> n !~ '^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+|secret:.+)$' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'member "%" of the authentication of network resource "%" is not a reference to a secret', v_missing, NEW.name
            USING ERRCODE = 'check_violation',
                  HINT = 'Write env:NAME (environment of the bridge), file:/path, or secret:NAME (a row of tbs.network_resource_secret).';
    END IF;
    BEGIN
        PERFORM clock_timestamp() AT TIME ZONE NEW.time_zone;
    EXCEPTION WHEN invalid_parameter_value THEN
        RAISE EXCEPTION 'unknown time zone of network resource "%": "%"', NEW.name, NEW.time_zone
            USING ERRCODE = 'check_violation', HINT = 'Pass an IANA name such as America/New_York: SELECT name FROM pg_timezone_names;';
    END;
    IF TG_OP = 'UPDATE' AND NEW.network_resource_type <> OLD.network_resource_type THEN
        RAISE EXCEPTION 'cannot change the type of network resource "%"', NEW.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Retire it and make another one.';
    END IF;
    RETURN NEW;
END;
$check_network_resource$;
COMMENT ON FUNCTION tbs.check_network_resource() IS 'trigger: refuses a network resource whose base URL, authentication or time zone cannot work (23514)';
CREATE TRIGGER check_network_resource BEFORE INSERT OR UPDATE ON tbs.network_resource FOR EACH ROW EXECUTE FUNCTION tbs.check_network_resource();

CREATE FUNCTION tbs.check_association()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $check_association$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM tbs.line_usoc_state AS s WHERE s.usoc = OLD.usoc AND s.network_resource_id = OLD.network_resource_id AND s.present) THEN
            RAISE EXCEPTION 'cannot delete the association of USOC % with a network resource: lines have it', OLD.usoc
                USING ERRCODE = 'foreign_key_violation',
                      DETAIL = 'Without it nothing would say what those lines have on the resource.',
                      HINT = 'Switch it off instead: UPDATE tbs.master_usoc_network_resource SET active = false WHERE ...';
        END IF;
        RETURN OLD;
    END IF;
    SELECT r.network_resource_type INTO NEW.network_resource_type FROM tbs.network_resource AS r WHERE r.network_resource_id = NEW.network_resource_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unknown network resource: %', NEW.network_resource_id
            USING ERRCODE = 'foreign_key_violation', HINT = 'SELECT network_resource_id, name FROM tbs.network_resource;';
    END IF;
    IF NOT EXISTS (SELECT FROM tbs.service AS s WHERE s.network_resource_type = NEW.network_resource_type AND s.service = NEW.service AND s.for_lines) THEN
        RAISE EXCEPTION 'resource type "%" has no service "%" for a Master USOC', NEW.network_resource_type, NEW.service
            USING ERRCODE = 'foreign_key_violation',
                  HINT = (SELECT format('Its services are %s.', string_agg(s.service, ', ' ORDER BY s.service)) FROM tbs.service AS s
                          WHERE s.network_resource_type = NEW.network_resource_type AND s.for_lines);
    END IF;
    RETURN NEW;
END;
$check_association$;
COMMENT ON FUNCTION tbs.check_association() IS 'trigger: fills in the resource type, refuses an unknown service and the deletion of an association that lines have (23503)';
CREATE TRIGGER check_association BEFORE INSERT OR UPDATE OR DELETE ON tbs.master_usoc_network_resource FOR EACH ROW EXECUTE FUNCTION tbs.check_association();
