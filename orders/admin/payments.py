"""For staff: payments, what goes back to cards, and chargebacks. Read-only but for trying a refund again."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.money import Money
from orders.admin.finding import FoundById, Inline
from orders.models import Dispute, Payment, Refund
from orders.services.refunding import request_again


class RefundInline(ReadOnly, Inline):
    model = Refund
    fields = ("id", "status", "amount_minor", "failure_code", "requested_at", "ended_at")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0


class DisputeInline(ReadOnly, Inline):
    model = Dispute
    fields = ("id", "status", "amount_minor", "fee_minor", "reason", "opened_at", "closed_at")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0


@admin.register(Payment)
class PaymentAdmin(FoundById):
    list_display = (
        *("id", "order_id", "status", "failure_code", "amount", "captured", "refunded"),
        *("provider", "calls", "due_at", "created_at"),
    )
    list_filter = ("status", "provider", "currency")
    looked_up = ("id", "order_id", "provider_id")
    search_help_text = "Id of a payment or an order, or the provider's own"
    inlines = (RefundInline, DisputeInline)
    # Neither the token of a card nor an address that lets somebody else confirm it.
    fields = (
        *("id", "order_id", "status", "failure_code", "amount", "captured", "refunded", "provider"),
        *("provider_id", "calls", "due_at", "created_at", "sent_at", "captured_at", "ended_at"),
    )
    readonly_fields = fields

    @admin.display(description="asked for", ordering="amount_minor")
    def amount(self, payment: Payment) -> str:
        return str(Money(payment.amount_minor, payment.currency))

    @admin.display(description="captured")
    def captured(self, payment: Payment) -> str:
        return str(Money(payment.captured_minor, payment.currency))

    @admin.display(description="refunded")
    def refunded(self, payment: Payment) -> str:
        return str(Money(payment.refunded_minor, payment.currency))


@admin.register(Refund)
class RefundAdmin(FoundById):
    list_display = ("id", "payment_id", "status", "failure_code", "amount", "calls", "due_at", "requested_at")
    list_filter = ("status", "currency")
    looked_up = ("id", "payment_id")
    search_help_text = "Id of a refund or a payment"
    actions = ("try_again",)
    fields = (
        *("id", "payment_id", "key", "status", "failure_code", "amount", "provider_id", "calls"),
        *("due_at", "requested_at", "sent_at", "ended_at"),
    )
    readonly_fields = fields

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may "change" refunds may try one again; nobody edits a row."""
        return request.user.has_perm("orders.change_refund")

    @admin.display(description="amount", ordering="amount_minor")
    def amount(self, refund: Refund) -> str:
        return str(Money(refund.amount_minor, refund.currency))

    @admin.action(description="Try again (only failed ones)…", permissions=["act"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[Refund]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Try these refunds again", name=self.amount)
        if page is not None:
            return page

        def act(refund: Refund) -> None:
            request_again(refund_id=refund.id, now=clock.now())

        for_each(self, request, chosen, act, f"Tried again. {form.cleaned_data['note']}")
        return None


@admin.register(Dispute)
class DisputeAdmin(FoundById):
    list_display = ("id", "payment_id", "status", "reason", "amount", "fee", "opened_at", "closed_at")
    list_filter = ("status", "provider", "reason")
    looked_up = ("id", "payment_id", "provider_id")
    search_help_text = "Id of a dispute or a payment, or the provider's own"
    fields = (*list_display, "sellers", "after_completion", "provider", "provider_id")
    readonly_fields = fields

    @admin.display(description="taken from the seller")
    def sellers(self, dispute: Dispute) -> str:
        return str(Money(dispute.seller_minor, dispute.currency))

    @admin.display(description="taken back", ordering="amount_minor")
    def amount(self, dispute: Dispute) -> str:
        return str(Money(dispute.amount_minor, dispute.currency))

    @admin.display(description="fee")
    def fee(self, dispute: Dispute) -> str:
        return str(Money(dispute.fee_minor, dispute.currency))
