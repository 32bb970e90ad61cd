"""The life of a run of suggestions: one table, and nothing else assigns its status."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from foundation.lifecycle import CLOCK, Lifecycle, Transition, register

SELLER, WORKER = "seller", "worker"

# Renewed as each step ends, so longer than any step may take (30 s) with room for loading the photos. Who
# outlives it all the same writes nothing more: every write asks whether the run is still its own.
LEASE = timedelta(seconds=75)
# A run that ends its worker this often will not get better.
MAX_ATTEMPTS = 4


class RunStatus(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


RUN = register(
    Lifecycle(
        "SuggestionRun",
        statuses=RunStatus,
        initial=RunStatus.QUEUED,
        meanings={
            RunStatus.QUEUED: "waits for a worker, for photos that are being processed, or to take a step "
            "again that may yet succeed",
            RunStatus.RUNNING: "a worker looks at the photos; fields appear as steps end",
            RunStatus.SUCCEEDED: "every step ended well, whether or not it had something to say",
            RunStatus.PARTIAL: "some steps broke or ran out of time; the other fields are there",
            RunStatus.FAILED: "nothing could be said, with a reason",
            RunStatus.CANCELLED: "stopped by the seller; what was there by then stays",
            RunStatus.SUPERSEDED: "the photos changed and a newer run took its place",
        },
        transitions=[
            Transition(RunStatus.QUEUED, "start", RunStatus.RUNNING, WORKER),
            Transition(
                RunStatus.QUEUED, "fail", RunStatus.FAILED, WORKER, note="no photo, or too many attempts"
            ),
            Transition(RunStatus.QUEUED, "cancel", RunStatus.CANCELLED, SELLER),
            Transition(RunStatus.QUEUED, "supersede", RunStatus.SUPERSEDED, SELLER, note="by a newer run"),
            Transition(RunStatus.RUNNING, "finish", RunStatus.SUCCEEDED, WORKER),
            Transition(RunStatus.RUNNING, "finish_partly", RunStatus.PARTIAL, WORKER),
            Transition(RunStatus.RUNNING, "fail", RunStatus.FAILED, WORKER),
            Transition(
                RunStatus.RUNNING, "postpone", RunStatus.QUEUED, WORKER, note="the storage does not answer"
            ),
            Transition(
                RunStatus.RUNNING,
                "try_again",
                RunStatus.QUEUED,
                WORKER,
                note="a step may yet succeed; the rest is there",
            ),
            Transition(RunStatus.RUNNING, "cancel", RunStatus.CANCELLED, SELLER),
            Transition(RunStatus.RUNNING, "supersede", RunStatus.SUPERSEDED, SELLER, note="by a newer run"),
            Transition(
                RunStatus.RUNNING, "take_back", RunStatus.QUEUED, CLOCK, LEASE, note="its worker is gone"
            ),
            Transition(RunStatus.PARTIAL, "retry", RunStatus.QUEUED, SELLER),
            Transition(RunStatus.FAILED, "retry", RunStatus.QUEUED, SELLER),
            Transition(RunStatus.CANCELLED, "retry", RunStatus.QUEUED, SELLER),
        ],
    )
)

LIVE = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})
# What "supersede" belongs to the request for a newer run, not to this run's own address.
_NOT_ASKED_FOR = frozenset({"supersede"})


def seller_actions(status: str) -> tuple[str, ...]:
    """What the seller may do with a run itself, in the table's order."""
    return tuple(verb for verb in RUN.verbs(status, SELLER) if verb not in _NOT_ASKED_FOR)


class BatchStatus(StrEnum):
    """Where a batch stands."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


BATCH = register(
    Lifecycle(
        "SuggestionBatch",
        statuses=BatchStatus,
        initial=BatchStatus.QUEUED,
        meanings={
            BatchStatus.QUEUED: "no listing has been looked at yet",
            BatchStatus.RUNNING: "its listings are looked at, one after the other",
            BatchStatus.FINISHED: "every listing has a run that ended, or was refused with a reason",
            BatchStatus.CANCELLED: "stopped by the seller; listings that were not begun stay as they are",
        },
        transitions=[
            Transition(BatchStatus.QUEUED, "start", BatchStatus.RUNNING, WORKER),
            Transition(BatchStatus.QUEUED, "cancel", BatchStatus.CANCELLED, SELLER),
            Transition(BatchStatus.RUNNING, "finish", BatchStatus.FINISHED, WORKER),
            Transition(BatchStatus.RUNNING, "cancel", BatchStatus.CANCELLED, SELLER),
        ],
    )
)

BATCH_LIVE = frozenset({BatchStatus.QUEUED, BatchStatus.RUNNING})
