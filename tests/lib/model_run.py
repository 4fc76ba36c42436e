"""The random test of the queue: the real SQL, with applications, bridges, operators and time played by one driver.

A step is one thing that the driver has drawn and done: a statement of an application (its commit, abort and savepoints too), a
claim, a request that reaches the switch or is lost, an answer that reaches the bridge, an answer reported, a beat, a death, an operator's action, a move of the
clock. A report that carries five answers is five steps. What brings a round to its end is not counted.

Everything runs in one thread. Transactions stay open over steps, so that whatever can interleave does; one that would wait
for another's lock is aborted at once (lock_timeout).
"""
import argparse
import collections
import contextlib
import io
import random
import re
import time

import psycopg2

import expected_switch
import model_checks
import random_statements
from model_bridge import LOCKED, Bridge, UnderWay, Violation
from model_company import ModelCompany
from model_fates import Fates
from model_operator import Operator
from model_switch import Switch
from random_run import BUSINESS_ERRORS
from stand import connect, query

RESOURCE = "switch"
SESSION = "SET lock_timeout = '1ms'; SET TimeZone = 'UTC'; SET client_min_messages = error; SET log_min_messages = fatal"
SEND_AT_MOST = 12
# A number whose line's seat has not begun, or has ended, waits for good: the clerk lets the seat be there.
REPAIR_DATES = ["UPDATE tbs.line_usoc AS s SET active_date = NULL, disconnect_date = NULL WHERE s.usoc IN ('SEAT', 'SEATMGR') AND num_nonnulls(s.active_date, s.disconnect_date) > 0 "
                "AND EXISTS (SELECT FROM tbs.line_usoc AS n WHERE n.line_id = s.line_id AND n.usoc IN ('DID', 'DIDFAX'))"]


def options(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seed", type=int, help="default: a new one, which is printed")
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--seconds", type=float, default=40, help="no further round begins after that; 0: no limit")
    parser.add_argument("--round", type=int, default=2500, help="steps after which everything has to come to rest, and the switch has to equal the rows")
    parser.add_argument("--applications", type=int, default=4)
    parser.add_argument("--bridges", type=int, default=3)
    parser.add_argument("--backlog", type=int, default=60, help="applications begin nothing while more than this is on the queue")
    parser.add_argument("--check-every", type=int, default=100)
    parser.add_argument("--break", dest="broken", metavar="NAME", help="break the SQL first (tests/lib/model_breaks.py): a violation has to be found")
    parser.add_argument("--create-extension", action="store_true", help="in a database that has none yet")
    parser.add_argument("--verbose", action="store_true", help="write each step")
    return parser


class Application:
    """One connection of a business application, with a transaction that stays open over steps."""

    def __init__(self, number, seed, isolations):
        self.name = f"application {number}"
        self.connection = connect()
        self.cursor = self.connection.cursor()
        self.cursor.execute(SESSION)
        self.transactions = ModelCompany(f"{seed} {self.name}").transactions(10**9)
        self.isolations = isolations
        self.transaction, self.left = None, []

    @property
    def open(self):
        return self.transaction is not None

    def step(self):
        """One statement, or the end of the transaction; returns what became of it."""
        if not self.open:
            self.transaction = next(self.transactions)
            self.left = list(self.transaction.statements)
            self.cursor.execute(f"BEGIN ISOLATION LEVEL {next(self.isolations)}; SELECT tbs.set_origin('O-1', %s)", (self.name,))
        try:
            if not self.left:
                return self._commit() if self.transaction.commit else self.end()
            statement = self.left.pop(0)
            if statement.copy is None:
                self.cursor.execute(statement.sql, statement.parameters or None)
            else:
                self.cursor.copy_expert(statement.sql, io.StringIO(statement.copy))
            return "statement"
        except psycopg2.Error as problem:
            self.end()
            if problem.pgcode == LOCKED:
                return "aborted: locked"
            if problem.pgcode not in BUSINESS_ERRORS:
                raise Violation(f"an application met {problem.pgcode}: {problem}") from problem
            return "aborted: " + BUSINESS_ERRORS[problem.pgcode]

    def _commit(self):
        self.cursor.execute("COMMIT")
        self.transaction = None
        return "commit"

    def end(self):
        if self.open:
            self.transaction = None
            self.cursor.execute("ROLLBACK")
        return "abort"

    def finish(self, commit):
        """Carries out what is left of its transaction, or gives it up."""
        while self.open:
            if commit:
                self.step()
            else:
                self.end()


class ModelRun:
    """Use: ModelRun(report, options).carry_out(); a Violation is what it looks for."""

    def __init__(self, report, chosen):
        self.report = report
        self.options = chosen
        self.seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(10**6)
        self.random = random.Random(f"{self.seed} model")
        self.counts = collections.Counter()
        self.steps = 0
        self.violation = None
        self.switch = Switch()
        self.fates = Fates(self.random, self.switch, self.counts)
        self.under_way = UnderWay()
        self.ghosts = []   # dead bridges whose lease still runs: (registration, calls)
        self.backlog = 0
        self.last_claim_was_empty = False
        self.drained_calls = 0
        self.agreeing = 0
        self.differing = []

    # ---- the whole -----------------------------------------------------------------------------------------------------

    def carry_out(self):
        self.report.say(f"seed {self.seed}   (--seed {self.seed} --steps {self.options.steps} --round {self.options.round} draws the same steps again)")
        self._prepare()
        started, round_number, spent = time.monotonic(), 0, 0.0
        try:
            last = False
            while not last:
                round_number += 1
                began = time.monotonic()
                self._round()
                spent += time.monotonic() - began
                last = self.steps >= self.options.steps or 0 < self.options.seconds < time.monotonic() - started
                self._settle(last)
                self.report.say(f"round {round_number}: {self.steps} steps, {self.switch.calls} calls; everybody at rest, the switch equals the rows")
        except Violation as violation:
            self.violation = str(violation)
        except psycopg2.Error as problem:
            self.violation = f"{type(problem).__name__} {problem.pgcode}: {problem}"
        seconds = time.monotonic() - started
        self._say_counts()
        if self.violation:
            print("found: " + self.violation)
        self.report.say(f"{self.steps} steps in {round_number} rounds, {seconds:.1f} s: {self.steps / seconds:.0f} steps/s "
                        f"({self.steps / max(spent, 0.001):.0f}/s without what ends the rounds: {self.drained_calls} more calls, "
                        f"{self.agreeing} objects compared)")
        if self.violation and not self.options.broken:
            self._show()

    def _prepare(self):
        self.admin = connect()
        self.cursor = self.admin.cursor()
        self.cursor.execute(SESSION)
        if self.options.create_extension:
            self.cursor.execute("CREATE EXTENSION tbs")
        self.cursor.execute("INSERT INTO tbs.network_resource (name, network_resource_type, base_url, environment) "
                            "VALUES (%s, 'netsapiens', 'http://127.0.0.1:1/ns-api/v2', 'test') RETURNING network_resource_id", (RESOURCE,))
        self.resource = self.cursor.fetchone()[0]
        # Everything is removed in the end, and an operator would let it through.
        self.cursor.execute("UPDATE tbs.network_resource SET delete_brake = NULL, requests_per_second = NULL")
        # A vacuum that gives back pages locks the table for a moment, and nothing is to wait here.
        for table in ("activity", "remote_object", "remote_object_use", "bridge", "line", "line_usoc", "line_device", "device"):
            self.cursor.execute(f"ALTER TABLE tbs.{table} SET (vacuum_truncate = off)")
        # Long: time passes when the test moves it.
        for name, text in (("lease", "10 hours"), ("beat", "1 hour"), ("maximum_calls", "4"), ("first_retry", "1 hour"), ("longest_retry", "8 hours")):
            self.cursor.execute("SELECT tbs.set_setting(%s, %s, 'test')", (name, text))
        self.cursor.execute("SELECT tbs.arm('test')")
        self.cursor.execute(random_statements.SETUP)
        model_checks.install(self.admin)
        if self.options.broken:
            import model_breaks
            model_breaks.apply(self.cursor, self.options.broken)
        isolations = self._isolations()
        self.applications = [Application(number + 1, self.seed, isolations) for number in range(self.options.applications)]
        for statement in ModelCompany(f"{self.seed} start").first_rows():
            self.cursor.execute(statement.sql, statement.parameters)
        self.bridges = []
        for number in range(self.options.bridges):
            connection = connect()
            query(connection, SESSION)
            query(connection, model_checks.PREPARED)
            self.bridges.append(Bridge(f"bridge{number + 1}", connection, self.under_way))
            self.bridges[-1].start()
        self.operator = Operator(self.random, SESSION, RESOURCE)

    def _isolations(self):
        while True:
            yield self.random.choices(["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"], [85, 10, 5])[0]

    # ---- a round ---------------------------------------------------------------------------------------------------------

    def _round(self):
        end = min(self.steps + self.options.round, self.options.steps)
        next_check = self.steps
        self.operator.may_leave_gaps = self.random.random() < 0.4
        kinds = [(self._application, 40), (self._claim, 7), (self._send, 14), (self._answer, 14), (self._report, 11), (self._beat, 2.5), (self._finish, 6), (self._operate, 2),
                 (self._pass_time, 2), (self._pass_day, 0.05), (self._freeze, 0.15), (self._thaw, 0.5), (self._take_over, 0.6), (self._kill, 0.15),
                 (self._stop, 0.15), (self._birth, 0.8)]
        draws, weights = zip(*kinds)
        while self.steps < end:
            for draw in self.random.choices(draws, weights, k=50):
                done = draw()
                if done:
                    self.counts[draw.__name__[1:]] += done
                    self.steps += done
            if self.steps >= next_check:
                next_check = self.steps + self.options.check_every
                self._check()

    def _note(self, text):
        if self.options.verbose:
            print(f"{self.steps:>8} {text}", flush=True)

    def _application(self):
        application = self.random.choice(self.applications)
        if not application.open and self.backlog > self.options.backlog:
            return 0
        result = application.step()
        self.counts["application: " + result] += 1
        self._note(f"{application.name}: {result}")
        return 1

    def _bridge(self):
        bridge = self.random.choice(self.bridges)
        return bridge if bridge.awake else None

    def _fate(self):
        return self.random.choices(["received", "lost", "rolled_back", "open"], [80, 4, 4, 12])[0]

    def _claim(self):
        bridge = self._bridge()
        if bridge is None or len(bridge.to_send) >= SEND_AT_MOST or (self.last_claim_was_empty and self.random.random() < 0.7):
            return 0
        before, fate = bridge.counts["calls"], self._fate()
        bridge.claim(self.random.randint(1, 8), fate)
        self.last_claim_was_empty = bridge.counts["calls"] == before
        self._note(f"{bridge.name} claims, {fate}: {bridge.counts['calls'] - before} calls")
        return 1

    def _send(self):
        """Each awake bridge may send several: what it has been handed goes out at once in real life."""
        bridge = self._bridge()
        if bridge is None or not bridge.to_send or bridge.lost_lease:
            return 0
        number = self.random.randint(1, len(bridge.to_send))
        for _ in range(number):
            call = bridge.to_send.pop(self.random.randrange(len(bridge.to_send)))
            self.fates.send(call)
            self._note(f"{bridge.name} sends {call}: {call.answer}")
            bridge.sent.append(call)
        return number

    def _answer(self):
        """Answers, or what shows that there is none, reach a bridge, also one that stands still."""
        bridge = self._bridge_if(lambda b: b.registration is not None and b.sent)
        if bridge is None:
            return 0
        number = self.random.randint(1, len(bridge.sent))
        for _ in range(number):
            bridge.to_report.append(bridge.sent.pop(self.random.randrange(len(bridge.sent))))
        return number

    def _report(self):
        bridge = self._bridge()
        if bridge is None:
            return 0
        if bridge.late and self.random.random() < 0.3:
            registration = bridge.late[0].registration
            calls = [call for call in bridge.late if call.registration == registration]
        elif bridge.to_report:
            calls = self.random.sample(bridge.to_report, self.random.randint(1, len(bridge.to_report)))
        else:
            return 0
        fate = self._fate()
        bridge.report(calls, fate)
        self._note(f"{bridge.name} reports, {fate}: {[(c.activity_id, c.number) for c in calls]}")
        if fate == "received" and bridge.pending is None and self.random.random() < 0.05:
            # The same once more, as after a connection that broke just then.
            bridge.report(calls)
            self.counts["repeated reports"] += 1
        return len(calls)

    def _beat(self):
        bridge = self._bridge()
        if bridge is None:
            return 0
        self.counts["calls that a beat took away"] += bridge.beat()
        return 1

    def _finish(self):
        """The end of an open transaction of a bridge or of the operator."""
        open_ones = [bridge for bridge in self.bridges if bridge.pending is not None and not bridge.frozen] + [self.operator] * self.operator.open
        if not open_ones:
            return 0
        one = self.random.choice(open_ones)
        commit = self.random.random() < 0.85
        self._note(f"{one.name} ends its transaction, commit {commit}")
        one.finish(commit)
        return 1

    def _operate(self):
        done = self.operator.act(self.counts)
        if done:
            self._note(f"operator: {done}")
        return 1 if done else 0

    def _pass_time(self):
        """Some hours: what waits for its next try may be due, or not yet."""
        hours = self.random.choice([1, 2, 5, 24])
        return self._quietly("SELECT model.pass_time(%s)", (f"{hours} hours",))

    def _pass_day(self):
        """A day: the dates of the rows come nearer by one, and nothing is captured of that."""
        for application in self.applications:
            application.end()
        self.cursor.execute("SET session_replication_role = replica")
        self.cursor.execute("UPDATE tbs.line_usoc SET active_date = active_date - 1, disconnect_date = disconnect_date - 1 "
                            "WHERE active_date IS NOT NULL OR disconnect_date IS NOT NULL")
        self.cursor.execute("SET session_replication_role = origin")
        return self._quietly("SELECT model.pass_time('1 day')")

    def _quietly(self, sql, parameters=None):
        try:
            self.cursor.execute(sql, parameters)
        except psycopg2.Error as problem:
            if problem.pgcode != LOCKED:
                raise
            return 0
        return 1

    def _freeze(self):
        bridge = self._bridge_if(lambda b: b.registration and not b.frozen)
        if bridge is None or sum(b.registration is not None and not b.frozen for b in self.bridges) < 2:
            return 0
        bridge.frozen = True
        return 1

    def _thaw(self):
        bridge = self._bridge_if(lambda b: b.frozen)
        if bridge is None:
            return 0
        bridge.frozen = False
        return 1

    def _bridge_if(self, condition):
        bridges = [bridge for bridge in self.bridges if condition(bridge)]
        return self.random.choice(bridges) if bridges else None

    def _take_over(self):
        """Another bridge has seen one that is dead or frozen unchanged for a whole lease."""
        watcher = self._bridge()
        still = [(b.registration, b) for b in self.bridges if b.frozen and not b.lost_lease] + [(ghost[0], ghost) for ghost in self.ghosts]
        if watcher is None or watcher.lost_lease or not still:
            return 0
        registration, victim = self.random.choice(still)
        self.cursor.execute("UPDATE tbs.bridge_lease AS w SET beat_at = clock_timestamp(), watched = jsonb_build_object(v.bridge_id, "
                            "jsonb_build_array(v.beat_number, clock_timestamp() - interval '11 hours')) FROM tbs.bridge_lease AS v "
                            "WHERE w.bridge_id = %s AND v.bridge_id = %s", (watcher.registration, registration))
        watcher.beat()
        self.cursor.execute("SELECT ended_at IS NOT NULL FROM tbs.bridge WHERE bridge_id = %s", (registration,))
        if not self.cursor.fetchone()[0]:
            # It had the fence: nothing has been seen.
            self.cursor.execute("UPDATE tbs.bridge_lease SET watched = '{}' WHERE bridge_id = %s", (watcher.registration,))
            return 1
        self._note(f"{watcher.name} takes over from {registration}")
        self.counts["leases lost"] += 1
        if isinstance(victim, Bridge):
            victim.lease_ends()
        else:
            for call in victim[1]:
                self.under_way.remove(call)
            self.ghosts.remove(victim)
        return 1

    def _kill(self):
        bridge = self._bridge_if(lambda b: b.registration)
        if bridge is None:
            return 0
        lost_lease = bridge.lost_lease
        ghost = bridge.die()
        if not lost_lease:
            self.ghosts.append(ghost)
        self._note(f"{bridge.name} ({ghost[0]}) dies")
        return 1

    def _stop(self):
        bridge = self._bridge()
        if bridge is None or bridge.lost_lease:
            return 0
        try:
            bridge.stop()
        except psycopg2.Error as problem:
            if problem.pgcode != LOCKED:
                raise
        return 1

    def _birth(self):
        bridge = self._bridge_if(lambda b: b.registration is None)
        if bridge is None:
            return 0
        bridge.start()
        self._note(f"{bridge.name} is now {bridge.registration}")
        return 1

    def _check(self):
        self.cursor.execute("SELECT count(*) FROM tbs.activity")
        self.backlog = self.cursor.fetchone()[0]
        for bridge in self.bridges:
            if bridge.awake and not bridge.lost_lease:
                bridge.configure()
        if self.operator.open or any(bridge.pending is not None for bridge in self.bridges):
            return
        self.counts["times all rules were checked"] += 1
        self.cursor.execute("SELECT * FROM model.violations()")
        violations = [row[0] for row in self.cursor.fetchall()]
        if violations:
            raise Violation("\n".join(violations[:10]))

    # ---- the end of a round ------------------------------------------------------------------------------------------------

    def _settle(self, last):
        """Everybody comes to rest, the switch behaves, and then: nothing lost, nothing stuck, nothing left behind."""
        for application in self.applications:
            application.finish(self.random.random() < 0.5)
        self.operator.finish(True)
        self._bring_back_bridges()
        # An answer that refuses the credentials pauses the resource, also one of what was sent long ago.
        self._report_everything()
        self.operator.resume(counts=self.counts)
        for bridge in self.bridges:
            bridge.configure()
        self.fates.well_behaved = True
        for statement in random_statements.REPAIR + REPAIR_DATES:
            self.cursor.execute(statement)
        if self.operator.left_gaps:
            self.cursor.execute("SELECT tbs.resync(network_resource_id => %s, reason => 'an operator has taken activities off the queue')", (self.resource,))
            self.operator.left_gaps = False
        if last:
            # Everything goes: what is left then is an orphan.
            self._drain("after the repair")
            self.cursor.execute("DELETE FROM tbs.line")
        self._drain("at the end of the round")
        # What is held may stand before what has failed.
        for _ in range(2):
            failed = self.operator.retry_failed()
            self.counts["failed or held at the end of a round, and retried or released"] += failed
            if failed:
                self._drain("after the retry of what had failed")
        self._judge()
        self._check()
        self.cursor.execute(model_checks.FORGET)
        self.fates.well_behaved = False

    def _bring_back_bridges(self):
        for bridge in self.bridges:
            bridge.finish(self.random.random() < 0.85)
            bridge.frozen = False
            if bridge.registration is None:
                bridge.start()
            elif bridge.lost_lease:
                bridge.register_again()
        while self.ghosts:
            self._take_over()

    def _report_everything(self):
        """All that was sent is answered and reported; returns how many late reports were among that."""
        late_reports = 0
        for bridge in self.bridges:
            bridge.to_report += bridge.sent
            bridge.sent = []
            for registration in {call.registration for call in bridge.late}:
                bridge.report([call for call in bridge.late if call.registration == registration])
                late_reports += 1
            if bridge.to_report:
                bridge.report(list(bridge.to_report))
        return late_reports

    def _drain(self, when):
        """Bridges as they should be, and a switch that answers, until nothing moves."""
        idle, limit = 0, 1000
        self.cursor.execute("SELECT model.pass_time('8 hours')")
        while idle < 3:
            limit -= 1
            if not limit:
                raise Violation(f"stuck: {when} the queue does not come to rest\n{self._describe_queue()}")
            moved = 0
            for bridge in self.bridges:
                bridge.claim(16)
                for call in bridge.to_send:
                    self.fates.send(call)
                moved += len(bridge.to_send)
                bridge.sent += bridge.to_send
                bridge.to_send = []
            moved += self._report_everything()
            self.drained_calls += moved
            # A resource that is gently taken up again would keep us for seconds.
            self.cursor.execute("SELECT model.pass_time('1 minute')")
            if not moved:
                for bridge in self.bridges:
                    bridge.beat()
                self.cursor.execute("SELECT model.pass_time('8 hours')")
                idle += 1
            else:
                idle = 0
        self.cursor.execute("SELECT count(*) FROM tbs.activity AS a WHERE state NOT IN ('failed', 'held', 'scheduled') AND NOT EXISTS "
                            "(SELECT FROM tbs.activity AS f WHERE f.state IN ('failed', 'held') AND f.line_id = a.line_id)")
        if self.cursor.fetchone()[0]:
            raise Violation(f"stuck: {when} activities do not move and nothing failed is before them\n{self._describe_queue()}")

    def _judge(self):
        self.cursor.execute("SELECT count(*) FROM tbs.activity WHERE state <> 'scheduled'")
        if self.cursor.fetchone()[0]:
            raise Violation(f"stuck: everything was retried, and the queue is not empty\n{self._describe_queue()}")
        agree, differences = expected_switch.compare(self.admin, self.switch.state(), RESOURCE)
        self.agreeing += sum(agree.values())
        self.differing = sorted({(kind, key) for kind, key, _ in differences})[:3]
        if differences:
            raise Violation("orphan or difference: " + "\n".join(" ".join(difference) for difference in differences[:10]))
        # What an operator took off the queue, and was never anywhere and is not wanted, nobody brings into step.
        self.cursor.execute("SELECT s.line_usoc_id, s.service, s.last_result FROM tbs.line_usoc_state AS s WHERE NOT s.in_step "
                            "AND (EXISTS (SELECT FROM tbs.line_usoc_association AS u WHERE (u.line_usoc_id, u.service) = (s.line_usoc_id, s.service) AND u.active) "
                            "OR EXISTS (SELECT FROM tbs.remote_object_use AS x WHERE (x.line_usoc_id, x.service) = (s.line_usoc_id, s.service))) "
                            "AND NOT EXISTS (SELECT FROM tbs.activity AS a WHERE a.line_usoc_id = s.line_usoc_id)")
        wrong = self.cursor.fetchall()
        if wrong:
            raise Violation(f"nothing is on the queue, and these are not in step: {wrong}")

    # ---- words ---------------------------------------------------------------------------------------------------------------

    def _describe_queue(self):
        self.cursor.execute("SELECT activity_id, line_id, line_usoc_id, activity_type, result_status, tbs.why_waiting(activity_id), last_message "
                            "FROM tbs.activity_queue ORDER BY activity_id LIMIT 12")
        return "\n".join("  " + " | ".join(map(str, row)) for row in self.cursor.fetchall())

    def _say_counts(self):
        for bridge in self.bridges:
            for what, number in bridge.counts.items():
                self.counts[f"bridge: {what}"] += number
        self.counts["calls to the switch"] = self.switch.calls
        width = max(map(len, self.counts), default=0)
        for what, number in sorted(self.counts.items()):
            print(f"           {what:<{width}} {number:>9}")

    def _show(self):
        """The lines of the activities that a violation names: what is on the queue, and what has happened since the round began."""
        numbers = [int(number) for number in re.findall(r"\b[0-9]+\b", self.violation)][:6]
        with contextlib.suppress(psycopg2.Error):
            print("--- the queue\n" + self._describe_queue())
            self.cursor.execute("SELECT line_id, network_resource_id FROM tbs.activity WHERE activity_id = ANY (%s) "
                                "UNION SELECT line_id, network_resource_id FROM tbs.activity_history WHERE activity_id = ANY (%s)", (numbers, numbers))
            for line, _ in self.cursor.fetchall():
                self._print(f"line {line}: on the queue", "SELECT a.activity_id, a.moved_to, a.line_usoc_id, t.service, t.trigger_type, a.state, a.bridge_id, a.operation, "
                            "a.call_number, a.calls_used, a.round, a.due_at, a.waits_for_object_id, a.claimed_at, a.captured_at, a.last_message "
                            "FROM tbs.activity AS a JOIN tbs.activity_type AS t USING (activity_type_id) WHERE a.line_id = %s ORDER BY coalesce(a.moved_to, a.activity_id)", line)
                self._print(f"line {line}: history", "SELECT h.recorded_at, h.activity_id, h.line_usoc_id, h.event, h.call_number, h.operation, h.kind, h.key, h.http_status, "
                            "h.curl_result, h.outcome, h.message, h.trigger_description FROM tbs.activity_history AS h WHERE h.line_id = %s "
                            "ORDER BY h.activity_history_id DESC LIMIT 40", line)
                self._print(f"line {line}: its USOCs", "SELECT u.line_usoc_id, u.usoc, u.telephone_number, u.active_date, u.disconnect_date, l.extension, l.telephone_number, "
                            "l.network_information_id FROM tbs.line_usoc AS u JOIN tbs.line AS l USING (line_id) WHERE line_id = %s", line)
                self._print(f"line {line}: what became of them", "SELECT s.* FROM tbs.line_usoc_state AS s WHERE s.line_id = %s", line)
            self.cursor.execute("SELECT o.kind, o.key FROM tbs.remote_object AS o JOIN tbs.activity AS a ON a.remote_object_id = o.remote_object_id "
                                "WHERE a.activity_id = ANY (%s)", (numbers,))
            for kind, key in self.differing or dict.fromkeys(self.cursor.fetchall()):
                self._print(f"{kind} {key}: what is known of it", "SELECT o.identity, o.origin, o.presence, o.settled, o.in_flight_activity_id, "
                            "ARRAY(SELECT u.line_usoc_id FROM tbs.remote_object_use AS u WHERE u.remote_object_id = o.remote_object_id) "
                            "FROM tbs.remote_object AS o WHERE (o.kind, o.key) = (%s, %s)", kind, key)
                self._print(f"{kind} {key}: calls", "SELECT h.recorded_at, h.activity_id, h.line_id, h.line_usoc_id, h.method, h.path, h.http_status, h.curl_result, h.outcome, "
                            "h.bridge_id, h.request_body FROM tbs.activity_history AS h WHERE (h.kind, h.key) = (%s, %s) ORDER BY h.activity_history_id", kind, key)
                self._print(f"{kind} {key}: its line USOCs", "SELECT h.recorded_at, h.activity_id, h.line_id, h.line_usoc_id, h.event, h.kind, h.key, h.operation, h.outcome, "
                            "h.message, h.trigger_description FROM tbs.activity_history AS h WHERE h.line_usoc_id IN (SELECT c.line_usoc_id FROM tbs.activity_history AS c "
                            "WHERE (c.kind, c.key) = (%s, %s)) ORDER BY h.activity_history_id DESC LIMIT 60", kind, key)

    def _print(self, title, sql, *parameters):
        print(f"--- {title}")
        self.cursor.execute(sql, parameters)
        for row in self.cursor.fetchall():
            print("  ", *("-" if item is None else item for item in row))
