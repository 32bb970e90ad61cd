"""What members live through between a listing and their money, over HTTP; time is the sandbox's clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from foundation import clock
from orders.models import Order, Strike
from orders.providers.payments import sandbox as processor
from tests.factories.banking import LT_IBAN
from tests.factories.members import make_member
from tests.factories.money import give
from tests.factories.orders import load_small_world
from tests.factories.tax import read_so_far
from tests.journeys.shopping import HOMES, Shopper

pytestmark = [pytest.mark.usefixtures("sandbox"), pytest.mark.any_database]

Join = Callable[..., Shopper]
EUR = "EUR"


@pytest.fixture
def join(live_server: Any) -> Iterator[Join]:
    """Signs members up and in."""
    load_small_world()
    read_so_far(timezone.now())
    joined: list[Shopper] = []

    def sign_in(name: str, country: str = "LT") -> Shopper:
        joined.append(Shopper(live_server.url, make_member(name, country=country)))
        return joined[-1]

    yield sign_in
    for shopper in joined:
        shopper.http.close()


@pytest.fixture
def seller(join: Join) -> Shopper:
    return join("Ona")


@pytest.fixture
def buyer(join: Join) -> Shopper:
    return join("Jonas")


def support(order_id: str, step: str, **form: str) -> None:
    """Support does this on the order's page of the admin."""
    staff = Client()
    staff.force_login(make_member("Clerk", is_staff=True, is_superuser=True))
    version = Order.objects.values_list("version", flat=True).get(id=order_id)
    answer = staff.post(f"/admin/orders/order/{order_id}/{version}/{step}/", {"reason": "looked at", **form})
    assert answer.status_code == 302, answer.content


class TestSale:
    def test_of_a_silent_buyer_completes_and_is_withdrawn(self, seller: Shopper, buyer: Shopper) -> None:
        checkout = buyer.check_out(seller.offers(2000))
        assert checkout["money"]["total"]["amount"] == 2470
        order = buyer.pay(checkout, "pm_card_3ds")
        assert (order["status"], seller.balance("pending")) == ("paid", 2000)
        label = seller.http.get(f"/api/v1/orders/{order['id']}/label")
        assert label.content.startswith(b"%PDF")
        buyer.carrier_says(order["id"], "first_scan", "in_transit", "delivered")

        account = {"iban": LT_IBAN, "holder_name": "Ona Kazlauskienė"}
        person = {"legal_name": "Ona Kazlauskienė", "date_of_birth": "1990-05-17"}
        home = {name: part for name, part in HOMES["LT"].items() if name != "name"}
        seller.post("balance/activation", person | home, method="PUT")
        account = seller.post("bank-accounts", account, expect=201)
        buyer.wait("PT47H59M")
        assert buyer.order(order["id"])["status"] == "delivered"
        buyer.wait("PT2M")
        assert (buyer.order(order["id"])["status"], seller.balance()) == ("completed", 2000)

        body = {"bank_account_id": account["id"], "amount": {"amount": 2000, "currency": EUR}}
        withdrawal = seller.post("withdrawals", body, expect=201)
        assert (seller.balance(), seller.balance("in_transit")) == (0, 2000)
        seller.wait()
        seller.post(f"sandbox/payouts/{withdrawal['id']}/pay", {"times": 3})
        assert seller.get(f"withdrawals/{withdrawal['id']}")["status"] == "paid"
        assert seller.balance("in_transit") == 0


class TestCancellation:
    def test_gives_wallet_and_card_back_what_each_paid(self, seller: Shopper, buyer: Shopper) -> None:
        give(buyer.id, 1000)
        order = buyer.buy(seller.offers(2000))
        money = order["money"]
        assert (money["wallet"]["amount"], money["card"]["amount"], buyer.balance()) == (1000, 1470, 0)
        money = buyer.post(f"orders/{order['id']}/cancel")["money"]
        assert (money["refunded_wallet"]["amount"], money["refunded_card"]["amount"]) == (1000, 1470)
        assert (buyer.balance(), seller.balance("pending")) == (1000, 0)

    def test_comes_by_itself_when_nobody_ships(self, seller: Shopper, buyer: Shopper) -> None:
        order = buyer.buy(seller.offers(2000))
        buyer.wait("P14D")
        order = buyer.order(order["id"])
        assert (order["status"], order["events"][-1]["actor"]) == ("cancelled", "clock")
        assert order["money"]["refunded_card"] == order["money"]["card"]
        assert Strike.objects.get().member_id == seller.id
        told = [notice["kind"] for notice in seller.get("me/notifications")["results"]]
        assert "order.not_shipped" in told


class TestPrices:
    def test_of_a_bundle_have_the_sellers_discount_and_one_fee(self, seller: Shopper, buyer: Shopper) -> None:
        etag = seller.http.get("/api/v1/me/bundle-discounts").headers["ETag"]
        ladder = {"steps": [{"items": 3, "percent": 10}]}
        seller.post("me/bundle-discounts", ladder, method="PUT", headers={"If-Match": etag})
        listings = [seller.offers(minor) for minor in (2000, 1500, 500)]
        bundle = buyer.post("bundles", {"listing_ids": listings}, expect=201)
        order = buyer.buy(*listings)
        assert [item["price"]["amount"] for item in order["items"]] == [1800, 1350, 450]
        money = order["money"]
        assert (money["items_total"], money["fee"]) == (
            bundle["price"]["items_total"],
            bundle["price"]["fee"],
        )
        assert money["fee"]["total"]["amount"] == 250
        assert seller.balance("pending") == 3600

    def test_that_were_agreed_are_the_buyers_alone(self, join: Join, seller: Shopper, buyer: Shopper) -> None:
        listing = seller.offers(2000)
        body = {"amount": {"amount": 1500, "currency": EUR}}
        offer = buyer.post(f"listings/{listing}/offers", body, expect=201)
        seller.post(f"offers/{offer['id']}/accept")
        assert join("Rasa").check_out(listing)["money"]["items_total"]["amount"] == 2000
        buyer.wait("PT16M")  # the other's checkout is over
        order = buyer.buy(listing)
        assert (order["money"]["items_total"]["amount"], order["offer_id"]) == (1500, offer["id"])
        assert buyer.get(f"offers/{offer['id']}")["status"] == "bought"

    def test_of_another_market_are_in_its_currency_with_the_buyers_vat(
        self, join: Join, seller: Shopper
    ) -> None:
        buyer = join("Jonas", "DE")
        order = buyer.buy(seller.offers(2000))
        # Inside 1.70: German VAT of 19 %; Lithuania's 21 % would be 0.30.
        assert order["money"]["fee"]["vat"] == {"amount": 27, "currency": EUR}
        assert order["delivery"]["pickup_point"]["country"] == "DE"
        buyer.carrier_says(order["id"], "delivered")
        order = buyer.post(f"orders/{order['id']}/confirm")
        assert (order["status"], seller.balance()) == ("completed", 2000)


class TestIssue:
    def test_ends_in_a_part_that_both_agree_on(self, seller: Shopper, buyer: Shopper) -> None:
        order = buyer.buy(seller.offers(2000))
        buyer.carrier_says(order["id"], "delivered")
        issue = buyer.report(order["id"])
        photo = seller.http.get(issue["evidence"][0]["url"])
        assert photo.headers["Content-Type"] == "image/jpeg"
        buyer.wait("P3D")
        assert buyer.order(order["id"])["status"] == "issue_open"
        where = f"issues/{issue['id']}"
        too_much = {"kind": "part", "amount": {"amount": 2001, "currency": EUR}}
        assert buyer.post(f"{where}/propose", too_much, expect=422)["code"] == "refund_exceeds_remaining"
        buyer.post(f"{where}/propose", {"kind": "part", "amount": {"amount": 500, "currency": EUR}})
        assert seller.post(f"{where}/accept", {"number": 1})["status"] == "completed"
        money = buyer.order(order["id"])["money"]
        assert (money["refunded_card"]["amount"], money["seller_gets"]["amount"]) == (500, 1500)
        assert seller.balance() == 1500

    def test_ends_in_a_return_and_the_whole_price(self, seller: Shopper, buyer: Shopper) -> None:
        order = buyer.buy(seller.offers(2000))
        buyer.carrier_says(order["id"], "delivered")
        where = f"issues/{buyer.report(order['id'], 'damaged')['id']}"
        seller.post(f"{where}/propose", {"kind": "return"})
        assert buyer.post(f"{where}/accept", {"number": 1})["status"] == "return_pending"
        buyer.post(f"{where}/return", {"tracking_number": "RB123456789LT"})
        assert seller.post(f"{where}/receive")["status"] == "refunded"
        money = buyer.order(order["id"])["money"]
        assert money["refunded_card"] == money["card"]
        assert (seller.balance("pending"), seller.balance()) == (0, 0)


class TestVerification:
    @pytest.fixture
    def order(self, seller: Shopper, buyer: Shopper) -> Any:
        """Paid, and at the hub."""
        order = buyer.buy(seller.offers(20_000), verification=True)
        assert order["money"]["verification"]["amount"] == 1000
        return buyer.carrier_says(order["id"], "first_scan", "delivered", leg="to_hub")

    def test_passed_goes_on_to_the_buyer(self, order: Any, seller: Shopper, buyer: Shopper) -> None:
        assert order["status"] == "at_verification"
        support(order["id"], "verify")
        buyer.wait()
        delivered = buyer.carrier_says(order["id"], "first_scan", "delivered", leg="from_hub")
        assert delivered["status"] == "delivered"
        buyer.wait("PT48H")
        assert (buyer.order(order["id"])["status"], seller.balance()) == ("completed", 20_000)

    def test_rejected_gives_everything_back(self, order: Any, seller: Shopper, buyer: Shopper) -> None:
        support(order["id"], "reject", is_counterfeit="on")
        rejected = buyer.order(order["id"])
        assert rejected["status"] == "rejected"
        assert rejected["money"]["refunded_card"] == rejected["money"]["total"]
        assert (seller.balance("pending"), Strike.objects.get().member_id) == (0, seller.id)
        listing = f"/api/v1/listings/{order['items'][0]['listing_id']}"
        assert buyer.http.get(listing).status_code == 404


class TestCallbacks:
    PATH = "/api/v1/webhooks/payments/sandbox"

    def test_forged_old_and_repeated_move_no_money(self, seller: Shopper, buyer: Shopper) -> None:
        order = buyer.buy(seller.offers(2000))
        body, signed = processor.payment_callback(order["payment"]["id"], now=clock.real_now())
        old_body, old = processor.payment_callback(
            order["payment"]["id"], now=clock.real_now() - timedelta(minutes=6)
        )

        def tell(content: bytes, headers: dict[str, str]) -> tuple[int, Any]:
            kind = {"Content-Type": "application/json"}
            answer = buyer.http.post(self.PATH, content=content, headers=headers | kind)
            return answer.status_code, answer.json().get("code") if answer.content else None

        assert tell(body, {}) == (401, "webhook_signature_invalid")
        assert tell(body.replace(b"2470", b"9999"), signed) == (401, "webhook_signature_invalid")
        assert tell(old_body, old) == (400, "webhook_timestamp_stale")
        assert [tell(body, signed)[0] for _ in range(3)] == [200, 200, 200]
        buyer.wait("PT1M")
        after = buyer.order(order["id"])
        assert (after["status"], after["money"]) == (order["status"], order["money"])
        assert seller.balance("pending") == 2000
