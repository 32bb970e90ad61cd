from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import IntegrityError, transaction
from prometheus_client import REGISTRY

from balance import events, tasks
from balance.chart import AccountKind, Event
from balance.errors import (
    AccountFrozen,
    HoldNotActive,
    HoldNotFound,
    InsufficientFunds,
    InvalidAmount,
    PostingKeyReused,
)
from balance.events import Charges, NewPosting, Share
from balance.lifecycle import HOLD, HOLD_FOR, HoldStatus
from balance.models import Hold, LedgerAccount, Posting
from balance.queries.balances import get_balances
from balance.queries.holds import HoldFacts, get_hold
from balance.services.holds import capture_hold, expire_holds, place_hold, release_hold
from balance.services.posting import post
from foundation.ids import new_id
from members.errors import MemberRestricted
from members.models import Member
from members.services.restrictions import restrict
from tests.factories.money import NOON, euros, give

LATER = NOON + HOLD_FOR


def place(buyer: Member, minor: int = 1000, key: str = "order:1", **details: Any) -> HoldFacts:
    return place_hold(
        key=key,
        member_id=buyer.id,
        amount=euros(minor),
        reference="order:1",
        now=details.pop("now", NOON),
        **details,
    )


def sale(seller: Member, buyer: Member, wallet: int, card: int = 1470) -> NewPosting:
    """20.00 for the item, 4.70 for fee and postage when all of the wallet's 10.00 is used."""
    fees = Charges(fee=euros(170), shipping=euros(300), verification=euros(0))
    return NewPosting(
        key="order:1:captured",
        event=Event.SALE_CAPTURED,
        lines=events.sale_captured(
            seller=Share(seller.id, euros(wallet + card - 470)),
            buyer_id=buyer.id,
            wallet=euros(wallet),
            card=euros(card),
            charges=fees,
        ),
        reference="order:1",
        actor="provider:sandbox",
    )


def money(member: Member) -> tuple[int, int]:
    """(available, held)"""
    balances = get_balances(member.id, "EUR")
    return balances.available.amount_minor, balances.held.amount_minor


@pytest.fixture
def rich_buyer(buyer: Member) -> Member:
    give(buyer.id, 2500)
    return buyer


class TestPlace:
    def test_sets_the_money_aside_for_a_quarter_of_an_hour(self, rich_buyer: Member) -> None:
        hold = place(rich_buyer)
        assert money(rich_buyer) == (1500, 1000)
        assert hold.status == "active"
        assert hold.expires_at == NOON + timedelta(minutes=15)
        assert Posting.objects.get(key="hold:order:1:placed").event == "hold_placed"

    def test_again_changes_nothing_even_once_it_is_over(self, rich_buyer: Member) -> None:
        first = place(rich_buyer)
        assert place(rich_buyer) == first
        assert money(rich_buyer) == (1500, 1000)
        release_hold(key="order:1", actor="system", now=NOON)
        assert place(rich_buyer).status == "released"
        assert money(rich_buyer) == (2500, 0)

    def test_the_key_of_another_content_is_refused(self, rich_buyer: Member) -> None:
        place(rich_buyer)
        with pytest.raises(PostingKeyReused):
            place(rich_buyer, 1001)

    def test_more_than_is_available_is_refused(self, rich_buyer: Member) -> None:
        with pytest.raises(InsufficientFunds):
            place(rich_buyer, 2501)
        assert not Hold.objects.exists()

    def test_a_debtor_sets_nothing_aside(self, buyer: Member) -> None:
        lines = events.chargeback(seller=Share(buyer.id, euros(800)), borne=euros(0), fee=euros(0))
        post(NewPosting("chargeback:1", Event.CHARGEBACK, lines, "order:0", "system"), now=NOON)
        with pytest.raises(InsufficientFunds):
            place(buyer, 1)

    @pytest.mark.parametrize("minor", [0, -1, 2**63])
    def test_an_impossible_amount_is_refused(self, rich_buyer: Member, minor: int) -> None:
        with pytest.raises(InvalidAmount):
            place(rich_buyer, minor)

    def test_who_may_not_buy_may_not_spend(self, rich_buyer: Member) -> None:
        restrict(member_id=rich_buyer.id, capability="buy", reason="fraud", source="staff:1", now=NOON)
        with pytest.raises(MemberRestricted):
            place(rich_buyer)

    def test_a_frozen_account_is_left_alone(self, rich_buyer: Member) -> None:
        LedgerAccount.objects.filter(member_id=rich_buyer.id).update(frozen_at=NOON)
        with pytest.raises(AccountFrozen) as caught:
            place(rich_buyer)
        assert caught.value.code == "account_frozen"

    def test_an_end_before_the_start_is_a_mistake_of_the_caller(self, rich_buyer: Member) -> None:
        with pytest.raises(ValueError, match="ends after it starts"):
            place(rich_buyer, expires_at=NOON)


class TestCapture:
    def test_uses_what_was_set_aside(self, seller: Member, rich_buyer: Member) -> None:
        place(rich_buyer)
        capture_hold(key="order:1", posting=sale(seller, rich_buyer, 1000), now=NOON)
        assert money(rich_buyer) == (1500, 0)
        assert get_balances(seller.id, "EUR").pending == euros(2000)
        hold = get_hold("order:1")
        assert (hold.status, hold.captured, hold.ended_at) == ("captured", euros(1000), NOON)

    def test_gives_the_rest_back_in_the_same_posting(self, seller: Member, rich_buyer: Member) -> None:
        place(rich_buyer)
        posted = capture_hold(key="order:1", posting=sale(seller, rich_buyer, 600), now=NOON)
        assert money(rich_buyer) == (1900, 0)
        assert get_hold("order:1").captured == euros(600)
        assert Posting.objects.get(reference="order:1", event="sale_captured").id == posted.id

    def test_again_changes_nothing(self, seller: Member, rich_buyer: Member) -> None:
        place(rich_buyer)
        first = capture_hold(key="order:1", posting=sale(seller, rich_buyer, 600), now=NOON)
        again = capture_hold(key="order:1", posting=sale(seller, rich_buyer, 600), now=LATER)
        assert again.replayed
        assert again.id == first.id
        assert money(rich_buyer) == (1900, 0)

    def test_leaves_what_is_held_for_something_else(self, seller: Member, rich_buyer: Member) -> None:
        place(rich_buyer)
        place(rich_buyer, 500, key="order:2")
        with pytest.raises(ValueError, match="takes 1200 of the 1000"):
            capture_hold(key="order:1", posting=sale(seller, rich_buyer, 1200), now=NOON)
        assert money(rich_buyer) == (1000, 1500)

    def test_of_nothing_held_is_a_mistake_of_the_caller(self, seller: Member, rich_buyer: Member) -> None:
        place(rich_buyer)
        with pytest.raises(ValueError, match="takes 0"):
            capture_hold(key="order:1", posting=sale(seller, rich_buyer, 0, card=2470), now=NOON)

    def test_past_the_deadline_wins_until_the_clock_has_acted(
        self, seller: Member, rich_buyer: Member
    ) -> None:
        place(rich_buyer)
        capture_hold(key="order:1", posting=sale(seller, rich_buyer, 1000), now=LATER)
        assert expire_holds(now=LATER) == 0
        assert money(rich_buyer) == (1500, 0)

    def test_after_the_clock_is_refused(self, seller: Member, rich_buyer: Member) -> None:
        place(rich_buyer)
        expire_holds(now=LATER)
        with pytest.raises(HoldNotActive) as caught:
            capture_hold(key="order:1", posting=sale(seller, rich_buyer, 1000), now=LATER)
        assert caught.value.code == "hold_not_active"
        assert caught.value.extra == {"status": "expired"}
        assert not Posting.objects.filter(event="sale_captured").exists()

    def test_with_another_posting_is_refused(self, seller: Member, rich_buyer: Member) -> None:
        place(rich_buyer)
        first = sale(seller, rich_buyer, 1000)
        capture_hold(key="order:1", posting=first, now=NOON)
        with pytest.raises(HoldNotActive):
            capture_hold(key="order:1", posting=replace(first, key="order:1:again"), now=NOON)

    def test_belongs_to_the_callers_transaction(self, seller: Member, rich_buyer: Member) -> None:
        place(rich_buyer)
        with transaction.atomic():
            capture_hold(key="order:1", posting=sale(seller, rich_buyer, 1000), now=NOON)
            transaction.set_rollback(True)  # the order could not be written
        assert money(rich_buyer) == (1500, 1000)
        assert get_hold("order:1").status == "active"


class TestRelease:
    def test_gives_it_back_once(self, rich_buyer: Member) -> None:
        place(rich_buyer)
        for _ in range(2):
            hold = release_hold(key="order:1", actor=f"member:{rich_buyer.id}", now=NOON)
            assert hold.status == "released"
        assert money(rich_buyer) == (2500, 0)

    def test_of_what_was_used_is_refused(self, seller: Member, rich_buyer: Member) -> None:
        place(rich_buyer)
        capture_hold(key="order:1", posting=sale(seller, rich_buyer, 1000), now=NOON)
        with pytest.raises(HoldNotActive):
            release_hold(key="order:1", actor="system", now=NOON)

    def test_of_nothing(self, db: None) -> None:
        with pytest.raises(HoldNotFound) as caught:
            release_hold(key="order:1", actor="system", now=NOON)
        assert caught.value.code == "hold_not_found"


class TestExpire:
    def test_gives_back_what_is_due_and_nothing_else(self, rich_buyer: Member) -> None:
        place(rich_buyer)
        place(rich_buyer, 500, key="order:2", expires_at=LATER + timedelta(microseconds=1))
        assert expire_holds(now=LATER - timedelta(microseconds=1)) == 0
        assert expire_holds(now=LATER) == 1
        assert expire_holds(now=LATER) == 0
        assert money(rich_buyer) == (2000, 500)
        assert get_hold("order:1").status == "expired"
        assert release_hold(key="order:1", actor="system", now=LATER).status == "expired"

    def test_more_than_a_batch_in_one_sweep(
        self, rich_buyer: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("balance.services.holds.BATCH", 2)
        for number in range(5):
            place(rich_buyer, 100, key=f"order:{number}")
        assert expire_holds(now=LATER) == 5
        assert money(rich_buyer) == (2500, 0)

    @pytest.mark.parametrize("batch", [1, 100])
    def test_one_that_cannot_be_given_back_stops_no_other(
        self, rich_buyer: Member, monkeypatch: pytest.MonkeyPatch, batch: int
    ) -> None:
        monkeypatch.setattr("balance.services.holds.BATCH", batch)
        broken = row(rich_buyer, key="order:1", amount_minor=10_000)
        place(rich_buyer, 400, key="order:2")
        before = REGISTRY.get_sample_value("preloved_balance_holds_stuck_total") or 0
        assert expire_holds(now=LATER) == 1
        assert money(rich_buyer) == (2500, 0)
        assert Hold.objects.get(id=broken.id).status == "active"
        assert REGISTRY.get_sample_value("preloved_balance_holds_stuck_total") == before + 1

    def test_is_rung_for_by_the_clock(self, settings: Any) -> None:
        current_app.loader.import_default_modules()
        rung = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
        ours = {name for name in rung if name.startswith("balance.")}
        assert "balance.tasks.expire_holds" in ours
        assert ours <= set(current_app.tasks)

    def test_is_what_the_task_does(self, rich_buyer: Member) -> None:
        place(rich_buyer)
        tasks.expire_holds()
        assert get_hold("order:1").status == "expired"


class TestLifecycle:
    @pytest.mark.parametrize("verb", ["capture", "release", "expire"])
    def test_ends_once(self, verb: str) -> None:
        assert HOLD.row(HoldStatus.ACTIVE, verb).target in HOLD.final()


def row(member: Member, **facts: Any) -> Hold:
    return Hold.objects.create(
        **{
            "id": new_id(),
            "member_id": member.id,
            "key": "k",
            "currency": "EUR",
            "amount_minor": 100,
            "reference": "order:1",
            "status": "active",
            "placed_at": NOON,
            "expires_at": LATER,
            "due_at": LATER,
            **facts,
        }
    )


ENDED = {"status": "released", "due_at": None, "ended_at": LATER, "ended_by": "p"}


class TestConstraints:
    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("hold_known_status", {**ENDED, "status": "lost"}),
            ("hold_has_key", {"key": ""}),
            ("hold_captures_part_of_it", {"amount_minor": 0}),
            ("hold_captures_part_of_it", {**ENDED, "status": "captured", "captured_minor": 101}),
            ("hold_ends_after_start", {"expires_at": NOON}),
            ("hold_due_while_active", {"due_at": None}),
            ("hold_due_while_active", {**ENDED, "due_at": LATER}),
            ("hold_due_while_active", {**ENDED, "ended_by": ""}),
            ("hold_captured_uses_some", {**ENDED, "captured_minor": 1}),
            ("hold_captured_uses_some", {**ENDED, "status": "captured"}),
        ],
    )
    def test_of_the_table(self, buyer: Member, name: str, facts: dict[str, Any]) -> None:
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            row(buyer, **facts)

    def test_a_key_once(self, buyer: Member) -> None:
        row(buyer)
        with pytest.raises(IntegrityError), transaction.atomic():
            row(buyer)

    def test_the_held_account_is_never_below_zero(self, rich_buyer: Member) -> None:
        place(rich_buyer)
        held = LedgerAccount.objects.filter(member_id=rich_buyer.id, kind=AccountKind.HELD)
        with pytest.raises(IntegrityError, match="account_only_available_below_zero"), transaction.atomic():
            held.update(balance_minor=-1)
