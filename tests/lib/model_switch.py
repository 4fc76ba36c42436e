"""A switch in memory, for the random test of the queue: it takes the requests of the netsapiens steps and answers as tbs-switch does.

Here a request has its effect in the very call that carries it, or has none: when the answer arrives, or whether it does, is
the test's decision.
"""
import json
import urllib.parse

API = "/ns-api/v2/"
PLURALS = {"domain": "domains", "site": "sites", "user": "users", "device": "devices", "phone": "phones", "phone_number": "phonenumbers"}
MAC = "device-provisioning-mac-address"
DESTINATION = "dial-rule-translation-destination-user"
# What an object keeps whatever a change says.
FIXED = {"domain": {"domain"}, "site": {"domain", "site"}, "user": {"domain", "user"}, "device": {"domain", "user", "device"},
         "phone": {MAC}, "phone_number": {"domain", "phonenumber"}}


def refusal(status, message):
    return status, {"code": status, "message": message}


class Switch:
    """Objects by kind and key, in the spelling of the database's remote objects."""

    def __init__(self):
        self.objects = {kind: {} for kind in PLURALS}
        self.calls = 0

    def state(self):
        """As tbs-switch's /_state."""
        return {plural: self.objects[kind] for kind, plural in PLURALS.items()}

    def carry_out(self, method, path, body):
        """(status, document) of a request, after its effect."""
        self.calls += 1
        parts = [urllib.parse.unquote(part) for part in path.lstrip("/").split("/")]
        document = json.loads(body) if body else {}
        document.pop("synchronous", None)
        if parts[0] == "phones":
            return self._phone(method, parts[1] if len(parts) > 1 else document.get(MAC), document)
        if parts[0] != "domains":
            return 200, {}
        if len(parts) == 1:
            return self._create("domain", document["domain"], {**document, "reseller": "reseller"})
        domain = parts[1]
        if domain not in self.objects["domain"]:
            return refusal(404, f"Domain {domain} does not exist")
        if len(parts) == 2:
            return self._domain(method, domain, document)
        if len(parts) > 4:
            return self._device(method, domain, parts[3], parts[5] if len(parts) > 5 else None, document)
        kind, member = {"sites": ("site", "site"), "users": ("user", "user"), "phonenumbers": ("phone_number", "phonenumber")}[parts[2]]
        name = parts[3] if len(parts) > 3 else document[member]
        if kind == "phone_number":
            return self._phone_number(method, domain, name, document)
        key = f"{name}@{domain}"
        if method == "POST":
            status, answer = self._create(kind, key, {**document, "domain": domain})
        else:
            status, answer = self._item(kind, method, key, document)
        if kind == "user" and method in ("POST", "PUT") and status < 300 and document.get("site"):
            self.objects["site"].setdefault(f"{document['site']}@{domain}", {"domain": domain, "site": document["site"], "automatic": True})
        if kind == "user" and method == "DELETE" and status < 300:
            self._remove("device", lambda device: (device["domain"], device["user"]) == (domain, name))
        return status, answer

    # ---- by kind ---------------------------------------------------------------------------------------------------

    def _domain(self, method, domain, document):
        if method == "DELETE":
            for kind in PLURALS:
                self._remove(kind, lambda thing: thing.get("domain") == domain)
            return 202, {"code": 202}
        return self._item("domain", method, domain, {**document, **({"reseller": "reseller"} if "reseller" in document else {})})

    def _device(self, method, domain, user, name, document):
        if f"{user}@{domain}" not in self.objects["user"]:
            return refusal(404, f"User {user} does not exist in domain {domain}")
        if method == "POST":
            return self._create("device", f"{document['device']}@{domain}", {
                **document, "domain": domain, "user": user, "device-sip-registration-expiry-seconds":
                document.get("device-sip-registration-expiry-seconds", 60)})
        device = self.objects["device"].get(f"{name}@{domain}")
        if device is None or device["user"] != user:
            return refusal(404, "Not Found")
        return self._item("device", method, f"{name}@{domain}", document)

    def _phone_number(self, method, domain, number, document):
        known = self.objects["phone_number"].get(number)
        if method == "POST":
            return self._create("phone_number", number, {"enabled": "yes", **document, "domain": domain})
        if known is not None and known["domain"] != domain:
            return refusal(409, "Phone number already exists") if method == "PUT" else refusal(404, "Not Found")
        # As the real switch: a change without a destination takes it away.
        return self._item("phone_number", method, number, {DESTINATION: "", **document} if method == "PUT" else document)

    def _phone(self, method, mac, document):
        if method in ("POST", "PUT") and document.get("domain") not in self.objects["domain"]:
            return refusal(404, f"Domain {document.get('domain')} does not exist")
        return self._create("phone", mac, document) if method == "POST" else self._item("phone", method, mac, document)

    # ---- what all have in common -------------------------------------------------------------------------------------

    def _create(self, kind, key, thing):
        if key in self.objects[kind]:
            return refusal(409, f"{kind} already exists.")
        self.objects[kind][key] = thing
        return 200, thing

    def _item(self, kind, method, key, document):
        thing = self.objects[kind].get(key)
        if thing is None:
            return refusal(404, "Not Found")
        if method == "GET":
            return 200, thing
        if method == "DELETE":
            del self.objects[kind][key]
        else:
            thing.update({name: value for name, value in document.items() if name not in FIXED[kind]})
            thing.pop("automatic", None)
        return 202, {"code": 202}

    def _remove(self, kind, condition):
        self.objects[kind] = {key: thing for key, thing in self.objects[kind].items() if not condition(thing)}
