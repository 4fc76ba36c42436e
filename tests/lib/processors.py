"""Whether the processors are one's own for the moment.

A shared host gives the other half of a core to somebody else, for seconds or for minutes. Everything then takes 1.4 to 1.8 times as long, and nothing that the
guest counts tells: no time is stolen, and the processor time of what it runs grows too. A computation that uses no memory tells, when all processors make it at the
same time and without a pause: one that has just been woken is slow for other reasons.
"""
import json
import os
import statistics
import subprocess
import sys
import time

# Of their best. With the other half of a core given away they are at 0.4 to 0.6; without, at 0.95, or 0.8 beside much else that is at work here.
OWN = 0.7
PROBE_SECONDS = 0.4


def _compute():
    total = 0
    for number in range(2000):
        total += number * number
    return total


def _compute_on(processor):
    """Seconds that one computation takes on this processor; the first ones wake it."""
    os.sched_setaffinity(0, {processor})
    taken = []
    end = time.monotonic() + PROBE_SECONDS
    while time.monotonic() < end:
        # Its own time: what else runs here may go on meanwhile.
        begin = time.thread_time()
        _compute()
        taken.append(time.thread_time() - begin)
    return statistics.median(taken[len(taken) // 3:])


class Processors:
    """Asks how fast they are. The best that was seen is kept in a file, for programs that begin while they are shared."""

    def __init__(self, path=None):
        self.path = path
        self.best = float("inf")
        if path and os.path.exists(path):
            with open(path, encoding="ascii") as file:
                self.best = json.load(file)["seconds"]

    def speed(self):
        """The share of the best, 0 to 1, at which the slowest processor runs."""
        probes = [subprocess.Popen([sys.executable, __file__, str(processor)], stdout=subprocess.PIPE, text=True) for processor in os.sched_getaffinity(0)]
        taken = [float(probe.communicate()[0]) for probe in probes]
        if max(taken) < self.best:
            self.best = max(taken)
            if self.path:
                with open(self.path, "w", encoding="ascii") as file:
                    json.dump({"seconds": self.best}, file)
        return self.best / max(taken)


if __name__ == "__main__":
    print(_compute_on(int(sys.argv[1])))
