"""The second half of the journey: two things are bought, sent and paid; one of them has a tear."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from demo.client import Client, DemoFailed
from demo.screen import every_cent, money

WORKER_DOES_IT_WITHIN_S = 30
# Bruno lives in the second city of France. Nothing is sent there: the sandbox's carrier carries nothing.
HOME = {
    "name": "Bruno Blanc",
    "street": "12 rue de la Barre",
    "postal_code": "69002",
    "city": "Lyon",
    "country": "FR",
}
GRETA = {
    "legal_name": "Greta Byrne",
    "date_of_birth": "1990-05-17",
    "street": "Thomas Street 7",
    "postal_code": "D08 VF8H",
    "city": "Dublin",
    "country": "IE",
}
IBAN = "IE29 AIBK 9311 5212 3456 78"  # the example of the IBAN registry
WENT_WRONG = "There is a tear in the seam that the photos do not show."
PART = 4  # a quarter of the price goes back


@dataclass(frozen=True)
class Item:
    """A listing that buyers can see, and a photo of the thing."""

    listing_id: str
    title: str
    price: dict[str, Any]
    photo: Path


class Trade:
    """Bruno buys, Greta sends and is paid; time and the outside world are the sandbox's."""

    def __init__(self, seller: Client, buyer: Client, console: Console) -> None:
        self.seller = seller
        self.buyer = buyer
        self.say = console.print

    def run(self, items: list[Item]) -> None:
        """Raises DemoFailed at the first step that does not end as it should."""
        started = time.monotonic()
        bought: list[tuple[str, Item]] = []
        # The cheapest first: what is large goes to no other country.
        for item in sorted(items, key=lambda item: int(item.price["amount"])):
            if len(bought) < 2 and (order_id := self._buy(item, is_first=not bought)):
                bought.append((order_id, item))
        if not bought:
            raise DemoFailed("None of the listings can be sent to France.")
        for order_id, _ in bought:
            self._send(order_id)
        later = self._advance({"by": "P3D"})
        for order_id, _ in bought:
            self._carrier_says(order_id, "delivered")
        arrived = "both parcels are" if len(bought) == 2 else "the parcel is"
        self.say(f"[bold]Three days later[/bold] {later} {arrived} delivered")
        if len(bought) == 2:
            self._settle_issue(*bought[1])
        self._complete(bought[0][0])
        self._withdraw()
        orders = [self._order(order_id) for order_id, _ in bought]
        self.say(
            f"Every cent of {'both orders' if len(orders) == 2 else 'the order'}, "
            f"{time.monotonic() - started:.1f} s after the first click:"
        )
        self.say(Padding(every_cent(orders), (0, 0, 0, 2)))

    # Buying.

    def _buy(self, item: Item, *, is_first: bool) -> str | None:
        """A paid order; None when nobody carries it to where Bruno lives."""
        body = {"listing_ids": [item.listing_id]}
        answer = self.buyer.call("POST", "/api/v1/checkouts", json=body, expect=(201,))
        checkout = answer.json()
        where = f"/api/v1/checkouts/{checkout['id']}"
        options = {option["kind"]: option for option in reversed(checkout["shipping_options"])}
        if not options:
            self.buyer.call("DELETE", where, expect=(204,))
            self.say(f"[bold cyan]{escape(item.title)}[/bold cyan]: nobody carries it to France")
            return None
        # One goes to a pick-up point and one to the door.
        kind = "pickup_point" if is_first and "pickup_point" in options else "home"
        option = options.get(kind) or next(iter(options.values()))
        delivery: dict[str, Any] = {"option": option["code"], "address": HOME}
        to = "to the door"
        if option["kind"] == "pickup_point":
            near = {"country": HOME["country"], "postal_code": HOME["postal_code"], "limit": 1}
            point = self.buyer.call("GET", "/api/v1/pickup-points", params=near).json()["results"][0]
            delivery["pickup_point_id"] = point["id"]
            to = f"to {point['name']}, {point['street']}"
        answer = self.buyer.call(
            "PUT", where, json={"delivery": delivery}, headers={"If-Match": answer.headers["ETag"]}
        )
        quote = answer.json()["money"]
        self.say(
            f"[bold cyan]{escape(item.title)}[/bold cyan]: {money(quote['items_total'])}, "
            f"buyer protection {money(quote['fee']['total'])}, postage {money(quote['shipping'])} "
            f"{escape(to)}: [bold]{money(quote['total'])}[/bold]"
        )
        self._pay(where, answer.json(), "pm_card_3ds" if is_first else "pm_card_ok")
        return str(checkout["id"])

    def _pay(self, where: str, checkout: dict[str, Any], method: str) -> None:
        started = time.monotonic()
        body = {"quote_version": checkout["quote_version"], "payment_method": method}
        paying = self._post(self.buyer, f"{where}/pay", body, expect=(200, 202))
        asked = ""
        while paying["status"] == "pending_payment":
            if paying["payment"]["status"] == "requires_action":
                asked = "; his bank asks him first (3-D Secure)"
                self.buyer.call("POST", paying["payment"]["action_url"], json={"passes": True})
            elif paying["payment"]["status"] in ("failed", "cancelled"):
                raise DemoFailed(f"The card was declined: {paying['payment']['failure_code']}")
            if time.monotonic() - started > WORKER_DOES_IT_WITHIN_S:
                raise DemoFailed(f"The payment is still {paying['payment']['status']}; is the worker alive?")
            paying = self.buyer.call("GET", where, headers={"Prefer": "wait=10"}).json()
        if paying["status"] != "paid":
            raise DemoFailed(f"The order is {paying['status']}, not paid")
        self.say(f"Bruno pays by card{asked}: paid after {time.monotonic() - started:.1f} s")

    # Sending.

    def _send(self, order_id: str) -> None:
        until = time.monotonic() + WORKER_DOES_IT_WITHIN_S
        while True:
            label = self.seller.call("GET", f"/api/v1/orders/{order_id}/label", expect=(200, 409))
            if label.status_code == 200:
                break
            if time.monotonic() > until or label.json().get("parcel_status") != "requested":
                raise DemoFailed(f"There is no label: {label.json()['detail']}")
            time.sleep(0.1)
        tracking = self._order(order_id)["parcels"][0]["tracking_number"]
        self._carrier_says(order_id, "first_scan", "in_transit")
        self.say(
            f"Greta prints the label ({label.headers['content-type']}, {len(label.content) / 1000:.0f} kB, "
            f"{tracking}) and hands the parcel over: {self._order(order_id)['status'].replace('_', ' ')}"
        )

    def _carrier_says(self, order_id: str, *codes: str) -> None:
        parcel_id = self._order(order_id)["parcels"][0]["id"]
        events = [{"code": code} for code in codes]
        self._post(self.seller, f"/api/v1/sandbox/parcels/{parcel_id}/events", {"events": events})

    # What goes wrong.

    def _settle_issue(self, order_id: str, item: Item) -> None:
        order = self._order(order_id)
        price = order["money"]["items_total"]
        part = {"amount": price["amount"] // PART, "currency": price["currency"]}
        body = {"kind": "not_as_described", "text": WENT_WRONG}
        issue = self._post(self.buyer, f"/api/v1/orders/{order_id}/issue", body, expect=(201,))
        where = f"/api/v1/issues/{issue['id']}"
        with item.photo.open("rb") as file:
            files = {"photo": (item.photo.name, file)}
            issue = self.buyer.call("POST", f"{where}/evidence", files=files, expect=(201,)).json()
        picture = self.seller.call("GET", issue["evidence"][0]["url"])
        self._post(self.buyer, f"{where}/propose", {"kind": "part", "amount": part})
        seen = self.seller.call("GET", where).json()["proposals"][-1]
        self._post(self.seller, f"{where}/accept", {"number": seen["number"]})
        self.say(
            f"Bruno reports “{WENT_WRONG}” with a photo ({len(picture.content) / 1000:.0f} kB), and proposes "
            f"to keep the thing for {money(part)} back; Greta accepts: "
            f"{self._order(order_id)['status']}"
        )

    # Being paid.

    def _complete(self, order_id: str) -> None:
        due = self._order(order_id)["deadlines"]["completes_at"]
        later = self._advance({"to": due})
        order = self._order(order_id)
        if order["status"] != "completed":
            raise DemoFailed(f"The order is {order['status']}, not completed")
        title = escape(order["items"][0]["title"])
        self.say(
            f"[bold]48 hours after the delivery[/bold] {later} Bruno has said nothing about {title}: "
            f"completed, Greta has {money(self._available())}"
        )

    def _withdraw(self) -> None:
        self.seller.call("PUT", "/api/v1/balance/activation", json=GRETA)
        account = self._post(
            self.seller,
            "/api/v1/bank-accounts",
            {"iban": IBAN, "holder_name": GRETA["legal_name"]},
            expect=(201,),
        )
        body = {"bank_account_id": account["id"], "amount": self._available()}
        refused = self._post(self.seller, "/api/v1/withdrawals", body, expect=(409,))
        self.say(
            f"Greta adds her bank account {account['iban']} and wants to withdraw {money(body['amount'])}: "
            f"{refused['code'].replace('_', ' ')}"
        )
        later = self._advance({"to": account["usable_at"]})
        withdrawal = self._post(self.seller, "/api/v1/withdrawals", body, expect=(201,))
        where = f"/api/v1/withdrawals/{withdrawal['id']}"
        until = time.monotonic() + WORKER_DOES_IT_WITHIN_S
        while withdrawal["status"] == "requested" and time.monotonic() < until:
            time.sleep(0.1)
            withdrawal = self.seller.call("GET", where).json()
        self._post(self.seller, f"/api/v1/sandbox/payouts/{withdrawal['id']}/pay", {})
        withdrawal = self.seller.call("GET", where).json()
        if withdrawal["status"] != "paid":
            raise DemoFailed(f"The withdrawal is {withdrawal['status']}, not paid")
        self.say(
            f"[bold]A day later[/bold] {later} she withdraws it, and the bank pays: "
            f"{money(self._available())} left\n"
        )

    def _available(self) -> dict[str, Any]:
        # That of her home country comes first.
        return dict(self.seller.call("GET", "/api/v1/balance").json()["balances"][0]["available"])

    # The sandbox's clock is the whole installation's, and stays where it is.

    def _advance(self, target: dict[str, str]) -> str:
        """Everything that falls due on the way has been done then. How it is said on the screen."""
        started = time.monotonic()
        clock = self._post(self.buyer, "/api/v1/sandbox/clock", target, expect=(200, 202))
        while clock["advancing_to"]:
            clock = self.buyer.call("GET", "/api/v1/sandbox/clock", headers={"Prefer": "wait=10"}).json()
        if clock["failed"]:
            raise DemoFailed(f"While the clock was advanced, these failed: {', '.join(clock['failed'])}")
        return f"(by the sandbox's clock, {time.monotonic() - started:.1f} s)"

    def _order(self, order_id: str) -> dict[str, Any]:
        return dict(self.buyer.call("GET", f"/api/v1/orders/{order_id}").json())

    def _post(
        self, client: Client, path: str, body: dict[str, Any], *, expect: tuple[int, ...] = (200,)
    ) -> dict[str, Any]:
        key = {"Idempotency-Key": secrets.token_hex(8)}
        return dict(client.call("POST", path, json=body, headers=key, expect=expect).json())
