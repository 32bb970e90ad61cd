"""The money of an order: what is captured, what completes, what goes back. Each is one posting.

The order's row is locked by the caller; its columns say what has gone back, and the database refuses a
tender that would get more than it paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from balance import events
from balance.chart import Event
from balance.errors import DonationSettled
from balance.events import Charges, Fee, NewPosting, Share
from balance.lifecycle import HoldStatus
from balance.queries.donations import givers_among
from balance.queries.holds import find_hold
from balance.services.donations import (
    SaleDonation,
    plan_sale_donation,
    record_sale_donation,
    undo_sale_donation,
)
from balance.services.holds import capture_hold, release_hold
from balance.services.posting import post, post_many
from foundation.money import Money
from orders.errors import RefundExceedsRemaining
from orders.lifecycle import OrderStatus
from orders.models import Order
from orders.services.refunding import request_refund


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of what the buyer paid, minor units of the order's currency."""

    item: int = 0
    fee: int = 0
    shipping: int = 0
    verification: int = 0

    @property
    def total(self) -> int:
        return self.item + self.fee + self.shipping + self.verification


def reference_of(order_id: str) -> str:
    """How the ledger refers to an order."""
    return f"order:{order_id}"


def hold_key(order: Order) -> str:
    """The wallet's part of a checkout is set aside under this key; another quote is another hold."""
    return f"order:{order.id}:{order.quote_version}"


def remaining(order: Order) -> Parts:
    """What has not gone back."""
    return Parts(
        item=order.item_minor - order.refunded_item_minor,
        fee=order.fee_minor - order.refunded_fee_minor,
        shipping=order.shipping_minor - order.refunded_shipping_minor,
        verification=order.verification_minor - order.refunded_verification_minor,
    )


def post_capture(order: Order, *, actor: str, now: datetime) -> None:
    """The buyer paid: the seller's part is pending, the charges are deferred."""
    posting = NewPosting(
        key=f"order:{order.id}:captured",
        event=Event.SALE_CAPTURED,
        lines=events.sale_captured(
            seller=Share(order.seller_id, _money(order, order.item_minor)),
            buyer_id=order.buyer_id,
            wallet=_money(order, order.wallet_minor),
            card=_money(order, order.card_minor),
            charges=_charges(order, remaining(order)),
        ),
        reference=reference_of(order.id),
        actor=actor,
    )
    if order.wallet_minor:
        capture_hold(key=hold_key(order), posting=posting, now=now)
    else:
        post(posting, now=now)


def is_wallet_held(order: Order) -> bool:
    """Whether the wallet's part is still set aside, or there is none; its own time may have ended."""
    if not order.wallet_minor:
        return True
    hold = find_hold(hold_key(order))
    return hold is not None and hold.status == HoldStatus.ACTIVE


def release_wallet(order: Order, *, now: datetime) -> None:
    """The checkout came to nothing: what was set aside is the buyer's again."""
    if order.wallet_minor:
        release_hold(key=hold_key(order), actor="system", now=now)


def post_completions(orders: Sequence[Order], *, now: datetime) -> None:
    """The sellers have earned what has not gone back; what they give of it goes to charities."""
    givers = givers_among({order.seller_id for order in orders})
    given = {
        order.id: plan_sale_donation(
            member_id=order.seller_id, item=_money(order, remaining(order).item), now=now
        )
        for order in orders
        if order.seller_id in givers and remaining(order).item
    }
    post_many([_completion(order, given.get(order.id)) for order in orders], now=now)
    for order in orders:
        donation = given.get(order.id)
        if donation is not None:
            record_sale_donation(
                member_id=order.seller_id, given=donation, sale=reference_of(order.id), now=now
            )


def _completion(order: Order, donation: SaleDonation | None) -> NewPosting:
    left = remaining(order)
    fee, verification = _fees(order, left)
    return NewPosting(
        key=f"order:{order.id}:completed",
        event=Event.SALE_COMPLETED,
        lines=events.sale_completed(
            seller=Share(order.seller_id, _money(order, left.item)),
            donation=donation.amount if donation else _money(order, 0),
            charity_id=donation.charity_id if donation else None,
            fee=fee,
            shipping=_money(order, left.shipping),
            verification=verification,
        ),
        reference=reference_of(order.id),
        actor="system",
    )


def give_back(order: Order, parts: Parts, *, key: str, actor: str, reason: str, now: datetime) -> int:
    """Give parts of what was paid back to the tenders that paid, card first, and say so on the order.

    `key` names the refund. Before completion it comes from what is pending and deferred, afterwards from the
    seller's own money, which may leave a debt, and from what we had earned. What of the item the seller has
    lost to the buyer's bank is not taken from him again. Returns the minor units given back to the buyer now.
    The caller saves the order. Raises RefundExceedsRemaining.
    """
    left = remaining(order)
    for part in ("item", "fee", "shipping", "verification"):
        if not 0 <= getattr(parts, part) <= getattr(left, part):
            rest = _money(order, getattr(left, part))
            raise RefundExceedsRemaining(
                f"At most {rest}.", extra={"remaining": rest.as_json(), "part": part}
            )
    if parts.total == 0:
        return 0
    # The bank of a charged-back card has its money already: that part only makes up for our loss.
    taken = min(parts.total, _charged_back_left(order))
    card_left = order.card_minor - order.charged_back_minor - order.refunded_card_minor
    card = min(parts.total - taken, card_left)
    wallet = parts.total - taken - card
    if wallet > order.wallet_minor - order.refunded_wallet_minor:
        # After completion: what the bank has taken from the seller does not go back a second time.
        rest = _money(order, parts.total - wallet + order.wallet_minor - order.refunded_wallet_minor)
        raise RefundExceedsRemaining(f"At most {rest}.", extra={"remaining": rest.as_json()})
    if order.status == OrderStatus.COMPLETED and parts.item == left.item:
        _undo_donation(order, actor=actor, reason=reason, now=now)
    borne = max(0, order.charged_back_seller_minor - (left.item - parts.item))
    lines = _refund_lines(order, parts, wallet=wallet, card=card, taken=taken, borne=borne)
    if order.shipped_at is not None and order.completed_at is None:
        lines += events.postage_borne(_money(order, parts.shipping))
    whole = parts == left and order.refunded_item_minor == 0 and not taken
    cancelled = whole and order.completed_at is None
    post(
        NewPosting(
            key=key,
            event=Event.SALE_CANCELLED if cancelled else Event.SALE_REFUNDED,
            lines=lines,
            reference=reference_of(order.id),
            actor=actor,
            reason=reason,
        ),
        now=now,
    )
    order.charged_back_seller_minor -= borne
    order.refunded_item_minor += parts.item
    order.refunded_fee_minor += parts.fee
    order.refunded_shipping_minor += parts.shipping
    order.refunded_verification_minor += parts.verification
    order.refunded_wallet_minor += wallet
    order.refunded_card_minor += card
    if card and order.payment_id is not None:
        request_refund(payment_id=order.payment_id, amount=_money(order, card), key=key, now=now)
    return wallet + card


def _refund_lines(
    order: Order, parts: Parts, *, wallet: int, card: int, taken: int, borne: int
) -> tuple[events.Line, ...]:
    seller = Share(order.seller_id, _money(order, parts.item - borne))
    if order.completed_at is None:
        return events.sale_refunded(
            seller=seller,
            buyer_id=order.buyer_id,
            wallet=_money(order, wallet),
            card=_money(order, card),
            charges=_charges(order, parts),
            charged_back=_money(order, taken),
        )
    fee, verification = _fees(order, parts)
    return events.completed_sale_refunded(
        seller=seller,
        buyer_id=order.buyer_id,
        wallet=_money(order, wallet),
        card=_money(order, card),
        fee=fee,
        shipping=_money(order, parts.shipping),
        verification=verification,
        borne=_money(order, borne),
    )


def _undo_donation(order: Order, *, actor: str, reason: str, now: datetime) -> None:
    try:
        undo_sale_donation(sale=reference_of(order.id), actor=actor, reason=reason, now=now)
    except DonationSettled:
        # The charity has the money: the refund is taken from the seller's own.
        return


def give_back_regained(order: Order, *, key: str, actor: str, now: datetime) -> None:
    """The bank gave money back that a refund had left with the buyer: the card gets it from us.

    `charged_back_minor` is what the bank still has; the caller saves the order.
    """
    owed = made_up_for(order) - order.charged_back_minor
    if owed <= 0 or order.payment_id is None:
        return
    amount = _money(order, owed)
    post(
        NewPosting(
            key=key,
            event=Event.SALE_REFUNDED,
            lines=events.regained_refunded(amount),
            reference=reference_of(order.id),
            actor=actor,
        ),
        now=now,
    )
    order.refunded_card_minor += owed
    request_refund(payment_id=order.payment_id, amount=amount, key=key, now=now)


def _charged_back_left(order: Order) -> int:
    """What the bank took and no refund made up for yet; after completion the seller answered for it."""
    return 0 if order.completed_at is not None else order.charged_back_minor - made_up_for(order)


def made_up_for(order: Order) -> int:
    """What refunds left with the buyer because the bank had taken it."""
    gone = (
        order.refunded_item_minor
        + order.refunded_fee_minor
        + order.refunded_shipping_minor
        + order.refunded_verification_minor
    )
    return gone - order.refunded_wallet_minor - order.refunded_card_minor


def _charges(order: Order, parts: Parts) -> Charges:
    return Charges(
        fee=_money(order, parts.fee),
        shipping=_money(order, parts.shipping),
        verification=_money(order, parts.verification),
    )


def _fees(order: Order, parts: Parts) -> tuple[Fee, Fee]:
    """The fees with their VAT. A fee is earned or goes back whole, so its VAT is the quote's."""
    fee_vat = order.fee_vat_minor if parts.fee else 0
    verification_vat = order.verification_vat_minor if parts.verification else 0
    return (
        Fee(_money(order, parts.fee - fee_vat), _money(order, fee_vat)),
        Fee(_money(order, parts.verification - verification_vat), _money(order, verification_vat)),
    )


def _money(order: Order, minor: int) -> Money:
    return Money(minor, order.currency)
