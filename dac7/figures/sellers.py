"""What is reported of one seller for one year: four quarters, and why it is reported or not. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from dac7.figures.activities import Activity
from dac7.figures.rates import EURO, RateTable
from dac7.figures.rounding import as_euros, round_half_up, whole_units
from dac7.quarters import QUARTERS, local_date, quarter_of
from dac7.states import MEMBER_STATES, StateRules, reportable_states, rules_of
from dac7.thresholds import is_small
from foundation.money import Money, exponent_of


class Decision(StrEnum):
    """Why a seller is in a filing, or is not."""

    REPORTED = "reported"
    NO_ACTIVITY = "no_activity"  # all of it was taken back
    SMALL = "small"
    GOVERNMENT = "government"
    LISTED = "listed"
    RELATED_TO_LISTED = "related_to_listed"
    RESIDENT_ELSEWHERE = "resident_elsewhere"


NEVER_REPORTED = frozenset(
    {Decision.GOVERNMENT, Decision.LISTED, Decision.RELATED_TO_LISTED, Decision.RESIDENT_ELSEWHERE}
)
"""Whatever they sell."""


class Notable(StrEnum):
    """What a person should look at before filing."""

    ROUNDS_TO_ZERO = "rounds_to_zero"
    BELOW_ZERO = "below_zero"
    MIXED_CURRENCIES = "mixed_currencies"


@dataclass(frozen=True, slots=True)
class QuarterFigures:
    """Minor units as in the ledger; the fields without ``_minor`` are whole units, rounded once.

    Where a quarter mixes currencies, both are converted, and ``…_minor`` is rounded for reading only.
    """

    currency: str
    consideration: int = 0
    consideration_minor: int = 0
    activities: int = 0
    fees: int = 0
    fees_minor: int = 0
    taxes: int = 0
    taxes_minor: int = 0

    @property
    def exactly(self) -> Money:
        """The consideration, not rounded."""
        return Money(self.consideration_minor, self.currency)

    @property
    def fees_exactly(self) -> Money:
        """The fees, not rounded."""
        return Money(self.fees_minor, self.currency)


Quarters = tuple[QuarterFigures, QuarterFigures, QuarterFigures, QuarterFigures]


@dataclass(frozen=True, slots=True)
class Subject:
    """What the figures need to know of a person. ``exclusion`` is one of Decision's, or empty."""

    residences: tuple[str, ...] = ()
    exclusion: str = ""


@dataclass(frozen=True, slots=True)
class SellerFigures:
    """One person's year. ``euros`` is exact and for the test of the limits only."""

    member_ids: tuple[str, ...]
    decision: Decision
    quarters: Quarters
    activities: int
    euros: Fraction
    warnings: tuple[Notable, ...]
    explanation: tuple[tuple[str | int, ...], ...]

    @property
    def seller_key(self) -> str:
        """The account that stands for the person: the one with the lowest id."""
        return self.member_ids[0]


def figures_of(
    member_ids: Collection[str],
    activities: Sequence[Activity],
    *,
    subject: Subject,
    year: int,
    rules: StateRules,
    rates: RateTable,
) -> SellerFigures:
    """Raises RateMissing."""
    rows: list[tuple[str | int, ...]] = []
    sums: Counter[tuple[str, Decimal]] = Counter()
    of_quarter: dict[int, list[Activity]] = {number: [] for number in QUARTERS}
    for activity in activities:
        day = local_date(activity.credited_at, rules.time_zone)
        if day.year != year:
            raise ValueError(f"{activity.reference} was credited in {day.year}, not in {year}")
        quarter = quarter_of(day).number
        of_quarter[quarter].append(activity)
        rate = rates.on(activity.currency, day)
        # Amounts of one rate are added up before they are converted: exact either way, and far less work.
        sums[(activity.currency, rate.per_euro)] += activity.consideration_minor
        rows.append((*activity.as_row(), quarter, str(rate.per_euro), rate.day.isoformat()))
    mixed = {n for n in QUARTERS if len(_currencies(of_quarter[n])) > 1}
    if mixed:
        _explain_conversion(rows, mixed, common_currency(subject, year), rules, rates)
    number = sum(activity.counts for activity in activities)
    euros = sum(
        (as_euros(minor, currency, Fraction(per_euro)) for (currency, per_euro), minor in sums.items()),
        Fraction(0),
    )
    main = _main_currency(activities, rules)
    quarters = [
        _converted(of_quarter[n], common_currency(subject, year), rules, rates)
        if n in mixed
        else _quarter(of_quarter[n], main)
        for n in QUARTERS
    ]
    return SellerFigures(
        member_ids=tuple(sorted(member_ids)),
        decision=_decide(number, euros, activities, subject, year, rules),
        quarters=(quarters[0], quarters[1], quarters[2], quarters[3]),
        activities=number,
        euros=euros,
        warnings=tuple(_warnings(quarters, is_mixed=bool(mixed))),
        explanation=tuple(rows),
    )


def _decide(
    number: int,
    euros: Fraction,
    activities: Sequence[Activity],
    subject: Subject,
    year: int,
    rules: StateRules,
) -> Decision:
    if subject.exclusion:
        return Decision(subject.exclusion)
    if subject.residences and not reportable_states(rules.state, year).intersection(subject.residences):
        return Decision.RESIDENT_ELSEWHERE
    if not any(activity.consideration_minor for activity in activities):
        return Decision.NO_ACTIVITY
    return Decision.SMALL if is_small(number, euros, rules) else Decision.REPORTED


def _main_currency(activities: Sequence[Activity], rules: StateRules) -> str:
    """Of quarters without sales: what most sales of the year are in."""
    counted = Counter(activity.currency for activity in activities)
    return min(counted, key=lambda currency: (-counted[currency], currency), default=rules.currency)


def _quarter(activities: Sequence[Activity], main: str) -> QuarterFigures:
    currency = next(iter(_currencies(activities)), main)
    consideration = sum(activity.consideration_minor for activity in activities)
    fees = sum(activity.fees_minor for activity in activities)
    return QuarterFigures(
        currency=currency,
        consideration=whole_units(consideration, currency),
        consideration_minor=consideration,
        activities=sum(activity.counts for activity in activities),
        fees=whole_units(fees, currency),
        fees_minor=fees,
    )


def _currencies(activities: Sequence[Activity]) -> set[str]:
    """What something is left in: a sale that was taken back whole mixes nothing."""
    return {one.currency for one in activities if one.consideration_minor or one.fees_minor}


def _explain_conversion(
    rows: list[tuple[str | int, ...]],
    quarters: Collection[int],
    into: str,
    rules: StateRules,
    rates: RateTable,
) -> None:
    """To each line of these quarters, the currency that it is reported in and the rate of that."""
    for place, row in enumerate(rows):
        if row[7] in quarters:
            day = local_date(datetime.fromisoformat(str(row[3])), rules.time_zone)
            rate = rates.on(into, day)
            rows[place] = (*row, into, str(rate.per_euro), rate.day.isoformat())


def common_currency(subject: Subject, year: int) -> str:
    """What a quarter of several currencies is reported in: the residence state's currency, else euros [P].

    With several residences, or one outside the Union, it is euros.
    """
    if len(subject.residences) != 1 or subject.residences[0] not in MEMBER_STATES:
        return EURO
    return rules_of(subject.residences[0], year).currency


def _converted(
    activities: Sequence[Activity], currency: str, rules: StateRules, rates: RateTable
) -> QuarterFigures:
    scale = 10 ** exponent_of(currency)
    consideration = fees = Fraction(0)
    for activity in activities:
        day = local_date(activity.credited_at, rules.time_zone)
        factor = rates.per_euro(currency, day) * scale
        rate = rates.per_euro(activity.currency, day)
        consideration += as_euros(activity.consideration_minor, activity.currency, rate) * factor
        fees += as_euros(activity.fees_minor, activity.currency, rate) * factor
    return QuarterFigures(
        currency=currency,
        consideration=whole_units(consideration, currency),
        consideration_minor=round_half_up(consideration),
        activities=sum(activity.counts for activity in activities),
        fees=whole_units(fees, currency),
        fees_minor=round_half_up(fees),
    )


def _warnings(quarters: Sequence[QuarterFigures], *, is_mixed: bool) -> list[Notable]:
    found = []
    if any(one.activities and not one.consideration for one in quarters):
        found.append(Notable.ROUNDS_TO_ZERO)
    if any(one.consideration_minor < 0 for one in quarters):
        found.append(Notable.BELOW_ZERO)
    if is_mixed:
        found.append(Notable.MIXED_CURRENCIES)
    return found
