"""Server-Sent Events without a thread for each client (docs/adr/0009).

A view answers an ``EventStream``. Once all middleware has seen the answer, ``foundation.wsgi`` takes the
client's connection from gunicorn, whose thread is then free, and gives it to the hub of this process: one
thread that writes to all clients, and one that asks the database about all of them together.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from django.conf import settings
from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponse
from rest_framework.renderers import BaseRenderer

from foundation import metrics
from foundation.errors import Unavailable

logger = structlog.get_logger(__name__)

MEDIA_TYPE = "text/event-stream"
POLL_S = 0.5
# Below the 45 s after which the front server gives a silent answer up (ops/nginx.conf).
HEARTBEAT_S = 15.0
# Then the client opens another one, so that whoever signed out hears no more.
LONGEST_S = 300.0
# A client that reads nothing is let go when so much waits for it.
MOST_UNREAD_BYTES = 256 * 1024
_RECONNECT_MS = 2000

Asked: TypeAlias = tuple[str, str]
"""What a client follows: an id, and the language in which it is told."""


class EventStreamUnavailable(Unavailable):
    """All places are taken, or this server cannot hold a connection open. ``Prefer: wait`` still works."""

    code = "event_stream_unavailable"
    title = "No event stream can be opened now"


@dataclass(frozen=True, slots=True)
class News:
    """The state of what is followed. ``version`` is the event's id; after the last one the stream ends."""

    version: int
    event: str
    data: bytes
    is_last: bool

    def as_bytes(self) -> bytes:
        """On the wire (WHATWG HTML, "Server-sent events"); ``data`` holds no line end."""
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.version, self.event.encode(), self.data)


Reader: TypeAlias = Callable[[Mapping[Asked, int]], Mapping[Asked, News]]
"""From what is followed, with the lowest version that a client has, to what is newer."""


class EventStreamRenderer(BaseRenderer):
    """Lets clients send ``Accept: text/event-stream``, as EventSource does; streams render themselves."""

    media_type = MEDIA_TYPE
    format = "events"
    charset = None

    def render(self, data: object, *args: object, **kwargs: object) -> bytes:
        """Only what is no stream passes here, and has no body."""
        return b""


class EventStream(HttpResponse):
    """An answer that goes on: ``first`` now, and what ``hub`` hears about ``asked`` later."""

    def __init__(self, hub: EventHub, asked: Asked, *, first: News | None, seen: int) -> None:
        body = b"retry: %d\n\n" % _RECONNECT_MS + (first.as_bytes() if first else b"")
        # nginx collects answers unless it is told not to.
        super().__init__(body, content_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})
        self._hub, self._asked, self._seen = hub, asked, seen

    def take_over(self, served: socket.socket) -> None:
        """Move the connection from the server to the hub. What the server still writes goes nowhere."""
        kept = socket.socket(fileno=os.dup(served.fileno()))
        nobody, gone = socket.socketpair()
        with nobody:
            gone.close()
            os.dup2(nobody.fileno(), served.fileno())
        self._hub.adopt(kept, self._wire(), self._asked, seen=self._seen)

    def _wire(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status_code} {self.reason_phrase}"]
        # The end of the connection is the end of the body.
        lines += [f"{name}: {value}" for name, value in self.items() if name.lower() != "content-length"]
        lines += ["Connection: close", "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.content


class _Client(asyncio.Protocol):
    """One connection; lives in the hub's loop."""

    def __init__(self, hub: EventHub, asked: Asked, first: bytes, seen: int) -> None:
        self.hub, self.asked, self.seen = hub, asked, seen
        self._first = first
        self.opened = self.written = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # of a stream socket
        self.transport = transport
        self.hub.clients.add(self)
        self.write(self._first)

    def connection_lost(self, exc: Exception | None) -> None:
        self.hub.clients.discard(self)

    def write(self, data: bytes) -> None:
        self.transport.write(data)
        self.written = time.monotonic()
        if self.transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
            self.transport.abort()

    def hear(self, news: News) -> None:
        if news.version > self.seen:
            self.seen = news.version
            self.write(news.as_bytes())
        if news.is_last:
            self.transport.close()

    def look_at_the_clock(self, now: float) -> None:
        if now - self.opened > LONGEST_S:
            self.transport.close()
        elif now - self.written > HEARTBEAT_S:
            self.write(b":\n\n")


class EventHub:
    """All clients of this process that follow what ``read`` knows about. Its threads start with the first."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self.clients: set[_Client] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()

    def require_place(self, request: HttpRequest) -> None:
        """Raises EventStreamUnavailable, unless the connection can be taken over and there is room for it."""
        plain = isinstance(request.META.get("gunicorn.socket"), socket.socket)
        if not plain or not str(request.META.get("SERVER_PROTOCOL")).startswith("HTTP/1"):
            raise EventStreamUnavailable("This server cannot hold a stream open.")
        if len(self.clients) >= settings.EVENT_STREAMS:
            metrics.EVENT_STREAMS_REFUSED.inc()
            raise EventStreamUnavailable("All places are taken.", retry_after_s=5)

    def adopt(self, client: socket.socket, first: bytes, asked: Asked, *, seen: int) -> None:
        """Write ``first`` to this connection, later what is newer than ``seen``. Called from any thread."""
        asyncio.run_coroutine_threadsafe(
            self._adopt(client, lambda: _Client(self, asked, first, seen)), self._started()
        )

    async def _adopt(self, client: socket.socket, make: Callable[[], _Client]) -> None:
        client.setblocking(False)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(make, client)
        except OSError:
            client.close()  # it hung up meanwhile

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                for work in (self._loop.run_forever, self._poll):
                    threading.Thread(target=work, name="event-streams", daemon=True).start()
            return self._loop

    def _poll(self) -> None:
        assert self._loop is not None  # noqa: S101  # set by who started this thread
        while True:
            time.sleep(POLL_S)
            metrics.EVENT_STREAMS_OPEN.set(len(self.clients))
            if not self.clients:
                continue
            asked: dict[Asked, int] = {}
            for client in list(self.clients):
                asked[client.asked] = min(client.seen, asked.get(client.asked, client.seen))
            news: Mapping[Asked, News] = {}
            close_old_connections()
            try:
                news = self._read(asked)
            except Exception:
                # Whatever it was: clients keep their streams, and the next look may find the database again.
                logger.warning("event_streams_not_read", exc_info=True)
                with contextlib.suppress(Exception):
                    connection.close()
            self._loop.call_soon_threadsafe(self._tell, news)

    def _tell(self, news: Mapping[Asked, News]) -> None:
        now = time.monotonic()
        for client in list(self.clients):
            if client.asked in news:
                client.hear(news[client.asked])
            client.look_at_the_clock(now)
