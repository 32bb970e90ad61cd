"""From collecting to accepted, by whom, and what is refused on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from dac7.errors.filings import (
    DialectUnknown,
    FilingChanged,
    FilingClaimed,
    FilingNotFound,
    FilingNotReady,
    OtherPersonNeeded,
    ReasonMissing,
    RecordUnwritable,
    ReviewMissing,
    SourceDisordered,
)
from dac7.lifecycle.filings import FilingStatus
from dac7.message import dialects
from dac7.message.records import ReportedSeller
from dac7.models.filings import Filing, FilingFinding, FilingMessage, FilingRecord
from dac7.services import approving, compiling, validating
from tests.dac7.message.filings import (
    ANNA,
    BERND,
    NOW,
    SELLERS,
    YEAR,
    Reported,
    approved,
    earning,
    opened,
    status_of,
)
from tests.dac7.message.messages import SELLER

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


class TestOpening:
    def test_twice_gives_one_filing(self) -> None:
        first = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
        again = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW + timedelta(days=1))
        assert (first, status_of(first)) == (again, "collecting")

    def test_needs_a_reason_and_a_known_form(self, settings: Settings) -> None:
        with pytest.raises(ReasonMissing) as raised:
            compiling.open_filing(year=YEAR, by="clock", reason=" ", now=NOW)
        assert raised.value.code == "filing_reason_missing"
        settings.DAC7_DIALECT = "klingon"
        with pytest.raises(DialectUnknown) as unknown:
            compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
        assert unknown.value.code == "filing_dialect_unknown"


class TestCompiling:
    def test_freezes_records_under_ids_of_their_own(self) -> None:
        filing_id = opened(*SELLERS)
        assert status_of(filing_id) == "compiled"
        refs = list(FilingRecord.objects.filter(filing_id=filing_id).values_list("doc_ref", flat=True))
        assert refs == [f"LT2026-300000000-1-{seller.seller_id}" for seller in SELLERS]
        message = FilingMessage.objects.get(filing_id=filing_id)
        assert (message.indicator, message.seller_count, message.operator_kind) == ("DPI401", 3, "OECD1")
        assert message.file_name == "LT2026-300000000-1-1.xml"

    def test_nobody_reportable_gives_a_nil_return(self) -> None:
        message = FilingMessage.objects.get(filing_id=opened())
        assert (message.indicator, message.seller_count) == ("DPI403", 0)

    def test_the_figures_are_not_readable_in_the_database(self) -> None:
        record = FilingRecord.objects.filter(filing_id=opened(SELLER)).get()
        assert b"Ona" not in record.figures.envelope

    def test_again_after_it_is_done_changes_nothing(self) -> None:
        filing_id = opened(*SELLERS)
        source = Reported()
        again = compiling.compile_filing(filing_id=filing_id, source=source, now=NOW)
        assert (again, source.asked) == (FilingStatus.COMPILED, [])

    def test_anew_on_the_same_data_gives_the_same_bytes(self) -> None:
        filing_id = opened(*SELLERS)
        first = [m.sha256 for m in FilingMessage.objects.filter(filing_id=filing_id)]
        approving.reopen_filing(filing_id=filing_id, staff_id=ANNA, reason="To be sure", now=NOW)
        compiling.compile_filing(filing_id=filing_id, source=Reported(*SELLERS), now=NOW + timedelta(days=3))
        assert [m.sha256 for m in FilingMessage.objects.filter(filing_id=filing_id)] == first

    def test_a_worker_that_died_leaves_nothing_half_done(self) -> None:
        class Dying(Reported):
            def __call__(self, **about: object) -> Iterator[ReportedSeller]:
                yield SELLERS[0]
                raise KeyboardInterrupt

        filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
        with pytest.raises(KeyboardInterrupt):
            compiling.compile_filing(filing_id=filing_id, source=Dying(), now=NOW)
        compiling.compile_filing(filing_id=filing_id, source=Reported(*SELLERS), now=NOW)
        assert FilingRecord.objects.filter(filing_id=filing_id).count() == 3

    def test_by_two_workers_at_once_is_done_by_one(self) -> None:
        filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
        second: list[object] = []

        class Slow(Reported):
            def __call__(self, **about: object) -> Iterator[ReportedSeller]:
                with pytest.raises(FilingClaimed) as raised:
                    compiling.compile_filing(filing_id=filing_id, source=Reported(), now=NOW)
                second.append(raised.value.code)
                yield from SELLERS

        compiling.compile_filing(filing_id=filing_id, source=Slow(), now=NOW)
        assert second == ["filing_claimed"]
        assert FilingRecord.objects.filter(filing_id=filing_id).count() == 3

    def test_a_worker_whose_claim_has_run_out_loses_to_the_next_one(self) -> None:
        filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
        later = NOW + compiling.LEASE + timedelta(seconds=1)

        class Sleeping(Reported):
            def __call__(self, **about: object) -> Iterator[ReportedSeller]:
                compiling.compile_filing(filing_id=filing_id, source=Reported(SELLERS[0]), now=later)
                yield from SELLERS

        with pytest.raises(FilingClaimed):
            compiling.compile_filing(filing_id=filing_id, source=Sleeping(), now=NOW)
        assert FilingRecord.objects.filter(filing_id=filing_id).count() == 1
        assert status_of(filing_id) == "compiled"

    def test_a_source_out_of_order_is_refused(self) -> None:
        filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
        for sellers in ((SELLERS[1], SELLERS[0]), (SELLERS[0], SELLERS[0])):
            with pytest.raises(SourceDisordered) as raised:
                compiling.compile_filing(filing_id=filing_id, source=Reported(*sellers), now=NOW)
            assert raised.value.code == "filing_source_disordered"
        assert status_of(filing_id) == "collecting"

    def test_a_text_that_xml_cannot_hold_is_found_and_named(self) -> None:
        filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
        with pytest.raises(RecordUnwritable) as raised:
            compiling.compile_filing(
                filing_id=filing_id, source=Reported(replace(SELLER, last_name="Pet\x02ra")), now=NOW
            )
        assert raised.value.code == "filing_record_unwritable"
        finding = FilingFinding.objects.get(filing_id=filing_id)
        assert (finding.rule, finding.doc_ref) == (
            "control_character",
            f"LT2026-300000000-1-{SELLER.seller_id}",
        )
        assert status_of(filing_id) == "collecting"

    @pytest.mark.parametrize(("most", "counts"), [(1, [1, 1, 1]), (2, [2, 1]), (3, [3]), (4, [3])])
    def test_no_file_is_empty_or_too_large(
        self, monkeypatch: pytest.MonkeyPatch, most: int, counts: list[int]
    ) -> None:
        small = replace(dialects.DIALECTS["sandbox"], most_sellers=most)
        monkeypatch.setitem(dialects.DIALECTS, "sandbox", small)
        messages = FilingMessage.objects.filter(filing_id=approved(opened(*SELLERS)))
        assert list(messages.values_list("seller_count", flat=True)) == counts

    def test_large_filings_are_cut_and_the_operator_is_sent_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small = replace(dialects.DIALECTS["sandbox"], most_sellers=2)
        monkeypatch.setitem(dialects.DIALECTS, "sandbox", small)
        filing_id = approved(opened(*SELLERS))
        messages = list(FilingMessage.objects.filter(filing_id=filing_id))
        assert [(m.part, m.seller_count, m.operator_kind) for m in messages] == [
            (1, 2, "OECD1"),
            (2, 1, "OECD0"),
        ]
        assert messages[0].operator_ref == messages[1].operator_ref
        assert len({m.message_ref for m in messages} | {m.file_name for m in messages}) == 4
        assert status_of(filing_id) == "approved"

    def test_files_are_cut_by_size_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        small = replace(dialects.DIALECTS["sandbox"], most_bytes=1_000_001)
        monkeypatch.setitem(dialects.DIALECTS, "sandbox", small)
        many = [replace(SELLER, member_ids=(f"01M00000000000000000{n:06d}",)) for n in range(60)]
        sizes = FilingMessage.objects.filter(filing_id=opened(*many)).values_list("byte_count", flat=True)
        assert len(sizes) > 1
        assert max(sizes) < 200_000


class TestValidating:
    def test_what_is_right_is_validated(self) -> None:
        filing_id = opened(*SELLERS)
        assert validating.validate_filing(filing_id=filing_id, now=NOW) == FilingStatus.VALIDATED
        assert not FilingFinding.objects.exists()

    def test_what_is_wrong_stays_compiled_with_its_findings(self) -> None:
        wrong = replace(
            SELLER, quarters=(replace(SELLER.quarters[0], consideration=-5), *SELLER.quarters[1:])
        )
        filing_id = opened(wrong)
        assert validating.validate_filing(filing_id=filing_id, now=NOW) == FilingStatus.COMPILED
        finding = FilingFinding.objects.get()
        assert (finding.rule, finding.is_warning) == ("negative_amount", False)
        assert finding.doc_ref.endswith(SELLER.seller_id)

    def test_a_warning_does_not_hold_it_up(self) -> None:
        filing_id = opened(earning(SELLER, 0, 1))
        assert validating.validate_filing(filing_id=filing_id, now=NOW) == FilingStatus.VALIDATED
        assert FilingFinding.objects.get().rule == "rounded_to_zero"

    def test_without_the_authoritys_schema_nothing_is_validated(self, settings: Settings) -> None:
        settings.DAC7_DIALECT = "hu"
        filing_id = opened(*SELLERS)
        assert validating.validate_filing(filing_id=filing_id, now=NOW) == FilingStatus.COMPILED
        assert FilingFinding.objects.get().rule == "schema_missing"

    def test_needs_a_compiled_filing(self) -> None:
        filing_id = compiling.open_filing(year=YEAR, by="clock", reason="January", now=NOW)
        with pytest.raises(FilingNotReady) as raised:
            validating.validate_filing(filing_id=filing_id, now=NOW)
        assert raised.value.code == "filing_not_ready"

    def test_finds_when_a_frozen_record_was_changed_behind_its_back(self) -> None:
        filing_id = opened(SELLER)
        record = FilingRecord.objects.get(filing_id=filing_id)
        record.figures = record.figures.reveal().replace("2000", "2001")
        record.save(update_fields=["figures"])
        with pytest.raises(FilingChanged) as raised:
            validating.validate_filing(filing_id=filing_id, now=NOW)
        assert raised.value.code == "filing_changed"


class TestApproving:
    def test_takes_two_persons(self) -> None:
        filing_id = opened(*SELLERS)
        validating.validate_filing(filing_id=filing_id, now=NOW)
        with pytest.raises(ReviewMissing) as missing:
            approving.approve_filing(filing_id=filing_id, staff_id=BERND, note="Fine.", now=NOW)
        assert missing.value.code == "filing_review_missing"
        approving.review_filing(filing_id=filing_id, staff_id=ANNA, note="Fine.", now=NOW)
        with pytest.raises(OtherPersonNeeded) as same:
            approving.approve_filing(filing_id=filing_id, staff_id=ANNA, note="Fine.", now=NOW)
        assert same.value.code == "filing_other_person_needed"
        approving.approve_filing(filing_id=filing_id, staff_id=BERND, note="Fine.", now=NOW)
        assert status_of(filing_id) == "approved"

    def test_what_was_not_validated_is_refused(self) -> None:
        filing_id = opened(*SELLERS)
        for verb in (approving.review_filing, approving.approve_filing):
            with pytest.raises(FilingNotReady):
                verb(filing_id=filing_id, staff_id=ANNA, note="Fine.", now=NOW)

    def test_needs_a_note(self) -> None:
        filing_id = opened(*SELLERS)
        validating.validate_filing(filing_id=filing_id, now=NOW)
        with pytest.raises(ReasonMissing):
            approving.review_filing(filing_id=filing_id, staff_id=ANNA, note=" ", now=NOW)

    def test_reopened_it_needs_both_again(self) -> None:
        filing_id = approved(opened(*SELLERS))
        approving.reopen_filing(filing_id=filing_id, staff_id=ANNA, reason="A seller moved", now=NOW)
        row = Filing.objects.get(id=filing_id)
        assert (row.status, row.reviewed_by, row.approved_by) == ("collecting", "", "")
        compiling.compile_filing(filing_id=filing_id, source=Reported(*SELLERS), now=NOW)
        approved(filing_id)

    def test_of_a_filing_that_is_not_there(self) -> None:
        with pytest.raises(FilingNotFound) as raised:
            approving.review_filing(filing_id="no", staff_id=ANNA, note="Fine.", now=NOW)
        assert raised.value.code == "filing_not_found"
