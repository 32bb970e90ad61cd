"""The worker's part: claim a run, let the provider look, keep each step as it ends. Safe to ring twice."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import structlog
from django.conf import settings
from django.db.models import F

import listings.queries as listings
from ai_suggestions import metrics, queries
from ai_suggestions.contract import (
    Json,
    Market,
    Outcome,
    PhotoInput,
    Proposal,
    SellerFacts,
    Standing,
    StepReport,
    SuggestionRequest,
)
from ai_suggestions.lifecycle import LEASE, MAX_ATTEMPTS, WORKER, RunStatus
from ai_suggestions.models import Decision, FieldSuggestion, RunStep, SuggestionRun
from ai_suggestions.providers import UnknownProvider, provider_named
from ai_suggestions.services.casting import cast_shadow
from ai_suggestions.services.checking import Index
from ai_suggestions.services.moving import move
from ai_suggestions.services.quotas import MemberAllowance
from ai_suggestions.services.readings import Readings
from ai_suggestions.services.screening import flag_found, screened
from ai_suggestions.stored import alternatives_json, evidence_json, findings_json, stored_confidence
from foundation.db import atomic_retry
from foundation.ids import new_id
from listings.errors import PhotoNotFound, PhotoNotReady

logger = structlog.get_logger(__name__)

# Photos that are still being processed are waited for this long; then those that are ready have to do.
PHOTOS_WAIT = dt.timedelta(minutes=10)
ASK_AGAIN = dt.timedelta(seconds=1)
STORAGE_PAUSE = dt.timedelta(seconds=30)
BROKEN = (Outcome.FAILED, Outcome.TIMED_OUT)
# A step that says it may be taken again is, after these pauses: the seller has the other fields meanwhile.
# An endpoint that asks for a longer pause is not asked again by itself.
RETRY_PAUSES_S = (4.0, 12.0, 36.0)
LONGEST_RETRY_PAUSE_S = 60.0
# Up to half as much again, so that runs that met an overloaded endpoint do not meet it together again.
_JITTER = 0.5


_WEAKER: Mapping[Standing, tuple[Standing, ...]] = {
    Standing.ABSTAINED: (),
    Standing.CHOICE: (Standing.ABSTAINED,),
    Standing.PROPOSED: (Standing.ABSTAINED, Standing.CHOICE),
}


@dataclass(frozen=True, slots=True)
class Performed:
    """What became of a ring. ``ring_again_s`` is set when it is worth ringing once more that soon."""

    outcome: str
    ring_again_s: float | None = None


class _Clock:
    """The time of the ring, and how much of it has passed since."""

    def __init__(self, now: dt.datetime) -> None:
        self._now, self._started = now, time.monotonic()

    def now(self) -> dt.datetime:
        return self._now + dt.timedelta(seconds=time.monotonic() - self._started)


def perform_run(*, run_id: str, now: dt.datetime) -> Performed:
    """Do a queued run, or as much of it as there is to do now.

    The outcome is a status of the run, ``waiting`` (photos are still being processed), or ``skipped`` (not
    queued, or somebody else has it, or it was cancelled or superseded under way). A worker that dies leaves
    a lease behind, and the sweeper takes the run back when it has run out.
    """
    clock = _Clock(now)
    run = SuggestionRun.objects.filter(id=run_id, status=RunStatus.QUEUED).first()
    if run is None:
        return Performed("skipped")
    if run.attempts >= MAX_ATTEMPTS:
        return _ended(run, "fail", now, failure_code="attempts_exhausted")
    if not listings.list_kept_ids([run.listing_id]):
        # Deleted or removed while the run waited: nobody looks at its photos any more.
        return _ended(run, "fail", now, failure_code="listing_gone")
    photos = listings.photos_for_suggestions(run.listing_id)
    ready = [photo for photo in photos if photo.status == "ready"]
    if not run.retries:
        processing = any(photo.status == "processing" for photo in photos)
        if processing and now < run.requested_at + PHOTOS_WAIT:
            return _waiting(run, now)
        if not ready:
            return _ended(run, "fail", now, failure_code="no_photo_ready")
    if not _claim(run, now):
        return Performed("skipped")
    if not run.retries:
        metrics.QUEUE_SECONDS.observe(max(0.0, (now - run.requested_at).total_seconds()))
    try:
        inputs = _load(ready)
    except OSError:
        logger.warning("suggestion_photos_not_readable", run_id=run.id, exc_info=True)
        return _postponed(run, clock)
    if run.retries and _photos_json(inputs) != run.inputs.get("photos"):
        # What the first pass said is about other photos: a new run is for the seller to ask for.
        return _ended(run, "finish_partly", clock.now())
    if not inputs:
        return _ended(run, "fail", clock.now(), failure_code="no_photo_ready")
    return _look(run, inputs, clock)


def _waiting(run: SuggestionRun, now: dt.datetime) -> Performed:
    SuggestionRun.objects.filter(id=run.id, status=RunStatus.QUEUED).update(ring_at=now + 10 * ASK_AGAIN)
    return Performed("waiting", ring_again_s=ASK_AGAIN.total_seconds())


@atomic_retry
def _claim(run: SuggestionRun, now: dt.datetime) -> bool:
    return move(run, verb="start", actor=WORKER, now=now, owner=new_id(), lease_until=now + LEASE)


@atomic_retry
def _ended(run: SuggestionRun, verb: str, now: dt.datetime, *, failure_code: str = "") -> Performed:
    kept = move(run, verb=verb, actor=WORKER, now=now, failure_code=failure_code)
    return Performed(run.status if kept else "skipped")


@atomic_retry
def _postponed(run: SuggestionRun, clock: _Clock) -> Performed:
    now = clock.now()
    kept = move(run, verb="postpone", actor=WORKER, now=now, ring_at=now + STORAGE_PAUSE)
    return Performed(run.status if kept else "skipped")


def _load(photos: list[listings.SuggestionPhoto]) -> tuple[PhotoInput, ...]:
    """The photos' pixels; one that was replaced or removed meanwhile is left out. Raises OSError."""
    found: list[PhotoInput] = []
    for photo in photos:
        try:
            content = listings.read_master(photo.id)
        except (PhotoNotFound, PhotoNotReady):
            continue
        found.append(PhotoInput(photo.id, len(found), content, photo.sha256))
    return tuple(found)


def _photos_json(photos: tuple[PhotoInput, ...]) -> list[dict[str, str]]:
    return [{"id": photo.id, "sha256": photo.sha256} for photo in photos]


def _request(run: SuggestionRun, photos: tuple[PhotoInput, ...]) -> SuggestionRequest:
    now = run.started_at or run.requested_at
    draft = listings.get_draft_facts(run.listing_id)
    departments = listings.usual_departments(draft.seller_id, catalogue=listings.catalogue_snapshot())
    return SuggestionRequest(
        photos=photos,
        facts=SellerFacts(
            department=run.department or None,
            category_id=draft.category_id,
            brand_id=draft.brand_id,
            size_id=draft.size_id,
            condition_id=draft.condition_id,
            colour_ids=draft.colour_ids,
            material_ids=draft.material_ids,
            title=draft.title,
            description=draft.description,
            usual_departments=departments,
        ),
        market=Market(draft.country, draft.currency, run.language),
        catalogue=queries.catalogue(),
        comparables=queries.OtherListings(run.listing_id),
        readings=Readings(now=now),
        index=Index(now) if settings.PHOTO_CHECK else None,
        allowance=MemberAllowance(
            member_id=run.member_id,
            day=(run.started_at or run.requested_at).astimezone(dt.UTC).date(),
            budget_share=1.0 if run.batch_id is None else settings.LLM_BATCH_SHARE,
        ),
    )


def _look(run: SuggestionRun, photos: tuple[PhotoInput, ...], clock: _Clock) -> Performed:
    try:
        route = queries.find_route_version(run.route_version_id)
        chosen = provider_named(run.provider, rules=None if route is None else route.llm_fields)
        provider = screened(chosen, listing_id=run.listing_id)
        request = _request(run, photos)
        plan = provider.plan(request)
        if not _begin(run, request, len(plan)):
            return Performed("skipped")
        reports: list[StepReport] = []
        for position, report in enumerate(provider.run(request)):
            if not _keep(run, report, position, clock.now()):
                # Cancelled, superseded or taken over: whoever did it has the last word.
                return Performed("skipped")
            flag_found(report.findings, photos=request.photos, now=clock.now())
            reports.append(report)
            metrics.STEP_SECONDS.labels(report.step, report.outcome).observe(report.elapsed_ms / 1000)
            metrics.PHOTOS_REUSED.labels(report.step).inc(report.reused)
    except UnknownProvider:
        return _ended(run, "fail", clock.now(), failure_code="provider_unknown")
    except Exception:
        # A provider that raises breaks its contract; the seller is told, the traceback is for us.
        logger.exception("suggestion_provider_crashed", run_id=run.id, provider=run.provider)
        return _ended(run, "fail", clock.now(), failure_code="provider_crashed")
    broken = [report for report in reports if report.outcome in BROKEN]
    pause_s = _pause_before_retry(run.retries, broken)
    if pause_s is not None:
        return _try_again(run, clock.now(), pause_s)
    if len(broken) == len(reports):
        return _ended(run, "fail", clock.now(), failure_code="every_step_failed")
    performed = _ended(run, "finish_partly" if broken else "finish", clock.now())
    if route is not None and performed.outcome == run.status:
        cast_shadow(run, route, now=clock.now())
    return performed


def _pause_before_retry(retries: int, broken: list[StepReport]) -> float | None:
    """Seconds until broken steps that may be taken again are; None when the run ends as it is."""
    hints = [report.retry_after_s for report in broken if report.retry_after_s is not None]
    if not hints or retries >= len(RETRY_PAUSES_S) or max(hints) > LONGEST_RETRY_PAUSE_S:
        return None
    pause_s = max(RETRY_PAUSES_S[retries], *hints)
    return pause_s * (1 + random.uniform(0, _JITTER))  # noqa: S311  # not a secret


@atomic_retry
def _try_again(run: SuggestionRun, now: dt.datetime, pause_s: float) -> Performed:
    """Back into the queue, where the sweeper rings for it: no timer of the broker is trusted with it."""
    kept = move(run, verb="try_again", actor=WORKER, now=now, ring_at=now + dt.timedelta(seconds=pause_s))
    if not kept:
        return Performed("skipped")
    metrics.RUN_RETRIES.inc()
    return Performed(run.status)


def _still_mine(run: SuggestionRun, **changed: object) -> bool:
    """Change the run if this attempt still holds it; the next version."""
    held = SuggestionRun.objects.filter(id=run.id, status=RunStatus.RUNNING, owner=run.owner)
    return bool(held.update(version=F("version") + 1, **changed))


@atomic_retry
def _begin(run: SuggestionRun, request: SuggestionRequest, steps: int) -> bool:
    inputs = {
        "photos": _photos_json(request.photos),
        "facts": asdict(request.facts),
        "market": asdict(request.market),
    }
    if not _still_mine(run, steps_total=steps, inputs=inputs):
        return False
    if run.retries:
        return True  # what the first pass said stays; this one adds
    # What an earlier attempt left is said anew, except what the seller has decided on.
    RunStep.objects.filter(run_id=run.id).delete()
    FieldSuggestion.objects.filter(run_id=run.id, decision=Decision.NONE.value).delete()
    return True


@atomic_retry
def _keep(run: SuggestionRun, report: StepReport, position: int, now: dt.datetime) -> bool:
    """Store a step that ended, and hold on to the run for another lease.

    In a later pass a step that had ended well is left as it was.
    """
    if not run.retries:
        if not _still_mine(run, steps_done=position + 1, lease_until=now + LEASE):
            return False
    else:
        before = RunStep.objects.filter(run_id=run.id, position=position)
        if not _still_mine(run, lease_until=now + LEASE):
            return False
        if before.exclude(outcome__in=BROKEN).exists():
            return True
        before.delete()
    RunStep.objects.create(
        run_id=run.id,
        position=position,
        attempt=run.attempts,
        name=report.step,
        step_version=report.version,
        outcome=report.outcome.value,
        elapsed_ms=report.elapsed_ms,
        error_code=report.error_code or "",
        reused=report.reused,
        usage=dict(report.usage),
        findings=findings_json(report.findings),
        ended_at=now,
    )
    for proposal in report.proposals:
        _keep_proposal(run, report, proposal, now)
    return True


def _keep_proposal(run: SuggestionRun, report: StepReport, proposal: Proposal, now: dt.datetime) -> None:
    said: dict[str, Json] = {
        "state": proposal.standing.value,
        "value": proposal.value,
        "alternatives": alternatives_json(proposal.alternatives),
        "confidence": stored_confidence(proposal.confidence),
        "certainty": proposal.certainty or "",
        "evidence": evidence_json(proposal.evidence),
        "note": proposal.note or "",
        "within": proposal.within or "",
        "step": report.step,
        "step_version": report.version,
        "updated_at": now,
    }
    mine = FieldSuggestion.objects.filter(run_id=run.id, field=proposal.field.value)
    # What the seller has decided on stays as it was when they decided. A later pass only adds: a value that
    # is filled in does not change under the seller's eyes, and a choice stays unless it becomes a value.
    open_ = mine.filter(decision=Decision.NONE.value)
    if run.retries:
        open_ = open_.filter(state__in=_WEAKER[proposal.standing])
    if open_.update(**said) or mine.exists():
        return
    FieldSuggestion.objects.create(run_id=run.id, field=proposal.field.value, **said)
