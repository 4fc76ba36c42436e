"""The stand of a test: the stand-in switch and bridges as real processes, against the cluster of the environment.

The environment is the one tools/with-cluster makes: PGHOST ... of a superuser, TBS_BRIDGE and TBS_SWITCH (the programs) and
TBS_SCRATCH (a directory for logs and sockets). Nothing here sleeps for a fixed time: it waits for an event, or polls a
condition every 20 ms until a deadline.
"""
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

import psycopg2
import psycopg2.extensions

API_KEY = "nss_integration"
ENVIRONMENT = "test"
RESOURCE = "switch"
POLL = 0.02


class Trouble(Exception):
    """What a test waits for did not come, or a process ended that should run."""


def wait_for(condition, seconds, what):
    """Polls until the condition gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Trouble(f"waited {seconds:g} s for {what() if callable(what) else what}")
        time.sleep(POLL)


def connect(user=None, autocommit=True, **parameters):
    """A connection to the database of the environment."""
    if user:
        parameters["user"] = user
    connection = psycopg2.connect("", **parameters)
    connection.autocommit = autocommit
    return connection


def query(connection, sql, parameters=None):
    """All rows of a statement; nothing when it gives none."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def value(connection, sql, parameters=None):
    """The only value of a statement."""
    rows = query(connection, sql, parameters)
    return rows[0][0] if rows else None


class Program:
    """A process with a log file of its own."""

    def __init__(self, name, command, environment=None):
        self.name = name
        self.log_path = os.path.join(os.environ["TBS_SCRATCH"], name + ".log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **(environment or {})})

    def runs(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=20):
        """Its exit status; negative: the signal it died of."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Trouble(f"{self.name} has not ended within {seconds} s") from None

    def kill(self):
        """As a crash: no chance to say goodbye."""
        if self.runs():
            self.process.kill()
        self.process.wait()

    def stop(self):
        """As an administrator stops it; returns the exit status."""
        if self.runs():
            self.process.terminate()
        return self.wait()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


class Switch(Program):
    """tbs-switch with its control routes, on a port that stays open while it refuses connections."""

    def __init__(self, *options, name="switch"):
        scratch = os.environ["TBS_SCRATCH"]
        files = [os.path.join(scratch, f"{name}.{kind}") for kind in ("port", "control-port")]
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file)
        super().__init__(name, [os.environ["TBS_SWITCH"], "--port", "0", "--port-file", files[0], "--control-port", "0",
                                "--control-port-file", files[1], "--api-key", API_KEY, *options])
        ports = wait_for(lambda: self._ports(files), 20, "the switch's ports")
        self.url = f"http://127.0.0.1:{ports[0]}/ns-api/v2"
        self.control_port = ports[1]
        self.started_at = self.control("GET", "/_ready")["started_at"] / 1e6

    def _ports(self, files):
        if not self.runs():
            raise Trouble("the switch does not start:\n" + self.log())
        ports = []
        for file in files:
            with contextlib.suppress(FileNotFoundError), open(file, encoding="ascii") as text:
                ports.append(text.read().strip())
        return [int(port) for port in ports] if len(ports) == 2 and all(ports) else None

    def control(self, method, path, document=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.control_port, timeout=60)
        try:
            connection.request(method, path, None if document is None else json.dumps(document))
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise Trouble(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
            return json.loads(text)
        finally:
            connection.close()

    def state(self):
        return self.control("GET", "/_state")

    def journal(self, after=0):
        return self.control("GET", f"/_journal?after={after}")

    def faults(self, *rules):
        return self.control("POST", "/_faults", list(rules))

    def no_faults(self):
        self.control("DELETE", "/_faults")

    def reset(self):
        self.control("POST", "/_reset")


class Bridge(Program):
    """tbs-bridge, logged in with the access of a bridge."""

    def __init__(self, *options, name="bridge", environment=None, wait=True):
        self.socket_path = os.path.join(os.environ["TBS_SCRATCH"], f"{name}.ready")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket_path)
        self._ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ready.bind(self.socket_path)
        self._ready.settimeout(POLL)
        super().__init__(name, [os.environ["TBS_BRIDGE"], "--environment", ENVIRONMENT, "--name", name, *options],
                         {"NOTIFY_SOCKET": self.socket_path, "PGUSER": "tbs_bridge", **(environment or {})})
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self, seconds=20):
        """Returns when it has said so, as it would to systemd."""
        wait_for(self._is_ready, seconds, lambda: f"{self.name} to be ready:\n{self.log()}")

    def _is_ready(self):
        if not self.runs():
            raise Trouble(f"{self.name} does not start:\n{self.log()}")
        try:
            return b"READY=1" in self._ready.recv(4096).split(b"\n")
        except socket.timeout:
            return False

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)


class Stand:
    """A database that is configured and armed, a switch, and the bridges of a test; a context that stops what it started."""

    def __init__(self, *switch_options):
        self.bridges = []
        self.admin = connect()
        self.switch = Switch(*switch_options)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            for bridge in self.bridges:
                print(f"--- end of {bridge.name}'s log\n" + bridge.log()[-3000:], file=sys.stderr)
        for bridge in self.bridges:
            if bridge.runs():
                bridge.resume()
                bridge.kill()
        self.switch.kill()
        self.admin.close()

    def configure(self, **columns):
        """Login roles, the network resource with its key, quick retries, arming."""
        for access in ("app", "operator", "bridge"):
            if not value(self.admin, "SELECT count(*) FROM pg_roles WHERE rolname = %s", ["tbs_" + access]):
                self.sql(f"CREATE ROLE tbs_{access} LOGIN")
            self.sql("SELECT tbs.grant_access(%s, %s)", ["tbs_" + access, access])
        # Without the delete brake: a random run removes in a minute what people do not in an hour.
        columns = {"name": RESOURCE, "network_resource_type": "netsapiens", "base_url": self.switch.url, "delete_brake": None,
                   "environment": ENVIRONMENT, "authentication": '{"kind": "bearer", "token": "secret:api_key"}', **columns}
        resource = value(self.admin, f"INSERT INTO tbs.network_resource ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))}) "
                         "RETURNING network_resource_id", list(columns.values()))
        if "requests_per_second" not in columns:
            # A test is not polite.
            self.sql("UPDATE tbs.network_resource SET requests_per_second = NULL WHERE network_resource_id = %s", [resource])
        self.sql("INSERT INTO tbs.network_resource_secret VALUES (%s, 'api_key', %s)", [resource, API_KEY])
        self.sql("SELECT tbs.arm('test')")
        return resource

    def set(self, **settings):
        for name, text in settings.items():
            self.sql("SELECT tbs.set_setting(%s, %s, 'test')", [name, text])

    def sql(self, statement, parameters=None):
        return query(self.admin, statement, parameters)

    def value(self, statement, parameters=None):
        return value(self.admin, statement, parameters)

    def start_bridge(self, *options, **arguments):
        bridge = Bridge(*options, **arguments)
        self.bridges.append(bridge)
        return bridge

    def replace_bridge(self, old, *options, **arguments):
        """A new process in the place of one that has ended."""
        bridge = Bridge(*options, name=old.name, **arguments)
        self.bridges[self.bridges.index(old)] = bridge
        return bridge

    def queue(self):
        """Number of activities by state."""
        return dict(self.sql("SELECT state, count(*) FROM tbs.activity GROUP BY state"))

    def wait_until_quiet(self, seconds=60, besides=()):
        """Until what is on the queue has failed or is held, or waits behind such a one where `besides` says so."""
        wait_for(lambda: not set(self.queue()) - {"failed", "held", *besides}, seconds, self.describe_queue)
        return self.queue()

    def wait_until_empty(self, seconds=60):
        wait_for(lambda: not self.queue(), seconds, self.describe_queue)

    def describe_queue(self):
        rows = self.sql("SELECT activity_id, line_id, activity_type, result_status, tbs.why_waiting(activity_id) "
                        "FROM tbs.activity_queue ORDER BY activity_id LIMIT 12")
        return f"the queue ({self.queue()}):\n" + "\n".join("  " + " | ".join(map(str, row)) for row in rows)


class Report:
    """What a test has found: one line for each check, and the last line says passed or failed."""

    def __init__(self, name):
        self.name = name
        self.failures = []
        self.started = time.monotonic()

    def say(self, text):
        print(f"{time.monotonic() - self.started:7.2f}  {text}", flush=True)

    def check(self, good, what, detail=""):
        self.say(("ok      " if good else "FAILED  ") + what)
        if not good:
            self.failures.append(what)
            if detail:
                print("\n".join("           " + line for line in str(detail).splitlines()), flush=True)
        return good

    def equal(self, found, wanted, what):
        return self.check(found == wanted, what, f"found:  {found!r}\nwanted: {wanted!r}")

    def skip(self, what):
        """What was not tested, and why: ./tbs test shows it."""
        self.say("skipped " + what)

    def end(self):
        """The exit status, after the last line."""
        seconds = time.monotonic() - self.started
        print(f"{self.name}: {'failed: ' + '; '.join(self.failures) if self.failures else 'passed'} ({seconds:.1f} s)", flush=True)
        return 1 if self.failures else 0


def run(name, test):
    """Runs test(report) and exits with what it found; an exception is a failure too."""
    report = Report(name)
    try:
        test(report)
    except (Trouble, psycopg2.Error, OSError, AssertionError) as problem:
        report.check(False, f"{type(problem).__name__}: {str(problem).strip()}")
    sys.exit(report.end())
