"""Charities, the setting and donations over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from balance.models import Charity, Donation, LedgerAccount
from balance.services.charities import close_charity
from members.models import Member
from members.services import restrict
from tests.factories.donations import choose, make_charity, sell
from tests.factories.money import give

pytestmark = pytest.mark.django_db

URL = "/api/v1/donations"
CHARITIES = "/api/v1/charities"
SETTING = "/api/v1/donation-setting"


def ask(client: APIClient, charity_id: Any, *, key: str | None = "k1", minor: Any = 500) -> Any:
    body = {"charity_id": charity_id, "amount": {"amount": minor, "currency": "EUR"}}
    return client.post(URL, body, headers={} if key is None else {"Idempotency-Key": key})


@pytest.fixture
def charity(seller: Member) -> Charity:
    """One for a seller with 20.00."""
    give(seller.id, 2000)
    return make_charity()


class TestCharities:
    def test_are_those_of_the_market_in_ones_language(self, as_seller: APIClient) -> None:
        charity = make_charity()
        make_charity("Abroad", markets=("DE",))
        make_charity("Draft", is_open=False)
        close_charity(charity_id=make_charity("Closed").id, now=timezone.now())
        answer = as_seller.get(CHARITIES, headers={"Accept-Language": "lt"})
        assert answer.json()["results"] == [
            {
                "id": charity.id,
                "name": "Warm Hands",
                "description": "Antklodės.",
                "country": "LT",
                "registration_number": charity.registration_number,
                "currency": "EUR",
                "markets": ["LT"],
                "is_open": True,
            }
        ]
        etag = {"If-None-Match": answer["ETag"], "Accept-Language": "lt"}
        assert as_seller.get(CHARITIES, headers=etag).status_code == 304
        assert as_seller.get(CHARITIES, headers=etag | {"Accept-Language": "de"}).status_code == 200
        [abroad] = as_seller.get(CHARITIES, {"market": "DE"}).json()["results"]
        assert abroad["name"] == "Abroad"

    def test_come_by_name_page_by_page(self, as_seller: APIClient) -> None:
        for name in ("Wide Wings", "Angels", "Moss"):
            make_charity(name)
        first = as_seller.get(CHARITIES, {"limit": 2}).json()
        second = as_seller.get(first["next"]).json()
        names = [row["name"] for page in (first, second) for row in page["results"]]
        assert names == ["Angels", "Moss", "Wide Wings"]
        assert second["next"] is None

    def test_one_is_shown_when_it_is_closed_but_no_draft(self, as_seller: APIClient) -> None:
        charity = make_charity()
        url = f"{CHARITIES}/{charity.id}"
        etag = {"If-None-Match": as_seller.get(url)["ETag"]}
        assert as_seller.get(url, headers=etag).status_code == 304
        close_charity(charity_id=charity.id, now=timezone.now())
        assert as_seller.get(url, headers=etag).json()["is_open"] is False
        draft = as_seller.get(f"{CHARITIES}/{make_charity(is_open=False).id}")
        assert (draft.status_code, draft.json()["code"]) == (404, "charity_not_found")

    @pytest.mark.parametrize("query", [{"market": "lt"}, {"market": "LTU"}, {"limit": 0}, {"cursor": "x"}])
    def test_refuse_a_broken_question(self, as_seller: APIClient, query: dict[str, Any]) -> None:
        assert as_seller.get(CHARITIES, query).status_code == 400

    def test_are_for_members(self, stranger: APIClient) -> None:
        assert {stranger.get(url).status_code for url in (CHARITIES, SETTING, URL)} == {401}


class TestSetting:
    def put(self, client: APIClient, etag: str | None, **body: Any) -> Any:
        return client.put(SETTING, body, headers={} if etag is None else {"If-Match": etag})

    def test_is_nothing_at_first_and_changes_under_its_etag(self, as_seller: APIClient) -> None:
        charity = make_charity()
        unset = as_seller.get(SETTING)
        assert unset.json() == {"percent": 0, "charity": None, "set_at": None}
        body = {"percent": 10, "charity_id": charity.id}
        missing = self.put(as_seller, None, **body)
        assert (missing.status_code, missing.json()["code"]) == (428, "if_match_required")
        answer = self.put(as_seller, unset["ETag"], **body)
        assert (answer.status_code, answer.json()["charity"]["id"]) == (200, charity.id)
        assert as_seller.get(SETTING).json() == answer.json()
        stale = self.put(as_seller, unset["ETag"], percent=0)
        assert (stale.status_code, stale.json()["code"]) == (412, "stale_etag")
        assert self.put(as_seller, answer["ETag"], percent=0).json()["charity"] is None

    @pytest.mark.parametrize("percent", [-1, 101, 1.5, "10", True, None])
    def test_refuses_what_is_no_percentage(self, as_seller: APIClient, percent: Any) -> None:
        answer = self.put(as_seller, as_seller.get(SETTING)["ETag"], percent=percent)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

    def test_refuses_a_charity_that_takes_nothing_from_the_member(self, as_seller: APIClient) -> None:
        etag = as_seller.get(SETTING)["ETag"]
        abroad = self.put(as_seller, etag, percent=10, charity_id=make_charity(markets=("DE",)).id)
        assert (abroad.status_code, abroad.json()["code"]) == (422, "charity_not_available")
        nobody = self.put(as_seller, etag, percent=10)
        assert (nobody.status_code, nobody.json()["code"]) == (422, "charity_required")
        unknown = self.put(as_seller, etag, percent=10, charity_id="x")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "charity_not_found")


class TestDonate:
    def test_answers_what_was_given(self, as_seller: APIClient, charity: Charity) -> None:
        answer = ask(as_seller, charity.id)
        assert answer.status_code == 201
        body = answer.json()
        assert body | {"id": "", "given_at": ""} == {
            "id": "",
            "kind": "one_off",
            "status": "given",
            "amount": {"amount": 500, "currency": "EUR"},
            "charity": {"id": charity.id, "name": "Warm Hands"},
            "sale": None,
            "given_at": "",
            "ended_at": None,
        }
        assert as_seller.get(answer["Location"]).json() == body
        entry = as_seller.get("/api/v1/balance/entries", headers={"Accept-Language": "lt"}).json()["results"][
            0
        ]
        assert (entry["label"], entry["amount"]["amount"]) == ("Auka", -500)

    def test_needs_a_key_and_repeats_its_answer(self, as_seller: APIClient, charity: Charity) -> None:
        keyless = ask(as_seller, charity.id, key=None)
        assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key_required")
        first = ask(as_seller, charity.id)
        again = ask(as_seller, charity.id)
        assert (again["Idempotent-Replayed"], again.json()) == ("true", first.json())
        assert ask(as_seller, charity.id, minor=100).json()["code"] == "idempotency_key_reused"
        assert Donation.objects.count() == 1

    @pytest.mark.parametrize("minor", [1.5, "500", True, None, 2**63])
    def test_refuses_what_is_no_amount(self, as_seller: APIClient, charity: Charity, minor: Any) -> None:
        answer = ask(as_seller, charity.id, minor=minor)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

    @pytest.mark.parametrize(
        ("minor", "code"),
        [
            (0, "invalid_amount"),
            (-1, "invalid_amount"),
            (99, "donation_out_of_range"),
            (1_000_001, "donation_out_of_range"),
            (2001, "insufficient_funds"),
        ],
    )
    def test_refuses_amounts_by_rule(
        self, as_seller: APIClient, charity: Charity, minor: int, code: str
    ) -> None:
        answer = ask(as_seller, charity.id, minor=minor)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert not Donation.objects.exists()

    def test_refuses_another_currency_and_another_charity(
        self, as_seller: APIClient, charity: Charity
    ) -> None:
        body = {"charity_id": charity.id, "amount": {"amount": 500, "currency": "PLN"}}
        answer = as_seller.post(URL, body, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (422, "currency_mismatch")
        assert ask(as_seller, "x", key="k2").json()["code"] == "charity_not_found"
        abroad = make_charity(markets=("DE",))
        assert ask(as_seller, abroad.id, key="k3").json()["code"] == "charity_not_available"

    def test_a_frozen_account_gives_nothing(
        self, as_seller: APIClient, seller: Member, charity: Charity
    ) -> None:
        LedgerAccount.objects.filter(member=seller).update(frozen_at=timezone.now())
        frozen = ask(as_seller, charity.id)
        assert (frozen.status_code, frozen.json()["code"]) == (403, "account_frozen")

    @pytest.mark.parametrize(
        ("reason", "code"),
        [
            ("tax_details_missing", "tax_information_required"),
            ("kyc_required", "kyc_required"),
            ("fraud_suspected", "withdrawals_blocked"),
        ],
    )
    def test_a_block_is_told_with_its_reason(
        self, as_seller: APIClient, seller: Member, charity: Charity, reason: str, code: str
    ) -> None:
        restrict(
            member_id=seller.id, capability="withdraw", reason=reason, source="staff:1", now=timezone.now()
        )
        answer = ask(as_seller, charity.id)
        assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (403, code, reason)


class TestRead:
    def test_pages_and_filters(self, as_seller: APIClient, seller: Member, charity: Charity) -> None:
        other = make_charity("Wide Wings")
        choose(seller.id, other.id, 10)
        one_off = ask(as_seller, charity.id).json()["id"]
        reference, _ = sell(seller.id, 2000)
        everything = as_seller.get(URL, {"limit": 1}).json()
        [share] = everything["results"]
        assert (share["kind"], share["sale"], share["charity"]["name"]) == ("sale", reference, "Wide Wings")
        assert [row["id"] for row in as_seller.get(everything["next"]).json()["results"]] == [one_off]

        def found(**query: str) -> list[str]:
            return [row["id"] for row in as_seller.get(URL, query).json()["results"]]

        assert found(kind="one_off") == found(charity=charity.id) == [one_off]
        assert found(kind="sale", status="given", charity=other.id) == [share["id"]]
        assert found(status="settled") == []

    @pytest.mark.parametrize("query", [{"kind": "gift"}, {"status": "lost"}, {"charity": ""}, {"x": "1"}])
    def test_refuses_a_broken_question(self, as_seller: APIClient, query: dict[str, str]) -> None:
        assert as_seller.get(URL, query).status_code == 400

    def test_another_members_is_not_found(
        self, as_seller: APIClient, as_buyer: APIClient, charity: Charity
    ) -> None:
        donation_id = ask(as_seller, charity.id).json()["id"]
        answer = as_buyer.get(f"{URL}/{donation_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "donation_not_found")
        assert as_buyer.get(URL).json()["results"] == []


class TestExamples:
    def test_are_loaded_into_a_sandbox_only(self, seller: Member) -> None:
        with override_settings(SANDBOX=False), pytest.raises(CommandError, match="SANDBOX"):
            call_command("load_example_charities")
        assert not Charity.objects.exists()
        with override_settings(SANDBOX=True):
            call_command("load_example_charities", verbosity=0)
        assert Charity.objects.filter(name__startswith="Example: ").count() == 2
