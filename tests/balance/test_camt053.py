"""Statements of banks (ISO 20022 camt.053): what of them becomes which line, and which are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.errors import SettlementFileInvalid
from balance.settlements import MAX_BYTES, read_settlement
from tests.factories.bank_statements import (
    BACK,
    FEE,
    IN,
    OTHER,
    OURS,
    ROUND,
    WHOLE_DAY,
    charge,
    entry,
    message,
    one_statement,
    statement,
    transaction,
)
from tests.factories.money import NOON, euros

DAY = timedelta(days=1)
LATER = NOON + 5 * DAY
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
# The same transfer in the words of version 02: the state is a text, charges and amounts stand elsewhere.
OLD = statement(
    "100.00",
    "79.85",
    '<Ntry><NtryRef>1</NtryRef><Amt Ccy="EUR">20.15</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>'
    "<BookgDt><DtTm>2026-03-02T14:30:00+02:00</DtTm></BookgDt><ValDt><Dt>2026-03-02</Dt></ValDt>"
    "<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs><AcctSvcrRef>B-1</AcctSvcrRef>"
    f"<InstrId>{OURS}</InstrId><EndToEndId>NOTPROVIDED</EndToEndId></Refs><AmtDtls><TxAmt>"
    '<Amt Ccy="EUR">20</Amt></TxAmt></AmtDtls><Chrgs><Amt Ccy="EUR">0.15</Amt>'
    "<CdtDbtInd>DBIT</CdtDbtInd></Chrgs></TxDtls></NtryDtls></Ntry>"
    '<Ntry><Amt Ccy="EUR">50.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts>'
    "<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd></Ntry>",
    version="02",
)

Row = tuple[str, str, str, int, int]


def rows(content: bytes) -> list[Row]:
    read = read_settlement("bank", content, now=LATER)
    return [(one.type, one.provider_id, one.reference, one.amount_minor, one.fee_minor) for one in read.lines]


def refused(content: bytes) -> SettlementFileInvalid:
    with pytest.raises(SettlementFileInvalid) as refusal:
        read_settlement("bank", content, now=LATER)
    return refusal.value


class TestRead:
    def test_a_day_of_a_bank(self) -> None:
        assert rows(WHOLE_DAY) == [
            ("transfer", "B-1", OURS, -2000, 0),
            ("transfer", "B-2-1", OTHER, -700, 0),
            ("transfer", "B-2-2", ROUND, -500, 0),
            ("transfer_returned", "B-3", OTHER, 700, 0),
            ("bank_fee", "B-4", "", -225, 0),
        ]
        read = read_settlement("bank", WHOLE_DAY, now=LATER)
        assert (read.paid_out, read.fees, read.currency) == (euros(3200), euros(225), "EUR")

    def test_version_02(self) -> None:
        assert rows(OLD) == [("transfer", "B-1", OURS, -2000, 15)]
        (line,) = read_settlement("bank", OLD, now=LATER).lines
        assert line.occurred_at == datetime(2026, 3, 2, 12, 30, tzinfo=UTC)

    def test_it_covers_the_days_that_were_booked_or_what_it_says(self) -> None:
        assert read_settlement("bank", WHOLE_DAY, now=LATER).period == (
            MIDNIGHT,
            MIDNIGHT + DAY - timedelta(microseconds=1),
        )
        told = "<FrToDt><FrDtTm>2026-02-28T00:00:00</FrDtTm><ToDtTm>2026-03-02T22:00:00Z</ToDtTm></FrToDt>"
        without = statement("1.00", "1.00", period=told)
        # Its own day ends before that of UTC.
        assert read_settlement("bank", without, now=LATER).told_of == (
            MIDNIGHT - 2 * DAY,
            MIDNIGHT + timedelta(hours=22),
        )
        assert rows(without) == []

    @pytest.mark.parametrize(
        ("moved", "money", "more", "expected"),
        [
            # Charges on top of what was sent, inside the entry, whichever amount the transaction tells.
            ("-20.15", '<Amt Ccy="EUR">20.00</Amt>', charge("0.15"), (-2000, 15)),
            ("-20.15", '<Amt Ccy="EUR">20.15</Amt>', charge("0.15"), (-2000, 15)),
            ("-20.15", "", charge("0.15"), (-2000, 15)),
            # Told, but booked by an entry of its own.
            ("-20.00", '<Amt Ccy="EUR">20.00</Amt>', charge("0.15", inside=False), (-2000, 0)),
            ("-20.00", "", charge("0.15", inside=False), (-2000, 0)),
            # Another currency was sent: what left the account counts.
            ("-20.00", '<AmtDtls><TxAmt><Amt Ccy="PLN">86.00</Amt></TxAmt></AmtDtls>', "", (-2000, 0)),
            # The two contradict each other: the entry is what moved.
            ("-20.15", '<Amt Ccy="EUR">20.00</Amt>', charge("0.30"), (-2015, 0)),
        ],
    )
    def test_charges(self, moved: str, money: str, more: str, expected: tuple[int, int]) -> None:
        closing = f"{1000 + Decimal(moved)}"
        content = statement(
            "1000.00", closing, entry(moved, "B-1", transaction(OURS, money=money, more=more))
        )
        assert [row[3:] for row in rows(content)] == [expected]

    def test_charges_of_a_return_and_of_a_batch(self) -> None:
        returned = entry(
            "17.00",
            "B-1",
            transaction(OURS, money='<Amt Ccy="EUR">20.00</Amt>', more=charge("3.00")),
            code=BACK,
        )
        batch = entry(
            "-12.40",
            "B-2",
            transaction(OTHER, money='<Amt Ccy="EUR">7.00</Amt>')
            + transaction(ROUND, money='<Amt Ccy="EUR">5.00</Amt>'),
            more=charge("0.40"),
        )
        assert rows(statement("0.00", "4.60", returned, batch)) == [
            ("transfer_returned", "B-1", OURS, 2000, 300),
            ("transfer", "B-2/1", OTHER, -700, 0),
            ("transfer", "B-2/2", ROUND, -500, 0),
            ("bank_fee", "B-2/3", "", -40, 0),
        ]

    def test_what_comes_in_is_a_return_if_the_bank_says_so_or_it_names_a_payment_of_ours(self) -> None:
        content = statement(
            "-10.00",
            "90.00",
            entry("20.00", "B-1", transaction(ROUND), code=IN),
            entry("30.00", "B-2", transaction("po_1"), code=IN),
            entry("49.00", "B-3", transaction("Miete März  Nr. 7"), code=IN),
            entry("1.00", "B-4", code=FEE, more=""),
        )
        assert [(row[0], row[2]) for row in rows(content)] == [
            ("transfer_returned", ROUND),
            ("payout_received", "po_1"),
            ("payout_received", "Miete Marz Nr. 7"),
            ("payout_received", ""),
        ]

    def test_entries_without_a_reference_of_the_banks_own_or_with_the_same_one(self) -> None:
        content = statement(
            "5.00",
            "1.00",
            entry("-1.00", "", transaction(OURS)),
            entry("-2.00", "B-1", transaction(OTHER)),
            entry("-1.00", "B-1", code=FEE),
        )
        assert [row[1] for row in rows(content)] == ["2026/042:1", "B-1", "B-1#2"]

    def test_a_page_begins_and_ends_with_interim_balances(self) -> None:
        page = one_statement("10.00", "8.00", entry("-2.00", "B-1"), name="p1")
        middle = page.replace("OPBD", "ITBD").replace("CLBD", "ITBD")
        assert len(rows(message(page.replace("CLBD", "ITBD")))) == len(rows(message(middle))) == 1

    def test_several_statements_of_one_account(self) -> None:
        monday = one_statement("10.00", "8.00", entry("-2.00", "B-1"), name="1")
        tuesday = one_statement("8.00", "5.00", entry("-3.00", "B-2", day="2026-03-03"), name="2")
        assert [row[3] for row in rows(message(monday, tuesday))] == [-200, -300]

    def test_minor_units_are_those_of_the_currency(self) -> None:
        yen = entry("-2000", "B-1", currency="JPY")
        assert [row[3] for row in rows(message(one_statement("5000", "3000", yen, currency="JPY")))] == [
            -2000
        ]
        dinars = entry("-1.255000", "B-1", currency="KWD")
        content = message(one_statement("2.000", "0.745", dinars, currency="KWD"))
        assert [row[3] for row in rows(content)] == [-1255]


class TestRefuse:
    def test_a_statement_that_does_not_add_up(self) -> None:
        error = refused(WHOLE_DAY.replace(b"972.75", b"972.76"))
        assert error.detail == (
            "Statement '2026/042' does not add up: opening 1,000.00 EUR and booked entries -27.25 EUR are"
            " 972.75 EUR, closing is 972.76 EUR. Nothing was imported."
        )

    def test_a_batch_whose_parts_are_not_the_whole(self) -> None:
        error = refused(WHOLE_DAY.replace(b'<Amt Ccy="EUR">5.00<', b'<Amt Ccy="EUR">5.01<'))
        assert [(one.pointer, one.code) for one in error.errors] == [("/entries/2", "does_not_add_up")]

    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            (b'"EUR">20.00<', b'"PLN">20.00<', "invalid_amount"),
            (b'"EUR">20.00<', b'"EUR">20.001<', "invalid_amount"),
            (b'"EUR">20.00<', b'"EUR">-20.00<', "invalid_amount"),
            (b'"EUR">20.00<', b'"EUR">9999999999999999999.00<', "invalid_amount"),
            (b'"EUR">20.00<', b'"EUR">20,00<', "invalid_amount"),
            (b"20.00</Amt><CdtDbtInd>DBIT", b"20.00</Amt><CdtDbtInd>DEBIT", "invalid_amount"),
            (b"<BookgDt><Dt>2026-03-02", b"<BookgDt><Dt>2026-02-30", "invalid_occurred_at"),
            (b"<BookgDt><Dt>2026-03-02", b"<BookgDt><Dt>2026-04-02", "invalid_occurred_at"),
            (b"<BookgDt><Dt>2026-03-02", b"<BookgDt><Dt>0001-01-01", "invalid_occurred_at"),
        ],
    )
    def test_an_entry_that_cannot_be_read(self, old: bytes, new: bytes, code: str) -> None:
        assert old in WHOLE_DAY
        error = refused(WHOLE_DAY.replace(old, new, 1))
        assert [(one.pointer, one.code) for one in error.errors] == [("/entries/1", code)]

    def test_all_entries_are_named_at_once(self) -> None:
        assert (
            len(
                refused(
                    WHOLE_DAY.replace(b"<BookgDt>", b"<Booked>").replace(b"</BookgDt>", b"</Booked>")
                ).errors
            )
            == 4
        )

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (WHOLE_DAY.replace(b">EUR</Ccy>", b">XYZ</Ccy>"), "in a currency that is not known: 'XYZ'"),
            (WHOLE_DAY.replace(b">EUR</Ccy>", b">PLN</Ccy>"), "no opening or no closing balance in PLN"),
            (WHOLE_DAY.replace(b"CLBD", b"CLAV"), "no opening or no closing balance"),
            (
                WHOLE_DAY.replace(b"053.001.08", b"053.001.04"),
                "neither camt.053.001.02 nor camt.053.001.08: camt",
            ),
            (WHOLE_DAY.replace(b"camt.053.001.08", b"camt.054.001.08"), "neither .*: camt.054.001.08"),
            (b"<html><body>Sign in</body></html>", "neither .*: html"),
            (message(), "There is no statement in the file"),
            (WHOLE_DAY[:-20], "not well-formed"),
            (b"<", "does not begin like XML"),
            (WHOLE_DAY.replace(b"UTF-8", b"UTF-16"), "in UTF-16, not in UTF-8"),
            (WHOLE_DAY + b" " * MAX_BYTES, "more than 10,000,000 bytes"),
            (
                message(one_statement("1.00", "1.00"), one_statement("1.00", "1.00", currency="PLN")),
                "of another account or currency",
            ),
        ],
    )
    def test_a_file_that_is_something_else(self, content: bytes, words: str) -> None:
        with pytest.raises(SettlementFileInvalid, match=words):
            read_settlement("bank", content, now=LATER)

    def test_entities_whatever_they_stand_for(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret.txt"
        secret.write_text("2026/042")
        laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
        for declared in (
            f'<!DOCTYPE Document [<!ENTITY l9 SYSTEM "{secret.as_uri()}">]>',
            f'<!DOCTYPE Document [<!ENTITY l0 "lol">{laughs}]>',
            '<!DOCTYPE Document SYSTEM "http://127.0.0.1:1/x.dtd">',
        ):
            attack = WHOLE_DAY.replace(b"<Document", declared.encode() + b"<Document").replace(
                b"2026/042", b"&l9;"
            )
            assert "DOCTYPE" in refused(attack).detail

    @settings(max_examples=50)
    @given(st.integers(0, len(WHOLE_DAY) - 1), st.binary(max_size=8), st.integers(0, 40))
    def test_any_damage_is_told_or_harmless_and_never_fails(self, at: int, noise: bytes, length: int) -> None:
        damaged = WHOLE_DAY[:at] + noise + WHOLE_DAY[at + length :]
        try:
            read = read_settlement("bank", damaged, now=LATER)
        except SettlementFileInvalid:
            return
        assert sum(line.amount_minor - line.fee_minor for line in read.lines) == -2725
