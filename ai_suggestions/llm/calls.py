"""The record of one call, handed to whoever keeps them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One request to an endpoint, whether answered or not. Holds nothing that a member wrote or sent.

    ``cost_micro`` is in millionths of the price list's currency. Where the endpoint did not say what was
    used (``usage_reported`` False) tokens are 0 and the cost is what the budget counts for the call.
    """

    request: str  # fingerprint of the request; calls of one run share it
    endpoint: str  # host and port, no path, no key
    model: str  # as asked for
    served_model: str | None  # as the endpoint says
    prompt_version: str
    mode: str
    outcome: str  # ``ok`` or a ``Problem``
    status: int | None  # of the HTTP answer
    photos: int
    photo_bytes: int
    tokens_in: int
    tokens_cached: int  # part of ``tokens_in``
    tokens_out: int
    usage_reported: bool
    cost_micro: int
    latency_ms: int
    retry_after_s: float | None


Recorder: TypeAlias = Callable[[CallRecord], None]
"""Keeps a record. What it raises is logged and does not disturb the run."""
