"""Whose months a member's statements go by."""

from __future__ import annotations

from datetime import datetime

from balance.models import StatementCalendar
from foundation.db import atomic_retry
from members.queries import get_market, get_member_facts


@atomic_retry
def fix_calendar(*, member_id: str, now: datetime) -> str:
    """The time zone in which this member's months end: that of the market at the first call, for good.

    So that a closed month stays what it was when the member moves. Raises MemberNotFound.
    """
    known = StatementCalendar.objects.filter(member_id=member_id).values_list("time_zone", flat=True).first()
    if known is not None:
        return known
    market = get_market(get_member_facts(member_id).country)
    fixed, _ = StatementCalendar.objects.get_or_create(
        member_id=member_id, defaults={"time_zone": market.time_zone, "fixed_at": now}
    )
    return str(fixed.time_zone)
