"""The one place that changes an offer's status: a row of the lifecycle, the record of it, the event told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.db import transaction

from foundation.lifecycle import Transition, UnknownTransition
from foundation.outgoing.appending import Event, append_events
from orders import metrics
from orders.errors import InvalidTransition
from orders.lifecycle import LIVE, OFFER
from orders.models import Offer, OfferEvent
from orders.services.offer_notices import tell

logger = structlog.get_logger(__name__)

_TOLD = {
    "propose": "offer.proposed",
    "accept": "offer.accepted",
    "decline": "offer.declined",
    "counter": "offer.countered",
    "expire": "offer.expired",
    "lapse": "offer.lapsed",
    "buy": "offer.bought",
}


def row_of(offer: Offer, verb: str, actor: str, *, now: datetime) -> Transition:
    """The row for a member's verb on a locked offer. Raises InvalidTransition, also when its time is over."""
    if offer.due_at is not None and offer.due_at <= now:
        raise InvalidTransition("Its time is over.", extra={"allowed_actions": []})
    try:
        return OFFER.row(offer.status, verb, actor)
    except UnknownTransition:
        raise InvalidTransition(
            f"The {actor} cannot {verb} while the offer is {offer.status}.",
            extra={"allowed_actions": list(OFFER.verbs(offer.status, actor))},
        ) from None


def move(offer: Offer, row: Transition, *, now: datetime, due_at: datetime | None = None) -> None:
    """Take a locked offer along a row; `due_at` is when the clock acts on the new status, if it is live."""
    source = offer.status
    offer.status = row.target
    offer.due_at = due_at
    if row.target not in LIVE:
        offer.is_live, offer.ended_at = None, now
    offer.save(force_update=True)
    record([offer], row.verb, source, row.actor, now=now)


def record(offers: Iterable[Offer], verb: str, source: str, actor: str, *, now: datetime) -> None:
    """Write down, count, log and tell what happened to offers that were just saved."""
    offers = list(offers)
    OfferEvent.objects.bulk_create(
        OfferEvent(
            offer_id=offer.id,
            verb=verb,
            source=source,
            target=offer.status,
            actor=actor,
            amount_minor=offer.amount_minor,
            happened_at=now,
        )
        for offer in offers
    )
    told = [Event(_TOLD[verb], f"offer:{offer.id}", _payload(offer)) for offer in offers]
    append_events(told, now=now)
    tell(offers, verb, source, actor, now=now)
    for offer in offers:
        logger.info(
            "offer_moved", offer_id=offer.id, verb=verb, actor=actor, source=source, target=offer.status
        )
    count = metrics.OFFER_MOVES.labels(verb, actor)
    transaction.on_commit(lambda: count.inc(len(offers)))


def _payload(offer: Offer) -> dict[str, object]:
    return {
        "offer_id": offer.id,
        "listing_id": offer.listing_id,
        "seller_id": offer.seller_id,
        "buyer_id": offer.buyer_id,
        "status": offer.status,
        "amount": {"amount": offer.amount_minor, "currency": offer.currency},
        "due_at": offer.due_at,
    }
