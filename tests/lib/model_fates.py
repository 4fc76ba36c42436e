"""What can become of a request: carried out or not, and what its bridge learns of it."""
import json

# name: (weight, carried out, curl result, HTTP status, headers, body). A status or body of None is the switch's own.
FATES = {
    "answered": (70, True, 0, None, {}, None),
    "answered without a body": (2, True, 0, None, {}, b""),
    "answer lost": (6, True, 52, 0, {}, b""),
    "answer cut off": (2, True, 18, 200, {}, b'{"code": 2'),
    "request lost": (4, False, 28, 0, {}, b""),
    "connection refused": (1, False, 7, 0, {}, b""),
    "not sent": (2, False, -1, 0, {}, b""),
    "500, carried out": (3, True, 0, 500, {}, b'{"code": 500, "message": "Internal Server Error"}'),
    "500": (2, False, 0, 500, {}, b"<h1>Oops</h1>"),
    "503": (1, False, 0, 503, {}, b""),
    "throttled": (0.7, False, 0, 429, {"retry-after": "2"}, b""),
    "busy": (2, False, 0, 423, {}, b""),
    "proxy refuses": (0.3, False, 0, 403, {}, b"<html>slow down</html>"),
    "rejected": (3, False, 0, 400, {}, b'{"code": 400, "message": "Invalid caller-id-name."}'),
    "no route": (0.5, False, 0, 404, {}, b'{"code": 404, "message": "No Route Found"}'),
    "credentials refused": (0.2, False, 0, 401, {}, b'{"code": 401, "message": "Unauthorized"}'),
    "login page": (1, False, 0, 200, {}, b"<html>login</html>"),
    "garbage, carried out": (1, True, 0, 200, {}, b"\x00\xff\xfe{]\x00"),
    "NUL bytes, carried out": (1, True, 0, 202, {}, b'{"code": "\\u0000 \x00"}'),
}


class Fates:
    """Draws fates; well behaved: every request is answered."""

    def __init__(self, random, switch, counts):
        self.random = random
        self.switch = switch
        self.counts = counts
        self.well_behaved = False
        self.names = list(FATES)
        self.weights = [fate[0] for fate in FATES.values()]

    def send(self, call):
        name = "answered" if self.well_behaved else self.random.choices(self.names, self.weights)[0]
        _, carried_out, curl_result, status, headers, body = FATES[name]
        own_status, document = self.switch.carry_out(call.method, call.path, call.body) if carried_out else (0, None)
        if not self.well_behaved:
            # A refusal of the switch is one, whatever it was meant to look like.
            self.counts[f"{name}: {own_status}" if name == "answered" else name] += 1
        if carried_out and own_status >= 300 and curl_result == 0:
            status, body = None, None
        call.answer = (curl_result, own_status if status is None else status, headers, json.dumps(document).encode() if body is None else body)
