"""The table of docs/netsapiens.md: which calls a service makes for which trigger type, and what an edit can and cannot change. From the rows alone."""
import json
import re

from psycopg2.extras import Json

LAYERS = ["type_default", "resource_default", "association", "master_usoc", "network_information_parent", "network_information", "customer", "line",
          "line_usoc", "device"]
# What a trigger type says has changed: parts of the context, and layers of values.
CHANGES = {
    "usoc_edited": ({"line_usoc", "usoc"}, {"line_usoc"}),
    "line_changed": ({"line", "members"}, {"line"}),
    "network_information_changed": ({"network_information"}, {"network_information_parent", "network_information"}),
    "device_changed": ({"devices", "sip_accounts"}, {"device"}),
}
ENDS = {"usoc_added", "usoc_deleted"}
LISTS = {"sip_accounts": "SIP account", "devices": "device with a MAC", "members": "member who is a user of the domain"}
CONDITIONS = {"$.network_information?(@.parent_id != null && @.site != null)": "where the record is a site",
              "$.event?(exists ($.layers[*].parameters.dial-policy))": "where `dial-policy` has a value"}
# Members that are an instruction, and no property of the object.
INSTRUCTIONS = {"synchronous", "format"}


def readable(path):
    return path.replace("{object.", "{").replace("%2A", "*")


class Object:
    """One object of a service with its steps."""

    def __init__(self, row, steps, references):
        self.row, self.steps, self.references = row, {step["operation"]: step for step in steps}, references
        # SQL/JSON paths come back as $."devices"[*]?(@."mac" != null).
        self.each = (row["each"] or "").replace('"', "")
        found = re.match(r"\$\.(\w+)\[\*\]", self.each)
        self.of = found[1] if found else None

    def depends_on(self, parts, layers):
        """Whether what is sent can change with these."""
        used = {self.of}
        for step in self.content():
            names = self.references(step["body"] or {})
            used |= {name.split(".")[0] for name in names}
            # Where the USOC has no number of its own, it is the line's.
            used |= {"line"} if "line_usoc.telephone_number" in names else set()
            if step["accepts"] or any(name.startswith("values.") for name in names):
                used |= set(LAYERS[: LAYERS.index(self.row["values_from"]) + 1])
        return bool(used & (parts | layers))

    def content(self):
        return [self.steps[name] for name in ("add", "edit") if name in self.steps]

    def call(self, operation):
        step = self.steps[operation]
        query = "&".join(f"{name}={value}" for name, value in sorted(step["query"].items(), reverse=True))
        text = f"`{step['method']} {readable(step['path'])}{'?' + query if query else ''}`"
        # A removal that is a change of what stays: by its off-values.
        edit = self.steps.get("edit")
        if operation in ("delete", "return") and edit and all(step[part] == edit[part] for part in ("method", "path", "query")):
            off = {name: value for name, value in step["body"].items() if name not in INSTRUCTIONS and not self.references({name: value})}
            text += " with " + (", ".join(f"`{name}` {json.dumps(value)}" for name, value in sorted(off.items())) if len(off) < 4 else "its off-values")
        return text

    def when(self):
        """For each of what, or where it is at all."""
        condition = f"for each {LISTS[self.of]}" if self.of else CONDITIONS.get(self.each, f"where `{self.each}`") if self.each else ""
        others = ", ".join(self.row["unless_service"])
        return "; ".join(text for text in (condition, f"unless the line has {others}" if others else "") if text)

    def described(self, *calls):
        return [f"{self.row['kind']}: " + ", then ".join(calls) + (f" ({self.when()})" if self.when() else "")] if calls else []

    def made(self):
        follows = ["edit"] if self.steps.get("add", {}).get("edit_follows") else []
        return self.described(*(self.call(name) for name in ["prepare", "add", *follows] if name in self.steps))

    def changed(self):
        return self.described(*(self.call(name) for name in ("prepare", "edit") if name in self.steps)) if "edit" in self.steps else []

    def removed(self):
        ways = [self.call(name) for name in ("delete", "return") if name in self.steps]
        if self.row["removal_value"]:
            ways.append(f"nothing, as value `{self.row['removal_value']}` says")
        return self.described(" or ".join(ways)) if ways else []

    def members(self, operation):
        """What is sent and is neither the object's name nor always the same."""
        step = self.steps.get(operation)
        if not step:
            return set()
        own = {name for name, value in (step["body"] or {}).items() if any(not used.startswith("object.") for used in self.references({name: value}))}
        return own | set(step["accepts"])


def objects(catalog, resource_type, service):
    def references(document):
        return catalog.rows("SELECT tbs.document_references(%s::jsonb) AS names", Json(document))[0]["names"]

    return [Object(row, catalog.rows("SELECT * FROM tbs.activity_step WHERE network_resource_type = %s AND service = %s AND position = %s", resource_type, service, row["position"]),
                   references)
            for row in catalog.rows("SELECT *, for_each::text AS each FROM tbs.service_object WHERE network_resource_type = %s AND service = %s ORDER BY position",
                                    resource_type, service)]


def numbered(calls):
    return "<br>".join(f"{number}. {call}" for number, call in enumerate(calls, 1)) or "none: what is unchanged is never sent again"


def calls_of(trigger, parts):
    if trigger == "usoc_added":
        return [call for part in parts for call in part.made()]
    if trigger == "usoc_deleted":
        return [call for part in reversed(parts) for call in part.removed()]
    if trigger == "resync":
        return [call for part in parts if not part.row["never_repeat"] for call in part.changed()]
    return [call for part in parts if part.depends_on(*CHANGES[trigger]) for call in part.changed()]


def named(names):
    """The eight line keys of a phone are one name."""
    return ", ".join(f"`{name}`" for name in sorted({re.sub(r"(?<=[a-z-])[1-8](?=$|[_-])", "N", name) for name in names})) or "nothing"


def tables(catalog, resource_type, table):
    """Two tables as text: the calls, and what an edit can and cannot change."""
    calls, edits = [], []
    for service in catalog.rows("SELECT service, ARRAY(SELECT trigger_type FROM tbs.activity_type AS t WHERE (t.network_resource_type, t.service) = "
                                "(s.network_resource_type, s.service) ORDER BY t.activity_type_id) AS triggers FROM tbs.service AS s "
                                "WHERE network_resource_type = %s AND for_lines AND shipped ORDER BY service COLLATE \"C\"", resource_type):
        parts = objects(catalog, resource_type, service["service"])
        # Changes with the same calls are one row.
        rows = {}
        for trigger in service["triggers"]:
            rows.setdefault((trigger if trigger in ENDS else "", numbered(calls_of(trigger, parts))), []).append(trigger)
        calls += [(f"`{service['service']}`", "<br>".join(triggers), text) for (_, text), triggers in rows.items()]
        for part in parts:
            if part.content():
                edits.append((f"`{service['service']}`", part.row["kind"], ", ".join(f"`{name}` {part.row['identity'][name]}" for name in sorted(part.row["identity"])), named(part.members("add") - part.members("edit")),
                              named(part.members("edit"))))
    return (table(["service", "trigger type", "calls in order"], calls) + "\n"
            + table(["service", "object", "makes it another object", "said when it is made only", "changed by an edit"], edits))
