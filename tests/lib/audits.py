"""Audits in tests: a company of any number of lines, the switch's own API, and an audit from asking to result."""
import http.client
import json
import threading
import urllib.parse

from stand import API_KEY, query, wait_for

COMPANY = """
INSERT INTO tbs.master_usoc (usoc, description) VALUES ('SEAT', 'seat'), ('DID', 'number');
INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service, position)
SELECT a.usoc, r.network_resource_id, a.service, a.position
FROM tbs.network_resource AS r, (VALUES ('SEAT', 'seat', 10), ('DID', 'phone_number', 20)) AS a (usoc, service, position);
INSERT INTO tbs.customer (account_number, name) SELECT 'A' || n, 'Customer ' || n FROM generate_series(1, %(domains)s) AS n;
INSERT INTO tbs.network_information (customer_id, name, switch_domain, time_zone)
SELECT customer_id, name, 'd' || customer_id, 'US/Eastern' FROM tbs.customer;
INSERT INTO tbs.network_information (customer_id, parent_id, name, site) SELECT customer_id, network_information_id, 'HQ', 'hq' FROM tbs.network_information;
-- Most are in the first domain, so that its lists have several pages.
INSERT INTO tbs.line (customer_id, network_information_id, telephone_number, extension, first_name, last_name, email, external_id)
SELECT i.customer_id, i.network_information_id, '+1' || (2025550000 + n), (1000 + n)::text, 'First' || n, 'Last' || n, 'user' || n || '@example.com', n::text
FROM generate_series(1, %(lines)s) AS n
JOIN tbs.network_information AS i ON i.switch_domain = 'd' || CASE WHEN n %% 10 < 6 THEN 1 ELSE 1 + n %% %(domains)s END
     OR (n %% 7 = 0 AND i.parent_id IS NOT NULL AND i.customer_id = 1 + n %% %(domains)s)
WHERE (n %% 7 = 0) = (i.parent_id IS NOT NULL);
INSERT INTO tbs.device (mac, brand, model, external_id)
SELECT lpad(to_hex(1000 + external_id::integer), 12, '0')::macaddr, 'Yealink', 'T54W', external_id FROM tbs.line WHERE external_id::integer %% 2 = 0;
INSERT INTO tbs.device (external_id) SELECT external_id FROM tbs.line WHERE external_id::integer %% 2 = 1;
INSERT INTO tbs.line_device (line_id, device_id) SELECT l.line_id, d.device_id FROM tbs.line AS l JOIN tbs.device AS d USING (external_id);
INSERT INTO tbs.line_usoc (line_id, usoc) SELECT line_id, unnest('{SEAT,DID}'::text[]) FROM tbs.line;
"""


class Api:
    """The switch's own API, as somebody with a key and no database uses it."""

    def __init__(self, switch):
        self.host = urllib.parse.urlsplit(switch.url)
        self.local = threading.local()

    def call(self, method, path, document=None):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.host.hostname, self.host.port, timeout=60)
        connection = self.local.connection
        connection.request(method, self.host.path + path, None if document is None else json.dumps(document),
                           {"Authorization": "Bearer " + API_KEY, "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status in (200, 202), f"{method} {path}: {answer.status} {text[:200]!r}"
        return text


class Audits:
    """What the tests of audits have in common."""

    def __init__(self, report, stand, options):
        self.report, self.stand, self.options = report, stand, options
        self.api = Api(stand.switch)

    def company(self, connection):
        query(connection, COMPANY % {"lines": self.options.lines, "domains": max(6, self.options.lines // 50)})

    def read(self, domain=None, seconds=600):
        audit = self.stand.value("SELECT tbs.audit_resource('switch', %s)", [domain])
        wait_for(lambda: self.stand.value("SELECT state IN ('read', 'failed') FROM tbs.audit_status WHERE audit_id = %s", [audit]), seconds,
                 lambda: f"the audit: {self.stand.sql('SELECT * FROM tbs.audit_status')}")
        self.report.equal(self.stand.sql("SELECT state, result, unidentified FROM tbs.audit_status WHERE audit_id = %s", [audit]), [("read", None, 0)], "the audit has read it all")
        return audit

    def compare(self, audit):
        return self.stand.sql("SELECT * FROM tbs.compare_audit(%s)", [audit])

    def audit(self, domain=None):
        audit = self.read(domain)
        self.compare(audit)
        return audit

    def last_journal(self):
        journal = self.stand.switch.journal()
        return journal[-1]["number"] if journal else 0

    def writes_since(self, number):
        return [(e["method"], e["path"].removeprefix("/ns-api/v2")) for e in self.stand.switch.journal(number) if e["method"] != "GET"]
