"""Support at its desk: who may what, and a step on an order's page."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

from django.contrib.auth.models import Permission
from django.test import Client
from PIL import Image

from members.models import Member
from orders.models import Issue, Order
from orders.services.issues import report_issue
from tests.factories.listings import NOW
from tests.factories.members import make_member
from tests.factories.purchases import (
    buy,
    deliver,
)

ORDERS, CASES, ISSUES = "/admin/orders/order/", "/admin/orders/case/", "/admin/orders/issue/"
VIEW = ("view_order", "view_case", "view_issue", "view_strike", "view_proposal", "view_issueevidence")
STREET = "Gedimino pr. 1"
DELIVERED = NOW + timedelta(days=3)


def client_of(*permissions: str) -> Client:
    member = make_member("Agent", is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(member)
    return client


def step_url(order: Order, step: str) -> str:
    return f"{ORDERS}{order.id}/{Order.objects.get(id=order.id).version}/{step}/"


def take(client: Client, order: Order, step: str, **data: object) -> str:
    """The page that follows."""
    given = {"reason": "asked by phone", **data}
    answer = client.post(step_url(order, step), given, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def status_of(order: Order) -> str:
    return str(Order.objects.get(id=order.id).status)


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def photo() -> bytes:
    file = BytesIO()
    Image.new("RGB", (700, 700), "navy").save(file, "JPEG")
    return file.getvalue()


def disputed(seller: Member, buyer: Member, *, kind: str = "damaged") -> tuple[Order, Issue]:
    """Delivered, and the buyer is not content."""
    order = deliver(buy(seller.id, buyer.id))
    report_issue(buyer_id=buyer.id, order_id=order.id, kind=kind, text="A hole in the sleeve", now=DELIVERED)
    return order, Issue.objects.get(order_id=order.id)
