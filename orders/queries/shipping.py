"""What carrying a parcel costs, and by whom, as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.conf import settings

from foundation.compiled import Arg, CompiledQuery, args, named
from foundation.money import Money
from orders.models import ShippingOption
from orders.shipping_zones import destinations


@dataclass(frozen=True, slots=True)
class Option:
    """A way to have a parcel carried. Whoever uses it for something lasting copies it there."""

    code: str
    provider: str
    carrier: str
    service: str
    kind: str
    size: str
    price: Money
    days: int

    @property
    def needs_pickup_point(self) -> bool:
        """Whether the buyer has to name one."""
        return self.kind == ShippingOption.Kind.PICKUP_POINT


def options_for(
    *, from_country: str, to_country: str, size: str, currency: str, at: datetime
) -> tuple[Option, ...]:
    """What CARRIER_PROVIDER offers between two countries at a moment, the cheapest first; maybe nothing.

    For each code, a row for the country counts before one for its zone, and the latest that has begun.
    """
    wanted = destinations(from_country, to_country)
    rows = _begun(len(wanted)).all(
        provider=settings.CARRIER_PROVIDER,
        country=from_country,
        size=size,
        currency=currency,
        at=at,
        **named("destination", wanted),
    )
    chosen: dict[str, ShippingOption] = {}
    # The last one put in counts: the most specific, and of those the latest.
    for row in sorted(rows, key=lambda row: (-wanted.index(row.destination), row.valid_from)):
        chosen[row.code] = row
    offered = [_option(row) for row in chosen.values() if row.price_minor is not None]
    return tuple(sorted(offered, key=lambda option: (option.price.amount_minor, option.code)))


@lru_cache(maxsize=16)
def _begun(destinations: int) -> CompiledQuery[ShippingOption]:
    return CompiledQuery(
        lambda: ShippingOption.objects.filter(
            provider=Arg("provider"),
            market_id=Arg("country"),
            destination__in=args("destination", destinations),
            size=Arg("size"),
            currency=Arg("currency"),
            valid_from__lte=Arg("at"),
        ).order_by()
    )


def _option(row: ShippingOption) -> Option:
    return Option(
        code=row.code,
        provider=row.provider,
        carrier=row.carrier,
        service=row.service,
        kind=row.kind,
        size=row.size,
        price=Money(row.price_minor or 0, row.currency),
        days=row.days,
    )
