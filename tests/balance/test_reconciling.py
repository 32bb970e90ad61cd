"""Settlement files: what they must look like, what they are compared with, what they post."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.errors import SettlementCaseEnded, SettlementCaseNotFound, SettlementFileInvalid
from balance.lifecycle import SETTLEMENT_CASE
from balance.models import Posting, SettlementCase, SettlementFile, SettlementLine
from balance.queries.totals import turnovers_until
from balance.services.reconciling import Imported, import_settlement, resolve_case
from balance.settlements import MAX_BYTES, MAX_LINES, read_settlement
from members.models import Member
from tests.factories.money import NOON, euros
from tests.factories.settlements import (
    LATER,
    PROVIDER,
    capture,
    payment,
    refund,
    settlement_file,
)
from tests.repository.sources import REPOSITORY

GOOD = settlement_file(payment("p-1", "order:1", "24.70", "0.70"))


def bring(content: bytes, *, name: str = "march.csv") -> Imported:
    return import_settlement(provider=PROVIDER, name=name, content=content, actor="system", now=LATER)


def statuses() -> list[str]:
    return list(SettlementCase.objects.order_by("id").values_list("status", flat=True))


def codes(content: bytes) -> list[tuple[str, str]]:
    with pytest.raises(SettlementFileInvalid) as refused:
        read_settlement(PROVIDER, content, now=LATER)
    assert refused.value.code == "settlement_file_invalid"
    return [(problem.pointer, problem.code) for problem in refused.value.errors]


class TestImport:
    def test_matches_a_payment_and_posts_the_payout(self, seller: Member, buyer: Member) -> None:
        posted = capture(seller.id, buyer.id, 2470, "order:1")
        done = bring(GOOD)
        case = SettlementCase.objects.get()
        assert (case.status, case.posting_id, case.line_minor) == ("matched", posted.id, 2470)
        assert (done.lines, done.cases, done.replayed) == (1, {"matched": 1}, False)
        clearing = turnovers_until(LATER + timedelta(days=1))["platform:psp_clearing:EUR"]
        assert clearing.debits_minor == clearing.credits_minor == 2470
        posting = Posting.objects.get(event="psp_settled")
        assert posting.key == "settlement:cards:po-1"
        assert posting.effective_at.isoformat() == "2026-03-03T00:00:00+00:00"

    def test_takes_no_posting_of_another_provider(self, seller: Member, buyer: Member) -> None:
        capture(seller.id, buyer.id, 2470, "order:1")
        done = import_settlement(
            provider="vouchers", name="march.csv", content=GOOD, actor="system", now=LATER
        )
        assert done.cases == {"missing_in_ledger": 1}

    def test_again_changes_nothing(self, seller: Member, buyer: Member) -> None:
        capture(seller.id, buyer.id, 2470, "order:1")
        first = bring(GOOD)
        assert bring(GOOD, name="copy.csv") == Imported(first.file_id, 1, {}, replayed=True)
        assert (Posting.objects.count(), SettlementLine.objects.count()) == (2, 2)

    def test_lines_of_another_file_are_refused(self, db: None) -> None:
        bring(GOOD)
        with pytest.raises(SettlementFileInvalid, match=r"Line 2 was imported before, in march.csv"):
            bring(GOOD.replace(b"po-1", b"po-2"))
        assert SettlementFile.objects.count() == 1

    def test_finds_what_the_ledger_does_not_know_until_it_does(self, seller: Member, buyer: Member) -> None:
        bring(GOOD)
        assert statuses() == ["missing_in_ledger"]
        capture(seller.id, buyer.id, 2470, "order:1")
        bring(settlement_file(payout="po-2,,0.00,0.00,EUR,2026-03-03T00:00:00Z"))
        assert statuses() == ["matched"]

    def test_finds_what_no_file_had_until_one_does(self, seller: Member, buyer: Member) -> None:
        capture(seller.id, buyer.id, 2470, "order:1")
        late = capture(seller.id, buyer.id, 500, "order:2")
        bring(GOOD)
        assert SettlementCase.objects.get(status="missing_in_file").posting_id == late.id
        payout = "po-2,,-4.00,0.00,EUR,2026-03-04T00:00:00Z"
        bring(settlement_file(payment("p-2", "order:2", "4.00"), payout=payout))
        case = SettlementCase.objects.get(posting_id=late.id)
        assert (case.status, case.line_minor, case.posting_minor) == ("amount_mismatch", 400, 500)

    def test_a_resolved_case_is_looked_at_again_when_a_file_has_it(
        self, seller: Member, buyer: Member
    ) -> None:
        capture(seller.id, buyer.id, 2470, "order:1")
        late = capture(seller.id, buyer.id, 400, "order:2")
        bring(GOOD)
        case = SettlementCase.objects.get(posting_id=late.id)
        resolve_case(case_id=case.id, staff_id="01STAFF", note="Provider says tomorrow", now=LATER)
        payout = "po-2,,-4.00,0.00,EUR,2026-03-04T00:00:00Z"
        bring(settlement_file(payment("p-2", "order:2", "4.00"), payout=payout))
        assert statuses() == ["matched", "matched"]

    def test_partial_refunds_of_one_order_find_their_own_posting(self, seller: Member, buyer: Member) -> None:
        capture(seller.id, buyer.id, 3970, "order:1")
        refund(500, "order:1", 1)
        refund(1000, "order:1", 2)
        bring(
            settlement_file(
                payment("p-1", "order:1", "39.70", "0.70"),
                "refund,r-2,order:1,-10.00,0.00,EUR,2026-03-02T13:00:00Z",
                "refund,r-1,order:1,-5.00,0.00,EUR,2026-03-02T13:00:00Z",
            )
        )
        assert statuses() == ["matched"] * 3

    def test_postings_of_another_provider_are_not_missed(self, seller: Member, buyer: Member) -> None:
        capture(seller.id, buyer.id, 2470, "order:1")
        import_settlement(
            provider="other",
            name="other.csv",
            content=settlement_file(
                payment("x-1", "", "1.00"), payout="po-9,,-1.00,0,EUR,2026-03-03T00:00:00Z"
            ),
            actor="system",
            now=LATER,
        )
        assert statuses() == ["missing_in_ledger"]

    def test_nothing_is_half_imported(self, db: None) -> None:
        bad = settlement_file(payment("p-1", "order:1", "24.70", "0.70"), payment("p-2", "order:2", "x"))
        with pytest.raises(SettlementFileInvalid):
            bring(bad)
        assert not SettlementFile.objects.exists()


class TestFile:
    @pytest.mark.parametrize(
        ("content", "problems"),
        [
            (b"", [("/lines/1", "wrong_columns")]),
            (b"a,b\n", [("/lines/1", "wrong_columns")]),
            (GOOD + b"payment,p\n", [("/lines/4", "wrong_columns")]),
            (GOOD.replace(b"order:1", b"order:\xff"), [("/lines/2", "not_utf8")]),
            (GOOD.replace(b"order:1", b'"order:1'), [("/lines/3", "not_csv")]),
            (GOOD.replace(b"payment,", b"present,"), [("/lines/2", "unknown_type")]),
            (GOOD.replace(b"0.70,EUR", b"0.70,XXX"), [("/lines/2", "unknown_currency")]),
            (GOOD.replace(b"0.70,EUR", b"0.70,PLN"), [("/lines/3", "mixed_currencies")]),
            (GOOD.replace(b"po-1", b"p-1"), [("/lines/3", "duplicate_line")]),
            (GOOD.replace(b"p-1,", b","), [("/lines/2", "invalid_provider_id")]),
            (GOOD.replace(b"order:1", "tvarka:ž".encode()), [("/lines/2", "invalid_reference")]),
            (GOOD.replace(b"24.70", b"24.701"), [("/lines/2", "invalid_amount")]),
            (GOOD.replace(b"24.70", b"-24.70"), [("/lines/2", "invalid_amount")]),
            (GOOD.replace(b"24.70", b"1e3"), [("/lines/2", "invalid_amount")]),
            (GOOD.replace(b"24.70", b"0"), [("/lines/2", "invalid_amount")]),
            (GOOD.replace(b"0.70", b"-0.70", 1), [("/lines/2", "invalid_fee")]),
            (GOOD.replace(b"12:00:00Z", b"12:00:00"), [("/lines/2", "invalid_occurred_at")]),
            (GOOD.replace(b"2026-03-03", b"2027-03-03"), [("/lines/3", "invalid_occurred_at")]),
            (GOOD.replace(b"24.70", b"24.71"), []),
            (GOOD.replace(b"payout,po-1,,-24.00,0.00,EUR,2026-03-03T00:00:00Z\n", b""), []),
            (b"x" * (MAX_BYTES + 1), []),
        ],
    )
    def test_that_is_wrong_is_refused_by_line(self, content: bytes, problems: list[tuple[str, str]]) -> None:
        assert codes(content) == problems

    def test_with_many_problems_names_them_all_at_once(self) -> None:
        rows = [payment("p-1", "order:1", "x"), payment("p-2", "order:2", "1.00", "y")]
        assert codes(settlement_file(*rows)) == [("/lines/2", "invalid_amount"), ("/lines/3", "invalid_fee")]

    def test_that_is_endless_is_refused(self) -> None:
        rows = [payment(f"p{n}", "", "1") for n in range(MAX_LINES)]
        assert codes(settlement_file(*rows)) == []

    def test_of_a_nameless_provider_is_refused(self) -> None:
        with pytest.raises(SettlementFileInvalid, match="no name of a provider"):
            read_settlement("../x", GOOD, now=LATER)

    def test_in_the_documentation_is_in_order(self) -> None:
        text = (REPOSITORY / "docs" / "money.md").read_text(encoding="utf-8")
        # An ellipsis stands for the rest of an id.
        cards, transfers = re.findall(r"```csv\n(.*?)```", text.replace("…", "X"), re.DOTALL)
        assert read_settlement(PROVIDER, cards.encode(), now=LATER).paid_out == euros(1900)
        assert len(read_settlement(PROVIDER, transfers.encode(), now=LATER + timedelta(days=60)).lines) == 5

    def test_with_a_byte_order_mark_and_windows_ends_of_line_is_read(self) -> None:
        content = b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n")
        assert read_settlement(PROVIDER, content, now=LATER).paid_out.amount_minor == 2400

    @settings(max_examples=50)
    @given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
    def test_of_any_bytes_is_refused_and_never_fails(self, noise: bytes) -> None:
        for content in (noise, GOOD + noise + b",\n"):
            with pytest.raises(SettlementFileInvalid):
                read_settlement(PROVIDER, content, now=LATER)


class TestResolve:
    def test_takes_a_reason_and_ends_the_case(self, db: None) -> None:
        bring(GOOD)
        case = SettlementCase.objects.get()
        resolve_case(case_id=case.id, staff_id="01STAFF", note="Test payment", now=LATER)
        case.refresh_from_db()
        assert (case.status, case.resolved_by, case.note) == ("resolved", "staff:01STAFF", "Test payment")
        with pytest.raises(SettlementCaseEnded) as refused:
            resolve_case(case_id=case.id, staff_id="01STAFF", note="Again", now=LATER)
        assert refused.value.code == "settlement_case_ended"

    def test_of_what_is_not_there(self, db: None) -> None:
        with pytest.raises(SettlementCaseNotFound) as refused:
            resolve_case(case_id="x", staff_id="01STAFF", note="?", now=LATER)
        assert refused.value.code == "settlement_case_not_found"

    def test_staff_resolves_and_imports_match(self) -> None:
        assert {row.verb for row in SETTLEMENT_CASE.transitions if row.actor == "staff"} == {"resolve"}
        assert SETTLEMENT_CASE.verbs("matched", "staff") == ()


class TestConstraints:
    def test_of_files_lines_and_cases(self, seller: Member, buyer: Member) -> None:
        """settlementfile_once, settlementfile_not_negative, settlementline_once, settlementline_known_type,
        settlementcase_known_status, settlementcase_has_its_sides, settlementcase_open_or_ended.
        """
        bring(GOOD)
        file, line = SettlementFile.objects.get(), SettlementLine.objects.get(number=2)
        case = SettlementCase.objects.filter(status="missing_in_ledger")
        same = {field.attname: getattr(file, field.attname) for field in file._meta.fields}
        broken: list[Callable[[], object]] = [
            lambda: SettlementFile.objects.create(**same | {"id": "x", "posting_id": None}),
            lambda: SettlementFile.objects.update(fees_minor=-1),
            lambda: SettlementLine.objects.exclude(id=line.id).update(provider_id="p-1"),
            lambda: SettlementLine.objects.update(type="present"),
            lambda: case.update(status="lost"),
            lambda: case.update(status="matched", ended_at=NOON),
            lambda: case.update(ended_at=NOON),
            lambda: case.update(status="resolved", ended_at=NOON),
        ]
        for make in broken:
            with pytest.raises(IntegrityError), transaction.atomic():
                make()


class TestCommand:
    def test_prints_what_was_found(self, tmp_path: Path, seller: Member, buyer: Member) -> None:
        capture(seller.id, buyer.id, 2470, "order:1")
        path = tmp_path / "march.csv"
        path.write_bytes(GOOD)
        for cases, replayed in (({"matched": 1}, False), ({}, True)):
            out = io.StringIO()
            call_command("import_settlement", PROVIDER, str(path), stdout=out)
            report = json.loads(out.getvalue())
            assert (report["cases"], report["replayed"]) == (cases, replayed)

    def test_says_which_lines_are_wrong(self, tmp_path: Path, db: None) -> None:
        path = tmp_path / "march.csv"
        path.write_bytes(settlement_file(payment("p", "", "x"), payment("q", "", "y")))
        with pytest.raises(CommandError, match=r"(?s)Line 2 .*Nothing was imported.\nLine 3 "):
            call_command("import_settlement", PROVIDER, str(path))
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("import_settlement", PROVIDER, str(tmp_path / "no.csv"))
