"""What was compiled, and how far a seller is in the year."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from balance.queries.sales import iter_sale_lines
from dac7.figures.activities import activities_of
from dac7.figures.explaining import Explained, unpack
from dac7.figures.rates import RateTable
from dac7.figures.sellers import QuarterFigures, Quarters, SellerFigures, Subject, figures_of
from dac7.models import Compilation, FrozenSeller, FrozenTotal
from dac7.quarters import year_bounds
from dac7.queries.profiles import TaxSubject, list_accounts_of_person, list_tax_subjects
from dac7.states import StateRules
from foundation.money import Money

ROWS_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class CompilationFacts:
    """A compilation. ``finished_at`` None: it was not compared with the ledger yet, and is not to be used."""

    id: str
    year: int
    state: str
    as_of: datetime
    finished_at: datetime | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TotalFacts:
    """What everybody of one decision adds up to in a currency, in minor units."""

    decision: str
    currency: str
    sellers: int
    activities: int
    consideration_minor: int
    fees_minor: int

    @property
    def consideration(self) -> Money:
        return Money(self.consideration_minor, self.currency)

    @property
    def fees(self) -> Money:
        return Money(self.fees_minor, self.currency)


@dataclass(frozen=True, slots=True)
class FrozenFigures:
    """One reported person of a compilation."""

    seller_key: str
    member_ids: tuple[str, ...]
    activities: int
    euros: Decimal
    quarters: Quarters
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A person whose figures two compilations say differently; None: not reported there."""

    seller_key: str
    before: FrozenFigures | None
    after: FrozenFigures | None


def find_compilation(filing_id: str) -> CompilationFacts | None:
    """Of this filing."""
    row = Compilation.objects.filter(id=filing_id).first()
    if row is None:
        return None
    return CompilationFacts(row.id, row.year, row.state, row.as_of, row.finished_at, row.fingerprint)


def list_totals(filing_id: str) -> list[TotalFacts]:
    """By decision and currency."""
    fields = ("decision", "currency", "sellers", "activities", "consideration_minor", "fees_minor")
    rows = FrozenTotal.objects.filter(compilation_id=filing_id).order_by("decision", "currency")
    return [TotalFacts(*row) for row in rows.values_list(*fields)]


def iter_frozen(filing_id: str) -> Iterator[FrozenFigures]:
    """Who is reported, by ``seller_key``, a bounded part in memory."""
    after = ""
    rows = FrozenSeller.objects.filter(compilation_id=filing_id).defer("explanation").order_by("seller_key")
    while page := list(rows.filter(seller_key__gt=after)[:ROWS_AT_A_TIME]):
        yield from (_frozen(row) for row in page)
        after = page[-1].seller_key


def find_frozen(filing_id: str, seller_key: str) -> FrozenFigures | None:
    """One of them."""
    row = FrozenSeller.objects.filter(compilation_id=filing_id, seller_key=seller_key).first()
    return None if row is None else _frozen(row)


def get_explanation(filing_id: str, seller_key: str) -> list[Explained]:
    """The lines that a person's figures are made of, by time; empty for somebody who is not reported."""
    rows = FrozenSeller.objects.filter(compilation_id=filing_id, seller_key=seller_key)
    packed = rows.values_list("explanation", flat=True).first()
    return [] if packed is None else unpack(bytes(packed))


def iter_differences(before_id: str, after_id: str) -> Iterator[Difference]:
    """Between two compilations, by ``seller_key``; equal figures are left out."""
    old = ((one.seller_key, 0, one) for one in iter_frozen(before_id))
    new = ((one.seller_key, 1, one) for one in iter_frozen(after_id))
    merged = heapq.merge(old, new, key=lambda found: found[:2])
    for seller_key, both in groupby(merged, key=lambda found: found[0]):
        sides = {side: figures for _, side, figures in both}
        if sides.get(0) != sides.get(1):
            yield Difference(seller_key, sides.get(0), sides.get(1))


def read_own_year(
    member_id: str, *, year: int, rules: StateRules, rates: RateTable, now: datetime
) -> SellerFigures:
    """The year so far of a member, with all accounts of the person, straight from the ledger.

    Counted as a filing would, so that nobody is reported who was told otherwise. Raises RateMissing.
    """
    since, until = year_bounds(year, rules.time_zone)
    member_ids = list_accounts_of_person(member_id)
    lines = iter_sale_lines(since=since, until=min(until, now), changes_until=now, member_ids=member_ids)
    activities = [
        one for _, own in groupby(lines, key=lambda line: line.member_id) for one in activities_of(own)
    ]
    subject = subject_of(list_tax_subjects(member_ids).values())
    return figures_of(member_ids, activities, subject=subject, year=year, rules=rules, rates=rates)


def subject_of(subjects: Iterable[TaxSubject]) -> Subject:
    """What the accounts of one person say together."""
    subjects = list(subjects)
    residences = sorted({state for subject in subjects for state in subject.residences})
    return Subject(tuple(residences), next((one.exclusion for one in subjects if one.exclusion), ""))


def _frozen(row: FrozenSeller) -> FrozenFigures:
    first, second, third, fourth = (QuarterFigures(**quarter) for quarter in row.quarters)
    return FrozenFigures(
        seller_key=row.seller_key,
        member_ids=tuple(row.member_ids),
        activities=row.activities,
        euros=row.euros,
        quarters=(first, second, third, fourth),
        warnings=tuple(row.warnings.split()),
    )
