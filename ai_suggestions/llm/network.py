"""A connection that keeps to a total time and a total size, whatever the server does.

The HTTP client's own time-outs are per read: a server that sends a byte every few seconds holds a worker for
ever. Here every operation on the socket gets what is left of the call's time, headers included, and the
bytes of an answer are counted as they come in.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

# A server that takes our photos in drops is noticed between two slices.
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


_allowance: ContextVar[_Allowance] = ContextVar("llm_call_allowance")


@contextmanager
def limited_to(*, seconds: float, answer_bytes: int) -> Iterator[None]:
    """Bound everything that this thread's requests do in the block, together."""
    token = _allowance.set(_Allowance(time.monotonic() + seconds, answer_bytes))
    try:
        yield
    finally:
        _allowance.reset(token)


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
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _allowance.get().seconds_left(timeout)
        return _LimitedStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _LimitedBackend(httpcore2.NetworkBackend):
    def __init__(self) -> None:
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _allowance.get().seconds_left(timeout)
        return _LimitedStream(
            self._backend.connect_tcp(host, port, min(left, _CONNECT_S), local_address, socket_options)
        )


class LimitedTransport(httpx2.HTTPTransport):
    """HTTP/1.1 over such connections. Requests outside ``limited_to`` are a mistake and fail."""

    def __init__(self) -> None:
        super().__init__()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=20,
            # A kept connection that the server closes as we write leaves open whether the call was billed;
            # a new one costs a tenth of a second of a call's several.
            max_keepalive_connections=0,
            network_backend=_LimitedBackend(),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()
            raise EncodedAnswer
        return response
