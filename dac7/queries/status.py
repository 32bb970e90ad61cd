"""How far a seller is in this year, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from dac7.figures.rates import RateTable
from dac7.figures.rounding import round_half_up
from dac7.figures.sellers import NEVER_REPORTED
from dac7.lifecycle.diligence import RequestStatus, withheld_from
from dac7.quarters import local_date
from dac7.queries.diligence import RequestFacts, find_open_request
from dac7.queries.figures import read_own_year
from dac7.queries.profiles import list_tax_subjects
from dac7.states import StateRules
from dac7.steps import NextStep, next_steps
from dac7.thresholds import Standing, distance_to_limits, standing_of
from foundation.money import Money


@dataclass(frozen=True, slots=True)
class TaxStatus:
    """A member's year so far, with all accounts of the person.

    ``net`` by currency; ``euros`` and ``euros_left`` rounded to the cent.
    """

    year: int
    rules: StateRules
    sales: int
    net: tuple[Money, ...]
    euros: Money
    sales_left: int
    euros_left: Money
    standing: Standing
    is_complete: bool
    request: RequestFacts | None
    steps: tuple[NextStep, ...]


def get_tax_status(
    member_id: str, *, year: int, rules: StateRules, rates: RateTable, now: datetime
) -> TaxStatus:
    """Straight from the ledger. Raises RateMissing."""
    figures = read_own_year(member_id, year=year, rules=rules, rates=rates, now=now)
    standing = standing_of(figures.activities, figures.euros, rules)
    is_never_reported = figures.decision in NEVER_REPORTED
    if is_never_reported:
        standing = min(standing, Standing.SMALL, key=list(Standing).index)
    left = distance_to_limits(figures.activities, figures.euros, rules)
    subject = list_tax_subjects([member_id]).get(member_id)
    is_complete = subject is not None and subject.is_complete
    request = find_open_request(member_id)
    status = None if request is None else RequestStatus(request.status)
    held_from = (
        None
        if request is None
        else local_date(withheld_from(request.requested_at, rules.time_zone), rules.time_zone)
    )
    return TaxStatus(
        year=year,
        rules=rules,
        sales=figures.activities,
        net=_net(figures.explanation),
        euros=_cents(figures.euros),
        sales_left=left.activities,
        euros_left=_cents(left.euros),
        standing=standing,
        is_complete=is_complete,
        request=request,
        steps=tuple(
            next_steps(
                year=year,
                standing=standing,
                is_never_reported=is_never_reported,
                is_missing=not is_complete,
                is_withheld=status in (RequestStatus.WITHHELD, RequestStatus.BARRED, RequestStatus.CLOSED),
                is_barred=status in (RequestStatus.BARRED, RequestStatus.CLOSED),
                is_closed=status is RequestStatus.CLOSED,
                held_from=held_from,
            )
        ),
    )


def _cents(euros: Fraction) -> Money:
    return Money(round_half_up(euros * 100), "EUR")


def _net(explanation: tuple[tuple[str | int, ...], ...]) -> tuple[Money, ...]:
    sums: dict[str, int] = {}
    for _, _, currency, _, credited, _, taken_back, *_ in explanation:
        sums[str(currency)] = sums.get(str(currency), 0) + int(credited) - int(taken_back)
    return tuple(Money(minor, currency) for currency, minor in sorted(sums.items()))
