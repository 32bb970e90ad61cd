"""Trial balance, aging and the export: against postings whose sums are known."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from balance import events
from balance.chart import CHART, Category, Event
from balance.events import NewPosting, Share
from balance.exporting import SUMS, export_ledger
from balance.models import LedgerDayTotal
from balance.queries.reports import bucket_totals, list_debts, list_stale, trial_balance
from balance.queries.totals import end_of
from balance.services.control import seal_days
from balance.services.correcting import approve_correction, request_correction
from balance.services.posting import post
from foundation.money import Money
from members.models import Member
from tests.factories.money import NOON, euros, give
from tests.factories.settlements import capture

DAY = NOON.date()
LATER = NOON + timedelta(days=200)


def take(member: Member, minor: int, *, days: int) -> None:
    """Take money back, whether it is there or not."""
    now = NOON + timedelta(days=days)
    id_ = request_correction(
        debit=f"{member.id}:available:EUR",
        credit="platform:goodwill:EUR",
        amount=euros(minor),
        reason="=HYPERLINK('evil')",
        staff_id="01REQUESTER",
        now=now,
    )
    approve_correction(correction_id=id_, staff_id="01SECOND", note="", now=now)


class TestTrialBalance:
    def test_has_equal_columns_in_each_currency(self, seller: Member, buyer: Member) -> None:
        capture(seller.id, buyer.id, 2000, "order:1")
        give(seller.id, 500)
        take(seller, 700, days=1)
        lines = events.goodwill_given(Share(buyer.id, Money(30, "PLN")))
        post(NewPosting("pln", Event.GOODWILL_GIVEN, lines, "pln", "system"), now=NOON)
        euro, zloty = trial_balance(LATER)
        assert (euro.debit, euro.credit) == (euros(2200), euros(2200))
        assert euro.is_balanced
        assert (zloty.currency, zloty.debit, zloty.is_balanced) == ("PLN", Money(30, "PLN"), True)
        sides = {line.account: (line.debit.amount_minor, line.credit.amount_minor) for line in euro.lines}
        assert sides == {
            "members:pending:EUR": (0, 2000),
            "members:available:EUR": (200, 0),
            "platform:psp_clearing:EUR": (2000, 0),
            "platform:goodwill:EUR": (0, 200),
        }
        assert euro.by_category() == {
            Category.ASSET: euros(2000),
            Category.LIABILITY: euros(1800),
            Category.INCOME: euros(0),
            Category.EXPENSE: euros(-200),
        }

    def test_of_a_day_knows_nothing_later(self, seller: Member) -> None:
        give(seller.id, 500)
        give(seller.id, 100, now=NOON + timedelta(days=1))
        out = io.StringIO()
        call_command("trial_balance", "--as-of", DAY.isoformat(), "--format", "json", stdout=out)
        (document,) = json.loads(out.getvalue())
        assert (document["debit_minor"], document["credit_minor"]) == (500, 500)
        assert document["accounts"][0]["account"] == "members:available:EUR"

    @pytest.mark.parametrize("day", ["2026-11-30", "9999-12-31"])
    def test_of_a_day_to_come_is_that_of_now(self, day: str) -> None:
        assert end_of(date.fromisoformat(day), LATER) == LATER
        assert end_of(LATER.date(), LATER) == LATER

    def test_is_printed_for_people_and_for_spreadsheets(self, seller: Member) -> None:
        give(seller.id, 123456)
        table, sheet = io.StringIO(), io.StringIO()
        call_command("trial_balance", stdout=table)
        assert "1,234.56" in table.getvalue()
        call_command("trial_balance", "--format", "csv", stdout=sheet)
        rows = list(csv.DictReader(io.StringIO(sheet.getvalue())))
        assert [(row["account"], row["debit_balance"], row["credit_balance"]) for row in rows] == [
            ("members:available:EUR", "0.00", "1234.56"),
            ("platform:goodwill:EUR", "1234.56", "0.00"),
        ]

    def test_says_when_it_is_not_balanced(self, seller: Member) -> None:
        give(seller.id, 100)
        seal_days(now=LATER)
        rows = LedgerDayTotal.objects.filter(account="members:available:EUR")
        forged = rows.get()
        forged.id, forged.account, forged.credits_minor = "x", "platform:bank:EUR", 1
        forged.save(force_insert=True)
        with pytest.raises(SystemExit):
            call_command("trial_balance", stdout=io.StringIO())


class TestAging:
    def test_counts_from_the_entry_that_went_below_zero(self, seller: Member, buyer: Member) -> None:
        give(seller.id, 100)
        take(seller, 300, days=5)
        give(seller.id, 250, now=NOON + timedelta(days=10))  # paid down
        take(seller, 60, days=20)
        take(seller, 5, days=30)
        give(buyer.id, 10)
        (debt,) = list_debts(NOON + timedelta(days=51, hours=1))
        assert (debt.amount, debt.since, debt.days, debt.bucket) == (
            euros(15),
            NOON + timedelta(days=20),
            31,
            "31-60",
        )

    @pytest.mark.parametrize(
        ("days", "bucket"),
        [(0, "0-30"), (30, "0-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"), (90, "61-90"), (91, "90+")],
    )
    def test_puts_debts_into_buckets(self, seller: Member, days: int, bucket: str) -> None:
        take(seller, 300, days=0)
        debts = list(list_debts(NOON + timedelta(days=days)))
        assert [debt.bucket for debt in debts] == [bucket]
        totals = {total.bucket: total.amount for total in bucket_totals(debts)}
        assert totals == dict.fromkeys(("0-30", "31-60", "61-90", "90+"), euros(0)) | {bucket: euros(300)}

    def test_finds_money_that_did_not_move_on(self, seller: Member, buyer: Member) -> None:
        capture(seller.id, buyer.id, 2000, "order:1")
        capture(seller.id, buyer.id, 500, "order:2", now=NOON + timedelta(days=20))
        (stale,) = list_stale(NOON + timedelta(days=31), older_than=timedelta(days=30))
        assert (stale.kind.value, stale.balance, stale.old) == ("pending", euros(2500), euros(2000))
        assert not list(list_stale(NOON + timedelta(days=29), older_than=timedelta(days=30)))

    def test_is_printed(self, seller: Member, buyer: Member) -> None:
        capture(seller.id, buyer.id, 2000, "order:1")
        take(seller, 300, days=0)
        out = io.StringIO()
        call_command("aging_report", "--older-than", "10", stdout=out)
        debt, stale = list(csv.DictReader(io.StringIO(out.getvalue())))
        assert (debt["what"], debt["amount"], debt["since"]) == ("debt", "3.00", NOON.isoformat())
        assert (stale["what"], stale["bucket"], stale["amount"]) == ("pending", "over 10", "20.00")

    @pytest.mark.parametrize("days", ["-1", "99999999999", "x"])
    @pytest.mark.django_db
    def test_is_of_a_number_of_days(self, days: str) -> None:
        with pytest.raises(CommandError, match="no number of days from 0 to 9999"):
            call_command("aging_report", f"--older-than={days}")


class TestExport:
    def test_adds_up_with_what_was_before(self, tmp_path: Path, seller: Member, buyer: Member) -> None:
        give(seller.id, 500)
        capture(seller.id, buyer.id, 2000, "order:1", now=NOON + timedelta(days=1))
        take(seller, 700, days=2)
        give(seller.id, 1, now=NOON + timedelta(days=3))
        seal_days(now=NOON + timedelta(days=2))
        folder = tmp_path / "march"
        done = export_ledger(DAY + timedelta(days=1), DAY + timedelta(days=2), folder, today=LATER.date())
        assert (done.postings, done.transfers, done.is_balanced) == (2, 2, True)
        with (folder / "totals.csv").open(newline="") as stream:
            totals = {row["account"]: row for row in csv.DictReader(stream)}
        available = totals["members:available:EUR"]
        assert [available[f"{name}_minor"] for name in ("opening", "debits", "credits", "closing")] == [
            *("500", "700", "0", "-200")
        ]
        with (folder / "transfers.csv").open(newline="") as stream:
            transfers = list(csv.DictReader(stream))
        assert [row["amount"] for row in transfers] == ["20.00", "7.00"]
        with (folder / "postings.csv").open(newline="") as stream:
            postings = list(csv.DictReader(stream))
        assert postings[1]["reason"] == "'=HYPERLINK('evil')"
        with (folder / "chart.csv").open(newline="") as stream:
            assert len(list(csv.DictReader(stream))) == len(CHART)

    def test_has_sums_of_all_its_files(self, tmp_path: Path, seller: Member) -> None:
        give(seller.id, 500)
        export_ledger(DAY, DAY, tmp_path / "day", today=LATER.date())
        lines = (tmp_path / "day" / SUMS).read_text().splitlines()
        sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
        files = {path.name for path in (tmp_path / "day").iterdir()} - {SUMS}
        assert sums.keys() == files == {"postings.csv", "transfers.csv", "totals.csv", "chart.csv"}
        for name, expected in sums.items():
            assert hashlib.sha256((tmp_path / "day" / name).read_bytes()).hexdigest() == expected
        assert not list(tmp_path.glob("*.unfinished"))

    def test_of_everything_since_ever_looks_at_no_day_before_the_first(
        self, tmp_path: Path, seller: Member, django_assert_max_num_queries: Any
    ) -> None:
        give(seller.id, 500)
        with django_assert_max_num_queries(20):
            done = export_ledger(date(2025, 1, 1), DAY, tmp_path / "all", today=LATER.date())
        assert (done.postings, done.is_balanced) == (1, True)

    def test_says_when_the_checkpoints_disagree(self, tmp_path: Path, seller: Member) -> None:
        give(seller.id, 500)
        seal_days(now=LATER)
        forged = LedgerDayTotal.objects.get(account="members:available:EUR")
        forged.id, forged.account = "x", "platform:bank:EUR"
        forged.save(force_insert=True)
        with pytest.raises(SystemExit):
            call_command(
                "export_ledger",
                *("--from", DAY.isoformat(), "--to", DAY.isoformat(), str(tmp_path / "day")),
                stdout=io.StringIO(),
            )

    @pytest.mark.parametrize(
        ("first", "last", "words"),
        [
            (DAY, DAY - timedelta(days=1), "before the first"),
            (DAY, date(2999, 1, 1), "not over"),
        ],
    )
    def test_refuses_days_that_make_no_sense(
        self, tmp_path: Path, db: None, first: date, last: date, words: str
    ) -> None:
        with pytest.raises(CommandError, match=words):
            call_command(
                "export_ledger",
                *("--from", first.isoformat(), "--to", last.isoformat(), str(tmp_path / "day")),
            )
        assert not (tmp_path / "day").exists()

    def test_and_the_trial_balance_say_what_a_day_looks_like(self, tmp_path: Path, db: None) -> None:
        for command in (
            ("export_ledger", "--from=1.3.", "--to=x", str(tmp_path)),
            ("trial_balance", "--as-of=x"),
        ):
            with pytest.raises(CommandError, match="is no day such as 2026-03-02"):
                call_command(*command)

    def test_overwrites_nothing(self, tmp_path: Path, db: None) -> None:
        with pytest.raises(CommandError, match="there already"):
            call_command("export_ledger", "--from", "2026-03-02", "--to", "2026-03-02", str(tmp_path))
