"""A telecom company's business in random statements: the rows it starts with, and what its applications then do.

What an application does depends on the seed and its number only, never on what is in the database: so a seed gives the same
statements again. Rows are named by external_id. What is unique in the company (an extension, a number) is unique by
constraint here, so that two statements that want the same thing end in a constraint error and not in two lines that
contradict each other.
"""
import json
import random
from dataclasses import dataclass

LINES = 200
DEVICES = 120
FIRST_LINES = 150  # that exist at the start
EXTENSIONS = 260
NUMBERS = 260
EXTRA_NUMBERS = 80
MACS = 160

# External ids of the network information records of each customer, by the first letter of which its lines choose.
INFORMATION = {"acme": ["acme", "acme-hq", "acme-lab", "west", "west-hq"], "globex": ["globex", "globex-hq", "globex-lab", "plant"]}
SEATS = ["SEAT", "SEATMGR"]
NUMBER_USOCS = ["DID", "DIDFAX"]
# Lines with such numbers are queues, if nobody makes seats of them.
QUEUE_EVERY = 20
# What is sold on a seat besides, with the parameters that a clerk may give it.
FORWARDS = [{"forward-always": {"enabled": "yes", "parameters": ["18005550111"]}}, {"do-not-disturb": {"enabled": "yes"}},
            {"forward-no-answer": {"enabled": "yes", "parameters": ["vmail_1001"]}, "call-screening": {"enabled": "yes"}}]
FEATURES = {
    "VM": [{"voicemail-transcription-enabled": "Google"}, {"email-send-alert-new-voicemail-enabled": "yes"}],
    "CID": [{"privacy": "yes"}, {"caller-id-name": "Sales"}, {"caller-id-number": "18005550122"}],
    "DIAL": [{"dial-policy": "International"}],
    "FWD": FORWARDS, "RULE": FORWARDS, "SIP": [], "PHONE": [],
    "E911": [{"carrier": "brightlink"}],
}


def emergency_address(number):
    return json.dumps({"caller_name": "Company", "line_1": f"{number} Main St", "city": "San Diego", "state": "CA", "postal_code": "92101",
                       **({"location": "upstairs"} if number % 2 else {})})


FIRST_NAMES = ["Ada", "Björn", "Chloé", "Dmitri", "Eve", "François", "Grace", "O'Neil", 'Q"uote', "Łukasz", "Zoë & Co", "50% off"]
TIME_ZONES = [None, "US/Eastern", "US/Pacific", "Europe/Paris"]

SETUP = """
ALTER TABLE tbs.line ADD CONSTRAINT company_extension_key UNIQUE (extension) DEFERRABLE;
ALTER TABLE tbs.line_usoc ADD CONSTRAINT company_number_key UNIQUE (telephone_number) DEFERRABLE;

INSERT INTO tbs.master_usoc (usoc, description, parameters) VALUES
    ('SEAT', 'seat', '{}'), ('SEATMGR', 'manager''s seat', '{"netsapiens": {"department": "management"}}'),
    ('DID', 'telephone number', '{}'), ('DIDFAX', 'fax number', '{}'), ('SURCHARGE', 'only billing knows it', '{}'),
    ('QUEUE', 'call queue', '{}'), ('VM', 'voicemail', '{}'), ('CID', 'caller id', '{}'), ('DIAL', 'dial permission', '{}'), ('FWD', 'forwarding', '{}'),
    ('RULE', 'answer rule', '{}'), ('SIP', 'SIP account', '{}'), ('PHONE', 'phone', '{}'), ('E911', 'emergency calls', '{}');
INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service, parameters, position)
SELECT a.usoc, r.network_resource_id, a.service, a.parameters::jsonb, a.position
FROM tbs.network_resource AS r,
     (VALUES ('SEAT', 'seat', '{}', 10), ('SEATMGR', 'seat', '{"user-scope": "Office Manager"}', 10),
             ('DID', 'phone_number', '{}', 20), ('DIDFAX', 'phone_number', '{"dial-rule-application": "to-fax"}', 20),
             ('QUEUE', 'call_queue', '{}', 10), ('VM', 'voicemail', '{}', 15), ('CID', 'caller_id', '{}', 15), ('DIAL', 'dial_permission', '{"dial-policy": "Domestic"}', 15),
             ('FWD', 'call_forwarding', '{}', 16), ('RULE', 'answer_rule', '{"time-frame": "Vacation"}', 16), ('SIP', 'sip_account', '{}', 11),
             ('PHONE', 'phone', '{}', 12), ('E911', 'e911', '{}', 30))
         AS a (usoc, service, parameters, position);

INSERT INTO tbs.customer (account_number, name, external_id) VALUES ('1', 'Acme', 'acme'), ('2', 'Globex', 'globex');
INSERT INTO tbs.customer_order (order_number, customer_id) SELECT 'O-' || c.account_number, c.customer_id FROM tbs.customer AS c;
INSERT INTO tbs.network_information (customer_id, name, switch_domain, time_zone, caller_id_name, caller_id_number, external_id)
SELECT c.customer_id, d.name, d.name, d.zone, d.caller, d.number, d.name
FROM tbs.customer AS c
JOIN (VALUES ('acme', 'acme', 'US/Eastern', 'Acme', '18005550100'), ('acme', 'west', 'US/Pacific', 'Acme West', NULL),
             ('globex', 'globex', NULL, 'Globex', NULL), ('globex', 'plant', NULL, NULL, NULL)) AS d (customer, name, zone, caller, number)
  ON d.customer = c.external_id;
INSERT INTO tbs.network_information (customer_id, parent_id, name, site, caller_id_name, external_id)
SELECT p.customer_id, p.network_information_id, s.name, s.name, s.caller, s.name
FROM tbs.network_information AS p
JOIN (VALUES ('acme', 'acme-hq', 'Acme HQ'), ('acme', 'acme-lab', NULL), ('west', 'west-hq', NULL), ('globex', 'globex-hq', 'Globex HQ'),
             ('globex', 'globex-lab', NULL)) AS s (parent, name, caller) ON s.parent = p.external_id;
UPDATE tbs.network_information SET emergency_address = '{"caller_name": "Company", "line_1": "1 Main St", "city": "San Diego", "state": "CA", "postal_code": "92101"}'
WHERE parent_id IS NULL OR external_id IN ('acme-lab', 'west-hq');
"""

# What a clerk puts right in the end: lines whose data cannot be sent, and numbers of lines without a user to ring.
REPAIR = [
    "UPDATE tbs.line SET first_name = 'Repaired' WHERE first_name IS NULL",
    "DELETE FROM tbs.line_usoc AS u USING tbs.line AS l WHERE l.line_id = u.line_id AND u.usoc IN ('DID', 'DIDFAX') "
    "AND u.telephone_number IS NULL AND l.telephone_number IS NULL",
    # What is sold on a seat means nothing on a queue; an emergency number is a number.
    "DELETE FROM tbs.line_usoc AS u WHERE u.usoc IN ('VM', 'CID', 'DIAL', 'FWD', 'RULE', 'SIP', 'PHONE', 'E911') "
    "AND EXISTS (SELECT FROM tbs.line_usoc AS q WHERE q.line_id = u.line_id AND q.usoc = 'QUEUE') "
    "AND NOT EXISTS (SELECT FROM tbs.line_usoc AS s WHERE s.line_id = u.line_id AND s.usoc IN ('SEAT', 'SEATMGR'))",
    "DELETE FROM tbs.line_usoc AS u USING tbs.line AS l WHERE l.line_id = u.line_id AND u.usoc = 'E911' AND (l.telephone_number IS NULL "
    "OR NOT EXISTS (SELECT FROM tbs.line_usoc AS d WHERE d.line_id = u.line_id AND d.usoc IN ('DID', 'DIDFAX')))",
    "INSERT INTO tbs.line_usoc (line_id, usoc) SELECT l.line_id, 'SEAT' FROM tbs.line AS l "
    "WHERE EXISTS (SELECT FROM tbs.line_usoc AS u WHERE u.line_id = l.line_id AND u.usoc <> 'SURCHARGE') "
    "AND NOT EXISTS (SELECT FROM tbs.line_usoc AS u WHERE u.line_id = l.line_id AND u.usoc IN ('SEAT', 'SEATMGR', 'QUEUE'))",
]


@dataclass
class Statement:
    """One statement; COPY has its rows as text. A control statement (SAVEPOINT ...) is not counted."""
    sql: str
    parameters: tuple = ()
    copy: str = None
    control: bool = False


@dataclass
class Transaction:
    statements: list
    commit: bool = True


def line(number):
    return f"line-{number}"


def information_of(number):
    """A line's customer is the same in every incarnation."""
    return INFORMATION["acme" if number % 5 < 3 else "globex"]


class Company:
    """Draws the rows of the start and the transactions of one application."""

    # Which of FEATURES are sold, and whether there are queues.
    FEATURES = tuple(FEATURES)

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.counter = 0

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def line(self):
        return self.random.randint(1, LINES)

    def extension(self):
        return str(1000 + self.random.randrange(EXTENSIONS))

    def number(self):
        return f"+1858555{self.random.randrange(NUMBERS):04}"

    def extra_number(self):
        return f"+1619555{self.random.randrange(EXTRA_NUMBERS):04}"

    def mac(self):
        return f"00:11:22:33:{self.random.randrange(MACS) // 256:02x}:{self.random.randrange(MACS) % 256:02x}"

    def device(self):
        return f"device-{self.random.randint(1, DEVICES)}"

    def name(self):
        return self.random.choice(FIRST_NAMES)

    def seat(self, number):
        return "QUEUE" if self.FEATURES and number % QUEUE_EVERY == 0 else self.random.choice(SEATS)

    def queue(self):
        return self.random.randint(1, LINES // QUEUE_EVERY) * QUEUE_EVERY

    def two(self, draw):
        first = draw()
        while True:
            second = draw()
            if second != first:
                return first, second

    # ---- the start -------------------------------------------------------------------------------------------------

    def first_rows(self):
        """Statements that fill the tables: most lines, their USOCs, devices, ties."""
        statements = []
        for number in range(1, FIRST_LINES + 1):
            statements.append(self.insert_line(number, str(1000 + number), f"+1858555{number:04}",
                                               self.seat(number), self.random.choice([None, *NUMBER_USOCS])))
            for usoc in self.random.sample(self.FEATURES, self.random.choice([0, 0, 0, 1, 2, 3]) if self.FEATURES else 0):
                # As a clerk does it: on a queue or without a number there is no emergency number.
                if number % QUEUE_EVERY and usoc != "E911":
                    statements.append(self.sell(number, usoc))
        if self.FEATURES:
            statements += [self.join(number, member) for number in range(QUEUE_EVERY, FIRST_LINES + 1, QUEUE_EVERY) for member in range(number - 4, number)]
        for number in range(1, DEVICES + 1):
            mac = None if number % 10 == 0 else f"00:11:22:33:00:{number:02x}"
            statements.append(Statement("INSERT INTO tbs.device (mac, brand, model, external_id) VALUES (%s, 'Yealink', 'T46S', %s)",
                                        (mac, f"device-{number}")))
            statements.append(self.tie(f"device-{number}", number, 1))
        return statements

    def insert_line(self, number, extension, telephone_number, seat, number_usoc):
        """A line and its USOCs in one statement of two writes."""
        usocs = [(usoc, kind) for usoc, kind in ((seat, "seat"), (number_usoc, "number")) if usoc]
        return Statement(
            "WITH l AS (INSERT INTO tbs.line (customer_id, network_information_id, telephone_number, extension, first_name, last_name, "
            "email, external_id) SELECT n.customer_id, n.network_information_id, %s, %s, %s, 'Line', %s, %s "
            "FROM tbs.network_information AS n WHERE n.external_id = %s RETURNING line_id) "
            "INSERT INTO tbs.line_usoc (line_id, usoc, external_id) SELECT l.line_id, u.usoc, u.external_id "
            "FROM l, unnest(%s::text[], %s::text[]) AS u (usoc, external_id)",
            (telephone_number, extension, self.name(), self.random.choice([None, f"{number}@example.com"]), line(number),
             self.random.choice(information_of(number)), [u for u, _ in usocs], [f"{line(number)}-{kind}" for _, kind in usocs]))

    def parameters_of(self, usoc):
        document = self.random.choice([{}, *FEATURES[usoc]])
        return json.dumps({"netsapiens": document} if document else {})

    def sell(self, number, usoc):
        return Statement("INSERT INTO tbs.line_usoc (line_id, usoc, parameters, external_id) SELECT l.line_id, %s, %s, %s FROM tbs.line AS l "
                         "WHERE l.external_id = %s ON CONFLICT (external_id) DO NOTHING",
                         (usoc, self.parameters_of(usoc), f"{line(number)}-{usoc}", line(number)))

    @staticmethod
    def join(queue, member):
        return Statement("INSERT INTO tbs.line_member (line_id, member_line_id, position) SELECT q.line_id, m.line_id, %s FROM tbs.line AS q, tbs.line AS m "
                         "WHERE q.external_id = %s AND m.external_id = %s ON CONFLICT DO NOTHING", (member % 9 + 1, line(queue), line(member)))

    def tie(self, device, number, slot):
        return Statement(
            "INSERT INTO tbs.line_device (line_id, device_id, slot, sip_account, shared) "
            "SELECT l.line_id, d.device_id, %s, CASE WHEN %s THEN 'x' || l.line_id END, %s "
            "FROM tbs.line AS l, tbs.device AS d WHERE l.external_id = %s AND d.external_id = %s",
            (slot, self.random.random() < 0.3, slot > 1, line(number), device))

    # ---- what an application does: each gives the statements of one piece of work -----------------------------------

    def new_line(self):
        number = self.line()
        return [self.insert_line(number, self.extension(), self.number(), self.seat(number), self.random.choice(NUMBER_USOCS))]

    def remove_line(self):
        return [Statement("DELETE FROM tbs.line WHERE external_id = %s", (line(self.line()),))]

    def replace_line(self):
        """The number and the extension of a line that goes are another's at once; in both orders."""
        number = self.line()
        extension, telephone_number = self.extension(), self.number()
        delete = Statement("DELETE FROM tbs.line WHERE external_id = %s OR extension = %s OR telephone_number = %s",
                           (line(number), extension, telephone_number))
        insert = self.insert_line(number, extension, telephone_number, self.random.choice(SEATS), self.random.choice(NUMBER_USOCS))
        if self.random.random() < 0.5:
            return [delete, insert]
        # Insert first: the old row is still there, under another external id.
        return [Statement("SET CONSTRAINTS ALL DEFERRED", control=True),
                Statement("UPDATE tbs.line_usoc SET external_id = NULL WHERE line_id IN (SELECT line_id FROM tbs.line "
                          "WHERE external_id = %s OR extension = %s OR telephone_number = %s)", delete.parameters),
                Statement("UPDATE tbs.line SET external_id = 'old-' || line_id WHERE external_id = %s OR extension = %s OR telephone_number = %s",
                          delete.parameters),
                insert,
                Statement("DELETE FROM tbs.line WHERE external_id LIKE 'old-%'")]

    def rename(self):
        return [Statement("UPDATE tbs.line SET first_name = %s, email = %s WHERE external_id = %s",
                          (self.name(), self.random.choice([None, "", "new@example.com"]), line(self.line())))]

    def rename_many(self):
        return [Statement("UPDATE tbs.line SET last_name = %s WHERE external_id = ANY (%s)",
                          (self.name(), [line(self.line()) for _ in range(self.random.randint(2, 15))]))]

    def break_line(self):
        """Data that cannot be sent: the line fails alone, until somebody corrects it."""
        return [Statement("UPDATE tbs.line SET first_name = NULL WHERE external_id = %s", (line(self.line()),))]

    def change_extension(self):
        return [Statement("UPDATE tbs.line SET extension = %s WHERE external_id = %s", (self.extension(), line(self.line())))]

    def swap_extensions(self):
        first, second = self.two(self.line)
        return [Statement("SELECT FROM tbs.line WHERE external_id IN (%s, %s) ORDER BY line_id FOR UPDATE", (line(first), line(second)), control=True),
                Statement("UPDATE tbs.line AS l SET extension = o.extension FROM tbs.line AS o "
                          "WHERE (l.external_id, o.external_id) IN ((%s, %s), (%s, %s))", (line(first), line(second), line(second), line(first)))]

    def change_number(self):
        return [Statement("UPDATE tbs.line SET telephone_number = %s WHERE external_id = %s", (self.number(), line(self.line())))]

    def swap_numbers(self):
        first, second = self.two(self.line)
        return [Statement("UPDATE tbs.line AS l SET telephone_number = o.telephone_number FROM tbs.line AS o "
                          "WHERE (l.external_id, o.external_id) IN ((%s, %s), (%s, %s))", (line(first), line(second), line(second), line(first)))]

    def move_number(self):
        """From one line to another, which gives its own up; in one statement, or released first."""
        first, second = self.two(self.line)
        if self.random.random() < 0.5:
            return [Statement("WITH moved AS (SELECT l.telephone_number FROM tbs.line AS l WHERE l.external_id = %s FOR UPDATE), "
                              "released AS (UPDATE tbs.line SET telephone_number = NULL WHERE external_id = %s) "
                              "UPDATE tbs.line SET telephone_number = (SELECT m.telephone_number FROM moved AS m) WHERE external_id = %s",
                              (line(first), line(first), line(second)))]
        number = self.number()
        return [Statement("UPDATE tbs.line SET telephone_number = NULL WHERE telephone_number = %s", (number,)),
                Statement("UPDATE tbs.line SET telephone_number = %s WHERE external_id = %s", (number, line(second)))]

    def own_number(self):
        """A second number on a line, or its move to another line."""
        number = self.extra_number()
        if self.random.random() < 0.5:
            return [Statement("INSERT INTO tbs.line_usoc (line_id, usoc, telephone_number) SELECT l.line_id, 'DID', %s FROM tbs.line AS l "
                              "WHERE l.external_id = %s", (number, line(self.line())))]
        return [Statement("UPDATE tbs.line_usoc SET line_id = (SELECT l.line_id FROM tbs.line AS l WHERE l.external_id = %s) "
                          "WHERE telephone_number = %s AND EXISTS (SELECT FROM tbs.line AS l WHERE l.external_id = %s)",
                          (line(self.line()), number, line(self.line())))]

    def drop_own_number(self):
        return [Statement("DELETE FROM tbs.line_usoc WHERE telephone_number = ANY (%s)", ([self.extra_number() for _ in range(3)],))]

    def swap_usoc(self):
        kind, usocs = self.random.choice([("seat", SEATS + ["SURCHARGE"]), ("number", NUMBER_USOCS + ["SURCHARGE"])])
        return [Statement("UPDATE tbs.line_usoc SET usoc = %s WHERE external_id = %s",
                          (self.random.choice(usocs), f"{line(self.line())}-{kind}"))]

    def swap_usoc_by_rows(self):
        """A USOC is taken off and another with the same service put on, in both orders."""
        number = line(self.line())
        delete = Statement("DELETE FROM tbs.line_usoc AS u USING tbs.line AS l WHERE l.line_id = u.line_id AND l.external_id = %s "
                           "AND u.external_id = %s", (number, number + "-seat"))
        insert = Statement("INSERT INTO tbs.line_usoc (line_id, usoc, external_id) SELECT l.line_id, %s, %s FROM tbs.line AS l "
                           "WHERE l.external_id = %s", (self.random.choice(SEATS), number + "-seat", number))
        if self.random.random() < 0.5:
            return [delete, insert]
        return [Statement("UPDATE tbs.line_usoc SET external_id = %s WHERE external_id = %s", (number + "-old", number + "-seat")), insert,
                Statement("DELETE FROM tbs.line_usoc WHERE external_id = %s", (number + "-old",))]

    def remove_usoc(self):
        return [Statement("DELETE FROM tbs.line_usoc WHERE external_id = %s", (f"{line(self.line())}-{self.random.choice(['seat', 'number'])}",))]

    def quantity(self):
        return [Statement("UPDATE tbs.line_usoc SET quantity = quantity %% 9 + 1 WHERE external_id = ANY (%s)",
                          ([f"{line(self.line())}-seat" for _ in range(self.random.randint(1, 20))],))]

    def upsert(self):
        number = line(self.line())
        kind, usocs = self.random.choice([("seat", SEATS), ("number", NUMBER_USOCS)])
        return [Statement("INSERT INTO tbs.line_usoc (line_id, usoc, external_id) SELECT l.line_id, %s, %s FROM tbs.line AS l "
                          "WHERE l.external_id = %s ON CONFLICT (external_id) DO UPDATE SET usoc = excluded.usoc, quantity = line_usoc.quantity + 1",
                          (self.random.choice(usocs), f"{number}-{kind}", number))]

    def merge(self):
        """Some lines get the seat they lack, others another one, one loses it."""
        numbers = [line(self.line()) for _ in range(5)]
        return [Statement("MERGE INTO tbs.line_usoc AS u USING (SELECT l.line_id, w.external_id || '-seat' AS external_id, w.usoc "
                          "FROM (SELECT DISTINCT ON (1) * FROM unnest(%s::text[], %s::text[]) AS w (external_id, usoc)) AS w "
                          "JOIN tbs.line AS l ON l.external_id = w.external_id) AS w ON u.external_id = w.external_id "
                          "WHEN MATCHED AND w.usoc = 'SURCHARGE' THEN DELETE "
                          "WHEN MATCHED THEN UPDATE SET usoc = w.usoc "
                          "WHEN NOT MATCHED AND w.usoc <> 'SURCHARGE' THEN INSERT (line_id, usoc, external_id) VALUES (w.line_id, w.usoc, w.external_id)",
                          (numbers, [self.random.choice(SEATS + ["SURCHARGE"]) for _ in numbers]))]

    def copy_lines(self):
        """COPY of lines, then of their USOCs; ids are given, as by an application with its own sequence."""
        self.counter += 1
        first = self.random.randrange(10**9, 10**12)
        rows, usocs = [], []
        for offset, number in enumerate(self.random.sample(range(1, LINES + 1), 2)):
            rows.append(f"{first + offset}\t{1 if number % 5 < 3 else 2}\t{self.number()}\t{self.extension()}\tCopied\tLine\t{line(number)}")
            usocs.append(f"{first + offset}\t{self.random.choice(SEATS)}\t{line(number)}-seat")
        return [Statement("COPY tbs.line (line_id, customer_id, telephone_number, extension, first_name, last_name, external_id) FROM STDIN",
                          copy="\n".join(rows) + "\n"),
                Statement("UPDATE tbs.line SET network_information_id = (SELECT n.network_information_id FROM tbs.network_information AS n "
                          "WHERE n.customer_id = line.customer_id ORDER BY n.network_information_id LIMIT 1) WHERE line_id >= %s AND line_id < %s",
                          (first, first + 2)),
                Statement("COPY tbs.line_usoc (line_id, usoc, external_id) FROM STDIN", copy="\n".join(usocs) + "\n")]

    def move_usoc(self):
        """A seat that was on one line is on another."""
        first, second = self.two(self.line)
        return [Statement("UPDATE tbs.line_usoc SET line_id = l.line_id FROM tbs.line AS l WHERE line_usoc.external_id = %s AND l.external_id = %s",
                          (f"{line(first)}-seat", line(second)))]

    def change_id(self):
        return [Statement("UPDATE tbs.line_usoc SET line_usoc_id = %s WHERE external_id = %s",
                          (self.random.randrange(10**9, 10**12), f"{line(self.line())}-seat"))]

    def move_line(self):
        number = self.line()
        return [Statement("UPDATE tbs.line SET network_information_id = n.network_information_id FROM tbs.network_information AS n "
                          "WHERE line.external_id = %s AND n.external_id = %s", (line(number), self.random.choice(information_of(number))))]

    def edit_information(self):
        record = self.random.choice(sum(INFORMATION.values(), []))
        column, text = self.random.choice([("time_zone", self.random.choice(TIME_ZONES)), ("caller_id_name", self.random.choice([None, self.name()])),
                                           ("caller_id_number", self.random.choice([None, "18005550199"]))])
        return [Statement(f"UPDATE tbs.network_information SET {column} = %s WHERE external_id = %s", (text, record))]

    def rename_site(self):
        record = self.random.choice([name for name in sum(INFORMATION.values(), []) if "-" in name])
        return [Statement("UPDATE tbs.network_information SET site = %s WHERE external_id = %s", (f"{record}{self.random.randint(1, 3)}", record))]

    def rename_domain(self):
        record = self.random.choice(["west", "plant"])
        return [Statement("UPDATE tbs.network_information SET switch_domain = %s WHERE external_id = %s", (f"{record}{self.random.randint(1, 3)}", record))]

    def line_parameters(self):
        document = self.random.choice(['{}', '{"netsapiens": {"department": "sales"}}', '{"netsapiens": {"department": ""}}',
                                       '{"netsapiens": {"email-address": "desk@example.com", "dial-plan": "US & Canada"}}'])
        return [Statement("UPDATE tbs.line SET parameters = %s WHERE external_id = %s", (document, line(self.line())))]

    def customer_parameters(self):
        return [Statement("UPDATE tbs.customer SET name = name || '.', parameters = %s WHERE external_id = %s",
                          (self.random.choice(['{}', '{"netsapiens": {"language-token": "fr_CA"}}']), self.random.choice(list(INFORMATION))))]

    def tie_device(self):
        return [self.tie(self.device(), self.line(), self.random.choice([1, 1, 2, 3, 8]))]

    def move_device(self):
        return [Statement("UPDATE tbs.line_device AS t SET line_id = l.line_id, sip_account = CASE WHEN t.sip_account IS NOT NULL THEN 'x' || l.line_id END "
                          "FROM tbs.line AS l, tbs.device AS d WHERE t.device_id = d.device_id AND t.slot = 1 AND d.external_id = %s AND l.external_id = %s",
                          (self.device(), line(self.line())))]

    def swap_devices(self):
        first, second = self.two(self.device)
        return [Statement("UPDATE tbs.line_device AS t SET line_id = o.line_id, sip_account = CASE WHEN t.sip_account IS NOT NULL THEN 'x' || o.line_id END "
                          "FROM tbs.line_device AS o, tbs.device AS d, tbs.device AS e "
                          "WHERE d.device_id = t.device_id AND e.device_id = o.device_id AND t.slot = 1 AND o.slot = 1 "
                          "AND (d.external_id, e.external_id) IN ((%s, %s), (%s, %s))", (first, second, second, first))]

    def untie_device(self):
        return [Statement("DELETE FROM tbs.line_device USING tbs.device AS d WHERE d.device_id = line_device.device_id AND d.external_id = %s", (self.device(),))]

    def edit_tie(self):
        return [Statement("UPDATE tbs.line_device SET sip_account = CASE WHEN sip_account IS NULL THEN 'x' || line_id END, slot = (slot + 1) %% 8 + 1 "
                          "FROM tbs.device AS d WHERE d.device_id = line_device.device_id AND d.external_id = %s", (self.device(),))]

    def remove_device(self):
        return [Statement("DELETE FROM tbs.device WHERE external_id = %s", (self.device(),))]

    def new_device(self):
        device = self.device()
        return [Statement("INSERT INTO tbs.device (mac, brand, model, external_id) VALUES (%s, 'Poly', %s, %s)",
                          (self.mac(), self.random.choice([None, "VVX 450"]), device)), self.tie(device, self.line(), 1)]

    def change_mac(self):
        if self.random.random() < 0.5:
            return [Statement("UPDATE tbs.device SET mac = %s WHERE external_id = %s", (self.mac(), self.device()))]
        first, second = self.two(self.device)
        return [Statement("UPDATE tbs.device AS d SET mac = o.mac FROM tbs.device AS o WHERE (d.external_id, o.external_id) IN ((%s, %s), (%s, %s))",
                          (first, second, second, first))]

    # ---- what is sold besides ------------------------------------------------------------------------------------------

    def add_feature(self):
        return [self.sell(self.line(), self.random.choice(self.FEATURES))]

    def drop_feature(self):
        return [Statement("DELETE FROM tbs.line_usoc WHERE external_id = ANY (%s)",
                          ([f"{line(self.line())}-{self.random.choice(self.FEATURES)}" for _ in range(6)],))]

    def edit_feature(self):
        usoc = self.random.choice(self.FEATURES)
        return [Statement("UPDATE tbs.line_usoc SET parameters = %s WHERE external_id = ANY (%s)",
                          (self.parameters_of(usoc), [f"{line(self.line())}-{usoc}" for _ in range(4)]))]

    def move_feature(self):
        first, second = self.two(self.line)
        usoc = self.random.choice(self.FEATURES)
        return [Statement("UPDATE tbs.line_usoc SET line_id = l.line_id, external_id = %s FROM tbs.line AS l WHERE line_usoc.external_id = %s AND l.external_id = %s",
                          (f"{line(second)}-{usoc}", f"{line(first)}-{usoc}", line(second)))]

    def suspend(self):
        return [Statement("UPDATE tbs.line SET suspended = NOT suspended WHERE external_id = ANY (%s)", ([line(self.line()) for _ in range(2)],))]

    def join_queue(self):
        return [self.join(self.queue(), self.line())]

    def leave_queue(self):
        return [Statement("DELETE FROM tbs.line_member USING tbs.line AS q WHERE q.line_id = line_member.line_id AND q.external_id = %s AND position = %s",
                          (line(self.queue()), self.random.randint(1, 9)))]

    def queue_to_seat(self):
        return [Statement("UPDATE tbs.line_usoc SET usoc = %s WHERE external_id = %s",
                          (self.random.choice(["QUEUE", "QUEUE", "SEAT"]), f"{line(self.queue())}-seat"))]

    def move_house(self):
        return [Statement("UPDATE tbs.network_information SET emergency_address = %s WHERE external_id = %s",
                          (emergency_address(self.random.randint(1, 9)), self.random.choice(["west", "plant", "acme-lab"])))]

    FEATURE_WORK = [(add_feature, 12), (drop_feature, 5), (edit_feature, 5), (move_feature, 3), (suspend, 4), (join_queue, 5), (leave_queue, 2),
                    (queue_to_seat, 2), (move_house, 0.5)]

    WORK = [(new_line, 8), (remove_line, 5), (replace_line, 4), (rename, 8), (rename_many, 3), (break_line, 1), (change_extension, 4),
            (swap_extensions, 5), (change_number, 4), (swap_numbers, 4), (move_number, 4), (own_number, 5), (drop_own_number, 2), (swap_usoc, 7),
            (swap_usoc_by_rows, 4), (remove_usoc, 4), (quantity, 3), (upsert, 5), (merge, 3), (copy_lines, 3), (move_usoc, 3), (change_id, 2),
            (move_line, 5), (edit_information, 1), (rename_site, 0.5), (rename_domain, 0.3), (line_parameters, 4), (customer_parameters, 0.2),
            (tie_device, 5), (move_device, 4), (swap_devices, 4), (untie_device, 2), (edit_tie, 3), (remove_device, 2), (new_device, 4), (change_mac, 3)]

    def work(self):
        kinds, weights = zip(*self.WORK, *(self.FEATURE_WORK if self.FEATURES else []))
        return self.random.choices(kinds, weights)[0](self)

    def transactions(self, statements):
        """Transactions with this many statements in all."""
        left = statements
        while left > 0:
            transaction = self._transaction()
            left -= sum(not s.control for s in transaction.statements)
            yield transaction

    def _transaction(self):
        shape = self.random.random()
        if shape < 0.70:
            return Transaction(self.work())
        if shape < 0.80:
            return Transaction(self.work() + self.work() + self.work())
        if shape < 0.90:
            return Transaction(self.work() + self.work(), commit=False)
        return Transaction(self.work() + [Statement("SAVEPOINT here", control=True)] + self.work()
                           + [Statement("ROLLBACK TO here", control=True)] + self.work())
