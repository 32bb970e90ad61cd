"""Telling the members of these tests something."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from foundation.ids import new_id
from foundation.money import Money
from members.models import Member, Notice
from members.services.notices import notify

NOW = timezone.now()
ORDER = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def tell(member: Member, kind: str = "order.shipped", *, now: datetime = NOW, **changed: Any) -> Notice:
    """A notice about "Blue coat"; the mail of `order.completed` cannot be switched off."""
    params: dict[str, Any] = {"order_id": ORDER, "title": "Blue coat"}
    if kind == "order.completed":
        params["amount"] = Money(1850, "EUR")
    given: dict[str, Any] = {"params": params, "subject": f"order:{ORDER}", "key": f"order:{new_id()}"}
    with transaction.atomic():
        notify(member_id=member.id, kind=kind, **(given | changed), now=now)
    return Notice.objects.filter(member_id=member.id).latest("id")
