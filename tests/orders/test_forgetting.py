"""Orders that ended long ago lose what is personal about them, and keep what the law wants kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.test import TestCase
from prometheus_client import REGISTRY
from rest_framework.test import APIClient

from balance.models import Posting
from members.models import Member
from orders.models import Case, Issue, IssueEvidence, Order, OrderEvent, Parcel, ParcelEvent
from orders.providers.payments.contract import DisputeOutcome
from orders.queries.issues import get_issue
from orders.services import forgetting
from orders.services.cases import open_case, resolve_case
from orders.services.forgetting import forget_details
from orders.services.issues import Terms, add_evidence, decide, report_issue
from orders.services.revealing import reveal_address, reveal_issue
from orders.services.supporting import refund_part
from tests.factories.labelled_parcels import labelled_parcel
from tests.factories.listings import NOW
from tests.factories.money import euros
from tests.factories.orders import on_offer
from tests.factories.payments import bank_says
from tests.factories.purchases import buy, check_out, deliver
from tests.orders.support_desk import photo

pytestmark = pytest.mark.django_db

STAFF = "01J0000000000000000000STAF"
KEPT = timedelta(days=540)
ENDED = NOW + timedelta(days=3)
FORGOTTEN = ENDED + KEPT + timedelta(seconds=1)


@pytest.fixture
def old(seller: Member, buyer: Member) -> Order:
    """Labelled, delivered, objected to with a photo, and settled by support."""
    order = buy(seller.id, buyer.id)
    parcel = labelled_parcel(order, now=NOW)
    news = ParcelEvent(parcel=parcel, provider="sandbox", event_id="1", code="first_scan", has_moved=True)
    news.occurred_at = news.received_at = NOW
    news.raw = "{}"
    news.save(force_insert=True)
    deliver(order, now=NOW)
    issue_id = report_issue(buyer_id=buyer.id, order_id=order.id, kind="damaged", text="Torn", now=NOW)
    add_evidence(
        member_id=buyer.id,
        issue_id=issue_id,
        content=photo(),
        declared_type="image/jpeg",
        file_name="a.jpg",
        now=NOW,
    )
    terms = Terms("part", euros(500))
    decide(staff_id=STAFF, order_id=order.id, terms=terms, reason="looked at", now=ENDED)
    return Order.objects.get(id=order.id)


def files() -> list[str]:
    """The label's and the photo's."""
    labels = Parcel.objects.values_list("label_name", flat=True)
    return [*labels, *IssueEvidence.objects.values_list("file_name", flat=True)]


def details(order: Order) -> list[object]:
    row = Order.objects.get(id=order.id)
    parcel = Parcel.objects.get(order_id=order.id)
    return [
        *(row.address, row.delivery["pickup_point"], row.has_details),
        *(parcel.sender, parcel.recipient, parcel.pickup_point, parcel.label_key),
        *(parcel.label_name or None, parcel.tracking_url or None),
        *ParcelEvent.objects.values_list("raw", flat=True),
        *Issue.objects.values_list("text", flat=True),
        *IssueEvidence.objects.all(),
    ]


class TestForget:
    def test_deletes_what_is_personal_and_keeps_what_was_paid(self, old: Order) -> None:
        count = "preloved_orders_details_forgotten_total"
        before = (Posting.objects.count(), OrderEvent.objects.count())
        counted = REGISTRY.get_sample_value(count) or 0
        stored = files()
        assert [storages["documents"].exists(name) for name in stored] == [True, True]
        with TestCase.captureOnCommitCallbacks(execute=True):
            assert forget_details(now=FORGOTTEN) == 1
        assert REGISTRY.get_sample_value(count) == counted + 1
        assert set(details(old)) == {None}
        assert [storages["documents"].exists(name) for name in stored] == [False, False]
        assert (Posting.objects.count(), OrderEvent.objects.count()) == before
        kept = Order.objects.get(id=old.id)
        assert (kept.card_minor, kept.refunded_item_minor, kept.version) == (2470, 500, old.version)
        assert forget_details(now=FORGOTTEN) == 0

    def test_leaves_the_order_readable(self, old: Order, buyer: Member, as_buyer: APIClient) -> None:
        forget_details(now=FORGOTTEN)
        seen = as_buyer.get(f"/api/v1/orders/{old.id}").json()
        assert (seen["status"], seen["delivery"]["pickup_point"]) == ("completed", None)
        assert as_buyer.get(f"/api/v1/orders/{old.id}/receipt").status_code == 200
        issue = get_issue(buyer.id, seen["issue_id"])
        assert (issue.text, issue.evidence, issue.decision) == ("", (), "looked at")
        assert reveal_address(order_id=old.id, staff_id=STAFF) is None
        assert reveal_issue(issue_id=issue.id, staff_id=STAFF) == ""

    def test_waits_for_the_last_day(self, old: Order) -> None:
        assert forget_details(now=ENDED + KEPT) == 0
        assert None not in details(old)

    def test_counts_from_the_last_thing_that_happened(self, old: Order) -> None:
        later = ENDED + timedelta(days=500)
        refund_part(staff_id=STAFF, order_id=old.id, item=euros(1), reason="late", now=later)
        assert forget_details(now=FORGOTTEN) == 0
        assert forget_details(now=later + KEPT + timedelta(seconds=1)) == 1

    def test_waits_while_support_or_a_bank_is_at_it(self, old: Order) -> None:
        open_case(kind="label_failed", key="k", order_id=old.id, now=ENDED)
        assert forget_details(now=FORGOTTEN) == 0
        case_id = Case.objects.values_list("id", flat=True).get(key="k")
        resolve_case(case_id=case_id, staff_id=STAFF, resolution="done", now=ENDED)
        bank_says(old, DisputeOutcome.OPENED, now=ENDED)
        Case.objects.filter(kind="chargeback").update(resolved_at=ENDED, resolution="seen")
        assert forget_details(now=FORGOTTEN) == 0
        bank_says(old, DisputeOutcome.LOST, now=ENDED)
        assert forget_details(now=FORGOTTEN) == 1

    def test_leaves_what_is_under_way(self, seller: Member, buyer: Member) -> None:
        buy(seller.id, buyer.id)
        assert forget_details(now=FORGOTTEN) == 0

    def test_does_a_part_at_a_time_and_passes_what_waits(
        self, seller: Member, buyer: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(forgetting, "BATCH", 2)
        monkeypatch.setattr(forgetting, "MOST", 2)
        orders = [check_out(buyer.id, [on_offer(seller.id).id]) for _ in range(5)]
        ended = [order.id for order in orders[1:4]]
        facts = {"status": "expired", "due_at": None, "remind_at": None, "updated_at": NOW}
        Order.objects.filter(id__in=ended).update(**facts)
        assert [forget_details(now=FORGOTTEN) for _ in range(3)] == [2, 1, 0]
        assert set(Order.objects.filter(has_details=None).values_list("id", flat=True)) == set(ended)

    def test_begins_again_after_a_file_could_not_be_deleted(
        self, old: Order, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(name: str) -> None:
            raise OSError(name)

        with monkeypatch.context() as broken:
            broken.setattr(storages["documents"], "delete", refuse)
            with pytest.raises(OSError, match="labels/"):
                forget_details(now=FORGOTTEN)
        assert None not in details(old)
        assert forget_details(now=FORGOTTEN) == 1
