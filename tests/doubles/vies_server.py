"""An HTTP server that speaks the Commission's REST interface of VIES, for tests of the adapter.

The shapes of its answers come from the published description of the service (swagger_publicVAT.yaml) and from
what others measured; nothing was recorded from it.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

PATH = "/rest-api/check-vat-number"
# Member states' own errors come with status 200; what the gateway says itself does not.
FAULTS: dict[str, tuple[int, bytes]] = {
    "MS_UNAVAILABLE": (200, b'{"actionSucceed": false, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}'),
    "MS_MAX_CONCURRENT_REQ": (
        200,
        b'{"actionSucceed": false, "errorWrappers": [{"error": "MS_MAX_CONCURRENT_REQ"}]}',
    ),
    "user_error": (200, b'{"valid": false, "userError": "MS_UNAVAILABLE", "name": "---", "address": "---"}'),
    "unknown_user_error": (200, b'{"valid": false, "userError": "GLOBAL_MAX_CONCURRENT_REQ_TIME"}'),
    "nameless_error": (200, b'{"actionSucceed": false, "valid": false}'),
    "empty_errors": (200, b'{"errorWrappers": ["?"]}'),
    "internal_error": (500, b'{"actionSucceed": false, "errorWrappers": [{"error": "SERVICE_UNAVAILABLE"}]}'),
    "blocked": (403, b"<html>"),
    "garbage": (200, b"<html>"),
    "array": (200, b"[]"),
    "no_verdict": (200, b'{"countryCode": "LT"}'),
    "endless": (200, b'{"x": "' + b"x" * 200_000 + b'"}'),
    "cut": (0, b""),
    "hang": (-1, b""),
}
REFUSALS: dict[str, tuple[int, bytes]] = {
    "no_such_number": (200, b'{"actionSucceed": false, "errorWrappers": [{"error": "INVALID_INPUT"}]}'),
    "not_registered": (200, b'{"valid": false, "userError": "INVALID", "name": "---", "address": "---"}'),
}


@dataclass
class Double:
    """Which numbers are registered, and what it shall answer next: names of ``FAULTS`` or ``REFUSALS``."""

    registered: set[str] = field(default_factory=set)
    requests: list[dict[str, Any]] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)


class ViesServer:
    """``with ViesServer() as vies:`` serves ``vies.url`` until the block ends."""

    def __init__(self) -> None:
        self.double = Double()
        double = self.double

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                double.requests.append({"path": self.path, **asked})
                status, body = (
                    (FAULTS | REFUSALS)[double.faults.popleft()]
                    if double.faults
                    else (200, self._verdict(asked))
                )
                if status == 0:
                    self.close_connection = True
                    return
                if status < 0:
                    time.sleep(0.5)  # longer than the client of the tests waits
                    return
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _verdict(self, asked: dict[str, Any]) -> bytes:
                number = asked["countryCode"] + asked["vatNumber"]
                is_registered = number in double.registered
                name = "UAB ANTRA ODA" if is_registered else "---"
                told = {"requestDate": "2026-11-21T20:00:00.000Z", "requestIdentifier": ""}
                return json.dumps(
                    {**asked, **told, "valid": is_registered, "name": name, "address": "---"}
                ).encode()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}/rest-api"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
