"""Members and markets for tests of every app."""

from __future__ import annotations

import functools
import itertools
from typing import Any

from members.management.commands.load_markets import DATA
from members.models import Market, Member
from members.services.markets import read_markets

_number = itertools.count(1)


@functools.cache
def _rows() -> dict[str, Market]:
    return {market.code: market for market in read_markets(DATA.read_text(encoding="utf-8"))}


def make_market(code: str = "LT") -> Market:
    """The real market of this code."""
    row = _rows()[code]
    market, _ = Market.objects.get_or_create(
        code=code,
        defaults={
            "name": row.name,
            "currency": row.currency,
            "languages": row.languages,
            "locale": row.locale,
            "time_zone": row.time_zone,
            "is_enabled": row.is_enabled,
        },
    )
    return market


def make_member(display_name: str = "Ona", *, country: str = "LT", **facts: Any) -> Member:
    """An active member with a verified address and the password "correct horse 7"."""
    from allauth.account.models import EmailAddress

    facts.setdefault("email", f"member{next(_number)}@example.test")
    password = facts.pop("password", "correct horse 7")
    member = Member.objects.create_user(
        password=password, display_name=display_name, market=make_market(country), **facts
    )
    EmailAddress.objects.create(user=member, email=member.email, primary=True, verified=True)
    return member
