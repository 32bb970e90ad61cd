"""Money in members' accounts."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from balance import events
from balance.chart import Event
from balance.events import Line, NewPosting, Posted, Share
from balance.services.posting import post
from foundation.money import Money

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

_number = itertools.count(1)


def euros(minor: int) -> Money:
    """So many cents."""
    return Money(minor, "EUR")


def give(member_id: str, minor: int, *, now: datetime = NOON) -> Posted:
    """Put cents into the member's available account."""
    return _post(Event.GOODWILL_GIVEN, events.goodwill_given(Share(member_id, euros(minor))), now)


def spend(member_id: str, minor: int, *, now: datetime = NOON) -> Posted:
    """Take cents from the member's available account, as a withdrawal does."""
    return _post(Event.WITHDRAWAL_REQUESTED, events.withdrawal_requested(Share(member_id, euros(minor))), now)


def _post(event: Event, lines: tuple[Line, ...], now: datetime) -> Posted:
    key = f"test:{event}:{next(_number)}"
    return post(NewPosting(key=key, event=event, lines=lines, reference=key, actor="system"), now=now)
