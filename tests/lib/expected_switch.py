#!/usr/bin/python3
"""What a Netsapiens switch must hold for the lines of a database, and how what it holds differs.

expected_switch.py compare [--resource NAME] [--state-url URL]

Derived from the business rows and the configured associations alone: no recipe, no template, no queue, no table of remote
objects is read. (SIP passwords are read from where they are kept, so this needs a superuser.) The rules are those of
docs/concepts: which objects the services consist of, which layer of values wins, and that a member without a value is empty
or absent. What voicemail and the like own of a user is compared as part of the user.

An object has several candidates where several rows want it with different values (two seats on one line): any of them will
do. An object that nobody wants is a difference, except a site, which the API cannot delete, and what the switch marks as
made by itself.
"""
import argparse
import itertools
import json
import os
import sys
import urllib.parse
import urllib.request

import psycopg2
import psycopg2.extras

TYPE = "netsapiens"
KINDS = {"domain": "domains", "site": "sites", "user": "users", "device": "devices", "phone": "phones",
         "phone_number": "phonenumbers", "answer_rule": "answerrules", "call_queue": "callqueues", "agent": "agents",
         "emergency_address": "addresses", "emergency_endpoint": "endpoints"}

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
             {"name-first-name", "name-last-name", "email-address", "user-scope", "department", "time-zone", "dial-plan", "area-code",
              "ring-no-answer-timeout-seconds", "limits-max-active-calls-total", "language-token",
              "directory-announce-in-dial-by-name-enabled", "directory-name-visible-in-list-enabled"}),
    "queue_user": ("line_usoc", {"name-first-name", "name-last-name", "email-address", "time-zone", "dial-plan", "language-token"}),
    "voicemail": ("line_usoc",
                  {"voicemail-user-control-enabled", "voicemail-transcription-enabled", "voicemail-receive-broadcast-enabled",
                   "voicemail-playback-announce-datetime-received", "voicemail-playback-announce-caller-id",
                   "voicemail-playback-sort-newest-to-oldest", "email-send-alert-new-voicemail-enabled",
                   "email-send-alert-new-voicemail-behavior", "email-send-alert-new-voicemail-cc-list-csv"}),
    "caller_id": ("line_usoc", {"caller-id-number", "caller-id-name", "privacy"}),
    "dial_policy": ("line_usoc", {"dial-policy"}),
    "answer_rule": ("line_usoc",
                    {"simultaneous-ring", "do-not-disturb", "forward-always", "forward-on-active", "forward-on-busy", "forward-no-answer",
                     "forward-when-unregistered", "forward-on-dnd", "forward-on-spam-call", "call-screening", "phone-numbers-to-allow",
                     "phone-numbers-to-reject"}),
    "call_queue": ("line_usoc",
                   {"callqueue-dispatch-type", "callqueue-calculate-statistics", "callqueue-agent-dispatch-timeout-seconds",
                    "callqueue-force-full-intro-playback", "callqueue-max-callback-queueing-hours",
                    "callqueue-max-current-callers-to-accept-new-callers", "callqueue-max-current-wait-to-accept-new-callers-seconds",
                    "callqueue-max-wait-timeout-minutes", "callqueue-require-available-agents-to-accept-new-callers",
                    "callqueue-agent-auto-logout-after-missed", "callqueue-sim-ring-1st-round", "callqueue-sim-ring-increment",
                    "recording-configuration"}),
    "agent": ("device", {"callqueue-agent-availability-type", "callqueue-agent-wrap-up-allowance-seconds",
                         "callqueue-agent-dispatch-queue-priority-ordinal", "callqueue-agent-answer-confirmation-enabled"}),
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
    # The PIN of a voicemail that is no more stays, where nobody can use it.
    "user": {"login-username", "voicemail-login-pin"},
    "device": {"device-sip-registration-uri", "device-sip-registration-state", "device-sip-registration-expiry-seconds",
               "caller-id-number-emergency"},
    "phone": set(),
    "phone_number": {"dial-rule-translation-source-name"},
    "answer_rule": set(),
    "call_queue": set(),
    "agent": set(),
    "emergency_address": {"address-formatted-pidflo"},
    "emergency_endpoint": set(),
}
# What a member is like when nobody wants it: as good as none.
OFF = {"voicemail-enabled": "no", "caller-id-number": "[*]", "privacy": "no", "caller-id-number-emergency": "[*]"}
# What the switch has for a user for whom nobody wants anything else.
OWN_DEVICES_RING = {"simultaneous-ring": {"enabled": "yes", "parameters": ["<OwnDevices>"]}}
# Services that make a user.
USERS = {"seat", "call_queue"}
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
            else:
                getattr(self, "_" + use["service"])(line, use, self._values(line, use))
        self._add_parts_of_users()

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
        self.secrets = {(r["line_id"], r["account"], r["name"]): r["value"] for r in rows(connection, "SELECT * FROM tbs.subscriber_secret")}
        self.members = rows(connection, "SELECT * FROM tbs.line_member")
        self.suspends = {r["service"]: not r["ignores_suspension"] for r in
                         rows(connection, "SELECT * FROM tbs.service WHERE network_resource_type = %s", [TYPE])}
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
        self.services = {}
        for use in self.uses:
            self.services.setdefault(use["line_id"], set()).add(use["service"])
        # Of each user, by key: what each service that owns a part of it wants it to be like.
        self.parts = {}

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
        if use["service"] == "e911" and not self._emergency_address(line)[1]:
            return "emergency address"
        if use["service"] not in USERS and not self._services(line) & USERS:
            return "user"
        return None

    def _services(self, line):
        return self.services.get(line["line_id"], set())

    def _user(self, line):
        return f"{line['extension']}@{self._domain(line)}"

    def _emergency_address(self, line):
        """The record that has it, and the address."""
        own, parent = self._information(line)
        record = own if own["emergency_address"] is not None or not parent else parent
        return record["network_information_id"], record["emergency_address"]

    def _values(self, line, use):
        values = Values()
        for default in self.defaults:
            if default["while_suspended"]:
                suspended = line["suspended"] and self.suspends[use["service"]]
                values.parameters("suspension", {default["name"]: default["value"]} if suspended else {})
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

    def _place(self, line, values):
        """Its domain and its site."""
        domain = self._domain(line)
        own, parent = self._information(line)
        self._want("domain", domain, {"domain": domain, "description": domain}, values)
        if parent and own["site"] is not None:
            self._want("site", f"{own['site']}@{domain}", {"domain": domain, "site": own["site"]}, values)
        return domain, own["site"]

    def _seat(self, line, _, values):
        domain, site = self._place(line, values)
        self._want("user", self._user(line),
                   {"domain": domain, "user": line["extension"], "service-code": f"tbs:{line['line_id']}", "site": site}, values)
        if "dial_permission" not in self._services(line):
            self._part(line, "dial_policy", values.of("dial_policy"))
        if "sip_account" not in self._services(line):
            self._sip_account(line, None, values)
        if "phone" not in self._services(line):
            self._phones(line, values)

    def _tied(self, line):
        return [(tie, self.devices[tie["device_id"]]) for tie in self.ties if tie["line_id"] == line["line_id"]]

    def _sip_account(self, line, _, values):
        domain, extension = self._domain(line), line["extension"]
        for tie, device in self._tied(line):
            account = tie["sip_account"] or extension
            tied = values.copy()
            tied.parameters("device", device["parameters"].get(TYPE))
            tied.parameters("device", tie["parameters"].get(TYPE))
            self._want("device", f"{account}@{domain}",
                       {"domain": domain, "user": extension, "device": account,
                        "device-sip-registration-password": self.secrets.get((line["line_id"], account, "sip_password"), "(none was made)")}, tied)

    def _phones(self, line, values):
        for _, device in self._tied(line):
            if device["mac_text"]:
                own_device = values.copy()
                own_device.parameters("device", device["parameters"].get(TYPE))
                self._phone_of(device, self._domain(line), own_device)

    def _phone(self, line, _, values):
        self._phones(line, values)

    def _part(self, line, service, members):
        self.parts.setdefault(self._user(line), {}).setdefault(service, []).append(members)

    def _add_parts_of_users(self):
        """To each way a user may be, each way its parts may be; and the answer rule that nobody wants to be another."""
        for key, candidates in self.objects["user"].items():
            choices = list(itertools.product(*self.parts.get(key, {}).values()))
            self.objects["user"][key] = [{**candidate, **{n: v for part in choice for n, v in part.items()}}
                                         for candidate in candidates for choice in choices]
            rule = f"* of {key}"
            if rule not in self.objects["answer_rule"]:
                user, domain = key.split("@")
                self.objects["answer_rule"][rule] = [{"domain": domain, "user": user, "time-frame": "*", "enabled": "yes", **OWN_DEVICES_RING}]

    def _voicemail(self, line, _, values):
        self._part(line, "voicemail", {"voicemail-enabled": "yes", **values.of("voicemail")})
        self._part(line, "voicemail_pin", {"voicemail-login-pin": self.secrets.get((line["line_id"], "", "voicemail_pin"), "(none was made)")})

    def _caller_id(self, line, use, values):
        number = use["telephone_number"] or line["telephone_number"]
        self._part(line, "caller_id", {"caller-id-number": number and number.lstrip("+"), **values.of("caller_id")})

    def _dial_permission(self, line, _, values):
        self._part(line, "dial_policy", values.of("dial_policy"))

    def _call_forwarding(self, line, _, values):
        self._rule(line, "*", values)

    def _answer_rule(self, line, _, values):
        self._rule(line, next(values.layers[layer]["time-frame"] for layer in reversed(LAYERS) if "time-frame" in values.layers[layer]), values)

    def _rule(self, line, frame, values):
        self._want("answer_rule", f"{frame} of {self._user(line)}",
                   {"domain": self._domain(line), "user": line["extension"], "time-frame": frame, "enabled": "yes"}, values)

    def _call_queue(self, line, _, values):
        domain, site = self._place(line, values)
        names = {**{"name-first-name": "Call", "name-last-name": "Queue"}, **values.of("queue_user")}
        user = {"domain": domain, "user": line["extension"], "user-scope": "No Portal", "service-code": "system-queue",
                "status-message": f"tbs:{line['line_id']}", "site": site, **names}
        self.objects["user"].setdefault(self._user(line), []).append(user)
        self._want("call_queue", self._user(line), {"domain": domain, "callqueue": line["extension"],
                                                    "description": f"{names['name-first-name']} {names['name-last-name']}"}, values)
        for member in self.members:
            other = self.lines[member["member_line_id"]]
            if member["line_id"] == line["line_id"] and self._domain(other) == domain and other["extension"] and self._services(other) & USERS:
                one = values.copy()
                one.parameters("device", member["parameters"].get(TYPE))
                self._want("agent", f"{self._user(other)} in {self._user(line)}",
                           {"domain": domain, "callqueue": line["extension"], "callqueue-agent-id": self._user(other),
                            "callqueue-agent-availability-type": "automatic", "callqueue-agent-dispatch-order-ordinal": member["position"]}, one)

    def _e911(self, line, use, values):
        domain = self._domain(line)
        record, address = self._emergency_address(line)
        number = (use["telephone_number"] or line["telephone_number"]).lstrip("+")
        words = {"address-name": address.get("name", "Office"), "caller-name": address["caller_name"], "address-line-1": address["line_1"],
                 "address-line-2": address.get("line_2"), "address-city": address["city"],
                 "address-state-province-abbreviation": address["state"], "address-postal-code": address["postal_code"],
                 "address-country-abbreviation": address.get("country", "US"), "address-location-description": address.get("location")}
        self.objects["emergency_address"][f"tbs-{record}@{domain}"] = [{"domain": domain, "emergency-address-id": f"tbs-{record}", **words}]
        carrier = next(values.layers[layer]["carrier"] for layer in reversed(LAYERS) if "carrier" in values.layers[layer])
        self.objects["emergency_endpoint"].setdefault(number, []).append(
            {"domain": domain, "address-callback-number": number, "location-id": f"tbs-{record}", "carrier": carrier, **words})
        self._part(line, "e911", {"emergency-address-id": f"tbs-{record}", "caller-id-number-emergency": number})

    def _phone_of(self, device, domain, values):
        mac = device["mac_text"].replace(":", "")
        phone = {"device-provisioning-mac-address": mac, "domain": domain,
                 "device-models-brand-and-model": f"{device['brand'] or ''} {device['model'] or ''}"}
        for key in PHONE_KEYS:
            phone[f"device-provisioning-sip-uri-{key}"] = ""
            phone[f"device-provisioning-line-{key}-enabled"] = "no"
            phone[f"device-provisioning-sip-uri-{key}-shared-line-enabled"] = "no"
        for tie in self.ties:
            if tie["device_id"] == device["device_id"] and self.services.get(tie["line_id"], set()) & {"seat", "phone"} and tie["slot"] in PHONE_KEYS:
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


def plain(member, value):
    """Empty, absent, null and off are one thing to the switch."""
    if value is None or value == OFF.get(member) or (isinstance(value, dict) and value.get("enabled") == "no"):
        return ""
    return value


def differences_of(kind, wanted, found):
    """[(member, wanted, found)] of one object."""
    ignored = SWITCH_ADDS_ALWAYS | (SWITCH_ADDS[kind] - set(wanted))
    differences = []
    for member in sorted((set(wanted) | set(found)) - ignored):
        pair = [plain(member, side.get(member)) for side in (wanted, found)]
        if pair[0] != pair[1]:
            differences.append((member, wanted.get(member), found.get(member)))
    return differences


def compare(connection, state, resource):
    """({kind: objects that agree}, [(kind, key, text)] differences)."""
    expected = Expected(connection, resource)
    agree = {kind: 0 for kind in KINDS}
    differences = [("line", "", trouble) for trouble in expected.troubles]
    for kind, plural in KINDS.items():
        if plural not in state:
            # A stand-in that does not know of such things.
            continue
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
            # A number in stock is nobody's, and is to be there.
            in_stock = found[key].get("dial-rule-application") == "available-number"
            if kind != "site" and not in_stock and not found[key].get("automatic"):
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
