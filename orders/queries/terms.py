"""The terms of a market at a moment, as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from foundation.compiled import Arg, CompiledQuery
from foundation.money import Money
from orders.errors import TermsMissing
from orders.models import Terms
from orders.pricing import FeeRule


@dataclass(frozen=True, slots=True)
class OrderTimers:
    """What an order goes by, from its checkout on: copied to it, so that later terms move nothing."""

    checkout_minutes: int
    ship_by_working_days: int
    cancel_alone_hours: int
    cancel_silence_hours: int
    complete_after_hours: int
    issue_review_days: int
    ship_back_working_days: int
    silent_carrier_days: int


@dataclass(frozen=True, slots=True)
class TermsFacts:
    """What holds in a market. Whoever uses a number for something lasting copies it there."""

    country: str
    currency: str
    fee_fixed: Money
    fee_rate_bp: int
    vat_rate_bp: int
    offer_floor_bp: int
    offer_open_for: timedelta
    agreed_price_for: timedelta
    offers_per_listing: int
    offers_per_day: int
    bundle_items_max: int
    timers: OrderTimers
    verification_from: Money
    verification_fee: Money


_LATEST = CompiledQuery(
    lambda: Terms.objects.filter(market_id=Arg("country"), valid_from__lte=Arg("now")).order_by(
        "-valid_from"
    )[:1]
)
_LATEST_IN = CompiledQuery(
    lambda: Terms.objects.filter(
        market_id=Arg("country"), valid_from__lte=Arg("now"), currency=Arg("currency")
    ).order_by("-valid_from")[:1]
)


def get_terms(country: str, *, now: datetime, currency: str | None = None) -> TermsFacts:
    """The latest terms of the market that have begun, in a currency if one is named. Raises TermsMissing.

    A listing keeps the currency it was drafted in, also when its market has changed over to another.
    """
    if currency is None:
        row = _LATEST.find(country=country, now=now)
    else:
        row = _LATEST_IN.find(country=country, now=now, currency=currency)
    if row is None:
        raise TermsMissing(f"There are no terms for {country}.")
    return TermsFacts(
        country=country,
        currency=row.currency,
        fee_fixed=Money(row.fee_fixed_minor, row.currency),
        fee_rate_bp=row.fee_rate_bp,
        vat_rate_bp=row.vat_rate_bp,
        offer_floor_bp=row.offer_floor_bp,
        offer_open_for=timedelta(hours=row.offer_open_hours),
        agreed_price_for=timedelta(hours=row.agreed_price_hours),
        offers_per_listing=row.offers_per_listing,
        offers_per_day=row.offers_per_day,
        bundle_items_max=row.bundle_items_max,
        timers=OrderTimers(**{name: getattr(row, name) for name in OrderTimers.__slots__}),
        verification_from=Money(row.verification_from_minor, row.currency),
        verification_fee=Money(row.verification_fee_minor, row.currency),
    )


def get_fee_rule(*, listing_terms: TermsFacts, buyer_country: str, now: datetime) -> FeeRule:
    """Fee by the listing's market, in its currency; VAT by the buyer's. Raises TermsMissing.

    A consumer's country taxes services supplied electronically: Directive 2006/112/EC, article 58.
    """
    of_buyer = listing_terms if buyer_country == listing_terms.country else get_terms(buyer_country, now=now)
    return FeeRule(listing_terms.fee_fixed, listing_terms.fee_rate_bp, of_buyer.vat_rate_bp)
