"""Applications that go on when the database takes their connection away, as a pool with a sane configuration does."""
import threading
import time

import psycopg2

from random_run import Application
from stand import connect, wait_for

# What a lost connection or a server that is just starting is called; a connection that is gone has no code at all.
LOST = {"57P01", "57P02", "57P03", "08000", "08001", "08003", "08004", "08006", "25006"}


def is_lost(problem):
    return isinstance(problem, psycopg2.InterfaceError) or problem.pgcode in LOST or (
        problem.pgcode is None and not isinstance(problem, psycopg2.ProgrammingError))


def connect_again(user=None, seconds=60, **parameters):
    """A connection as soon as there is somebody to give one."""
    def attempt():
        try:
            return connect(user, **parameters)
        except psycopg2.OperationalError:
            return None
    return wait_for(attempt, seconds, "a connection to the database")


def persist(work, connection, user=None, **parameters):
    """(what work(connection) gives, the connection): after a lost connection once more, with a new one. For what may be repeated."""
    while True:
        try:
            return work(connection), connection
        except psycopg2.Error as problem:
            if not is_lost(problem):
                raise
            connection.close()
            connection = connect_again(user, **parameters)


class Survivor(Application):
    """An application that connects again and goes on with its next transaction. Whether the one that was cut off has been
    committed it does not know, and need not: what is on the switch in the end follows from the rows."""

    def __init__(self, number, transactions, run):
        super().__init__(number, transactions, run)
        self.lost = 0

    def run(self):
        connection = None
        try:
            for transaction in self.transactions:
                self.run_state.wait_for_room()
                if connection is None or connection.closed:
                    connection = connect_again("tbs_app", autocommit=False, application_name=f"app{self.number}")
                self._carry_out(connection, transaction)
        except Exception as problem:
            self.trouble = f"{self.name}: {type(problem).__name__}: {problem}"
            self.run_state.progress.end()
        finally:
            if connection is not None:
                connection.close()

    def _take_refusal(self, connection, problem):
        try:
            if is_lost(problem):
                raise problem
            super()._take_refusal(connection, problem)
        except psycopg2.Error as trouble:
            if not is_lost(trouble):
                raise
            self.lost += 1
            connection.close()


class Room:
    """Keeps applications from running away from the bridges: they wait while more than this is to be sent."""

    def __init__(self, limit):
        self.limit = limit
        self.lock = threading.Lock()
        self.connection = None
        self.looked_at = 0.0

    def wait(self, seconds=120):
        with self.lock:
            # Not before every statement: a hundred more or less make no difference.
            if time.monotonic() - self.looked_at > 0.1:
                wait_for(self._is_room, seconds, "room in the queue")
                self.looked_at = time.monotonic()

    def _is_room(self):
        def count(connection):
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM tbs.activity WHERE state IN ('new', 'processing', 'retry')")
                return cursor.fetchone()[0]
        number, self.connection = persist(count, self.connection or connect_again())
        return number <= self.limit
