"""The random run: concurrent applications, a switch, bridges, faults and kills; and what must hold in the end."""
import argparse
import collections
import contextlib
import io
import random
import threading
import time

import psycopg2

import expected_switch
import journal
import locks
import random_statements
from stand import RESOURCE, Stand, Trouble, connect, query, wait_for

# Refusals that a business application has to expect; anything else is a failure of ours.
BUSINESS_ERRORS = {"23505": "unique", "23503": "foreign key", "23514": "check", "40P01": "deadlock", "40001": "serialization",
                   "21000": "cardinality", "23502": "not null"}

FAULTS = {
    "5xx": {"fault": "status", "status": 503, "probability": 0.06},
    "reset_before": {"fault": "reset_before", "probability": 0.04},
    "reset_after": {"fault": "reset_after", "probability": 0.04},
    "429": {"fault": "status", "status": 429, "headers": {"Retry-After": "0"}, "probability": 0.04},
    "html": {"fault": "html", "probability": 0.04},
    "latency": {"fault": "latency", "milliseconds": 120, "probability": 0.1},
    "visibility": {"fault": "visibility", "milliseconds": 150},
}


def options(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seed", type=int, help="default: a new one, which is printed")
    parser.add_argument("--statements", type=int, default=2000, help="of all applications together")
    parser.add_argument("--applications", type=int, default=4)
    parser.add_argument("--faults", default="", help="comma-separated, or all: " + ", ".join(FAULTS))
    parser.add_argument("--kill", type=int, default=0, metavar="N", help="kill -9 of the bridge at N moments, and a new one at once")
    parser.add_argument("--freeze", type=int, default=0, metavar="N",
                        help="with two bridges: stop one for longer than its lease, and resume it, at N moments")
    parser.add_argument("--backlog", type=int, default=150, help="applications wait while more than this is to be sent")
    parser.add_argument("--quiet-limit", type=float, default=240, help="seconds until the queue has to be empty")
    parser.add_argument("--write-statements", metavar="FILE", help="what each application does")
    return parser


class Progress:
    """How many statements have been carried out; who waits for a number is told when it is reached."""

    def __init__(self):
        self.condition = threading.Condition()
        self.done = 0
        self.over = False

    def count(self):
        with self.condition:
            self.done += 1
            self.condition.notify_all()

    def end(self):
        with self.condition:
            self.over = True
            self.condition.notify_all()

    def reach(self, number):
        with self.condition:
            self.condition.wait_for(lambda: self.done >= number or self.over)


class Application(threading.Thread):
    """One application: its own connection, its own statements."""

    def __init__(self, number, transactions, run):
        super().__init__(name=f"application {number}", daemon=True)
        self.number = number
        self.transactions = transactions
        self.run_state = run
        self.errors = collections.Counter()
        self.trouble = None
        self.committed = 0

    def run(self):
        try:
            with contextlib.closing(connect("tbs_app", autocommit=False, application_name=f"app{self.number}")) as connection:
                for transaction in self.transactions:
                    self.run_state.wait_for_room()
                    self._carry_out(connection, transaction)
        except Exception as problem:
            self.trouble = f"{self.name}: {type(problem).__name__}: {problem}"
            self.run_state.progress.end()

    def _carry_out(self, connection, transaction):
        left = sum(not s.control for s in transaction.statements)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT tbs.set_origin(%s, %s)", (f"O-{self.number}", self.name))
                for statement in transaction.statements:
                    if statement.copy is None:
                        cursor.execute(statement.sql, statement.parameters or None)
                    else:
                        cursor.copy_expert(statement.sql, io.StringIO(statement.copy))
                    if not statement.control:
                        left -= 1
                        self.run_state.progress.count()
            if transaction.commit:
                connection.commit()
                self.committed += 1
            else:
                connection.rollback()
        except psycopg2.Error as problem:
            self._take_refusal(connection, problem)
            for _ in range(left):
                self.run_state.progress.count()

    def _take_refusal(self, connection, problem):
        connection.rollback()
        # No code: the statement was refused by the client library, which is a mistake of this test.
        if problem.pgcode not in BUSINESS_ERRORS:
            raise problem
        self.errors[BUSINESS_ERRORS[problem.pgcode]] += 1


class RandomRun:
    """One run. Use: RandomRun(report, options).carry_out()."""

    def __init__(self, report, chosen):
        self.report = report
        self.options = chosen
        self.seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(10**6)
        self.random = random.Random(f"{self.seed} run")
        self.progress = Progress()
        self.kills = []
        self.stand = None
        self.room = threading.Lock()

    def wait_for_room(self):
        """So that applications and bridges work at the same time, and not one after the other."""
        with self.room, contextlib.closing(connect()) if self.options.backlog else contextlib.nullcontext() as connection:
            if connection:
                wait_for(lambda: query(connection, "SELECT count(*) <= %s FROM tbs.activity WHERE state IN ('new', 'processing', 'retry')",
                                       [self.options.backlog])[0][0], self.options.quiet_limit, self.stand_queue)

    def stand_queue(self):
        with contextlib.closing(connect()) as connection:
            return "room in the queue: " + str(query(connection, "SELECT state, count(*) FROM tbs.activity GROUP BY state"))

    def carry_out(self):
        self.report.say(f"seed {self.seed}   (--seed {self.seed} gives the same statements again)")
        with Stand("--seed", str(self.seed)) as self.stand:
            self._prepare()
            self._work()
            self._settle()
            self._judge()
            self._audit()

    def _prepare(self):
        stand, company = self.stand, random_statements.Company(f"{self.seed} start")
        stand.configure()
        stand.set(first_retry="50 milliseconds", longest_retry="400 milliseconds")
        if self.options.kill or self.options.freeze:
            stand.set(beat="300 milliseconds", lease="1500 milliseconds")
        stand.sql(random_statements.SETUP)
        self.log_position = locks.watch(stand)
        for number in range(2 if self.options.freeze else 1):
            stand.start_bridge(name=f"bridge{number + 1}")
        with contextlib.closing(connect("tbs_app", autocommit=False)) as connection:
            with connection.cursor() as cursor:
                for statement in company.first_rows():
                    cursor.execute(statement.sql, statement.parameters)
            connection.commit()
        stand.wait_until_empty(120)
        agree, differences = expected_switch.compare(stand.admin, stand.switch.state(), "switch")
        if differences:
            expected_switch.print_comparison(agree, differences, limit=20)
        self.report.check(not differences, f"at the start {sum(agree.values())} objects agree")
        names = list(FAULTS) if self.options.faults == "all" else [name for name in self.options.faults.split(",") if name]
        # Latency and visibility let a request go on to the next rule, so they come first.
        names.sort(key=lambda name: name not in ("latency", "visibility"))
        if names:
            stand.switch.faults(*(FAULTS[name] for name in names))
            self.report.say("faults: " + ", ".join(names))
        self.faults = bool(names)

    def _work(self):
        each = self.options.statements // self.options.applications
        applications = []
        for number in range(1, self.options.applications + 1):
            transactions = list(random_statements.Company(f"{self.seed} application {number}").transactions(each))
            if self.options.write_statements:
                self._write_statements(number, transactions)
            applications.append(Application(number, transactions, self))
        troublemakers = []
        if self.options.kill:
            troublemakers.append(threading.Thread(target=self._guard, args=(self._kill_bridges,), daemon=True))
        if self.options.freeze:
            troublemakers.append(threading.Thread(target=self._guard, args=(self._freeze_bridges,), daemon=True))
        self.trouble = None
        for thread in applications + troublemakers:
            thread.start()
        for thread in applications:
            thread.join()
        done = self.progress.done
        self.progress.end()
        for thread in troublemakers:
            thread.join()
        errors = sum((a.errors for a in applications), collections.Counter())
        self.report.say(f"{done} statements, {sum(a.committed for a in applications)} transactions committed; expected refusals: "
                        + (", ".join(f"{n} {kind}" for kind, n in errors.items()) or "none"))
        troubles = [a.trouble for a in applications if a.trouble] + ([self.trouble] if self.trouble else [])
        self.report.check(not troubles, "the applications met only expected errors", "\n".join(troubles))

    def _guard(self, work):
        try:
            work()
        except Exception as problem:
            self.trouble = f"{type(problem).__name__}: {problem}"

    def _write_statements(self, number, transactions):
        with open(f"{self.options.write_statements}.{number}", "w", encoding="utf-8") as file:
            for transaction in transactions:
                file.write("BEGIN\n")
                for statement in transaction.statements:
                    file.write(f"  {statement.sql}  {statement.parameters or ''}{statement.copy or ''}\n")
                file.write("COMMIT\n" if transaction.commit else "ROLLBACK\n")

    def _moments(self, count):
        return sorted(self.random.randrange(1, self.options.statements + 1) for _ in range(count))

    def _kill_bridges(self):
        for moment in self._moments(self.options.kill):
            self.progress.reach(moment)
            bridge = self.stand.bridges[0]
            bridge.kill()
            self.kills.append((time.time() - self.stand.switch.started_at) * 1e6)
            self.stand.replace_bridge(bridge)

    def _freeze_bridges(self):
        """Stops one of the two until the other one has taken over what it had, then lets it go on."""
        with contextlib.closing(connect()) as connection:
            for moment in self._moments(self.options.freeze):
                self.progress.reach(moment)
                bridge = self.random.choice(self.stand.bridges)
                last = query(connection, "SELECT max(bridge_id) FROM tbs.bridge WHERE name = %s AND ended_at IS NULL", [bridge.name])[0][0]
                bridge.freeze()
                self.kills.append((time.time() - self.stand.switch.started_at) * 1e6)
                wait_for(lambda: query(connection, "SELECT ended_at IS NOT NULL FROM tbs.bridge WHERE bridge_id = %s", [last])[0][0], 30,
                         f"{bridge.name} to lose its lease")
                bridge.resume()
                wait_for(lambda: query(connection, "SELECT count(*) FROM tbs.bridge WHERE name = %s AND bridge_id > %s", [bridge.name, last])[0][0], 30,
                         f"{bridge.name} to register again")

    def _settle(self):
        stand = self.stand
        stand.switch.no_faults()
        with contextlib.closing(connect("tbs_app")) as connection:
            for statement in random_statements.REPAIR:
                query(connection, statement)
        limit = self.options.quiet_limit
        if self.faults:
            left = stand.wait_until_quiet(limit, besides=("waiting",))
            failed = [row[0] for row in stand.sql("SELECT activity_id FROM tbs.activity WHERE state = 'failed'")]
            for activity in failed:
                stand.sql("SELECT tbs.retry_activity(%s, 'the switch is well again')", [activity])
            self.report.say(f"{len(failed)} activities failed by the faults, and were retried; the queue was {left}")
        try:
            stand.wait_until_empty(limit)
            self.report.check(True, "the queue is empty")
        except Trouble as trouble:
            self.report.check(False, "the queue is empty", trouble)
            self._show_stuck()

    def _judge(self):
        stand, report = self.stand, self.report
        state = stand.switch.state()
        agree, differences = expected_switch.compare(stand.admin, state, "switch")
        expected_switch.print_comparison(agree, differences, limit=20)
        report.check(not differences, f"{sum(agree.values())} objects agree with the database, {len(differences)} differences")
        entries = stand.switch.journal()
        if differences:
            self.show(differences, entries)
        report.equal(stand.value("SELECT count(*) FROM tbs.activity WHERE state = 'processing'"), 0, "nothing is left in state processing")
        report.equal(stand.value("SELECT count(*) FROM tbs.remote_object WHERE in_flight_activity_id IS NOT NULL"), 0, "no remote object is left in flight")
        report.equal(stand.sql("SELECT activity_id FROM tbs.activity_history WHERE closes GROUP BY activity_id HAVING count(*) > 1"), [],
                     "every activity has ended once")
        report.equal(stand.value("SELECT count(*) FROM tbs.line_status WHERE status <> 'in step'"), 0, "every line USOC is in step")

        overlapping = journal.overlaps(entries, journal.object_of, self.kills)
        report.check(not overlapping, f"no two of {len(entries)} calls to one remote object overlap", self._describe(overlapping))
        lines = journal.Lines(stand.sql("SELECT kind, key, line_id, extract(epoch FROM started_at)::float8, extract(epoch FROM recorded_at)::float8 "
                                        "FROM tbs.activity_history WHERE event = 'api_call'"), stand.switch.started_at)
        overlapping = journal.overlaps(entries, lines.of, self.kills)
        report.check(not overlapping, "no two calls of one line overlap", self._describe(overlapping))
        if not self.kills:
            report.check(not lines.unknown, "every call of the journal is in the history",
                         "\n".join(f"{e['method']} {e['path']} {e['arrived_at']}-{e['completed_at']}, the history's calls: "
                                   f"{lines.calls[journal.object_of(e)]}" for e in lines.unknown[:5]))
        else:
            report.say(f"{len(lines.unknown)} calls are only in the journal: their bridge had no time to report them")
        count, bad = locks.waits(self.log_position)
        report.check(not bad, f"no capture trigger waited for a lock ({count} waits of applications, all for each other's rows)", "\n--\n".join(bad[:3]))

    def _audit(self):
        """An audit agrees: nothing is wrong but sites that nobody wants any more, which the API cannot delete."""
        stand = self.stand
        # What was written within the last 5 seconds would count as changing.
        stand.sql("UPDATE tbs.remote_object SET accepted_at = accepted_at - interval '1 minute'")
        audit = stand.value("SELECT tbs.audit_resource(%s)", [RESOURCE])
        wait_for(lambda: stand.value("SELECT state IN ('read', 'failed') FROM tbs.audit_status WHERE audit_id = %s", [audit]), 60, stand.describe_queue)
        stand.sql("SELECT * FROM tbs.compare_audit(%s)", [audit])
        others = stand.sql("SELECT kind, key, status, whose, explanation FROM tbs.audit_result WHERE status <> 'in step' AND NOT (kind = 'site' AND status = 'extra')")
        count = stand.value("SELECT count(*) FROM tbs.audit_result WHERE status = 'in step'")
        self.report.check(not others and count > 0, f"an audit finds {count} objects in step, and no others", "\n".join(map(str, others[:20])))

    def _show_stuck(self):
        """The whole story of the first line USOCs that do not go on."""
        for line_usoc, service in self.stand.sql(
                "SELECT line_usoc_id, service FROM (SELECT DISTINCT a.line_usoc_id, t.service, a.state = 'waiting' AS is_waiting FROM tbs.activity AS a "
                "JOIN tbs.activity_type AS t USING (activity_type_id)) AS x ORDER BY is_waiting LIMIT 3"):
            print(f"--- line USOC {line_usoc}, {service}")
            for row in self.stand.sql(
                    "SELECT round((extract(epoch FROM at) - %s)::numeric, 4), activity_id, what FROM ("
                    "SELECT h.recorded_at AS at, h.activity_id, concat_ws(' ', h.event, h.kind, h.key, h.operation, h.http_status, h.outcome, h.message) AS what "
                    "FROM tbs.activity_history AS h WHERE h.line_usoc_id = %s UNION ALL "
                    "SELECT a.captured_at, a.activity_id, concat_ws(' ', 'captured', t.trigger_type, a.trigger_description, 'now', a.state, 'round', a.round, "
                    "'moved to', a.moved_to, 'since', a.due_at) "
                    "FROM tbs.activity AS a JOIN tbs.activity_type AS t USING (activity_type_id) WHERE a.line_usoc_id = %s) AS x ORDER BY at",
                    [self.stand.switch.started_at, line_usoc, line_usoc])[-40:]:
                print("  ", *row)
        line_id = self.stand.value("SELECT line_id FROM tbs.activity ORDER BY state = 'waiting', activity_id LIMIT 1")
        domain = self.stand.value("SELECT coalesce(p.switch_domain, n.switch_domain) FROM tbs.line AS l JOIN tbs.network_information AS n USING (network_information_id) "
                                  "LEFT JOIN tbs.network_information AS p ON p.network_information_id = n.parent_id WHERE l.line_id = %s", [line_id])
        print(f"--- domain {domain}: calls at the switch, and what the database knows")
        for entry in [e for e in self.stand.switch.journal() if journal.object_of(e) == ("domain", domain)][-20:]:
            print(f"  {entry['arrived_at'] / 1e6:.4f}-{(entry['completed_at'] or 0) / 1e6:.4f} {entry['method']} {entry['status']} effect={entry['effect']}")
        for row in self.stand.sql("SELECT o.kind, o.presence, o.settled, o.sent_operation, round((extract(epoch FROM o.sent_at) - %s)::numeric, 4), "
                                  "array_agg(u.line_usoc_id || ' ' || u.service) FROM tbs.remote_object AS o LEFT JOIN tbs.remote_object_use AS u USING (remote_object_id) "
                                  "WHERE o.kind = 'domain' AND o.key = %s GROUP BY o.remote_object_id", [self.stand.switch.started_at, domain]):
            print("  ", *row)
        print(f"--- history of line {line_id} and of domain {domain}")
        for row in self.stand.sql(
                "SELECT round((extract(epoch FROM h.recorded_at) - %s)::numeric, 4), h.line_id, h.line_usoc_id, h.activity_id, t.service || '.' || t.trigger_type, "
                "h.event, h.kind, h.key, h.operation, h.http_status, h.outcome, h.message "
                "FROM tbs.activity_history AS h LEFT JOIN tbs.activity_type AS t USING (activity_type_id) "
                "WHERE h.line_id = %s OR (h.kind = 'domain' AND h.key = %s) ORDER BY h.activity_history_id", [self.stand.switch.started_at, line_id, domain])[-80:]:
            print("  ", *("-" if item is None else item for item in row))
        print("--- line USOCs of the first line, and what is known of them")
        for row in self.stand.sql(
                "SELECT coalesce(u.line_usoc_id, s.line_usoc_id), u.line_id, u.usoc, s.line_id, s.service, s.present, s.in_step, s.last_result, s.last_activity_id "
                "FROM tbs.line_usoc AS u FULL JOIN tbs.line_usoc_state AS s ON s.line_usoc_id = u.line_usoc_id, "
                "(SELECT line_id FROM tbs.activity ORDER BY state = 'waiting', activity_id LIMIT 1) AS a WHERE a.line_id IN (u.line_id, s.line_id)"):
            print("  ", *row)

    def _describe(self, overlapping):
        return "\n".join(f"{thing}: {one['method']} {one['path']} {one['arrived_at']}-{one['completed_at']} and "
                         f"{two['method']} {two['path']} {two['arrived_at']}-{two['completed_at']}" for thing, one, two in overlapping[:5])

    def show(self, differences, entries):
        """What happened to the first objects that differ, and to their lines."""
        started_at = self.stand.switch.started_at
        # Too many or too few objects say more than members.
        differences = sorted(differences, key=lambda d: not d[2].startswith("the switch"))
        for kind, key in list(dict.fromkeys((kind, key) for kind, key, _ in differences))[:4]:
            print(f"--- {kind} {key}: calls at the switch")
            for entry in [e for e in entries if journal.object_of(e) == (kind, key)][-12:]:
                print(f"  {entry['arrived_at'] / 1e6:.4f}-{(entry['completed_at'] or 0) / 1e6:.4f} {entry['method']} {entry['path']} {entry['status']} "
                      f"effect={entry['effect']} fault={entry['fault']} {str(entry['body'])[:160]}")
            print("--- remote object and uses")
            for row in self.stand.sql("SELECT o.origin, o.presence, o.settled, o.identity, left(o.sent::text, 100), left(o.accepted::text, 100), "
                                      "array_agg(u.line_usoc_id || ' ' || u.service) "
                                      "FROM tbs.remote_object AS o LEFT JOIN tbs.remote_object_use AS u USING (remote_object_id) "
                                      "WHERE o.kind = %s AND o.key = %s GROUP BY o.remote_object_id", [kind, key]):
                print("  ", *row)
            print("--- history of the line USOCs that called it")
            for row in self.stand.sql(
                    "SELECT round((extract(epoch FROM h.recorded_at) - %s)::numeric, 4), h.line_id, h.line_usoc_id, h.activity_id, t.service || '.' || t.trigger_type, "
                    "round((extract(epoch FROM h.captured_at) - %s)::numeric, 4), h.event, h.kind, h.key, h.operation, h.http_status, h.outcome, h.message "
                    "FROM tbs.activity_history AS h JOIN tbs.activity_type AS t USING (activity_type_id) "
                    "WHERE (h.line_usoc_id, t.service) IN (SELECT c.line_usoc_id, x.service FROM tbs.activity_history AS c JOIN tbs.activity_type AS x USING (activity_type_id) "
                    "WHERE c.kind = %s AND c.key = %s) ORDER BY h.activity_history_id", [started_at, started_at, kind, key])[-40:]:
                print("  ", *("-" if item is None else item for item in row))
