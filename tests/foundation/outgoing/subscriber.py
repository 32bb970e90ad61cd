"""A subscriber on the wire: keeps what it is sent and answers as it is told."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    def verified_by(self, secret: str) -> Any:
        """The document, as a subscriber with the library of Standard Webhooks gets it; else it raises."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Subscriber:
    url: str = ""
    received: list[Received] = field(default_factory=list)
    # One for each request; when they are used up, 204.
    answers: list[int] = field(default_factory=list)
    location: str = ""
    drip_s: float = 0.0

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.received]


@contextmanager
def subscriber(tls: ssl.SSLContext | None = None) -> Iterator[Subscriber]:
    told = Subscriber()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                told.received.append(Received(self.path, headers, body))
                status = told.answers.pop(0) if told.answers else 204
            if told.drip_s:
                # A status line that never ends.
                try:
                    for _ in range(200):
                        self.wfile.write(b"x")
                        self.wfile.flush()
                        time.sleep(told.drip_s)
                except OSError:
                    return
            self.send_response(status)
            if told.location:
                self.send_header("Location", told.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    told.url = f"http{'' if tls is None else 's'}://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
