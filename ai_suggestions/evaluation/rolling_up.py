"""What sellers did, counted by day, so that no page counts millions of suggestions.

Safe to repeat, and two at once do not disturb each other. What happened is taken in order of time, a day's
worth in one go: each decision and each run that ended names a day of requests, and that day is counted anew.
A decision that comes weeks later changes the day on which the suggestion was asked for.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog
from django.db.models import Case, Count, F, FloatField, IntegerField, Q, Sum, Value, When
from django.db.models.functions import Cast, Coalesce, Floor, Least

from ai_suggestions import queries
from ai_suggestions.contract import Standing
from ai_suggestions.evaluation.figures import BINS
from ai_suggestions.evaluation.tables import ACCEPTANCE, NO_CONFIDENCE, AcceptanceDay, RollUp
from ai_suggestions.evaluation.verdicts import judge_shadow
from ai_suggestions.models import Decision, FieldSuggestion, SuggestionRun
from ai_suggestions.routing_tables import ShadowRun
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

# Transactions that committed after the last roll-up began may carry a time before it.
OVERLAP = dt.timedelta(minutes=5)
WINDOW = dt.timedelta(days=1)
# A backlog (the first time, or after an outage) is worked off in several rings.
MOST_WINDOWS = 31


def roll_up(*, now: dt.datetime) -> int:
    """Count what happened since the last time. Returns how many days were counted (anew)."""
    counted = 0
    for _ in range(MOST_WINDOWS):
        until, days = _roll_up_window(now)
        counted += days
        if until >= now:
            break
    logger.info("acceptance_rolled_up", days=counted)
    return counted


@atomic_retry
def _roll_up_window(now: dt.datetime) -> tuple[dt.datetime, int]:
    """The next stretch of time, in one transaction that holds the lock; up to when, and how many days."""
    RollUp.objects.get_or_create(name=ACCEPTANCE)
    held = RollUp.objects.select_for_update().get(name=ACCEPTANCE)
    since = held.done_until or _first_request() or now
    until = min(now, since + WINDOW)
    runs = SuggestionRun.objects.filter(finished_at__gte=since - OVERLAP, finished_at__lte=until)
    decided = FieldSuggestion.objects.filter(decided_at__gte=since - OVERLAP, decided_at__lte=until)
    days = {moment.date() for moment in runs.values_list("requested_at", flat=True).iterator()}
    days |= {
        moment.date() for moment in decided.values_list("run__requested_at", flat=True).distinct().iterator()
    }
    first = queries.first_day_kept(now=now)
    for day in sorted(day for day in days if day >= first):
        # Of an earlier day runs are being deleted, so its count stays.
        _count(day)
    shadows = ShadowRun.objects.filter(run_id__in=decided.values("run_id"), ended_at__isnull=False)
    for shadow_id in shadows.values_list("id", flat=True):
        judge_shadow(shadow_id)
    RollUp.objects.filter(name=ACCEPTANCE).update(done_until=until)
    return until, len(days)


def _first_request() -> dt.datetime | None:
    return SuggestionRun.objects.order_by("requested_at").values_list("requested_at", flat=True).first()


def _count(day: dt.date) -> None:
    """Replace a day's rows."""
    AcceptanceDay.objects.filter(day=day).delete()
    AcceptanceDay.objects.bulk_create(
        [
            AcceptanceDay(
                day=day,
                country=row.pop("run__country"),
                edit_distance=row.pop("changed"),
                **row,
            )
            for row in _counts(day)
        ],
        batch_size=500,
    )


def _counts(day: dt.date) -> list[dict[str, Any]]:
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    decided = ~Q(decision=Decision.NONE.value)
    accepted = Q(decision=Decision.ACCEPTED.value)
    # A value that was filled in and replaced by one of its alternatives was accepted, but it was not right.
    kept = accepted & (Q(state=Standing.CHOICE.value) | Q(edit_distance=0))
    counts = (
        FieldSuggestion.objects.filter(
            run__requested_at__gte=start, run__requested_at__lt=start + dt.timedelta(days=1)
        )
        .exclude(state=Standing.ABSTAINED.value)
        .annotate(
            bin=Case(
                When(confidence__isnull=True, then=Value(NO_CONFIDENCE)),
                default=Least(Cast(Floor(F("confidence") * float(BINS)), IntegerField()), Value(BINS - 1)),
                output_field=IntegerField(),
            )
        )
        .values("field", "step", "step_version", "run__country", "bin")
        .annotate(
            offered=Count("id"),
            accepted=Count("id", filter=accepted),
            edited=Count("id", filter=Q(decision=Decision.EDITED.value)),
            rejected=Count("id", filter=Q(decision=Decision.REJECTED.value)),
            kept=Count("id", filter=kept),
            decided_confidence=Coalesce(Sum("confidence", filter=decided), 0.0, output_field=FloatField()),
            changed=Coalesce(Sum("edit_distance"), 0),
            measured=Count("edit_distance"),
        )
        .order_by("field", "step", "step_version", "run__country", "bin")
    )
    return [dict(row) for row in counts]
