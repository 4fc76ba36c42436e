-- Run time: the activity queue, remote objects and who uses them, the history, bridges.
-- No foreign keys to business rows: these rows carry what they need as captured, and outlive them.

CREATE TABLE tbs.arming (
    only_row          boolean NOT NULL DEFAULT true CONSTRAINT arming_pkey PRIMARY KEY CONSTRAINT arming_only_row CHECK (only_row),
    armed             boolean NOT NULL,
    system_identifier text NOT NULL,
    database_oid      oid NOT NULL,
    changed_at        timestamptz NOT NULL,
    changed_by        text NOT NULL,
    reason            text NOT NULL
);
COMMENT ON TABLE tbs.arming IS 'whether changes are captured and sent; a restored copy is another database (system identifier, oid) and so is disarmed until tbs.arm(reason)';

CREATE TABLE tbs.activity (
    activity_id         bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT activity_pkey PRIMARY KEY,
    moved_to            bigint,
    activity_type_id    integer NOT NULL,
    network_resource_id integer NOT NULL,
    line_id             bigint NOT NULL,
    line_usoc_id        bigint NOT NULL,
    customer_id         bigint,
    order_number        text,
    telephone_number    text,
    usoc                text,
    captured_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    captured_by         text NOT NULL DEFAULT session_user,
    user_name           text,
    trigger_description text,
    state               text NOT NULL DEFAULT 'new' CONSTRAINT activity_state_known
                        CHECK (state IN ('new', 'waiting', 'processing', 'retry', 'scheduled', 'failed', 'held')),
    state_xid           xid8 NOT NULL DEFAULT pg_current_xact_id(),
    woken               boolean NOT NULL DEFAULT false,
    due_at              timestamptz,
    waits_for_object_id bigint,
    calls_used          smallint NOT NULL DEFAULT 0,
    round               smallint NOT NULL DEFAULT 1,
    round_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    call_number         integer NOT NULL DEFAULT 0,
    bridge_id           bigint,
    claimed_at          timestamptz,
    remote_object_id    bigint,
    operation           text,
    request_method      text,
    request_path        text,
    request_body        text,
    send_all            boolean NOT NULL DEFAULT false,
    lane                smallint NOT NULL DEFAULT 3 CONSTRAINT activity_lane_range CHECK (lane BETWEEN 1 AND 5),
    waits               smallint NOT NULL DEFAULT 0,
    in_progress_since   timestamptz,
    held_reason         text,
    brake_released      boolean NOT NULL DEFAULT false,
    corrections         jsonb CONSTRAINT activity_corrections_object CHECK (jsonb_typeof(corrections) = 'object'),
    removal_postponed   boolean NOT NULL DEFAULT false,
    finishes            boolean NOT NULL DEFAULT false,
    last_outcome        text,
    last_message        text
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
-- What was on the queue when statistics were gathered says nothing about what is there now: plans are made for any content (extension/pg/planning.cpp).
DO $no_statistics$
DECLARE
    v_column name;
BEGIN
    FOR v_column IN SELECT a.attname FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = 'tbs.activity'::regclass AND a.attnum > 0 LOOP
        EXECUTE pg_catalog.format('ALTER TABLE tbs.activity ALTER COLUMN %I SET STATISTICS 0', v_column);
    END LOOP;
END;
$no_statistics$;
-- Each index is for one question: what is claimable, what is due, the sequence of a line, who waits for an object, what waits for a person, and the pages of people.
CREATE INDEX activity_claimable_idx ON tbs.activity (network_resource_id, (CASE WHEN woken THEN 0 ELSE lane END), state_xid, captured_at) WHERE state = 'new';
CREATE INDEX activity_due_idx ON tbs.activity (network_resource_id, due_at) WHERE state IN ('retry', 'scheduled');
CREATE INDEX activity_sequence_idx ON tbs.activity (line_id, network_resource_id, line_usoc_id, (coalesce(moved_to, activity_id)));
CREATE INDEX activity_waits_for_object_idx ON tbs.activity (waits_for_object_id) WHERE waits_for_object_id IS NOT NULL;
CREATE INDEX activity_under_way_idx ON tbs.activity (line_id, network_resource_id) WHERE state IN ('processing', 'retry');
CREATE INDEX activity_processing_idx ON tbs.activity (network_resource_id, state_xid) WHERE state = 'processing';
CREATE INDEX activity_stuck_idx ON tbs.activity (network_resource_id) WHERE state IN ('failed', 'held');
CREATE INDEX activity_line_usoc_idx ON tbs.activity (line_usoc_id, network_resource_id, line_id);
CREATE INDEX activity_customer_idx ON tbs.activity (customer_id);
CREATE INDEX activity_order_number_idx ON tbs.activity (order_number) WHERE order_number IS NOT NULL;
COMMENT ON TABLE tbs.activity IS 'the queue: bring a line USOC up to date on a network resource; a row leaves when it is done, removed or superseded (see activity_queue for people)';
COMMENT ON COLUMN tbs.activity.moved_to IS 'place in the sequence of its (line, network resource) where it differs from activity_id';
COMMENT ON COLUMN tbs.activity.line_id IS '0: an activity of the network resource itself; negative: an audit, or the removal of an object that no line wants (tbs.plan_audit)';
COMMENT ON COLUMN tbs.activity.line_usoc_id IS 'as line_id, 0 or negative where there is none';
COMMENT ON COLUMN tbs.activity.captured_by IS 'session_user of the transaction that changed the row';
COMMENT ON COLUMN tbs.activity.user_name IS 'the clerk, as claimed with tbs.set_origin()';
COMMENT ON COLUMN tbs.activity.state IS 'new: captured, nobody has looked yet; waiting: behind another or for what it requires; processing: with a bridge; retry: until due_at; scheduled: not due; failed and held: for an operator';
COMMENT ON COLUMN tbs.activity.state_xid IS 'the transaction that made it new or processing; in its other states of no meaning';
COMMENT ON COLUMN tbs.activity.woken IS 'new again, after it was looked at: it goes before the lanes';
COMMENT ON COLUMN tbs.activity.calls_used IS 'failed tries in this round';
COMMENT ON COLUMN tbs.activity.round IS 'grows with a retry by hand or by a later change';
COMMENT ON COLUMN tbs.activity.round_at IS 'when this round began: with send_all, what was sent since then is not sent again, whichever activity sent it';
COMMENT ON COLUMN tbs.activity.call_number IS 'number of the last API call; what a report has to name';
COMMENT ON COLUMN tbs.activity.request_body IS 'of the last API call, as rendered; secrets are references';
COMMENT ON COLUMN tbs.activity.lane IS 'whose turn it is among lines: 1 a person''s retry, 2 restore, 3 normal, 4 bulk, 5 resync; none starves another';
COMMENT ON COLUMN tbs.activity.waits IS 'tries in a row that did not count (busy, unavailable): the wait grows with them';
COMMENT ON COLUMN tbs.activity.in_progress_since IS 'the resource took the call and answers later: since then';
COMMENT ON COLUMN tbs.activity.held_reason IS 'why it is held: an operator''s reason, or the delete brake';
COMMENT ON COLUMN tbs.activity.brake_released IS 'an operator let this removal through the delete brake';
COMMENT ON COLUMN tbs.activity.corrections IS 'values that an operator gave with a retry: nearer than all layers, for this activity only';
COMMENT ON COLUMN tbs.activity.send_all IS 'send even what was accepted before (a resync, a retry by hand)';
COMMENT ON COLUMN tbs.activity.finishes IS 'the call under way is all that was left to do: accepted, the activity is done. What the rows have come to mean since is for the activity of that change';
COMMENT ON COLUMN tbs.activity.removal_postponed IS 'new objects are made; removing the old ones has been put behind the line''s other activities';

-- Whatever becomes claimable is found where claims begin to look (tbs.low_water_mark): also what a restore brings, or a person's own UPDATE. Hence ENABLE ALWAYS.
-- What a person or its day puts on the queue anew keeps its lane.
CREATE FUNCTION tbs.note_state_xid()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $note_state_xid$
BEGIN
    NEW.state_xid := pg_current_xact_id();
    IF TG_OP = 'UPDATE' THEN
        NEW.woken := OLD.state IN ('waiting', 'processing');
    END IF;
    RETURN NEW;
END;
$note_state_xid$;
COMMENT ON FUNCTION tbs.note_state_xid() IS 'trigger: an activity has become claimable by this transaction';
CREATE TRIGGER note_state_xid_insert BEFORE INSERT ON tbs.activity FOR EACH ROW WHEN (NEW.state_xid <> pg_current_xact_id()) EXECUTE FUNCTION tbs.note_state_xid();
CREATE TRIGGER note_state_xid_update BEFORE UPDATE ON tbs.activity FOR EACH ROW
WHEN (NEW.state = 'new' AND (OLD.state <> 'new' OR OLD.lane <> NEW.lane OR OLD.network_resource_id <> NEW.network_resource_id)) EXECUTE FUNCTION tbs.note_state_xid();
ALTER TABLE tbs.activity ENABLE ALWAYS TRIGGER note_state_xid_insert;
ALTER TABLE tbs.activity ENABLE ALWAYS TRIGGER note_state_xid_update;

-- What is new and what is under way, from where this session knows that it begins. In the order of state_xid these two are one range of an index each.
-- No settings of their own, so that they are put into the query that uses them.
CREATE FUNCTION tbs.new_activities(network_resource_id integer, lane integer)
RETURNS SETOF tbs.activity
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT a.* FROM tbs.activity AS a
    WHERE a.network_resource_id = new_activities.network_resource_id AND a.state = 'new' AND CASE WHEN a.woken THEN 0 ELSE a.lane END = new_activities.lane
      AND a.state_xid >= tbs.low_water_mark(new_activities.network_resource_id, new_activities.lane);
END;
COMMENT ON FUNCTION tbs.new_activities(integer, integer) IS 'internal: what nobody has looked at in a lane of a network resource, 1 to 5, or 0: what was looked at, and is new again';

CREATE FUNCTION tbs.activities_under_way(network_resource_id integer)
RETURNS SETOF tbs.activity
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT a.* FROM tbs.activity AS a
    WHERE a.network_resource_id = activities_under_way.network_resource_id AND a.state = 'processing'
      AND a.state_xid >= tbs.low_water_mark(activities_under_way.network_resource_id, -1);
END;
COMMENT ON FUNCTION tbs.activities_under_way(integer) IS 'internal: the activities of a network resource whose API call is under way';

CREATE TABLE tbs.remote_object (
    remote_object_id      bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT remote_object_pkey PRIMARY KEY,
    network_resource_id   integer NOT NULL,
    kind                  text NOT NULL,
    key                   text NOT NULL,
    identity              jsonb NOT NULL,
    find_value            text,
    origin                text NOT NULL DEFAULT 'made' CONSTRAINT remote_object_origin_known CHECK (origin IN ('made', 'found', 'adopted')),
    presence              text NOT NULL DEFAULT 'absent' CONSTRAINT remote_object_presence_known CHECK (presence IN ('absent', 'perhaps', 'present')),
    settled               boolean NOT NULL DEFAULT true,
    sent                  jsonb,
    sent_operation        text,
    sent_at               timestamptz,
    accepted              jsonb,
    accepted_at           timestamptz,
    accepted_activity_id  bigint,
    accepted_epoch        text,
    members               text[] NOT NULL DEFAULT '{}',
    markers               text[] NOT NULL DEFAULT '{}',
    identifiers           jsonb NOT NULL DEFAULT '{}',
    prepared              jsonb,
    in_flight_activity_id bigint,
    presence_before       text,
    settled_before        boolean,
    CONSTRAINT remote_object_key UNIQUE (network_resource_id, kind, key)
) WITH (fillfactor = 45);
-- No index on what changes with a call: so its two updates stay on their page.
COMMENT ON TABLE tbs.remote_object IS 'a thing on the other side: (network resource, kind, key), with what was last sent and last accepted';
COMMENT ON COLUMN tbs.remote_object.identity IS 'what the paths of its steps need, e.g. {"domain": "acme", "user": "1001"}';
COMMENT ON COLUMN tbs.remote_object.origin IS 'made by us, found (it was there before), or adopted; a found one is never deleted';
COMMENT ON COLUMN tbs.remote_object.presence IS 'perhaps: sent to be made or removed, answer not known';
COMMENT ON COLUMN tbs.remote_object.settled IS 'false: the content on the other side is not known to equal what was last accepted';
COMMENT ON COLUMN tbs.remote_object.markers IS 'marks of the lines for which it was ever sent: by one of them a look knows it as ours';
COMMENT ON COLUMN tbs.remote_object.members IS 'names of the members that were ever sent since it was made: one that has no value any more is sent empty';
COMMENT ON COLUMN tbs.remote_object.prepared IS 'the content that its step prepare was last carried out for';
COMMENT ON COLUMN tbs.remote_object.accepted_epoch IS 'database epoch and base URL under which it was accepted; another one means: send again';
COMMENT ON COLUMN tbs.remote_object.in_flight_activity_id IS 'the activity whose call to this object has no answer yet: no second one starts';

CREATE TABLE tbs.remote_object_use (
    remote_object_id    bigint NOT NULL CONSTRAINT remote_object_use_remote_object_id_fkey REFERENCES tbs.remote_object,
    line_usoc_id        bigint NOT NULL,
    network_resource_id integer NOT NULL,
    service             text NOT NULL,
    position            integer NOT NULL,
    removal             text NOT NULL DEFAULT 'delete' CONSTRAINT remote_object_use_removal_known CHECK (removal IN ('delete', 'keep', 'return')),
    CONSTRAINT remote_object_use_pkey PRIMARY KEY (remote_object_id, line_usoc_id, service)
);
CREATE INDEX remote_object_use_line_usoc_idx ON tbs.remote_object_use (line_usoc_id, network_resource_id);
COMMENT ON TABLE tbs.remote_object_use IS 'which line USOCs want a remote object, as of their last activity; written before the first call goes out';
COMMENT ON COLUMN tbs.remote_object_use.removal IS 'what becomes of the object when this was the last use of it, as of the last activity: the line USOC that says so may be gone by then';

CREATE TABLE tbs.line_usoc_state (
    line_usoc_id        bigint NOT NULL,
    network_resource_id integer NOT NULL,
    service             text NOT NULL,
    line_id             bigint NOT NULL,
    customer_id         bigint,
    telephone_number    text,
    usoc                text,
    present             boolean NOT NULL,
    in_step             boolean NOT NULL,
    last_activity_id    bigint NOT NULL,
    last_result         text NOT NULL,
    changed_at          timestamptz NOT NULL,
    CONSTRAINT line_usoc_state_pkey PRIMARY KEY (line_usoc_id, network_resource_id, service)
) WITH (fillfactor = 70);
CREATE INDEX line_usoc_state_line_idx ON tbs.line_usoc_state (line_id, service);
COMMENT ON TABLE tbs.line_usoc_state IS 'what became of a line USOC on a network resource: whether it is there, and whether its last activity succeeded';

CREATE TABLE tbs.line_usoc_run_now (
    line_usoc_id bigint NOT NULL,
    what         text NOT NULL CONSTRAINT line_usoc_run_now_what_known CHECK (what IN ('start', 'end')),
    day          date NOT NULL,
    decided_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT line_usoc_run_now_pkey PRIMARY KEY (line_usoc_id, what)
);
COMMENT ON TABLE tbs.line_usoc_run_now IS 'an operator''s decision that a line USOC starts or ends before its day (tbs.run_now)';
COMMENT ON COLUMN tbs.line_usoc_run_now.what IS 'start: its active date does not count any more; end: its last day of service has passed';
COMMENT ON COLUMN tbs.line_usoc_run_now.day IS 'the date that it is about; moved to another day, the decision is void';

-- Trouble of a network resource. Rows are inserted and, by whoever gets them without waiting, taken away: a report must never wait here for another's.
CREATE TABLE tbs.network_resource_condition (
    network_resource_id integer CONSTRAINT network_resource_condition_pkey PRIMARY KEY
                        CONSTRAINT network_resource_condition_network_resource_fkey REFERENCES tbs.network_resource ON DELETE CASCADE,
    not_before          timestamptz,
    throttles           integer NOT NULL DEFAULT 0,
    unavailable_since   timestamptz,
    unavailable_reason  text,
    probe_at            timestamptz,
    ramp_from           timestamptz
);
COMMENT ON TABLE tbs.network_resource_condition IS 'how a network resource that had trouble is doing; none: no trouble so far';
COMMENT ON COLUMN tbs.network_resource_condition.not_before IS 'it asked for a pause until then (429, Retry-After)';
COMMENT ON COLUMN tbs.network_resource_condition.throttles IS 'pauses that it asked for in a row: without Retry-After they get longer';
COMMENT ON COLUMN tbs.network_resource_condition.unavailable_since IS 'nothing but probes is sent since then';
COMMENT ON COLUMN tbs.network_resource_condition.probe_at IS 'when the next probe may go';
COMMENT ON COLUMN tbs.network_resource_condition.ramp_from IS 'from then on the calls under way may double every second, from one to the network resource''s connections';

CREATE TABLE tbs.network_resource_failure (
    network_resource_id integer NOT NULL CONSTRAINT network_resource_failure_network_resource_fkey REFERENCES tbs.network_resource ON DELETE CASCADE,
    activity_id         bigint NOT NULL,
    line_id             bigint NOT NULL,
    failed_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    outcome             text NOT NULL
);
CREATE INDEX network_resource_failure_idx ON tbs.network_resource_failure (network_resource_id, failed_at);
COMMENT ON TABLE tbs.network_resource_failure IS 'failures of a network resource since its last success, as far as they may mean that it is unavailable';

CREATE TABLE tbs.network_resource_removal (
    network_resource_id integer NOT NULL CONSTRAINT network_resource_removal_network_resource_fkey REFERENCES tbs.network_resource ON DELETE CASCADE,
    activity_id         bigint NOT NULL,
    begun_at            timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX network_resource_removal_idx ON tbs.network_resource_removal (network_resource_id, begun_at);
COMMENT ON TABLE tbs.network_resource_removal IS 'removals of the last hour: what the delete brake counts';

CREATE TABLE tbs.subscriber_secret (
    subscriber_secret_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT subscriber_secret_pkey PRIMARY KEY,
    line_id              bigint NOT NULL,
    account              text NOT NULL DEFAULT '',
    name                 text NOT NULL,
    version              integer NOT NULL DEFAULT 1,
    value                text NOT NULL,
    changed_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT subscriber_secret_key UNIQUE (line_id, account, name)
);
COMMENT ON COLUMN tbs.subscriber_secret.account IS 'the SIP account it belongs to; empty: the line itself';
COMMENT ON TABLE tbs.subscriber_secret IS 'SIP passwords and voicemail PINs, made here; templates see id and version only, the bridge puts the value into the body';

CREATE TABLE tbs.bridge (
    bridge_id    bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT bridge_pkey PRIMARY KEY,
    name         text NOT NULL,
    version      text NOT NULL,
    environment  text NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at     timestamptz,
    end_reason   text,
    configuration_version bigint NOT NULL DEFAULT 0,
    configuration_read_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
COMMENT ON TABLE tbs.bridge IS 'running tbs-bridge processes and those that ended';
COMMENT ON COLUMN tbs.bridge.configuration_version IS 'the configuration that this bridge has read last';
COMMENT ON COLUMN tbs.bridge.configuration_read_at IS 'when it read that: what it was given before may have been sent with other credentials';

-- By itself, since it is written with every beat: every claim and report reads the bridge's row, and while somebody holds a snapshot all its versions stay.
CREATE TABLE tbs.bridge_lease (
    bridge_id   bigint CONSTRAINT bridge_lease_pkey PRIMARY KEY CONSTRAINT bridge_lease_bridge_id_fkey REFERENCES tbs.bridge,
    beat_number bigint NOT NULL DEFAULT 1,
    beat_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    watched     jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);
COMMENT ON TABLE tbs.bridge_lease IS 'the leases of the bridges that run, renewed by their beats';
COMMENT ON COLUMN tbs.bridge_lease.watched IS 'what this bridge has seen of others: {bridge_id: [beat_number, when first seen]}';

CREATE SEQUENCE tbs.activity_history_id_seq;
COMMENT ON SEQUENCE tbs.activity_history_id_seq IS 'numbers of history rows';

CREATE TABLE tbs.activity_history (
    activity_history_id  bigint NOT NULL DEFAULT nextval('tbs.activity_history_id_seq'),
    recorded_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    activity_id          bigint,
    event                text NOT NULL,
    closes               boolean NOT NULL DEFAULT false,
    activity_type_id     integer,
    network_resource_id  integer,
    line_id              bigint,
    line_usoc_id         bigint,
    customer_id          bigint,
    order_number         text,
    telephone_number     text,
    usoc                 text,
    captured_at          timestamptz,
    captured_by          text,
    user_name            text,
    trigger_description  text,
    call_number          integer,
    kind                 text,
    key                  text,
    operation            text,
    method               text,
    path                 text,
    request_body         text,
    http_status          integer,
    curl_result          integer,
    answer               text,
    outcome              text,
    outcome_rule_id      integer,
    message              text,
    bridge_id            bigint,
    started_at           timestamptz,
    elapsed_microseconds bigint,
    session_role         text,
    acting_role          text,
    reason               text
) PARTITION BY RANGE (recorded_at);
COMMENT ON TABLE tbs.activity_history IS 'append-only: every API call with its answer, how every activity ended, every operator action; partitioned by month (UTC)';
COMMENT ON COLUMN tbs.activity_history.event IS 'api_call, late_report, succeeded (found to have nothing left to do), failed, removed, superseded, retried, corrected, held, released, step_skipped, marked_done, maximum_calls_set, run_now, new_round, taken_over, given_back, and for the system: armed, disarmed, without_capture, paused, resumed, throttled, made_unavailable, available_again, resynced, adopted, audit_planned, secret_rotated, secret_revealed, setting_changed';
COMMENT ON COLUMN tbs.activity_history.closes IS 'true on the one row with which the activity left the queue; of an api_call: nothing was left to do after it, the activity has succeeded';
COMMENT ON COLUMN tbs.activity_history.request_body IS 'as rendered; secrets are references';
COMMENT ON COLUMN tbs.activity_history.answer IS 'as text, secrets masked, at most 4000 characters';

