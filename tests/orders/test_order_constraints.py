"""The database states each invariant of orders, their issues and cases too: every constraint by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, models, transaction
from django.db.models import F

from foundation.ids import new_id
from members.models import Member
from orders.models import Case, Issue, IssueEvidence, Order, OrderEvent, OrderItem, Proposal, Strike, Terms
from orders.services.issues import Terms as Settlement
from orders.services.issues import propose, report_issue
from tests.factories.listings import NOW
from tests.factories.purchases import buy, deliver


def again(model: type[models.Model], **facts: Any) -> Callable[[], Any]:
    """The same row once more, under another id, with some facts changed."""

    def insert() -> None:
        row: Any = model._default_manager.all()[0]
        row.pk = new_id() if isinstance(row.pk, str) else None
        for name, value in facts.items():
            setattr(row, name, value)
        row.save(force_insert=True)

    return insert


def changed(model: type[models.Model], **facts: Any) -> Callable[[], Any]:
    return lambda: model._default_manager.update(**facts)


BREAKERS: dict[str, Callable[[], Any]] = {
    "order_known_status": changed(Order, status="lost"),
    "order_of_two_members": changed(Order, buyer_id=F("seller")),
    "order_amounts_not_negative": changed(Order, shipping_minor=-1, card_minor=F("card_minor") - 301),
    "order_tenders_pay_the_total": changed(Order, wallet_minor=1),
    "order_refunds_within_parts": changed(Order, refunded_item_minor=2001, refunded_card_minor=2001),
    "order_refunds_within_tenders": changed(Order, refunded_item_minor=1, refunded_wallet_minor=1),
    "order_seller_bears_item_at_most": changed(Order, charged_back_seller_minor=1),
    "order_refunds_add_up": changed(Order, refunded_item_minor=500),
    "order_paid_says_when": changed(Order, paid_at=None),
    "order_due_while_timed": changed(Order, due_at=None),
    "order_completed_after_notice": changed(Order, status="completed", due_at=None, remind_at=None),
    "order_listing_in_one_live": again(OrderItem, position=1),
    "order_item_position_once": again(OrderItem, listing_id=new_id()),
    "order_item_price_in_range": changed(OrderItem, price_minor=2001),
    "order_event_number_once": again(OrderEvent),
    "order_event_known_target": changed(OrderEvent, target="lost"),
    "strike_once_per_order": again(Strike),
    "strike_known_reason": changed(Strike, reason="rude"),
    "case_known_kind": changed(Case, kind="whim"),
    "case_resolved_says_how": changed(Case, resolved_at=NOW),
    "case.key": again(Case),
    "issue.order_id": again(Issue),
    "issue_known_kind": changed(Issue, kind="whim"),
    "issue_known_postage": changed(Issue, postage_by="nobody"),
    "evidence_position_once": again(IssueEvidence),
    "evidence_by_a_member": changed(IssueEvidence, added_by="clock"),
    "proposal_number_once": again(Proposal, is_open=None, status="declined", answered_at=NOW),
    "proposal_one_open": again(Proposal, number=2),
    "proposal_known_status": changed(Proposal, status="lost", is_open=None, answered_at=NOW),
    "proposal_open_is_marked": changed(Proposal, is_open=None),
    "proposal_says_what": changed(Proposal, amount_minor=1),
    "terms_timers_positive": changed(Terms, checkout_minutes=0),
    "terms_verification_priced": changed(Terms, verification_fee_minor=-1),
}


def column(model: type[models.Model], name: str) -> str | None:
    return next(field.column for field in model._meta.concrete_fields if field.name == name)


def columns_of(name: str) -> list[str]:
    """How SQLite names a broken unique constraint."""
    return [
        ", ".join(f"{model._meta.db_table}.{column(model, field)}" for field in found.fields)
        for model in (Order, OrderItem, OrderEvent, Strike, IssueEvidence, Proposal)
        for found in model._meta.constraints
        if found.name == name and isinstance(found, models.UniqueConstraint)
    ]


@pytest.fixture
def rows(seller: Member, buyer: Member) -> None:
    """One of everything, of an order of 20.00 for the item and 24.70 in all."""
    order = deliver(buy(seller.id, buyer.id))
    issue_id = report_issue(buyer_id=buyer.id, order_id=order.id, kind="damaged", text="Torn", now=NOW)
    propose(member_id=buyer.id, issue_id=issue_id, terms=Settlement("refund"), now=NOW)
    Order.objects.update(delivered_at=None)
    Strike.objects.create(
        id=new_id(), member_id=seller.id, order_id=order.id, reason="not_sent", given_at=NOW
    )
    case = {"key": "k", "kind": "issue", "order_id": order.id, "opened_at": NOW, "due_at": NOW}
    Case.objects.create(id=new_id(), **case)
    evidence = IssueEvidence(id=new_id(), issue_id=issue_id, position=0, added_by="buyer", added_at=NOW)
    evidence.file_name, evidence.file_key = "evidence/a", b"k" * 32
    evidence.save(force_insert=True)


class TestConstraints:
    @pytest.mark.parametrize("name", BREAKERS)
    def test_refuses(self, rows: None, name: str) -> None:
        # MySQL reports a broken CHECK as an OperationalError.
        with pytest.raises((IntegrityError, OperationalError)) as refused, transaction.atomic():
            BREAKERS[name]()
        # MariaDB names a unique column by itself.
        index = f"key '{name.rpartition('.')[2]}'"
        assert any(word in str(refused.value) for word in (name, index, *columns_of(name)))
