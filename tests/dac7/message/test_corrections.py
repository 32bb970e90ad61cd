"""What the authority answers, and how later filings point to what it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from dac7.errors.filings import FilingOpen, NothingFiledYet, StatusRefused
from dac7.message.records import PostalAddress
from dac7.message.writer import RecordKind
from dac7.models.filings import Filing, FilingMessage, FilingRecord
from dac7.queries.filings import list_differences
from dac7.services import correcting, importing_status
from tests.dac7.message.filings import (
    ANNA,
    NOW,
    SELLERS,
    YEAR,
    answered,
    approved,
    corrected,
    earning,
    filed,
    files,
    opened,
    records,
    status_of,
)
from tests.dac7.message.messages import COMPANY, SELLER
from tests.dac7.message.statuses import status

pytestmark = pytest.mark.django_db

WHO = SELLER.seller_id
LATER = NOW + timedelta(days=40)


def ref(number: int, seller_id: str = WHO) -> str:
    return f"LT2026-300000000-{number}-{seller_id}"


def statuses(filing_id: str) -> set[str]:
    return set(FilingRecord.objects.filter(filing_id=filing_id).values_list("status", flat=True))


class TestAnswers:
    def test_accepted(self) -> None:
        filing_id = filed(opened(*SELLERS))
        answered(filing_id)
        assert (status_of(filing_id), statuses(filing_id)) == ("accepted", {"accepted"})
        assert Filing.objects.get(id=filing_id).open_key is None

    def test_only_the_named_records_are_in_error(self) -> None:
        filing_id = filed(opened(*SELLERS))
        answered(filing_id, errors=[("98001", [ref(1)])])
        assert status_of(filing_id) == "partly_accepted"
        wrong = FilingRecord.objects.get(filing_id=filing_id, status="in_error")
        assert (wrong.seller_id, wrong.error_code, wrong.standing_key) == (WHO, "98001", None)
        assert wrong.error_details is not None
        assert wrong.error_details.reveal() == "see 98001"
        assert FilingRecord.objects.filter(filing_id=filing_id, status="accepted").count() == 2

    def test_rejected_with_everything_in_it(self) -> None:
        filing_id = filed(opened(*SELLERS))
        answered(filing_id, result="Rejected", errors=[("98001", [ref(1)])])
        assert (status_of(filing_id), statuses(filing_id)) == ("rejected", {"rejected", "in_error"})
        assert not FilingRecord.objects.filter(standing_key__isnull=False).exists()

    def test_the_filing_waits_for_the_answer_to_its_last_file(self, two_files: str) -> None:
        first, second = FilingMessage.objects.filter(filing_id=two_files)
        importing_status.import_status(data=status(first.message_ref), by="t", now=NOW)
        assert status_of(two_files) == "filed"
        importing_status.import_status(data=status(second.message_ref, result="Rejected"), by="t", now=NOW)
        assert status_of(two_files) == "partly_accepted"

    def test_the_same_answer_again_changes_nothing(self) -> None:
        filing_id = filed(opened(*SELLERS))
        answered(filing_id)
        answered(filing_id)
        assert status_of(filing_id) == "accepted"

    def test_an_error_of_the_operators_record_is_kept_and_the_operator_is_sent_anew(self) -> None:
        filing_id = filed(opened(SELLER))
        message = FilingMessage.objects.get(filing_id=filing_id)
        data = status(message.message_ref, records=[("98006", [message.operator_ref])])
        importing_status.import_status(data=data, by="t", now=NOW)
        message.refresh_from_db()
        assert message.answer_codes == "operator:98006"
        again = FilingMessage.objects.get(filing_id=corrected(earning(SELLER, 11, 1)))
        assert (again.operator_kind, again.operator_ref) == ("OECD1", "LT2026-300000000-2-1-operator")

    @pytest.fixture
    def two_files(self, monkeypatch: pytest.MonkeyPatch) -> str:
        from dac7.message import dialects

        monkeypatch.setitem(
            dialects.DIALECTS, "sandbox", replace(dialects.DIALECTS["sandbox"], most_sellers=2)
        )
        return filed(opened(*SELLERS))


class TestAnswersThatAreRefused:
    """Nothing of them counts."""

    @pytest.mark.parametrize(
        ("made", "rule"),
        [
            (lambda m: b"<!DOCTYPE x>" + status(m.message_ref), "doctype"),
            (lambda m: status("from-another-world"), "status_of_unknown_message"),
            (lambda m: status(m.message_ref, records=[("99999", [ref(1)])]), "status_code_unknown"),
            (
                lambda m: status(m.message_ref, records=[("98001", [ref(1)]), ("98001", ["foreign"])]),
                "status_foreign_record",
            ),
        ],
    )
    def test_by_name(self, made: Callable[[FilingMessage], bytes], rule: str) -> None:
        filing_id = filed(opened(*SELLERS))
        with pytest.raises(StatusRefused) as raised:
            importing_status.import_status(
                data=made(FilingMessage.objects.get(filing_id=filing_id)), by="t", now=NOW
            )
        assert (raised.value.code, raised.value.extra["rule"]) == ("status_refused", rule)
        assert (status_of(filing_id), statuses(filing_id)) == ("filed", {"pending"})

    def test_to_what_was_not_handed_in(self) -> None:
        message = FilingMessage.objects.get(filing_id=approved(opened(SELLER)))
        with pytest.raises(StatusRefused) as raised:
            importing_status.import_status(data=status(message.message_ref), by="t", now=NOW)
        assert raised.value.extra["rule"] == "status_not_expected"

    def test_another_answer_than_the_first(self) -> None:
        filing_id = filed(opened(SELLER))
        answered(filing_id)
        message = FilingMessage.objects.get(filing_id=filing_id)
        with pytest.raises(StatusRefused) as raised:
            importing_status.import_status(
                data=status(message.message_ref, result="Rejected"), by="t", now=NOW
            )
        assert raised.value.extra["rule"] == "status_already_known"
        assert statuses(filing_id) == {"accepted"}


class TestCorrecting:
    def test_twice_and_then_deleted_is_one_chain(self) -> None:
        answered(filed(opened(SELLER)))
        filings = []
        for figures in ([earning(SELLER, 31, 3)], [earning(SELLER, 30, 2)], []):
            filing_id = corrected(*figures)
            filed(filing_id, LATER)
            answered(filing_id)
            filings.append(filing_id)
        assert [records(filing_id) for filing_id in filings] == [
            [("OECD2", WHO, ref(2), ref(1))],
            [("OECD2", WHO, ref(3), ref(2))],
            [("OECD3", WHO, ref(4), ref(3))],
        ]
        messages = FilingMessage.objects.filter(filing_id__in=filings)
        assert {(m.indicator, m.operator_kind, m.operator_ref) for m in messages} == {
            ("DPI402", "OECD0", "LT2026-300000000-1-1-operator")
        }
        assert not FilingRecord.objects.filter(standing_key__isnull=False).exists()

    def test_a_rejected_correction_is_passed_over_by_the_next_one(self) -> None:
        answered(filed(opened(SELLER)))
        refused = corrected(earning(SELLER, 31, 3))
        answered(filed(refused, LATER), result="Rejected")
        again = corrected(earning(SELLER, 31, 3))
        assert records(again) == [("OECD2", WHO, ref(3), ref(1))]
        answered(filed(again, LATER))
        assert status_of(refused) == "corrected"

    def test_a_correction_in_error_is_passed_over_too(self) -> None:
        answered(filed(opened(SELLER)))
        refused = corrected(earning(SELLER, 31, 3))
        answered(filed(refused, LATER), errors=[("98004", [ref(2)])])
        assert records(corrected(earning(SELLER, 31, 3))) == [("OECD2", WHO, ref(3), ref(1))]

    def test_one_who_was_refused_is_sent_as_new_again(self) -> None:
        first = filed(opened(*SELLERS))
        answered(first, errors=[("98001", [ref(1)])])
        second = corrected(*SELLERS)
        assert records(second) == [("OECD1", WHO, ref(2), "")]
        assert FilingMessage.objects.get(filing_id=second).indicator == "DPI401"
        answered(filed(second, LATER))
        assert (status_of(first), status_of(second)) == ("corrected", "accepted")

    def test_new_and_changed_sellers_go_into_files_of_their_own(self) -> None:
        answered(filed(opened(SELLER)))
        filing_id = filed(
            corrected(*sorted((earning(SELLER, 31, 3), COMPANY), key=lambda s: s.member_ids)), LATER
        )
        messages = FilingMessage.objects.filter(filing_id=filing_id)
        assert [(m.indicator, m.seller_count) for m in messages] == [("DPI401", 1), ("DPI402", 1)]
        assert all(b"OECD0" in document for document in files(filing_id))

    def test_a_deleted_seller_who_sold_after_all_is_new(self) -> None:
        answered(filed(opened(*SELLERS)))
        answered(filed(corrected(*(s for s in SELLERS if s != SELLER)), LATER))
        assert records(corrected(*SELLERS)) == [("OECD1", WHO, ref(3), "")]

    def test_with_nothing_to_say_ends_at_once(self) -> None:
        answered(filed(opened(*SELLERS)))
        filing_id = corrected(*SELLERS)
        assert status_of(filing_id) == "unchanged"
        assert not FilingMessage.objects.filter(filing_id=filing_id).exists()
        corrected(*SELLERS)

    def test_after_a_nil_return_sellers_are_new(self) -> None:
        answered(filed(opened()))
        assert status_of(corrected()) == "unchanged"
        assert [kind for kind, *_ in records(corrected(SELLER))] == ["OECD1"]

    def test_after_a_rejected_nil_return_it_is_sent_again(self) -> None:
        answered(filed(opened()), result="Rejected")
        assert FilingMessage.objects.get(filing_id=corrected()).indicator == "DPI403"

    def test_waits_for_the_answer_to_the_one_before(self) -> None:
        with pytest.raises(NothingFiledYet) as nothing:
            correcting.open_correction(year=YEAR, by="t", reason="Refunds", now=NOW)
        assert nothing.value.code == "nothing_filed_yet"
        filed(opened(SELLER))
        with pytest.raises(FilingOpen) as still_open:
            correcting.open_correction(year=YEAR, by="t", reason="Refunds", now=NOW)
        assert still_open.value.code == "filing_open"


class TestScenarios:
    """Two of the design's list; the figures themselves are those of tests/dac7/figures."""

    def test_filed_with_30_sales_one_later_refunded_is_deleted(self) -> None:
        answered(filed(opened(earning(SELLER, 30, 30))))
        filing_id = corrected()
        assert [(kind, who) for kind, who, *_ in records(filing_id)] == [("OECD3", WHO)]
        assert FilingMessage.objects.get(filing_id=filing_id).indicator == "DPI402"

    def test_filed_with_31_for_1900_one_of_60_refunded_in_february_is_corrected_in_its_quarter(self) -> None:
        answered(filed(opened(earning(SELLER, 1900, 31))))
        filing_id = corrected(earning(SELLER, 1840, 30))
        (difference,) = list_differences(Filing.objects.get(id=filing_id), limit=10)
        assert (difference.kind, difference.figures, difference.details) == (
            RecordKind.CORRECTED,
            (("Q1 consideration", 1900, 1840), ("Q1 activities", 31, 30)),
            (),
        )


class TestDifferences:
    def test_details_are_named_but_not_told(self) -> None:
        answered(filed(opened(*SELLERS)))
        moved = replace(SELLER, address=PostalAddress("LT", "Vilnius"))
        filing_id = corrected(*sorted((moved, COMPANY), key=lambda s: s.member_ids))
        found = {
            d.doc_ref: (d.kind, d.details)
            for d in list_differences(Filing.objects.get(id=filing_id), limit=10)
        }
        assert found[ref(2)] == (RecordKind.CORRECTED, ("address",))
        assert sorted(kind for kind, _ in found.values()) == ["OECD2", "OECD3"]
        assert len(list_differences(Filing.objects.get(id=filing_id), limit=1)) == 1

    def test_are_made_by_staff_with_a_reason(self) -> None:
        answered(filed(opened(SELLER)))
        row = Filing.objects.get(id=corrected(earning(SELLER, 11, 1)))
        assert (row.number, row.reason, row.opened_by) == (2, "Refunds", f"staff:{ANNA}")
