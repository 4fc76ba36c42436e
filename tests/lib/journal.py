"""What the switch's journal tells about overlapping calls."""
import collections
import urllib.parse

API = "/ns-api/v2/"


def object_of(entry):
    """(kind, key) of the remote object that a request is about, in the words of the history; None for a list or a token."""
    if not entry["path"].startswith(API):
        return None
    parts = [urllib.parse.unquote(part) for part in entry["path"][len(API):].split("/")]
    body = entry["body"] if isinstance(entry["body"], dict) else {}
    if parts[0] == "phones":
        mac = parts[1] if len(parts) > 1 else body.get("device-provisioning-mac-address")
        return ("phone", mac) if mac else None
    if parts[0] != "domains":
        return None
    domain = parts[1] if len(parts) > 1 else body.get("domain")
    if domain is None:
        return None
    if len(parts) < 3:
        return ("domain", domain)
    if parts[2] == "addresses" and parts[3:] != ["validate"]:
        return ("emergency_endpoint", parts[4] if len(parts) > 4 else body.get("address-callback-number")) if parts[3:4] == ["endpoints"] else \
            ("emergency_address", f"{parts[3] if len(parts) > 3 else body.get('emergency-address-id')}@{domain}")
    if parts[2] == "addresses":
        return None
    if len(parts) > 4:
        if parts[4] == "agents":
            return ("agent", f"{parts[5] if len(parts) > 5 else body.get('callqueue-agent-id')} in {parts[3]}@{domain}")
        if parts[4] == "answerrules":
            return ("answer_rule", f"{parts[5] if len(parts) > 5 else body.get('time-frame')} of {parts[3]}@{domain}")
        name = parts[5] if len(parts) > 5 else body.get("device")
        return ("device", f"{name}@{domain}")
    kind, member = {"sites": ("site", "site"), "users": ("user", "user"), "phonenumbers": ("phone_number", "phonenumber"),
                    "callqueues": ("call_queue", "callqueue")}[parts[2]]
    name = parts[3] if len(parts) > 3 else body.get(member)
    return (kind, name if kind == "phone_number" else f"{name}@{domain}") if name else None


# Kinds whose calls go to the place of another one.
PARTS_OF_USERS = {"voicemail", "voicemail_pin", "caller_id", "dial_policy", "emergency_binding"}


def place(kind, key):
    """(kind, key) as object_of() gives it, of a kind and key of the history."""
    if kind in PARTS_OF_USERS:
        return "user", key
    if kind == "call_forwarding":
        return "answer_rule", f"* of {key}"
    if kind == "emergency_endpoint":
        return kind, key and key.split(" at ")[0]
    return kind, key


def overlaps(entries, thing_of, cut_at):
    """Pairs of requests about one thing that were under way at one time. A request that was under way when its bridge died
    (at one of these moments) is not held against the next bridge."""
    by_thing = collections.defaultdict(list)
    for entry in entries:
        thing = thing_of(entry)
        if thing is not None:
            by_thing[thing].append(entry)
    pairs = []
    for thing, requests in by_thing.items():
        requests.sort(key=lambda e: e["arrived_at"])
        open_one = None
        for request in requests:
            if open_one and request["arrived_at"] < end_of(open_one):
                pairs.append((thing, open_one, request))
            if any(request["arrived_at"] <= cut < end_of(request) for cut in cut_at):
                continue
            if open_one is None or end_of(request) > end_of(open_one):
                open_one = request
    return pairs


def end_of(entry):
    return float("inf") if entry["completed_at"] is None else entry["completed_at"]


class Lines:
    """Which line a request was made for: the API call of the history about the same object within whose time it arrived. That
    time ends with the report: before it no other call to the object is given out."""

    SLACK = 500  # microseconds between two clocks' readings

    def __init__(self, history, started_at):
        """history: (kind, key, line_id, when it started, when it was recorded), in seconds since 1970."""
        self.calls = collections.defaultdict(list)
        for kind, key, line_id, start, end in history:
            self.calls[place(kind, key)].append(((start - started_at) * 1e6 - self.SLACK, (end - started_at) * 1e6 + self.SLACK, line_id))
        self.unknown = []

    def of(self, entry):
        thing = object_of(entry)
        if thing is None:
            return None
        calls = [call for call in self.calls[thing] if call[0] <= entry["arrived_at"] <= call[1]]
        if not calls:
            self.unknown.append(entry)
            return None
        return max(calls)[2]


HISTORY = """SELECT event, kind, key, method, extract(epoch FROM started_at)::float8, extract(epoch FROM recorded_at)::float8
FROM tbs.activity_history WHERE event IN ('api_call', 'taken_over', 'given_back') AND kind IS NOT NULL ORDER BY activity_history_id"""


def unseen(entries, history, started_at):
    """(requests that the history does not show, how many it shows as a call that nobody reported): `history` is what HISTORY
    gives. A request is seen as the API call within whose time it arrived, or, when its bridge could not tell any more, as the
    activity that was taken over or given back after it. A row explains one write; a read may have been repeated on the way."""
    calls, left = collections.defaultdict(list), collections.defaultdict(list)
    for event, kind, key, method, start, end in history:
        end = (end - started_at) * 1e6 + Lines.SLACK
        kind, key = place(kind, key)
        if event == "api_call":
            calls[kind, key, method].append(((start - started_at) * 1e6 - Lines.SLACK, end))
        else:
            left[kind, key, method].append(end)
    missing, unreported = [], 0
    for entry in sorted(entries, key=lambda e: e["arrived_at"]):
        thing = object_of(entry)
        if thing is None:
            continue
        thing += (entry["method"],)
        fitting = [call for call in calls[thing] if call[0] <= entry["arrived_at"] <= call[1]]
        if fitting:
            if entry["method"] != "GET":
                calls[thing].remove(max(fitting))
            continue
        later = [end for end in left[thing] if end >= entry["arrived_at"]]
        if later:
            left[thing].remove(min(later))
            unreported += 1
        else:
            missing.append(entry)
    return missing, unreported


def repeats(entries):
    """(writes that were sent twice running, those of them that are not harmless): a replacement or a removal is harmless, and
    so is a creation that finds that it is there already."""
    last, again, harmful = {}, [], []
    # What was made, and below which paths: it goes with what is there.
    made = {}
    for entry in sorted(entries, key=lambda e: e["arrived_at"]):
        thing = object_of(entry)
        if thing is None or entry["method"] == "GET":
            continue
        request = (entry["method"], entry["path"], str(entry["body"]))
        if last.get(thing) == request:
            again.append(entry)
        last[thing] = request
        if entry["effect"] and entry["method"] == "DELETE":
            made = {one: path for one, path in made.items() if one != thing and not path.startswith(entry["path"] + "/")}
        elif entry["effect"] and entry["method"] == "POST":
            if thing in made:
                harmful.append(entry)
            made[thing] = entry["path"] + "/"
    return again, harmful
