"""What a chargeback means for its order: who bears it, and what its end gives back.

A payment may be disputed several times: in parts, or once more after the bank has lost. So what the bank has
and what the seller bears are no running sums: both follow from the order's columns and its disputes.
"""

from __future__ import annotations

from datetime import datetime

from balance import events
from balance.chart import Event
from balance.events import NewPosting, Share
from balance.services.posting import post
from foundation.money import Money
from orders.lifecycle import PROVIDER, DisputeStatus
from orders.models import Case, Dispute, Order
from orders.services.cases import open_case
from orders.services.order_moves import find_row, move, touch
from orders.services.settling import give_back_regained, made_up_for, reference_of, remaining
from orders.services.telling import tell_charged_back


def record_opened(order: Order, dispute: Dispute, *, now: datetime) -> None:
    """The buyer's bank has taken money back, for a fee. After completion the seller answers for the item.

    Before, all of it is ours for now and support decides whose it is in the end: nothing completes by itself.
    Of a payment that is not the order's (it came too late) it is ours, and the order goes on. The order is
    locked by the caller, and the dispute is saved; its `seller_minor` is set here.
    """
    is_its = order.payment_id == dispute.payment_id
    amount = Money(dispute.amount_minor, dispute.currency)
    taken = Money(_recount(order) if is_its else 0, dispute.currency)
    post(
        NewPosting(
            key=f"dispute:{dispute.id}:opened",
            event=Event.CHARGEBACK,
            lines=events.chargeback(
                seller=Share(order.seller_id, taken),
                borne=amount - taken,
                fee=Money(dispute.fee_minor, dispute.currency),
            ),
            reference=reference_of(order.id),
            actor=f"provider:{dispute.provider}",
        ),
        now=now,
    )
    if taken.amount_minor:
        dispute.seller_minor = taken.amount_minor
        dispute.save(update_fields=["seller_minor"])
        tell_charged_back(order, taken, dispute_id=dispute.id, now=now)
    row = find_row(order, "dispute", PROVIDER) if is_its else None
    if row is not None:
        move(order, row, now=now, amount_minor=amount.amount_minor)
    else:
        touch(order, now=now)
    note = f"dispute {dispute.id}: {amount}, of which the seller bears {taken}"
    key = f"dispute:{dispute.id}"
    open_case(kind=Case.Kind.CHARGEBACK, key=key, order_id=order.id, note=note, now=now)


def record_won(order: Order, dispute: Dispute, *, now: datetime) -> None:
    """The bank gave it back: first to the seller what he bears no longer, the rest to us.

    What the order has given back meanwhile is the buyer's, who has lost it to us now: it goes to the card.
    The order is locked by the caller, and the dispute's end is saved.
    """
    is_its = order.payment_id == dispute.payment_id
    amount = Money(dispute.amount_minor, dispute.currency)
    change = _recount(order) if is_its else 0
    returned = Money(max(0, -change), dispute.currency)
    actor = f"provider:{dispute.provider}"
    post(
        NewPosting(
            key=f"dispute:{dispute.id}:won",
            event=Event.CHARGEBACK_WON,
            lines=events.chargeback_won(
                seller=Share(order.seller_id, returned),
                borne=amount - returned,
                charged=Money(change, dispute.currency) if change > 0 else None,
            ),
            reference=reference_of(order.id),
            actor=actor,
        ),
        now=now,
    )
    if is_its:
        give_back_regained(order, key=f"dispute:{dispute.id}:regained", actor=actor, now=now)
        touch(order, now=now)


def _recount(order: Order) -> int:
    """Set what the bank has and what of it the seller bears; returns by how much the latter has grown.

    The bank never counts for more than the card still had in the order. Disputes from before completion count
    first and are ours. Refunds of that time may have left the bank's money with the buyer: of that the seller
    has borne his part.
    """
    disputes = Dispute.objects.filter(payment_id=order.payment_id).exclude(status=DisputeStatus.WON)
    whole = ours = 0
    for minor, after_completion in disputes.values_list("amount_minor", "after_completion"):
        whole += minor
        ours += 0 if after_completion else minor
    borne_before = order.charged_back_seller_minor
    order.charged_back_minor = min(whole, order.card_minor - order.refunded_card_minor)
    since_completion = max(0, order.charged_back_minor - ours)
    unrefunded = max(0, order.charged_back_minor - made_up_for(order))
    order.charged_back_seller_minor = min(since_completion, unrefunded, remaining(order).item)
    return order.charged_back_seller_minor - borne_before
