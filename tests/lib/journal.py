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
    kind, member = {"sites": ("site", "site"), "users": ("user", "user"), "phonenumbers": ("phone_number", "phonenumber")}[parts[2]]
    if len(parts) > 4:
        kind, member = "device", "device"
        parts = parts[2:]
    name = parts[3] if len(parts) > 3 else body.get(member)
    return (kind, name if kind == "phone_number" else f"{name}@{domain}") if name else None


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
            self.calls[kind, key].append(((start - started_at) * 1e6 - self.SLACK, (end - started_at) * 1e6 + self.SLACK, line_id))
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
