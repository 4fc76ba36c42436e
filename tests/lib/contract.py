"""Whether requests are as a contract says: an OpenAPI document (the vendor's, or a small one of ours), or a list of form calls.

A violation names the call, the rule and the member, so that an exception can be a row: which calls, which rule, which members, why.
Bodies and parameters are validated by python3-jsonschema; what JSON Schema leaves open and a switch ignores silently, members and
query parameters that the document does not list, is a violation here. A member that the document calls read-only must not be sent,
and is not required of a request.
"""
import copy
import json
import os
import re
import urllib.parse
from dataclasses import dataclass, replace

import jsonschema

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
SHOWN = 40
FORMATS = jsonschema.FormatChecker(["email"])


def reference(name):
    """A file of the vendor's documents, which are not ours to ship; nothing where it is absent."""
    folder = os.environ.get("TBS_NETSAPIENS_REFERENCE") or os.path.join(ROOT, "..", "shared", "reference", "netsapiens")
    path = os.path.join(folder, name)
    return path if os.path.exists(path) else None


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # below the base URL, percent-encoded
    query: tuple  # ((name, value), ...)
    content_type: str
    body: object  # as JSON; of a form: {name: value}; None: no body

    def __str__(self):
        text = urllib.parse.urlencode(self.query)
        return f"{self.method} {self.path}{'?' + text if text else ''} {'' if self.body is None else json.dumps(self.body)}"


@dataclass(frozen=True)
class Violation:
    call: str
    rule: str  # call, query, content type, missing, unlisted, read-only, value
    member: str
    value: object = None
    text: str = ""

    def __str__(self):
        return f"{self.call}: {self.rule} {self.member}{': ' + self.text if self.text else ''}"


def request_of(entry, base_path):
    """The request of a line of the stand-in's journal."""
    content_type = entry["headers"].get("content-type", "").split(";")[0]
    body = entry["body"]
    if content_type == "application/x-www-form-urlencoded":
        body = dict(urllib.parse.parse_qsl(body or "", keep_blank_values=True, strict_parsing=bool(body)))
    query = tuple(urllib.parse.parse_qsl(entry["query"], keep_blank_values=True))
    return Request(entry["method"], entry["path"].removeprefix(base_path), query, content_type, body)


class OpenApi:
    """The calls of an OpenAPI 3.1 document. `#1`, `#2` at the end of a path are several descriptions of one URL: one of them has to fit."""

    def __init__(self, path):
        self.document = read_json(path)
        self.resolver = jsonschema.RefResolver.from_schema(self.document)
        self.validators = {}
        self.calls = []  # (number of literal segments, expression, template, method, [operation])
        by_url = {}
        for template, item in self.document["paths"].items():
            for method in ("get", "post", "put", "patch", "delete"):
                if method in item:
                    key = (template.split("#")[0], method.upper())
                    by_url.setdefault(key, []).append((item[method], item.get("parameters", [])))
        for (template, method), operations in by_url.items():
            segments = template.strip("/").split("/")
            expression = "/".join(rf"(?P<p{i}>[^/]+)" if s.startswith("{") else re.escape(s) for i, s in enumerate(segments))
            names = {f"p{i}": s[1:-1] for i, s in enumerate(segments) if s.startswith("{")}
            self.calls.append((len(segments) - len(names), re.compile("/" + expression), names, template, method, operations))
        self.calls.sort(key=lambda call: -call[0])

    def violations(self, request):
        for _, expression, names, template, method, operations in self.calls:
            found = expression.fullmatch(request.path)
            if found and method == request.method:
                values = {name: urllib.parse.unquote(found[group]) for group, name in names.items()}
                call = f"{method} {template}"
                return min((self._of_operation(call, request, values, *operation) for operation in operations), key=len)
        return [Violation(f"{request.method} {request.path}", "call", "", text="the document has no such call")]

    def _of_operation(self, call, request, values, operation, shared_parameters):
        found = []
        listed = [self._plain(p) for p in shared_parameters + operation.get("parameters", [])]
        parameters = {(p["in"], p["name"]): p for p in listed}
        for name, text in values.items():
            if ("path", name) in parameters:
                found += self._of_parameter(call, parameters["path", name], text)
        sent = dict(request.query)
        for name, text in sent.items():
            if ("query", name) not in parameters:
                found.append(Violation(call, "query", name, text))
            else:
                found += self._of_parameter(call, parameters["query", name], text)
        found += [Violation(call, "query", name, text="is required") for (place, name), p in parameters.items()
                  if place == "query" and p.get("required") and name not in sent]
        return found + self._of_body(call, request, operation.get("requestBody"))

    def _of_parameter(self, call, parameter, text):
        schema = parameter["schema"]
        if self._plain(schema).get("type") in ("integer", "number") and re.fullmatch(r"-?\d+", text):
            text = int(text)
        return [Violation(call, "value", parameter["name"], text, e.message) for e in self._validator(schema).iter_errors(text)]

    def _of_body(self, call, request, described):
        if request.body is None:
            return [Violation(call, "missing", "the body")] if described and self._needs_members(described) else []
        if not described:
            return [Violation(call, "unlisted", "the body", request.body)]
        if request.content_type not in described["content"]:
            return [Violation(call, "content type", request.content_type)]
        schema = described["content"][request.content_type]["schema"]
        found = self._unlisted(call, schema, request.body, "")
        for error in self._validator(schema).iter_errors(request.body):
            place = [str(part) for part in error.absolute_path]
            if error.validator == "required":
                missing = re.match(r"'(.*)' is a required property", error.message)[1]
                found.append(Violation(call, "missing", ".".join(place + [missing])))
            else:
                found.append(Violation(call, "value", ".".join(place), error.instance, error.message))
        return found

    def _needs_members(self, described):
        return all(self._plain(c["schema"]).get("required") for c in described["content"].values())

    def _plain(self, schema):
        """Without reference, its parts put together."""
        if "$ref" in schema:
            return self._plain(self.resolver.resolve(schema["$ref"])[1])
        if "allOf" not in schema:
            return schema
        parts = [self._plain(part) for part in schema["allOf"]]
        return {"type": "object", "properties": {name: member for part in parts for name, member in part.get("properties", {}).items()},
                "required": [name for part in parts for name in part.get("required", [])]}

    def _unlisted(self, call, schema, body, prefix):
        """Members that nobody has described, at any depth, and read-only ones."""
        properties = self._plain(schema).get("properties")
        if not isinstance(body, dict) or not properties:
            return []
        found = []
        for name, value in body.items():
            if name not in properties:
                found.append(Violation(call, "unlisted", prefix + name, value))
            elif properties[name].get("readOnly"):
                found.append(Violation(call, "read-only", prefix + name, value))
            else:
                found += self._unlisted(call, properties[name], value, f"{prefix}{name}.")
        return found

    def _validator(self, schema):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            own = copy.deepcopy(self._plain(schema))
            own["required"] = [n for n in own.get("required", []) if not own.get("properties", {}).get(n, {}).get("readOnly")]
            self.validators[key] = jsonschema.Draft202012Validator(own, resolver=self.resolver, format_checker=FORMATS)
        return self.validators[key]


class FormCalls:
    """Calls by ?object=...&action=... with a form: which fields have to be there, and which may. Several descriptions of one call: one has to fit."""

    def __init__(self, calls):
        self.calls = calls  # {"subscriber create": [(required, optional), ...]}

    @classmethod
    def of_ours(cls, path):
        return cls({call: [(fields["required"], fields.get("optional", []))] for call, fields in read_json(path)["calls"].items()})

    @classmethod
    def of_collection(cls, path):
        """The vendor's collection: a heading with object and action, below it lines REQ: and OPT: with the fields."""
        calls = {}
        with open(path, encoding="utf-8") as file:
            for part in re.split(r"^### ", file.read(), flags=re.M)[1:]:
                heading = re.match(r".*\bobject=(\w+)&action=(\w+)", part)
                if heading:
                    required, optional = ([name.strip() for line in re.findall(rf"^ *{kind}: *(.*)$", part, re.M) for name in line.split(",")]
                                          for kind in ("REQ", "OPT"))
                    calls.setdefault(f"{heading[1]} {heading[2]}", []).append((required, optional))
        return cls(calls)

    def violations(self, request):
        query = dict(request.query)
        call = f"{query.get('object')} {query.get('action')}"
        if request.method != "POST" or request.path != "/" or call not in self.calls:
            return [Violation(call, "call", "", text=f"there is no such call: {request.method} {request.path}")]
        found = [Violation(call, "query", name, text) for name, text in query.items() if name not in ("object", "action")]
        if request.content_type != "application/x-www-form-urlencoded":
            found.append(Violation(call, "content type", request.content_type))
        sent = request.body or {}
        return found + min(([Violation(call, "missing", name) for name in required if name not in sent]
                            + [Violation(call, "unlisted", name, text) for name, text in sent.items() if name not in required + optional]
                            for required, optional in self.calls[call]), key=len)


class Exceptions:
    """Rows of what is allowed against a document, each with its reason; one that is not needed any more is a fault too."""

    def __init__(self, rows):
        self.rows = rows
        self.used = [False] * len(rows)
        for row in rows:
            if not row.get("reason"):
                raise ValueError(f"an exception without a reason: {row}")

    def allow(self, violation):
        for number, row in enumerate(self.rows):
            if (re.fullmatch(row["call"], violation.call) and row["rule"] == violation.rule
                    and any(re.fullmatch(member, violation.member) for member in row["members"])
                    and ("value" not in row or row["value"] == violation.value)):
                self.used[number] = True
                return True
        return False

    def unused(self):
        return [row for row, used in zip(self.rows, self.used) if not used]


def distinct(requests):
    """One of each: the same bytes are checked once."""
    return list({str(request): request for request in requests}.values())


def check_finds(report, requests, document, what):
    """The document finds what is put wrong in a request that is right: else its silence would say nothing."""
    good = next(request for request in distinct(requests) if not document.violations(request) and request.method == "POST" and isinstance(request.body, dict)
                and len(request.body) > 3)
    name, value = next((name, value) for name, value in good.body.items() if document.violations(replace(good, body={n: v for n, v in good.body.items() if n != name})))
    wrong = {"call": replace(good, path=good.path + "/nothing"), "query": replace(good, query=good.query + (("nothing", "1"),)),
             "content type": replace(good, content_type="text/plain"), "unlisted": replace(good, body={**good.body, "nothing": value}),
             "missing": replace(good, body={n: v for n, v in good.body.items() if n != name})}
    for rule, request in wrong.items():
        rules = [violation.rule for violation in document.violations(request)]
        report.check(rules == [rule], f"{what} finds what is wrong: {rule}", f"it finds {rules} in {request}")


def check(report, requests, document, exceptions, what):
    """One check of the report: no request breaks the document but where an exception says why."""
    found = {}
    allowed = 0
    for request in distinct(requests):
        for violation in document.violations(request):
            if exceptions.allow(violation):
                allowed += 1
            else:
                found.setdefault((violation.call, violation.rule, violation.member), (violation, request))
    report.check(not found, f"{what}: {len(distinct(requests))} requests, {allowed} exceptions, 0 violations",
                 "\n".join(f"{violation}\n    {str(request)[:200]}" for violation, request in list(found.values())[:SHOWN]))
    check_finds(report, requests, document, what)
    unused = exceptions.unused()
    report.check(not unused, f"{what}: every exception is needed", "\n".join(json.dumps(row) for row in unused))
