"""An order survives every crash and a broker that is away: the same end, the same money, everything once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from kombu.exceptions import OperationalError

from balance.chart import AccountKind as K
from balance.models import Posting
from foundation.models import OutgoingEvent
from listings.queries import ListingFacts
from members.models import Member, Notice
from orders.lifecycle import OrderStatus as S
from orders.lifecycle.parcels import ParcelCode
from orders.models import Order, OrderEvent, Parcel, Payment, Refund, SandboxPayment, SandboxRefund
from orders.providers.carriers.contract import Callback
from orders.providers.carriers.sandbox import SandboxCarrier
from orders.providers.payments.sandbox import SandboxCards
from orders.services import timers
from orders.services.carrier_calls import call_carriers
from orders.services.checking_out import pay
from orders.services.completing import confirm
from orders.services.supporting import refund_part
from orders.services.tracking import record_news
from tests.factories.listings import NOW
from tests.factories.members import make_member
from tests.factories.money import euros, give
from tests.factories.orders import load_small_world, on_offer
from tests.factories.purchases import check_out, held_by

pytestmark = pytest.mark.django_db(transaction=True)

STAFF = "01J0000000000000000000STAF"
# CRASH_EVERY=1 dies at every place there is.
EVERY = int(os.environ.get("CRASH_EVERY", "3"))
CALLS = (
    *((SandboxCards, name) for name in ("authorise", "capture", "refund")),
    (SandboxCarrier, "create_shipment"),
)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Deaths:
    """Counts the places where a process can die, and kills it at one of them."""

    at: int = 0
    passed: list[str] = field(default_factory=list)

    def pass_by(self, place: str) -> None:
        self.passed.append(place)
        if len(self.passed) == self.at:
            # What was not committed is gone, and nobody rings for what was.
            connection.run_on_commit = []
            connection.rollback()
            raise Killed(place)


@pytest.fixture
def deaths(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Deaths:
    """Before and after every commit, and before and after every call of a provider."""
    deaths = Deaths()
    commit = connection.commit

    def deadly_commit() -> None:
        deaths.pass_by("before commit")
        commit()
        deaths.pass_by("after commit")

    def deadly(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def dying_call(*args: Any, **facts: Any) -> Any:
            deaths.pass_by(f"before {name}")
            answer = call(*args, **facts)
            deaths.pass_by(f"after {name}")
            return answer

        return dying_call

    monkeypatch.setattr(connection, "commit", deadly_commit)
    for provider, name in CALLS:
        monkeypatch.setattr(provider, name, deadly(getattr(provider, name), name))
    return deaths


@dataclass
class Story:
    """A purchase from the checkout to a refund after completion; wallet and card pay."""

    seller: Member
    buyer: Member
    listing: ListingFacts

    def order(self) -> Order | None:
        return Order.objects.filter(buyer_id=self.buyer.id).first()

    def go_on(self, now: datetime) -> None:
        """What is not done yet: clients ask again, carriers tell again, sweepers come by."""
        if self.order() is None:
            check_out(self.buyer.id, [self.listing.id], now=now)
        order = Order.objects.get(buyer_id=self.buyer.id)
        if order.status == S.PENDING_PAYMENT and not Payment.objects.filter(order_id=order.id).exists():
            facts = {"buyer_id": self.buyer.id, "order_id": order.id, "return_url": ""}
            pay(quote_version=1, method="pm_card_ok", now=now, **facts)
        self.work(now)
        parcel_id = Parcel.objects.get(order_id=order.id).id
        for code in (ParcelCode.FIRST_SCAN, ParcelCode.DELIVERED):
            news = Callback(f"{parcel_id}:{code}", parcel_id, NOW, code, "{}")
            record_news(provider="sandbox", news=news, received_at=now, now=now)
        if Order.objects.get(id=order.id).status == S.DELIVERED:
            confirm(buyer_id=self.buyer.id, order_id=order.id, now=now)
        if Order.objects.get(id=order.id).refunded_item_minor == 0:
            refund_part(staff_id=STAFF, order_id=order.id, item=euros(500), reason="stain", now=now)
        self.work(now)

    @staticmethod
    def work(now: datetime) -> None:
        """The sweepers make the calls that nobody rang for."""
        for _ in range(3):  # reserve, take, done
            timers.charge(now=now)
        call_carriers(now=now)
        timers.refund(now=now)

    def ends(self) -> dict[str, Any]:
        """Everything that can be told of it afterwards."""
        order = Order.objects.get(buyer_id=self.buyer.id)
        payment = Payment.objects.get(order_id=order.id)
        refund = Refund.objects.get(payment_id=payment.id)
        parcel = Parcel.objects.get(order_id=order.id)
        told = Notice.objects.filter(member_id__in=[self.seller.id, self.buyer.id])
        return {
            "status": (
                order.status,
                payment.status,
                refund.status,
                parcel.status,
            ),
            "captures": SandboxPayment.objects.get(reference=payment.id).captures,
            "refunds": SandboxRefund.objects.filter(reference=refund.id).count(),
            "seller": (held_by(self.seller.id), held_by(self.seller.id, K.PENDING)),
            "buyer": (held_by(self.buyer.id), held_by(self.buyer.id, K.HELD), order.refunded_card_minor),
            "postings": sorted(
                Posting.objects.filter(reference=f"order:{order.id}").values_list("event", flat=True)
            ),
            "moves": Counter(OrderEvent.objects.filter(order_id=order.id).values_list("verb", flat=True)),
            "told": Counter(told.values_list("kind", flat=True)),
            "events": OutgoingEvent.objects.filter(subject=f"order:{order.id}").count(),
        }


def begin() -> Story:
    seller, buyer = make_member("Ona"), make_member("Jonas")
    give(buyer.id, 1000)
    return Story(seller, buyer, on_offer(seller.id))


class TestCrashes:
    def test_anywhere_lead_to_the_same_end(self, deaths: Deaths) -> None:
        load_small_world()
        undisturbed = begin()
        deaths.passed.clear()
        undisturbed.go_on(NOW)
        places, expected = list(deaths.passed), undisturbed.ends()
        assert expected["status"] == (S.COMPLETED, "captured", "paid", "delivered")
        assert {f"{when} {name}" for when in ("before", "after") for _, name in CALLS} < set(places)

        for number, place in list(enumerate(places, 1))[::EVERY]:
            story = begin()
            deaths.passed.clear()
            deaths.at = number
            with pytest.raises(Killed):
                story.go_on(NOW)
            deaths.at = 0
            story.go_on(NOW + timedelta(minutes=1))
            assert story.ends() == expected, f"killed {place}, place {number}"


class TestABrokerThatIsAway:
    def test_loses_nothing(self, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        load_small_world()
        heard, unheard = begin(), begin()
        heard.go_on(NOW)

        def away(*_: Any, **__: Any) -> None:
            raise OperationalError("the broker is away")

        monkeypatch.setattr(current_app, "send_task", away)
        unheard.go_on(NOW)
        assert unheard.ends() == heard.ends()
