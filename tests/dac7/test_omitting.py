"""Somebody never answers, and the report of all others is not late because of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client

from dac7.errors.filings import FilingNotReady, FilingWouldBeNil, NobodyToOmit
from dac7.models.filings import Filing, FilingMessage, FilingOmission, FilingRecord
from dac7.profile_rules import GivenTin
from dac7.queries.diligence import list_events
from dac7.services import advancing, approving, correcting, filing, omitting
from foundation.money import Money
from members.models import Member
from tests.dac7.message.filings import ANNA, BERND, NOW, YEAR, answered, files, status_of, told
from tests.dac7.message.messages import SELLER
from tests.factories.members import make_member
from tests.factories.sales import sell_many
from tests.factories.tax import give_profile, person

pytestmark = pytest.mark.django_db

MARCH, LATER = datetime(YEAR, 3, 3, 12, tzinfo=UTC), NOW + timedelta(days=40)


@pytest.fixture
def silent(seller: Member) -> Member:
    """Thirty sales, and no word about taxes; Jonas with as many said everything."""
    jonas = make_member("Jonas")
    details = person(first_name="Jonas", last_name="Petraitis", tins=(GivenTin("DE", "36574261809"),))
    give_profile(jonas.id, details, now=MARCH)
    for member in (seller, jonas):
        sell_many(member.id, [Money(1000, "EUR")] * 30, at=MARCH)
    return seller


def advanced(filing_id: str | None = None, now: datetime = NOW) -> str:
    filing_id = filing_id or advancing.open_january_filing(now=now)
    assert filing_id is not None
    advancing.advance_filing(filing_id=filing_id, now=now)
    return filing_id


def omit(filing_id: str) -> int:
    return omitting.omit_silent_sellers(
        filing_id=filing_id, staff_id=ANNA, reason="Two reminders, withheld since May", now=NOW
    )


def taken(filing_id: str) -> None:
    """By two persons, and the authority."""
    approving.review_filing(filing_id=filing_id, staff_id=ANNA, note="Fine.", now=NOW)
    approving.approve_filing(filing_id=filing_id, staff_id=BERND, note="Fine.", now=NOW)
    files(told(filing_id))
    filing.file_filing(filing_id=filing_id, staff_id=ANNA, receipt="No. 1", now=NOW)
    answered(filing_id)


class TestASilentSeller:
    def test_is_left_out_and_taken_in_by_the_next_filing(self, silent: Member) -> None:
        filing_id = advanced()
        assert status_of(filing_id) == "compiled"
        assert omit(filing_id) == 1
        advanced(filing_id)
        assert status_of(filing_id) == "validated"
        assert not FilingRecord.objects.filter(filing_id=filing_id, seller_id=silent.id).exists()
        taken(filing_id)
        give_profile(silent.id, now=LATER)
        second = correcting.open_correction(year=YEAR, by=f"staff:{ANNA}", reason="An answer", now=LATER)
        advanced(second, LATER)
        rows = FilingRecord.objects.filter(filing_id=second).values_list("seller_id", "kind")
        assert (list(rows), status_of(second)) == ([(silent.id, "OECD1")], "validated")
        assert FilingMessage.objects.get(filing_id=second).indicator == "DPI401"

    def test_is_named_with_who_decided_and_why(self, silent: Member) -> None:
        filing_id = advanced()
        omit(filing_id)
        row = FilingOmission.objects.get()
        assert (row.seller_id, row.omitted_by) == (silent.id, f"staff:{ANNA}")
        (event,) = [one for one in list_events(silent.id) if one.verb == "omit"]
        assert event.actor == f"staff:{ANNA}"

    def test_who_answers_before_it_is_filed_is_taken_in_by_reopening(self, silent: Member) -> None:
        filing_id = advanced()
        omit(filing_id)
        advanced(filing_id)
        give_profile(silent.id, now=NOW)
        approving.reopen_filing(filing_id=filing_id, staff_id=ANNA, reason="An answer", now=NOW)
        advanced(filing_id)
        assert status_of(filing_id) == "validated"
        assert FilingRecord.objects.filter(filing_id=filing_id, seller_id=silent.id).exists()

    def test_who_was_reported_before_is_neither_corrected_nor_deleted(self, silent: Member) -> None:
        give_profile(silent.id, now=MARCH)
        filing_id = advanced()
        taken(filing_id)
        second = correcting.open_correction(year=YEAR, by=f"staff:{ANNA}", reason="x", now=LATER)
        FilingOmission.objects.create(
            filing_id=second, seller_id=silent.id, omitted_at=LATER, omitted_by="staff:1", reason="x"
        )
        assert advanced(second, LATER) == second
        assert status_of(second) == "unchanged"


class TestIsRefused:
    def test_where_nobody_would_be_left(self, seller: Member) -> None:
        sell_many(seller.id, [Money(1000, "EUR")] * 30, at=MARCH)
        filing_id = advanced()
        with pytest.raises(FilingWouldBeNil) as refused:
            omit(filing_id)
        assert (refused.value.code, status_of(filing_id)) == ("filing_would_be_nil", "compiled")

    def test_where_all_others_are_gone_by_the_time_it_is_compiled(self, seller: Member) -> None:
        sell_many(seller.id, [Money(1000, "EUR")] * 30, at=MARCH)
        filing_id = str(advancing.open_january_filing(now=NOW))
        FilingOmission.objects.create(
            filing_id=filing_id, seller_id=seller.id, omitted_at=NOW, omitted_by="staff:1", reason="x"
        )
        with pytest.raises(FilingWouldBeNil):
            advanced(filing_id)
        advanced(filing_id)  # everybody is in it again, and the rules say who is missing what
        assert (status_of(filing_id), FilingMessage.objects.get().indicator) == ("compiled", "DPI401")

    def test_where_the_fault_is_ours(self, silent: Member) -> None:
        give_profile(silent.id, now=MARCH)
        filing_id = advanced()
        Filing.objects.filter(id=filing_id).update(status="compiled")
        with pytest.raises(NobodyToOmit) as refused:
            omit(filing_id)
        assert refused.value.code == "filing_nobody_to_omit"

    def test_before_the_rules_were_applied(self, silent: Member) -> None:
        filing_id = advancing.open_january_filing(now=NOW)
        with pytest.raises(FilingNotReady):
            omit(str(filing_id))


class TestTheAdmin:
    def test_leaves_out_and_shows_who(self, silent: Member) -> None:
        anna = make_member("Anna", is_staff=True)
        anna.user_permissions.set(Permission.objects.filter(codename__in=["view_filing", "change_filing"]))
        client = Client()
        client.force_login(anna)
        filing_id = advanced()
        form = {"action": "omit", "_selected_action": filing_id, "confirmed": "1", "note": "Silent"}
        assert b"done" in client.post("/admin/dac7/filing/", form, follow=True).content
        page = client.get(f"/admin/dac7/filing/{filing_id}/change/").content.decode()
        assert "Left out for now: 1 sellers" in page
        assert silent.id in page


class TestConstraints:
    @pytest.mark.parametrize("name", ["filingomission_once", "filingomission_has_reason"])
    def test_refuse_what_cannot_be(self, silent: Member, name: str) -> None:
        filing_id = advanced()
        omit(filing_id)
        seller_id = silent.id if name == "filingomission_once" else SELLER.seller_id
        with pytest.raises(IntegrityError), transaction.atomic():
            FilingOmission.objects.create(
                filing_id=filing_id, seller_id=seller_id, omitted_at=NOW, omitted_by="staff:1", reason=""
            )
