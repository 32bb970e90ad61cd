"""Charities, and what members give them, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import QuerySet

from balance.errors import CharityNotFound, DonationNotFound
from balance.models import (
    Charity,
    CharityMarket,
    CharityText,
    Donation,
    DonationSetting,
    DonationSettlement,
)
from foundation.compiled import CompiledQuery, args, named
from foundation.money import Money
from members.queries import MemberFacts

FALLBACK_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class CharityFacts:
    """A charity as members see it. `is_open`: it takes donations."""

    id: str
    name: str
    description: str
    country: str
    registration_number: str
    currency: str
    markets: tuple[str, ...]
    is_open: bool

    def takes_from(self, member: MemberFacts) -> bool:
        """Whether this member may give to it now."""
        return self.is_open and self.currency == member.currency and member.country in self.markets


@dataclass(frozen=True, slots=True)
class SettingFacts:
    """What a member gives of each sale. Version 0: never set."""

    percent: int
    charity_id: str | None
    version: int
    set_at: datetime | None


@dataclass(frozen=True, slots=True)
class DonationFacts:
    """A donation as its member sees it. `sale` is the reference of the sale that it is a share of."""

    id: str
    kind: str
    status: str
    amount: Money
    charity_id: str
    charity_name: str
    sale: str | None
    given_at: datetime
    ended_at: datetime | None


CHARITY_FIELDS = ("id", "name", "country", "registration_number", "currency", "opened_at", "closed_at")


def givers_among(member_ids: Iterable[str]) -> set[str]:
    """Those of the members who give a part of each sale; one statement."""
    ids = set(member_ids)
    return set(_givers(len(ids)).all(**named("member_id", ids)))


@lru_cache(maxsize=128)
def _givers(count: int) -> CompiledQuery[str]:
    return CompiledQuery(
        lambda: (
            DonationSetting.objects.filter(member__id__in=args("member_id", count), percent__gt=0)
            .order_by()
            .values_list("member_id", flat=True)
        )
    )


def charity_rows(market: str) -> QuerySet[Charity, Any]:
    """Open charities of a market, rows for a cursor page; ``charity_facts`` makes sense of them."""
    rows: QuerySet[Charity, Any] = Charity.objects.filter(
        markets__market_id=market, opened_at__isnull=False, closed_at__isnull=True
    ).values(*CHARITY_FIELDS)
    return rows


def charity_facts(rows: Iterable[dict[str, Any]], language: str) -> dict[str, CharityFacts]:
    """Rows of CHARITY_FIELDS as data, by id: two statements more, however many there are."""
    rows = list(rows)
    ids = [row["id"] for row in rows]
    texts: dict[str, dict[str, str]] = {}
    for charity_id, code, text in CharityText.objects.filter(charity_id__in=ids).values_list(
        "charity_id", "language", "description"
    ):
        texts.setdefault(charity_id, {})[code] = text
    markets: dict[str, list[str]] = {}
    of_charities = CharityMarket.objects.filter(charity_id__in=ids).order_by("market_id")
    for charity_id, market in of_charities.values_list("charity_id", "market_id"):
        markets.setdefault(charity_id, []).append(market)
    return {
        row["id"]: CharityFacts(
            id=row["id"],
            name=row["name"],
            description=_in_language(texts.get(row["id"], {}), language),
            country=row["country"],
            registration_number=row["registration_number"],
            currency=row["currency"],
            markets=tuple(markets.get(row["id"], ())),
            is_open=row["opened_at"] is not None and row["closed_at"] is None,
        )
        for row in rows
    }


def _in_language(texts: dict[str, str], language: str) -> str:
    """In this language, else in English, else in whichever there is."""
    code = language.partition("-")[0]
    return texts.get(code) or texts.get(FALLBACK_LANGUAGE) or next(iter(texts.values()), "")


def get_charity(charity_id: str, language: str = FALLBACK_LANGUAGE) -> CharityFacts:
    """Open or closed, since donations name it for good; no draft. Raises CharityNotFound."""
    row = Charity.objects.filter(id=charity_id, opened_at__isnull=False).values(*CHARITY_FIELDS).first()
    if row is None:
        raise CharityNotFound
    return charity_facts([row], language)[charity_id]


def find_setting(member_id: str) -> SettingFacts | None:
    """The latest; None when the member never set any."""
    row = DonationSetting.objects.filter(member_id=member_id).order_by("-version").first()
    return None if row is None else SettingFacts(row.percent, row.charity_id, row.version, row.set_at)


_DONATION_FIELDS = (
    *("id", "kind", "status", "amount_minor", "currency", "charity_id", "charity__name", "sale"),
    *("given_at", "ended_at"),
)


def donation_rows(
    member_id: str, *, charity_id: str | None = None, kind: str | None = None, status: str | None = None
) -> QuerySet[Donation, Any]:
    """Rows for a cursor page sorted by id; ``donation_facts`` makes sense of one."""
    wanted = {"charity_id": charity_id, "kind": kind, "status": status}
    rows = Donation.objects.filter(
        member_id=member_id, **{name: value for name, value in wanted.items() if value is not None}
    )
    found: QuerySet[Donation, Any] = rows.values(*_DONATION_FIELDS)
    return found


def donation_facts(row: dict[str, Any]) -> DonationFacts:
    """A row of ``donation_rows`` as data."""
    return DonationFacts(
        id=row["id"],
        kind=row["kind"],
        status=row["status"],
        amount=Money(row["amount_minor"], row["currency"]),
        charity_id=row["charity_id"],
        charity_name=row["charity__name"],
        sale=row["sale"],
        given_at=row["given_at"],
        ended_at=row["ended_at"],
    )


def get_donation(member_id: str, donation_id: str) -> DonationFacts:
    """One of this member's. Raises DonationNotFound."""
    row = donation_rows(member_id).filter(id=donation_id).first()
    if row is None:
        raise DonationNotFound
    return donation_facts(row)


def list_charities_owed(until: datetime) -> list[tuple[str, str]]:
    """(charity, currency) with donations given before this instant that are in no settlement."""
    rows = Donation.objects.filter(status="given", given_at__lt=until).order_by("charity_id", "currency")
    return list(rows.values_list("charity_id", "currency").distinct())


def due_settlement_ids(*, now: datetime, limit: int) -> list[str]:
    """Those a worker has to call or ask the bank about, the longest due first."""
    rows = DonationSettlement.objects.filter(next_call_at__lte=now).order_by("next_call_at", "id")
    return list(rows.values_list("id", flat=True)[:limit])


def count_settlements(statuses: Iterable[str]) -> dict[str, int]:
    """How many settlements are in each of these statuses."""
    return {status: DonationSettlement.objects.filter(status=status).count() for status in statuses}


def iterate_settled(settlement_id: str) -> Iterator[tuple[str, datetime, str, Money]]:
    """(id, given at, kind, amount) of the donations of a settlement: nothing says who gave them."""
    rows = Donation.objects.filter(settlement_id=settlement_id).order_by("id")
    for id_, given_at, kind, minor, currency in rows.values_list(
        "id", "given_at", "kind", "amount_minor", "currency"
    ).iterator(chunk_size=1000):
        yield id_, given_at, kind, Money(minor, currency)
