"""Two providers in one process: Gemini on a schedule of failures, and Claude, which always answers.

Prints its port on the first line. On SIGTERM it prints one JSON object with what it saw, and ends.
"""

import json
import signal
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LATENCY = 0.06
FAILS = (2.0, 3.0)  # seconds after the first call
LIMITS = (6.0, 7.0)
PAUSE = 3.0
ON_ITS_WAY = 0.1  # a call that left before the 429 was read arrives within this time

lock = threading.Lock()
calls: Counter = Counter()
began_at: float | None = None
limited_at: float | None = None
too_early = 0

ANSWER = json.dumps({"intent": "question", "summary": "The customer asks something."})


def gemini() -> tuple[int, dict]:
    """The response of the first provider at this moment."""
    global began_at, limited_at, too_early
    with lock:
        now = time.monotonic()
        began_at = began_at or now
        elapsed = now - began_at
        if limited_at and limited_at + ON_ITS_WAY < now < limited_at + PAUSE:
            too_early += 1
        if FAILS[0] <= elapsed < FAILS[1]:
            return 500, {"error": {"code": 500, "message": "An internal error has occurred.", "status": "INTERNAL"}}
        if LIMITS[0] <= elapsed < LIMITS[1]:
            limited_at = limited_at or now
            details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{PAUSE:g}s"}]
            error = {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED", "details": details}
            return 429, {"error": error}
    return 200, {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": ANSWER}]}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {"promptTokenCount": 200, "candidatesTokenCount": 20, "totalTokenCount": 220},
        "modelVersion": "gemini-3.8-flash",
        "responseId": "stub",
    }


def claude() -> tuple[int, dict]:
    """The response of the second provider."""
    return 200, {
        "id": "msg_stub",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [{"type": "text", "text": ANSWER}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 200, "output_tokens": 20},
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith(":generateContent"):
            name, (status, body) = "gemini", gemini()
        elif self.path == "/v1/messages":
            name, (status, body) = "claude", claude()
        else:
            name, status, body = "unknown", 404, {"error": {"message": self.path}}
        with lock:
            calls[f"{name} {status}"] += 1
        if status == 200:
            time.sleep(LATENCY)
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *arguments: object) -> None:
        """Says nothing for each call."""


def end(*_: object) -> None:
    print(json.dumps({"calls": dict(sorted(calls.items())), "too_early": too_early}), flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
