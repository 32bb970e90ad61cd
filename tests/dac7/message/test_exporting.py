"""Files leave the house: when they may, what is written down of it, and what is possible afterwards."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import pyrage
import pytest
from lxml import etree

from dac7.errors.filings import (
    FilingChanged,
    FilingNotFound,
    FilingNotReady,
    FilingOpen,
    OtherPersonNeeded,
    ReasonMissing,
    SellersNotTold,
)
from dac7.models.filings import Filing, FilingExport, FilingMessage, FilingRecord
from dac7.services import approving, filing
from tests.dac7.message.filings import (
    ANNA,
    BERND,
    NOW,
    SELLERS,
    answered,
    approved,
    corrected,
    filed,
    files,
    opened,
    status_of,
    told,
)
from tests.dac7.message.messages import SELLER

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


def export(message_id: str, reason: str = "To hand it in") -> None:
    """Nothing may be written where it is refused."""
    target = io.BytesIO()
    try:
        filing.export_message(
            message_id=message_id, target=target, by=f"staff:{ANNA}", reason=reason, now=NOW
        )
    finally:
        assert target.getvalue() == b""


def withdrawn() -> str:
    filing_id = told(approved(opened(*SELLERS)))
    files(filing_id)
    filing.withdraw_filing(filing_id=filing_id, staff_id=BERND, reason="Not in the portal", now=NOW)
    return filing_id


class TestExporting:
    def test_gives_the_validated_bytes(self) -> None:
        filing_id = told(approved(opened(*SELLERS)))
        (document,) = files(filing_id)
        message = FilingMessage.objects.get(filing_id=filing_id)
        assert (hashlib.sha256(document).hexdigest(), len(document)) == (message.sha256, message.byte_count)
        assert len(etree.fromstring(document).findall(".//{*}ReportableSeller")) == 3

    def test_to_a_recipient_it_is_encrypted(self, settings: Settings) -> None:
        authority = pyrage.x25519.Identity.generate()
        filing_id = told(approved(opened(*SELLERS)))
        (plain,) = files(filing_id)
        settings.DAC7_AGE_RECIPIENTS = [str(authority.to_public())]
        (document,) = files(filing_id)
        assert pyrage.decrypt(document, [authority]) == plain
        message = FilingMessage.objects.get(filing_id=filing_id)
        assert filing.file_name_of(message) == "LT2026-300000000-1-1.xml.age"

    def test_is_refused_before_two_persons_agreed_and_without_a_reason(self) -> None:
        filing_id = opened(*SELLERS)
        message = FilingMessage.objects.get(filing_id=filing_id)
        with pytest.raises(FilingNotReady):
            export(message.id)
        told(approved(filing_id))
        with pytest.raises(ReasonMissing):
            export(message.id, reason="")
        with pytest.raises(FilingNotFound):
            export("no")

    def test_is_refused_before_the_sellers_were_told(self) -> None:
        filing_id = approved(opened(SELLER))
        message = FilingMessage.objects.get(filing_id=filing_id)
        with pytest.raises(SellersNotTold) as raised:
            export(message.id)
        assert (raised.value.code, status_of(filing_id)) == ("filing_sellers_not_told", "approved")

    def test_nothing_comes_out_of_what_was_changed(self) -> None:
        filing_id = told(approved(opened(SELLER)))
        FilingRecord.objects.filter(filing_id=filing_id).update(kind="OECD2", corrects_ref="x")
        with pytest.raises(FilingChanged):
            export(FilingMessage.objects.get(filing_id=filing_id).id)
        assert (status_of(filing_id), FilingExport.objects.count()) == ("approved", 0)

    def test_is_written_down_before_the_first_byte_is_out(self) -> None:
        class Killed(io.BytesIO):
            def write(self, data: object) -> int:
                raise KeyboardInterrupt

        filing_id = told(approved(opened(SELLER)))
        message = FilingMessage.objects.get(filing_id=filing_id)
        with pytest.raises(KeyboardInterrupt):
            filing.export_message(
                message_id=message.id, target=Killed(), by=f"staff:{BERND}", reason="To look at it", now=NOW
            )
        row = FilingExport.objects.get()
        assert (row.message_id, row.exported_by, row.reason) == (
            message.id,
            f"staff:{BERND}",
            "To look at it",
        )
        assert status_of(filing_id) == "exported"

    def test_may_be_repeated_and_each_time_is_in_the_log(self) -> None:
        filing_id = told(approved(opened(SELLER)))
        assert files(filing_id) == files(filing_id, f"staff:{BERND}")
        assert set(FilingExport.objects.values_list("exported_by", flat=True)) == {
            f"staff:{ANNA}",
            f"staff:{BERND}",
        }


class TestFiling:
    def test_is_noted_with_its_receipt(self) -> None:
        filing_id = filed(opened(*SELLERS))
        row = Filing.objects.get(id=filing_id)
        assert (row.status, row.filing_note, row.filed_by) == ("filed", "No. 1", f"staff:{ANNA}")

    def test_needs_an_exported_one_and_a_receipt(self) -> None:
        filing_id = told(approved(opened(*SELLERS)))
        with pytest.raises(FilingNotReady):
            filing.file_filing(filing_id=filing_id, staff_id=ANNA, receipt="No. 1", now=NOW)
        files(filing_id)
        with pytest.raises(ReasonMissing):
            filing.file_filing(filing_id=filing_id, staff_id=ANNA, receipt="", now=NOW)

    def test_what_was_exported_or_handed_in_is_not_reopened(self) -> None:
        filing_id = told(approved(opened(*SELLERS)))
        files(filing_id)
        with pytest.raises(FilingNotReady):
            approving.reopen_filing(filing_id=filing_id, staff_id=ANNA, reason="Oh", now=NOW)
        filing.file_filing(filing_id=filing_id, staff_id=ANNA, receipt="No. 1", now=NOW)
        with pytest.raises(FilingNotReady):
            approving.reopen_filing(filing_id=filing_id, staff_id=ANNA, reason="Oh", now=NOW)


class TestWithdrawing:
    def test_takes_another_person_than_who_exported_and_a_reason(self) -> None:
        filing_id = told(approved(opened(SELLER)))
        files(filing_id)
        with pytest.raises(OtherPersonNeeded):
            filing.withdraw_filing(filing_id=filing_id, staff_id=ANNA, reason="Wrong year", now=NOW)
        with pytest.raises(ReasonMissing):
            filing.withdraw_filing(filing_id=filing_id, staff_id=BERND, reason=" ", now=NOW)
        filing.withdraw_filing(filing_id=filing_id, staff_id=BERND, reason="Not in the portal", now=NOW)
        row = Filing.objects.get(id=filing_id)
        assert (row.status, row.open_key, row.withdrawn_by) == ("withdrawn", None, f"staff:{BERND}")

    def test_lets_the_next_filing_say_all_of_it_under_ids_of_its_own(self) -> None:
        first = withdrawn()
        second = corrected(*SELLERS)
        messages = FilingMessage.objects.filter(filing_id=second)
        assert [(one.indicator, one.operator_kind, one.seller_count) for one in messages] == [
            ("DPI401", "OECD1", 3)
        ]
        refs = [
            set(FilingRecord.objects.filter(filing_id=id_).values_list("doc_ref", flat=True))
            for id_ in (first, second)
        ]
        assert not refs[0] & refs[1]
        answered(filed(second))
        assert status_of(second) == "accepted"

    def test_is_undone_when_it_was_handed_in_after_all(self) -> None:
        filing_id = withdrawn()
        filing.file_filing(filing_id=filing_id, staff_id=BERND, receipt="No. 9", now=NOW)
        answered(filing_id)
        assert status_of(filing_id) == "accepted"
        assert files(filing_id, f"staff:{BERND}")  # who withdrew it may read it all the same

    def test_is_final_once_another_one_was_opened(self) -> None:
        filing_id = withdrawn()
        corrected(*SELLERS)
        with pytest.raises(FilingOpen):
            filing.file_filing(filing_id=filing_id, staff_id=BERND, receipt="No. 9", now=NOW)

    def test_is_not_for_what_was_never_exported_or_was_handed_in(self) -> None:
        filing_id = approved(opened(SELLER))
        with pytest.raises(FilingNotReady):
            filing.withdraw_filing(filing_id=filing_id, staff_id=BERND, reason="x", now=NOW)
        files(told(filing_id))
        filing.file_filing(filing_id=filing_id, staff_id=ANNA, receipt="No. 1", now=NOW)
        with pytest.raises(FilingNotReady):
            filing.withdraw_filing(filing_id=filing_id, staff_id=BERND, reason="x", now=NOW)
