-- Functions in C++: rendering, answers, secrets, the bell, the drop guard.
-- The library keeps text in UTF-8 throughout, so the database has to.
DO $check_encoding$
BEGIN
    IF pg_catalog.current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'extension tbs needs a database with encoding UTF8'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Create the database with ENCODING ''UTF8''.';
    END IF;
END;
$check_encoding$;

--
-- render_object(recipe, context, item) → key, identity, find_value, content, error, error_member
--   What a remote object should look like. In every template but those of the identity, {object...}
--   is the rendered identity; {item...} is the item. A problem of the data or of the recipe is
--   returned, not raised; what could be made besides is returned too.
--   Errors: 22004 when recipe or context is null.
--
CREATE FUNCTION tbs.render_object(
    recipe jsonb, context jsonb, item jsonb,
    OUT key text, OUT identity jsonb, OUT find_value text, OUT content jsonb,
    OUT error text, OUT error_member text)
RETURNS record
LANGUAGE C
IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'tbs_render_object';
REVOKE ALL ON FUNCTION tbs.render_object(jsonb, jsonb, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION tbs.render_object(jsonb, jsonb, jsonb) IS 'identity, key and content of a remote object, rendered from a recipe';

--
-- render_request(step, context, item, object) → method, path, headers, body, error, error_member
--   One finished HTTP request. A problem of the data or of the step is returned, not raised; then
--   the other columns are null. body is also null when the step has none.
--   Errors: 22004 when step or context is null.
--
CREATE FUNCTION tbs.render_request(
    step jsonb, context jsonb, item jsonb, object jsonb,
    OUT method text, OUT path text, OUT headers jsonb, OUT body text,
    OUT error text, OUT error_member text)
RETURNS record
LANGUAGE C
IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 20
AS 'MODULE_PATHNAME', 'tbs_render_request';
REVOKE ALL ON FUNCTION tbs.render_request(jsonb, jsonb, jsonb, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION tbs.render_request(jsonb, jsonb, jsonb, jsonb) IS 'one HTTP request, rendered from a step';

--
-- explain_layers(recipe, context) → name, value, layer
--   The merged layered values and the layer that won. JSON null: "stop looking, do not send".
--   Errors: 22023 when a value cannot be rendered.
--
CREATE FUNCTION tbs.explain_layers(recipe jsonb, context jsonb)
RETURNS TABLE (name text, value jsonb, layer text)
LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 30
AS 'MODULE_PATHNAME', 'tbs_explain_layers';
REVOKE ALL ON FUNCTION tbs.explain_layers(jsonb, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION tbs.explain_layers(jsonb, jsonb) IS 'merged layered values, each with the layer it comes from';

--
-- template_references(template) → paths, uri_template_references(template) → paths,
-- document_references(document) → paths
--   The dotted paths that a template refers to, in their order, each once.
--   Errors: 22023 for a malformed template, with what is wrong and where.
--
CREATE FUNCTION tbs.template_references(template text)
RETURNS text[]
LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tbs_template_references';
REVOKE ALL ON FUNCTION tbs.template_references(text) FROM PUBLIC;
COMMENT ON FUNCTION tbs.template_references(text) IS 'paths that a template refers to';

CREATE FUNCTION tbs.uri_template_references(template text)
RETURNS text[]
LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tbs_uri_template_references';
REVOKE ALL ON FUNCTION tbs.uri_template_references(text) FROM PUBLIC;
COMMENT ON FUNCTION tbs.uri_template_references(text) IS 'variables of an RFC 6570 URI template';

CREATE FUNCTION tbs.document_references(document jsonb)
RETURNS text[]
LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tbs_document_references';
REVOKE ALL ON FUNCTION tbs.document_references(jsonb) FROM PUBLIC;
COMMENT ON FUNCTION tbs.document_references(jsonb) IS 'paths that the string leaves of a document refer to';

--
-- answer_json(answer) → jsonb
--   NULL when the answer is no JSON that PostgreSQL can store. Never raises for data.
--
CREATE FUNCTION tbs.answer_json(answer bytea)
RETURNS jsonb
LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tbs_answer_json';
REVOKE ALL ON FUNCTION tbs.answer_json(bytea) FROM PUBLIC;
COMMENT ON FUNCTION tbs.answer_json(bytea) IS 'an answer as JSON, NULL when it is none that can be stored';

--
-- answer_text(answer, maximum_characters, secret_members) → text
--   For the log: printable, shortened, values of the named members masked.
--
CREATE FUNCTION tbs.answer_text(answer bytea, maximum_characters integer, secret_members text[])
RETURNS text
LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tbs_answer_text';
REVOKE ALL ON FUNCTION tbs.answer_text(bytea, integer, text[]) FROM PUBLIC;
COMMENT ON FUNCTION tbs.answer_text(bytea, integer, text[]) IS 'an answer as printable text without secrets';

CREATE FUNCTION tbs.mask_secrets(document jsonb, secret_members text[])
RETURNS jsonb
LANGUAGE C
IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tbs_mask_secrets';
REVOKE ALL ON FUNCTION tbs.mask_secrets(jsonb, text[]) FROM PUBLIC;
COMMENT ON FUNCTION tbs.mask_secrets(jsonb, text[]) IS 'a document with the values of the named members masked';

--
-- random_secret(length) → text
--   Letters and digits from the server's strong random source.
--   Errors: 22023 unless length is 8 to 128.
--
CREATE FUNCTION tbs.random_secret(length integer)
RETURNS text
LANGUAGE C
VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tbs_random_secret';
REVOKE ALL ON FUNCTION tbs.random_secret(integer) FROM PUBLIC;
COMMENT ON FUNCTION tbs.random_secret(integer) IS 'a random secret of letters and digits';

CREATE FUNCTION tbs.database_epoch()
RETURNS text
LANGUAGE C
STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tbs_database_epoch';
REVOKE ALL ON FUNCTION tbs.database_epoch() FROM PUBLIC;
COMMENT ON FUNCTION tbs.database_epoch() IS 'system identifier and timeline of this server';

CREATE FUNCTION tbs.is_this_database(system_identifier text, database_oid oid)
RETURNS boolean
LANGUAGE C
STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tbs_is_this_database';
REVOKE ALL ON FUNCTION tbs.is_this_database(text, oid) FROM PUBLIC;
COMMENT ON FUNCTION tbs.is_this_database(text, oid) IS 'internal: whether these are of this very database, and not of the one that it was copied from';

CREATE FUNCTION tbs.capture_reason()
RETURNS text
LANGUAGE C
STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'tbs_capture_reason';
REVOKE ALL ON FUNCTION tbs.capture_reason() FROM PUBLIC;
COMMENT ON FUNCTION tbs.capture_reason() IS 'why capture is switched off, NULL when it is on';

--
-- The bell: ring() marks the transaction, which then wakes up a sleeping bridge when it commits.
-- bell_sleep() tells whether this session may sleep, that is, a commit will notify tbs_activity; false: another session does; null: neither, since a commit that
-- rings is just under way.
--
CREATE FUNCTION tbs.ring()
RETURNS void
LANGUAGE C
VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'tbs_ring';
REVOKE ALL ON FUNCTION tbs.ring() FROM PUBLIC;
COMMENT ON FUNCTION tbs.ring() IS 'wake up a sleeping bridge when this transaction commits';

CREATE FUNCTION tbs.bell_sleep()
RETURNS boolean
LANGUAGE C
VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'tbs_bell_sleep';
REVOKE ALL ON FUNCTION tbs.bell_sleep() FROM PUBLIC;
COMMENT ON FUNCTION tbs.bell_sleep() IS 'take the bell lock for this session: commits that ring will notify; false: another session has it; null: a commit that rings is just under way, ask again';

CREATE FUNCTION tbs.bell_wake()
RETURNS void
LANGUAGE C
VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'tbs_bell_wake';
REVOKE ALL ON FUNCTION tbs.bell_wake() FROM PUBLIC;
COMMENT ON FUNCTION tbs.bell_wake() IS 'release the bell lock if this session holds it';

--
-- Low-water marks: where a session begins when it looks through what is new, or under way, for a network resource, however much that is done has been before it in
-- the index. Lane: 0 to 5 as tbs.new_activities() has them, -1: calls under way.
-- raise_low_water_mark(): first is the oldest state_xid that is there, null: there is none; returns whether there is one. It counts no further than all transactions
-- are over for the snapshot that looked, and not at all in a transaction that has written.
--
CREATE FUNCTION tbs.low_water_mark(network_resource_id integer, lane integer)
RETURNS xid8
LANGUAGE C
STABLE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'tbs_low_water_mark';
REVOKE ALL ON FUNCTION tbs.low_water_mark(integer, integer) FROM PUBLIC;
COMMENT ON FUNCTION tbs.low_water_mark(integer, integer) IS 'internal: the transaction before which this session knows that nothing is left in a lane of a network resource; lane -1: no call under way';

CREATE FUNCTION tbs.raise_low_water_mark(network_resource_id integer, lane integer, first xid8)
RETURNS boolean
LANGUAGE C
VOLATILE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'tbs_raise_low_water_mark';
REVOKE ALL ON FUNCTION tbs.raise_low_water_mark(integer, integer, xid8) FROM PUBLIC;
COMMENT ON FUNCTION tbs.raise_low_water_mark(integer, integer, xid8) IS 'internal: remembers where a lane of a network resource begins for this session; returns whether there is anything in it (first is not null)';

--
-- The drop guard. An extension's own sql_drop trigger does not fire for its own drop, so this one
-- looks at the command before it starts.
--
CREATE FUNCTION tbs.guard_drop()
RETURNS event_trigger
LANGUAGE C
VOLATILE
AS 'MODULE_PATHNAME', 'tbs_guard_drop';
REVOKE ALL ON FUNCTION tbs.guard_drop() FROM PUBLIC;
COMMENT ON FUNCTION tbs.guard_drop() IS 'refuses commands that would drop the extension while there are customers';

CREATE EVENT TRIGGER tbs_guard_drop
    ON ddl_command_start
    WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA', 'DROP OWNED')
    EXECUTE FUNCTION tbs.guard_drop();
COMMENT ON EVENT TRIGGER tbs_guard_drop IS 'refuses commands that would drop the extension while there are customers';
