"""For support: an order with everything that belongs to it, and what may be done about it.

The address stays masked: "Show the address" asks why and writes it down first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import display, register
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from foundation import clock
from foundation.errors import DomainError
from foundation.money import Money
from orders.admin.finding import FoundById
from orders.admin.steps import STEPS, ReasonForm
from orders.models import (
    Case,
    Dispute,
    Issue,
    Order,
    OrderEvent,
    OrderItem,
    Parcel,
    Payment,
    Refund,
    Strike,
)
from orders.services import revealing, supporting

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of another page's, on this one."""

    caption: str
    headings: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def link(model: str, pk: str, words: str = "") -> str:
    """To the page of a row of orders."""
    url = reverse(f"admin:orders_{model}_change", args=[pk])
    return format_html('<a href="{}">{}</a>', url, words or pk)


def member_link(member_id: str) -> str:
    """To a member's page."""
    url = reverse("admin:members_member_change", args=[member_id])
    return format_html('<a href="{}">{}</a>', url, member_id)


@register(Order)
class OrderAdmin(FoundById):
    change_form_template = "admin/orders/order/change_form.html"
    list_display = ("id", "status", "seller_link", "buyer_link", "total", "created_at", "due_at")
    list_filter = ("status", "currency", "is_verified")
    looked_up = ("id", "seller_id", "buyer_id", "payment_id")
    search_help_text = "Id of an order, one of its members, or the payment that paid"
    ordering = ("-id",)
    list_per_page = 50
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("id", "status", "due_at"),
                    ("seller_link", "seller_country"),
                    ("buyer_link", "buyer_country", "shown_address"),
                    ("shipping_option", "parcel_size", "is_verified"),
                )
            },
        ),
        (
            "More",
            {
                "classes": ("collapse",),
                "fields": (
                    ("version", "currency", "offer_id"),
                    ("created_at", "paid_at", "shipped_at"),
                    ("delivered_at", "completed_at", "ended_at"),
                    ("ship_by_at", "handed_over_at", "remind_at"),
                ),
            },
        ),
    )
    readonly_fields = (
        *("id", "status", "version", "seller_link", "buyer_link", "seller_country", "buyer_country"),
        *("currency", "shipping_option", "parcel_size", "shown_address", "is_verified", "offer_id"),
        *("created_at", "paid_at", "shipped_at", "delivered_at", "completed_at", "ended_at"),
        *("ship_by_at", "handed_over_at", "due_at", "remind_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        rows: QuerySet[Order] = super().get_queryset(request)
        return rows.defer("address", "terms")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may "change" orders acts on them and sees addresses; nobody edits a row."""
        return bool(request.user.has_perm("orders.change_order"))

    def get_urls(self) -> list[URLPattern]:
        """Before the admin's own, of which one takes any path for an id."""
        view = self.admin_site.admin_view
        return [
            path("<str:order_id>/address/", view(self.address_view), name="orders_order_address"),
            path("<str:order_id>/<int:version>/<slug:step>/", view(self.step_view), name="orders_order_step"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        order = Order.objects.filter(id=object_id).first()
        more: dict[str, Any] = {}
        if order is not None:
            may = self.has_act_permission(request)
            open_steps = [(name, step) for name, step in STEPS.items() if may and step.is_open(order)]
            more = {"steps": open_steps, "may_reveal": may, "tables": list(_tables(order))}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def step_view(self, request: HttpRequest, order_id: str, version: int, step: str) -> HttpResponse:
        """Asks what the step needs, and why; then takes it, if the order is as the page showed it."""
        order, chosen = self._order(request, order_id), STEPS.get(step)
        if chosen is None:
            raise Http404
        form = chosen.form(request.POST or None, order=order)
        if request.method == "POST" and form.is_valid():
            by = {"staff_id": str(request.user.pk), "now": clock.now()}
            try:
                supporting.act_as_seen(order_id=order.id, version=version, act=lambda: chosen.act(form, by))
            except DomainError as error:
                form.add_error(None, "; ".join(one.detail for one in error.errors) or error.detail)
            else:
                self.log_change(request, order, f"{chosen.title}. {form.cleaned_data['reason']}")
                self.message_user(request, f"{chosen.title}: done", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:orders_order_change", args=[order.id]))
        return self._page(request, form, chosen.title, f"Order {order.id}, {order.status}. {chosen.words}")

    def address_view(self, request: HttpRequest, order_id: str) -> HttpResponse:
        """Shows the address once, for a reason that is written down first."""
        order = self._order(request, order_id)
        form = ReasonForm(request.POST or None, order=order)
        if request.method != "POST" or not form.is_valid():
            return self._page(request, form, "Show the address", f"Order {order.id}. Your look is logged.")
        self.log_change(request, order, f"Address shown. {form.cleaned_data['reason']}")
        address = revealing.reveal_address(order_id=order.id, staff_id=str(request.user.pk))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Address of the buyer",
            "order": order,
            "address": address,
        }
        return TemplateResponse(request, "admin/orders/order/address.html", context)

    def _order(self, request: HttpRequest, order_id: str) -> Order:
        if not self.has_act_permission(request):
            raise PermissionDenied
        order = Order.objects.filter(id=order_id).first()
        if order is None:
            raise Http404
        return order

    def _page(self, request: HttpRequest, form: ReasonForm, title: str, words: str) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "words": words,
            "form": form,
        }
        return TemplateResponse(request, "foundation/ask.html", context)

    @display(description="seller")
    def seller_link(self, order: Order) -> str:
        return member_link(order.seller_id)

    @display(description="buyer")
    def buyer_link(self, order: Order) -> str:
        return member_link(order.buyer_id)

    @display(description="total")
    def total(self, order: Order) -> str:
        return str(Money(order.wallet_minor + order.card_minor, order.currency))

    @display(description="address")
    def shown_address(self, order: Order) -> str:
        return f"••••, {order.buyer_country}"


def _tables(order: Order) -> list[Table]:
    def money(minor: int | None) -> str:
        return "" if minor is None else str(Money(minor, order.currency))

    def rows_of(rows: QuerySet[Any]) -> list[Any]:
        return list(rows[:MOST_ROWS])

    parts = (
        ("items", order.item_minor, order.refunded_item_minor),
        ("buyer protection", order.fee_minor, order.refunded_fee_minor),
        ("postage", order.shipping_minor, order.refunded_shipping_minor),
        ("verification", order.verification_minor, order.refunded_verification_minor),
        ("paid by wallet", order.wallet_minor, order.refunded_wallet_minor),
        ("paid by card", order.card_minor, order.refunded_card_minor),
        ("taken back by the card's bank", None, order.charged_back_minor),
        ("of which the seller bears", None, order.charged_back_seller_minor),
    )
    payments = rows_of(Payment.objects.filter(order=order).order_by("id"))
    disputes = Dispute.objects.filter(payment__order=order)
    issue = Issue.objects.filter(order=order).defer("text").first()
    return [
        Table(
            "Cases",
            ("kind", "opened", "due", "note", "resolved", "resolution"),
            [
                (
                    link("case", one.id, one.get_kind_display()),
                    *(one.opened_at, one.due_at, one.note, one.resolved_at, one.resolution),
                )
                for one in rows_of(Case.objects.filter(order=order).order_by("id"))
            ],
        ),
        Table(
            "Money",
            ("", "paid", "gone back"),
            [(name, money(paid), money(back)) for name, paid, back in parts],
        ),
        Table(
            "Items",
            ("listing", "title", "listed", "price"),
            [
                (
                    format_html(
                        '<a href="{}">{}</a>',
                        reverse("admin:listings_listing_change", args=[one.listing_id]),
                        one.listing_id,
                    ),
                    *(one.title, money(one.listed_minor), money(one.price_minor)),
                )
                for one in rows_of(OrderItem.objects.filter(order=order).order_by("position"))
            ],
        ),
        Table(
            "What happened",
            ("", "at", "who", "did", "from", "to", "amount", "reason"),
            [
                (
                    *(one.number, one.happened_at, f"{one.actor} {one.actor_id}".strip(), one.verb),
                    *(one.source, one.target, money(one.amount_minor), one.reason),
                )
                for one in rows_of(OrderEvent.objects.filter(order=order).order_by("number"))
            ],
        ),
        Table(
            "Payments",
            ("payment", "status", "asked for", "captured", "gone back", "why not"),
            [
                (
                    *(link("payment", one.id), one.status, money(one.amount_minor)),
                    *(money(one.captured_minor), money(one.refunded_minor), one.failure_code),
                )
                for one in payments
            ],
        ),
        Table(
            "Refunds to the card",
            ("refund", "status", "amount", "asked for", "ended", "why not"),
            [
                (
                    *(link("refund", one.id), one.status, money(one.amount_minor)),
                    *(one.requested_at, one.ended_at, one.failure_code),
                )
                for one in rows_of(Refund.objects.filter(payment__order=order).order_by("id"))
            ],
        ),
        Table(
            "Chargebacks",
            ("dispute", "status", "amount", "opened", "closed", "reason"),
            [
                (
                    *(link("dispute", one.id), one.status, money(one.amount_minor)),
                    *(one.opened_at, one.closed_at, one.reason),
                )
                for one in rows_of(disputes.order_by("id"))
            ],
        ),
        Table(
            "Parcels",
            ("parcel", "leg", "status", "carrier", "number", "latest news"),
            [
                (
                    *(link("parcel", one.id), one.leg, one.status, one.carrier),
                    *(one.tracking_number, one.last_event_at),
                )
                for one in rows_of(Parcel.objects.filter(order=order).order_by("id"))
            ],
        ),
        Table(
            "Issue",
            ("issue", "opened", "decision"),
            [] if issue is None else [(link("issue", issue.id, issue.kind), issue.opened_at, issue.decision)],
        ),
        Table(
            "Strikes",
            ("reason", "given"),
            [
                (one.get_reason_display(), one.given_at)
                for one in rows_of(Strike.objects.filter(order=order).order_by("id"))
            ],
        ),
    ]
