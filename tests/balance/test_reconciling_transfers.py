"""Files of payout providers and banks: what left for members and charities, held against the ledger."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from balance.errors import SettlementFileInvalid
from balance.models import DonationSettlement, Posting, SettlementCase, SettlementFile, Withdrawal
from balance.providers import sandbox
from balance.providers.contract import Outcome, PayoutReport
from balance.queries.reports import trial_balance
from balance.services.donation_payouts import apply_settlement_report, reference_of
from balance.services.donation_settlements import advance_settlement, collect_donations
from balance.services.reconciling import import_settlement
from balance.services.reviewing import confirm_withdrawal
from balance.services.sending import advance_withdrawal
from balance.settlements import COLUMNS
from members.models import Member
from tests.factories.banking import bank_tells, withdraw
from tests.factories.donations import donate, make_charity
from tests.factories.money import NOON, euros, give
from tests.factories.settlements import payment, settlement_file

if TYPE_CHECKING:
    from pytest_django import Settings

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOON + 40 * DAY
APRIL = NOON.replace(month=4)


def sent(seller: Member, account: str, minor: int = 2000) -> str:
    """With the bank; nobody knows yet what became of it."""
    withdrawal_id = withdraw(seller.id, account, euros(minor)).id
    advance_withdrawal(withdrawal_id=withdrawal_id, now=NOON)
    return withdrawal_id


def paid(seller: Member, account: str, minor: int = 2000, *, now: datetime = NOON) -> str:
    withdrawal_id = sent(seller, account, minor)
    bank_tells(withdrawal_id, Outcome.PAID, now=now)
    return withdrawal_id


def line(
    provider_id: str,
    reference: str,
    amount: str,
    *,
    fee: str = "0.00",
    at: datetime = NOON,
    kind: str = "transfer",
) -> str:
    return f"{kind},{provider_id},{reference},{amount},{fee},EUR,{at.isoformat()}"


def bring(*rows: str, provider: str = "sandbox") -> dict[str, int]:
    content = "\n".join([",".join(COLUMNS), *rows, ""]).encode()
    return import_settlement(
        provider=provider, name="march.csv", content=content, actor="system", now=LATER
    ).cases


def statuses() -> list[str]:
    return list(SettlementCase.objects.order_by("id").values_list("status", flat=True))


class TestAFileOfTransfers:
    def test_matches_what_was_paid_and_what_came_back(self, seller: Member, account: str) -> None:
        withdrawal_id = paid(seller, account)
        bank_tells(withdrawal_id, Outcome.RETURNED, now=NOON + DAY)
        returned = line("b-2", withdrawal_id, "20.00", at=NOON + DAY, kind="transfer_returned")
        assert bring(line("b-1", withdrawal_id, "-20.00", fee="0.15"), returned) == {"matched": 2}
        keys = SettlementCase.objects.order_by("id").values_list("posting__key", flat=True)
        assert list(keys) == [f"withdrawal:{withdrawal_id}:{fact}" for fact in ("paid", "returned")]
        file = SettlementFile.objects.get()
        assert (file.paid_out_minor, file.fees_minor, file.posting_id) == (2000, 15, None)

    def test_posts_what_the_bank_took_once_for_each_line_also_of_what_is_a_case(
        self, seller: Member, account: str
    ) -> None:
        withdrawal_id = paid(seller, account)
        rows = [
            line("b-1", withdrawal_id, "-20.00", fee="0.15"),
            line("b-2", "nobody's", "-1.00", fee="0.25", at=NOON + HOUR),
            line("b-3", "", "-9.90", at=NOON + DAY, kind="bank_fee"),
        ]
        assert bring(*rows) == {"matched": 2, "missing_in_ledger": 1}
        assert bring(*rows) == {}
        fees = Posting.objects.filter(event="bank_fee_charged").order_by("effective_at")
        assert list(fees.values_list("key", "effective_at", "actor")) == [
            ("bank_fee:sandbox:b-1", NOON, "system"),
            ("bank_fee:sandbox:b-2", NOON + HOUR, "system"),
            ("bank_fee:sandbox:b-3", NOON + DAY, "system"),
        ]
        file = SettlementFile.objects.get()
        assert {fee.reference for fee in fees} == {file.posted_as}
        assert (file.paid_out_minor, file.fees_minor) == (2100, 1030)
        (euro,) = trial_balance(LATER + DAY)
        sides = {one.account: (one.debit, one.credit) for one in euro.lines}
        assert sides["platform:payout_fees:EUR"] == (euros(1030), euros(0))
        assert sides["platform:bank:EUR"] == (euros(0), euros(3030))
        assert euro.is_balanced

    def test_tells_which_payouts_of_cards_reached_the_bank(self, seller: Member, account: str) -> None:
        for number, (amount, day) in enumerate([("24.00", 3), ("5.00", 4), ("7.00", 5)], 1):
            payout = f"po-{number},,-{amount},0.00,EUR,2026-03-0{day}T00:00:00Z"
            cards = settlement_file(payment(f"p-{number}", "", amount), payout=payout)
            import_settlement(provider="cards", name="c.csv", content=cards, actor="system", now=LATER)
        here: dict[str, Any] = {"at": datetime(2026, 3, 6, tzinfo=UTC), "kind": "payout_received"}
        transfers_only = [line("b-1", "", "-1.00"), line("b-2", "", "-1.00", at=NOON + 9 * DAY)]
        assert bring(*transfers_only, provider="adyen") == {"missing_in_ledger": 2}
        rows = [line("b-1", "cards:po-1", "24.00", at=NOON, kind="payout_received")]
        rows += [line("b-2", "cards:po-2", "4.50", **here), line("b-3", "cards:po-9", "1.00", **here)]
        expected = {"matched": 1, "amount_mismatch": 1, "missing_in_ledger": 1, "missing_in_file": 1}
        assert bring(*rows) == expected
        lost = SettlementCase.objects.get(status="missing_in_file")
        assert (lost.posting and lost.posting.key, lost.posting_minor) == ("settlement:cards:po-3", 700)
        assert bring(line("b-4", "cards:po-3", "7.00", **here)) == {"matched": 1}

    def test_of_fees_alone_misses_no_transfers(self, seller: Member, account: str) -> None:
        paid(seller, account)
        rows = [line(f"b-{day}", "", "-1.00", at=NOON + day * DAY, kind="bank_fee") for day in (-1, 1)]
        assert bring(*rows) == {"matched": 2}

    def test_takes_fees_of_another_bank_for_others_although_they_have_the_same_id(self, db: None) -> None:
        for bank in ("sandbox", "otherbank"):
            assert bring(line("b-1", "", "-9.90", kind="bank_fee"), provider=bank) == {"matched": 1}
        assert Posting.objects.filter(event="bank_fee_charged").count() == 2

    def test_shows_what_the_bank_paid_and_we_do_not_know_of_until_we_do(
        self, seller: Member, account: str
    ) -> None:
        withdrawal_id = sent(seller, account)
        assert bring(line("b-1", withdrawal_id, "-20.00")) == {"missing_in_ledger": 1}
        confirm_withdrawal(withdrawal_id=withdrawal_id, staff_id="1", note="in the file", now=NOON + DAY)
        assert bring(line("b-2", "nobody's", "-1.00")) == {"matched": 1, "missing_in_ledger": 1}
        assert statuses() == ["matched", "missing_in_ledger"]

    def test_shows_what_we_posted_and_the_bank_did_not_pay_until_it_does(
        self, seller: Member, account: str
    ) -> None:
        first, late, last = (paid(seller, account, minor) for minor in (1000, 2000, 3000))
        rows = [line("b-1", first, "-10.00", at=NOON - HOUR), line("b-3", last, "-30.00", at=NOON + HOUR)]
        assert bring(*rows) == {"matched": 2, "missing_in_file": 1}
        case = SettlementCase.objects.filter(status="missing_in_file").values_list(
            "posting_minor", "posting__key"
        )
        assert list(case) == [(-2000, f"withdrawal:{late}:paid")]
        assert bring(line("b-2", late, "-20.00", at=NOON + DAY)) == {"matched": 1}

    def test_shows_an_amount_that_differs(self, seller: Member, account: str) -> None:
        assert bring(line("b-1", paid(seller, account), "-19.50")) == {"amount_mismatch": 1}
        case = SettlementCase.objects.get()
        assert (case.line_minor, case.posting_minor) == (-1950, -2000)

    def test_shows_a_return_that_we_were_not_told_of(self, seller: Member, account: str) -> None:
        withdrawal_id = paid(seller, account)
        back = line("b-2", withdrawal_id, "20.00", at=NOON + DAY, kind="transfer_returned")
        assert bring(line("b-1", withdrawal_id, "-20.00"), back) == {"matched": 1, "missing_in_ledger": 1}
        bank_tells(withdrawal_id, Outcome.RETURNED, now=NOON + 2 * DAY)
        assert bring(line("b-3", "", "-1.00")) == {"matched": 1, "missing_in_ledger": 1}

    def test_without_our_reference_is_known_by_the_providers_id(self, seller: Member, account: str) -> None:
        withdrawal_id = paid(seller, account)
        posting = Posting.objects.get(key=f"withdrawal:{withdrawal_id}:paid")
        provider_id = Withdrawal.objects.get().provider_id
        assert bring(line(str(provider_id), "", "-20.00")) == {"matched": 1}
        assert SettlementCase.objects.get().posting_id == posting.id

    def test_of_another_provider_is_neither_taken_nor_missed(self, seller: Member, account: str) -> None:
        withdrawal_id = paid(seller, account)
        rows = [
            line("x-1", withdrawal_id, "-20.00", at=NOON - HOUR),
            line("x-2", "", "-1.00", at=NOON + HOUR),
        ]
        assert bring(*rows, provider="otherbank") == {"missing_in_ledger": 2}

    def test_knows_each_round_of_a_charitys_payment(self, seller: Member) -> None:
        give(seller.id, 500)
        donate(seller.id, make_charity().id, 500)
        collect_donations(provider="sandbox", now=APRIL)
        settlement_id = DonationSettlement.objects.get().id
        advance_settlement(settlement_id=settlement_id, now=APRIL)
        reference = reference_of(settlement_id, 1)
        for outcome in (Outcome.PAID, Outcome.RETURNED):
            provider_id = DonationSettlement.objects.get().provider_id
            told = PayoutReport(reference, str(provider_id), outcome, euros(500))
            apply_settlement_report("sandbox", told, now=APRIL)
        rows = [
            line("b-1", reference, "-5.00", at=APRIL),
            line("b-2", reference, "5.00", at=APRIL, kind="transfer_returned"),
            line("b-3", reference_of(settlement_id, 2), "-5.00", at=APRIL),
        ]
        assert bring(*rows) == {"matched": 2, "missing_in_ledger": 1}

    def test_is_not_held_against_cards_of_the_same_provider(self, seller: Member, account: str) -> None:
        withdrawal_id = sent(seller, account)
        assert bring(line("b-1", withdrawal_id, "-20.00")) == {"missing_in_ledger": 1}
        bank_tells(withdrawal_id, Outcome.PAID)
        cards = settlement_file(payment("p-1", "order:1", "24.70", "0.70"))
        done = import_settlement(provider="sandbox", name="c.csv", content=cards, actor="system", now=LATER)
        assert done.cases == {"missing_in_ledger": 1}
        assert bring(line("b-2", "", "-1.00")) == {"matched": 1, "missing_in_ledger": 1}

    @pytest.mark.django_db
    def test_has_no_lines_of_cards(self) -> None:
        with pytest.raises(SettlementFileInvalid) as refused:
            bring(line("b-1", "", "-20.00"), payment("p-1", "order:1", "24.70"))
        assert [(one.pointer, one.code) for one in refused.value.errors] == [("/lines/3", "mixed_types")]
        assert SettlementFile.objects.count() == 0


class TestTheSandboxsStatement:
    def test_is_imported_as_it_is_and_tells_what_the_bank_did_behind_our_back(
        self, seller: Member, account: str, tmp_path: Path, settings: Settings
    ) -> None:
        settings.SANDBOX = True
        paid(seller, account)
        secret, failed = sent(seller, account, 1000), sent(seller, account, 500)
        sandbox.settle(secret, Outcome.RETURNED)
        bank_tells(failed, Outcome.FAILED)
        file = tmp_path / "transfers.csv"
        with file.open("w") as stream:
            call_command("sandbox_statement", "--fee", "0.15", stdout=stream)
        out = io.StringIO()
        call_command("import_settlement", "sandbox", str(file), stdout=out)
        assert json.loads(out.getvalue())["cases"] == {"matched": 1, "missing_in_ledger": 2}
        assert Posting.objects.filter(event="bank_fee_charged").count() == 2
        later = io.StringIO()
        call_command("sandbox_statement", "--since", (NOON + DAY).isoformat(), stdout=later)
        assert later.getvalue() == ",".join(COLUMNS) + "\n"

    def test_is_none_of_a_real_bank(self, settings: Settings) -> None:
        assert settings.SANDBOX is False
        with pytest.raises(CommandError, match="no sandbox"):
            call_command("sandbox_statement")

    @pytest.mark.parametrize(
        ("argument", "words"),
        [
            *((f"--fee={fee}", r"is no amount such as 0\.15") for fee in ("cheap", "-0.15", "1e3", "")),
            ("--since=yesterday", "'yesterday' is no time with offset"),
            ("--since=2026-03-02T14:00:00", "is no time with offset"),
            ("--currency=XXX", "invalid choice: 'XXX'"),
        ],
    )
    def test_takes_no_argument_that_makes_no_sense(
        self, settings: Settings, argument: str, words: str
    ) -> None:
        settings.SANDBOX = True
        with pytest.raises(CommandError, match=words):
            call_command("sandbox_statement", "--format=camt.053", argument)
