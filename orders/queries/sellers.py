"""Who sells, for those above who know nothing of listings."""

from __future__ import annotations

from datetime import datetime

from listings.queries import list_publishers_between


def list_offering_sellers_between(since: datetime, until: datetime) -> list[str]:
    """Ids of members who put something on offer then, ``until`` excluded: they may sell from now on."""
    return list_publishers_between(since, until)
