"""Statements of banks (ISO 20022 camt.053) held against the ledger, and that of the sandbox's bank."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from balance.errors import SettlementFileInvalid
from balance.models import Posting, SettlementCase, SettlementFile
from balance.providers import sandbox
from balance.providers.contract import Outcome
from balance.queries.reports import trial_balance
from balance.services.reconciling import Imported, import_settlement
from balance.services.sending import advance_withdrawal
from balance.settlements import read_settlement
from members.models import Member
from tests.factories.bank_statements import (
    FEE,
    IN,
    NAMESPACE,
    WHOLE_DAY,
    charge,
    entry,
    message,
    one_statement,
    statement,
    transaction,
)
from tests.factories.banking import bank_tells, withdraw
from tests.factories.money import NOON, euros
from tests.factories.settlements import payment, settlement_file

if TYPE_CHECKING:
    from pytest_django import Settings

DAY = timedelta(days=1)
LATER = NOON + 5 * DAY


def bring(content: bytes, *, provider: str = "sandbox") -> Imported:
    return import_settlement(
        provider=provider, name="statement.xml", content=content, actor="system", now=LATER
    )


def paid(seller: Member, account: str, minor: int = 2000) -> str:
    withdrawal_id = withdraw(seller.id, account, euros(minor)).id
    advance_withdrawal(withdrawal_id=withdrawal_id, now=NOON)
    bank_tells(withdrawal_id, Outcome.PAID, now=NOON)
    return withdrawal_id


class TestImport:
    def test_matches_transfers_and_posts_what_the_bank_took(self, seller: Member, account: str) -> None:
        withdrawal_id = paid(seller, account)
        bank_tells(withdrawal_id, Outcome.RETURNED, now=NOON)
        content = statement(
            "100.00",
            "92.60",
            entry(
                "-20.15",
                "B-1",
                transaction(withdrawal_id, money='<Amt Ccy="EUR">20.00</Amt>', more=charge("0.15")),
            ),
            entry("20.00", "B-2", transaction(withdrawal_id, more="<RtrInf/>"), code=IN),
            entry("-7.25", "B-3", code=FEE),
        )
        done = bring(content)
        assert (done.lines, done.cases) == (3, {"matched": 3})
        keys = SettlementCase.objects.order_by("id").values_list("posting__key", flat=True)
        assert list(keys) == [
            f"withdrawal:{withdrawal_id}:paid",
            f"withdrawal:{withdrawal_id}:returned",
            "bank_fee:sandbox:B-3",
        ]
        (euro,) = trial_balance(LATER + DAY)
        sides = {one.account: (one.debit, one.credit) for one in euro.lines}
        assert sides["platform:payout_fees:EUR"] == (euros(740), euros(0))
        assert bring(content) == Imported(done.file_id, 3, {}, replayed=True)

    def test_the_day_again_in_another_file_is_refused_by_the_banks_references(self, db: None) -> None:
        bring(WHOLE_DAY)
        with pytest.raises(
            SettlementFileInvalid, match=r"Line 1 was imported before, in statement.xml \(B-1\)"
        ):
            bring(WHOLE_DAY.replace(b"M-20260303", b"M-20260304"))
        assert SettlementFile.objects.count() == 1

    def test_a_day_on_which_nothing_moved_misses_what_we_posted(self, seller: Member, account: str) -> None:
        withdrawal_id = paid(seller, account)
        done = bring(statement("100.00", "100.00"))
        assert (done.lines, done.cases) == (0, {"missing_in_file": 1})
        late = entry("-20.00", "B-1", transaction(withdrawal_id), day="2026-03-03")
        assert bring(message(one_statement("100.00", "80.00", late, name="43"))).cases == {"matched": 1}

    def test_tells_which_payout_of_cards_has_come_by_its_id_alone(self, db: None) -> None:
        for cards, payout in (("cards", "po-1"), ("cards", "po-2"), ("vouchers", "po-2")):
            line = f"{payout},,-24.00,0.00,EUR,2026-03-02T00:00:00Z"
            file = settlement_file(payment(f"p-{payout}", "", "24.00"), payout=line)
            import_settlement(provider=cards, name="c.csv", content=file, actor="system", now=LATER)
        come = [entry("24.00", f"B-{ref}", transaction(ref), code=IN) for ref in ("po-1", "po-2", "R: 7")]
        # Which of the two po-2 it is nobody can say; both are posted, and in no file.
        assert bring(statement("0.00", "72.00", *come)).cases == {
            "matched": 1,
            "missing_in_ledger": 2,
            "missing_in_file": 2,
        }
        stranger = entry("1.00", "B-9", transaction("Thanks"), code=IN)
        assert bring(statement("0.00", "1.00", stranger), provider="otherbank").cases == {
            "missing_in_ledger": 1
        }

    def test_the_command_takes_it_and_says_what_is_wrong(self, tmp_path: Path, db: None) -> None:
        path = tmp_path / "statement.txt"
        path.write_bytes(WHOLE_DAY)
        out = io.StringIO()
        call_command("import_settlement", "bank", str(path), stdout=out)
        assert json.loads(out.getvalue())["cases"] == {"matched": 1, "missing_in_ledger": 4}
        path.write_bytes(WHOLE_DAY.replace(b"972.75", b"1.00"))
        with pytest.raises(CommandError, match="does not add up"):
            call_command("import_settlement", "bank", str(path))


class TestTheSandboxsStatement:
    def test_is_imported_as_a_banks_would_be(
        self, seller: Member, account: str, tmp_path: Path, settings: Settings
    ) -> None:
        settings.SANDBOX = True
        paid(seller, account)
        sandbox.settle(paid(seller, account, 1000), Outcome.RETURNED)
        file = tmp_path / "statement.xml"
        with file.open("w") as stream:
            call_command("sandbox_statement", "--format", "camt.053", "--fee", "0.15", stdout=stream)
        out = io.StringIO()
        call_command("import_settlement", "sandbox", str(file), stdout=out)
        assert json.loads(out.getvalue())["cases"] == {"matched": 2, "missing_in_ledger": 1}
        assert Posting.objects.filter(event="bank_fee_charged").count() == 2

    def test_goes_on_where_the_one_before_ended(
        self, seller: Member, account: str, settings: Settings
    ) -> None:
        settings.SANDBOX = True
        paid(seller, account)
        out = io.StringIO()
        since = (NOON + DAY).isoformat()
        call_command("sandbox_statement", "--format", "camt.053", "--since", since, stdout=out)
        assert read_settlement("sandbox", out.getvalue().encode(), now=NOON + 9000 * DAY).lines == ()
        assert out.getvalue().count('<Amt Ccy="EUR">20.00</Amt>') == 2
        assert NAMESPACE + "08" in out.getvalue()
