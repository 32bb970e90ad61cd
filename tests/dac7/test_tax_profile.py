"""Sellers say who they are for taxes, over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from dac7.models import ProfileCheck, TaxNumber, TaxProfile
from dac7.profile_rules import GivenTin
from dac7.queries.profiles import find_profile
from dac7.services.profiling import review_holders
from dac7.tasks import review_holders as rung_review
from foundation.errors import PreconditionFailed
from members.models import Member
from tests.factories.banking import activate, make_bank_account
from tests.factories.members import make_member
from tests.factories.money import NOON
from tests.factories.tax import LT_TIN, LT_VAT, give_profile, person

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

URL = "/api/v1/tax-profile"
ONA: dict[str, Any] = {
    "entity_type": "individual",
    "first_name": "Ona",
    "last_name": "Kazlauskienė",
    "birth_date": "1990-05-17",
    "address": {"street": "Gedimino pr. 1", "postal_code": "LT-01103", "city": "Vilnius", "country": "LT"},
    "tins": [{"state": "LT", "number": "490 0517 0014"}],
}
KAUNAS = {"city": "Kaunas", "country": "LT"}
SHOP: dict[str, Any] = {
    "entity_type": "entity",
    "legal_name": "Antra Oda UAB",
    "registration_number": "302767152",
    "address": {"street": "Švitrigailos g. 13", "postal_code": "03228", "city": "Vilnius", "country": "LT"},
    "tins": [{"state": "LT", "number": "302767152"}],
    "establishments": ["LV"],
    "vat_number": "lt 119511515",
}


@pytest.fixture
def buyer(db: None) -> Member:
    return make_member("Jonas")


@pytest.fixture
def as_seller(seller: Member) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(seller)
    return client


def put(client: APIClient, body: dict[str, Any], *, etag: str | None = None, **changes: Any) -> Any:
    headers = {} if etag is None else {"If-Match": etag}
    return client.put(URL, body | changes, headers=headers)


def problems(answer: Any) -> set[tuple[str, str]]:
    assert answer.status_code == 422, answer.content
    assert answer.json()["code"] == "invalid_tax_profile"
    return {(problem["pointer"], problem["code"]) for problem in answer.json()["errors"]}


class TestRead:
    def test_proposes_what_is_known_and_asks_for_the_rest_only(
        self, seller: Member, as_seller: APIClient
    ) -> None:
        activate(seller.id)
        body = as_seller.get(URL).json()
        assert body["is_given"] is False
        assert (body["first_name"], body["last_name"], body["birth_date"]) == (
            "Ona",
            "Kazlauskienė",
            "1990-05-17",
        )
        assert body["address"]["city"] == "Vilnius"
        assert [problem["pointer"] for problem in body["missing"]] == ["/tins"]
        assert not TaxProfile.objects.exists()

    def test_knows_the_country_of_everybody(self, as_seller: APIClient) -> None:
        body = as_seller.get(URL).json()
        assert body["address"]["country"] == "LT"
        assert {problem["pointer"] for problem in body["missing"]} == {
            *("/first_name", "/last_name", "/birth_date", "/tins"),
            *("/address/street", "/address/postal_code", "/address/city"),
        }

    def test_proposes_an_entity_to_a_professional(self, as_seller: APIClient, seller: Member) -> None:
        Member.objects.filter(id=seller.id).update(plan="professional")
        activate(seller.id)
        body = as_seller.get(URL).json()
        assert (body["entity_type"], body["legal_name"], body["birth_date"]) == (
            *("entity", "Ona Kazlauskienė"),
            None,
        )

    @pytest.mark.parametrize(
        ("language", "where"), [("lt", "asmens tapatybės kortelėje"), ("pl", "on your identity card")]
    )
    def test_says_what_the_number_is_and_where_to_find_it(
        self, as_seller: APIClient, language: str, where: str
    ) -> None:
        [guide] = as_seller.get(URL, headers={"Accept-Language": language}).json()["tin_guide"]
        assert (guide["name"], guide["shapes"], guide["example"]) == (
            *("Asmens kodas", ["99999999999"]),
            "33309240064",
        )
        assert guide["where"][0].startswith(where)

    def test_is_for_members(self) -> None:
        assert APIClient().get(URL).status_code == 401


class TestNumbersOfAState:
    def test_are_listed_with_the_usual_one_first(self, as_seller: APIClient) -> None:
        found = as_seller.get("/api/v1/tax-numbers?state=pl").json()["results"]
        assert [kind["name"] for kind in found] == ["PESEL", "NIP"]
        found = as_seller.get("/api/v1/tax-numbers?state=PL&entity_type=entity").json()["results"]
        assert [kind["name"] for kind in found] == ["NIP"]

    def test_are_none_of_a_state_that_we_do_not_know(self, as_seller: APIClient) -> None:
        assert as_seller.get("/api/v1/tax-numbers?state=US").json() == {"results": []}


class TestGive:
    def test_keeps_an_individual_with_the_number_masked(self, as_seller: APIClient) -> None:
        answer = put(as_seller, ONA)
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert (body["is_given"], body["missing"]) == (True, [])
        [tin] = body["tins"]
        assert (tin["state"], tin["ending"], tin["level"]) == ("LT", "014", "checksum")
        assert LT_TIN.encode() not in answer.content
        assert as_seller.get(URL).json() == body

    def test_keeps_an_entity(self, as_seller: APIClient) -> None:
        body = put(as_seller, SHOP).json()
        assert (body["vat_number"], body["establishments"], body["missing"]) == (LT_VAT, ["LV"], [])
        assert body["registered_in"] == ""

    def test_keeps_an_entity_of_northern_ireland_in_a_german_register(self, as_seller: APIClient) -> None:
        body = put(as_seller, SHOP, vat_number="XI 980 7806 84", registered_in="de").json()
        assert (body["vat_number"], body["registered_in"]) == ("XI980780684", "DE")

    def test_encrypts_what_tells_who_somebody_is(self, as_seller: APIClient, seller: Member) -> None:
        put(as_seller, ONA)
        row = TaxProfile.objects.filter(member=seller).values().get()
        number = TaxNumber.objects.values().get()
        stored = b" ".join(
            bytes(v) if isinstance(v, bytes) else str(v).encode() for v in (*row.values(), *number.values())
        )
        for secret in ("Ona", "Kazlauskien", "1990-05", "Gedimino", "01103", "Vilnius", LT_TIN):
            assert secret.encode() not in stored

    def test_moves_to_new_keys(self, seller: Member, settings: Settings) -> None:
        give_profile(seller.id)
        settings.ENCRYPTION_KEYS = {"next": b"n" * 32, **settings.ENCRYPTION_KEYS}
        with pytest.raises(CommandError, match="are under former keys"):
            call_command("rotate_encryption_keys", "--check")
        call_command("rotate_encryption_keys")
        del settings.ENCRYPTION_KEYS["test"]
        call_command("rotate_encryption_keys", "--check")
        profile = TaxProfile.objects.get()
        assert profile.last_name is not None
        assert profile.last_name.reveal() == "Kazlauskienė"
        assert TaxNumber.objects.get().number.reveal() == LT_TIN

    def test_changes_the_version_that_was_read(self, as_seller: APIClient) -> None:
        etag = put(as_seller, ONA)["ETag"]
        assert put(as_seller, ONA, last_name="Kazlauskaitė").json()["code"] == "if_match_required"
        changed = put(as_seller, ONA, etag=etag, last_name="Kazlauskaitė")
        assert changed.json()["last_name"] == "Kazlauskaitė"
        stale = put(as_seller, ONA, etag=etag)
        assert (stale.status_code, stale.json()["code"]) == (412, "stale_etag")

    def test_keeps_a_number_that_is_left_out_of_a_known_state(self, as_seller: APIClient) -> None:
        etag = put(as_seller, ONA)["ETag"]
        kept = TaxNumber.objects.get()
        answer = put(as_seller, ONA, etag=etag, first_name="Onutė", tins=[{"state": "LT"}])
        assert answer.json()["tins"][0]["ending"] == "014"
        assert TaxNumber.objects.get() == kept
        assert problems(put(as_seller, ONA, etag=answer["ETag"], tins=[{"state": "LV"}])) == {
            ("/tins/0/number", "required")
        }

    def test_forgets_the_numbers_of_another_kind_of_seller(self, as_seller: APIClient) -> None:
        etag = put(as_seller, ONA)["ETag"]
        kept = put(as_seller, SHOP, etag=etag, tins=[{"state": "LT"}])
        assert problems(kept) == {("/tins/0/number", "required")}
        assert put(as_seller, SHOP, etag=etag).json()["tins"][0]["ending"] == "152"
        assert TaxNumber.objects.count() == 1

    def test_of_two_at_once_keeps_the_first(self, seller: Member) -> None:
        give_profile(seller.id)
        with pytest.raises(PreconditionFailed):
            give_profile(seller.id)
        with pytest.raises(PreconditionFailed):
            give_profile(seller.id, version=2)

    def test_takes_no_tin_with_the_place_of_birth(self, as_seller: APIClient) -> None:
        born = {"city": "Kaunas", "country": "LT"}
        body = put(as_seller, ONA, tins=[], has_no_tin=True, birth_place=born).json()
        assert (body["has_no_tin"], body["birth_place"], body["tins"]) == (True, born, [])


class TestBadInput:
    """Each a code of its own and plain words, all at once, and nothing is saved."""

    @pytest.mark.parametrize(
        ("expected", "changes"),
        [
            ("/tins/0/number tin_wrong_check_digits", {"tins": [{"state": "LT", "number": "49005170015"}]}),
            ("/tins/0/number tin_wrong_format", {"tins": [{"state": "LT", "number": "12"}]}),
            ("/tins/0/number tin_of_other_kind", {"tins": [{"state": "LT", "number": "302767152"}]}),
            ("/tins/0/state unknown_tin_state", {"tins": [{"state": "US", "number": "12"}]}),
            ("/tins/0/number tin_of_another_person", {"birth_date": "1990-05-18"}),
            (
                "/has_no_tin tin_and_no_tin",
                {"has_no_tin": True, "birth_place": {"city": "K", "country": "LT"}},
            ),
            ("/birth_place birth_place_required", {"tins": [], "has_no_tin": True}),
            ("/tins tin_required", {"tins": []}),
            (
                "/birth_date birth_date_in_future",
                {"birth_date": "2999-01-01"},
            ),
            ("/birth_date implausible_date", {"birth_date": "1833-09-24"}),
            ("/birth_date required", {"birth_date": None}),
            ("/first_name forbidden_characters", {"first_name": "Anne--Marie"}),
            ("/last_name forbidden_characters", {"last_name": "K /* K"}),
            ("/last_name forbidden_characters", {"last_name": "K&#39;"}),
            ("/last_name control_characters", {"last_name": "K\u0007"}),
            ("/last_name control_characters", {"last_name": "K\u202eK"}),
            ("/last_name text_too_long", {"last_name": "x" * 201}),
            ("/last_name required", {"last_name": "  "}),
            ("/legal_name not_applicable", {"legal_name": "UAB"}),
            ("/establishments not_applicable", {"establishments": ["DE"]}),
            ("/registered_in not_applicable", {"registered_in": "DE"}),
            ("/address/country unknown_country", {"address": ONA["address"] | {"country": "XX"}}),
            ("/address/postal_code invalid_postal_code", {"address": ONA["address"] | {"postal_code": "1"}}),
            ("/address/country required", {"address": ONA["address"] | {"country": None}}),
            ("/vat_number vat_wrong_format", {"vat_number": "12345"}),
            ("/vat_number vat_wrong_check_digits", {"vat_number": "LT119511516"}),
            ("/tins/1/state tin_state_repeated", {"tins": ONA["tins"] * 2}),
            ("/tins too_many_tins", {"tins": [{"state": "LT", "number": LT_TIN}] * 6}),
        ],
    )
    def test_of_an_individual(self, as_seller: APIClient, changes: dict[str, Any], expected: str) -> None:
        assert tuple(expected.split()) in problems(put(as_seller, ONA, **changes))
        assert not TaxProfile.objects.exists()
        assert not TaxNumber.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"registration_number": ""}, {("/registration_number", "required")}),
            ({"birth_date": "1990-01-01"}, {("/birth_date", "not_applicable")}),
            ({"birth_place": {"city": "Kaunas", "country": "LT"}},
             {("/birth_place/city", "not_applicable"), ("/birth_place/country", "not_applicable")}),
            ({"vat_number": "XX980780684"}, {("/vat_number", "vat_wrong_format")}),
            ({"registered_in": "XX"}, {("/registered_in", "unknown_country")}),
            ({"establishments": ["US"]}, {("/establishments/0", "not_a_member_state")}),
            ({"tins": ONA["tins"]}, {("/tins/0/number", "tin_of_other_kind")}),
        ],
    )  # fmt: skip
    def test_of_an_entity(
        self, as_seller: APIClient, changes: dict[str, Any], expected: set[tuple[str, str]]
    ) -> None:
        assert problems(put(as_seller, SHOP, **changes)) == expected

    def test_leaves_tax_numbers_out_where_residents_are_reported_to_nobody(
        self, as_seller: APIClient
    ) -> None:
        zurich = {"street": "Weg 1", "postal_code": "8001", "city": "Zürich", "country": "CH"}
        assert put(as_seller, ONA, address=zurich, tins=[]).json()["missing"] == []

    def test_but_not_of_an_entity_with_an_establishment_in_the_union(self, as_seller: APIClient) -> None:
        zurich = {"street": "Weg 1", "postal_code": "8001", "city": "Zürich", "country": "CH"}
        assert problems(put(as_seller, SHOP, address=zurich, tins=[])) == {("/tins", "tin_required")}

    def test_is_told_all_at_once_in_words(self, as_seller: APIClient) -> None:
        answer = put(as_seller, ONA, first_name="", last_name="a--b", birth_date="2999-01-01", tins=[])
        assert problems(answer) == {
            ("/first_name", "required"),
            ("/last_name", "forbidden_characters"),
            ("/birth_date", "birth_date_in_future"),
            ("/tins", "tin_required"),
        }
        assert all(len(problem["detail"]) > 15 for problem in answer.json()["errors"])

    def test_leaves_what_stood(self, as_seller: APIClient) -> None:
        etag = put(as_seller, ONA)["ETag"]
        problems(put(as_seller, ONA, etag=etag, first_name="Onutė", tins=[{"state": "LT", "number": "1"}]))
        assert as_seller.get(URL).json()["first_name"] == "Ona"

    def test_of_an_unknown_field_or_shape_is_malformed(self, as_seller: APIClient) -> None:
        answer = put(as_seller, ONA, salary=1, entity_type="robot")
        assert answer.status_code == 400
        assert {problem["pointer"] for problem in answer.json()["errors"]} == {"/salary", "/entity_type"}


class TestChecks:
    def test_pass_when_holder_and_address_are_those_known(self, seller: Member) -> None:
        activate(seller.id)
        make_bank_account(seller.id)
        facts = give_profile(seller.id)
        assert {(check.kind, check.status) for check in facts.checks} == {
            ("holder", "passed"),
            ("address", "passed"),
        }

    def test_wait_for_a_person_when_they_are_not(self, seller: Member) -> None:
        activate(seller.id)
        make_bank_account(seller.id, holder_name="Jonas Petraitis")
        facts = give_profile(seller.id, person(country="LV", postal_code="LV-1010"))
        assert {(check.kind, check.status, check.reason) for check in facts.checks} == {
            ("holder", "pending", "another_holder"),
            ("address", "pending", "another_country"),
        }
        assert facts.missing == ()

    def test_are_made_up_for_when_the_account_comes_later(self, seller: Member, buyer: Member) -> None:
        give_profile(seller.id)
        give_profile(buyer.id, person(first_name="Jonas"))
        assert review_holders(now=NOON) == 0
        make_bank_account(seller.id, holder_name="Jonas Petraitis")
        rung_review()
        assert review_holders(now=NOON) == 0
        [check] = find_profile(seller.id).checks  # type: ignore[union-attr]  # it is there
        assert (check.kind, check.status, check.reason) == ("holder", "pending", "another_holder")

    def test_stand_until_what_they_are_about_changes(self, seller: Member) -> None:
        make_bank_account(seller.id, holder_name="Jonas Petraitis")
        give_profile(seller.id, person(vat_number=LT_VAT))
        again = give_profile(seller.id, person(vat_number=LT_VAT, street="Kita g. 2"), version=1)
        assert ProfileCheck.objects.count() == 2
        assert {check.kind for check in again.checks} == {"holder", "vat"}
        renamed = give_profile(seller.id, person(last_name="Petraitienė"), version=2)
        assert [check.kind for check in renamed.checks] == ["holder"]
        assert set(ProfileCheck.objects.values_list("status", flat=True)) == {"pending", "replaced"}

    def test_of_a_number_that_another_person_has_wait_for_a_person(
        self, seller: Member, buyer: Member
    ) -> None:
        give_profile(seller.id)
        facts = give_profile(buyer.id, person(first_name="Jonas", last_name="Petraitis"))
        [check] = facts.checks
        assert (check.kind, check.about, check.status, check.reason) == (
            *("shared_tin", "LT", "pending"),
            "tin_of_another_member",
        )
        assert find_profile(seller.id).checks == ()  # type: ignore[union-attr]  # it is there

    def test_of_a_second_account_of_the_same_person_are_none(self, seller: Member, buyer: Member) -> None:
        give_profile(seller.id)
        assert give_profile(buyer.id, person(first_name="ONA")).checks == ()

    def test_of_a_number_without_check_digits_wait_for_a_person(self, seller: Member, buyer: Member) -> None:
        cpr = {"tins": (GivenTin("DK", "170590-0629"),), "country": "DK", "postal_code": "1050"}
        give_profile(seller.id, person(**cpr))
        [check] = give_profile(buyer.id, person(**cpr)).checks
        assert (check.kind, check.status) == ("shared_tin", "pending")


class TestErasure:
    def test_is_remembered_and_told_when_it_comes(self, as_seller: APIClient, seller: Member) -> None:
        missing = as_seller.delete(URL)
        assert (missing.status_code, missing.json()["code"]) == (404, "tax_profile_not_found")
        put(as_seller, ONA)
        answer = as_seller.delete(URL)
        assert answer.status_code == 202
        assert answer.json() == {"kept_until": f"{timezone.now().year + 10}-12-31"}
        assert TaxProfile.objects.get(member=seller).erasure_asked_at is not None

    def test_is_withdrawn_by_giving_it_again(self, seller: Member) -> None:
        give_profile(seller.id)
        TaxProfile.objects.update(erasure_asked_at=NOON)
        give_profile(seller.id, version=1, now=NOON + timedelta(days=1))
        assert TaxProfile.objects.get().erasure_asked_at is None
