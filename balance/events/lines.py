"""A posting and its lines: an amount goes from one account to another; pure."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from balance.chart import Account, AccountKind, Event, of_member, of_platform
from foundation.money import Money


@dataclass(frozen=True, slots=True)
class Line:
    """An amount that goes from the debited account to the credited one."""

    debit: Account
    credit: Account
    amount: Money


@dataclass(frozen=True, slots=True)
class NewPosting:
    """A business fact to be recorded. ``lines`` are applied in their order.

    ``key`` names the fact (``order:01J…:captured``): posting it again changes nothing. ``effective_at`` is
    when it happened, if that was not now. ``reverses`` is the id of the posting that this one undoes.
    """

    key: str
    event: Event
    lines: tuple[Line, ...]
    reference: str
    actor: str
    reason: str = ""
    effective_at: datetime | None = None
    reverses: str | None = None

    def fingerprint(self) -> str:
        """SHA-256 of what makes two postings the same fact."""
        content = [
            self.event,
            self.reference,
            self.reverses,
            self.effective_at.isoformat() if self.effective_at else None,
            [[line.debit.id, line.credit.id, line.amount.amount_minor] for line in self.lines],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Posted:
    """A posting in the ledger. ``replayed``: it was there already, and nothing was done."""

    id: str
    key: str
    recorded_at: datetime
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """A member's part of a sale: what the seller gets, or what a buyer's wallet paid."""

    member_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Charges:
    """What a buyer pays beside the items; each may be zero. The fees include their VAT."""

    fee: Money
    shipping: Money
    verification: Money


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee that was earned: ``net`` of value added tax, and the ``vat`` inside it."""

    net: Money
    vat: Money


Entry = tuple[Account, Money]


def transfers(debited: Sequence[Entry], credited: Sequence[Entry]) -> tuple[Line, ...]:
    """Lines that debit the first and credit the second, first to first. Zero amounts make no line.

    Raises ValueError when the sides do not add up to the same, or when an amount is negative.
    """
    taking = deque((account, amount.amount_minor) for account, amount in debited if amount.amount_minor)
    giving = deque((account, amount.amount_minor) for account, amount in credited if amount.amount_minor)
    if any(minor < 0 for _, minor in (*taking, *giving)):
        raise ValueError("an amount is negative")
    lines = []
    while taking and giving:
        (debit, owed), (credit, due) = taking.popleft(), giving.popleft()
        minor = min(owed, due)
        lines.append(Line(debit, credit, Money(minor, debit.currency)))
        if owed > minor:
            taking.appendleft((debit, owed - minor))
        if due > minor:
            giving.appendleft((credit, due - minor))
    if taking or giving:
        raise ValueError("what is taken and what is given differ")
    return tuple(lines)


def mirrored(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines that undo these, last first."""
    return tuple(Line(line.credit, line.debit, line.amount) for line in reversed(lines))


def move(debit: Account, credit: Account, amount: Money) -> tuple[Line, ...]:
    """One amount from one account to another."""
    return transfers([(debit, amount)], [(credit, amount)])


def between(debit: AccountKind, credit: AccountKind, amount: Money) -> tuple[Line, ...]:
    """From one account of the platform to another."""
    return move(of_platform(debit, amount.currency), of_platform(credit, amount.currency), amount)


def within(member: Share, debit: AccountKind, credit: AccountKind) -> tuple[Line, ...]:
    """From one account of a member to another."""
    currency = member.amount.currency
    return move(
        of_member(member.member_id, debit, currency),
        of_member(member.member_id, credit, currency),
        member.amount,
    )
