"""The database states each invariant of parcels too: every constraint, by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from foundation.ids import new_id
from members.models import Member
from orders.models import Parcel, ParcelEvent, SandboxParcel, ShippingOption
from orders.providers.carriers import sandbox
from tests.factories.money import NOON
from tests.factories.parcels import ask_for_label, make_paid_order


def copied(row: Any, **facts: Any) -> None:
    """The same row once more, with some facts changed."""
    sealed = {name: getattr(row, name).reveal() for name in facts.pop("sealed", ())}
    row.pk = new_id()
    for name, value in {**facts, **sealed}.items():
        setattr(row, name, value)
    row.save(force_insert=True)


def parcel(**facts: Any) -> Callable[[], Any]:
    return lambda: Parcel.objects.update(**facts)


def another(**facts: Any) -> Callable[[], Any]:
    sealed = ("sender", "recipient", "label_key")
    return lambda: copied(Parcel.objects.get(), sealed=sealed, **facts)


BREAKERS: dict[str, Callable[[], Any]] = {
    "shippingoption_once": lambda: copied(ShippingOption.objects.all()[0]),
    "shippingoption_price_not_negative": lambda: ShippingOption.objects.update(price_minor=-1),
    "shippingoption_known_kind": lambda: ShippingOption.objects.update(kind="owl"),
    "shippingoption_known_size": lambda: ShippingOption.objects.update(size="tiny"),
    "parcel_one_open_per_leg": another(provider_id="other"),
    "parcel_provider_id_once": another(leg="return"),
    "parcel_known_leg": parcel(leg="around"),
    "parcel_rank_of_status": parcel(rank=70),
    "parcel_open_until_ended": parcel(ended_at=NOON),
    "parcel_due_while_called_for": parcel(due_at=NOON),
    "parcel_labelled_has_label": parcel(tracking_number=""),
    "parcelevent_once": lambda: copied(ParcelEvent.objects.get(), sealed=("raw",)),
    "sandboxparcel_known_answer": lambda: SandboxParcel.objects.update(answer="maybe"),
}


@pytest.fixture
def rows(seller: Member, buyer: Member) -> None:
    """One of everything."""
    parcel_id = ask_for_label(make_paid_order(seller.id, buyer.id))
    Parcel.objects.update(
        status="labelled",
        rank=10,
        due_at=None,
        labelled_at=NOON,
        provider_id="1",
        tracking_number="PL1",
    )
    event = ParcelEvent(
        parcel_id=parcel_id,
        provider="sandbox",
        event_id="1",
        code="exception",
        has_moved=False,
        occurred_at=NOON,
        received_at=NOON,
    )
    event.raw = "{}"
    event.save(force_insert=True)
    sandbox.script(parcel_id, answer="refuse", times=1)


@pytest.mark.usefixtures("rows")
class TestConstraints:
    @pytest.mark.parametrize("name", BREAKERS)
    def test_refuses(self, name: str) -> None:
        # MySQL reports a broken CHECK as an OperationalError.
        with pytest.raises((IntegrityError, OperationalError)) as refused, transaction.atomic():
            BREAKERS[name]()
        text = str(refused.value)
        assert name in text or "UNIQUE constraint failed" in text

    def test_a_status_is_one_of_the_table(self) -> None:
        refusal = pytest.raises((IntegrityError, OperationalError), match="parcel_rank_of_status")
        with refusal, transaction.atomic():
            Parcel.objects.update(status="eaten")
