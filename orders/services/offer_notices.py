"""Whom an offer's changes are told: the one who did not make them, or who waited in vain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from foundation.money import Money
from members.services.notices import NewNotice, notify_many
from orders.lifecycle import SELLER, OfferStatus
from orders.models import Offer

_WITH_DEADLINE = {"offer.proposed", "offer.countered", "offer.accepted", "offer.lapses_soon"}


def tell(offers: Iterable[Offer], verb: str, source: str, actor: str, *, now: datetime) -> None:
    """Notices about offers that were just saved; nothing for verbs of which nobody has to be told."""
    match verb:
        case "propose" | "counter" | "accept" | "decline":
            kind = f"offer.{verb.removesuffix('e')}ed"
            to_seller = actor != SELLER
        case "expire":
            kind, to_seller = "offer.expired", source == OfferStatus.COUNTERED
        case _:
            return
    notify_many([_notice(offer, kind, to_seller=to_seller) for offer in offers], now=now)


def remind(offers: Iterable[Offer], *, now: datetime) -> None:
    """Tell buyers that their agreed prices end soon."""
    notify_many([_notice(offer, "offer.lapses_soon", to_seller=False) for offer in offers], now=now)


def reminder_key(offer: Offer) -> str:
    """Under which the buyer is reminded, at most once."""
    return f"offer:{offer.id}:lapses_soon"


def _notice(offer: Offer, kind: str, *, to_seller: bool) -> NewNotice:
    params = {
        "offer_id": offer.id,
        "title": offer.title,
        "amount": Money(offer.amount_minor, offer.currency),
    }
    return NewNotice(
        member_id=offer.seller_id if to_seller else offer.buyer_id,
        kind=kind,
        params=params | ({"deadline": offer.due_at} if kind in _WITH_DEADLINE else {}),
        subject=f"offer:{offer.id}",
        key=f"offer:{offer.id}:{kind.partition('.')[2]}",
    )
