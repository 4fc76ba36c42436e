"""What the benchmarks share: the sink, a resource type of their own, figures, and what processes used.

A figure is a number with its unit and what it counts; all of one run go to a file NAME.json in TBS_BENCH_RESULTS, and to a table at
the end. The machine may be shared: rates are compared with what was measured in the same run, and the time that each process
computed, which others' load hardly changes, is given beside them.
"""
import argparse
import contextlib
import json
import math
import os
import re
import statistics
import subprocess
import sys
import time
import unittest.mock

import psycopg2

from disturbances import cluster
from processors import OWN, Processors
from stand import ENVIRONMENT, POLL, Report, Stand, Trouble, connect, query, value, wait_for

# One service, one object per line USOC, one POST: the least that an activity can be, rendered from layers like any other.
RESOURCE_TYPE = """
INSERT INTO tbs.network_resource_type (network_resource_type, description) VALUES ('bench', 'benchmark');
INSERT INTO tbs.service (network_resource_type, service, description) VALUES ('bench', 'note', 'one POST');
INSERT INTO tbs.activity_type (network_resource_type, service, trigger_type)
SELECT 'bench', 'note', t FROM unnest('{usoc_added,usoc_edited,usoc_deleted,line_changed,resync}'::text[]) AS t;
INSERT INTO tbs.remote_object_kind (network_resource_type, kind, description, key_template) VALUES ('bench', 'note', 'a note', '{object.id}');
INSERT INTO tbs.service_object (network_resource_type, service, position, kind, identity) VALUES ('bench', 'note', 10, 'note', '{"id": "{line_usoc.line_usoc_id}"}');
INSERT INTO tbs.activity_step (network_resource_type, service, position, operation, method, path, body, accepts) VALUES
    ('bench', 'note', 10, 'add', 'POST', '/notes',
     '{"id": "{object.id}", "name": "{line.first_name} {line.last_name}", "extension": "{line.extension}", "domain": "{network_information.switch_domain}", "account": "{customer.account_number}", "usoc": "{usoc.usoc}", "marker": "{line.marker}"}',
     '{dial-plan,dial-policy,area-code,time-zone,scope,language}'),
    ('bench', 'note', 10, 'edit', 'PUT', '/notes/{object.id}',
     '{"name": "{line.first_name} {line.last_name}", "extension": "{line.extension}", "domain": "{network_information.switch_domain}", "account": "{customer.account_number}", "usoc": "{usoc.usoc}", "marker": "{line.marker}"}',
     '{dial-plan,dial-policy,area-code,time-zone,scope,language}'),
    ('bench', 'note', 10, 'delete', 'DELETE', '/notes/{object.id}', NULL, '{}');
INSERT INTO tbs.value_source (network_resource_type, layer, name, template) VALUES
    ('bench', 'network_information', 'time-zone', '{time_zone}'), ('bench', 'line', 'scope', '{email}');
INSERT INTO tbs.network_resource_default (network_resource_type, name, value) VALUES
    ('bench', 'dial-plan', '"standard"'), ('bench', 'area-code', '"858"'), ('bench', 'language', '"en_US"');
INSERT INTO tbs.master_usoc (usoc, description) SELECT 'N' || n, 'note ' || n FROM generate_series(1, 10) AS n;
INSERT INTO tbs.customer (account_number, name) VALUES ('1', 'Benchmark');
INSERT INTO tbs.network_information (customer_id, name, switch_domain, time_zone) SELECT customer_id, 'bench', 'bench', 'US/Pacific' FROM tbs.customer;
"""

LINES = """
INSERT INTO tbs.line (customer_id, network_information_id, extension, first_name, last_name, email, external_id)
SELECT customer_id, network_information_id, (1000 + n)::text, 'First' || n, 'Last' || n, 'user' || n || '@example.com', 'line' || n
FROM tbs.network_information, generate_series(%s, %s) AS n
"""

# All first USOCs, then all second ones: the order in which a line's activities have to run.
LINE_USOCS = """
INSERT INTO tbs.line_usoc (line_id, usoc) SELECT l.line_id, 'N' || u FROM generate_series(1, %s) AS u, tbs.line AS l ORDER BY u, l.line_id
"""


def processor_seconds(pid):
    """What the threads of a process have computed so far, in seconds; to the nanosecond, where /proc/PID/stat counts in hundredths of a second."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as schedstat:
            total += int(schedstat.read().split()[0])
    return total / 1e9


def restart_with(setting, text):
    """The cluster of the environment again, with a setting that needs a start; before anything is connected."""
    with contextlib.closing(connect()) as admin:
        query(admin, f"ALTER SYSTEM SET {setting} = %s", [text])
    cluster("restart")


def range_of_percentile(numbers, share):
    """(least, most) of where a percentile of all that could be measured so is, with the same certainty: how many of the numbers are below it is binomial."""
    deviation = 1.645 * math.sqrt(share * (1 - share) / len(numbers))
    return percentile(numbers, max(share - deviation, 0)), percentile(numbers, min(share + deviation, 1))


def create_database(name):
    """Another database of the cluster, with the extension."""
    with contextlib.closing(connect()) as admin:
        query(admin, f"CREATE DATABASE {name}")
    with contextlib.closing(connect(dbname=name)) as other:
        query(other, "CREATE EXTENSION tbs")


def in_database(name):
    """A context: what is begun in it is begun in this database of the cluster."""
    return unittest.mock.patch.dict(os.environ, PGDATABASE=name)


class Load:
    """pgbench with one script, from now on: as many transactions as it can make, or so many a second."""

    def __init__(self, script, clients, seconds, rate=None, wake_up=True):
        path = os.path.join(os.environ["TBS_SCRATCH"], "load.sql")
        with open(path, "w", encoding="ascii") as file:
            file.write(script)
        self.process = subprocess.Popen(["pgbench", "-n", "-c", str(clients), "-j", "2", "-T", str(seconds), *(["-R", str(rate)] if rate else []), "-f", path],
                                        env={**os.environ, "PGOPTIONS": "" if wake_up else "-c tbs.wake_up=off"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self):
        """Transactions a second, and how many there were, when it is over."""
        output, errors = self.process.communicate()
        if self.process.returncode != 0:
            raise Trouble(f"pgbench: {errors}")
        return float(re.search(r"tps = ([0-9.]+)", output)[1]), int(re.search(r"number of transactions actually processed: ([0-9]+)", output)[1])


def change_of_lines(first, last):
    """For pgbench: a transaction that changes one of these lines, at random."""
    return f"\\set line random({first}, {last})\nUPDATE tbs.line SET first_name = 'F' || random() WHERE line_id = :line;\n"


class Usage:
    """What groups of processes compute between two moments, per unit of work."""

    def __init__(self, **groups):
        self.groups = groups
        self.before = self._seconds()

    def _seconds(self):
        return {name: sum(map(processor_seconds, pids)) for name, pids in self.groups.items()}

    def per(self, count):
        """µs for each unit."""
        return {name: round((seconds - self.before[name]) / count * 1e6, 1) for name, seconds in self._seconds().items()}


# What is said of a bar. At the bar: the number could be on either side of it, and another time it may be; the range is printed.
MET, AT_THE_BAR, MISSED = "met", "AT THE BAR", "MISSED"


def range_of_median(numbers):
    """(least, most) of where the median of all such runs is, whatever their distribution: with a certainty of at least 90 % from five runs on
    (source: the sign test; H. A. David, H. N. Nagaraja, Order Statistics, 7.1)."""
    ordered = sorted(numbers)
    # Beyond so many on each side it is in less than a tenth of the cases.
    beyond = 0
    while 2 * sum(math.comb(len(ordered), number) for number in range(beyond + 2)) <= 0.1 * 2 ** len(ordered):
        beyond += 1
    return ordered[beyond], ordered[-1 - beyond]


def verdict_of(row):
    """In words, with the range where it could be another, and with that of the run before where it was."""
    words = row["verdict"]
    if words == AT_THE_BAR:
        words += " ({:,} to {:,})".format(*row["range"])
    if row.get("verdict_before", row["verdict"]) != row["verdict"]:
        words += f", {row['verdict_before']} the time before"
    return words


# How long a benchmark waits for processors of its own, and measures again because they were not, all in all, in seconds.
PATIENCE = 420


class Benchmark:
    """The figures of one benchmark, and the checks of its own results."""

    def __init__(self, name, counts, **arguments):
        self.name = name
        self.counts = counts
        parser = argparse.ArgumentParser(prog=f"./tbs bench {name}", description=counts, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        for option, (default, text) in {"runs": (3, "runs; the median counts"), **arguments}.items():
            parser.add_argument("--" + option.replace("_", "-"), type=type(default), default=default, help=text)
        self.options = parser.parse_args()
        self.report = Report(name)
        self.rows = []
        self.results = os.environ.get("TBS_BENCH_RESULTS")
        self.processors = Processors(self.results and os.path.join(self.results, "processors"))
        self.speeds = [self.processors.speed()]
        self.patience = PATIENCE

    def undisturbed(self, measure, prepare=lambda: None):
        """What measure() returns, made while the processors are one's own: they are waited for, and it is measured once more, prepared anew, when they are not at
        its end. What is measured has no say in that. When patience is at its end, it counts as it is."""
        while True:
            prepare()
            begin = time.monotonic()
            while (before := self.processors.speed()) < OWN and time.monotonic() - begin < self.patience:
                time.sleep(1)
            start = time.monotonic()
            measured = measure()
            after = self.processors.speed()
            self.patience -= (start - begin) + (0 if after >= OWN else time.monotonic() - start)
            if after >= OWN or self.patience <= 0:
                self.speeds += [before, after]
                return measured
            self.report.say(f"not counted: the processors were shared, at {after:.0%} of their best")

    def in_turn(self, cases, measure, turns=None):
        """{case: [measure(case), of each turn]}: what is compared is measured within seconds. Who begins alternates: what comes second finds more in the caches."""
        found = {case: [] for case in cases}
        for number in range(turns or self.options.runs):
            order = cases if number % 2 == 0 else cases[::-1]
            # Called before the next turn.
            for case, measured in self.undisturbed(lambda: [(case, measure(case)) for case in order]):  # noqa: B023
                found[case].append(measured)
        return found

    def figure(self, what, number, unit, bar=None, good=None):
        """Prints and keeps a figure; `bar` is a text, `good` whether it is met."""
        self.rows.append({"what": what, "value": number, "unit": unit, "bar": bar, "verdict": None if good is None else MET if good else MISSED})
        return number

    def median(self, what, numbers, unit, bar=None, good=None):
        """Prints and keeps the median of runs; `good` says of a number whether it meets the bar."""
        return self._ranged(what, statistics.median(numbers), range_of_median(numbers), unit, bar, good, runs=[round(n, 2) for n in numbers])

    def percentile(self, what, numbers, share, unit, bar=None, good=None):
        """Prints and keeps a percentile of very many numbers."""
        return self._ranged(what, percentile(numbers, share), range_of_percentile(numbers, share), unit, bar, good, numbers=len(numbers))

    def _ranged(self, what, number, lies_between, unit, bar, good, **more):
        low, high = lies_between
        verdict = None if good is None else MET if good(low) and good(high) else AT_THE_BAR if good(low) or good(high) else MISSED
        self.rows.append({"what": what, "value": round(number, 2), "unit": unit, "range": [round(low, 2), round(high, 2)], "bar": bar, "verdict": verdict, **more})
        return number

    def keep(self, document):
        """As NAME.json, with the verdicts of the time before, where it was run with the same options."""
        if not self.results:
            return
        path = os.path.join(self.results, self.name + ".json")
        before = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                before = json.load(file)
        if before.get("options") == document["options"]:
            verdicts = {row["what"]: row["verdict"] for row in before["figures"]}
            for row in self.rows:
                if row["bar"] and row["what"] in verdicts:
                    row["verdict_before"] = verdicts[row["what"]]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)

    def end(self):
        load = os.getloadavg()
        speed = min([*self.speeds, self.processors.speed()])
        document = {"benchmark": self.name, "counts": self.counts, "options": vars(self.options), "at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
                    "processors": os.cpu_count(), "processor_speed": round(speed, 2), "load_average": [round(n, 2) for n in load], "checks_failed": self.report.failures, "figures": self.rows}
        self.keep(document)
        print(f"\n{self.name}: {self.counts}\n({os.cpu_count()} processors for everything, at {speed:.0%} of their best or more; load average {load[0]:.1f} at the end)")
        for row in self.rows:
            bar = ""
            if row["bar"]:
                bar = f"bar {row['bar']}  {verdict_of(row)}"
            print(f"  {row['what']:<62} {row['value']:>12,} {row['unit']:<14}{bar}")
        return self.report.end()


def run_benchmark(benchmark, body):
    """Runs body(benchmark) and exits: 0 when the results are what they should be, whether or not a bar is met."""
    try:
        body(benchmark)
    except (Trouble, psycopg2.Error, OSError, AssertionError, subprocess.SubprocessError) as problem:
        benchmark.report.check(False, f"{type(problem).__name__}: {str(problem).strip()}")
    sys.exit(benchmark.end())


def percentile(numbers, share):
    ordered = sorted(numbers)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


class Sink(Stand):
    """A stand whose network resources answer 200 to everything, as fast as the stand-in switch can."""

    def __init__(self, journal_limit=0):
        super().__init__("--journal-limit", str(journal_limit))
        self.backend = None
        self.resources = 0

    @property
    def url(self):
        return self.switch.url.replace("/ns-api/v2", "/sink")

    def prepare(self, **columns):
        self.prepare_types()
        return self.add_resource(**columns)

    def prepare_types(self):
        self.configure()
        self.sql("UPDATE tbs.network_resource SET state = 'retired'")
        self.sql(RESOURCE_TYPE)

    def add_resource(self, usocs="true", **columns):
        self.resources += 1
        columns = {"name": f"sink{self.resources}", "network_resource_type": "bench", "base_url": self.url, "environment": ENVIRONMENT, "delete_brake": None,
                   "connections": 200, **columns}
        resource = self.value(f"INSERT INTO tbs.network_resource ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) "
                              "RETURNING network_resource_id", list(columns.values()))
        self.sql(f"INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service) SELECT usoc, %s, 'note' FROM tbs.master_usoc WHERE {usocs}", [resource])
        return resource

    def lines(self, first, last):
        self.sql(LINES, [first, last])

    def work_backends(self):
        """The server processes of the bridges' working connections."""
        def found():
            rows = self.sql("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tbs-bridge%' AND application_name NOT LIKE '%listening%'")
            return len(rows) == len(self.bridges) and [row[0] for row in rows]
        return wait_for(found, 20, "the bridges' connections")

    def put_on_queue(self, lines, per_line):
        """Lines with so many USOCs each, in an empty system, behind paused network resources."""
        self.pause()
        self.clear()
        self.lines(1, lines)
        self.sql(LINE_USOCS, [per_line])
        self.sql("VACUUM ANALYZE tbs.line, tbs.line_usoc, tbs.activity")

    def carry_out(self):
        """Has the bridges work until nothing is left."""
        self.go()
        self.wait_until_drained(600)

    def go(self):
        """All at once: not tbs.resume_network_resource(), which begins gently."""
        self.sql("UPDATE tbs.network_resource SET state = 'active' WHERE name LIKE 'sink%'; SELECT tbs.ring()")

    def pause(self):
        """Captured, not sent."""
        self.sql("UPDATE tbs.network_resource SET state = 'paused' WHERE name LIKE 'sink%'")

    def rate(self):
        """Activities a second, by the log: from the first call to the last row."""
        count, seconds = self.sql("SELECT count(*) FILTER (WHERE closes AND tbs.ended_as(event) = 'succeeded'), extract(epoch FROM max(recorded_at) - min(started_at)) FROM tbs.activity_history")[0]
        return float(count) / float(seconds)

    def wait_until_drained(self, seconds):
        """Looks for the oldest one only: counting a long queue would be a load of its own."""
        def drained():
            return not self.value("SELECT EXISTS (SELECT FROM tbs.activity WHERE state IN ('new', 'waiting', 'processing', 'retry'))")
        deadline = time.monotonic() + seconds
        while not drained():
            if time.monotonic() > deadline:
                raise Trouble(f"waited {seconds} s for {self.describe_queue()}")
            time.sleep(0.25)

    def clear(self):
        """An empty system with its configuration: each run begins with the same."""
        self.sql("SELECT tbs.disarm('between two runs')")
        self.sql("DELETE FROM tbs.line")
        self.sql("TRUNCATE tbs.activity, tbs.activity_history, tbs.remote_object, tbs.remote_object_use, tbs.line_usoc_state")
        self.sql("VACUUM ANALYZE")
        self.sql("CHECKPOINT")
        self.sql("SELECT tbs.arm('next run')")


class HandBridge:
    """A bridge without a network: claims, and reports every call as answered with 200, to measure each by itself."""

    def __init__(self):
        self.connection = connect("tbs_bridge")
        self.bridge_id = value(self.connection, "SELECT bridge_id FROM tbs.bridge_start('by hand', '1', %s)", [ENVIRONMENT])
        query(self.connection, "SELECT * FROM tbs.bridge_configuration(%s)", [self.bridge_id])
        self.pid = value(self.connection, "SELECT pg_backend_pid()")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        query(self.connection, "SELECT tbs.bridge_stop(%s)", [self.bridge_id])
        self.connection.close()

    def claim(self, maximum):
        """(activity, number of its call) of each call that is to be made."""
        return query(self.connection, "SELECT activity_id, call_number FROM tbs.claim(%s, %s)", [self.bridge_id, maximum])

    def report(self, calls):
        """What is to be called next."""
        number = len(calls)
        return query(self.connection, "SELECT activity_id, call_number FROM tbs.report(%s, %s, %s, %s, %s, %s, %s, array_fill(clock_timestamp(), ARRAY[%s]), %s::bigint[])",
                     [self.bridge_id, [call[0] for call in calls], [call[1] for call in calls], [0] * number, [200] * number, json.dumps([{}] * number),
                      [b'{"code":200}'] * number, number, [1000] * number])


def history_is_complete(bench, stand, activities, line_usocs=None):
    """Nothing lost, nothing twice, order kept, log complete, by the log itself. An activity for each line USOC, unless said otherwise."""
    calls, closed = stand.sql("SELECT count(*) FILTER (WHERE event = 'api_call' AND outcome = 'done'), count(*) FILTER (WHERE closes AND tbs.ended_as(event) = 'succeeded') "
                              "FROM tbs.activity_history")[0]
    bench.report.equal((calls, closed), (activities, activities), "one call and one end for each activity in the log")
    bench.report.equal(stand.value("SELECT count(*) FROM tbs.line_usoc_state WHERE present AND in_step"), line_usocs or activities, "every line USOC is in step")
    wrong = stand.value("""
        SELECT count(*) FROM (SELECT activity_id, started_at, lag(activity_id) OVER w AS previous,
                                     lag(started_at + elapsed_microseconds * interval '1 microsecond') OVER w AS previous_end
                              FROM tbs.activity_history WHERE event = 'api_call' WINDOW w AS (PARTITION BY line_id, network_resource_id ORDER BY started_at)) AS h
        WHERE h.previous > h.activity_id OR h.previous_end > h.started_at""")
    bench.report.equal(wrong, 0, "calls of one line in the order of its activities, none while another was under way")


@contextlib.contextmanager
def timed():
    """with timed() as t: ...; t() is what it took, in seconds."""
    start = time.monotonic()
    end = None
    yield lambda: (end or time.monotonic()) - start
    end = time.monotonic()


__all__ = ["Benchmark", "HandBridge", "LINE_USOCS", "Load", "POLL", "Sink", "Stand", "Trouble", "Usage", "change_of_lines", "connect", "create_database", "history_is_complete", "in_database", "percentile", "processor_seconds", "query", "restart_with", "run_benchmark", "timed", "value", "wait_for"]
