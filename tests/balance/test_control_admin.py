"""The pages of accountants and of whoever watches the ledger."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY

from balance.models import AuditFinding, AuditRun, Correction, LedgerAccount, SettlementCase
from balance.queries.balances import get_balances
from balance.services.control import audit, seal_days, verify_chain
from balance.services.holds import place_hold
from members.models import Member
from members.services.restrictions import restrict
from tests.factories.bank_statements import statement
from tests.factories.members import make_member
from tests.factories.money import NOON, euros, give
from tests.factories.settlements import LATER, PROVIDER, capture, payment, settlement_file

pytestmark = pytest.mark.django_db

CORRECTIONS = "/admin/balance/correction/"
FILES = "/admin/balance/settlementfile/"
CASES = "/admin/balance/settlementcase/"
ACCOUNTS = "/admin/balance/ledgeraccount/"
RUNS = "/admin/balance/auditrun/"
DAYS = "/admin/balance/ledgerday/"
MODELS = (
    "correction",
    "settlementfile",
    "settlementcase",
    "ledgeraccount",
    "auditrun",
    "auditfinding",
    "ledgerday",
)


def client_of(*permissions: str) -> Client:
    staff = make_member("Treasurer", is_staff=True)
    views = [f"view_{model}" for model in (*MODELS, "posting")]
    staff.user_permissions.set(Permission.objects.filter(codename__in=[*views, *permissions]))
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def treasurer(db: None) -> Client:
    changes = [f"change_{model}" for model in MODELS]
    return client_of("add_correction", "add_settlementfile", "add_auditrun", *changes)


@pytest.fixture
def viewer(db: None) -> Client:
    return client_of()


def act(client: Client, url: str, action: str, *ids: str) -> str:
    form = {"action": action, "_selected_action": list(ids), "confirmed": "yes", "note": "Looked into it"}
    return client.post(url, form, follow=True).content.decode()


def upload(client: Client, content: bytes) -> Any:
    form = {"provider": PROVIDER, "file": SimpleUploadedFile("march.csv", content)}
    return client.post(f"{FILES}add/", form, follow=True)


class TestCorrections:
    def test_are_asked_for_by_one_and_approved_by_another(self, treasurer: Client, seller: Member) -> None:
        gift = give(seller.id, 1000)
        link = f"{CORRECTIONS}add/?posting={gift.id}"
        assert link in treasurer.get(f"/admin/balance/posting/{gift.id}/change/").content.decode()
        assert gift.id in treasurer.get(link).content.decode()
        treasurer.post(link, {"kind": "reversal", "posting": gift.id, "reason": "Given twice"})
        correction = Correction.objects.get()
        assert "somebody else has to approve it" in act(
            treasurer, CORRECTIONS, "approve_corrections", correction.id
        )
        assert get_balances(seller.id, "EUR").available == euros(1000)
        second = client_of("change_correction")
        assert "Given twice" in second.get(f"{CORRECTIONS}{correction.id}/change/").content.decode()
        act(second, CORRECTIONS, "approve_corrections", correction.id)
        assert get_balances(seller.id, "EUR").available == euros(0)
        messages = [entry.get_change_message() for entry in LogEntry.objects.order_by("id")]
        assert messages == ["Added.", "Approve and post. Looked into it"]

    def test_are_not_widened_by_who_asks_for_them(self, seller: Member) -> None:
        greedy = client_of("add_correction", "add_correctionlimit", "view_correctionlimit")
        begins = {"valid_from_0": "2026-01-01", "valid_from_1": "00:00:00"}
        limit = {"currency": "EUR", "alone_minor": "1000000", **begins}
        assert greedy.post("/admin/balance/correctionlimit/add/", limit).status_code == 302
        gift = give(seller.id, 1000)
        for client in (greedy, client_of("add_correction")):
            manual = {
                "kind": "manual",
                "debit": f"{seller.id}:available:EUR",
                "credit": "platform:goodwill:EUR",
            }
            client.post(f"{CORRECTIONS}add/", manual | {"amount": "1.00", "reason": f"After {gift.id}"})
        statuses = Correction.objects.order_by("id").values_list("status", flat=True)
        assert list(statuses) == ["requested", "posted"]

    def test_say_what_is_missing_or_not_possible(self, treasurer: Client, seller: Member) -> None:
        manual = {
            "kind": "manual",
            "debit": "platform:bank:EUR",
            "credit": f"{seller.id}:held:EUR",
            "reason": "x",
        }
        for form, words in (
            ({"kind": "reversal", "reason": "x"}, "This is needed."),
            ({"kind": "reversal", "reason": "x", "posting": "nothing"}, "There is no posting nothing."),
            (manual | {"amount": "1.234"}, "no amount in the currency"),
            (manual | {"amount": "1.23", "debit": "bank"}, "bank is no account"),
            (manual | {"amount": "1.23", "debit": "platform:bank:EUX"}, "platform:bank:EUX is no account"),
            (manual | {"amount": "1e999999"}, "no more than 19 digits"),
            (manual | {"amount": "1.23"}, "release the hold"),
        ):
            assert words in treasurer.post(f"{CORRECTIONS}add/", form).content.decode()
        manual["credit"] = f"{seller.id}:available:EUR"
        treasurer.post(f"{CORRECTIONS}add/", manual | {"amount": "1.23"})
        correction = Correction.objects.get()
        assert (correction.amount_minor, correction.currency) == (123, "EUR")
        act(treasurer, CORRECTIONS, "reject_corrections", correction.id)
        assert Correction.objects.get().status == "rejected"

    def test_take_rights_of_their_own(self, viewer: Client, treasurer: Client, seller: Member) -> None:
        gift = give(seller.id, 1000)
        form = {"kind": "reversal", "posting": gift.id, "reason": "x"}
        assert viewer.post(f"{CORRECTIONS}add/", form).status_code == 403
        treasurer.post(f"{CORRECTIONS}add/", form)
        correction = Correction.objects.get()
        act(viewer, CORRECTIONS, "approve_corrections", correction.id)
        assert get_balances(seller.id, "EUR").available == euros(1000)
        url = f"{CORRECTIONS}{correction.id}/change/"
        assert treasurer.post(url, {"status": "posted"}).status_code == 403

    def test_limits_are_added_and_never_changed(self, db: None) -> None:
        chief = client_of("add_correctionlimit", "view_correctionlimit", "change_correctionlimit")
        form = {
            "currency": "EUR",
            "valid_from_0": "2026-01-01",
            "valid_from_1": "00:00",
            "alone_minor": "10000",
        }
        chief.post("/admin/balance/correctionlimit/add/", form)
        page = chief.get("/admin/balance/correctionlimit/").content.decode()
        assert "100.00 EUR" in page


class TestSettlementFiles:
    def test_are_uploaded_and_their_cases_resolved(
        self, treasurer: Client, seller: Member, buyer: Member
    ) -> None:
        good = settlement_file(payment("p-1", "order:1", "24.70", "0.70"))
        assert "1 lines, 1 missing_in_ledger" in upload(treasurer, good).content.decode()
        assert "was imported before" in upload(treasurer, good).content.decode()
        case = SettlementCase.objects.get()
        assert "order:1" in treasurer.get(CASES, {"attention": "open"}).content.decode()
        assert case.id in treasurer.get(CASES, {"file__id__exact": case.file_id}).content.decode()
        act(treasurer, CASES, "resolve_cases", case.id)
        assert SettlementCase.objects.get().note == "Looked into it"
        assert "order:1" not in treasurer.get(CASES, {"attention": "open"}).content.decode()
        assert "It is resolved" in act(treasurer, CASES, "resolve_cases", case.id)

    def test_that_are_wrong_are_refused_line_by_line(self, treasurer: Client) -> None:
        page = upload(
            treasurer, settlement_file(payment("p", "", "x"), payment("q", "", "y"))
        ).content.decode()
        assert "Line 2 has an amount" in page
        assert "Line 3 has an amount" in page

    def test_are_taken_as_a_bank_delivers_them(self, treasurer: Client) -> None:
        nothing_moved = statement("1.00", "1.00")
        assert "0 lines, no cases" in upload(treasurer, nothing_moved).content.decode()
        assert "does not add up" in upload(treasurer, statement("1.00", "2.00")).content.decode()

    def test_take_a_right_of_their_own(self, viewer: Client) -> None:
        assert upload(viewer, b"").status_code == 403


class TestAudits:
    def test_show_what_they_found_and_lead_to_the_account(self, treasurer: Client, seller: Member) -> None:
        give(seller.id, 1000)
        account = LedgerAccount.objects.filter(id=f"{seller.id}:available:EUR")
        account.update(balance_minor=1001)
        run = audit(now=LATER)
        page = treasurer.get(f"{RUNS}{run.id}/change/").content.decode()
        for shown in ("1000", "1001", f"{ACCOUNTS}?q={seller.id}:available:EUR"):
            assert shown in page
        finding = AuditFinding.objects.filter(kind="balance_drift").get()
        assert finding.subject in treasurer.get("/admin/balance/auditfinding/").content.decode()
        account_id = account.get().id
        assert "differs from what it has to be" in act(treasurer, ACCOUNTS, "unfreeze_accounts", account_id)
        account.update(balance_minor=1000)
        act(treasurer, ACCOUNTS, "unfreeze_accounts", account_id)
        assert account.get().frozen_at is None
        assert LogEntry.objects.get().get_change_message() == "Unfrozen. Looked into it"

    def test_a_good_chain_does_not_hide_bad_balances(
        self, seller: Member, django_capture_on_commit_callbacks: Any
    ) -> None:
        give(seller.id, 1000)
        LedgerAccount.objects.filter(id=f"{seller.id}:available:EUR").update(balance_minor=1001)
        with django_capture_on_commit_callbacks(execute=True):
            audit(now=LATER)
            verify_chain(now=LATER)
        name = "preloved_balance_audit_findings"
        found = {check: REGISTRY.get_sample_value(name, {"check": check}) for check in ("balances", "chain")}
        assert found == {"balances": 2.0, "chain": 0.0}

    def test_are_asked_for_by_a_button(self, treasurer: Client, viewer: Client) -> None:
        url = f"{RUNS}audit-now/"
        assert url in treasurer.get(RUNS).content.decode()
        assert url not in viewer.get(RUNS).content.decode()
        assert "An audit was asked for" in treasurer.post(url, follow=True).content.decode()
        assert treasurer.get(url).status_code == 405
        assert viewer.post(url).status_code == 403
        assert not AuditRun.objects.exists()


class TestReports:
    def test_of_a_sealed_ledger(self, viewer: Client, seller: Member, buyer: Member) -> None:
        give(seller.id, 123456)
        capture(seller.id, buyer.id, 2000, "order:1")
        seal_days(now=LATER)
        days = viewer.get(DAYS).content.decode()
        for link in ("trial-balance/", "aging/"):
            assert f"{DAYS}{link}" in days
        assert "1,234.56 EUR" in viewer.get(f"{DAYS}trial-balance/").content.decode()
        assert "1,234.56 EUR" in viewer.get(f"{DAYS}trial-balance/", {"day": "9999-12-31"}).content.decode()
        before = viewer.get(f"{DAYS}trial-balance/", {"day": "2026-01-01"}).content.decode()
        assert "Nothing was posted until then" in before
        aging = viewer.get(f"{DAYS}aging/", {"days": "1"}).content.decode()
        assert "Nobody owes anything" in aging
        assert "20.00 EUR" in aging
        assert f"{NOON:%Y-%m-%d}" in viewer.get(f"{DAYS}2026-03-02/change/").content.decode()

    def test_take_the_right_to_see_days(self, db: None) -> None:
        stranger = make_member("Stranger", is_staff=True)
        client = Client()
        client.force_login(stranger)
        for page in ("trial-balance", "aging"):
            assert client.get(f"{DAYS}{page}/").status_code == 403


class TestMember:
    def test_at_a_glance_has_blocks_holds_and_withdrawals(self, viewer: Client, seller: Member) -> None:
        give(seller.id, 1000)
        place_hold(
            key="order:1", member_id=seller.id, amount=euros(100), reference="order:1", now=timezone.now()
        )
        url = f"{ACCOUNTS}member/{seller.id}/"
        assert "No blocks" in viewer.get(url).content.decode()
        restrict(
            member_id=seller.id, capability="withdraw", reason="fraud", source="staff:1", now=timezone.now()
        )
        page = viewer.get(url).content.decode()
        for shown in ("May not withdraw</strong>: fraud", "1 active", "0 under way", "9.00 EUR"):
            assert shown in page
