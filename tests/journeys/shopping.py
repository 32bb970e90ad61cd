"""A member's app, over real HTTP against a live server, whose sandbox clock does the workers' work."""

from __future__ import annotations

import itertools
from typing import Any

import httpx

from members.models import Member
from tests.factories.listings import image_bytes
from tests.factories.orders import on_offer

_keys = itertools.count()
HOMES = {
    "LT": {
        "name": "Jonas Jonaitis",
        "street": "Gedimino pr. 1",
        "postal_code": "01103",
        "city": "Vilnius",
        "country": "LT",
    },
    "DE": {
        "name": "Jonas Müller",
        "street": "Hauptstraße 5",
        "postal_code": "10115",
        "city": "Berlin",
        "country": "DE",
    },
}


class Shopper:
    """A signed-in member."""

    def __init__(self, base_url: str, member: Member) -> None:
        self.id = member.id
        self.member = member
        self.country = member.market_id
        self.http = httpx.Client(base_url=base_url, timeout=30, trust_env=False)
        login = {"email": member.email, "password": "correct horse 7"}
        signed_in = self.http.post("/_allauth/app/v1/auth/login", json=login).json()
        self.http.headers["Authorization"] = f"Bearer {signed_in['meta']['access_token']}"

    def get(self, path: str) -> Any:
        """What is there now."""
        answer = self.http.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(
        self, path: str, body: Any = None, *, expect: int = 200, method: str = "POST", **more: Any
    ) -> Any:
        """The answer's body, to a request that moves money once."""
        headers = {"Idempotency-Key": f"key-{next(_keys)}"} | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        answer = self.http.request(method, f"/api/v1/{path}", headers=headers, **more)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    def wait(self, duration: str = "PT1S") -> None:
        """Time passes for all, and workers do what is due."""
        clock = self.post("sandbox/clock", {"by": duration})
        assert clock["failed"] == []
        assert clock["advancing_to"] is None

    # What buyers do.

    def check_out(self, *listing_ids: str, kind: str = "pickup_point", **choices: Any) -> Any:
        """A checkout with everything chosen: the cheapest option of this kind, the nearest point."""
        body = {"listing_ids": list(listing_ids)} | choices
        checkout = self.post("checkouts", body, expect=201)
        option = next(one for one in checkout["shipping_options"] if one["kind"] == kind)
        delivery = {"option": option["code"], "address": HOMES[self.country]}
        if kind == "pickup_point":
            place = f"country={self.country}&postal_code={HOMES[self.country]['postal_code']}"
            delivery["pickup_point_id"] = self.get(f"pickup-points?{place}")["results"][0]["id"]
        where = f"checkouts/{checkout['id']}"
        etag = self.http.get(f"/api/v1/{where}").headers["ETag"]
        return self.post(where, {"delivery": delivery} | choices, method="PUT", headers={"If-Match": etag})

    def pay(self, checkout: Any, method: str = "pm_card_ok") -> Any:
        """The order once the workers have charged the card; it passes its 3-D Secure step."""
        where = f"checkouts/{checkout['id']}"
        body = {"quote_version": checkout["quote_version"], "payment_method": method}
        self.post(f"{where}/pay", body, expect=202)
        self.wait()
        paying = self.get(where)
        if paying["payment"]["status"] == "requires_action":
            self.post(paying["payment"]["action_url"].partition("/api/v1/")[2], {"passes": True})
            self.wait()
        return self.order(checkout["id"])

    def buy(self, *listing_ids: str, **choices: Any) -> Any:
        """A paid order."""
        order = self.pay(self.check_out(*listing_ids, **choices))
        assert order["status"] == "paid"
        return order

    def order(self, order_id: str) -> Any:
        return self.get(f"orders/{order_id}")

    def carrier_says(self, order_id: str, *codes: str, leg: str = "outbound") -> Any:
        """News of the parcel, in this order; the order afterwards."""
        parcel = next(one for one in self.order(order_id)["parcels"] if one["leg"] == leg)
        self.post(f"sandbox/parcels/{parcel['id']}/events", {"events": [{"code": code} for code in codes]})
        return self.order(order_id)

    def report(self, order_id: str, kind: str = "not_as_described") -> Any:
        """An issue with a photo."""
        issue = self.post(f"orders/{order_id}/issue", {"kind": kind, "text": "A tear."}, expect=201)
        photo = {"photo": ("tear.jpg", image_bytes(), "image/jpeg")}
        return self.post(f"issues/{issue['id']}/evidence", files=photo, expect=201)

    # What sellers do.

    def offers(self, minor: int = 2000) -> str:
        """The id of a new listing at this price."""
        return on_offer(self.id, minor).id

    def balance(self, kind: str = "available") -> int:
        """Minor units, in the home currency."""
        return int(self.get("balance")["balances"][0][kind]["amount"])
