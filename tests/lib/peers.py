"""Other programs beside ours: their processes, their jobs at the sink, and what all of it costs.

They are programs of Node.js in TBS_PEERS, where `./tbs bench peers` installs them: tests/bench/peer has their sources.
"""
import json
import os
import select
import subprocess
import time
import urllib.request

from stand import POLL, Trouble, connect, query, value, wait_for

DATABASE = "peers"
ANSWER_SECONDS = 120


class Peer:
    """A peer's program in one of its set-ups; see tests/bench/peer/peer.mjs for what it is told."""

    def __init__(self, program, kind, url, connections):
        folder = os.environ["TBS_PEERS"]
        name = f"{program}-{kind}"
        self.log_path = os.path.join(os.environ["TBS_SCRATCH"], name + ".log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([os.path.join(folder, "node_modules/.bin/node"), os.path.join(folder, program + ".mjs"), url, str(connections), kind],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, "PGDATABASE": DATABASE})
        self.name = name
        self._expect("ready")

    def _expect(self, word):
        readable, _, _ = select.select([self.process.stdout], [], [], ANSWER_SECONDS)
        line = self.process.stdout.readline().strip() if readable else "nothing"
        if line != word:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                raise Trouble(f"{self.name} says {line!r} and not {word!r}:\n{log.read()[-3000:]}")

    def tell(self, command, *numbers):
        """Returns when it has been done."""
        print(command, *numbers, file=self.process.stdin, flush=True)
        self._expect(command)

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def versions():
    """Of the packages that the peers' programs use."""
    with open(os.path.join(os.environ["TBS_PEERS"], "package.json"), encoding="utf-8") as file:
        return json.load(file)["dependencies"]


def _stat(pid):
    """The numbers of /proc/PID/stat behind the program's name, from the state on."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        return stat.read().rsplit(")", 1)[1].split()


def server_seconds(connection):
    """What the whole server has computed: all its processes, those that have ended too."""
    postmaster = int(_stat(value(connection, "SELECT pg_backend_pid()"))[1])
    ticks = sum(map(int, _stat(postmaster)[11:15]))
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = _stat(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == postmaster:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def calls_so_far(switch, url):
    """The number of the sink's last call, which is one of ours; its journal is empty then."""
    switch.control("DELETE", "/_journal")
    with urllib.request.urlopen(url, b"{}") as answer:
        answer.read()
    number = switch.journal()[0]["number"]
    switch.control("DELETE", "/_journal")
    return number


class SinkClock:
    """The sink's clock as time.monotonic(): it is the same, from another zero."""

    def __init__(self, switch):
        samples = []
        for _ in range(20):
            before = time.monotonic()
            now = switch.control("GET", "/_ready")["now"] / 1e6
            after = time.monotonic()
            samples.append((after - before, (before + after) / 2 - now))
        self.zero = min(samples)[1]

    def seconds(self, microseconds):
        return self.zero + microseconds / 1e6


def check_calls(report, who, calls, keys, per_key, ordered):
    """Each job was POSTed once and accepted; `calls` are (key, sequence, entry of the sink's journal) as they came in."""
    wanted = {(str(1001 + key), sequence) for key in range(keys) for sequence in range(1, per_key + 1)}
    report.equal((len(calls), {(key, sequence) for key, sequence, _ in calls} == wanted), (len(wanted), True), f"{who}: one POST for each job")
    report.equal({entry["status"] for _, _, entry in calls}, {200}, f"{who}: all accepted")
    if ordered:
        last = {}
        wrong = 0
        for key, sequence, entry in calls:
            before = last.get(key)
            wrong += before is not None and (before[0] > sequence or before[1] > entry["arrived_at"])
            last[key] = (sequence, entry["completed_at"])
        report.equal(wrong, 0, f"{who}: in the order of each key, none while another of its key was under way")


__all__ = ["DATABASE", "POLL", "Peer", "SinkClock", "calls_so_far", "check_calls", "connect", "query", "server_seconds", "value", "versions", "wait_for"]
