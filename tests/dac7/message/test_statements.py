"""The seller's copy: the figures of the file, for nobody else, announced before the report goes out."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pypdf
import pytest
from rest_framework.test import APIClient

from dac7.message.records import ReportedSeller
from dac7.models.filings import Filing, RecordedMember
from dac7.services import announcing, approving, compiling
from dac7.statements.pdf import render_pdf
from dac7.statements.statement import Statement
from foundation.languages import LANGUAGES
from members.models import Member, Notice
from tests.dac7.message.filings import (
    ANNA,
    NOW,
    YEAR,
    Reported,
    answered,
    approved,
    corrected,
    earning,
    filed,
    opened,
    records,
)
from tests.dac7.message.messages import NAMELESS_TIN, SELLER
from tests.factories.members import make_member

pytestmark = pytest.mark.django_db

URL = f"/api/v1/tax-statements/{YEAR}"


@pytest.fixture
def ona() -> Member:
    return make_member("Ona", language="lt")


@pytest.fixture
def reported(ona: Member) -> ReportedSeller:
    return replace(SELLER, member_ids=(str(ona.pk),))


def get(member: Member, url: str = URL, **headers: str) -> Any:
    client = APIClient()
    client.force_authenticate(member)
    return client.get(url, headers=headers)


class TestJson:
    def test_has_the_figures_of_the_report_and_no_number_in_full(
        self, ona: Member, reported: ReportedSeller
    ) -> None:
        approved(opened(reported))
        answer = get(ona)
        assert answer.status_code == 200
        body = answer.json()
        assert body["quarters"][3] == {
            "quarter": 4,
            "activities": 30,
            "consideration": {"amount": 200_000, "currency": "EUR"},
            "fees": {"amount": 10_000, "currency": "EUR"},
            "taxes": {"amount": 0, "currency": "EUR"},
        }
        assert (body["tins"], body["account"]) == (["LT …1234", "FR …5493"], "…1000")
        assert (body["reported_at"], body["is_withdrawn"], body["state"]) == (None, False, "LT")
        assert answer["Cache-Control"] == "private, no-store"

    def test_follows_corrections_and_says_when_it_was_withdrawn(
        self, ona: Member, reported: ReportedSeller
    ) -> None:
        answered(filed(opened(reported)))
        answered(filed(corrected(earning(reported, 7, 1)), NOW))
        assert get(ona).json()["quarters"][0]["consideration"]["amount"] == 700
        filed(corrected(), NOW)
        assert get(ona).json()["is_withdrawn"] is True

    def test_follows_an_account_into_the_record_of_the_persons_other_one(
        self, ona: Member, reported: ReportedSeller
    ) -> None:
        second = make_member("Ona again")
        ids = tuple(sorted((str(ona.pk), str(second.pk))))
        apart = [earning(replace(SELLER, member_ids=(id_,)), 10, 1) for id_ in ids]
        answered(filed(opened(*apart)))
        together = earning(replace(SELLER, member_ids=ids), 20, 2)
        filing_id = filed(corrected(together), NOW)
        assert [kind for kind, *_ in records(filing_id)] == ["OECD2", "OECD3"]
        for member in (ona, second):
            body = get(member).json()
            assert (body["is_withdrawn"], body["quarters"][0]["activities"]) == (False, 2)

    def test_is_not_shown_to_whose_account_was_somebody_elses_after_all(
        self, ona: Member, reported: ReportedSeller
    ) -> None:
        stranger = make_member("Stranger")
        first, other = sorted((str(ona.pk), str(stranger.pk)))
        answered(filed(opened(replace(SELLER, member_ids=(first, other)))))
        assert get(Member.objects.get(pk=other)).status_code == 200
        filed(corrected(earning(replace(SELLER, member_ids=(first,)), 5, 1)), NOW)
        assert get(Member.objects.get(pk=first)).json()["quarters"][0]["activities"] == 1
        assert get(Member.objects.get(pk=other)).status_code == 404

    def test_is_not_there_before_two_persons_agreed(self, ona: Member, reported: ReportedSeller) -> None:
        opened(reported)
        answer = get(ona)
        assert (answer.status_code, answer.json()["code"]) == (404, "tax_statement_not_found")

    def test_is_nobody_elses(self, reported: ReportedSeller) -> None:
        approved(opened(reported))
        assert get(make_member("Stranger")).status_code == 404
        assert APIClient().get(URL).status_code == 401

    def test_of_a_year_without_one(self, ona: Member) -> None:
        assert get(ona, "/api/v1/tax-statements/99999999999999999999").status_code == 404


class TestPdf:
    def test_is_in_the_sellers_language_and_always_the_same(
        self, ona: Member, reported: ReportedSeller
    ) -> None:
        approved(opened(reported))
        answer = get(ona, f"{URL}?format=pdf")
        assert answer["Content-Type"] == "application/pdf"
        assert answer.content == get(ona, Accept="application/pdf").content
        text = pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
        for part in ("Mokesčių ataskaita 2026", "Ona Petraitė", "2.000", "EUR", "LT …1234"):
            assert part in text
        assert "38001011234" not in text

    def test_can_be_asked_what_it_takes(self, ona: Member) -> None:
        client = APIClient()
        client.force_authenticate(ona)
        answer = client.options(URL, headers={"Accept": "application/pdf"})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_fits_on_a_page_whatever_the_names(self, language: str) -> None:
        long = replace(NAMELESS_TIN, first_name="Ø" * 200, last_name="Ž" * 200)
        for is_withdrawn in (False, True):
            statement = Statement(2026, "LT", "X" * 170, "Preloved UAB", NOW, is_withdrawn, long)
            reader = pypdf.PdfReader(io.BytesIO(render_pdf(statement, language=language)))
            assert len(reader.pages) == 1


class TestAnnouncing:
    def test_every_account_of_the_person_is_told_once(self, ona: Member, reported: ReportedSeller) -> None:
        second = make_member("Ona again")
        both = replace(reported, member_ids=tuple(sorted((str(ona.pk), str(second.pk)))))
        filing_id = approved(opened(both))
        assert announcing.announce_statements(now=NOW) == 2
        assert announcing.announce_statements(now=NOW) == 0
        assert set(Notice.objects.values_list("member_id", "kind")) == {
            (member.pk, "tax.statement_ready") for member in (ona, second)
        }
        assert Filing.objects.get(id=filing_id).statements_sent_at == NOW

    def test_nobody_is_told_before_two_persons_agreed(self, reported: ReportedSeller) -> None:
        opened(reported)
        assert announcing.announce_statements(now=NOW) == 0

    def test_goes_on_where_it_stopped(
        self, ona: Member, reported: ReportedSeller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(announcing, "BATCH", 1)
        monkeypatch.setattr(announcing, "_MOST_BATCHES", 1)
        second = make_member("Second")
        others = replace(NAMELESS_TIN, member_ids=(str(second.pk),))
        filing_id = approved(opened(*sorted((reported, others), key=lambda s: s.member_ids)))
        told: list[datetime | None] = []
        for minute in range(3):
            announcing.announce_statements(now=NOW + timedelta(minutes=minute))
            told.append(Filing.objects.get(id=filing_id).statements_sent_at)
        assert RecordedMember.objects.filter(told_at__isnull=True).count() == 0
        assert told == [None, None, NOW + timedelta(minutes=2)]

    def test_who_is_new_in_a_reopened_filing_is_told_too(self, ona: Member, reported: ReportedSeller) -> None:
        filing_id = approved(opened(reported))
        announcing.announce_statements(now=NOW)
        approving.reopen_filing(filing_id=filing_id, staff_id=ANNA, reason="One was forgotten", now=NOW)
        assert get(ona).status_code == 404
        second = make_member("Second")
        both = sorted(
            (reported, replace(NAMELESS_TIN, member_ids=(str(second.pk),))), key=lambda s: s.member_ids
        )
        compiling.compile_filing(filing_id=filing_id, source=Reported(*both), now=NOW)
        approved(filing_id)
        announcing.announce_statements(now=NOW)
        assert Notice.objects.filter(member_id=ona.pk).count() == 1
        assert Notice.objects.filter(member_id=second.pk).count() == 1
