"""Lines of the ledger that belong to one order are one activity. Pure.

An activity is a contract: a bundle counts one (Annex V, I.A.8 [S]). What is taken back restates the quarter
in which the sale was credited, whenever it happens; a sale that was taken back whole is no activity [P].
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from balance.queries.sales import SaleLine, SalePart


@dataclass(slots=True)
class Activity:
    """One order of one seller, in minor units of its currency, as known until the lines end.

    ``credited_minor`` is net of ``fees_minor`` and includes what the seller gave to a charity.
    """

    member_id: str
    reference: str
    currency: str
    credited_at: datetime
    credited_minor: int = 0
    fees_minor: int = 0
    taken_back_minor: int = 0

    @property
    def consideration_minor(self) -> int:
        """What is left to the seller."""
        return self.credited_minor - self.taken_back_minor

    @property
    def counts(self) -> bool:
        """Whether it is an activity still; a partly refunded sale is."""
        return self.consideration_minor > 0

    def as_row(self) -> list[str | int]:
        """Its part of a seller's explanation (dac7.figures.explaining)."""
        return [
            *(self.member_id, self.reference, self.currency, self.credited_at.isoformat()),
            *(self.credited_minor, self.fees_minor, self.taken_back_minor),
        ]


def activities_of(lines: Iterable[SaleLine]) -> list[Activity]:
    """Of one seller, by the time of their credit. What changed sales that are not among them is left out:

    those were credited in another year, and restate that one.
    """
    found: dict[tuple[str, str], Activity] = {}
    for line in lines:
        key = (line.reference, line.amount.currency)
        activity = found.get(key)
        if activity is None:
            if line.part is SalePart.TAKEN_BACK:
                continue
            activity = found[key] = Activity(
                line.member_id, line.reference, line.amount.currency, line.recorded_at
            )
        if line.part is SalePart.CREDITED:
            activity.credited_minor += line.amount.amount_minor
        elif line.part is SalePart.KEPT:
            activity.fees_minor += line.amount.amount_minor
        else:
            activity.taken_back_minor += line.amount.amount_minor
    return sorted(found.values(), key=lambda one: (one.credited_at, one.reference, one.currency))


def by_member(lines: Iterable[SaleLine]) -> Iterable[tuple[str, list[Activity]]]:
    """Of lines in order of member: each member with their activities; those with none are left out."""
    for member_id, own in groupby(lines, key=lambda line: line.member_id):
        if activities := activities_of(own):
            yield member_id, activities
