"""Support's queue, in figures."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Q

from orders.models import Case


def count_open_cases(*, now: datetime) -> dict[str, tuple[int, int]]:
    """Of every kind: how many are open, and how many of those are overdue."""
    rows = (
        Case.objects.filter(resolved_at__isnull=True)
        .order_by()
        .values_list("kind")
        .annotate(waiting=Count("id"), overdue=Count("id", filter=Q(due_at__lte=now)))
    )
    counted = {kind: (waiting, overdue) for kind, waiting, overdue in rows}
    return {kind.value: counted.get(kind.value, (0, 0)) for kind in Case.Kind}
