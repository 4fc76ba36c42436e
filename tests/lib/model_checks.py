"""What must hold at any moment of the random test of the queue, as SQL in the test's database: schema model.

Every activity that was ever committed, and every one that has ended, is written down by triggers of the test. A call is
looked at in the very transaction that hands it out, as the queue was seen there. The rules are those of docs/queue-model.md,
and are put here a second time: none of the functions that decide about the sequence is asked.
"""

SCHEMA = """
CREATE SCHEMA model;
CREATE TABLE model.captured (activity_id bigint PRIMARY KEY);
CREATE TABLE model.closed (activity_id bigint PRIMARY KEY);

CREATE FUNCTION model.note_captured() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO model.captured SELECT n.activity_id FROM new_rows AS n;
    RETURN NULL;
END $$;
CREATE TRIGGER model_captured AFTER INSERT ON tbs.activity REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION model.note_captured();

CREATE FUNCTION model.note_closed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_overtaken bigint;
BEGIN
    INSERT INTO model.closed VALUES (NEW.activity_id) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'activity % ends a second time', NEW.activity_id USING ERRCODE = 'MODEL';
    END IF;
    -- It came to its turn and needed no call, although an earlier one of its line USOC was there.
    IF NEW.event = 'succeeded' AND NEW.message = 'nothing to send' THEN
        SELECT e.activity_id INTO v_overtaken
        FROM tbs.activity AS e JOIN tbs.activity_type AS et ON et.activity_type_id = e.activity_type_id
        JOIN tbs.activity_type AS nt ON nt.activity_type_id = NEW.activity_type_id AND nt.service = et.service
        WHERE e.line_usoc_id = NEW.line_usoc_id AND e.network_resource_id = NEW.network_resource_id AND e.line_id = NEW.line_id
          AND coalesce(e.moved_to, e.activity_id) < NEW.activity_id AND e.state <> 'scheduled' AND NEW.line_usoc_id <> 0
          AND NOT EXISTS (SELECT FROM model.moved AS m WHERE m.activity_id = e.activity_id) LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'sequence: activity % is over before %, which comes earlier', NEW.activity_id, v_overtaken USING ERRCODE = 'MODEL';
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER model_closed AFTER INSERT ON tbs.activity_history FOR EACH ROW WHEN (NEW.closes) EXECUTE FUNCTION model.note_closed();

-- One whose line USOC was moved to another line comes into that line's sequence when it is looked at: before that it was in nobody's way there.
CREATE TABLE model.moved (activity_id bigint PRIMARY KEY);
CREATE FUNCTION model.note_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO model.moved VALUES (NEW.activity_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER model_moved AFTER UPDATE OF line_id ON tbs.activity FOR EACH ROW WHEN (OLD.line_id <> NEW.line_id) EXECUTE FUNCTION model.note_moved();

-- A call that is just handed out: whose it is, and what is wrong with that. One that continues was under way: an earlier one whose transaction
-- was committed in the meantime has its turn afterwards.
CREATE FUNCTION model.look(activity_id bigint, continues boolean, OUT line_id bigint, OUT line_usoc_id bigint, OUT operation text, OUT wrong text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_activity tbs.activity;
    v_service text;
BEGIN
    SELECT * INTO STRICT v_activity FROM tbs.activity AS a WHERE a.activity_id = look.activity_id;
    SELECT t.service INTO STRICT v_service FROM tbs.activity_type AS t WHERE t.activity_type_id = v_activity.activity_type_id;
    line_id := v_activity.line_id;
    line_usoc_id := v_activity.line_usoc_id;
    operation := v_activity.operation;
    IF v_activity.state <> 'processing' THEN
        wrong := format('lease: activity %s is handed out in state %s', look.activity_id, v_activity.state);
        RETURN;
    END IF;
    IF v_activity.line_usoc_id = 0 THEN
        RETURN;
    END IF;
    SELECT format('sequence: activity %s is sent although %s', look.activity_id,
                  CASE WHEN x.state = 'processing' THEN format('%s of the line is under way', x.activity_id)
                       WHEN x.state = 'retry' AND x.line_usoc_id <> v_activity.line_usoc_id THEN format('%s of the line waits for its next try', x.activity_id)
                       ELSE format('%s of the line USOC comes earlier (%s)', x.activity_id, x.state) END) INTO wrong
    FROM tbs.activity AS x
    WHERE x.line_id = v_activity.line_id AND x.network_resource_id = v_activity.network_resource_id AND x.activity_id <> v_activity.activity_id
      -- What a line USOC brings along from another line may wait for its next try while this one goes on: only none starts then.
      AND (x.state = 'processing' OR (NOT continues AND x.state = 'retry' AND x.due_at > clock_timestamp())
           OR (NOT continues AND x.line_usoc_id = v_activity.line_usoc_id AND x.state <> 'scheduled' AND NOT EXISTS (SELECT FROM model.moved AS m WHERE m.activity_id = x.activity_id)
               AND coalesce(x.moved_to, x.activity_id) < coalesce(v_activity.moved_to, v_activity.activity_id)))
    LIMIT 1;
    IF wrong IS NULL AND v_activity.call_number = 1 AND v_activity.operation <> 'delete' THEN
        SELECT format('sequence: activity %s is sent although the line has no %s in step', look.activity_id, q.required) INTO wrong
        FROM tbs.service AS s CROSS JOIN LATERAL unnest(s.requires) AS q (required)
        WHERE s.network_resource_type = 'netsapiens' AND s.service = v_service
          AND NOT EXISTS (SELECT FROM tbs.line_usoc_state AS u
                          WHERE u.line_id = v_activity.line_id AND u.service = ANY (string_to_array(q.required, '|')) AND u.present
                            AND NOT EXISTS (SELECT FROM tbs.activity AS e JOIN tbs.activity_type AS t ON t.activity_type_id = e.activity_type_id
                                            WHERE e.line_usoc_id = u.line_usoc_id AND e.network_resource_id = u.network_resource_id AND t.service = u.service
                                              -- What this very claim has handed over to the seat has not changed the rows.
                                              AND e.captured_at < transaction_timestamp()
                                              AND e.state <> 'scheduled' AND (e.moved_to IS NULL OR e.moved_to < coalesce(v_activity.moved_to, v_activity.activity_id))));
    END IF;
END $$;

-- What must hold whenever no transaction of a bridge or an operator is open.
CREATE FUNCTION model.violations() RETURNS SETOF text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN QUERY
    SELECT format('lost: activity %s is neither on the queue nor in the history as ended', c.activity_id) FROM model.captured AS c
    WHERE NOT EXISTS (SELECT FROM tbs.activity AS a WHERE a.activity_id = c.activity_id) AND NOT EXISTS (SELECT FROM model.closed AS x WHERE x.activity_id = c.activity_id)
    UNION ALL
    SELECT format('lost: activity %s has ended and is on the queue', a.activity_id) FROM tbs.activity AS a JOIN model.closed AS x ON x.activity_id = a.activity_id
    UNION ALL
    SELECT format('lost: activity %s has ended and never was', x.activity_id) FROM model.closed AS x
    WHERE NOT EXISTS (SELECT FROM model.captured AS c WHERE c.activity_id = x.activity_id)
    UNION ALL
    SELECT format('stuck: %s %s is taken by activity %s, which does not call it', o.kind, o.key, o.in_flight_activity_id) FROM tbs.remote_object AS o
    WHERE o.in_flight_activity_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM tbs.activity AS a WHERE a.activity_id = o.in_flight_activity_id AND a.state = 'processing' AND a.remote_object_id = o.remote_object_id)
    UNION ALL
    SELECT format('overlap: activity %s calls %s %s, which is not taken by it', a.activity_id, o.kind, o.key)
    FROM tbs.activity AS a JOIN tbs.remote_object AS o ON o.remote_object_id = a.remote_object_id
    WHERE a.state = 'processing' AND a.line_usoc_id <> 0 AND o.in_flight_activity_id IS DISTINCT FROM a.activity_id;
    DELETE FROM model.captured AS c USING model.closed AS x WHERE x.activity_id = c.activity_id;
    TRUNCATE model.closed;
END $$;
"""

PREPARED = """
PREPARE model_claim (bigint, integer) AS
    SELECT to_jsonb(c), l.* FROM tbs.claim($1, $2) AS c CROSS JOIN LATERAL model.look(c.activity_id, false) AS l;
PREPARE model_report (bigint, bigint[], integer[], integer[], integer[], jsonb, bytea[]) AS
    SELECT to_jsonb(c), l.* FROM tbs.report($1, $2, $3, $4, $5, $6, $7, array_fill(clock_timestamp(), ARRAY[cardinality($2)]),
                                            array_fill(1000::bigint, ARRAY[cardinality($2)])) AS c CROSS JOIN LATERAL model.look(c.activity_id, c.activity_id = ANY ($2)) AS l;
PREPARE model_beat (bigint, bigint[]) AS SELECT b.lost FROM tbs.bridge_beat($1, $2) AS b;
"""

# The rest of a long run need not carry the history of what is over: late reports of an earlier round have come by then.
FORGET = """
TRUNCATE tbs.activity_history, model.captured, model.closed, model.moved;
INSERT INTO model.captured SELECT a.activity_id FROM tbs.activity AS a;
DELETE FROM tbs.bridge WHERE ended_at IS NOT NULL;
"""


def install(connection):
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        cursor.execute(_pass_time(cursor))


def _pass_time(cursor):
    """Time passes by moving what is stored into the past: every moment of the queue and of the resources' conditions."""
    cursor.execute("SELECT c.table_name, c.column_name FROM information_schema.columns AS c WHERE c.table_schema = 'tbs' AND c.data_type LIKE 'timestamp%' "
                   "AND c.table_name IN ('network_resource_condition', 'network_resource_failure', 'network_resource_maintenance')")
    moments = [("activity", "due_at", "state IN ('retry', 'scheduled')"), ("activity", "round_at", "true"), ("activity", "in_progress_since", "true"),
               ("remote_object", "sent_at", "true"), ("remote_object", "accepted_at", "true")]
    moments += [(table, column, "true") for table, column in cursor.fetchall()]
    updates = "\n".join(f"    UPDATE tbs.{table} SET {column} = {column} - duration WHERE {column} IS NOT NULL AND {condition};" for table, column, condition in moments)
    return f"CREATE FUNCTION model.pass_time(duration interval) RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n{updates}\nEND $$;"
