"""Seeded bugs: small edits of functions in the test's database, each of which takes away one promise of the queue.

The random test has to find each of them; tests/model/finds_seeded_bugs asks it to.
"""
import re

# name: [(function, pattern, replacement, ...)]. A pattern has to be found: the SQL may have changed since.
BREAKS = {
    # A second call to a remote object goes out beside the first.
    "claim_ignores_in_flight": [("send", r"IF v_row\.in_flight_activity_id IS NOT NULL OR v_row\.remote_object_id = ANY \(v_taken\) THEN", "IF false THEN")],
    # What waits for its next try does not hold its line any more, nor what is under way.
    "retry_holds_nobody": [("next_activities", r"x\.state IN \('processing', 'retry'\)", "x.state = 'processing'")],
    "processing_holds_nobody": [("next_activities", r"x\.state IN \('processing', 'retry'\)", "x.state = 'retry'")],
    # Whose place is later has its turn first.
    "order_is_turned_round": [("next_activities", r"ORDER BY a\.line_usoc_id, coalesce\(a\.moved_to, a\.activity_id\)\)", "ORDER BY a.line_usoc_id, coalesce(a.moved_to, a.activity_id) DESC)")],
    # A report of a bridge that has lost its lease is taken as if it had it.
    "report_is_not_fenced": [("report", r"IF NOT v_alive OR v_activity\.activity_id IS NULL OR v_activity\.state <> 'processing' OR v_activity\.bridge_id <> report\.bridge_id\s+OR v_activity\.call_number <> v_answer\.call_number",
                              "IF v_activity.activity_id IS NULL OR v_activity.line_usoc_id = 0")],
    # A delete closes what is under way.
    "delete_supersedes_a_call": [("look_at_new", r"e\.state <> 'processing' AND e\.place < n\.newest_delete", "e.place < n.newest_delete")],
    # What is superseded leaves no trace.
    "superseded_is_not_recorded": [("look_at_new", r"PERFORM tbs\.record_event\('superseded'[^;]*;", "")],
    # A create whose answer was lost counts as not made.
    "unknown_means_absent": [("settled", r"ELSE\s+-- transient, unknown[^\n]*\n\s+NULL;", "ELSE\n            v_object.presence := v_object.presence_before;\n            v_object.settled := v_object.settled_before;")],
    # An object that another line wants is simply left to it: if that one changes its mind, nobody removes it.
    "hand_over_gives_no_activity": [("hand_over", r"INSERT INTO tbs\.remote_object_use .*?ON CONFLICT DO NOTHING;\s+INSERT INTO tbs\.activity .*?;", "")],
    # What is required need not be there.
    "required_service_is_ignored": [("next_activities", r"OR \(SELECT tbs\.missing_service\(x\)[^\n]*\n", "OR true\n")],
    # Who waits for an object is not woken when its call is over.
    "object_waiters_sleep_on": [("wake_object_waiters", r"WHERE w\.waits_for_object_id = ANY \(wake_object_waiters\.remote_object_ids\)", "WHERE false")],
    # What a dead bridge had stays with it.
    "dead_bridge_keeps_its_work": [("give_back_of_ended", r"IF cardinality\(v_lines\) > 0 THEN", "IF false THEN")],
}


def apply(cursor, name):
    for function, pattern, replacement in BREAKS[name]:
        cursor.execute("SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p WHERE p.pronamespace = 'tbs'::regnamespace AND p.proname = %s", (function,))
        definition = cursor.fetchone()[0]
        broken, number = re.subn(pattern, replacement.replace("\\", r"\\"), definition, count=1, flags=re.S)
        if number != 1:
            raise AssertionError(f"tbs.{function}() has no such place any more: {pattern}")
        cursor.execute(broken)
