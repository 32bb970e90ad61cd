"""The one place that changes a run's status: a row of the lifecycle, and what the status entails."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction
from django.db.models import F

from ai_suggestions import metrics
from ai_suggestions.errors import RunStatusConflict
from ai_suggestions.lifecycle import LIVE, RUN, RunStatus, seller_actions
from ai_suggestions.models import SuggestionRun
from foundation.lifecycle import UnknownTransition

logger = structlog.get_logger(__name__)


def move(
    run: SuggestionRun,
    *,
    verb: str,
    actor: str,
    now: dt.datetime,
    owner: str = "",
    lease_until: dt.datetime | None = None,
    ring_at: dt.datetime | None = None,
    failure_code: str = "",
) -> bool:
    """Change a run's status if it is still as ``run`` says (a compare-and-set); True when it was.

    What is compared is status, holder and attempt; decisions of the seller may come in between. Only a
    running run has an owner and a lease; a queued one rings at ``ring_at`` (None: now). Raises
    RunStatusConflict when the verb has no row.
    """
    try:
        row = RUN.row(run.status, verb, actor)
    except UnknownTransition:
        raise RunStatusConflict(
            f"{verb} is not possible while the run is {run.status}.",
            extra={"allowed_actions": list(seller_actions(run.status))},
        ) from None
    target = RunStatus(row.target)
    queued = target is RunStatus.QUEUED
    changed: dict[str, object] = {
        "status": target.value,
        "owner": owner if target is RunStatus.RUNNING else "",
        "lease_until": lease_until if target is RunStatus.RUNNING else None,
        "ring_at": (ring_at or now) if queued else None,
        "failure_code": failure_code if target is RunStatus.FAILED else "",
        "finished_at": None if target in LIVE else now,
    }
    if verb == "start":
        changed["attempts"] = run.attempts + 1
        if not run.retries:
            changed["started_at"] = now
            changed["steps_done"] = 0
    elif verb == "try_again":
        changed["retries"] = run.retries + 1
        changed["attempts"] = 0
    elif verb == "retry":
        changed["retries"] = 0
        changed["attempts"] = 0
    source = run.status
    kept = SuggestionRun.objects.filter(
        id=run.id, status=source, owner=run.owner, attempts=run.attempts
    ).update(version=F("version") + 1, **changed)
    if not kept:
        return False
    for name, value in changed.items():
        setattr(run, name, value)
    if target not in LIVE:
        transaction.on_commit(lambda: _count(run, target, now))
    logger.info(
        "suggestion_run_moved", run_id=run.id, verb=verb, actor=actor, source=source, target=target.value
    )
    return True


def _count(run: SuggestionRun, target: RunStatus, now: dt.datetime) -> None:
    metrics.RUNS.labels(target.value, run.provider).inc()
    metrics.RUN_SECONDS.observe(max(0.0, (now - run.requested_at).total_seconds()))
