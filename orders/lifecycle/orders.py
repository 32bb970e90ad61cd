"""The life of an order: one table. Source of the rows and their timers: the project's rules of orders.

The moments that are a market's to choose come from its terms and are copied to each order; `after` is what
every market ships with.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from foundation.lifecycle import CLOCK, Lifecycle, Transition, register
from orders.lifecycle.roles import BUYER, CARRIER, PROVIDER, SELLER, SUPPORT

HELD_FOR = timedelta(minutes=15)


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING_PAYMENT = "pending_payment"
    EXPIRED = "expired"
    FAILED = "failed"
    PAID = "paid"
    CANCEL_REQUESTED = "cancel_requested"
    CANCELLED = "cancelled"
    SHIPPED = "shipped"
    IN_TRANSIT = "in_transit"
    AT_VERIFICATION = "at_verification"
    VERIFIED = "verified"
    REJECTED = "rejected"
    READY_FOR_PICKUP = "ready_for_pickup"
    RETURNED_TO_SENDER = "returned_to_sender"
    DELIVERED = "delivered"
    ISSUE_OPEN = "issue_open"
    UNDER_REVIEW = "under_review"
    RETURN_PENDING = "return_pending"
    RETURNING = "returning"
    COMPLETED = "completed"
    REFUNDED = "refunded"


_S = OrderStatus
_NOT_SENT = (_S.PAID, _S.CANCEL_REQUESTED)
_ON_THE_WAY = (_S.SHIPPED, _S.IN_TRANSIT, _S.READY_FOR_PICKUP)
_FULL = "everything goes back to the tenders that paid"

# Where each event of a carrier leads, and from where: events come in any order, so each also comes from what
# it has overtaken, and one that was overtaken itself has no row and changes nothing.
_RANKED: tuple[tuple[str, _S, tuple[_S, ...]], ...] = (
    ("scan", _S.SHIPPED, _NOT_SENT),
    ("transit", _S.IN_TRANSIT, (*_NOT_SENT, _S.SHIPPED)),
    ("reach_hub", _S.AT_VERIFICATION, (*_NOT_SENT, _S.SHIPPED, _S.IN_TRANSIT)),
    ("arrive", _S.READY_FOR_PICKUP, (*_NOT_SENT, _S.SHIPPED, _S.IN_TRANSIT, _S.VERIFIED)),
    ("deliver", _S.DELIVERED, (*_NOT_SENT, *_ON_THE_WAY, _S.VERIFIED)),
    ("return_to_sender", _S.RETURNED_TO_SENDER, (*_NOT_SENT, *_ON_THE_WAY, _S.VERIFIED)),
    ("lose", _S.REFUNDED, (*_NOT_SENT, *_ON_THE_WAY, _S.VERIFIED)),
)
_NOTES = {
    "reach_hub": "an order whose item is verified",
    "deliver": "the notice: T0",
    "return_to_sender": f"not collected; {_FULL}, the postage is ours",
    "lose": f"{_FULL}; the seller is compensated",
}


def _carried() -> Iterable[Transition]:
    for verb, target, sources in _RANKED:
        for source in sources:
            yield Transition(source, verb, target, CARRIER, note=_NOTES.get(verb, ""))


def _presumed() -> Iterable[Transition]:
    note = "seems lost: the carrier has said nothing for so long; starts T0"
    for source in (*_ON_THE_WAY, _S.VERIFIED):
        yield Transition(source, "presume_delivered", _S.DELIVERED, CLOCK, timedelta(days=14), note)


def _disputed() -> Iterable[Transition]:
    sources = (*_NOT_SENT, *_ON_THE_WAY, _S.AT_VERIFICATION, _S.VERIFIED, _S.DELIVERED, _S.ISSUE_OPEN)
    for source in (*sources, _S.RETURN_PENDING, _S.RETURNING):
        yield Transition(
            source, "dispute", _S.UNDER_REVIEW, PROVIDER, note="chargeback: nothing completes by itself"
        )


def _decided() -> Iterable[Transition]:
    for source in (_S.ISSUE_OPEN, _S.UNDER_REVIEW):
        yield Transition(source, "uphold_sale", _S.COMPLETED, SUPPORT, note="the seller is right")
        yield Transition(source, "refund", _S.REFUNDED, SUPPORT, note=f"nothing is sent back; {_FULL}")
        yield Transition(source, "refund_part", _S.COMPLETED, SUPPORT, note="the buyer keeps the item")
        yield Transition(source, "order_return", _S.RETURN_PENDING, SUPPORT)


ORDER = register(
    Lifecycle(
        "Order",
        statuses=OrderStatus,
        initial=_S.PENDING_PAYMENT,
        meanings={
            _S.PENDING_PAYMENT: "a checkout: listings held, quote frozen, the wallet's part set aside",
            _S.EXPIRED: "not paid in time, or given up",
            _S.FAILED: "the payment provider refused for good",
            _S.PAID: "the money is captured and in escrow; the seller's turn to send",
            _S.CANCEL_REQUESTED: "the buyer wants out; the seller's turn",
            _S.CANCELLED: "undone before it was sent",
            _S.SHIPPED: "the carrier has it",
            _S.IN_TRANSIT: "on its way",
            _S.AT_VERIFICATION: "at the hub, being looked at",
            _S.VERIFIED: "it is what it was sold as; on its way from the hub to the buyer",
            _S.REJECTED: "it is not what it was sold as; the buyer has the money back",
            _S.READY_FOR_PICKUP: "waits for the buyer at the pick-up point",
            _S.RETURNED_TO_SENDER: "nobody collected it; the buyer has the money back",
            _S.DELIVERED: "the buyer was told that it is there (T0) and may look at it",
            _S.ISSUE_OPEN: "the buyer says that something is wrong; the two may agree",
            _S.UNDER_REVIEW: "support decides",
            _S.RETURN_PENDING: "agreed or decided to be sent back; the buyer's turn",
            _S.RETURNING: "on its way back to the seller",
            _S.COMPLETED: "the seller has the money",
            _S.REFUNDED: "the buyer has the money back",
        },
        transitions=[
            Transition(
                _S.PENDING_PAYMENT, "pay", _S.PAID, PROVIDER, note="what was captured equals the quote"
            ),
            Transition(_S.PENDING_PAYMENT, "fail", _S.FAILED, PROVIDER, note="the third refusal"),
            Transition(_S.PENDING_PAYMENT, "abandon", _S.EXPIRED, BUYER, note="no payment is under way"),
            Transition(_S.PENDING_PAYMENT, "expire", _S.EXPIRED, CLOCK, HELD_FOR),
            Transition(_S.PAID, "cancel", _S.CANCELLED, BUYER, note=f"within two hours; {_FULL}"),
            Transition(_S.PAID, "request_cancellation", _S.CANCEL_REQUESTED, BUYER, note="later"),
            Transition(_S.PAID, "cancel", _S.CANCELLED, SELLER, note=f"before the first scan; {_FULL}"),
            Transition(_S.PAID, "cancel", _S.CANCELLED, SUPPORT, note=_FULL),
            Transition(
                _S.PAID,
                "ship",
                _S.PAID,
                SELLER,
                note="says so; once, two working days more for the first scan",
            ),
            Transition(
                _S.PAID,
                "cancel_unsent",
                _S.CANCELLED,
                CLOCK,
                timedelta(days=7),
                note=f"five working days of the seller's market, end of day there; {_FULL}, strike",
            ),
            Transition(_S.CANCEL_REQUESTED, "cancel", _S.CANCELLED, SELLER, note=f"consents; {_FULL}"),
            Transition(_S.CANCEL_REQUESTED, "refuse_cancellation", _S.PAID, SELLER),
            Transition(_S.CANCEL_REQUESTED, "cancel", _S.CANCELLED, SUPPORT, note=_FULL),
            Transition(
                _S.CANCEL_REQUESTED,
                "cancel_unanswered",
                _S.CANCELLED,
                CLOCK,
                timedelta(hours=72),
                note=f"silence is consent; {_FULL}",
            ),
            *_carried(),
            *_presumed(),
            Transition(_S.AT_VERIFICATION, "verify", _S.VERIFIED, SUPPORT, note="goes on to the buyer"),
            Transition(
                _S.AT_VERIFICATION,
                "reject",
                _S.REJECTED,
                SUPPORT,
                note=f"{_FULL}; back to the seller at our cost; counterfeit: strike, listing removed",
            ),
            Transition(_S.DELIVERED, "confirm", _S.COMPLETED, BUYER),
            Transition(
                _S.DELIVERED,
                "complete",
                _S.COMPLETED,
                CLOCK,
                timedelta(hours=48),
                note="from T0, 96 hours in Canada",
            ),
            Transition(_S.DELIVERED, "open_issue", _S.ISSUE_OPEN, BUYER, note="until then"),
            Transition(_S.ISSUE_OPEN, "confirm", _S.COMPLETED, BUYER, note="all is well after all"),
            Transition(_S.ISSUE_OPEN, "agree_refund", _S.REFUNDED, BUYER, note=_FULL),
            Transition(_S.ISSUE_OPEN, "agree_refund", _S.REFUNDED, SELLER, note=_FULL),
            Transition(_S.ISSUE_OPEN, "agree_part", _S.COMPLETED, BUYER, note="keeps the item"),
            Transition(_S.ISSUE_OPEN, "agree_part", _S.COMPLETED, SELLER, note="the buyer keeps the item"),
            Transition(_S.ISSUE_OPEN, "agree_return", _S.RETURN_PENDING, BUYER),
            Transition(_S.ISSUE_OPEN, "agree_return", _S.RETURN_PENDING, SELLER),
            Transition(_S.ISSUE_OPEN, "escalate", _S.UNDER_REVIEW, BUYER),
            Transition(_S.ISSUE_OPEN, "escalate", _S.UNDER_REVIEW, SELLER),
            Transition(_S.ISSUE_OPEN, "escalate", _S.UNDER_REVIEW, CLOCK, timedelta(days=14)),
            *_disputed(),
            *_decided(),
            Transition(_S.RETURN_PENDING, "send_back", _S.RETURNING, BUYER, note="says so, with a number"),
            Transition(_S.RETURN_PENDING, "send_back", _S.RETURNING, CARRIER, note="the first scan"),
            Transition(_S.RETURN_PENDING, "receive", _S.REFUNDED, SELLER, note="item, fee and postage back"),
            Transition(_S.RETURN_PENDING, "receive", _S.REFUNDED, CARRIER, note="item, fee and postage back"),
            Transition(_S.RETURN_PENDING, "escalate", _S.UNDER_REVIEW, CARRIER, note="lost on the way back"),
            Transition(
                _S.RETURN_PENDING,
                "keep",
                _S.COMPLETED,
                CLOCK,
                timedelta(days=7),
                note="five working days of the buyer's market, end of day there",
            ),
            Transition(_S.RETURNING, "receive", _S.REFUNDED, SELLER, note="item, fee and postage back"),
            Transition(_S.RETURNING, "receive", _S.REFUNDED, CARRIER, note="item, fee and postage back"),
            Transition(_S.RETURNING, "escalate", _S.UNDER_REVIEW, SELLER, note="something else came back"),
            Transition(_S.RETURNING, "escalate", _S.UNDER_REVIEW, CARRIER, note="lost on the way back"),
            Transition(_S.RETURNING, "escalate", _S.UNDER_REVIEW, CLOCK, timedelta(days=14)),
            Transition(
                _S.COMPLETED,
                "refund",
                _S.REFUNDED,
                SUPPORT,
                note="whatever is left of it goes back; the seller may be left with a debt",
            ),
        ],
    )
)

LISTING_TAKEN = tuple(status for status in OrderStatus if status.value not in ORDER.final())
"""Statuses in which no other order may have the listings."""
UNDER_WAY = tuple(status for status in LISTING_TAKEN if status != _S.COMPLETED)
"""Statuses of orders that will still change by themselves or by their members."""
