-- Audit steps: how what a network resource has is read, list by list. Rows, like the steps of services: a kind of remote object that has one can be audited.

CREATE TABLE tbs.audit_step (
    network_resource_type text NOT NULL,
    kind                  text NOT NULL,
    position              integer NOT NULL,
    for_each              text,
    same_list_as          text,
    path                  text,
    domain_path           text,
    query                 jsonb NOT NULL DEFAULT '{}' CONSTRAINT audit_step_query_object CHECK (jsonb_typeof(query) = 'object'),
    page_size             integer NOT NULL DEFAULT 100 CONSTRAINT audit_step_page_size_range CHECK (page_size BETWEEN 2 AND 100000),
    items                 jsonpath NOT NULL DEFAULT '$[*]',
    applies               jsonpath,
    aliases               jsonb NOT NULL DEFAULT '{}' CONSTRAINT audit_step_aliases_object CHECK (jsonb_typeof(aliases) = 'object'),
    identity              jsonb NOT NULL CONSTRAINT audit_step_identity_object CHECK (jsonb_typeof(identity) = 'object'),
    domain_member         text,
    formats               jsonb NOT NULL DEFAULT '{}' CONSTRAINT audit_step_formats_object CHECK (jsonb_typeof(formats) = 'object'),
    empty_values          text[] NOT NULL DEFAULT '{}',
    ignores               text[] NOT NULL DEFAULT '{}',
    shipped               boolean NOT NULL DEFAULT false,
    CONSTRAINT audit_step_pkey PRIMARY KEY (network_resource_type, kind),
    CONSTRAINT audit_step_position_key UNIQUE (network_resource_type, position),
    CONSTRAINT audit_step_kind_fkey FOREIGN KEY (network_resource_type, kind) REFERENCES tbs.remote_object_kind,
    CONSTRAINT audit_step_for_each_fkey FOREIGN KEY (network_resource_type, for_each) REFERENCES tbs.audit_step,
    CONSTRAINT audit_step_same_list_as_fkey FOREIGN KEY (network_resource_type, same_list_as) REFERENCES tbs.audit_step,
    CONSTRAINT audit_step_one_list CHECK (num_nonnulls(path, same_list_as) = 1)
);
CREATE INDEX audit_step_for_each_idx ON tbs.audit_step (network_resource_type, for_each);
CREATE INDEX audit_step_same_list_as_idx ON tbs.audit_step (network_resource_type, same_list_as);
COMMENT ON TABLE tbs.audit_step IS 'how all objects of a kind are read from a network resource, page by page, and compared with what the rows want (tbs.audit_resource)';
COMMENT ON COLUMN tbs.audit_step.position IS 'lists are read in this order';
COMMENT ON COLUMN tbs.audit_step.for_each IS 'kind: one list for each object of it that was found; templates know its identity as parent.*; null: one list';
COMMENT ON COLUMN tbs.audit_step.same_list_as IS 'kind: its pages have these objects too (a user''s page says what its voicemail is), so they are not read again; instead of path';
COMMENT ON COLUMN tbs.audit_step.path IS 'RFC 6570 URI template of the GET, appended to the base URL; may refer to parent.*, resource.*, audit.domain, page.start (rows before it), page.limit and page.number (from 1)';
COMMENT ON COLUMN tbs.audit_step.domain_path IS 'the same, for an audit of one switch domain (audit.domain); null: path';
COMMENT ON COLUMN tbs.audit_step.query IS '{"name": template}: query parameters; where neither these nor the path refer to page.start or page.number, one call reads it all';
COMMENT ON COLUMN tbs.audit_step.page_size IS 'rows to ask for at a time, 2 to 100000; no more than the provider gives, since a shorter page is taken for the last one; an answer larger than maximum_answer_bytes is asked for again in halves';
COMMENT ON COLUMN tbs.audit_step.items IS 'SQL/JSON path to the rows of an answer';
COMMENT ON COLUMN tbs.audit_step.applies IS 'SQL/JSON path predicate on a row, with its numbers as strings, true and false as yes and no: only those for which it holds are objects of this kind; null: all';
COMMENT ON COLUMN tbs.audit_step.aliases IS '{"other name": "name"}: other spellings of members, used where a row does not have the name itself';
COMMENT ON COLUMN tbs.audit_step.identity IS 'document of templates over item.* (the row, its members by name) and parent.*; has to give what the identity of the kind''s service objects gives';
COMMENT ON COLUMN tbs.audit_step.domain_member IS 'member of the identity, or of what is sent, that names the switch domain: an audit of one domain is about those; null: about none';
COMMENT ON COLUMN tbs.audit_step.formats IS '{"member": "mac", "digits" or "lower"}: how to read values of a member before they are compared; yes and no, numbers and null need nothing said';
COMMENT ON COLUMN tbs.audit_step.empty_values IS 'values that mean the same as none';
COMMENT ON COLUMN tbs.audit_step.ignores IS 'members that are sent and cannot be read back, or not as they were sent; members that hold secrets are never compared';

-- check_audit_step: what a typo would break is refused when it is written.
CREATE FUNCTION tbs.check_audit_step()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $check_audit_step$
DECLARE
    v_place text := format('the audit step of kind %s', NEW.kind);
    v_problem text;
BEGIN
    PERFORM tbs.check_references(
        coalesce(tbs.uri_template_references(NEW.path), '{}') || coalesce(tbs.uri_template_references(NEW.domain_path), '{}') || tbs.document_references(NEW.query),
        v_place, '{parent,audit,page}');
    PERFORM tbs.check_references(tbs.document_references(NEW.identity), v_place, '{parent}');
    SELECT format('format "%s" of member %s', f.value, f.key) INTO v_problem
    FROM jsonb_each_text(NEW.formats) AS f WHERE f.value NOT IN ('mac', 'digits', 'lower') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'unknown % in %', v_problem, v_place USING ERRCODE = 'invalid_parameter_value', HINT = 'Formats are mac, digits and lower.';
    END IF;
    IF NEW.kind IN (NEW.for_each, NEW.same_list_as)
       OR EXISTS (SELECT FROM tbs.audit_step AS s
                  WHERE s.network_resource_type = NEW.network_resource_type
                    AND ((s.kind = NEW.for_each AND s.position >= NEW.position) OR (s.kind = NEW.same_list_as AND s.same_list_as IS NOT NULL))) THEN
        RAISE EXCEPTION '% refers to a kind that is not read before it', v_place
            USING ERRCODE = 'invalid_parameter_value', HINT = 'for_each names a kind with a smaller position, same_list_as one that has a path.';
    END IF;
    RETURN NEW;
END;
$check_audit_step$;
COMMENT ON FUNCTION tbs.check_audit_step() IS 'trigger: refuses an audit step with a malformed template, an unknown reference or format, or in a circle (22023)';
CREATE TRIGGER check_audit_step BEFORE INSERT OR UPDATE ON tbs.audit_step FOR EACH ROW EXECUTE FUNCTION tbs.check_audit_step();
