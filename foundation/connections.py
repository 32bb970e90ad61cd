"""HTTP to other people's servers, within a total time and a total size, whatever they do.

    with connections.limited_to(seconds=10, answer_bytes=100_000):
        answer = client.get(...)  # of an httpx2.Client(transport=connections.LimitedTransport())

An HTTP client's own time-outs are per read: a server that sends a byte every few seconds holds a worker for
ever. Here every operation on the socket gets what is left of the call's time, headers included, and the
bytes of an answer are counted as they come in. Proxies of the environment are not used.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

# Host and port -> the address to connect to; what it raises ends the call.
AddressOf = Callable[[str, int], str]

# A server that takes what we send in drops is noticed between two slices.
_SLICE_BYTES = 64 * 1024
_CONNECT_S = 5.0


class AnswerTooLarge(Exception):
    """The server sent more than the call allows."""


class EncodedAnswer(Exception):
    """The server compressed its answer although it was asked not to: its true size is unknown."""


@dataclass(slots=True)
class _Allowance:
    deadline: float  # on time.monotonic
    bytes_left: int

    def seconds_left(self, most: float | None) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("the call's time is over")
        return left if most is None else min(left, most)


_allowance: ContextVar[_Allowance] = ContextVar("connections_allowance")


@contextmanager
def limited_to(*, seconds: float, answer_bytes: int) -> Iterator[None]:
    """Bound everything that this thread's requests do in the block, together.

    Past the time a request raises the client's ReadTimeout, past the bytes AnswerTooLarge.
    """
    token = _allowance.set(_Allowance(time.monotonic() + seconds, answer_bytes))
    try:
        yield
    finally:
        _allowance.reset(token)


def connection_pool(tls: ssl.SSLContext, *, address_of: AddressOf | None = None) -> httpcore2.ConnectionPool:
    """HTTP/1.1 over bounded connections. Requests outside ``limited_to`` are a mistake and fail.

    With `address_of` it decides where a name leads: the address it gives is the one connected to, while the
    certificate is still checked against the name.
    """
    return httpcore2.ConnectionPool(
        ssl_context=tls,
        max_connections=20,
        # A kept connection that the server closes as we write leaves open whether the call was billed;
        # a new one costs a tenth of a second.
        max_keepalive_connections=0,
        network_backend=_LimitedBackend(address_of),
    )


class LimitedTransport(httpx2.HTTPTransport):
    """The same for an httpx2.Client, which should ask for ``Accept-Encoding: identity``."""

    def __init__(self) -> None:
        super().__init__()
        self._pool = connection_pool(httpx2.create_ssl_context())

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()
            raise EncodedAnswer
        return response


class _LimitedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        allowance = _allowance.get()
        data = self._stream.read(max_bytes, allowance.seconds_left(timeout))
        allowance.bytes_left -= len(data)
        if allowance.bytes_left < 0:
            raise AnswerTooLarge
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _SLICE_BYTES):
            left = _allowance.get().seconds_left(timeout)
            self._stream.write(buffer[start : start + _SLICE_BYTES], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _allowance.get().seconds_left(timeout)
        return _LimitedStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _LimitedBackend(httpcore2.NetworkBackend):
    def __init__(self, address_of: AddressOf | None) -> None:
        self._address_of = address_of
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        address = self._address_of(host, port) if self._address_of else host
        left = min(_allowance.get().seconds_left(timeout), _CONNECT_S)
        return _LimitedStream(self._backend.connect_tcp(address, port, left, local_address, socket_options))
