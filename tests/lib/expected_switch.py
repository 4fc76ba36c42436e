#!/usr/bin/python3
"""What a Netsapiens switch must hold for the lines of a database, and how what it holds differs.

expected_switch.py compare [--resource NAME] [--state-url URL]

Derived from the business rows and the configured associations alone: no recipe, no template, no queue, no table of remote
objects is read. (SIP passwords are read from where they are kept, so this needs a superuser.) The rules are those of
docs/concepts: which objects a seat and a phone number consist of, which layer of values wins, and that a member without a
value is empty or absent.

An object has several candidates where several rows want it with different values (two seats on one line): any of them will
do. An object that nobody wants is a difference, except a site, which the API cannot delete, and what the switch marks as
made by itself.
"""
import argparse
import json
import os
import sys
import urllib.parse
import urllib.request

import psycopg2
import psycopg2.extras

TYPE = "netsapiens"
KINDS = {"domain": "domains", "site": "sites", "user": "users", "device": "devices", "phone": "phones",
         "phone_number": "phonenumbers"}

# The nearest layer whose values an object may have, and the named values that it takes from layers.
LAYERS = ["type_default", "resource_default", "association", "master_usoc", "network_information_parent", "network_information",
          "customer", "line", "line_usoc", "device", "suspension"]
CALLER_ID = {"caller-id-name", "caller-id-number", "caller-id-number-emergency", "time-zone", "dial-plan", "dial-policy", "area-code"}
VALUES = {
    "domain": ("network_information_parent",
               CALLER_ID | {"domain-type", "description", "language-token", "voicemail-enabled", "music-on-hold-enabled",
                            "limits-max-users", "limits-max-active-calls-total", "limits-max-sites", "limits-max-call-queues"}),
    "site": ("network_information", CALLER_ID),
    "user": ("line_usoc",
             CALLER_ID | {"name-first-name", "name-last-name", "email-address", "user-scope", "department", "privacy",
                          "ring-no-answer-timeout-seconds", "limits-max-active-calls-total", "language-token",
                          "directory-announce-in-dial-by-name-enabled", "directory-name-visible-in-list-enabled"}),
    "device": ("device", {"device-sip-registration-expiry-seconds", "device-srtp-enabled", "device-sip-nat-traversal-enabled",
                          "device-sip-allowed-user-agent", "auto-answer-enabled", "caller-id-number-emergency"}),
    "phone": ("device", {"device-provisioning-registration-core-server", "device-provisioning-sip-transport-protocol",
                         "device-models-overrides-blob", "notes"}),
    "phone_number": ("line_usoc", {"dial-rule-application", "dial-rule-parameter", "dial-rule-translation-source-name", "enabled"}),
}
# What lines share takes no value from the USOC of one of them.
SHARED = {"domain", "site"}
ONE_LINES_LAYERS = {"association", "master_usoc"}
# What the switch adds by itself, and so is not compared unless it is wanted.
SWITCH_ADDS = {
    "domain": {"reseller"},
    "site": set(),
    "user": {"login-username"},
    "device": {"device-sip-registration-uri", "device-sip-registration-state", "device-sip-registration-expiry-seconds",
               "caller-id-number-emergency"},
    "phone": set(),
    "phone_number": {"dial-rule-translation-source-name"},
}
SWITCH_ADDS_ALWAYS = {"created-datetime", "last-modified-datetime", "automatic"}
PHONE_KEYS = range(1, 9)


def rows(connection, sql, parameters=None):
    with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


class Values:
    """Named values in layers, the nearest winning; a null among parameters means: not sent."""

    def __init__(self):
        self.layers = {layer: {} for layer in LAYERS}

    def columns(self, layer, **named):
        self.layers[layer].update({name.replace("_", "-"): text for name, text in named.items() if text is not None})

    def parameters(self, layer, document):
        self.layers[layer].update(document or {})

    def of(self, kind):
        nearest, names = VALUES[kind]
        merged = {}
        for layer in LAYERS[: LAYERS.index(nearest) + 1]:
            if not (kind in SHARED and layer in ONE_LINES_LAYERS):
                merged.update(self.layers[layer])
        if kind not in SHARED:
            merged.update(self.layers["suspension"])
        return {name: merged[name] for name in names if merged.get(name) is not None}

    def copy(self):
        other = Values()
        other.layers = {layer: dict(named) for layer, named in self.layers.items()}
        return other


class Expected:
    """Objects that the rows want on one network resource: {kind: {key: [candidate, ...]}}, and what cannot be said."""

    def __init__(self, connection, resource):
        self.objects = {kind: {} for kind in KINDS}
        self.troubles = []
        self.resource = rows(connection, "SELECT * FROM tbs.network_resource WHERE name = %s", [resource])[0]
        self._read(connection)
        for use in self.uses:
            line = self.lines[use["line_id"]]
            missing = self._missing(line, use)
            if missing:
                self.troubles.append(f"line {line['line_id']} ({use['usoc']}) has no {missing}")
            elif use["service"] == "seat":
                self._seat(line, self._values(line, use))
            elif use["service"] == "phone_number":
                self._phone_number(line, use, self._values(line, use))

    def _read(self, connection):
        resource = self.resource["network_resource_id"]
        self.information = {r["network_information_id"]: r for r in rows(connection, "SELECT * FROM tbs.network_information")}
        self.customers = {r["customer_id"]: r for r in rows(connection, "SELECT * FROM tbs.customer")}
        self.lines = {r["line_id"]: r for r in rows(connection, "SELECT * FROM tbs.line")}
        self.usocs = {r["usoc"]: r for r in rows(connection, "SELECT * FROM tbs.master_usoc")}
        self.ties = rows(connection, "SELECT * FROM tbs.line_device ORDER BY line_device_id")
        self.devices = {r["device_id"]: r for r in rows(connection, "SELECT d.*, d.mac::text AS mac_text FROM tbs.device AS d")}
        self.defaults = rows(connection, "SELECT * FROM tbs.network_resource_default WHERE network_resource_type = %s "
                             "AND (network_resource_id IS NULL OR network_resource_id = %s) AND place = 'body' "
                             "ORDER BY shipped DESC", [TYPE, resource])
        self.passwords = {(r["line_id"], r["account"]): r["value"] for r in
                          rows(connection, "SELECT * FROM tbs.subscriber_secret WHERE name = 'sip_password'")}
        types = {r["network_resource_id"]: r["network_resource_type"] for r in rows(connection, "SELECT * FROM tbs.network_resource")}
        self.uses = []
        for use in rows(connection, "SELECT lu.*, m.service, m.parameters AS association_parameters FROM tbs.line_usoc AS lu "
                        "JOIN tbs.master_usoc_network_resource AS m ON m.usoc = lu.usoc AND m.network_resource_id = %s AND m.active "
                        "WHERE coalesce(lu.active_date <= current_date, true) AND coalesce(lu.disconnect_date >= current_date, true) "
                        "ORDER BY lu.line_usoc_id", [resource]):
            own, parent = self._information(self.lines[use["line_id"]])
            named = own and (own["network_resource_id"] or (parent and parent["network_resource_id"]))
            if not named or named == resource or types[named] != TYPE:
                self.uses.append(use)
        self.seated = {use["line_id"] for use in self.uses if use["service"] == "seat"}

    def _information(self, line):
        own = self.information.get(line["network_information_id"])
        return own, own and self.information.get(own["parent_id"])

    def _domain(self, line):
        own, parent = self._information(line)
        return own and (own["switch_domain"] or (parent and parent["switch_domain"]))

    def _missing(self, line, use):
        if not self._domain(line):
            return "switch domain"
        if not line["extension"]:
            return "extension"
        if use["service"] == "phone_number" and not (use["telephone_number"] or line["telephone_number"]):
            return "telephone number"
        if use["service"] == "seat" and (line["first_name"] is None or line["last_name"] is None):
            return "name"
        return None

    def _values(self, line, use):
        values = Values()
        for default in self.defaults:
            if default["while_suspended"]:
                values.parameters("suspension", {default["name"]: default["value"]} if line["suspended"] else {})
                continue
            values.parameters("resource_default" if default["network_resource_id"] else "type_default", {default["name"]: default["value"]})
        values.parameters("association", use["association_parameters"])
        values.parameters("master_usoc", self.usocs[use["usoc"]]["parameters"].get(TYPE))
        own, parent = self._information(line)
        for layer, record in (("network_information", own), ("network_information_parent", parent)) if parent else \
                             (("network_information_parent", own),):
            values.columns(layer, time_zone=record["time_zone"], caller_id_name=record["caller_id_name"],
                           caller_id_number=record["caller_id_number"])
            values.parameters(layer, record["parameters"].get(TYPE))
        values.parameters("customer", self.customers[line["customer_id"]]["parameters"].get(TYPE))
        values.columns("line", name_first_name=line["first_name"], name_last_name=line["last_name"], email_address=line["email"])
        values.parameters("line", line["parameters"].get(TYPE))
        values.parameters("line_usoc", use["parameters"].get(TYPE))
        return values

    def _want(self, kind, key, members, values):
        candidate = {**members, **values.of(kind)}
        candidates = self.objects[kind].setdefault(key, [])
        if candidate not in candidates:
            candidates.append(candidate)

    def _seat(self, line, values):
        domain, extension = self._domain(line), line["extension"]
        own, parent = self._information(line)
        self._want("domain", domain, {"domain": domain, "description": domain}, values)
        if parent and own["site"] is not None:
            self._want("site", f"{own['site']}@{domain}", {"domain": domain, "site": own["site"]}, values)
        self._want("user", f"{extension}@{domain}",
                   {"domain": domain, "user": extension, "service-code": f"tbs:{line['line_id']}", "site": own["site"]}, values)
        for tie in self.ties:
            if tie["line_id"] != line["line_id"]:
                continue
            device = self.devices[tie["device_id"]]
            account = tie["sip_account"] or extension
            tied = values.copy()
            tied.parameters("device", device["parameters"].get(TYPE))
            tied.parameters("device", tie["parameters"].get(TYPE))
            self._want("device", f"{account}@{domain}",
                       {"domain": domain, "user": extension, "device": account,
                        "device-sip-registration-password": self.passwords.get((line["line_id"], account), "(none was made)")}, tied)
            if device["mac_text"]:
                own_device = values.copy()
                own_device.parameters("device", device["parameters"].get(TYPE))
                self._phone(device, domain, own_device)

    def _phone(self, device, domain, values):
        mac = device["mac_text"].replace(":", "")
        phone = {"device-provisioning-mac-address": mac, "domain": domain,
                 "device-models-brand-and-model": f"{device['brand'] or ''} {device['model'] or ''}"}
        for key in PHONE_KEYS:
            phone[f"device-provisioning-sip-uri-{key}"] = ""
            phone[f"device-provisioning-line-{key}-enabled"] = "no"
            phone[f"device-provisioning-sip-uri-{key}-shared-line-enabled"] = "no"
        for tie in self.ties:
            if tie["device_id"] == device["device_id"] and tie["line_id"] in self.seated and tie["slot"] in PHONE_KEYS:
                line, key = self.lines[tie["line_id"]], tie["slot"]
                phone[f"device-provisioning-sip-uri-{key}"] = f"sip:{tie['sip_account'] or line['extension']}@{self._domain(line)}"
                phone[f"device-provisioning-line-{key}-enabled"] = "yes"
                phone[f"device-provisioning-sip-uri-{key}-shared-line-enabled"] = "yes" if tie["shared"] else "no"
        self._want("phone", mac, phone, values)

    def _phone_number(self, line, use, values):
        number = (use["telephone_number"] or line["telephone_number"]).lstrip("+")
        domain = self._domain(line)
        self._want("phone_number", number,
                   {"domain": domain, "phonenumber": number, "dial-rule-translation-destination-user": line["extension"],
                    "dial-rule-translation-destination-host": domain, "dial-rule-description": f"tbs:{line['line_id']}",
                    "enabled": "yes"}, values)


def differences_of(kind, wanted, found):
    """[(member, wanted, found)] of one object."""
    ignored = SWITCH_ADDS_ALWAYS | (SWITCH_ADDS[kind] - set(wanted))
    differences = []
    for member in sorted((set(wanted) | set(found)) - ignored):
        # Empty, absent and null are one thing to the switch.
        pair = ["" if side.get(member) is None else side[member] for side in (wanted, found)]
        if pair[0] != pair[1]:
            differences.append((member, wanted.get(member), found.get(member)))
    return differences


def compare(connection, state, resource):
    """({kind: objects that agree}, [(kind, key, text)] differences)."""
    expected = Expected(connection, resource)
    agree = {kind: 0 for kind in KINDS}
    differences = [("line", "", trouble) for trouble in expected.troubles]
    for kind, plural in KINDS.items():
        found = state[plural]
        for key, candidates in sorted(expected.objects[kind].items()):
            if key not in found:
                differences.append((kind, key, "the switch does not have it"))
                continue
            of_best = min((differences_of(kind, candidate, found[key]) for candidate in candidates), key=len)
            agree[kind] += not of_best
            differences += [(kind, key, f"{member}: the switch has {json.dumps(has)}, the database wants {json.dumps(wants)}")
                            for member, wants, has in of_best]
        for key in sorted(set(found) - set(expected.objects[kind])):
            if kind != "site" and not found[key].get("automatic"):
                differences.append((kind, key, "the switch has it, and nobody wants it"))
    return agree, differences


def print_comparison(agree, differences, limit=None):
    for kind, count in agree.items():
        differing = len({key for other, key, _ in differences if other == kind})
        print(f"  {kind:<14}{count:>6} agree{differing:>6} differ")
    for kind, key, text in differences[:limit]:
        print(f"  {kind} {key}: {text}")
    if limit is not None and len(differences) > limit:
        print(f"  and {len(differences) - limit} more")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["compare"])
    parser.add_argument("--resource", help="name of the network resource; default: the only one of type netsapiens")
    parser.add_argument("--state-url", help="where the switch's state is; default: /_state at TBS_SWITCH_URL, or at the resource's base URL")
    options = parser.parse_args()
    connection = psycopg2.connect("")
    # All rows as of one moment.
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    resources = rows(connection, "SELECT name, base_url FROM tbs.network_resource WHERE network_resource_type = %s "
                     "AND (%s IS NULL OR name = %s)", [TYPE, options.resource, options.resource])
    if len(resources) != 1:
        parser.error(f"there are {len(resources)} such network resources of type {TYPE}; --resource NAME chooses one")
    base_url = os.environ.get("TBS_SWITCH_URL", resources[0]["base_url"])
    url = options.state_url or urllib.parse.urljoin(base_url, "/_state")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as answer:
        state = json.load(answer)
    agree, differences = compare(connection, state, resources[0]["name"])
    print_comparison(agree, differences)
    print(f"{sum(agree.values())} objects agree with the database, {len(differences)} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
