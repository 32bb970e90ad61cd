"""Issues over the API: reporting, evidence, what the two propose, agreeing, sending back."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIClient

from members.models import Member
from orders.models import Issue, IssueEvidence, Order
from orders.services import issues
from tests.factories.listings import image_bytes
from tests.factories.order_life import order_in
from tests.factories.purchases import buy, deliver, held_by, refunded_to_card

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

REFUND: dict[str, Any] = {"kind": "refund"}
RETURN: dict[str, Any] = {"kind": "return"}


def part(minor: int, currency: str = "EUR") -> dict[str, Any]:
    return {"kind": "part", "amount": {"amount": minor, "currency": currency}}


def report(client: APIClient, order: Order, **body: Any) -> Any:
    return client.post(f"/api/v1/orders/{order.id}/issue", {"kind": "damaged", "text": "A tear"} | body)


def act(client: APIClient, issue: str, verb: str, body: Any = None, *, key: str | None = "k") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(f"/api/v1/issues/{issue}/{verb}", body, headers=headers)


def upload(
    client: APIClient, issue: str, content: bytes, name: str = "a.jpg", kind: str = "image/jpeg"
) -> Any:
    file = SimpleUploadedFile(name, content, kind)
    return client.post(f"/api/v1/issues/{issue}/evidence", {"photo": file}, format="multipart")


@pytest.fixture
def delivered(seller: Member, buyer: Member) -> Order:
    """24.70 by card, 20.00 of it for the item; it has just come."""
    now = timezone.now()
    return deliver(buy(seller.id, buyer.id, now=now - timedelta(hours=3)), now=now)


@pytest.fixture
def issue(as_buyer: APIClient, delivered: Order) -> str:
    return str(report(as_buyer, delivered).json()["id"])


class TestReport:
    def test_stops_the_seller_from_being_paid(
        self, as_buyer: APIClient, as_seller: APIClient, delivered: Order
    ) -> None:
        answer = report(as_buyer, delivered)
        body = answer.json()
        assert answer.status_code == 201
        assert body == {
            "id": body["id"],
            "order_id": delivered.id,
            "role": "buyer",
            "status": "issue_open",
            "kind": "damaged",
            "text": "A tear",
            "opened_at": body["opened_at"],
            "agree_by": body["agree_by"],
            "send_back_by": None,
            "postage_by": None,
            "return_tracking": None,
            "return_to": None,
            "decision": None,
            "evidence": [],
            "proposals": [],
            "allowed_actions": [
                *("propose_refund", "propose_part", "propose_return"),
                *("escalate", "add_evidence"),
            ],
        }
        assert as_buyer.get(answer["Location"]).json() == body
        sellers = as_seller.get(answer["Location"]).json()
        assert sellers == body | {"role": "seller"}
        assert as_buyer.get(f"/api/v1/orders/{delivered.id}").json()["issue_id"] == body["id"]

    def test_comes_too_late(self, as_buyer: APIClient, delivered: Order) -> None:
        closed_at = timezone.now() - timedelta(seconds=1)
        Order.objects.update(due_at=closed_at)
        answer = report(as_buyer, delivered)
        assert (answer.status_code, answer.json()["code"]) == (409, "dispute_window_closed")
        assert answer.json()["closed_at"][:19] == closed_at.isoformat()[:19]
        as_buyer.post(f"/api/v1/orders/{delivered.id}/confirm", headers={"Idempotency-Key": "k"})
        completed = report(as_buyer, delivered)
        assert (completed.status_code, completed.json()["code"]) == (409, "dispute_window_closed")
        assert not Issue.objects.exists()

    def test_is_the_buyers_and_once(
        self, as_buyer: APIClient, as_seller: APIClient, delivered: Order, issue: str
    ) -> None:
        for client in (as_seller, as_buyer):
            answer = report(client, delivered)
            assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")

    @pytest.mark.parametrize("body", [{"kind": "ugly"}, {"text": ""}, {"text": "x" * 2001}, {"amount": 1}])
    def test_refuses_what_it_does_not_know(
        self, as_buyer: APIClient, delivered: Order, body: dict[str, Any]
    ) -> None:
        answer = report(as_buyer, delivered, **body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


class TestRead:
    @pytest.mark.parametrize(
        ("status", "buyers", "sellers"),
        [
            ("under_review", ["add_evidence"], ["add_evidence"]),
            ("return_pending", ["send_back", "add_evidence"], ["receive", "add_evidence"]),
            ("returning", ["add_evidence"], ["escalate", "receive", "add_evidence"]),
            ("refunded", [], []),
        ],
    )
    def test_says_what_each_may_do(
        self,
        as_buyer: APIClient,
        as_seller: APIClient,
        seller: Member,
        buyer: Member,
        status: str,
        buyers: list[str],
        sellers: list[str],
    ) -> None:
        order = order_in(status, seller, buyer, now=timezone.now() - timedelta(hours=4))
        path = f"/api/v1/issues/{Issue.objects.get(order_id=order.id).id}"
        assert as_buyer.get(path).json()["allowed_actions"] == buyers
        assert as_seller.get(path).json()["allowed_actions"] == sellers
        assert (as_buyer.get(path).json()["send_back_by"] is not None) == (status == "return_pending")

    def test_is_404_for_others(self, as_buyer: APIClient, as_outsider: APIClient, issue: str) -> None:
        photo = upload(as_buyer, issue, image_bytes()).json()["evidence"][0]
        answers = [
            as_outsider.get(f"/api/v1/issues/{issue}"),
            as_outsider.get(photo["url"]),
            upload(as_outsider, issue, image_bytes()),
            act(as_outsider, issue, "propose", REFUND),
            act(as_outsider, issue, "accept", {"number": 1}),
            act(as_outsider, issue, "decline", {"number": 1}),
            act(as_outsider, issue, "escalate"),
            act(as_outsider, issue, "return", {"tracking_number": "RR 1"}),
            act(as_outsider, issue, "receive"),
        ]
        found = {(answer.status_code, answer.json()["code"]) for answer in answers}
        assert found == {(404, "issue_not_found")}
        assert APIClient().get(photo["url"]).status_code == 401


class TestEvidence:
    def test_is_seen_by_the_two(
        self, as_buyer: APIClient, as_seller: APIClient, issue: str, storage_folder: Path
    ) -> None:
        content = image_bytes()
        answer = upload(as_buyer, issue, content)
        assert answer.status_code == 201
        upload(as_seller, issue, image_bytes())
        photos = as_seller.get(f"/api/v1/issues/{issue}").json()["evidence"]
        assert [photo["added_by"] for photo in photos] == ["buyer", "seller"]
        shown = as_seller.get(photos[0]["url"])
        assert (shown["Content-Type"], shown["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
        assert Image.open(io.BytesIO(shown.content)).size == Image.open(io.BytesIO(content)).size
        gone = as_seller.get(photos[0]["url"][:-26] + issue)
        assert (gone.status_code, gone.json()["code"]) == (404, "evidence_not_found")

    @pytest.mark.parametrize(
        ("content", "name", "kind", "status", "code"),
        [
            (b"", "a.jpg", "image/jpeg", 422, "photo_empty"),
            (image_bytes()[:-40], "a.jpg", "image/jpeg", 422, "photo_damaged"),
            (image_bytes("PNG"), "a.jpg", "image/jpeg", 415, "photo_type_mismatch"),
            (b"%PDF-1.7", "a.pdf", "application/pdf", 415, "photo_type_not_accepted"),
            (image_bytes() + b"PK\x03\x04zip", "a.jpg", "image/jpeg", 422, "photo_has_foreign_data"),
            (image_bytes() + b"\0" * 20_000_000, "a.jpg", "image/jpeg", 413, "photo_too_large"),
        ],
    )
    def test_of_anything_else_is_refused(
        self, as_buyer: APIClient, issue: str, content: bytes, name: str, kind: str, status: int, code: str
    ) -> None:
        answer = upload(as_buyer, issue, content, name, kind)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert not IssueEvidence.objects.exists()

    def test_is_one_file(self, as_buyer: APIClient, issue: str) -> None:
        answer = as_buyer.post(f"/api/v1/issues/{issue}/evidence", {"file": "x"}, format="multipart")
        assert (answer.status_code, answer.json()["code"]) == (400, "photo_missing")

    def test_has_an_end(self, as_buyer: APIClient, issue: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(issues, "MOST_EVIDENCE", 1)
        assert upload(as_buyer, issue, image_bytes()).status_code == 201
        answer = upload(as_buyer, issue, image_bytes())
        assert (answer.status_code, answer.json()["code"]) == (409, "too_much_evidence")

    def test_of_what_is_settled(self, as_buyer: APIClient, seller: Member, buyer: Member) -> None:
        order = order_in("refunded", seller, buyer)
        answer = upload(as_buyer, Issue.objects.get(order_id=order.id).id, image_bytes())
        assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")


class TestPropose:
    def test_counter_then_accept(
        self, as_buyer: APIClient, as_seller: APIClient, seller: Member, delivered: Order, issue: str
    ) -> None:
        assert act(as_buyer, issue, "propose", part(1000)).status_code == 200
        countered = act(as_seller, issue, "propose", part(500), key="k2").json()
        assert [(row["by"], row["status"]) for row in countered["proposals"]] == [
            ("buyer", "replaced"),
            ("seller", "open"),
        ]
        assert "accept" not in countered["allowed_actions"]
        assert {"accept", "decline"} <= set(as_buyer.get(f"/api/v1/issues/{issue}").json()["allowed_actions"])
        agreed = act(as_buyer, issue, "accept", {"number": 2}, key="k3")
        body = agreed.json()
        assert (agreed.status_code, body["status"], body["allowed_actions"]) == (200, "completed", [])
        assert (body["proposals"][1]["status"], body["proposals"][1]["amount"]["amount"]) == ("accepted", 500)
        assert (held_by(seller.id), refunded_to_card(delivered)) == (1500, 500)

    def test_decline(self, as_buyer: APIClient, as_seller: APIClient, issue: str) -> None:
        act(as_buyer, issue, "propose", REFUND)
        answer = act(as_seller, issue, "decline", {"number": 1}, key=None)
        assert (answer.status_code, answer.json()["proposals"][0]["status"]) == (200, "declined")
        assert answer.json()["status"] == "issue_open"

    def test_is_not_open_to_everybody(self, as_buyer: APIClient, as_seller: APIClient, issue: str) -> None:
        act(as_buyer, issue, "propose", REFUND)
        act(as_buyer, issue, "propose", part(100), key="k2")
        asked = [(as_buyer, 2), (as_seller, 1), (as_seller, 3)]
        for verb in ("accept", "decline"):
            for client, number in asked:
                answer = act(client, issue, verb, {"number": number}, key=f"{verb}{number}")
                assert (answer.status_code, answer.json()["code"]) == (409, "proposal_not_open")
        assert Order.objects.get().status == "issue_open"

    def test_needs_a_key_to_accept_and_repeats_its_answer(
        self, as_buyer: APIClient, as_seller: APIClient, delivered: Order, issue: str
    ) -> None:
        act(as_buyer, issue, "propose", REFUND)
        keyless = act(as_seller, issue, "accept", {"number": 1}, key=None)
        assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key_required")
        first, again = (act(as_seller, issue, "accept", {"number": 1}) for _ in range(2))
        assert (again["Idempotent-Replayed"], again.json()) == ("true", first.json())
        assert refunded_to_card(delivered) == 2470

    def test_of_more_than_is_left(self, as_buyer: APIClient, issue: str) -> None:
        answer = act(as_buyer, issue, "propose", part(2001))
        assert (answer.status_code, answer.json()["code"]) == (422, "refund_exceeds_remaining")
        assert answer.json()["remaining"] == {"amount": 2000, "currency": "EUR"}

    @pytest.mark.parametrize(
        "body",
        [
            {"kind": "part"},
            part(0),
            part(500, "PLN"),
            part(500) | {"postage_by": "seller"},
            part(500) | {"kind": "refund"},
            part(500) | {"kind": "return"},
            REFUND | {"postage_by": "buyer"},
        ],
    )
    def test_of_what_does_not_fit_together(
        self, as_buyer: APIClient, issue: str, body: dict[str, Any]
    ) -> None:
        answer = act(as_buyer, issue, "propose", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_proposal")

    @pytest.mark.parametrize("body", [{}, {"kind": "swap"}, RETURN | {"postage_by": "platform"}, {"x": 1}])
    def test_refuses_what_it_does_not_know(
        self, as_buyer: APIClient, issue: str, body: dict[str, Any]
    ) -> None:
        answer = act(as_buyer, issue, "propose", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


class TestEscalate:
    def test_ends_what_is_proposed(self, as_buyer: APIClient, as_seller: APIClient, issue: str) -> None:
        act(as_seller, issue, "propose", REFUND)
        answer = act(as_buyer, issue, "escalate", key=None)
        assert (answer.status_code, answer.json()["status"]) == (200, "under_review")
        assert answer.json()["proposals"][0]["status"] == "ended"
        for verb, body in (("escalate", None), ("propose", REFUND)):
            again = act(as_buyer, issue, verb, body)
            assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")


class TestReturn:
    def test_is_sent_and_received(
        self, as_buyer: APIClient, as_seller: APIClient, delivered: Order, issue: str
    ) -> None:
        act(as_buyer, issue, "propose", RETURN)
        pending = act(as_seller, issue, "accept", {"number": 1}).json()
        assert (pending["status"], pending["postage_by"]) == ("return_pending", "buyer")
        assert pending["send_back_by"] is not None
        sent = act(as_buyer, issue, "return", {"tracking_number": "RR 123-4.LT"})
        assert (sent.status_code, sent.json()["return_tracking"]) == (200, "RR 123-4.LT")
        received = act(as_seller, issue, "receive", key="k2")
        assert (received.status_code, received.json()["status"]) == (200, "refunded")
        assert refunded_to_card(delivered) == 2470

    def test_with_our_label(self, as_buyer: APIClient, as_seller: APIClient, issue: str) -> None:
        act(as_seller, issue, "propose", RETURN | {"postage_by": "seller"})
        agreed = act(as_buyer, issue, "accept", {"number": 1}).json()
        assert agreed["postage_by"] == "seller"
        order = as_buyer.get(f"/api/v1/orders/{agreed['order_id']}").json()
        assert [parcel["leg"] for parcel in order["parcels"]] == ["outbound", "return"]

    @pytest.mark.parametrize("number", ["", "x" * 61, "<b>", None])
    def test_refuses_what_is_no_number(self, as_buyer: APIClient, issue: str, number: Any) -> None:
        answer = act(as_buyer, issue, "return", {"tracking_number": number})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")

    def test_is_each_ones_own_to_say(self, as_buyer: APIClient, as_seller: APIClient, issue: str) -> None:
        act(as_buyer, issue, "propose", RETURN)
        act(as_seller, issue, "accept", {"number": 1})
        for client, verb, body in (
            (as_seller, "return", {"tracking_number": "RR 1"}),
            (as_buyer, "receive", None),
        ):
            answer = act(client, issue, verb, body, key=verb)
            assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
