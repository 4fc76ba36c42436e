"""How fast the processors are, of the best that they were seen at.

A shared host gives the other half of a core to somebody else, for seconds or for minutes. Everything then takes 1.4 to 1.8 times as long, and nothing that the
guest counts tells: no time is stolen, and the processor time of what it runs grows too. A small computation that uses no memory does, ten times a second on each
processor, for 0.3 % of its time. It tells shared processors from others, and not more: an idle one that has just been woken, and all at work, are slower too.
"""
import os
import threading
import time


def _compute():
    total = 0
    for number in range(5000):
        total += number * number
    return total


class ProcessorSpeed:
    """Watches from now on, in threads of its own."""

    def __init__(self):
        self.samples = []
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
        between = [1 / seconds for moment, seconds in samples if begin <= moment <= end]
        return min(seconds for _, seconds in samples) * sum(between) / len(between) if between else 1.0
