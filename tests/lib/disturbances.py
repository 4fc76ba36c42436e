"""Every kind of death that a bridge, a session or the server can die, each on a moment's notice.

A disturbance is a function of (stand, random, log): it does its harm, brings back what it took away, and returns. `log`
takes a sentence for the report.
"""
import contextlib
import os
import subprocess
import time

from stand import query, wait_for
from survivor import connect_again

TOOLS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "tools")


def cluster(action, directory=None):
    subprocess.run([os.path.join(TOOLS, "cluster"), action, *([directory] if directory else [])], check=True, stdout=subprocess.DEVNULL)


def now_at_switch(stand):
    """The switch's clock: microseconds since it started."""
    return (time.time() - stand.switch.started_at) * 1e6


def kill_bridges(stand, random, log):
    """kill -9 of one, two or all bridges, and new ones at once."""
    victims = random.sample(stand.bridges, random.choice([1, 1, 2, len(stand.bridges)]))
    for bridge in victims:
        bridge.kill()
        stand.cuts.append(now_at_switch(stand))
    for bridge in victims:
        stand.replace_bridge(bridge, *stand.bridge_options, wait=False)
    log(f"kill -9 of {', '.join(b.name for b in victims)}")


def freeze_bridge(stand, random, log):
    """SIGSTOP until another bridge has taken over what it had, then SIGCONT: it must not send what it still holds."""
    bridge = random.choice(stand.bridges)
    with contextlib.closing(connect_again()) as connection:
        number = query(connection, "SELECT max(bridge_id) FROM tbs.bridge WHERE name = %s", [bridge.name])[0][0]
        bridge.freeze()
        stand.cuts.append(now_at_switch(stand))
        try:
            wait_for(lambda: query(connection, "SELECT ended_at IS NOT NULL FROM tbs.bridge WHERE bridge_id = %s", [number])[0][0], 60,
                     f"{bridge.name} to lose its lease")
        finally:
            bridge.resume()
    log(f"{bridge.name} stood still until others had taken over")


def pause_bridge(stand, random, log):
    """SIGSTOP and SIGCONT within the lease: nobody may notice."""
    bridge = random.choice(stand.bridges)
    bridge.freeze()
    try:
        stand.switch.control("GET", "/_ready")
    finally:
        bridge.resume()
    log(f"{bridge.name} stood still for a moment")


def _terminate(pattern):
    with contextlib.closing(connect_again()) as connection:
        return query(connection, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE %s", [pattern])[0][0]


def terminate_bridge_sessions(stand, random, log):
    del stand, random
    log(f"pg_terminate_backend of {_terminate('tbs-bridge%')} sessions of bridges")


def terminate_application_sessions(stand, random, log):
    del stand, random
    log(f"pg_terminate_backend of {_terminate('app%')} sessions of applications")


def restart_server(stand, random, log):
    """An immediate restart: no checkpoint, recovery from WAL."""
    del random
    cluster("immediate")
    stand.admin.close()
    stand.admin = connect_again()
    log("immediate restart of PostgreSQL")


def crash_server(stand, random, log):
    """Every process of the server killed at once, as in a power cut."""
    del random
    cluster("crash")
    cluster("start")
    stand.admin.close()
    stand.admin = connect_again()
    log("crash and start of PostgreSQL")


DISTURBANCES = {"kill": kill_bridges, "freeze": freeze_bridge, "pause": pause_bridge, "terminate_bridge": terminate_bridge_sessions,
                "terminate_application": terminate_application_sessions, "restart": restart_server, "crash": crash_server}
