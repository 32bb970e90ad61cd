"""How a seller's figures came about, line by line: packed beside them, and read back. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import orjson

from dac7.figures.rounding import as_euros, round_half_up
from foundation.money import Money, exponent_of


@dataclass(frozen=True, slots=True)
class Explained:
    """One activity: what it added to its quarter, and at which rate it counted towards the limit.

    Where its quarter mixes currencies, `into` is the one that the quarter is reported in, with the rate that
    it was converted at; otherwise `into` is its own.
    """

    member_id: str
    reference: str
    credited_at: datetime
    quarter: int
    credited: Money
    fees: Money
    taken_back: Money
    rate: Decimal
    rate_day: date
    into: str
    into_rate: Decimal
    into_rate_day: date

    @property
    def is_converted(self) -> bool:
        return self.into != self.credited.currency

    @property
    def converted(self) -> Fraction:
        """What the quarter's sum has of it, exact, in units of `into`."""
        amount = self.consideration
        if not self.is_converted:
            return Fraction(amount.amount_minor, 10 ** exponent_of(amount.currency))
        return as_euros(amount.amount_minor, amount.currency, Fraction(self.rate)) * Fraction(self.into_rate)

    @property
    def converted_for_reading(self) -> Decimal:
        """`converted` with six places; the quarter's sum is rounded once, from exact amounts."""
        return Decimal(round_half_up(self.converted * 10**6)).scaleb(-6)

    @property
    def consideration(self) -> Money:
        """What the quarter's sum has of it."""
        return self.credited - self.taken_back

    @property
    def counts(self) -> bool:
        """Whether it is one of the quarter's activities."""
        return self.consideration.amount_minor > 0


def pack(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows of SellerFigures.explanation, small enough to be kept beside each seller."""
    return zlib.compress(orjson.dumps(list(rows)), 1)


def unpack(packed: bytes) -> list[Explained]:
    """The reverse of ``pack``."""
    return [_explained(row) for row in orjson.loads(zlib.decompress(packed))]


def explained(rows: Iterable[Sequence[Any]]) -> list[Explained]:
    """Rows that were not packed."""
    return [_explained(row) for row in rows]


def _explained(row: Sequence[Any]) -> Explained:
    member_id, reference, currency, credited_at, credited, fees, taken_back, quarter, rate, day = row[:10]
    into, into_rate, into_day = row[10:] or (currency, rate, day)
    return Explained(
        member_id=member_id,
        reference=reference,
        credited_at=datetime.fromisoformat(credited_at),
        quarter=quarter,
        credited=Money(credited, currency),
        fees=Money(fees, currency),
        taken_back=Money(taken_back, currency),
        rate=Decimal(rate),
        rate_day=date.fromisoformat(day),
        into=into,
        into_rate=Decimal(into_rate),
        into_rate_day=date.fromisoformat(into_day),
    )
