"""Compiling: the ledger's sales of a year become frozen figures, one reportable person after the other.

Read, decided and written as a stream: memory does not grow with the number of sellers. Nobody changes frozen
figures; compiling the same filing again makes them anew.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import orjson
import structlog

from balance.queries.sales import SaleLine, iter_sale_lines, sale_totals
from dac7 import metrics
from dac7.dossiers import EntityType, SellerDossier
from dac7.errors.figures import ExchangeRateMissing, FiguresDoNotAddUp, NumbersUnderFormerKeys
from dac7.figures.activities import Activity, activities_of, by_member
from dac7.figures.explaining import pack
from dac7.figures.rates import RateMissing, RateTable
from dac7.figures.rounding import round_half_up
from dac7.figures.sellers import Decision, SellerFigures, figures_of
from dac7.message.records import (
    BirthPlace,
    PaymentAccount,
    PostalAddress,
    Quarter,
    ReportedSeller,
    SellerKind,
    Tin,
)
from dac7.models import Compilation, FrozenSeller, FrozenTotal
from dac7.quarters import year_bounds
from dac7.queries.figures import subject_of
from dac7.queries.profiles import (
    count_numbers_under_former_keys,
    iter_dossiers,
    iter_shared_persons,
    list_tax_subjects,
)
from dac7.services.erasing import keep_for_year
from dac7.services.rates import rates_of_year
from dac7.states import MEMBER_STATES, StateRules, rules_of
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

PERSONS_AT_A_TIME = 500
_Person = tuple[tuple[str, ...], list[Activity]]


def reported_sellers(
    *, filing_id: str, year: int, member_state: str, now: datetime
) -> Iterator[ReportedSeller]:
    """Compile the filing's figures as of ``now`` and give who is reported, in order of ``seller_id``.

    The figures are complete once the iterator has ended: then they add up to the ledger. Called again, it
    starts anew. Raises ExchangeRateMissing, FiguresDoNotAddUp, NumbersUnderFormerKeys, StateUnknown.
    """
    started = time.monotonic()
    rules = rules_of(member_state, year)
    if under_former := count_numbers_under_former_keys():
        raise NumbersUnderFormerKeys(
            f"{under_former} tax numbers cannot be compared: run manage.py rotate_encryption_keys."
        )
    _begin(filing_id, year, member_state, now)
    compiled = _Compiled(filing_id, year)
    try:
        for figures in _iter_figures(year, rules, rates_of_year(year), now):
            for reported in compiled.add(figures):
                yield from _with_dossiers(reported, rules, year)
        yield from _with_dossiers(compiled.flush(), rules, year)
    except RateMissing as fault:
        raise ExchangeRateMissing(str(fault)) from fault
    _finish(compiled, rules, now)
    metrics.COMPILE_SECONDS.observe(time.monotonic() - started)


def iter_year(*, year: int, rules: StateRules, rates: RateTable, as_of: datetime) -> Iterator[SellerFigures]:
    """Everybody's year as the ledger knew it at ``as_of``, in order of their lowest id; nothing is frozen.

    Raises RateMissing.
    """
    return _iter_figures(year, rules, rates, as_of)


def _iter_figures(year: int, rules: StateRules, rates: RateTable, as_of: datetime) -> Iterator[SellerFigures]:
    shared = list(iter_shared_persons())
    persons = _persons(year, rules, shared, as_of)
    while batch := list(itertools.islice(persons, PERSONS_AT_A_TIME)):
        subjects = list_tax_subjects({member_id for member_ids, _ in batch for member_id in member_ids})
        for member_ids, activities in batch:
            yield figures_of(
                member_ids,
                activities,
                subject=subject_of(subjects[id_] for id_ in member_ids if id_ in subjects),
                year=year,
                rules=rules,
                rates=rates,
            )


@dataclass(frozen=True, slots=True)
class _Window:
    since: datetime
    until: datetime
    changes_until: datetime

    def lines(self, member_ids: Sequence[str] | None = None) -> Iterator[SaleLine]:
        return iter_sale_lines(
            since=self.since, until=self.until, changes_until=self.changes_until, member_ids=member_ids
        )


def _persons(
    year: int, rules: StateRules, shared: Sequence[tuple[str, ...]], as_of: datetime
) -> Iterator[_Person]:
    """Accounts with sales in the year; those of one person together, by their lowest id."""
    since, until = year_bounds(year, rules.time_zone)
    window = _Window(since, min(until, as_of), as_of)
    in_groups = {member_id for group in shared for member_id in group}
    single = (
        ((member_id,), activities)
        for member_id, activities in by_member(window.lines())
        if member_id not in in_groups
    )
    return heapq.merge(single, _groups(shared, window), key=lambda person: person[0][0])


def _groups(shared: Iterable[tuple[str, ...]], window: _Window) -> Iterator[_Person]:
    # Few: people with two accounts.
    for group in sorted(tuple(sorted(group)) for group in shared):
        lines = window.lines(group)
        found = [
            activity
            for _, own in itertools.groupby(lines, key=lambda line: line.member_id)
            for activity in activities_of(own)
        ]
        if found:
            yield group, sorted(found, key=lambda one: (one.credited_at, one.reference, one.currency))


@atomic_retry
def _begin(filing_id: str, year: int, member_state: str, now: datetime) -> None:
    Compilation.objects.filter(id=filing_id).delete()
    Compilation.objects.create(id=filing_id, year=year, state=member_state, as_of=now)


@dataclass(slots=True)
class _Sum:
    sellers: int = 0
    activities: int = 0
    consideration_minor: int = 0
    fees_minor: int = 0


@dataclass
class _Compiled:
    """What was added so far: sums, the hash, and the rows that are not written yet."""

    filing_id: str
    year: int
    sums: dict[tuple[Decision, str], _Sum] = field(default_factory=dict)
    sha: Any = field(default_factory=hashlib.sha256)
    decided: Counter[Decision] = field(default_factory=Counter)
    waiting: list[SellerFigures] = field(default_factory=list)

    def add(self, figures: SellerFigures) -> Iterator[list[SellerFigures]]:
        """Count it; every so often, give those that are now written."""
        self.decided[figures.decision] += 1
        self._sum_up(figures)
        if figures.decision is Decision.REPORTED:
            self.waiting.append(figures)
            if len(self.waiting) >= PERSONS_AT_A_TIME:
                yield self.flush()

    def _sum_up(self, figures: SellerFigures) -> None:
        seen = set[str]()
        for _, _, currency, _, credited, fees, taken_back, *_ in figures.explanation:
            total = self.sums.setdefault((figures.decision, str(currency)), _Sum())
            total.sellers += currency not in seen
            seen.add(str(currency))
            left = int(credited) - int(taken_back)
            total.activities += left > 0
            total.consideration_minor += left
            total.fees_minor += int(fees)

    def flush(self) -> list[SellerFigures]:
        """Write what waits."""
        written, self.waiting = self.waiting, []
        rows = [_frozen(self.filing_id, figures) for figures in written]
        for row in rows:
            facts = [row.seller_key, row.member_ids, row.activities, str(row.euros), row.quarters]
            self.sha.update(orjson.dumps(facts) + row.explanation)
        FrozenSeller.objects.bulk_create(rows)
        keep_for_year(member_ids=[id_ for one in written for id_ in one.member_ids], year=self.year)
        return written


def _frozen(filing_id: str, figures: SellerFigures) -> FrozenSeller:
    return FrozenSeller(
        compilation_id=filing_id,
        seller_key=figures.seller_key,
        member_ids=list(figures.member_ids),
        activities=figures.activities,
        euros=six_places(figures.euros),
        quarters=[asdict(quarter) for quarter in figures.quarters],
        warnings=" ".join(figures.warnings),
        explanation=pack(figures.explanation),
    )


def six_places(euros: Fraction) -> Decimal:
    """For reading; limits are tested before."""
    return Decimal(round_half_up(euros * 10**6)).scaleb(-6)


@atomic_retry
def _finish(compiled: _Compiled, rules: StateRules, now: datetime) -> None:
    since, until = year_bounds(compiled.year, rules.time_zone)
    _compare(compiled, sale_totals(since=since, until=min(until, now), changes_until=now))
    FrozenTotal.objects.bulk_create(
        [
            FrozenTotal(
                compilation_id=compiled.filing_id, decision=decision.value, currency=currency, **asdict(total)
            )
            for (decision, currency), total in sorted(compiled.sums.items())
        ]
    )
    Compilation.objects.filter(id=compiled.filing_id).update(
        finished_at=now, fingerprint=compiled.sha.hexdigest()
    )
    for decision, number in compiled.decided.items():
        metrics.COMPILED_SELLERS.labels(decision.value).inc(number)
    logger.info(
        "figures_compiled",
        filing_id=compiled.filing_id,
        year=compiled.year,
        **{decision.value: number for decision, number in compiled.decided.items()},
    )


def _compare(compiled: _Compiled, ledger: Mapping[str, tuple[int, int]]) -> None:
    """To the cent, by currency: all sellers together against one sum of the database."""
    ours: dict[str, tuple[int, int]] = {}
    for (_, currency), total in compiled.sums.items():
        consideration, fees = ours.get(currency, (0, 0))
        ours[currency] = (consideration + total.consideration_minor, fees + total.fees_minor)
    for currency in sorted(ours.keys() | ledger.keys()):
        if ours.get(currency, (0, 0)) != ledger.get(currency, (0, 0)):
            raise FiguresDoNotAddUp(
                f"{currency}: sellers add up to {ours.get(currency)}, the ledger to {ledger.get(currency)}."
            )


def _with_dossiers(
    figures: Sequence[SellerFigures], rules: StateRules, year: int
) -> Iterator[ReportedSeller]:
    wanted = (member_id for one in figures for member_id in one.member_ids)
    dossiers = {dossier.member_id: dossier for dossier in iter_dossiers(wanted)}
    for one in figures:
        own = [dossiers[member_id] for member_id in one.member_ids if member_id in dossiers]
        # Of several accounts the first one that says everything speaks for the person.
        dossier = next((dossier for dossier in own if dossier.is_complete), next(iter(own), None))
        reported = _reported(one, dossier)
        # Of a residence outside the Union the operator's state decides.
        asking = [rules_of(state, year) for state in reported.residences if state in MEMBER_STATES] or [rules]
        if not any(state.wants_account for state in asking):
            reported = replace(reported, account=None)
        yield reported


def _reported(figures: SellerFigures, dossier: SellerDossier | None) -> ReportedSeller:
    """Without a dossier all about the person is empty, which the rules before filing refuse by name."""
    quarters = [
        Quarter(one.currency, one.consideration, one.activities, one.fees, one.taxes)
        for one in figures.quarters
    ]
    whole = (quarters[0], quarters[1], quarters[2], quarters[3])
    if dossier is None:
        nowhere = PostalAddress(country="", city="")
        return ReportedSeller(figures.member_ids, SellerKind.INDIVIDUAL, (), nowhere, whole)
    return ReportedSeller(
        member_ids=figures.member_ids,
        kind=SellerKind.INDIVIDUAL if dossier.entity_type is EntityType.INDIVIDUAL else SellerKind.ENTITY,
        residences=dossier.residences,
        address=_address(dossier),
        quarters=whole,
        tins=tuple(Tin(tin.number, tin.state) for tin in dossier.tins),
        vat_number=dossier.vat_number,
        first_name=dossier.first_name,
        last_name=dossier.last_name,
        birth_date=dossier.birth.on_date if dossier.birth else None,
        birth_place=_birth_place(dossier),
        legal_name=dossier.legal_name,
        registration_number=dossier.registration_number,
        registered_in=dossier.registered_in,
        establishments=dossier.establishments,
        account=_account(dossier),
    )


def _address(dossier: SellerDossier) -> PostalAddress:
    if dossier.address is None:
        return PostalAddress(country="", city="")
    at = dossier.address
    return PostalAddress(at.country, at.city, at.street, at.building, at.postal_code)


def _birth_place(dossier: SellerDossier) -> BirthPlace | None:
    born = dossier.birth
    return BirthPlace(born.city, born.country) if born and born.city else None


def _account(dossier: SellerDossier) -> PaymentAccount | None:
    account = dossier.account
    if account is None:
        return None
    return PaymentAccount(account.iban, account.holder if account.differs else "")
