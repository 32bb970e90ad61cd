"""Watching sellers: who may sell now, comes near the limits, or is over one; and quarterly checks.

The ledger is read from where the last reading ended, and a little before: a posting may be committed after a
later one. So a seller may be read twice, and nothing is said twice.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from balance.queries.sales import list_sellers_between
from dac7 import metrics
from dac7.figures.rates import RateMissing, RateTable
from dac7.figures.sellers import NEVER_REPORTED, Decision, SellerFigures
from dac7.models import QuarterCheck, SalesCursor, SellerYear
from dac7.quarters import local_date, quarter_of, year_bounds
from dac7.queries.figures import read_own_year
from dac7.queries.profiles import list_tax_subjects
from dac7.services.diligence import is_missing, record, request_information
from dac7.services.figuring import iter_year, six_places
from dac7.services.rates import rates_of_year
from dac7.states import StateRules, rules_of
from dac7.thresholds import Standing, standing_of
from foundation.db import atomic_retry
from foundation.lifecycle import CLOCK
from foundation.money import Money
from orders.queries.sellers import list_offering_sellers_between

logger = structlog.get_logger(__name__)

READER = "watch"
OFFERS_READER = "offers"
OVERLAP = timedelta(minutes=5)  # longer than any transaction runs (CELERY_TASK_TIME_LIMIT)
STEP = timedelta(days=1)
MOST_STEPS = 400  # of one sweep: a whole year on a new installation
SELLERS_AT_A_TIME = 500

_NOTICES = {
    Standing.SMALL: ("first_sale", "tax.first_sale"),
    Standing.NEAR: ("near_limits", "tax.near_limits"),
    Standing.OVER: ("over_limits", "tax.over_limits"),
}
_RANK = {standing: rank for rank, standing in enumerate(Standing)}


def rules_now(now: datetime) -> tuple[int, StateRules]:
    """The year that it is at the operator, and its rules."""
    state = settings.DAC7_OPERATOR_STATE
    year = local_date(now, rules_of(state, now.year).time_zone).year
    return year, rules_of(state, year)


def watch_sales(*, now: datetime) -> int:
    """Look at everybody whose sales were credited or changed since the last time; returns how many.

    Two workers at once find the same; the first one to say something says it alone.
    """
    year, rules = rules_now(now)
    cursor = SalesCursor.objects.filter(name=READER).first()
    since = year_bounds(year, rules.time_zone)[0] if cursor is None else cursor.read_until
    rates, watched = rates_of_year(year), 0
    # Before anything can fail: who watches the figure sees it grow with every run that comes to nothing.
    metrics.SALES_READ_LAG_SECONDS.set((now - since).total_seconds())
    for _ in range(MOST_STEPS):
        until = min(since + STEP, now)
        for member_id in list_sellers_between(since - OVERLAP, until):
            watch_seller(member_id=member_id, year=year, rules=rules, rates=rates, now=now)
            watched += 1
        _advance(READER, until)
        since = until
        if since >= now:
            break
    metrics.SALES_READ_LAG_SECONDS.set((now - since).total_seconds())
    return watched


def tell_offering_sellers(*, now: datetime) -> int:
    """Tell those who put something on offer how it works, before they sell; once a year. Returns how many.

    Two workers at once find the same; one of them says it.
    """
    year, rules = rules_now(now)
    cursor = SalesCursor.objects.filter(name=OFFERS_READER).first()
    since, told = year_bounds(year, rules.time_zone)[0] if cursor is None else cursor.read_until, 0
    for _ in range(MOST_STEPS):
        until = min(since + STEP, now)
        found = list_offering_sellers_between(since - OVERLAP, until)
        for start in range(0, len(found), SELLERS_AT_A_TIME):
            some = found[start : start + SELLERS_AT_A_TIME]
            rows = SellerYear.objects.filter(year=year, member_id__in=some)
            known = set(rows.values_list("member_id", flat=True))
            told += sum(_tell_offering(id_, year, rules, now) for id_ in some if id_ not in known)
        _advance(OFFERS_READER, until)
        since = until
        if since >= now:
            break
    return told


@atomic_retry
def _tell_offering(member_id: str, year: int, rules: StateRules, now: datetime) -> bool:
    _, is_new = _locked(member_id, year, now)
    if is_new:
        _tell(member_id, "offering", "tax.before_first_sale", year=year, rules=rules, now=now)
    return is_new


@atomic_retry
def _advance(reader: str, until: datetime) -> None:
    SalesCursor.objects.update_or_create(name=reader, defaults={"read_until": until})


def watch_seller(
    *, member_id: str, year: int, rules: StateRules, rates: RateTable, now: datetime
) -> Standing | None:
    """Read one seller's year and tell them what is new; None when an exchange rate is missing."""
    try:
        figures = read_own_year(member_id, year=year, rules=rules, rates=rates, now=now)
    except RateMissing as fault:
        logger.error("exchange_rate_missing", member_id=member_id, fault=str(fault))
        return None
    return _note(member_id, figures, year=year, rules=rules, now=now)


@atomic_retry
def _note(member_id: str, figures: SellerFigures, *, year: int, rules: StateRules, now: datetime) -> Standing:
    standing = standing_of(figures.activities, figures.euros, rules)
    if standing is Standing.NONE and not SellerYear.objects.filter(member_id=member_id, year=year).exists():
        return standing  # nothing is left of what was sold, and nothing was said
    row, is_new = _locked(member_id, year, now)
    before = Standing(row.standing)
    SellerYear.objects.filter(id=row.id).update(
        activities=figures.activities,
        euros=six_places(figures.euros),
        # What was said stays said: after a refund and another sale nobody is told twice.
        standing=max(before, standing, key=_RANK.__getitem__).value,
        read_at=now,
    )
    if figures.decision in NEVER_REPORTED:
        return standing
    # Who was told before selling is not told the same again with the first sale.
    if _RANK[standing] > _RANK[before] and (standing is not Standing.SMALL or is_new):
        verb, notice = _NOTICES[standing]
        _tell(member_id, verb, notice, year=year, rules=rules, now=now)
    if standing in (Standing.NEAR, Standing.OVER) and is_missing(member_id):
        request_information(member_id=member_id, year=year, actor=CLOCK, now=now)
    return standing


def _locked(member_id: str, year: int, now: datetime) -> tuple[SellerYear, bool]:
    """The seller's year, locked, so that of two workers the second one knows what was said; is it new?"""
    fresh = SellerYear(
        member_id=member_id, year=year, activities=0, euros=0, standing=Standing.NONE.value, read_at=now
    )
    SellerYear.objects.bulk_create([fresh], ignore_conflicts=True)
    row = SellerYear.objects.select_for_update().get(member_id=member_id, year=year)
    return row, row.id == fresh.id


def _tell(member_id: str, verb: str, notice: str, *, year: int, rules: StateRules, now: datetime) -> None:
    record(
        member_id=member_id,
        year=year,
        verb=verb,
        actor=CLOCK,
        now=now,
        notice=notice,
        params={
            "year": str(year),
            "sales": rules.activities_below,
            "amount": Money(int(rules.limit * 100), "EUR"),
            "how": "at_least" if rules.is_limit_reported else "more_than",
        },
        key=f"tax:{year}:{verb}",
    )


def check_quarter(*, now: datetime) -> str | None:
    """Once a quarter is over: read everybody, ask whoever should have been asked; gives the check's id.

    None when it was done. Raises RateMissing: then it is done when the rates are there.
    """
    year, rules = rules_now(now)
    over = quarter_of(local_date(now, rules.time_zone)).before()
    if over.year != year:
        rules = rules_of(rules.state, over.year)
    if QuarterCheck.objects.filter(year=over.year, quarter=over.number).exists():
        return None
    counted = Counter[str]()
    batch: list[SellerFigures] = []
    for figures in iter_year(year=over.year, rules=rules, rates=rates_of_year(over.year), as_of=now):
        if figures.decision in (Decision.REPORTED, Decision.SMALL, Decision.NO_ACTIVITY):
            batch.append(figures)
        if len(batch) >= SELLERS_AT_A_TIME:
            counted += _check(batch, over.year, rules, now)
            batch = []
    counted += _check(batch, over.year, rules, now)
    return _write_check(over.year, over.number, counted, now)


def _check(batch: list[SellerFigures], year: int, rules: StateRules, now: datetime) -> Counter[str]:
    counted = Counter[str]()
    subjects = list_tax_subjects([member_id for figures in batch for member_id in figures.member_ids])
    for figures in batch:
        standing = standing_of(figures.activities, figures.euros, rules)
        counted["sellers"] += standing is not Standing.NONE
        counted[standing.value] += 1
        if standing not in (Standing.NEAR, Standing.OVER):
            continue
        incomplete = [
            id_ for id_ in figures.member_ids if id_ not in subjects or not subjects[id_].is_complete
        ]
        counted["incomplete"] += bool(incomplete)
        for member_id in incomplete:
            request_information(member_id=member_id, year=year, actor=CLOCK, now=now)
    return counted


def _write_check(year: int, quarter: int, counted: Counter[str], now: datetime) -> str | None:
    row = QuarterCheck(
        year=year,
        quarter=quarter,
        made_at=now,
        sellers=counted["sellers"],
        over=counted[Standing.OVER.value],
        near=counted[Standing.NEAR.value],
        incomplete=counted["incomplete"],
    )
    with transaction.atomic():
        # Of two workers the first one's row stays.
        QuarterCheck.objects.bulk_create([row], ignore_conflicts=True)
    if not QuarterCheck.objects.filter(id=row.id).exists():
        return None
    logger.info(
        "tax_quarter_checked", year=year, quarter=quarter, sellers=row.sellers, incomplete=row.incomplete
    )
    return str(row.id)
