"""Which provider a new run gets: the first active route that fits, else SUGGESTIONS_PROVIDER.

A share is of listings, not of requests: a listing stays on its side of the line when its seller asks
again, so that a comparison of two providers compares listings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ai_suggestions.contract import Field


@dataclass(frozen=True, slots=True)
class Route:
    """A version of a row of the table. ``country`` and ``plan`` "" fit every one; ``share`` is 1 to 100.

    ``llm_fields`` are the rules of a cascade (``llm.combined.Rules``), empty where none is chosen.
    ``shadow_share`` is in percent of the route's listings, the cap in millionths of the price list's
    currency.
    """

    id: str
    version_id: str
    version: int
    country: str
    plan: str
    share: int
    provider: str
    llm_fields: Mapping[Field, float | None]
    shadow_provider: str = ""
    shadow_share: int = 0
    shadow_daily_cap_micro: int | None = None

    def fits(self, *, country: str, plan: str, listing_id: str) -> bool:
        """Whether the listing is one of those that the route is for."""
        if self.country not in ("", country) or self.plan not in ("", plan):
            return False
        return in_share(self.id, listing_id, self.share)

    def has_shadow_for(self, listing_id: str) -> bool:
        """Whether the route's shadow looks at this listing too."""
        return bool(self.shadow_provider) and in_share(f"shadow {self.id}", listing_id, self.shadow_share)


def find_route(routes: Iterable[Route], *, country: str, plan: str, listing_id: str) -> Route | None:
    """The route of a listing of this market and its seller's plan; None: none fits."""
    return next(
        (route for route in routes if route.fits(country=country, plan=plan, listing_id=listing_id)), None
    )


def in_share(route_id: str, listing_id: str, share: int) -> bool:
    """Whether the listing belongs to this percentage of the route's; another route draws other listings."""
    drawn = hashlib.sha256(f"{route_id} {listing_id}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") % 100 < share
