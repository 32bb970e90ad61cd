"""The life of an offer: one table, and nothing else assigns `status`."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from foundation.lifecycle import CLOCK, Lifecycle, Transition, register
from orders.lifecycle.roles import BUYER, PROVIDER, SELLER

# What every market ships with; the moment itself comes from its terms (offer_open_hours, agreed_price_hours).
OPEN_FOR = timedelta(hours=24)
AGREED_FOR = timedelta(hours=24)


class OfferStatus(StrEnum):
    """Where an offer stands."""

    PROPOSED = "proposed"
    COUNTERED = "countered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    BOUGHT = "bought"


_S = OfferStatus
_GOOD = "the listing is on offer and costs no less"

OFFER = register(
    Lifecycle(
        "Offer",
        statuses=OfferStatus,
        initial=_S.PROPOSED,
        meanings={
            _S.PROPOSED: "a buyer named a price; the seller's turn",
            _S.COUNTERED: "the seller named another; the buyer's turn",
            _S.ACCEPTED: "this buyer may buy at this price for a while; the listing stays open to everyone",
            _S.DECLINED: "one of the two said no",
            _S.EXPIRED: "nobody answered in time",
            _S.LAPSED: "agreed, but not bought in time",
            _S.BOUGHT: "agreed, and paid for",
        },
        transitions=[
            Transition(_S.PROPOSED, "accept", _S.ACCEPTED, SELLER, note=_GOOD),
            Transition(_S.PROPOSED, "decline", _S.DECLINED, SELLER),
            Transition(
                _S.PROPOSED, "counter", _S.COUNTERED, SELLER, note="above the offer, at most the price"
            ),
            Transition(_S.PROPOSED, "expire", _S.EXPIRED, CLOCK, OPEN_FOR, note="the market's terms say"),
            Transition(_S.COUNTERED, "accept", _S.ACCEPTED, BUYER, note=_GOOD),
            Transition(_S.COUNTERED, "decline", _S.DECLINED, BUYER),
            Transition(_S.COUNTERED, "expire", _S.EXPIRED, CLOCK, OPEN_FOR, note="the market's terms say"),
            Transition(_S.ACCEPTED, "buy", _S.BOUGHT, PROVIDER, note="its checkout is paid"),
            Transition(_S.ACCEPTED, "lapse", _S.LAPSED, CLOCK, AGREED_FOR, note="the market's terms say"),
        ],
    )
)

OPEN = (_S.PROPOSED, _S.COUNTERED)
"""Statuses in which somebody's answer is awaited."""
LIVE = (*OPEN, _S.ACCEPTED)
"""Statuses of which a buyer has at most one per listing, and on which the clock will act."""
