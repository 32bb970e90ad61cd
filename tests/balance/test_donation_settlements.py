"""The monthly payment to a charity: each donation once, and paid once whatever gets lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from balance.errors import DonationSettlementCaseClosed, DonationSettlementConflict
from balance.models import Donation, DonationSettlement, DonationSettlementCase, Posting, SandboxPayout
from balance.providers import sandbox
from balance.providers.contract import Outcome, PayoutReport
from balance.services import donation_settlements
from balance.services.callbacks import KIND
from balance.services.donation_payouts import apply_settlement_report, reference_of
from balance.services.donation_settlements import (
    advance_settlement,
    close_settlement_case,
    collect_donations,
    confirm_settlement,
    deny_settlement,
    retry_settlement,
    sweep_settlements,
)
from balance.services.sending import REPEAT_FOR
from foundation.incoming.processing import process_event
from foundation.incoming.receiving import receive
from members.models import Member
from tests.factories.banking import OTHER_LT_IBAN
from tests.factories.donations import choose, donate, make_charity, owed, sell, set_bank_account
from tests.factories.money import euros, give

pytestmark = pytest.mark.django_db

APRIL = datetime.fromisoformat("2026-04-01T01:00:00+00:00")  # an hour after March: it is over
STAFF = {"staff_id": "1", "note": "statement 47", "now": APRIL}


def collect(now: datetime = APRIL) -> list[DonationSettlement]:
    collect_donations(provider="sandbox", now=now)
    return list(DonationSettlement.objects.order_by("id"))


def advance(settlement: DonationSettlement, *, later: timedelta = timedelta()) -> DonationSettlement:
    advance_settlement(settlement_id=settlement.id, now=APRIL + later)
    return DonationSettlement.objects.get(id=settlement.id)


def cases(settlement: DonationSettlement) -> list[str]:
    rows = DonationSettlementCase.objects.filter(settlement=settlement, closed_at__isnull=True)
    return list(rows.order_by("id").values_list("kind", flat=True))


def told(
    settlement: DonationSettlement,
    outcome: Outcome,
    *,
    minor: int = 500,
    number: int | None = None,
    payout: str | None = None,
) -> str:
    """What the bank's report does, about the latest round or another one."""
    reference = reference_of(settlement.id, number or settlement.round)
    reason = "" if outcome is Outcome.PAID else "account_closed"
    told = PayoutReport(reference, payout or settlement.provider_id or "", outcome, euros(minor), reason)
    return apply_settlement_report("sandbox", told, now=APRIL).value


@pytest.fixture
def collected(seller: Member) -> DonationSettlement:
    """5.00 for one charity, to be paid."""
    give(seller.id, 2000)
    donate(seller.id, make_charity().id, 500)
    [settlement] = collect()
    return settlement


@pytest.fixture
def sent(collected: DonationSettlement) -> DonationSettlement:
    return advance(collected)


class TestCollect:
    def test_takes_what_was_given_until_the_end_of_the_month(self, seller: Member, buyer: Member) -> None:
        first, second = make_charity(), make_charity("Wide Wings")
        give(seller.id, 9000)
        give(buyer.id, 9000)
        choose(seller.id, second.id, 10)
        donate(seller.id, first.id, 500)
        donate(buyer.id, first.id, 300)
        late = donate(buyer.id, first.id, 100, now=APRIL - timedelta(hours=1))
        sell(seller.id, 2000)
        found = collect()
        assert [(row.charity_id, row.month, row.amount_minor, row.donations) for row in found] == [
            (first.id, "2026-03", 800, 2),
            (second.id, "2026-03", 200, 1),
        ]
        assert Donation.objects.get(status="given").id == late.id
        # Again, and later in the month: there is nothing more to collect.
        assert collect(APRIL + timedelta(days=9)) == found

    def test_waits_until_nothing_can_enter_the_month(self, seller: Member) -> None:
        give(seller.id, 2000)
        donate(seller.id, make_charity().id, 500)
        assert collect(APRIL - timedelta(seconds=1)) == []

    def test_takes_what_came_late_in_the_next_month(self, seller: Member, sent: DonationSettlement) -> None:
        charity_id = sent.charity_id
        late = donate(seller.id, charity_id, 300, now=APRIL - timedelta(hours=2))
        assert len(collect()) == 1
        of_april = collect(APRIL + timedelta(days=30))[1]
        assert (of_april.month, of_april.amount_minor) == ("2026-04", 300)
        assert Donation.objects.get(id=late.id).settlement_id == of_april.id

    def test_works_through_more_than_one_transaction_takes(
        self, seller: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(donation_settlements, "AT_A_TIME", 2)
        charity = make_charity()
        give(seller.id, 2000)
        for _ in range(5):
            donate(seller.id, charity.id, 100)
        [settlement] = collect()
        assert (settlement.amount_minor, settlement.donations) == (500, 5)
        assert settlement.next_call_at == APRIL


class TestPay:
    def test_once_and_asks_until_it_is_paid(self, sent: DonationSettlement) -> None:
        assert (sent.status, sent.round, sent.reference) == ("sent", 1, f"DON{sent.id}R1")
        assert owed(sent.charity_id) == euros(500)  # ours to pay until the bank has
        assert advance(sent, later=timedelta(seconds=1)).attempts == 1
        paid = advance(sent, later=timedelta(minutes=2))
        assert (paid.status, paid.next_call_at, owed(paid.charity_id)) == ("paid", None, euros(0))
        assert SandboxPayout.objects.get(reference=sent.reference).calls == 1
        posting = Posting.objects.get(event="donations_settled")
        assert posting.key == f"donation_settlement:{sent.id}:1:paid"

    @pytest.mark.parametrize("answer", ["time_out", "unavailable"])
    def test_an_unknown_outcome_is_tried_again_under_the_same_reference(
        self, collected: DonationSettlement, answer: str
    ) -> None:
        sandbox.script(reference_of(collected.id, 1), answer=answer, times=1)
        first = advance(collected)
        assert (first.status, first.provider_id) == ("sent", None)
        second = advance(collected, later=timedelta(seconds=30))
        row = SandboxPayout.objects.get()
        assert (row.reference, row.calls, row.provider_id) == (first.reference, 2, second.provider_id)

    def test_a_callback_pays_it_once(self, sent: DonationSettlement) -> None:
        reference = str(sent.reference)
        sandbox.settle(reference, Outcome.PAID)
        for _ in range(3):
            body, headers = sandbox.callback(reference, Outcome.PAID, now=APRIL)
            event_id, _new = receive(kind=KIND, provider="sandbox", body=body, headers=headers, now=APRIL)
            process_event(event_id=event_id, now=APRIL)
        assert DonationSettlement.objects.get().status == "paid"
        assert Posting.objects.filter(event="donations_settled").count() == 1

    def test_stops_before_the_bank_may_have_forgotten_the_reference(
        self, collected: DonationSettlement
    ) -> None:
        sandbox.script(reference_of(collected.id, 1), answer="unavailable", times=99)
        advance(collected)
        with pytest.raises(DonationSettlementConflict, match="may still pay"):
            deny_settlement(settlement_id=collected.id, **STAFF)  # type: ignore[arg-type]
        stuck = advance(collected, later=REPEAT_FOR)
        assert (stuck.status, stuck.next_call_at, cases(stuck)) == ("sent", None, ["unanswered"])
        later: dict[str, object] = STAFF | {"now": APRIL + REPEAT_FOR}
        deny_settlement(settlement_id=stuck.id, **later)  # type: ignore[arg-type]
        retry_settlement(settlement_id=stuck.id, **later)  # type: ignore[arg-type]
        assert cases(stuck) == []

    def test_is_rung_for_while_it_is_due(self, collected: DonationSettlement) -> None:
        assert sweep_settlements(now=APRIL) == 1
        advance(collected)
        assert sweep_settlements(now=APRIL) == 0


class TestFailure:
    def test_is_a_case_and_is_paid_again_under_a_new_reference(self, collected: DonationSettlement) -> None:
        sandbox.script(reference_of(collected.id, 1), answer="refuse", times=99, reason="account_closed")
        failed = advance(collected)
        assert (failed.status, failed.reason, cases(failed)) == ("failed", "account_closed", ["failed"])
        assert owed(failed.charity_id) == euros(500)
        account = set_bank_account(failed.charity_id, OTHER_LT_IBAN, "W", now=APRIL)
        retry_settlement(settlement_id=failed.id, **STAFF)  # type: ignore[arg-type]
        assert cases(failed) == []
        again = advance(failed)
        assert (again.reference, again.bank_account_id) == (f"DON{failed.id}R2", account.id)
        assert advance(again, later=timedelta(minutes=2)).status == "paid"
        assert Posting.objects.filter(event="donations_settled").count() == 1

    def test_a_return_is_reversed_and_can_be_paid_again(self, sent: DonationSettlement) -> None:
        assert [told(sent, Outcome.PAID), told(sent, Outcome.RETURNED)] == ["applied", "applied"]
        assert owed(sent.charity_id) == euros(500)
        assert [told(sent, outcome) for outcome in Outcome if outcome is not Outcome.PENDING] == [
            "late",
            "repeated",
            "late",
        ]
        with pytest.raises(DonationSettlementConflict, match="came back"):
            confirm_settlement(settlement_id=sent.id, **STAFF)  # type: ignore[arg-type]
        retry_settlement(settlement_id=sent.id, **STAFF)  # type: ignore[arg-type]
        again = advance(sent)
        assert told(again, Outcome.PAID, number=1) == "late"
        assert told(again, Outcome.PAID) == "applied"
        assert owed(sent.charity_id) == euros(0)

    def test_returned_before_we_heard_that_it_was_paid(self, sent: DonationSettlement) -> None:
        assert told(sent, Outcome.RETURNED) == "applied"
        assert (DonationSettlement.objects.get().status, owed(sent.charity_id)) == ("failed", euros(500))

    def test_is_not_paid_again_while_it_may_have_been_paid(self, sent: DonationSettlement) -> None:
        assert told(sent, Outcome.FAILED) == "applied"
        assert [told(sent, Outcome.PAID) for _ in range(2)] == ["refused", "refused"]
        assert cases(sent) == ["failed", "paid_after_failed"]
        with pytest.raises(DonationSettlementConflict, match="case"):
            retry_settlement(settlement_id=sent.id, **STAFF)  # type: ignore[arg-type]
        confirm_settlement(settlement_id=sent.id, **STAFF)  # type: ignore[arg-type]
        assert (cases(sent), owed(sent.charity_id)) == ([], euros(0))

    def test_a_former_round_that_was_paid_after_all_is_a_case(self, sent: DonationSettlement) -> None:
        told(sent, Outcome.FAILED)
        retry_settlement(settlement_id=sent.id, **STAFF)  # type: ignore[arg-type]
        assert told(sent, Outcome.PAID, number=1) == "refused"
        assert cases(sent) == ["paid_after_failed"]

    def test_contradictions_post_nothing(self, sent: DonationSettlement) -> None:
        assert told(sent, Outcome.PAID, minor=501) == "refused"
        assert told(sent, Outcome.PENDING) == "noted"
        assert told(sent, Outcome.PAID) == "applied"
        assert told(sent, Outcome.FAILED) == "refused"
        assert cases(sent) == ["amount_mismatch", "failed_after_paid"]
        assert owed(sent.charity_id) == euros(0)
        assert told(sent, Outcome.PAID, number=7) == "unknown"

    def test_another_payout_under_its_reference_is_a_case(self, sent: DonationSettlement) -> None:
        assert told(sent, Outcome.FAILED, payout="bank-2") == "refused"
        assert (DonationSettlement.objects.get().status, cases(sent)) == ("sent", ["amount_mismatch"])

    def test_a_case_is_closed_once(self, sent: DonationSettlement) -> None:
        told(sent, Outcome.FAILED)
        case_id = DonationSettlementCase.objects.get().id
        close_settlement_case(case_id=case_id, **STAFF)  # type: ignore[arg-type]
        with pytest.raises(DonationSettlementCaseClosed) as refused:
            close_settlement_case(case_id=case_id, **STAFF)  # type: ignore[arg-type]
        assert refused.value.code == "donation_settlement_case_closed"

    def test_what_is_paid_is_not_retried(self, sent: DonationSettlement) -> None:
        told(sent, Outcome.PAID)
        with pytest.raises(DonationSettlementConflict) as refused:
            retry_settlement(settlement_id=sent.id, **STAFF)  # type: ignore[arg-type]
        assert refused.value.code == "donation_settlement_conflict"
