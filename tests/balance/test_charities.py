"""The catalogue of charities in the admin, and the two persons who say where one is paid."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db.models import ProtectedError
from django.test import Client

from balance.errors import (
    CharityAccountDecided,
    CharityAccountDiffers,
    CharityAccountNotFound,
    CharityWithoutBankAccount,
    InvalidBankAccount,
    SecondPersonNeeded,
)
from balance.models import Charity, CharityAccount
from balance.services.charities import (
    approve_bank_account,
    open_charity,
    propose_bank_account,
    reject_bank_account,
)
from members.models import Member
from tests.factories.banking import LT_IBAN, OTHER_LT_IBAN
from tests.factories.donations import donate, make_charity
from tests.factories.members import make_market, make_member
from tests.factories.money import NOON, give

pytestmark = pytest.mark.django_db

CHARITIES = "/admin/balance/charity/"
ACCOUNTS = "/admin/balance/charityaccount/"
ANNA, BERND = "01K00000000000000000000ANNA", "01K0000000000000000000BERND"


@pytest.fixture
def client_of(db: None) -> Callable[..., Client]:
    def make(name: str, *permissions: str) -> Client:
        member = make_member(name, is_staff=True)
        member.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(member)
        return client

    return make


@pytest.fixture
def anna(client_of: Callable[..., Client]) -> Client:
    kinds = ("charity", "charitytext", "charitymarket", "charityaccount")
    return client_of(
        "Anna", *(f"{verb}_{kind}" for verb in ("add", "change", "view", "delete") for kind in kinds)
    )


@pytest.fixture
def bernd(client_of: Callable[..., Client]) -> Client:
    return client_of("Bernd", "view_charityaccount", "change_charityaccount")


def act(client: Client, url: str, action: str, *ids: str, **form: str) -> str:
    confirmed = {"confirmed": "yes", **form} if form else {}
    answer = client.post(
        url, {"action": action, "_selected_action": list(ids), **confirmed}, follow=bool(form)
    )
    return str(answer.content, "utf-8")


def proposed(charity: Charity, iban: str = OTHER_LT_IBAN) -> str:
    account = propose_bank_account(
        charity_id=charity.id, iban=iban, holder_name="Warm Hands", staff_id=ANNA, now=NOON
    )
    return str(account.id)


def approve(account_id: str, iban: str = OTHER_LT_IBAN, staff_id: str = BERND) -> None:
    approve_bank_account(account_id=account_id, iban=iban, staff_id=staff_id, now=NOON)


def accounts() -> list[tuple[str, str]]:
    return list(CharityAccount.objects.order_by("id").values_list("last_four", "status"))


class TestTheCatalogue:
    def test_takes_two_persons_to_open_one(self, anna: Client, bernd: Client) -> None:
        make_market("LT")
        forms = {
            "texts-TOTAL_FORMS": "1",
            "texts-INITIAL_FORMS": "0",
            "texts-0-language": "en",
            "texts-0-description": "Blankets.",
            "markets-TOTAL_FORMS": "1",
            "markets-INITIAL_FORMS": "0",
            "markets-0-market": "LT",
        }
        told = {"name": "Moss", "country": "LT", "registration_number": "3", "currency": "EUR"}
        assert anna.post(f"{CHARITIES}add/", told | forms).status_code == 302
        charity = Charity.objects.get()
        assert (charity.texts.count(), charity.markets.count(), charity.opened_at) == (1, 1, None)
        given = {"iban": "LT12 1000 0111 0100 1000", "holder_name": "Moss", "note": "letter of 3 March"}
        assert "IBAN" in act(anna, CHARITIES, "propose_bank_account", charity.id)
        wrong = act(anna, CHARITIES, "propose_bank_account", charity.id, **(given | {"iban": "LT13 1"}))
        assert "has 20 characters" in wrong
        act(anna, CHARITIES, "propose_bank_account", charity.id, **given)
        account = CharityAccount.objects.get()
        typed = {"iban": LT_IBAN, "note": "rang them"}
        assert "You proposed it" in act(anna, ACCOUNTS, "approve_accounts", account.id, **typed)
        assert "no bank account" in act(anna, CHARITIES, "open_charities", charity.id, note="checked")
        act(bernd, ACCOUNTS, "approve_accounts", account.id, **typed)
        act(anna, CHARITIES, "open_charities", charity.id, note="checked")
        charity.refresh_from_db()
        assert charity.opened_at is not None
        pages = [anna.get(f"{CHARITIES}{charity.id}/change/"), bernd.get(ACCOUNTS)]
        for page in (page.content.decode() for page in pages):
            assert "LT•• … 1000" in page
            assert LT_IBAN not in page
        log = " ".join(LogEntry.objects.values_list("change_message", flat=True))
        assert "letter of 3 March" in log
        assert "rang them" in log
        assert LT_IBAN not in log

    def test_two_charities_get_no_common_account(self, anna: Client) -> None:
        ids = (make_charity().id, make_charity().id)
        given = {"iban": OTHER_LT_IBAN, "holder_name": "Warm Hands", "note": "moved bank"}
        assert "Choose one charity" in act(anna, CHARITIES, "propose_bank_account", *ids, **given)

    def test_is_closed_never_deleted(self, anna: Client, seller: Member) -> None:
        charity = make_charity()
        act(anna, CHARITIES, "close_charities", charity.id, note="dissolved")
        for state, is_there in (("closed", True), ("open", False), ("draft", False)):
            page = anna.get(CHARITIES, {"state": state}).content.decode()
            assert (charity.registration_number in page) is is_there
        assert anna.post(f"{CHARITIES}{charity.id}/delete/", {"post": "yes"}).status_code == 403
        open_charity(charity_id=charity.id, now=NOON)
        give(seller.id, 500)
        donate(seller.id, charity.id, 500)
        with pytest.raises(ProtectedError):
            charity.delete()

    def test_without_an_account_is_not_opened(self) -> None:
        charity = make_charity(is_open=False)
        proposed(charity)
        with pytest.raises(CharityWithoutBankAccount) as refused:
            open_charity(charity_id=charity.id, now=NOON)
        assert refused.value.code == "charity_without_bank_account"


class TestABankAccount:
    def test_that_is_proposed_changes_nothing_until_another_person_approves(self) -> None:
        account_id = proposed(make_charity())
        assert accounts() == [("1000", "standing"), ("8901", "proposed")]
        with pytest.raises(SecondPersonNeeded) as refused:
            approve(account_id, staff_id=ANNA)
        assert refused.value.code == "second_person_needed"
        approve(account_id)
        assert accounts() == [("1000", "replaced"), ("8901", "standing")]

    def test_is_approved_by_its_number_not_by_a_click(self) -> None:
        account_id = proposed(make_charity())
        with pytest.raises(CharityAccountDiffers) as refused:
            approve(account_id, iban=LT_IBAN)
        assert refused.value.code == "charity_account_differs"
        assert accounts()[1] == ("8901", "proposed")
        approve(account_id, iban=f" {OTHER_LT_IBAN[:4]} {OTHER_LT_IBAN[4:].lower()}")

    def test_is_decided_once(self) -> None:
        account_id = proposed(make_charity())
        reject_bank_account(account_id=account_id, staff_id=ANNA, now=NOON)
        with pytest.raises(CharityAccountDecided) as refused:
            approve(account_id)
        assert refused.value.code == "charity_account_decided"
        with pytest.raises(CharityAccountDecided):
            reject_bank_account(account_id=account_id, staff_id=BERND, now=NOON)
        assert accounts() == [("1000", "standing"), ("8901", "rejected")]

    def test_that_is_not_there_or_no_iban_is_refused(self) -> None:
        with pytest.raises(CharityAccountNotFound) as refused:
            approve("none")
        assert refused.value.code == "charity_account_not_found"
        with pytest.raises(InvalidBankAccount):
            proposed(make_charity(), "LT13 1")

    def test_is_decided_by_who_has_the_right_only(self, client_of: Callable[..., Client]) -> None:
        account_id = proposed(make_charity())
        viewer = client_of("Viewer", "view_charityaccount", "change_charity")
        for action in ("approve_accounts", "reject_accounts"):
            act(viewer, ACCOUNTS, action, account_id, iban=OTHER_LT_IBAN, note="x")
        assert accounts()[1] == ("8901", "proposed")
