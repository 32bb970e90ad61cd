"""Reading of suggestions. What leaves here are frozen dataclasses or plain rows."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet

import listings.queries as listings
from ai_suggestions.batch_tables import SuggestionBatch
from ai_suggestions.catalogue import Brand, Catalogue, Category, Size, Term
from ai_suggestions.contract import ComparableItem, Field, Json, PhotoInput
from ai_suggestions.errors import RunNotFound
from ai_suggestions.lifecycle import BATCH_LIVE, RunStatus
from ai_suggestions.models import FieldSuggestion, PhotoReading, RunStep, SuggestionRun
from ai_suggestions.routing import Route
from ai_suggestions.routing_tables import RouteVersion, ShadowRun
from listings.errors import ListingNotFound, PhotoNotFound, PhotoNotReady

MOST_ROUTES = 100
KEEP_READINGS = dt.timedelta(days=30)


def first_day_kept(*, now: dt.datetime) -> dt.date:
    """Runs that were requested before this day (UTC) are deleted; what was counted of them stays."""
    return (now.astimezone(dt.UTC) - dt.timedelta(days=settings.SUGGESTION_KEEP_DAYS)).date()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run. ``failure_code`` is empty unless it failed."""

    id: str
    listing_id: str
    member_id: str
    status: str
    version: int
    provider: str
    language: str
    department: str
    attempts: int
    steps_done: int
    steps_total: int
    failure_code: str
    requested_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class StepFacts:
    """A step that ended."""

    name: str
    step_version: str
    outcome: str
    elapsed_ms: int
    error_code: str
    reused: int
    findings: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class SuggestionFacts:
    """What a run says about a field, and what the seller did; JSON as ai_suggestions.stored keeps it."""

    field: str
    state: str
    value: Json
    alternatives: Sequence[Mapping[str, Any]]
    confidence: float | None
    evidence: Sequence[Mapping[str, Any]]
    note: str
    within: str
    step: str
    step_version: str
    decision: str
    decided_value: Json
    decided_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run with all there is to it."""

    run: RunFacts
    steps: tuple[StepFacts, ...]
    fields: tuple[SuggestionFacts, ...]
    listing_version: int


_RUN = tuple(RunFacts.__slots__)
_STEP = tuple(StepFacts.__slots__)
_FIELD = tuple(SuggestionFacts.__slots__)


def get_run_facts(run_id: str, *, member_id: str) -> RunFacts:
    """A run of the member's own; one statement. Raises RunNotFound."""
    row = SuggestionRun.objects.filter(id=run_id, member_id=member_id).values(*_RUN).first()
    if row is None:
        raise RunNotFound
    return RunFacts(**row)


def list_run_facts(run_ids: Collection[str]) -> list[RunFacts]:
    """These runs, whoever's they are, by id; one statement."""
    rows = SuggestionRun.objects.filter(id__in=run_ids).order_by("id").values(*_RUN)
    return [RunFacts(**row) for row in rows]


def get_run(run_id: str, *, member_id: str) -> RunDetails:
    """As get_run_facts, with steps and fields; four statements. Raises RunNotFound."""
    return details_of(get_run_facts(run_id, member_id=member_id))


def details_of(run: RunFacts) -> RunDetails:
    """Steps, fields and the listing's version; three statements."""
    return RunDetails(
        run=run,
        steps=tuple(
            StepFacts(**row)
            for row in RunStep.objects.filter(run_id=run.id).order_by("position").values(*_STEP)
        ),
        fields=tuple(
            SuggestionFacts(**row)
            for row in FieldSuggestion.objects.filter(run_id=run.id).order_by("id").values(*_FIELD)
        ),
        listing_version=listings.get_listing_version(run.listing_id),
    )


def run_rows(*, listing_id: str, member_id: str) -> QuerySet[SuggestionRun, dict[str, Any]]:
    """Rows of a listing's runs, not yet sorted nor cut. Raises ListingNotFound for somebody else's."""
    if listings.get_seller_id(listing_id) != member_id:
        raise ListingNotFound
    rows: QuerySet[SuggestionRun, dict[str, Any]] = SuggestionRun.objects.filter(
        listing_id=listing_id, member_id=member_id
    ).values(*_RUN)
    return rows


def catalogue() -> Catalogue:
    """The catalogue as steps see it; the same object until another release is loaded."""
    return _catalogue_of(listings.catalogue_snapshot())


@lru_cache(maxsize=2)
def _by_digest(digest: str) -> Catalogue:
    return _converted(listings.catalogue_snapshot())


def _catalogue_of(snapshot: listings.CatalogueSnapshot) -> Catalogue:
    return _by_digest(snapshot.digest)


def _converted(snapshot: listings.CatalogueSnapshot) -> Catalogue:
    def terms(found: Sequence[listings.TermFacts]) -> tuple[Term, ...]:
        return tuple(Term(term.id, term.names) for term in found if not term.is_retired)

    return Catalogue(
        categories=tuple(
            Category(
                id=category.id,
                parent_id=category.parent_id,
                position=category.position,
                kind=category.kind,
                size_system=category.size_system,
                attributes=category.attributes,
                parcel_size=category.parcel_size,
                names=category.names,
            )
            for category in snapshot.categories
            if not category.is_retired
        ),
        brands=tuple(Brand(b.id, b.name, b.aliases) for b in snapshot.brands if not b.is_retired),
        sizes=tuple(
            Size(size.id, size.system, size.position, size.label, size.aliases)
            for size in snapshot.sizes
            if not size.is_retired
        ),
        colours=terms(snapshot.colours),
        conditions=terms(snapshot.conditions),
        materials=terms(snapshot.materials),
    )


def list_departments() -> tuple[str, ...]:
    """Ids of the departments, in the catalogue's order."""
    return tuple(category.id for category in catalogue().departments)


@dataclass(frozen=True, slots=True)
class OtherListings:
    """Comparable items for one listing, which is not comparable to itself."""

    listing_id: str

    def find(self, *, category_ids: Sequence[str], currency: str, limit: int) -> Sequence[ComparableItem]:
        """At most ``limit`` items, sold ones first, newest first."""
        found = listings.comparables(category_ids=category_ids, currency=currency, limit=limit + 1)
        return [
            ComparableItem(
                listing_id=item.listing_id,
                title=item.title,
                price_minor=item.price_minor,
                currency=item.currency,
                sold=item.sold,
                category_id=item.category_id,
                brand_id=item.brand_id,
                condition_id=item.condition_id,
            )
            for item in found
            if item.listing_id != self.listing_id
        ][:limit]


def find_reading(*, sha256: str, step: str, version: str) -> Json:
    """What a version of a step read from a photo's content, or None."""
    return (
        PhotoReading.objects.filter(sha256=sha256, step=step, step_version=version)
        .values_list("reading", flat=True)
        .first()
    )


def runs_to_ring(*, now: dt.datetime, limit: int) -> list[tuple[str, str | None]]:
    """Queued runs whose ring is due, the longest waiting first; each with its batch."""
    rows = SuggestionRun.objects.filter(status=RunStatus.QUEUED, ring_at__lte=now).order_by("ring_at", "id")
    return list(rows.values_list("id", "batch_id")[:limit])


def batch_ids_to_ring(*, now: dt.datetime, limit: int) -> list[str]:
    """Batches that have not ended and whose ring is due, the longest waiting first."""
    rows = SuggestionBatch.objects.filter(status__in=BATCH_LIVE, ring_at__lte=now)
    return list(rows.order_by("ring_at", "id").values_list("id", flat=True)[:limit])


def lost_run_ids(*, now: dt.datetime, limit: int) -> list[str]:
    """Running runs whose lease ran out, the longest lost first."""
    rows = SuggestionRun.objects.filter(status=RunStatus.RUNNING, lease_until__lte=now)
    return list(rows.order_by("lease_until", "id").values_list("id", flat=True)[:limit])


def oldest_queued_at() -> dt.datetime | None:
    """When the run that waits longest was requested; None when none waits."""
    rows = SuggestionRun.objects.filter(status=RunStatus.QUEUED).order_by("requested_at")
    return rows.values_list("requested_at", flat=True).first()


def list_routes() -> tuple[Route, ...]:
    """The active routes as they are now, in the order in which they are tried; at most 100."""
    rows = RouteVersion.objects.filter(route__is_active=True, version=F("route__version"))
    return tuple(_route(row) for row in rows.order_by("route__position")[:MOST_ROUTES])


def find_route_version(version_id: str | None) -> Route | None:
    """A version of a route, as it was; None without an id."""
    row = RouteVersion.objects.filter(id=version_id).first() if version_id else None
    return None if row is None else _route(row)


def _route(row: RouteVersion) -> Route:
    cap = row.shadow_daily_cap
    return Route(
        id=row.route_id,
        version_id=row.id,
        version=row.version,
        country=row.country,
        plan=row.plan,
        share=row.share,
        provider=row.provider,
        llm_fields={Field(field): asked_below for field, asked_below in row.llm_fields.items()},
        shadow_provider=row.shadow_provider,
        shadow_share=row.shadow_share,
        shadow_daily_cap_micro=None if cap is None else int(cap * 1_000_000),
    )


def shadow_ids_due(*, now: dt.datetime, limit: int) -> list[str]:
    """Open shadow runs that nobody works on, the longest waiting first."""
    rows = ShadowRun.objects.filter(due_at__lte=now).order_by("due_at", "id")
    return list(rows.values_list("id", flat=True)[:limit])


def is_anybody_waiting(*, now: dt.datetime) -> bool:
    """Whether a seller's run is queued that a worker could take now."""
    return SuggestionRun.objects.filter(status=RunStatus.QUEUED, requested_at__lte=now).exists()


def photos_as_seen(inputs: Mapping[str, Any]) -> tuple[PhotoInput, ...]:
    """The photos that a run saw, as far as they are still the same. Raises OSError."""
    found: list[PhotoInput] = []
    for photo in inputs.get("photos", []):
        try:
            content = listings.read_master(photo["id"])
        except (PhotoNotFound, PhotoNotReady):
            continue
        if hashlib.sha256(content).hexdigest() == photo["sha256"]:
            found.append(PhotoInput(photo["id"], len(found), content, photo["sha256"]))
    return tuple(found)
