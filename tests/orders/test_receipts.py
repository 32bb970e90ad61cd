"""The receipt: the buyer's, in the buyer's language, to the cent, always the same bytes."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader
from rest_framework.test import APIClient

from foundation.languages import LANGUAGES
from members.models import Member
from orders.models import Order
from orders.receipts import WORDS
from tests.factories.orders import on_offer
from tests.factories.purchases import buy, check_out


@pytest.fixture
def order(seller: Member, buyer: Member) -> Order:
    return buy(seller.id, buyer.id)


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize("language", LANGUAGES)
def test_says_what_was_paid(order: Order, buyer: Member, as_buyer: APIClient, language: str) -> None:
    Member.objects.filter(id=buyer.id).update(language=language)
    first, second = (as_buyer.get(f"/api/v1/orders/{order.id}/receipt") for _ in range(2))
    assert first["Content-Type"] == "application/pdf"
    assert first.content == second.content
    text = text_of(first.content)
    point = "." if language == "en" else ","
    assert order.id in text
    assert WORDS["total"][LANGUAGES.index(language)] in text
    for amount in ("20_00", "1_70", "3_00", "24_70"):
        assert amount.replace("_", point) in text


def test_is_not_the_sellers(order: Order, as_seller: APIClient, as_outsider: APIClient) -> None:
    for client in (as_seller, as_outsider):
        answer = client.get(f"/api/v1/orders/{order.id}/receipt")
        assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")


def test_is_there_once_it_is_paid(seller: Member, buyer: Member, as_buyer: APIClient) -> None:
    order = check_out(buyer.id, [on_offer(seller.id).id])
    answer = as_buyer.get(f"/api/v1/orders/{order.id}/receipt")
    assert (answer.status_code, answer.json()["code"]) == (409, "receipt_not_ready")
