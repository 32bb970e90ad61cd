"""Verbs of runs as these tests say them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from ai_suggestions import queries, services
from tests.factories.listings import NOW

if TYPE_CHECKING:
    from listings.queries import ListingFacts
    from members.models import Member

SECOND = dt.timedelta(seconds=1)


def request(
    member: Member, listing: ListingFacts, *, now: dt.datetime = NOW, **said: Any
) -> queries.RunFacts:
    run, _ = services.request_run(
        member_id=member.id, listing_id=listing.id, now=now, provider="scripted", **said
    )
    return run


def perform(run: queries.RunFacts, *, now: dt.datetime = NOW) -> services.Performed:
    return services.perform_run(run_id=run.id, now=now)


def now_of(run: queries.RunFacts) -> queries.RunDetails:
    return queries.get_run(run.id, member_id=run.member_id)


def said_on(run: queries.RunFacts) -> dict[str, str]:
    return {found.field: found.state for found in now_of(run).fields}
