"""What is set aside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from balance.errors import HoldNotFound
from balance.models import Hold
from foundation.money import Money


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """A hold. ``captured`` is what of it was used; statuses as in balance.lifecycle.HoldStatus."""

    id: str
    key: str
    member_id: str
    amount: Money
    captured: Money
    reference: str
    status: str
    placed_at: datetime
    expires_at: datetime
    ended_at: datetime | None


def find_hold(key: str) -> HoldFacts | None:
    """The hold that the caller placed under this key, if there is one."""
    hold = Hold.objects.filter(key=key).first()
    return None if hold is None else hold_facts(hold)


def get_hold(key: str) -> HoldFacts:
    """As find_hold; raises HoldNotFound."""
    facts = find_hold(key)
    if facts is None:
        raise HoldNotFound(f"Nothing is set aside under {key}.")
    return facts


def hold_facts(hold: Hold) -> HoldFacts:
    """A row as other apps may see it."""
    return HoldFacts(
        id=hold.id,
        key=hold.key,
        member_id=hold.member_id,
        amount=Money(hold.amount_minor, hold.currency),
        captured=Money(hold.captured_minor, hold.currency),
        reference=hold.reference,
        status=hold.status,
        placed_at=hold.placed_at,
        expires_at=hold.expires_at,
        ended_at=hold.ended_at,
    )
