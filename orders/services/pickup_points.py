"""Looking pick-up points up at the carrier. Calls outside: never inside a transaction."""

from __future__ import annotations

import hashlib

import structlog
from django.conf import settings
from django.core.cache import cache

from orders.parcel_errors import CarrierUnavailable, PickupPointNotFound, PlaceMissing
from orders.providers.carriers import carrier_named
from orders.providers.carriers.contract import OutcomeUnknown, PickupPoint

logger = structlog.get_logger(__name__)

# Points open and close by the week; the same place is looked at many times an hour.
KEEP_S = 3600
MOST = 50


def list_pickup_points(
    *, country: str, postal_code: str = "", place: str = "", carrier: str = "", limit: int = 20
) -> tuple[PickupPoint, ...]:
    """Those near a postal code, or else a place. Raises PlaceMissing, CarrierUnavailable."""
    if not postal_code and not place:
        raise PlaceMissing
    provider = settings.CARRIER_PROVIDER
    asked = "\n".join((provider, country, postal_code, place, carrier))
    key = f"orders.pickup_points:{hashlib.sha256(asked.encode()).hexdigest()}"
    points: tuple[PickupPoint, ...] | None = cache.get(key)
    if points is None:
        try:
            points = carrier_named(provider).pickup_points(
                country=country, postal_code=postal_code, place=place, carrier=carrier, limit=MOST
            )
        except OutcomeUnknown as error:
            logger.warning("pickup_points_unavailable", provider=provider, why=str(error))
            raise CarrierUnavailable from None
        cache.set(key, points, KEEP_S)
    return points[:limit]


def get_pickup_point(*, country: str, point_id: str) -> PickupPoint:
    """The one that a buyer chose. Raises PickupPointNotFound or CarrierUnavailable."""
    try:
        point = carrier_named(settings.CARRIER_PROVIDER).find_pickup_point(country=country, point_id=point_id)
    except OutcomeUnknown as error:
        logger.warning("pickup_points_unavailable", provider=settings.CARRIER_PROVIDER, why=str(error))
        raise CarrierUnavailable from None
    if point is None:
        raise PickupPointNotFound
    return point
