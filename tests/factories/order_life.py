"""What anybody can do to an order, and orders in every status that come of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from foundation.ids import new_id
from members.models import Member
from orders.lifecycle import BUYER, CARRIER, PROVIDER, SELLER, SUPPORT
from orders.models import Issue, Order, Proposal
from orders.providers.payments.contract import DisputeOutcome
from orders.services import issues
from orders.services.cancelling import cancel, cancel_by_support, refuse_cancellation, say_handed_over
from orders.services.checkouts import abandon_checkout
from orders.services.completing import confirm
from orders.services.issues import Terms
from orders.services.order_moves import lock_order
from orders.services.selling import record_capture, record_payment_failure
from orders.services.supporting import refund_whole, reject_item, verify_item
from tests.factories.listings import NOW
from tests.factories.money import euros
from tests.factories.orders import on_offer
from tests.factories.payments import bank_says
from tests.factories.purchases import carry, check_out, choices, pay_for

STAFF = "01J0000000000000000000STAF"
DEAR = 15_000
PART_MINOR = 500


def later(order: Order) -> datetime:
    """When the buyer can no longer cancel without asking."""
    return order.created_at + timedelta(hours=3)


def issue_of(order: Order) -> str:
    return Issue.objects.values_list("id", flat=True).filter(order_id=order.id).first() or new_id()


def hear(order: Order, code: str) -> None:
    leg = {"at_verification": "to_hub"}.get(code, "from_hub" if order.status == "verified" else "outbound")
    carry(order, code, leg=leg, now=later(order))


def hear_of_return(order: Order, code: str) -> None:
    carry(order, code, leg="return", now=later(order))


def agree(order: Order, actor: str, terms: Terms) -> None:
    """The other proposes it, and the actor accepts."""
    me, other = (order.buyer_id, order.seller_id) if actor == BUYER else (order.seller_id, order.buyer_id)
    issue = issue_of(order)
    issues.propose(member_id=other, issue_id=issue, terms=terms, now=later(order))
    number = Proposal.objects.filter(issue_id=issue).count()
    issues.accept(member_id=me, issue_id=issue, number=number, now=later(order))


def decide(order: Order, terms: Terms | None) -> None:
    issues.decide(staff_id=STAFF, order_id=order.id, terms=terms, reason="seen", now=later(order))


def be_refused(order: Order) -> None:
    for _ in range(3):
        with transaction.atomic():
            record_payment_failure(
                lock_order(order.id), payment_id="none", code="card_declined", now=order.created_at
            )


def be_charged_back(order: Order) -> None:
    """Its bank can only take back what a card has paid."""
    if order.payment_id is not None:
        bank_says(order, DisputeOutcome.OPENED, now=later(order))


def be_paid(order: Order) -> None:
    if order.status == "pending_payment":
        pay_for(order, now=order.created_at)
    else:
        with transaction.atomic():
            record_capture(
                lock_order(order.id),
                payment_id=None,
                provider="",
                amount=euros(order.card_minor),
                now=later(order),
            )


def refund(order: Order) -> None:
    if order.status == "completed":
        refund_whole(staff_id=STAFF, order_id=order.id, reason="worn out", now=later(order))
    else:
        decide(order, Terms("refund"))


def report(order: Order) -> None:
    issues.report_issue(
        buyer_id=order.buyer_id, order_id=order.id, kind="damaged", text="Torn", now=later(order)
    )


REFUND, A_PART = Terms("refund"), Terms("part", euros(PART_MINOR))
RETURN = Terms("return", postage_by="buyer")
BY_MEMBERS: dict[tuple[str, str], Callable[[Order], object]] = {
    ("abandon", BUYER): lambda o: abandon_checkout(buyer_id=o.buyer_id, order_id=o.id, now=o.created_at),
    ("cancel", BUYER): lambda o: cancel(member_id=o.buyer_id, order_id=o.id, now=o.created_at),
    ("request_cancellation", BUYER): lambda o: cancel(member_id=o.buyer_id, order_id=o.id, now=later(o)),
    ("cancel", SELLER): lambda o: cancel(member_id=o.seller_id, order_id=o.id, now=later(o)),
    ("refuse_cancellation", SELLER): lambda o: refuse_cancellation(
        seller_id=o.seller_id, order_id=o.id, now=later(o)
    ),
    ("ship", SELLER): lambda o: say_handed_over(seller_id=o.seller_id, order_id=o.id, now=later(o)),
    ("confirm", BUYER): lambda o: confirm(buyer_id=o.buyer_id, order_id=o.id, now=later(o)),
    ("open_issue", BUYER): report,
    **{
        (f"agree_{terms.kind}", actor): partial(agree, actor=actor, terms=terms)
        for actor in (BUYER, SELLER)
        for terms in (REFUND, A_PART, RETURN)
    },
    ("escalate", BUYER): lambda o: issues.escalate(member_id=o.buyer_id, issue_id=issue_of(o), now=later(o)),
    ("escalate", SELLER): lambda o: issues.escalate(
        member_id=o.seller_id, issue_id=issue_of(o), now=later(o)
    ),
    ("send_back", BUYER): lambda o: issues.send_back(
        buyer_id=o.buyer_id, issue_id=issue_of(o), tracking_number="RR 1", now=later(o)
    ),
    ("receive", SELLER): lambda o: issues.receive_return(
        seller_id=o.seller_id, issue_id=issue_of(o), now=later(o)
    ),
    ("cancel", SUPPORT): lambda o: cancel_by_support(
        staff_id=STAFF, order_id=o.id, reason="asked by phone", now=later(o)
    ),
    ("verify", SUPPORT): lambda o: verify_item(staff_id=STAFF, order_id=o.id, now=later(o)),
    ("reject", SUPPORT): lambda o: reject_item(
        staff_id=STAFF, order_id=o.id, reason="sole replaced", is_counterfeit=False, now=later(o)
    ),
    ("uphold_sale", SUPPORT): lambda o: decide(o, None),
    ("refund", SUPPORT): refund,
    ("refund_part", SUPPORT): lambda o: decide(o, A_PART),
    ("order_return", SUPPORT): lambda o: decide(o, RETURN),
}
"""What a person asks for: refused with 409 where there is no row."""
BY_NEWS: dict[tuple[str, str], Callable[[Order], object]] = {
    ("pay", PROVIDER): be_paid,
    ("fail", PROVIDER): be_refused,
    ("dispute", PROVIDER): be_charged_back,
    ("scan", CARRIER): lambda o: hear(o, "first_scan"),
    ("transit", CARRIER): lambda o: hear(o, "in_transit"),
    ("reach_hub", CARRIER): lambda o: hear(o, "at_verification"),
    ("arrive", CARRIER): lambda o: hear(o, "ready_for_pickup"),
    ("deliver", CARRIER): lambda o: hear(o, "delivered"),
    ("return_to_sender", CARRIER): lambda o: hear(o, "returned_to_sender"),
    ("lose", CARRIER): lambda o: hear(o, "lost"),
    ("send_back", CARRIER): lambda o: hear_of_return(o, "first_scan"),
    ("receive", CARRIER): lambda o: hear_of_return(o, "delivered"),
    ("escalate", CARRIER): lambda o: hear_of_return(o, "lost"),
}
"""What is merely heard of: changes nothing where there is no row."""
PATHS: dict[str, tuple[tuple[str, str], ...]] = {
    "paid": (("pay", PROVIDER),),
    "cancel_requested": (("pay", PROVIDER), ("request_cancellation", BUYER)),
    "shipped": (("pay", PROVIDER), ("scan", CARRIER)),
    "in_transit": (("pay", PROVIDER), ("transit", CARRIER)),
    "at_verification": (("pay", PROVIDER), ("reach_hub", CARRIER)),
    "ready_for_pickup": (("pay", PROVIDER), ("arrive", CARRIER)),
    "delivered": (("pay", PROVIDER), ("deliver", CARRIER)),
    "expired": (("abandon", BUYER),),
    "failed": (("fail", PROVIDER),),
    "pending_payment": (),
}
PATHS["verified"] = (*PATHS["at_verification"], ("verify", SUPPORT))
PATHS["rejected"] = (*PATHS["at_verification"], ("reject", SUPPORT))
PATHS["cancelled"] = (*PATHS["paid"], ("cancel", SELLER))
PATHS["returned_to_sender"] = (*PATHS["paid"], ("return_to_sender", CARRIER))
PATHS["issue_open"] = (*PATHS["delivered"], ("open_issue", BUYER))
PATHS["under_review"] = (*PATHS["issue_open"], ("escalate", BUYER))
PATHS["return_pending"] = (*PATHS["issue_open"], ("agree_return", SELLER))
PATHS["returning"] = (*PATHS["return_pending"], ("send_back", BUYER))
PATHS["completed"] = (*PATHS["delivered"], ("confirm", BUYER))
PATHS["refunded"] = (*PATHS["issue_open"], ("agree_refund", SELLER))


def order_in(status: str, seller: Member, buyer: Member, *, now: datetime = NOW) -> Order:
    """An order of one dear item that goes to the hub first, in this status; its checkout began at `now`."""
    order = check_out(buyer.id, [on_offer(seller.id, DEAR).id], now=now, chosen=choices(verification=True))
    for step in PATHS[status]:
        (BY_MEMBERS | BY_NEWS)[step](order)
        order.refresh_from_db()
    assert order.status == status
    return order
