"""A bridge as the random test of the queue plays it: what it holds, what it sends, and every way in which it loses something.

It keeps the bridge's side of the contract: one statement at a time on its connection, nothing sent that its lease does not
cover, an answer reported until the database has acknowledged it. All else is the test's choice.
"""
import collections
import contextlib
import json

import psycopg2

import journal
from model_switch import API

LEASE_LOST = "TB001"
LOCKED = "55P03"


class Violation(Exception):
    """The queue has broken a promise."""


class Call:
    """A request that a bridge was handed."""

    def __init__(self, fields, line_id, line_usoc_id, operation, registration):
        self.activity_id = fields["activity_id"]
        self.number = fields["call_number"]
        self.method = fields["method"]
        self.path = fields["path"]
        self.body = fields["body"]
        for reference, secret in (fields["secrets"] or {}).items():
            self.body = self.body.replace(reference, secret)
        self.line_id = line_id
        self.line_usoc_id = line_usoc_id
        self.operation = operation
        self.registration = registration
        self.object = journal.object_of({"path": API + self.path.lstrip("/"), "body": json.loads(self.body) if self.body else None})
        self.answer = None  # (curl_result, http_status, headers, bytes) when there is one

    def __str__(self):
        return f"activity {self.activity_id} call {self.number} of line {self.line_id}: {self.method} {self.path}"


class UnderWay:
    """Calls that bridges hold under a lease: by remote object and by line there is never more than one."""

    def __init__(self):
        self.calls = {}

    def add(self, call):
        for what in self._things(call):
            other = self.calls.get(what)
            if other is not None:
                raise Violation(f"overlap: {call}, while {other} is under way ({what[0]} {what[1]})")
            self.calls[what] = call

    def remove(self, call):
        for what in self._things(call):
            if self.calls.get(what) is call:
                del self.calls[what]

    @staticmethod
    def _things(call):
        if call.line_usoc_id == 0:
            return []
        return [("object", call.object), ("line", call.line_id)] if call.object else [("line", call.line_id)]


class Bridge:
    """One process. `registration` is its id in the database; none while it is dead."""

    def __init__(self, name, connection, under_way):
        self.name = name
        self.cursor = connection.cursor()
        self.under_way = under_way
        self.registration = None
        self.frozen = False
        self.lost_lease = False
        self.to_send = []
        self.sent = []      # carried out by the switch, or lost on the way: the answer, or what shows that there is none, has not come yet
        self.to_report = []
        self.late = []      # answers of calls that an earlier registration made
        self.pending = None  # (what is to be done when the open transaction commits)
        self.counts = collections.Counter()

    @property
    def held(self):
        return self.to_send + self.sent + self.to_report

    @property
    def awake(self):
        return self.registration is not None and not self.frozen and self.pending is None

    def start(self):
        self.cursor.execute("SELECT bridge_id FROM tbs.bridge_start(%s, 'model', 'test')", (self.name,))
        self.registration = self.cursor.fetchone()[0]
        self.cursor.execute("SELECT FROM tbs.bridge_configuration(%s)", (self.registration,))
        self.lost_lease = False

    # ---- statements --------------------------------------------------------------------------------------------------

    def claim(self, maximum, fate="received"):
        """fate: received, lost (committed, the answer does not arrive), rolled_back, open (committed later)."""
        self._statement("EXECUTE model_claim (%s, %s)", (self.registration, maximum), [], fate)

    def report(self, calls, fate="received"):
        answers = [call.answer for call in calls]
        self._statement("EXECUTE model_report (%s, %s, %s, %s, %s, %s, %s::bytea[])",
                        (calls[0].registration, [c.activity_id for c in calls], [c.number for c in calls], [a[0] for a in answers], [a[1] for a in answers],
                         json.dumps([a[2] for a in answers]), [psycopg2.Binary(a[3]) for a in answers]), calls, fate)

    def configure(self):
        self.cursor.execute("SELECT FROM tbs.bridge_configuration(%s)", (self.registration,))

    def beat(self):
        """Renews the lease and drops what the database has given to others; returns how many."""
        held = [call.activity_id for call in self.held]
        try:
            self.cursor.execute("EXECUTE model_beat (%s, %s::bigint[])", (self.registration, held))
        except psycopg2.Error as problem:
            self._fails(problem)
            return 0
        lost = self.cursor.fetchone()[0]
        for call in [c for c in self.to_send if c.activity_id in lost]:
            self.to_send.remove(call)
            self.under_way.remove(call)
        return len(lost)

    def stop(self):
        """As an administrator stops it: what was not sent goes back; what was sent has been reported by then."""
        self.cursor.execute("SELECT tbs.bridge_stop(%s)", (self.registration,))
        self.lease_ends()
        self.registration = None
        self._drop()

    def _statement(self, sql, parameters, reported, fate):
        self.counts[fate] += 1
        try:
            if fate in ("rolled_back", "open"):
                self.cursor.execute("BEGIN")
            self.cursor.execute(sql, parameters)
            rows = self.cursor.fetchall()
            if fate == "rolled_back":
                self.cursor.execute("ROLLBACK")
                return
        except psycopg2.Error as problem:
            self._fails(problem)
            return
        self.pending = (rows, reported, fate)
        if fate != "open":
            self._committed()

    def finish(self, commit):
        """Ends the open transaction."""
        if self.pending is None:
            return
        self.cursor.execute("COMMIT" if commit else "ROLLBACK")
        if commit:
            self._committed()
        self.pending = None

    def _committed(self):
        rows, reported, fate = self.pending
        self.pending = None
        # Answers that could not be taken, because somebody has their line: they are reported again.
        refused = {row[0]["activity_id"] for row in rows if row[0]["method"] is None}
        if refused:
            rows = [row for row in rows if row[0]["method"] is not None]
            reported = [call for call in reported if call.activity_id not in refused]
            self.counts["answers to report again"] += len(refused)
        wrong = [row[4] for row in rows if row[4]]
        if wrong:
            raise Violation("; ".join(wrong))
        for call in reported:
            self.under_way.remove(call)
        if fate != "lost":
            # Otherwise it reports them again: for the database these are repeats.
            for where in (self.to_report, self.late):
                where[:] = [call for call in where if call not in reported]
            for fields, line_id, line_usoc_id, operation, _ in rows:
                call = Call(fields, line_id, line_usoc_id, operation, self.registration)
                self.under_way.add(call)
                self.to_send.append(call)
        self.counts["calls"] += len(rows)

    def _fails(self, problem):
        with contextlib.suppress(psycopg2.Error):
            self.cursor.execute("ROLLBACK")
        self.pending = None
        if problem.pgcode == LEASE_LOST and self.lost_lease:
            self.register_again()
        elif problem.pgcode == LOCKED:
            self.counts["locked"] += 1
        else:
            raise Violation(f"{type(problem).__name__} {problem.pgcode}: {problem}") from problem

    # ---- life and death ----------------------------------------------------------------------------------------------

    def lease_ends(self):
        """The database has ended it: nothing it holds is covered any more. It does not know yet."""
        self.lost_lease = True
        for call in self.held:
            self.under_way.remove(call)

    def register_again(self):
        """It has learned that its lease is lost: what it had not sent it drops, what it has sent it reports late."""
        self._drop()
        self.start()

    def _drop(self):
        self.late += self.sent + self.to_report
        self.to_send, self.sent, self.to_report = [], [], []

    def die(self):
        """As by kill -9: its transaction is rolled back, its lease runs on until somebody notices."""
        if self.pending is not None:
            self.cursor.execute("ROLLBACK")
        dead = (self.registration, self.held)
        self.registration, self.pending, self.frozen = None, None, False
        self.to_send, self.sent, self.to_report, self.late = [], [], [], []
        return dead
