"""The seller's verbs on a run: ask for one, stop it, have it done again."""

from __future__ import annotations

import datetime as dt
import hashlib

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction

import listings.queries as listings
from ai_suggestions import queries
from ai_suggestions.errors import (
    AnotherRunLive,
    DepartmentUnknown,
    ListingNotOpen,
    NoUsablePhoto,
    RunNotFound,
    RunStatusConflict,
)
from ai_suggestions.lifecycle import LIVE, SELLER, RunStatus
from ai_suggestions.models import SuggestionRun
from ai_suggestions.routing import find_route
from ai_suggestions.services.moving import move
from ai_suggestions.services.quotas import take_run
from ai_suggestions.services.ringing import ring_after_commit
from foundation.db import atomic_retry
from foundation.errors import FieldProblem
from listings.errors import ListingNotFound
from members.queries import get_member_facts

logger = structlog.get_logger(__name__)

# The first ring is the request's own; the sweeper rings when nobody has heard it by then.
RING_AGAIN = dt.timedelta(seconds=10)
_OPEN = frozenset({"draft", "in_review", "active", "reserved", "hidden"})
_TRIES = 5


def photo_set_of(photos: tuple[listings.PhotoFacts, ...]) -> str:
    """SHA-256 (hex) that changes when a photo is added, replaced, removed or moved, not when one is ready."""
    digest = hashlib.sha256()
    for photo in photos:
        digest.update(f"{photo.id} {photo.uploaded_at.isoformat()}\n".encode())
    return digest.hexdigest()


def request_run(
    *,
    member_id: str,
    listing_id: str,
    now: dt.datetime,
    department: str | None = None,
    provider: str | None = None,
    batch_id: str | None = None,
    is_counted: bool = True,
) -> tuple[queries.RunFacts, bool]:
    """A run over the listing's photos as they are, and whether it is a new one.

    A live run over the same photos, with the same department, is that run; one over other photos is
    superseded. A new one counts against the seller's day unless staff ask for it (``is_counted``). A run of a
    batch is not rung for: whoever has the batch's turn performs it. Raises ListingNotFound, ListingNotOpen,
    NoUsablePhoto, DepartmentUnknown, AnotherRunLive, RunQuotaSpent.
    """
    check_department(department)
    run, created = _request(
        member_id=member_id,
        listing_id=listing_id,
        department=department or "",
        provider=provider,
        batch_id=batch_id,
        is_counted=is_counted,
        now=now,
    )
    return queries.get_run_facts(run.id, member_id=member_id), created


def check_department(department: str | None) -> None:
    """Raises DepartmentUnknown for what is said and not in the catalogue."""
    if department is not None and department not in queries.list_departments():
        raise DepartmentUnknown(
            errors=[FieldProblem("/department", "department_unknown", "Name a department of the catalogue.")]
        )


@atomic_retry
def _request(
    *,
    member_id: str,
    listing_id: str,
    department: str,
    provider: str | None,
    batch_id: str | None,
    is_counted: bool,
    now: dt.datetime,
) -> tuple[SuggestionRun, bool]:
    listing = _listing_to_look_at(listing_id, member_id)
    photo_set = photo_set_of(listing.photos)
    member = get_member_facts(member_id)
    route = None
    if provider is None:
        route = find_route(
            queries.list_routes(), country=listing.country, plan=member.plan, listing_id=listing_id
        )
        provider = settings.SUGGESTIONS_PROVIDER if route is None else route.provider
    for _ in range(_TRIES):
        live = _find_live(listing_id)
        if live is not None:
            if live.photo_set == photo_set and live.department == department and live.provider == provider:
                if live.batch_id is not None and batch_id is None:
                    # Somebody waits for it now: it need not wait for the batch's next turn.
                    ring_after_commit(live.id)
                return live, False
            if not move(live, verb="supersede", actor=SELLER, now=now):
                continue  # it moved on in the meantime: look again
        run = SuggestionRun(
            listing_id=listing_id,
            member_id=member_id,
            batch_id=batch_id,
            provider=provider,
            route_version_id=None if route is None else route.version_id,
            country=listing.country,
            photo_set=photo_set,
            department=department,
            language=member.language,
            requested_at=now,
            ring_at=now + RING_AGAIN,
        )
        try:
            # The savepoint keeps the outer transaction usable when somebody else was first.
            with transaction.atomic():
                run.save(force_insert=True)
        except IntegrityError:
            continue
        if is_counted:
            # After the row is there: who finds another's run has used none of the day's.
            take_run(member_id=member_id, plan=member.plan, now=now)
        if batch_id is None:
            ring_after_commit(run.id)
        logger.info("suggestion_run_requested", run_id=run.id, listing_id=listing_id, provider=provider)
        return run, True
    raise AnotherRunLive(retry_after_s=1)


def _listing_to_look_at(listing_id: str, member_id: str) -> listings.ListingFacts:
    """Raises ListingNotFound, ListingNotOpen, NoUsablePhoto."""
    listing = listings.get_listing(listing_id)
    if listing.seller_id != member_id or listing.status == "deleted":
        raise ListingNotFound
    if listing.status not in _OPEN:
        raise ListingNotOpen(f"It is {listing.status}.")
    if not any(photo.status in ("ready", "processing") for photo in listing.photos):
        raise NoUsablePhoto
    return listing


def _find_live(listing_id: str) -> SuggestionRun | None:
    """The live run, locked; the fence column finds it by its unique index."""
    return SuggestionRun.objects.select_for_update().filter(live_listing=listing_id).first()


def lock_own_run(run_id: str, member_id: str) -> SuggestionRun:
    """The row, locked until the transaction ends. Raises RunNotFound."""
    run = SuggestionRun.objects.select_for_update().filter(id=run_id, member_id=member_id).first()
    if run is None:
        raise RunNotFound
    return run


@atomic_retry
def cancel_run(*, member_id: str, run_id: str, now: dt.datetime) -> queries.RunFacts:
    """Stop a run; what is there by then stays. Cancelling twice is once.

    The worker notices at its next step. Raises RunNotFound, RunStatusConflict (it has ended).
    """
    run = lock_own_run(run_id, member_id)
    if run.status != RunStatus.CANCELLED and not move(run, verb="cancel", actor=SELLER, now=now):
        raise RunStatusConflict(retry_after_s=1)
    return queries.get_run_facts(run_id, member_id=member_id)


@atomic_retry
def retry_run(*, member_id: str, run_id: str, now: dt.datetime) -> queries.RunFacts:
    """Have a run that failed, ended partly or was cancelled done again, over the photos as they are now.

    Retrying a live run changes nothing. Raises RunNotFound, RunStatusConflict, AnotherRunLive, RunQuotaSpent,
    and as request_run ListingNotFound, ListingNotOpen, NoUsablePhoto.
    """
    run = lock_own_run(run_id, member_id)
    if run.status not in LIVE:
        listing = _listing_to_look_at(run.listing_id, member_id)
        try:
            with transaction.atomic():
                if not move(run, verb="retry", actor=SELLER, now=now, ring_at=now + RING_AGAIN):
                    raise RunStatusConflict(retry_after_s=1)
        except IntegrityError:
            raise AnotherRunLive from None
        take_run(member_id=member_id, plan=get_member_facts(member_id).plan, now=now)
        SuggestionRun.objects.filter(id=run_id).update(photo_set=photo_set_of(listing.photos))
        ring_after_commit(run.id)
    return queries.get_run_facts(run_id, member_id=member_id)
