"""What tax staff sees: masked, until somebody says why."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from dac7.models import AccessLog, ProfileCheck, TaxDocument, TaxProfile
from dac7.services.documenting import send_document
from members.models import Member
from tests.dac7.evidence_files import pdf
from tests.factories.banking import LT_IBAN, make_bank_account
from tests.factories.members import make_member
from tests.factories.money import NOON
from tests.factories.tax import LT_TIN, company, give_profile

pytestmark = pytest.mark.django_db

PROFILES, CHECKS = "/admin/dac7/taxprofile/", "/admin/dac7/profilecheck/"
DOCUMENTS, LOG = "/admin/dac7/taxdocument/", "/admin/dac7/accesslog/"
SECRETS = (LT_TIN, LT_IBAN, "Kazlauskien", "Gedimino", "Vilnius", "1990-05-17")
VIEW = ("view_taxprofile", "view_profilecheck", "view_taxdocument", "view_accesslog", "view_taxnumber")


def client_of(*permissions: str) -> Client:
    member = make_member("Clerk", is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(member)
    return client


@pytest.fixture
def clerk(db: None) -> Client:
    """May decide, but not reveal."""
    return client_of(
        *VIEW, "change_taxprofile", "change_profilecheck", "change_taxdocument", "view_checkevent"
    )


@pytest.fixture
def auditor(db: None) -> Client:
    return client_of(*VIEW, "reveal_taxprofile")


@pytest.fixture
def profile(seller: Member) -> TaxProfile:
    make_bank_account(seller.id, holder_name="Jonas Petraitis")
    give_profile(seller.id)
    return TaxProfile.objects.get()


def act(client: Client, url: str, action: str, *ids: str, **form: str) -> Any:
    confirmed = {"confirmed": "yes", **form} if form else {}
    return client.post(url, {"action": action, "_selected_action": list(ids), **confirmed}, follow=bool(form))


class TestLook:
    def test_shows_everything_masked(self, clerk: Client, profile: TaxProfile) -> None:
        for url in (PROFILES, f"{PROFILES}{profile.id}/change/", CHECKS):
            page = clerk.get(url).content.decode()
            assert profile.id in page
            assert not [secret for secret in SECRETS if secret in page]
        assert "•••• 014" in clerk.get(f"{PROFILES}{profile.id}/change/").content.decode()

    @pytest.mark.parametrize("term", [LT_TIN, "490 0517-0014"])
    def test_finds_a_whole_number_by_its_index(self, clerk: Client, profile: TaxProfile, term: str) -> None:
        assert profile.id in clerk.get(PROFILES, {"q": term}).content.decode()
        assert profile.id not in clerk.get(PROFILES, {"q": "49005170"}).content.decode()

    def test_finds_what_needs_a_person(self, clerk: Client, profile: TaxProfile) -> None:
        assert profile.id in clerk.get(PROFILES, {"attention": "pending"}).content.decode()
        assert profile.id not in clerk.get(PROFILES, {"attention": "erasure"}).content.decode()

    def test_is_for_those_who_may(self, profile: TaxProfile) -> None:
        assert client_of().get(PROFILES).status_code == 403


class TestReveal:
    def test_asks_why_shows_once_and_is_logged(self, auditor: Client, profile: TaxProfile) -> None:
        asked = act(auditor, PROFILES, "reveal", profile.id).content.decode()
        assert "it is logged" in asked
        assert LT_TIN not in asked
        assert not AccessLog.objects.exists()
        shown = act(auditor, PROFILES, "reveal", profile.id, note="letter 12 of VMI")
        text = shown.content.decode()
        for secret in (LT_TIN, LT_IBAN, "Ona Kazlauskienė", "1990-05-17", "another name"):
            assert secret in text
        assert "no-store" in shown["Cache-Control"]
        log = AccessLog.objects.get()
        assert (log.member_id, log.reason) == (profile.member_id, "letter 12 of VMI")
        assert "letter 12 of VMI" in auditor.get(LOG).content.decode()

    def test_is_one_at_a_time_and_by_permission(
        self, auditor: Client, clerk: Client, profile: TaxProfile
    ) -> None:
        other = make_member("Shop")
        give_profile(other.id, company())
        both = TaxProfile.objects.values_list("id", flat=True)
        assert "One at a time" in act(auditor, PROFILES, "reveal", *both, note="x").content.decode()
        assert LT_TIN not in act(clerk, PROFILES, "reveal", profile.id, note="x").content.decode()
        assert not AccessLog.objects.exists()


class TestQueue:
    @pytest.mark.parametrize(("action", "status"), [("approve", "approved"), ("refuse", "refused")])
    def test_is_decided_with_a_reason(
        self, clerk: Client, profile: TaxProfile, action: str, status: str
    ) -> None:
        check = ProfileCheck.objects.get(kind="holder")
        assert "another_holder" in act(clerk, CHECKS, action, check.id).content.decode()
        act(clerk, CHECKS, action, check.id, note="marriage certificate")
        check.refresh_from_db()
        assert (check.status, check.note) == (status, "marriage certificate")
        assert LogEntry.objects.filter(object_id=check.id).exists()
        assert "marriage certificate" in clerk.get(f"{CHECKS}{check.id}/change/").content.decode()
        assert "not possible" in act(clerk, CHECKS, action, check.id, note="again").content.decode()


class TestExclude:
    def test_takes_an_entity_out_and_says_why_not_a_person(self, clerk: Client, profile: TaxProfile) -> None:
        shop = make_member("Shop")
        give_profile(shop.id, company())
        both = TaxProfile.objects.values_list("id", flat=True)
        page = act(
            clerk, PROFILES, "exclude_entities", *both, exclusion="listed", note="Nasdaq"
        ).content.decode()
        assert "Only entities can be excluded" in page
        assert list(TaxProfile.objects.order_by("id").values_list("exclusion", flat=True)) == ["", "listed"]


class TestDocuments:
    @pytest.fixture
    def document(self, seller: Member) -> TaxDocument:
        facts = send_document(
            member_id=seller.id, kind="tin", content=pdf(), declared_type="", file_name="a.pdf", now=NOON
        )
        return TaxDocument.objects.get(id=facts.id)

    def test_are_opened_with_a_reason_as_attachments(self, auditor: Client, document: TaxDocument) -> None:
        opened = act(auditor, DOCUMENTS, "open_document", document.id, note="TIN of the seller")
        assert opened.content == pdf()
        assert opened["Content-Disposition"] == f'attachment; filename="{document.id}.pdf"'
        assert "no-store" in opened["Cache-Control"]
        assert opened["X-Content-Type-Options"] == "nosniff"
        assert AccessLog.objects.get().what == f"document {document.id}"

    @pytest.mark.parametrize(("action", "status"), [("accept", "accepted"), ("refuse", "refused")])
    def test_are_decided_with_a_note(
        self, clerk: Client, document: TaxDocument, action: str, status: str
    ) -> None:
        act(clerk, DOCUMENTS, action, document.id, note="seen")
        document.refresh_from_db()
        assert (document.status, document.reason) == (status, "seen")
