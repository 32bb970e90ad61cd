"""How a seller's figures came about, line by line: packed beside them, and read back. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from foundation.money import Money


@dataclass(frozen=True, slots=True)
class Explained:
    """One activity: what it added to its quarter, and at which rate it counted towards the limit."""

    member_id: str
    reference: str
    credited_at: datetime
    quarter: int
    credited: Money
    fees: Money
    taken_back: Money
    rate: Decimal
    rate_day: date

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
    member_id, reference, currency, credited_at, credited, fees, taken_back, quarter, rate, day = row
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
    )
