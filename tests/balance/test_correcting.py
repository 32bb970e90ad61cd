"""Staff puts the ledger right: alone up to a limit, above it with somebody else's approval."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from balance import events
from balance.chart import Event
from balance.errors import (
    AlreadyReversed,
    CorrectionDecided,
    CorrectionNotFound,
    CorrectionNotPossible,
    InvalidAmount,
    PostingNotFound,
    SecondPersonNeeded,
)
from balance.events import NewPosting, Share
from balance.lifecycle import CORRECTION
from balance.models import Correction, CorrectionLimit, Posting
from balance.queries.balances import get_balances
from balance.services.correcting import (
    approve_correction,
    reject_correction,
    request_correction,
    request_reversal,
)
from balance.services.posting import post
from foundation.money import Money
from members.models import Member
from tests.factories.money import NOON, euros, give

REQUESTER, SECOND = "01REQUESTER", "01SECOND"
WHY: dict[str, Any] = {"reason": "Given twice", "now": NOON}


@pytest.fixture
def limit(db: None) -> CorrectionLimit:
    """Ten euros a day."""
    return CorrectionLimit.objects.create(currency="EUR", valid_from=NOON, alone_minor=1000)


def manual(member: Member, minor: int, **changed: Any) -> str:
    """From the member back to goodwill."""
    asked: dict[str, Any] = {
        "debit": f"{member.id}:available:EUR",
        "credit": "platform:goodwill:EUR",
        "amount": euros(minor),
        "staff_id": REQUESTER,
        **WHY,
    }
    return request_correction(**asked | changed)


def undo(posting_id: str, *, staff_id: str = REQUESTER) -> str:
    return request_reversal(posting_id=posting_id, staff_id=staff_id, **WHY)


def available(member: Member) -> int:
    return get_balances(member.id, "EUR").available.amount_minor


class TestRequestReversal:
    def test_up_to_the_limit_is_posted_at_once(self, limit: CorrectionLimit, seller: Member) -> None:
        gift = give(seller.id, 1000)
        correction = Correction.objects.get(id=undo(gift.id))
        assert (correction.status, correction.needs_second_person) == ("posted", False)
        posting = correction.posting
        assert posting is not None
        assert (posting.reverses_id, posting.event, posting.reason) == (gift.id, "correction", "Given twice")
        assert posting.actor == f"staff:{REQUESTER}"
        assert available(seller) == 0

    def test_above_it_waits_for_somebody_else(self, limit: CorrectionLimit, seller: Member) -> None:
        correction_id = undo(give(seller.id, 1001).id)
        assert available(seller) == 1001
        with pytest.raises(SecondPersonNeeded) as refused:
            approve_correction(correction_id=correction_id, staff_id=REQUESTER, note="Fine", now=NOON)
        assert refused.value.code == "second_person_needed"
        approve_correction(correction_id=correction_id, staff_id=SECOND, note="Seen", now=NOON)
        correction = Correction.objects.get()
        assert (correction.status, correction.decided_by, correction.note) == (
            "posted",
            f"staff:{SECOND}",
            "Seen",
        )
        assert available(seller) == 0

    def test_at_most_once(self, limit: CorrectionLimit, seller: Member) -> None:
        gift = give(seller.id, 100)
        undo(gift.id)
        with pytest.raises(AlreadyReversed):
            undo(gift.id)
        assert Correction.objects.count() == 1

    def test_asked_for_twice_is_approved_once(self, seller: Member) -> None:
        gift = give(seller.id, 100)
        first, second = undo(gift.id), undo(gift.id)
        approve_correction(correction_id=first, staff_id=SECOND, note="", now=NOON)
        with pytest.raises(AlreadyReversed):
            approve_correction(correction_id=second, staff_id=SECOND, note="", now=NOON)
        assert available(seller) == 0

    def test_takes_money_back_that_is_gone(self, limit: CorrectionLimit, seller: Member) -> None:
        gift = give(seller.id, 500)
        manual(seller, 400)
        undo(gift.id)
        assert available(seller) == -400

    def test_a_withdrawal_is_decided_not_undone(self, limit: CorrectionLimit, seller: Member) -> None:
        give(seller.id, 500)
        lines = events.withdrawal_requested(Share(seller.id, euros(500)))
        asked = post(NewPosting("w:1", Event.WITHDRAWAL_REQUESTED, lines, "w:1", "system"), now=NOON)
        with pytest.raises(CorrectionNotPossible) as refused:
            undo(asked.id)
        assert refused.value.code == "correction_not_possible"

    def test_of_what_is_not_there(self, db: None) -> None:
        with pytest.raises(PostingNotFound):
            undo("01ARZ3NDEKTSV4RRFFQ69G5FAV")

    def test_of_two_currencies_is_refused(self, seller: Member) -> None:
        lines = (
            *events.goodwill_given(Share(seller.id, euros(1))),
            *events.goodwill_given(Share(seller.id, Money(1, "PLN"))),
        )
        both = post(NewPosting("two", Event.GOODWILL_GIVEN, lines, "two", "system"), now=NOON)
        with pytest.raises(CorrectionNotPossible, match="more than one currency"):
            undo(both.id)


class TestRequestCorrection:
    def test_without_a_limit_always_takes_two(self, seller: Member) -> None:
        give(seller.id, 100)
        correction = Correction.objects.get(id=manual(seller, 1))
        assert (correction.status, correction.needs_second_person) == ("requested", True)

    def test_many_small_ones_are_a_large_one(self, limit: CorrectionLimit, seller: Member) -> None:
        give(seller.id, 5000)
        ids = [manual(seller, 400) for _ in range(3)]
        assert [Correction.objects.get(id=id_).status for id_ in ids] == ["posted", "posted", "requested"]
        day_after = NOON + timedelta(hours=24)
        assert Correction.objects.get(id=manual(seller, 400, now=day_after)).status == "posted"

    def test_who_set_the_limit_needs_a_second_person(self, limit: CorrectionLimit, seller: Member) -> None:
        CorrectionLimit.objects.filter(id=limit.id).update(set_by=f"staff:{REQUESTER}")
        give(seller.id, 100)
        assert Correction.objects.get(id=manual(seller, 1)).status == "requested"
        assert Correction.objects.get(id=manual(seller, 1, staff_id=SECOND)).status == "posted"

    def test_a_limit_counts_from_its_moment(self, limit: CorrectionLimit, seller: Member) -> None:
        later = NOON + timedelta(days=30)
        CorrectionLimit.objects.create(currency="EUR", valid_from=later, alone_minor=0)
        give(seller.id, 100)
        assert Correction.objects.get(id=manual(seller, 10)).status == "posted"
        assert Correction.objects.get(id=manual(seller, 10, now=later)).status == "requested"

    @pytest.mark.parametrize(
        "account",
        [
            "nonsense",
            "platform:nonsense:EUR",
            "platform:bank:XXX",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV:available:EUR",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV:bank:EUR",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV:donations:EUR",
            "platform:goodwill:PLN",
            "platform:goodwill:EUR",
        ],
    )
    def test_refuses_accounts_that_are_none(self, seller: Member, account: str) -> None:
        with pytest.raises(CorrectionNotPossible):
            manual(seller, 1, debit=account)

    def test_refuses_what_is_set_aside(self, seller: Member) -> None:
        with pytest.raises(CorrectionNotPossible, match="release the hold"):
            manual(seller, 1, debit=f"{seller.id}:held:EUR")

    def test_nobody_corrects_or_approves_for_themselves(self, seller: Member) -> None:
        with pytest.raises(CorrectionNotPossible, match="own account"):
            manual(seller, 1, staff_id=seller.id)
        with pytest.raises(CorrectionNotPossible, match="own account"):
            approve_correction(correction_id=manual(seller, 1), staff_id=seller.id, note="", now=NOON)

    @pytest.mark.parametrize("minor", [0, -1, 2**63])
    def test_refuses_amounts_that_are_none(self, seller: Member, minor: int) -> None:
        with pytest.raises(InvalidAmount):
            manual(seller, minor)

    def test_asks_why(self, seller: Member) -> None:
        with pytest.raises(CorrectionNotPossible, match="Say why"):
            manual(seller, 1, reason=" ")


class TestWriteOff:
    def test_is_said_as_such_and_no_more_than_is_owed(self, limit: CorrectionLimit, seller: Member) -> None:
        give(seller.id, 100)
        manual(seller, 500)
        gives_up = {"debit": "platform:bad_debts:EUR", "credit": f"{seller.id}:available:EUR"}
        with pytest.raises(CorrectionNotPossible, match=r"4.00 EUR are owed"), transaction.atomic():
            manual(seller, 401, **gives_up)
        correction = Correction.objects.get(id=manual(seller, 400, **gives_up))
        assert correction.posting is not None
        assert correction.posting.event == "debt_written_off"
        assert available(seller) == 0
        with pytest.raises(CorrectionNotPossible, match=r"0.00 EUR are owed"):
            manual(seller, 1, **gives_up)

    def test_that_waits_is_held_against_what_is_owed_when_it_is_approved(self, seller: Member) -> None:
        """A sale pays the debt down meanwhile."""
        line = events.mirrored(events.goodwill_given(Share(seller.id, euros(400))))
        post(NewPosting("debt", Event.CORRECTION, line, "debt", "system"), now=NOON)
        waiting = manual(seller, 400, debit="platform:bad_debts:EUR", credit=f"{seller.id}:available:EUR")
        give(seller.id, 100)
        with pytest.raises(CorrectionNotPossible, match=r"3.00 EUR are owed"):
            approve_correction(correction_id=waiting, staff_id=SECOND, note="", now=NOON)
        assert (available(seller), Correction.objects.get().status) == (-300, "requested")


class TestCarriersInvoice:
    def test_is_said_as_such(self, limit: CorrectionLimit, seller: Member) -> None:
        paid = {"debit": "platform:carrier_payable:EUR", "credit": "platform:bank:EUR"}
        correction = Correction.objects.get(id=manual(seller, 300, **paid))
        assert correction.posting is not None
        assert correction.posting.event == "carrier_paid"


class TestDecide:
    def test_rejected_moves_nothing_and_ends_it(self, seller: Member) -> None:
        give(seller.id, 100)
        correction_id = manual(seller, 50)
        reject_correction(correction_id=correction_id, staff_id=REQUESTER, note="Mistaken", now=NOON)
        assert available(seller) == 100
        for decide in (approve_correction, reject_correction):
            with pytest.raises(CorrectionDecided) as refused:
                decide(correction_id=correction_id, staff_id=SECOND, note="", now=NOON)
            assert refused.value.code == "correction_decided"
        assert Posting.objects.count() == 1

    def test_of_what_is_not_there(self, db: None) -> None:
        with pytest.raises(CorrectionNotFound) as refused:
            reject_correction(correction_id="x", staff_id=SECOND, note="", now=NOON)
        assert refused.value.code == "correction_not_found"

    def test_the_table_has_two_ways_out(self) -> None:
        rows = [(row.source, row.verb, row.target) for row in CORRECTION.transitions]
        assert rows == [("requested", "post", "posted"), ("requested", "reject", "rejected")]


class TestConstraints:
    def test_of_corrections_and_limits(self, limit: CorrectionLimit, seller: Member) -> None:
        """correction_known_status, correction_of_a_kind, correction_moves_something, correction_has_reason,
        correction_decided_by_somebody, correction_approved_by_another, correctionlimit_once,
        correctionlimit_not_negative.
        """
        gift = give(seller.id, 5000)
        correction_id = manual(seller, 2000)
        rows = Correction.objects.filter(id=correction_id)
        posted = {"status": "posted", "decided_at": NOON, "posting_id": gift.id}
        for changed in (
            {"status": "lost"},
            {"debit_account": ""},
            {"undoes_id": gift.id},
            {"amount_minor": 0},
            {"reason": ""},
            {"status": "posted"},
            {"status": "rejected", "decided_at": NOON},
            posted | {"decided_by": f"staff:{REQUESTER}"},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                rows.update(**changed)
        rows.update(**posted, decided_by=f"staff:{SECOND}")
        for moment, minor in ((NOON, 1), (NOON + timedelta(days=1), -1)):
            with pytest.raises(IntegrityError), transaction.atomic():
                CorrectionLimit.objects.create(currency="EUR", valid_from=moment, alone_minor=minor)
