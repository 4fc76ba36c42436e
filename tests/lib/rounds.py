"""Rounds of chaos: several bridges, applications that write, faults of the switch, and processes that die. Every round ends
in peace, with the switch equal to the database."""
import argparse
import collections
import contextlib
import random
import threading

import psycopg2.errors

import disturbances
import expected_switch
import journal
import random_statements
from random_run import FAULTS, Progress, RandomRun
from stand import Stand, query, wait_for
from survivor import Room, Survivor, connect_again, persist

# Besides those of the random run: calls that hang until their time-out, and a switch that asks to be left alone for a while.
MORE_FAULTS = {
    "500": {"fault": "status", "status": 500, "probability": 0.05},
    "hang": {"fault": "hang", "probability": 0.02},
    "hang_after": {"fault": "hang", "effect": True, "probability": 0.02},
    "429_later": {"fault": "status", "status": 429, "headers": {"Retry-After": "1"}, "probability": 0.02},
}
ALL_FAULTS = {**FAULTS, **MORE_FAULTS}
# In every round, so that there is always something on its way.
ALWAYS = {"fault": "latency", "milliseconds": 25, "probability": 0.5}
# These let a request go on to the next rule, so they come first.
GO_ON = ("latency", "visibility")

# What may be shortened so that a round takes seconds; where an installation has no such column, there is nothing to shorten.
SHORT = {"timeout_milliseconds": 700, "unavailable_window": "2 seconds", "probe_interval": "300 milliseconds"}


def options(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seed", type=int, help="default: a new one, which is printed")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--statements", type=int, default=200, help="of all applications together, in a round")
    parser.add_argument("--applications", type=int, default=3)
    parser.add_argument("--bridges", type=int, default=3)
    parser.add_argument("--disturbances", default=",".join(disturbances.DISTURBANCES), help="which of them to draw from")
    parser.add_argument("--faults", default=",".join(ALL_FAULTS), help="which of them to draw from")
    parser.add_argument("--quiet-limit", type=float, default=120, help="seconds until the queue has to be drained after a round")
    return parser


class Rounds:
    """The whole run. Use: Rounds(report, options).carry_out()."""

    def __init__(self, report, chosen):
        self.report = report
        self.options = chosen
        self.seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(10**6)
        self.names = [name for name in chosen.disturbances.split(",") if name]
        self.faults = [name for name in chosen.faults.split(",") if name]
        # Each kind comes about equally often, whatever the seed.
        self.bag = []
        self.totals = collections.Counter()
        self.stand = None
        self.room = Room(120)
        self.progress = None

    def wait_for_room(self):
        self.room.wait()

    def carry_out(self):
        self.report.say(f"seed {self.seed}   (--seed {self.seed} draws the same rounds again)")
        with Stand("--seed", str(self.seed)) as self.stand:
            self._prepare()
            for number in range(1, self.options.rounds + 1):
                if not self._round(number):
                    break
            self.report.say("in all: " + ", ".join(f"{count} {what}" for what, count in self.totals.items()))

    def _prepare(self):
        stand, company = self.stand, random_statements.Company(f"{self.seed} start")
        stand.cuts = []
        stand.bridge_options = ()
        known = {row[0] for row in stand.sql("SELECT attname FROM pg_attribute WHERE attrelid = 'tbs.network_resource'::regclass AND NOT attisdropped")}
        stand.configure(**{name: value for name, value in SHORT.items() if name in known})
        stand.set(first_retry="50 milliseconds", longest_retry="400 milliseconds", beat="300 milliseconds", lease="1500 milliseconds")
        stand.sql(random_statements.SETUP)
        for number in range(self.options.bridges):
            stand.start_bridge(name=f"bridge{number + 1}")
        for statement in company.first_rows():
            stand.sql(statement.sql, statement.parameters)
        stand.wait_until_empty(120)
        self._compare("at the start")
        self.journal_from = stand.switch.journal()[-1]["number"]

    def _draw_disturbance(self, rng):
        if not self.bag and self.names:
            self.bag = rng.sample(self.names, len(self.names))
        return self.bag.pop() if self.bag else None

    def _round(self, number):
        rng = random.Random(f"{self.seed} round {number}")
        faults = rng.sample(self.faults, min(len(self.faults), rng.randint(1, 3)))
        moments = sorted((rng.randrange(1, self.options.statements), self._draw_disturbance(rng)) for _ in range(rng.randint(2, 4) if self.names else 0))
        self.story = [", ".join(faults) or "no fault"]
        self.stand.switch.faults(ALWAYS, *(ALL_FAULTS[name] for name in sorted(faults, key=lambda name: name not in GO_ON)))
        self._work(number, rng, moments)
        self._settle()
        good = self._judge(number)
        for name in [*faults, *(name for _, name in moments)]:
            self.totals[name] += 1
        return good

    def _work(self, number, rng, moments):
        self.progress = Progress()
        self.trouble = []
        each = self.options.statements // self.options.applications
        applications = [Survivor(n, self._transactions(random_statements.Company(f"{self.seed} round {number} application {n}"), each), self)
                        for n in range(1, self.options.applications + 1)]
        troublemaker = threading.Thread(target=self._disturb, args=(rng, moments), daemon=True)
        for thread in [*applications, troublemaker]:
            thread.start()
        for thread in applications:
            thread.join()
        self.progress.end()
        troublemaker.join()
        self.trouble += [a.trouble for a in applications if a.trouble]
        self.totals["transactions committed"] += sum(a.committed for a in applications)
        self.totals["transactions cut off"] += sum(a.lost for a in applications)

    @staticmethod
    def _transactions(company, statements):
        """More lines come than in the random run, so that as many are left after many rounds as there were."""
        transactions = list(company.transactions(statements))
        for place in range(0, len(transactions), 6):
            transactions.insert(place, random_statements.Transaction(company.new_line()))
        return transactions

    def _disturb(self, rng, moments):
        try:
            for moment, name in moments:
                self.progress.reach(moment)
                disturbances.DISTURBANCES[name](self.stand, rng, self.story.append)
        except Exception as problem:
            self.trouble.append(f"{type(problem).__name__}: {problem}")

    def _settle(self):
        """Peace: no faults, correct rows, and what has failed gets another round. No bridge is started or woken for it."""
        stand = self.stand
        stand.switch.no_faults()
        application = connect_again("tbs_app")
        for statement in random_statements.REPAIR:
            _, application = persist(lambda c, s=statement: query(c, s), application, "tbs_app")
        application.close()
        wait_for(self._is_drained, self.options.quiet_limit, stand.describe_queue)

    def _is_drained(self):
        stand = self.stand
        queue = stand.queue()
        if queue.get("failed"):
            for activity, in stand.sql("SELECT activity_id FROM tbs.activity WHERE state = 'failed'"):
                # A later change may have superseded it, or given it another round, just now.
                with contextlib.suppress(psycopg2.errors.NoDataFound, psycopg2.errors.ObjectNotInPrerequisiteState):
                    stand.sql("SELECT tbs.retry_activity(%s, 'the switch is well again')", [activity])
                    self.totals["activities retried by hand"] += 1
        return not queue

    def _show(self, differences):
        """The story of what differs, told as the random run does."""
        teller = RandomRun(self.report, argparse.Namespace(seed=self.seed))
        teller.stand = self.stand
        teller.show(differences, self.stand.switch.journal())

    def _compare(self, when):
        agree, differences = expected_switch.compare(self.stand.admin, self.stand.switch.state(), "switch")
        if differences:
            expected_switch.print_comparison(agree, differences, limit=20)
            self.report.check(False, f"{when}: {len(differences)} differences")
            self._show(differences)
        return sum(agree.values()), not differences

    def _judge(self, number):
        stand = self.stand
        entries = stand.switch.journal(self.journal_from)
        if entries:
            self.journal_from = entries[-1]["number"]
        agree, same = self._compare(f"round {number}")
        missing, unreported = journal.unseen(entries, stand.sql(journal.HISTORY), stand.switch.started_at)
        again, harmful = journal.repeats(entries)
        overlapping = journal.overlaps(entries, journal.object_of, stand.cuts)
        wrong = {
            "troubles": self.trouble,
            "bridges that have ended": [bridge.name for bridge in stand.bridges if not bridge.runs()],
            "activities in state processing": stand.sql("SELECT activity_id FROM tbs.activity WHERE state = 'processing'"),
            "remote objects in flight": stand.sql("SELECT kind, key FROM tbs.remote_object WHERE in_flight_activity_id IS NOT NULL"),
            "activities that ended twice": stand.sql("SELECT activity_id FROM tbs.activity_history WHERE closes GROUP BY 1 HAVING count(*) > 1"),
            "line USOCs not in step": stand.sql("SELECT line_usoc_id, status FROM tbs.line_status WHERE status <> 'in step'"),
            "overlapping calls to one object": [[self._entry(one), self._entry(two)] for _, one, two in overlapping],
            "repeats that are not harmless": [self._entry(e) for e in harmful],
            "requests that the history does not show": [self._entry(e) for e in missing],
        }
        wrong = {what: found for what, found in wrong.items() if found}
        self.totals["requests"] += len(entries)
        self.totals["repeated writes, all harmless"] += len(again) - len(harmful)
        self.totals["requests seen as taken over or given back"] += unreported
        return self.report.check(
            same and not wrong,
            f"round {number}: {'; '.join(self.story)}: {agree} objects agree, {len(entries)} requests, {len(again)} repeats, {unreported} unreported",
            "\n".join(f"{what}: {found[:4]}" for what, found in wrong.items()))

    @staticmethod
    def _entry(entry):
        return f"{entry['number']} {entry['method']} {entry['path']} {entry['arrived_at']}-{entry['completed_at']} {entry['status']} {entry['fault']}"
