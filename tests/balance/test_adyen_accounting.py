"""Adyen's Balance Platform Accounting Report: its documented columns, rows that we wrote."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from balance.errors import SettlementFileInvalid
from balance.services.reconciling import import_settlement
from balance.settlements import read_settlement
from members.models import Member
from tests.factories.money import NOON

LATER = NOON + timedelta(days=40)
OURS = "01J8ZC0000000000000000000A"
HEADER = (
    *("BalancePlatform", "AccountHolder", "BalanceAccount", "Transfer Id", "Transaction Id", "Category"),
    *("Status", "Type", "Booking Date", "Booking Date TimeZone", "Value Date", "Value Date TimeZone"),
    *("Currency", "Amount", "Original Currency", "Original Amount", "Payment Currency", "Received (PC)"),
    *("Reserved (PC)", "Balance (PC)", "Reference", "Description", "Reference for Beneficiary"),
)
USUAL = {
    **dict.fromkeys(HEADER, ""),
    "BalancePlatform": "Preloved",
    "AccountHolder": "AH1",
    "BalanceAccount": "BA1",
    "Category": "bank",
    "Type": "bankTransfer",
    "Booking Date": "2026-03-02 14:00:00",
    "Booking Date TimeZone": "CET",
    "Payment Currency": "EUR",
    "Reserved (PC)": "0",
}


def row(status: str, transaction: str, moved: str, reference: str = OURS, **others: str) -> dict[str, str]:
    own = {"Status": status, "Transaction Id": transaction, "Balance (PC)": moved, "Reference": reference}
    return USUAL | own | others


def report(*rows: dict[str, str], header: tuple[str, ...] = HEADER) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


# A payout is asked for, approved, paid and sent back; Adyen takes a fee; the account is filled up.
A_DAY = report(
    row("received", "", "0", **{"Received (PC)": "-20.00"}),
    row("authorised", "", "0", **{"Reserved (PC)": "-20.00"}),
    row("booked", "EVJN1", "-20.00"),
    row("booked", "EVJN2", "-0.25", "", Category="platformPayment", Type="fee"),
    row("returned", "EVJN3", "20.00", **{"Booking Date TimeZone": "CEST"}),
    row("cancelled", "EVJN4", "0.00"),
    row("booked", "EVJN5", "500", "Top-up März", Category="internal", Type="internalTransfer"),
)


class TestRead:
    def test_takes_what_moved_money(self) -> None:
        read = read_settlement("adyen", A_DAY, now=LATER)
        assert [(x.type, x.provider_id, x.reference, x.amount_minor) for x in read.lines] == [
            ("transfer", "EVJN1", OURS, -2000),
            ("bank_fee", "EVJN2", "", -25),
            ("transfer_returned", "EVJN3", OURS, 2000),
            ("payout_received", "EVJN5", "Top-up Marz", 50000),
        ]
        assert read.lines[0].occurred_at == datetime(2026, 3, 2, 13, tzinfo=UTC)
        assert read.lines[2].occurred_at == datetime(2026, 3, 2, 12, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("bad", "code"),
        [
            (row("booked", "E9", "-20.001"), "invalid_amount"),
            (row("booked", "E9", "1e3"), "invalid_amount"),
            (row("booked", "E9", "-20.00", **{"Booking Date": "2 March"}), "invalid_occurred_at"),
            (row("booked", "E9", "-20.00", **{"Booking Date": "2027-03-02 00:00:00"}), "invalid_occurred_at"),
            (row("booked", "E9", "-20.00", **{"Booking Date TimeZone": "XST"}), "invalid_occurred_at"),
        ],
    )
    def test_names_rows_that_are_wrong(self, bad: dict[str, str], code: str) -> None:
        with pytest.raises(SettlementFileInvalid) as refused:
            read_settlement("adyen", report(row("booked", "E1", "-1.00"), bad), now=LATER)
        assert [(one.pointer, one.code) for one in refused.value.errors] == [("/lines/3", code)]

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (
                report(row("booked", "E1", "-1"), row("booked", "E1", "-1")),
                "repeats the Transaction Id of line 2",
            ),
            (report(row("received", "", "0")), "Nothing in the report has moved money"),
            (
                report(row("booked", "E1", "-1"), row("booked", "E2", "1", BalanceAccount="BA2")),
                "several values of BalanceAccount",
            ),
            (
                report(row("booked", "E1", "-1"), row("booked", "E2", "-1", **{"Payment Currency": "PLN"})),
                "several values of Payment Currency",
            ),
            (report(row("booked", "E1", "-1", **{"Payment Currency": "XYZ"})), "currency that is not known"),
            (report(header=HEADER[:-3]), "has no column Reference"),
            (A_DAY + b"a,b\n", "has 2 columns, not 23"),
            (A_DAY.replace(b"Top-up", b"\xff"), "not UTF-8"),
        ],
    )
    def test_refuses_a_report_that_is_not_of_one_account(self, content: bytes, words: str) -> None:
        with pytest.raises(SettlementFileInvalid, match=words):
            read_settlement("adyen", content, now=LATER)


class TestImport:
    def test_once(self, seller: Member) -> None:
        done = import_settlement(provider="adyen", name="r.csv", content=A_DAY, actor="system", now=LATER)
        assert done.cases == {"matched": 1, "missing_in_ledger": 3}
        again = import_settlement(provider="adyen", name="r.csv", content=A_DAY, actor="system", now=LATER)
        assert again.replayed
