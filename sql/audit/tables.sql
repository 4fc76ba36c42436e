-- An audit: what a network resource was found to have, list by list, and what came out when it was compared with the rows.

CREATE TABLE tbs.audit (
    audit_id            bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_pkey PRIMARY KEY,
    network_resource_id integer NOT NULL,
    domain              text,
    kinds               text[] NOT NULL,
    activity_id         bigint NOT NULL CONSTRAINT audit_activity_id_key UNIQUE,
    audit_list_id       bigint,
    history_from        bigint NOT NULL,
    asked_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    asked_by            text NOT NULL DEFAULT session_user,
    finished_at         timestamptz,
    compared_at         timestamptz,
    unidentified        integer NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE INDEX audit_network_resource_id_idx ON tbs.audit (network_resource_id);
COMMENT ON TABLE tbs.audit IS 'audits of network resources: the last one of each, or of each of its domains';
COMMENT ON COLUMN tbs.audit.kinds IS 'kinds of remote objects that it is about: what was sold of the network resource when it was asked for, or on record, and has an audit step';
COMMENT ON COLUMN tbs.audit.audit_list_id IS 'the list of which a page is being read';
COMMENT ON COLUMN tbs.audit.history_from IS 'history from here on tells what was written while it was read';
COMMENT ON COLUMN tbs.audit.unidentified IS 'rows of answers whose identity could not be made out';

CREATE TABLE tbs.audit_list (
    audit_list_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_list_pkey PRIMARY KEY,
    audit_id      bigint NOT NULL CONSTRAINT audit_list_audit_id_fkey REFERENCES tbs.audit ON DELETE CASCADE,
    position      integer NOT NULL,
    kind          text NOT NULL,
    parent        jsonb NOT NULL DEFAULT '{}',
    start_row     integer NOT NULL DEFAULT 0,
    page_number   integer NOT NULL DEFAULT 1,
    page_size     integer NOT NULL,
    last_key      text,
    turned_back   integer NOT NULL DEFAULT 0,
    finished      boolean NOT NULL DEFAULT false,
    CONSTRAINT audit_list_key UNIQUE (audit_id, kind, parent)
) WITH (fillfactor = 70);
CREATE INDEX audit_list_left_idx ON tbs.audit_list (audit_id, position, audit_list_id) WHERE NOT finished;
COMMENT ON TABLE tbs.audit_list IS 'the lists that an audit reads, and how far it is with each';
COMMENT ON COLUMN tbs.audit_list.parent IS 'identity of the object that the list belongs to';
COMMENT ON COLUMN tbs.audit_list.last_key IS 'the last row that was read: the next page begins with it, or the list has moved meanwhile';
COMMENT ON COLUMN tbs.audit_list.turned_back IS 'how often a page was asked for again because the list had moved';

CREATE TABLE tbs.audit_object (
    audit_object_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_object_pkey PRIMARY KEY,
    audit_id        bigint NOT NULL CONSTRAINT audit_object_audit_id_fkey REFERENCES tbs.audit ON DELETE CASCADE,
    kind            text NOT NULL,
    key             text NOT NULL,
    identity        jsonb,
    found           jsonb,
    read_at         timestamptz,
    status          text CONSTRAINT audit_object_status_known CHECK (status IN ('in step', 'missing', 'extra', 'different', 'changing', 'not renderable')),
    whose           text CONSTRAINT audit_object_whose_known CHECK (whose IN ('ours', 'found', 'not ours', 'no mark')),
    differences     jsonb NOT NULL DEFAULT '{}',
    message         text,
    line_id         bigint,
    line_usoc_id    bigint,
    service         text,
    decided         text CONSTRAINT audit_object_decided_known CHECK (decided IN ('adopted', 'sent', 'removed')),
    decided_at      timestamptz,
    CONSTRAINT audit_object_key UNIQUE (audit_id, kind, key)
) WITH (fillfactor = 70);
COMMENT ON TABLE tbs.audit_object IS 'what an audit has found, and what it has missed (see audit_result for people)';
COMMENT ON COLUMN tbs.audit_object.found IS 'the members of it that our steps send, without secrets; null: it was not found';
COMMENT ON COLUMN tbs.audit_object.read_at IS 'when the page with it was asked for';

CREATE TABLE tbs.audit_wanted (
    audit_id     bigint NOT NULL CONSTRAINT audit_wanted_audit_id_fkey REFERENCES tbs.audit ON DELETE CASCADE,
    kind         text NOT NULL,
    key          text NOT NULL,
    line_usoc_id bigint NOT NULL,
    service      text NOT NULL,
    position     integer NOT NULL,
    line_id      bigint NOT NULL,
    identity     jsonb,
    find_value   text,
    content      jsonb,
    removal      text NOT NULL,
    error        text,
    CONSTRAINT audit_wanted_pkey PRIMARY KEY (audit_id, kind, key, line_usoc_id, service, position)
);
CREATE INDEX audit_wanted_line_usoc_id_idx ON tbs.audit_wanted (line_usoc_id, audit_id);
COMMENT ON TABLE tbs.audit_wanted IS 'what the rows wanted when an audit was compared: one row for each line USOC that an object is wanted for';
COMMENT ON COLUMN tbs.audit_wanted.removal IS 'what becomes of it when nobody wants it any more: delete, keep or return';
COMMENT ON COLUMN tbs.audit_wanted.error IS 'why it cannot be rendered';
