"""How fast the processors are, of the best that they were seen at.

A shared host gives the other half of a core to somebody else, for seconds or for minutes. Everything then takes 1.4 to 1.8 times as long, and nothing that the
guest counts tells: no time is stolen, and the processor time of what it runs grows too. A small computation that uses no memory does, ten times a second on each
processor, for 0.3 % of its time.
"""
import json
import os
import threading
import time

# Below this share of the best the machine was shared. All processors at work run at 80 to 85 % of what one does by itself, and shared ones at 50 to 70 %.
ALONE = 0.75


def _compute():
    total = 0
    for number in range(5000):
        total += number * number
    return total


class ProcessorSpeed:
    """Watches from now on, in threads of its own. `directory`: where the best of earlier runs is kept."""

    def __init__(self, directory=None):
        self.path = directory and os.path.join(directory, "processor_speed.json")
        self.samples = []
        self.best = float("inf")
        if self.path and os.path.exists(self.path):
            with open(self.path, encoding="ascii") as file:
                self.best = json.load(file)["best_seconds"]
        for processor in os.sched_getaffinity(0):
            threading.Thread(target=self._watch, args=(processor,), daemon=True).start()

    def _watch(self, processor):
        os.sched_setaffinity(0, {processor})
        while True:
            begin = time.thread_time()
            _compute()
            self.samples.append((time.monotonic(), time.thread_time() - begin))
            time.sleep(0.1)

    def of(self, begin, end):
        """The share of the best, 0 to 1, at which the processors ran between two moments of time.monotonic()."""
        samples = list(self.samples)
        self.best = min([self.best] + [seconds for _, seconds in samples])
        between = [self.best / seconds for moment, seconds in samples if begin <= moment <= end]
        return sum(between) / len(between) if between else 1.0

    def keep(self):
        """For those who come later."""
        if self.path and self.samples:
            self.of(0, 0)
            with open(self.path, "w", encoding="ascii") as file:
                json.dump({"best_seconds": self.best}, file)
