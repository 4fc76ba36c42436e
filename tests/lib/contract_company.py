"""A company that has every service of a resource type, in every variant, and all that can happen to it: so that every call is made once.

What there is to do is read from the rows: services, what they require, their steps, the values that they take. A service, step or value
for which there is nothing to play is a failure, so that who adds one is told to add it here or among the sample values.
"""
import collections
import json
import re

from stand import RESOURCE, connect, query

PLAIN, RICH = "plain", "rich"


class Company:
    """`samples`: {"values": {name: [first, second]}, "variants": {service: [{"parameters": of the association, "on": which of the services that it can require}]}, "emergency_addresses": [first, second],
    "defaults": {name: value} of the network resource}."""

    def __init__(self, report, stand, resource_type, samples):
        self.report, self.stand, self.type, self.samples = report, stand, resource_type, samples
        self.app = connect("tbs_app")
        services = dict(stand.sql("SELECT service, requires FROM tbs.service WHERE network_resource_type = %s AND for_lines ORDER BY service", [resource_type]))
        # Of alternatives, seat|call_queue, a line has the first, or the one that the variant says.
        self.services = {service: [names for names in (text.split("|") for text in requires) if names[0] in services] for service, requires in services.items()}
        # A return is a removal by another call.
        self.steps = {step for step in stand.sql(
            "SELECT s.service, o.kind, replace(s.operation, 'return', 'delete'), s.method FROM tbs.activity_step AS s "
            "JOIN tbs.service_object AS o USING (network_resource_type, service, position) WHERE s.network_resource_type = %s", [resource_type]) if step[0] in self.services}
        # Which values a service takes, and up to which layer.
        self.takes = stand.sql(
            "SELECT DISTINCT s.service, o.values_from, n FROM tbs.activity_step AS s JOIN tbs.service_object AS o USING (network_resource_type, service, position) "
            "CROSS JOIN LATERAL unnest(s.accepts || ARRAY(SELECT substr(r, 8) FROM unnest(tbs.document_references(coalesce(s.body, '{}'))) AS r "
            "WHERE r LIKE 'values.%%')) AS n WHERE s.network_resource_type = %s ORDER BY 1, 2, 3", [resource_type])
        self.extension = 1000

    def change(self, sql, *parameters):
        query(self.app, sql, parameters)

    # ---- the company ---------------------------------------------------------------------------------------------------

    def found(self):
        """Catalogue, two domains (one with a site), and a line for each service, variant and fullness."""
        unknown = sorted({name for _, _, name in self.takes} - set(self.samples["values"]))
        self.report.check(not unknown, "every value that a service takes has samples", ", ".join(unknown))
        self.usocs = {}
        for service in self.services:
            for variant in self.samples["variants"].get(service, [{}]):
                usoc, parameters = f"U{len(self.usocs)}", variant.get("parameters", {})
                self.usocs[usoc] = (service, self.needed(service, variant.get("on")))
                self.stand.sql("INSERT INTO tbs.master_usoc (usoc, description) VALUES (%s, %s)", [usoc, f"{service} {parameters}"])
                self.stand.sql("INSERT INTO tbs.master_usoc_network_resource (usoc, network_resource_id, service, parameters, position) "
                               "SELECT %s, network_resource_id, %s, %s, %s FROM tbs.network_resource WHERE name = %s",
                               [usoc, service, json.dumps(parameters), len(self.usocs[usoc][1]), RESOURCE])
        for name, value in self.samples["defaults"].items():
            self.stand.sql("INSERT INTO tbs.network_resource_default (network_resource_type, network_resource_id, name, value) "
                           "SELECT network_resource_type, network_resource_id, %s, %s FROM tbs.network_resource WHERE name = %s", [name, json.dumps(value), RESOURCE])
        self.change("INSERT INTO tbs.customer (account_number, name) VALUES ('1', 'Acme')")
        self.found_domain("alpha", "hq")
        self.found_domain("beta", "branch")
        self.change("UPDATE tbs.network_information SET time_zone = 'US/Eastern', caller_id_name = 'Acme', caller_id_number = '18585550100', parameters = %s "
                    "WHERE external_id = 'beta'", self.of_layer("network_information_parent", 0))
        self.change("UPDATE tbs.network_information SET time_zone = 'US/Pacific', caller_id_name = 'Acme branch', caller_id_number = '18585550101', parameters = %s "
                    "WHERE external_id = 'branch'", self.of_layer("network_information", 0))
        for usoc, (service, needed) in self.usocs.items():
            # Without a site, with one; without what can be left out, with all there is.
            for fullness, place in ((PLAIN, "alpha"), (PLAIN, "hq"), (RICH, "branch")):
                self.found_line(f"{usoc}-{fullness}-{place}", place, fullness)
            # What needs no other service makes its own domain and site.
            if needed == [service]:
                self.found_domain(f"domain{usoc}", f"site{usoc}")
                self.found_line(f"{usoc}-{PLAIN}-site{usoc}", f"site{usoc}", PLAIN)
        # Lines that have members have the seat of their place.
        self.change("INSERT INTO tbs.line_member (line_id, member_line_id, position) SELECT l.line_id, m.line_id, 1 FROM tbs.line AS l "
                    "JOIN tbs.line AS m ON m.network_information_id = l.network_information_id AND m.line_id <> l.line_id AND m.external_id LIKE %s",
                    self.usoc_of("seat") + "-%")

    def usoc_of(self, service):
        return next(usoc for usoc, (other, _) in self.usocs.items() if other == service)

    def found_domain(self, domain, site):
        address = json.dumps(self.samples["emergency_addresses"][0])
        self.change("INSERT INTO tbs.network_information (customer_id, name, switch_domain, emergency_address, external_id) SELECT customer_id, %s, %s, %s, %s FROM tbs.customer",
                    domain, domain, address, domain)
        self.change("INSERT INTO tbs.network_information (customer_id, parent_id, name, site, emergency_address, external_id) "
                    "SELECT customer_id, network_information_id, %s, %s, %s, %s FROM tbs.network_information WHERE external_id = %s", site, site, address, site, domain)

    def found_line(self, name, place, fullness):
        self.extension += 1
        extension = str(self.extension)
        self.change("INSERT INTO tbs.line (customer_id, network_information_id, telephone_number, extension, first_name, last_name, email, external_id) "
                    "SELECT customer_id, network_information_id, %s, %s, 'Ada', 'Alvarez', %s, %s FROM tbs.network_information WHERE external_id = %s",
                    "+1858555" + extension, extension, "ada@example.com" if fullness == RICH else None, name, place)
        for number in range(1 if fullness == PLAIN else 2):
            device = f"{name}-{number}"
            self.change("INSERT INTO tbs.device (mac, brand, model, external_id) VALUES (%s::macaddr, 'Yealink', 'T54W', %s)",
                        f"0011{number:02}{self.extension:06}", device)
            self.change("INSERT INTO tbs.line_device (line_id, device_id, sip_account, shared) SELECT l.line_id, d.device_id, %s, %s FROM tbs.line AS l, tbs.device AS d "
                        "WHERE l.external_id = %s AND d.external_id = %s", f"{extension}x" if number else None, number > 0, name, device)

    def needed(self, service, on=None):
        """The services of this type that a line must have before this one, and this one, in that order."""
        found = []
        for names in self.services[service]:
            found += [name for name in self.needed(on if on in names else names[0], on) if name not in found]
        return found + [service]

    def of_layer(self, layer, number):
        return json.dumps({self.type: {name: self.samples["values"][name][number] for _, values_from, name in self.takes
                                       if values_from == layer and name in self.samples["values"]}})

    def of_service(self, service, number):
        return json.dumps({self.type: {name: self.samples["values"][name][number] for other, values_from, name in self.takes
                                       if other == service and values_from in ("line_usoc", "device") and name in self.samples["values"]}})

    # ---- what happens ----------------------------------------------------------------------------------------------------

    def sell(self):
        """All USOCs, each with those that it requires. Those of the rich lines carry every value."""
        for usoc, (service, needed) in self.usocs.items():
            for other in needed:
                sold = usoc if other == service else self.usoc_of(other)
                self.change("INSERT INTO tbs.line_usoc (line_id, usoc, parameters) SELECT line_id, %s, CASE WHEN external_id LIKE '%%-rich-%%' THEN %s::jsonb ELSE '{}' END "
                            "FROM tbs.line WHERE external_id LIKE %s", sold, self.of_service(other, 0), f"{usoc}-%")
        self.settle("all USOCs sold")

    def happenings(self):
        """Each of the trigger types, and what an edit cannot do."""
        self.change("UPDATE tbs.line SET first_name = 'Grace', last_name = 'Hopper', email = 'grace@example.com'")
        self.settle("lines edited")
        for usoc, (service, _) in self.usocs.items():
            self.change("UPDATE tbs.line_usoc AS u SET quantity = 2, parameters = %s FROM tbs.line AS l WHERE l.line_id = u.line_id AND u.usoc = %s "
                        "AND l.external_id LIKE '%%-rich-%%'", self.of_service(service, 1), usoc)
        self.settle("line USOCs edited: every value is another one")
        self.change("UPDATE tbs.line_usoc SET parameters = '{}'")
        self.settle("line USOCs edited: no value any more")
        self.change("UPDATE tbs.device SET model = 'T46S'")
        self.settle("devices edited")
        self.change("UPDATE tbs.device SET mac = mac | '00:00:ff:00:00:00'::macaddr WHERE external_id LIKE '%%-0'")
        self.settle("devices replaced")
        self.change("DELETE FROM tbs.line_device AS t USING tbs.device AS d WHERE d.device_id = t.device_id AND d.external_id LIKE '%%-1'")
        self.settle("devices untied")
        self.change("UPDATE tbs.line_member SET position = 2")
        self.settle("members edited")
        self.change("DELETE FROM tbs.line_member AS m USING tbs.line AS l WHERE l.line_id = m.line_id AND l.external_id LIKE '%%-alpha'")
        self.settle("members removed")
        self.change("UPDATE tbs.network_information SET emergency_address = %s, time_zone = 'Europe/Paris', caller_id_number = NULL, parameters = "
                    "CASE external_id WHEN 'beta' THEN %s::jsonb WHEN 'branch' THEN %s::jsonb ELSE '{}' END",
                    json.dumps(self.samples["emergency_addresses"][1]), self.of_layer("network_information_parent", 1), self.of_layer("network_information", 1))
        self.settle("network information edited")
        for suspended in (True, False):
            self.change("UPDATE tbs.line SET suspended = %s", suspended)
            self.settle("lines suspended" if suspended else "lines resumed")
        self.stand.sql("SELECT tbs.rotate_secret(s.line_id, s.account, 'test', s.name) FROM tbs.subscriber_secret AS s")
        self.settle("secrets rotated")
        self.stand.sql("SELECT tbs.resync(network_resource_id => network_resource_id, reason => 'test') FROM tbs.network_resource WHERE name = %s", [RESOURCE])
        self.settle("resync")
        self.change("UPDATE tbs.line SET telephone_number = overlay(telephone_number PLACING '2' FROM 9 FOR 1)")
        self.settle("numbers changed")
        self.change("UPDATE tbs.line SET extension = '2' || substr(extension, 2)")
        self.settle("extensions changed")
        self.change("UPDATE tbs.line AS l SET network_information_id = n.network_information_id FROM tbs.network_information AS o, tbs.network_information AS n "
                    "WHERE o.network_information_id = l.network_information_id AND (o.external_id, n.external_id) IN (('hq', 'branch'), ('branch', 'hq'))")
        self.settle("lines moved to another domain")

    def end_one_after_the_other(self):
        """What requires something goes first, so that what it has added is taken away and not just gone with the rest."""
        for depth in sorted({len(needed) for _, needed in self.usocs.values()}, reverse=True):
            usocs = [usoc for usoc, (_, needed) in self.usocs.items() if len(needed) == depth]
            self.change("DELETE FROM tbs.line_usoc WHERE usoc = ANY (%s)", usocs)
            self.settle(f"USOCs deleted: {', '.join(sorted({self.usocs[usoc][0] for usoc in usocs}))}")

    def end(self):
        self.change("DELETE FROM tbs.line_usoc")
        self.settle("all USOCs deleted")

    def sell_with_lost_answers(self):
        """Sold again, and the answer to each add is lost after its effect: every object that can be looked at is."""
        adds = collections.Counter(self.stand.sql("SELECT method, path FROM tbs.activity_history WHERE event = 'api_call' AND operation = 'add'"))
        prefix = self.stand.value("SELECT substring(base_url FROM '^https?://[^/]+(/.*)$') FROM tbs.network_resource WHERE name = %s", [RESOURCE])
        rules = []
        for (method, target), count in sorted(adds.items()):
            path, _, text = target.partition("?")
            rules.append({"method": method, "path": f"^{re.escape(prefix + path)}$", "query": f"^{re.escape(text)}$", "count": count, "fault": "reset_after"})
        self.stand.switch.faults(*rules)
        self.sell()
        self.stand.switch.no_faults()

    def audit(self):
        """All of the network resource is read, and one domain of it."""
        if self.stand.value("SELECT count(*) FROM tbs.activity_type WHERE network_resource_type = %s AND trigger_type = 'audit'", [self.type]):
            for domain in (None, "beta"):
                self.stand.sql("SELECT tbs.audit_resource(%s, %s)", [RESOURCE, domain])
                self.settle(f"audit of {domain or 'all'}")

    def test_connection(self):
        self.stand.sql("SELECT tbs.test_network_resource(%s)", [RESOURCE])
        self.settle("connection test")

    def settle(self, what):
        """The queue is empty: all was carried out."""
        self.stand.wait_until_quiet(120, besides=("waiting",))
        failed = self.stand.sql("SELECT q.activity_type, l.external_id, q.last_message FROM tbs.activity_queue AS q LEFT JOIN tbs.line AS l USING (line_id) "
                                "ORDER BY q.activity_id")
        self.report.check(not failed, what, "\n".join(" | ".join(map(str, row)) for row in failed[:20]))
        if failed:
            self.stand.sql("SELECT tbs.remove_activity(array_agg(activity_id), 'seen') FROM tbs.activity")

    def play(self):
        self.found()
        self.sell()
        self.audit()
        self.happenings()
        self.end_one_after_the_other()
        # As at the start, so that the same objects are made again.
        self.change("UPDATE tbs.line AS l SET network_information_id = n.network_information_id, extension = '1' || substr(l.extension, 2) "
                    "FROM tbs.network_information AS n WHERE n.external_id = split_part(l.external_id, '-', 3)")
        self.sell_with_lost_answers()
        self.end()
        self.test_connection()
        self.complete()

    def complete(self):
        """Every step of every service has been taken, for every trigger type there was an activity."""
        made = set(self.stand.sql(
            "SELECT t.service, h.kind, h.operation, h.method FROM tbs.activity_history AS h JOIN tbs.activity_type AS t USING (activity_type_id) WHERE h.event = 'api_call'"))
        never = sorted(self.steps - made)
        self.report.check(not never, f"each of {len(self.steps)} steps was taken", "\n".join(" ".join(step) for step in never))
        never = self.stand.sql(
            "SELECT t.service, t.trigger_type FROM tbs.activity_type AS t WHERE t.network_resource_type = %s AND NOT EXISTS "
            "(SELECT FROM tbs.activity_history AS h WHERE h.activity_type_id = t.activity_type_id AND h.closes AND tbs.ended_as(h.event) = 'succeeded') ORDER BY 1, 2", [self.type])
        self.report.check(not never, "each trigger type of each service happened", "\n".join(" ".join(row) for row in never))
