"""Whether an application waited for a lock inside a capture trigger: from the server's log.

Sessions of tbs_app get log_lock_waits with a deadlock_timeout of 1 ms, so that every wait of 1 ms or more is written to the
log, with the functions and the relation it happened in. A wait for the extension of a relation does not count: that lock is
held while a page is added to the file, by any INSERT, and never while a transaction goes on.
"""
import os
import re

ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[(\d+)\] (.*?) ?(LOG|CONTEXT|DETAIL|HINT|STATEMENT|ERROR|FATAL|WARNING):  (.*)$")
CAPTURE = re.compile(r"\bfunction tbs\.(?!is_(telephone_number|usoc)\b)|\btbs\.(activity|remote_object|line_usoc_state|bridge|arming|recipe)|"
                     r'relation "(activity|remote_object|line_usoc_state|bridge|arming|recipe)', re.IGNORECASE)


def watch(stand):
    """Call before the applications connect; returns where the log ends now."""
    stand.sql("ALTER ROLE tbs_app SET log_lock_waits = on")
    stand.sql("ALTER ROLE tbs_app SET deadlock_timeout = '1ms'")
    return os.path.getsize(log_path())


def log_path():
    return os.path.join(os.environ["TBS_CLUSTER"], "logs", "postgresql.log")


def waits(since):
    """(number of waits, those inside a capture trigger or for something of the queue)."""
    with open(log_path(), "rb") as log:
        log.seek(since)
        text = log.read().decode("utf-8", "replace")
    found, open_waits = [], {}
    current = None
    for line in text.splitlines():
        entry = ENTRY.match(line)
        if entry:
            process, _, level, message = entry.groups()
            current = None
            if level == "LOG":
                open_waits.pop(process, None)
                if (" still waiting for " in message and " on extension of " not in message) or "avoided deadlock" in message:
                    current = open_waits[process] = [message]
                    found.append(current)
            elif process in open_waits and level in ("CONTEXT", "STATEMENT", "DETAIL"):
                current = open_waits[process]
                # What the statement says is no evidence of where it waited.
                if level != "STATEMENT":
                    current.append(message)
                else:
                    current = None
        elif current is not None and line.startswith("\t"):
            current.append(line.strip())
    texts = ["\n".join(wait) for wait in found]
    return len(texts), [wait for wait in texts if CAPTURE.search(wait) or "advisory" in wait]
