"""Which provider a new run gets: the first active route that fits, else SUGGESTIONS_PROVIDER.

A share is of listings, not of requests: a listing stays on its side of the line when its seller asks
again, so that a comparison of two providers compares listings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table, in the order of `position`. `country` "" fits every market; `share` is 1 to 100."""

    id: str
    country: str
    share: int
    provider: str


def provider_for(routes: Iterable[Route], *, country: str, listing_id: str, otherwise: str) -> str:
    """The provider's name for a listing of this market."""
    for route in routes:
        if route.country in ("", country) and in_share(route.id, listing_id, route.share):
            return route.provider
    return otherwise


def in_share(route_id: str, listing_id: str, share: int) -> bool:
    """Whether the listing belongs to this percentage of the route's; another route draws other listings."""
    drawn = hashlib.sha256(f"{route_id} {listing_id}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") % 100 < share
