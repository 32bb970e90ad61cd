"""Shadow beside live provider: who was right where sellers' decisions tell."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q

from ai_suggestions.evaluation.figures import Share, mcnemar_exact
from ai_suggestions.routing_tables import ShadowField

MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class Compared:
    """A field under one version of the live step and one of the shadow's; ``n`` are judged on both."""

    field: str
    live_version: str
    shadow_version: str
    n: int
    live_right: int
    shadow_right: int
    only_live: int
    only_shadow: int

    @property
    def live(self) -> Share:
        """Right among those judged."""
        return Share(self.live_right, self.n)

    @property
    def shadow(self) -> Share:
        """Right among those judged."""
        return Share(self.shadow_right, self.n)

    @property
    def p(self) -> float:
        """Of McNemar's exact test: how likely such a split is if both are equally good."""
        return mcnemar_exact(self.only_live, self.only_shadow)


def compared(*, since: dt.datetime) -> list[Compared]:
    """Of shadows requested since then; the most often judged first.

    Sellers saw the live provider's word and not the shadow's, which favours the live one.
    """
    live, shadow = Q(live_is_right=True), Q(is_right=True)
    rows = (
        ShadowField.objects.filter(shadow__requested_at__gte=since)
        .exclude(is_right=None)
        .exclude(live_is_right=None)
        .values("field", "live_version", "step_version")
        .annotate(
            n=Count("id"),
            live_right=Count("id", filter=live),
            shadow_right=Count("id", filter=shadow),
            only_live=Count("id", filter=live & ~shadow),
            only_shadow=Count("id", filter=shadow & ~live),
        )
        .order_by("-n", "field", "live_version", "step_version")
    )
    return [
        Compared(
            field=row["field"],
            live_version=row["live_version"],
            shadow_version=row["step_version"],
            n=row["n"],
            live_right=row["live_right"],
            shadow_right=row["shadow_right"],
            only_live=row["only_live"],
            only_shadow=row["only_shadow"],
        )
        for row in rows[:MOST_LINES]
    ]
