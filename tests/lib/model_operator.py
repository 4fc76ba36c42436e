"""The operator of the random test of the queue: what the fallout desk can do, at any moment."""
import psycopg2

from model_bridge import LOCKED
from stand import connect

# Unknown by now, not in such a state, locked.
REFUSALS = {"P0002", "55000", LOCKED, "40P01"}
ON_THE_QUEUE = "'new', 'waiting', 'retry', 'failed', 'scheduled', 'held'"
# What to do: how often, whether the switch may differ from the rows until a resync, the statement, and the states of what it is done to.
# Not here is what makes the switch differ from the rows for good: a corrected value, a step skipped or done by hand, a day that is not waited for.
ACTIONS = {
    "retry": (20, False, "SELECT tbs.retry_activity(%(one)s, 'test')", "'failed', 'retry'"),
    "retry of some": (6, False, "SELECT tbs.retry_activity(%(some)s::bigint[], 'test')", "'failed', 'retry'"),
    "remove": (5, True, "SELECT tbs.remove_activity(%(one)s, 'test', %(followers)s)", ON_THE_QUEUE),
    "remove some": (2, True, "SELECT tbs.remove_activity(%(some)s::bigint[], 'test', %(followers)s)", ON_THE_QUEUE),
    "hold": (3, False, "SELECT tbs.hold_activity(%(one)s, 'test')", ON_THE_QUEUE),
    "release": (8, False, "SELECT tbs.release_activity(%(some)s::bigint[], 'test')", "'held'"),
    "set the maximum of calls": (2, False, "SELECT tbs.set_maximum_calls(%(one)s, 2, 'test')", ON_THE_QUEUE),
    "resync a line": (3, False, "SELECT tbs.resync(line_id => (SELECT line_id FROM tbs.line ORDER BY line_id OFFSET %(row)s LIMIT 1), reason => 'test')", None),
    "pause": (1, False, "SELECT tbs.pause_network_resource(%(resource)s, 'test')", None),
    "test the connection": (0.5, False, "SELECT tbs.test_network_resource(%(resource)s)", None),
}


class Operator:
    """One person with one connection, whose transaction may stay open over steps."""
    name = "operator"

    def __init__(self, random, session, resource):
        self.random = random
        self.resource = resource
        self.cursor = connect().cursor()
        self.cursor.execute(session)
        self.open = False
        self.may_leave_gaps = False
        self.left_gaps = False
        self.names = list(ACTIONS)
        self.weights = [action[0] for action in ACTIONS.values()]

    def act(self, counts):
        """Does something, or nothing when there is nothing to do; returns what."""
        if self.open:
            return None
        if self._is_paused() and self.random.random() < 0.6:
            return self.resume(counts)
        name = self.random.choices(self.names, self.weights)[0]
        _, leaves_gap, sql, states = ACTIONS[name]
        if leaves_gap and not self.may_leave_gaps:
            return None
        parameters = {"resource": self.resource, "row": self.random.randrange(8), "followers": self.random.choice(["release", "remove", "hold"])}
        if states:
            self.cursor.execute(f"SELECT activity_id FROM tbs.activity WHERE state IN ({states}) ORDER BY activity_id")
            activities = [row[0] for row in self.cursor.fetchall()]
            if not activities:
                return None
            parameters["one"] = self.random.choice(activities)
            parameters["some"] = self.random.sample(activities, self.random.randint(1, min(4, len(activities))))
        stays_open = self.random.random() < 0.3
        result = self._execute(sql, parameters, stays_open)
        self.left_gaps = self.left_gaps or leaves_gap
        counts[f"operator: {name}{result}"] += 1
        return f"{name} {parameters.get('one', '')} {parameters.get('some', '')}{result}"

    def _execute(self, sql, parameters, stays_open):
        try:
            if stays_open:
                self.cursor.execute("BEGIN")
            self.cursor.execute(sql, parameters)
            self.open = stays_open
            return ""
        except psycopg2.Error as problem:
            if stays_open:
                self.cursor.execute("ROLLBACK")
            if problem.pgcode not in REFUSALS and "nothing to resync" not in str(problem):
                raise
            return ", refused"

    def finish(self, commit):
        if self.open:
            self.cursor.execute("COMMIT" if commit else "ROLLBACK")
            self.open = False

    def _is_paused(self):
        self.cursor.execute("SELECT state = 'paused' FROM tbs.network_resource WHERE name = %s", (self.resource,))
        return self.cursor.fetchone()[0]

    def resume(self, counts):
        if not self._is_paused():
            return None
        result = self._execute("SELECT tbs.resume_network_resource(%(resource)s, 'test')", {"resource": self.resource}, False)
        counts["operator: resume" + result] += 1
        return "resume" + result

    def retry_failed(self):
        """Gives all that stands before an operator another chance; returns how many that were."""
        number = 0
        for state, function in (("held", "release_activity"), ("failed", "retry_activity")):
            self.cursor.execute(f"SELECT tbs.{function}(array_agg(activity_id), 'the switch is well again'), count(*) FROM tbs.activity WHERE state = %s "
                                "HAVING count(*) > 0", (state,))
            number += sum(row[1] for row in self.cursor.fetchall())
        return number
