"""Reading of batches. What leaves here are frozen dataclasses or plain rows."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from ai_suggestions.batch_tables import SuggestionBatch, SuggestionBatchItem
from ai_suggestions.errors import BatchNotFound
from ai_suggestions.lifecycle import BatchStatus, RunStatus

REFUSED = "refused"
# What becomes of a listing of a batch, in the order in which the API counts it.
ITEM_STATUSES = (*(status.value for status in RunStatus), REFUSED)


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """A batch. ``progress`` counts its listings by status, in the order of ITEM_STATUSES."""

    id: str
    member_id: str
    status: str
    department: str
    requested_at: dt.datetime
    finished_at: dt.datetime | None
    progress: dict[str, int]


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """A listing of a batch. ``run_id`` is None while it waits, and when it was refused (``problem_code``)."""

    listing_id: str
    status: str
    run_id: str | None
    problem_code: str


_BATCH = ("id", "member_id", "status", "department", "requested_at", "finished_at")


def batch_rows(member_id: str) -> QuerySet[SuggestionBatch, dict[str, Any]]:
    """Rows of a member's batches, not yet sorted nor cut; ``with_progress`` makes facts of them."""
    rows: QuerySet[SuggestionBatch, dict[str, Any]] = SuggestionBatch.objects.filter(
        member_id=member_id
    ).values(*_BATCH)
    return rows


def with_progress(rows: Iterable[dict[str, Any]]) -> list[BatchFacts]:
    """Facts of these rows; one statement for all of them."""
    batches = list(rows)
    items = SuggestionBatchItem.objects.filter(batch_id__in=[row["id"] for row in batches])
    counted: dict[str, Counter[str]] = {row["id"]: Counter() for row in batches}
    status_of = {row["id"]: row["status"] for row in batches}
    for batch_id, run_status, problem in items.values_list("batch_id", "run__status", "problem_code"):
        counted[batch_id][_item_status(run_status, problem, status_of[batch_id])] += 1
    return [
        BatchFacts(**row, progress={status: counted[row["id"]][status] for status in ITEM_STATUSES})
        for row in batches
    ]


def get_batch(batch_id: str, *, member_id: str) -> BatchFacts:
    """A batch of the member's own; two statements. Raises BatchNotFound."""
    found = with_progress(batch_rows(member_id).filter(id=batch_id))
    if not found:
        raise BatchNotFound
    return found[0]


def list_items(batch: BatchFacts) -> list[ItemFacts]:
    """Its listings in the order in which they were sent."""
    rows = SuggestionBatchItem.objects.filter(batch_id=batch.id).order_by("position")
    return [
        ItemFacts(listing_id, _item_status(run_status, problem, batch.status), run_id, problem)
        for listing_id, run_id, run_status, problem in rows.values_list(
            "listing_id", "run_id", "run__status", "problem_code"
        )
    ]


def _item_status(run_status: str | None, problem_code: str, batch_status: str) -> str:
    if problem_code:
        return REFUSED
    if run_status is not None:
        return run_status
    cancelled = batch_status == BatchStatus.CANCELLED
    return RunStatus.CANCELLED.value if cancelled else RunStatus.QUEUED.value
