"""What tax staff sees and does: each click of the life of a filing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dac7.models.filings import Filing, FilingMessage
from dac7.services import validating
from tests.dac7.message.filings import (
    NOW,
    SELLERS,
    answered,
    approved,
    corrected,
    earning,
    filed,
    opened,
    status_of,
    told,
)
from tests.dac7.message.messages import SELLER
from tests.dac7.message.statuses import oecd_status, status
from tests.factories.members import make_member

pytestmark = pytest.mark.django_db

LIST = "/admin/dac7/filing/"


def person(*permissions: str) -> Client:
    member = make_member("Tax", is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def anna() -> Client:
    return person("view_filing", "change_filing", "add_filing")


@pytest.fixture
def bernd() -> Client:
    return person("view_filing", "change_filing")


def act(client: Client, action: str, filing_id: str, note: str = "Because.") -> str:
    answer = client.post(
        LIST,
        {"action": action, "_selected_action": filing_id, "confirmed": "yes", "note": note},
        follow=True,
    )
    return str(answer.content, "utf-8")


class TestTheLifeOfAFiling:
    def test_two_persons_take_it_to_accepted(self, anna: Client, bernd: Client) -> None:
        filing_id = opened(*SELLERS)
        validating.validate_filing(filing_id=filing_id, now=NOW)
        act(anna, "review", filing_id)
        assert "somebody else has to approve it" in act(anna, "approve", filing_id)
        act(bernd, "approve", filing_id)
        told(filing_id)
        message = FilingMessage.objects.get()
        answer = anna.post(f"{LIST}export/{message.id}/", {"reason": "To hand it in"})
        assert answer["Content-Disposition"] == f'attachment; filename="{message.file_name}"'
        assert b"Vinta" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        act(anna, "mark_filed", filing_id, "No. 7")
        upload = SimpleUploadedFile("status.xml", status(message.message_ref))
        anna.post(f"{LIST}import/", {"file": upload})
        assert status_of(filing_id) == "accepted"
        said = [entry.change_message for entry in LogEntry.objects.order_by("id")]
        assert "To hand it in" in said[2]
        assert len(said) == 5

    def test_reopening_asks_why(self, anna: Client) -> None:
        filing_id = opened(*SELLERS)
        page = anna.post(LIST, {"action": "reopen", "_selected_action": filing_id})
        assert b"Do it" in page.content
        act(anna, "reopen", filing_id, "A seller moved")
        assert Filing.objects.get().reason == "A seller moved"

    def test_only_another_person_withdraws_what_was_exported(self, anna: Client, bernd: Client) -> None:
        filing_id = told(approved(opened(SELLER)))
        message = FilingMessage.objects.get()
        answer = anna.post(f"{LIST}export/{message.id}/", {"reason": "To look at it"})
        assert b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        page = anna.get(f"{LIST}{filing_id}/change/").content.decode()
        assert re.findall(r'name="action" value="(\w+)"', page) == ["mark_filed", "withdraw"]
        assert "To look at it" in page
        assert "You exported a file of it" in act(anna, "withdraw", filing_id)
        act(bernd, "withdraw", filing_id, "The portal shows nothing")
        assert status_of(filing_id) == "withdrawn"

    def test_a_worker_is_rung_for(self, anna: Client) -> None:
        filing_id = opened(*SELLERS)
        assert "a worker was rung for" in act(anna, "advance", filing_id)


class TestTheFilingPage:
    def test_shows_files_findings_differences_and_errors(self, anna: Client) -> None:
        answered(filed(opened(SELLER)))
        filing_id = corrected(earning(SELLER, -5, 2))
        validating.validate_filing(filing_id=filing_id, now=NOW)
        page = anna.get(f"{LIST}{filing_id}/change/").content.decode()
        for part in ("negative_amount", "Amounts are not below zero.", "Q1 consideration: 10 → -5", "DPI402"):
            assert part in page
        assert "Export…" not in page

    def test_has_a_button_for_each_step_that_its_status_allows(self, anna: Client) -> None:
        filing_id = opened(*SELLERS)
        validating.validate_filing(filing_id=filing_id, now=NOW)
        page = anna.get(f"{LIST}{filing_id}/change/").content.decode()
        assert re.findall(r'name="action" value="(\w+)"', page) == ["review", "approve", "reopen"]
        asked = anna.post(LIST, {"action": "review", "_selected_action": filing_id})
        assert b"Do it" in asked.content

    def test_says_in_plain_words_what_the_authority_found(self, anna: Client) -> None:
        filing_id = filed(opened(SELLER))
        message = FilingMessage.objects.get()
        answered(filing_id, errors=[("98001", [f"LT2026-300000000-1-{SELLER.seller_id}"])])
        page = anna.get(f"{LIST}{filing_id}/change/").content.decode()
        assert "The TIN is not one of the state" in page
        assert f"/admin/dac7/filing/export/{message.id}/" in page

    def test_shows_the_authoritys_own_words_without_the_numbers_in_them(self, anna: Client) -> None:
        message = FilingMessage.objects.get(filing_id=filed(opened(SELLER)))
        ref = f"LT2026-300000000-1-{SELLER.seller_id}"
        words = "The seller 38001011234 is deceased"
        upload = SimpleUploadedFile(
            "status.xml", oecd_status(message.message_ref, code="98123", ref=ref, details=words)
        )
        anna.post(f"{LIST}import/", {"file": upload})
        page = anna.get(f"{LIST}{message.filing_id}/change/").content.decode()
        assert "The seller •••234 is deceased" in page
        assert "38001011234" not in page

    def test_holds_no_personal_data(self, anna: Client) -> None:
        filing_id = opened(replace(SELLER, last_name="Secretive"))
        for url in (LIST, f"{LIST}{filing_id}/change/"):
            page = anna.get(url).content.decode()
            assert "Secretive" not in page
            assert "38001011234" not in page


class TestCorrectionsAndAnswers:
    def test_a_correction_is_opened_with_a_reason(self, anna: Client) -> None:
        answered(filed(opened(SELLER)))
        anna.post(f"{LIST}add/", {"year": 2026, "reason": "Refunds"})
        assert Filing.objects.filter(number=2, reason="Refunds").exists()

    def test_what_cannot_be_is_said_on_the_form(self, anna: Client) -> None:
        assert (
            b"Nothing was filed for 2026" in anna.post(f"{LIST}add/", {"year": 2026, "reason": "x"}).content
        )
        upload = SimpleUploadedFile("status.xml", b"<!DOCTYPE x><x/>")
        assert b"DOCTYPE" in anna.post(f"{LIST}import/", {"file": upload}).content
        message_id = FilingMessage.objects.get(filing_id=opened(SELLER)).id
        assert b"only approved ones" in anna.post(f"{LIST}export/{message_id}/", {"reason": "x"}).content


class TestPermissions:
    def test_who_only_views_changes_nothing(self) -> None:
        viewer = person("view_filing")
        filing_id = approved(opened(SELLER))
        message_id = FilingMessage.objects.get().id
        assert viewer.get(f"{LIST}{filing_id}/change/").status_code == 200
        for url in (f"{LIST}import/", f"{LIST}add/", f"{LIST}export/{message_id}/"):
            assert viewer.get(url).status_code == 403
        act(viewer, "reopen", filing_id)
        assert status_of(filing_id) == "approved"
