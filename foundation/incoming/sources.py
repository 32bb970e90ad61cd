"""What an app says about the callbacks that it wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from foundation.encryption import SecretBytes

_WORD = re.compile(r"[a-z0-9_-]{1,30}")


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """What has to be known of a callback before it is handled.

    `event_id` is the provider's, and unique at it; `subject_id` is what it is about (a payout, a parcel):
    events of one subject are handled one after the other. Both in visible ASCII, at most 200 characters.
    """

    event_id: str
    subject_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """What a handler gets. `id` is ours; `body.reveal()` is what the provider sent, byte for byte."""

    id: str
    source: str
    event_id: str
    subject_id: str
    occurred_at: datetime
    received_at: datetime
    body: SecretBytes


class Verifier(Protocol):
    """Whether a callback comes from its provider and was made just now."""

    def verify(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> None:
        """Raises WebhookSignatureInvalid or WebhookTimestampStale. Header names are in any case."""


class Handler(Protocol):
    """What a callback brings about: changes of the database, in the transaction that marks it processed.

    Safe to run again: a worker may die before the commit. No calls to the outside; ring after the commit.
    Whatever it raises is an attempt that failed.
    """

    def __call__(self, event: ReceivedEvent, *, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Source:
    """One provider's callbacks. `parse` reads a verified body and raises ValueError when it cannot."""

    kind: str
    provider: str
    verifier: Verifier
    parse: Callable[[bytes], ParsedEvent]
    handle: Handler

    def __post_init__(self) -> None:
        if not (_WORD.fullmatch(self.kind) and _WORD.fullmatch(self.provider)):
            raise ValueError(f"{self.kind}/{self.provider} is no path of an address")

    @property
    def name(self) -> str:
        """As it stands in rows, logs and metrics."""
        return f"{self.kind}/{self.provider}"


_registry: dict[str, Source] = {}


def register(source: Source) -> Source:
    """Open its address. Raises ValueError when it is taken."""
    if source.name in _registry:
        raise ValueError(f"two sources are called {source.name}")
    _registry[source.name] = source
    return source


def find_source(name: str) -> Source | None:
    """The registered source, if there is one. Apps are loaded before anybody asks."""
    return _registry.get(name)
