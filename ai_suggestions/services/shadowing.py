"""The work of shadows: another provider looks at what an ended run saw; what it says is kept, never shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from django.db.models import F

import listings.queries as listings
from ai_suggestions import metrics, queries
from ai_suggestions.contract import Market, PhotoInput, SellerFacts, StepReport, SuggestionRequest
from ai_suggestions.evaluation.verdicts import judge_shadow
from ai_suggestions.models import SuggestionRun
from ai_suggestions.providers import UnknownProvider, shadow_named
from ai_suggestions.routing_tables import ShadowField, ShadowRun
from ai_suggestions.services.performing import BROKEN
from ai_suggestions.services.readings import Readings
from ai_suggestions.services.ringing import ring_shadow
from ai_suggestions.services.screening import screened
from ai_suggestions.stored import alternatives_json, stored_confidence
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

MAX_ATTEMPTS = 2
# Longer than a provider may take for all its steps; a worker that dies leaves the shadow due after it.
LEASE = dt.timedelta(minutes=5)
# Sellers come first: while one of their runs waits for a worker, shadows do not take it.
STAND_BACK = dt.timedelta(minutes=1)
BATCH = 50


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a shadow came to."""

    reports: tuple[StepReport, ...] = ()
    error_code: str = ""


def perform_shadow(*, shadow_id: str, now: dt.datetime) -> str:
    """Take a due shadow and do it: ``ended``, ``stood_back``, ``given_up`` or ``skipped`` (not due)."""
    due = ShadowRun.objects.filter(id=shadow_id, due_at__lte=now)
    if queries.is_anybody_waiting(now=now):
        return "stood_back" if due.update(due_at=now + STAND_BACK) else "skipped"
    if not due.update(due_at=now + LEASE, attempts=F("attempts") + 1):
        return "skipped"
    shadow = ShadowRun.objects.get(id=shadow_id)
    answer = _Answer(error_code="attempts_exhausted")
    if shadow.attempts <= MAX_ATTEMPTS:
        answer = _look(shadow)
    _keep(shadow, answer, now)
    metrics.SHADOWS.labels(shadow.provider, "answered" if answer.reports else "given_up").inc()
    logger.info("shadow_ended", shadow_id=shadow.id, provider=shadow.provider, error_code=answer.error_code)
    return "ended" if answer.reports else "given_up"


def _look(shadow: ShadowRun) -> _Answer:
    run = SuggestionRun.objects.get(id=shadow.run_id)
    route = queries.find_route_version(shadow.route_version_id)
    try:
        kept = listings.list_kept_ids([run.listing_id])
        photos = queries.photos_as_seen(run.inputs) if kept else ()
        if not photos or route is None:
            return _Answer(error_code="photos_gone")
        request = _request_as_it_was(run, photos)
        with shadow_named(
            shadow.provider, daily_cap_micro=route.shadow_daily_cap_micro, rules=route.llm_fields
        ) as provider:
            # A photo that a person has to look at first goes to no LLM, whoever asks.
            return _answer(tuple(screened(provider, listing_id=run.listing_id).run(request)))
    except UnknownProvider:
        return _Answer(error_code="provider_unknown")
    except Exception:
        logger.exception("shadow_broke", shadow_id=shadow.id, provider=shadow.provider)
        return _Answer(error_code="provider_crashed")


def _answer(reports: tuple[StepReport, ...]) -> _Answer:
    errors = [report.error_code for report in reports if report.outcome in BROKEN]
    if len(errors) == len(reports):
        return _Answer(error_code=errors[0] or "" if errors else "nothing_reported")
    return _Answer(reports, errors[0] or "" if errors else "")


def _request_as_it_was(run: SuggestionRun, photos: tuple[PhotoInput, ...]) -> SuggestionRequest:
    """With the facts of then: the draft of now holds what the seller took from the run."""
    facts: Mapping[str, Any] = run.inputs["facts"]
    return SuggestionRequest(
        photos=photos,
        facts=SellerFacts(**{name: _tuple_of(value) for name, value in facts.items()}),
        market=Market(**run.inputs["market"]),
        catalogue=queries.catalogue(),
        comparables=queries.OtherListings(run.listing_id),
        readings=Readings(now=run.finished_at or run.requested_at),
    )


def _tuple_of(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@atomic_retry
def _keep(shadow: ShadowRun, answer: _Answer, now: dt.datetime) -> None:
    """Store the answer, unless somebody else ended the shadow meanwhile."""
    mine = ShadowRun.objects.filter(id=shadow.id, ended_at__isnull=True, attempts=shadow.attempts)
    if not mine.update(
        due_at=None,
        ended_at=now,
        error_code=answer.error_code,
        steps=[_step(report) for report in answer.reports],
        cost_micro=sum(report.usage.get("cost_micro", 0) for report in answer.reports),
    ):
        return
    # A later step may report on a field again.
    said = {proposal.field: (report, proposal) for report in answer.reports for proposal in report.proposals}
    for report, proposal in said.values():
        ShadowField.objects.create(
            shadow_id=shadow.id,
            field=proposal.field.value,
            state=proposal.standing.value,
            value=proposal.value,
            alternatives=alternatives_json(proposal.alternatives),
            confidence=stored_confidence(proposal.confidence),
            certainty=proposal.certainty or "",
            note=proposal.note or "",
            step=report.step,
            step_version=report.version,
        )
    judge_shadow(shadow.id)


def _step(report: StepReport) -> dict[str, Any]:
    return {
        "name": report.step,
        "version": report.version,
        "outcome": report.outcome.value,
        "error_code": report.error_code or "",
        "elapsed_ms": report.elapsed_ms,
        "usage": dict(report.usage),
    }


def sweep_shadows(*, now: dt.datetime) -> Sequence[str]:
    """Ring for due shadows: nobody heard, a worker died, or sellers came first. Returns their ids."""
    due = queries.shadow_ids_due(now=now, limit=BATCH)
    for shadow_id in due:
        ring_shadow(shadow_id)
    return due
