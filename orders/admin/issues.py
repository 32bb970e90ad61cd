"""For support: what buyers object to, what the two proposed, the evidence; and strikes of sellers.

The buyer's words and the photos are opened for a reason, which is written down first.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.contrib import admin
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode

from foundation import clock
from foundation.admin import ReadOnly
from foundation.errors import DomainError
from foundation.money import Money
from orders.admin.finding import FoundById, Inline
from orders.admin.orders import link, member_link
from orders.admin.steps import ReasonForm
from orders.models import Issue, IssueEvidence, Proposal, Strike
from orders.services import revealing
from orders.services.striking import COUNTED_FOR

_SALT: Final = "orders.evidence"
OPEN_FOR: Final = timedelta(minutes=15)
"""How long the photos of a page that was opened for a reason can be loaded."""


class ProposalInline(ReadOnly, Inline):
    model = Proposal
    fields = ("number", "by", "kind", "amount", "postage_by", "status", "made_at", "answered_at")
    readonly_fields = fields
    ordering = ("number",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        rows: QuerySet[Proposal] = super().get_queryset(request)
        return rows.select_related("issue__order").defer("issue__text", "issue__order__address")

    @admin.display(description="amount")
    def amount(self, proposal: Proposal) -> str:
        minor = proposal.amount_minor
        return "-" if minor is None else str(Money(minor, proposal.issue.order.currency))


class EvidenceInline(ReadOnly, Inline):
    model = IssueEvidence
    verbose_name_plural = "Photos"
    fields = ("position", "added_by", "added_at")
    readonly_fields = fields
    ordering = ("position",)
    extra = 0


@admin.register(Issue)
class IssueAdmin(FoundById):
    change_form_template = "admin/orders/issue/change_form.html"
    list_display = ("id", "kind", "order_link", "order_status", "opened_at", "decided_by")
    list_filter = ("kind",)
    list_select_related = ("order",)
    looked_up = ("id", "order_id")
    search_help_text = "Id of an issue or an order"
    ordering = ("-id",)
    list_per_page = 50
    inlines = (ProposalInline, EvidenceInline)
    fields = (
        *("id", "kind", "order_link", "order_status", "opened_at", "postage_by", "return_tracking"),
        *("decided_by", "decision"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Issue]:
        rows: QuerySet[Issue] = super().get_queryset(request)
        return rows.defer("text", "order__address", "order__terms")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may "change" issues sees what is in them; they are decided on the order's page."""
        return bool(request.user.has_perm("orders.change_issue"))

    def get_urls(self) -> list[URLPattern]:
        """Before the admin's own, of which one takes any path for an id."""
        view = self.admin_site.admin_view
        return [
            path("<str:issue_id>/evidence/", view(self.open_view), name="orders_issue_open"),
            path(
                "<str:issue_id>/evidence/<str:evidence_id>/",
                view(self.photo_view),
                name="orders_issue_photo",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        more = {"may_reveal": self.has_act_permission(request)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def open_view(self, request: HttpRequest, issue_id: str) -> HttpResponse:
        """The buyer's words and the photos, for a reason that is written down first."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        issue = Issue.objects.select_related("order").defer("text").filter(id=issue_id).first()
        if issue is None:
            raise Http404
        form = ReasonForm(request.POST or None, order=issue.order)
        common = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Show what was sent"}
        if request.method != "POST" or not form.is_valid():
            words = f"Issue {issue.id}: {issue.get_kind_display()}. Your look is logged."
            return TemplateResponse(request, "foundation/ask.html", {**common, "words": words, "form": form})
        self.log_change(request, issue, f"Words and photos shown. {form.cleaned_data['reason']}")
        staff_id = str(request.user.pk)
        grant = urlencode({"grant": signing.dumps([staff_id, issue.id], salt=_SALT)})
        photos = [
            (one, f"{reverse('admin:orders_issue_photo', args=[issue.id, one.id])}?{grant}")
            for one in IssueEvidence.objects.filter(issue=issue).order_by("position")
        ]
        text = revealing.reveal_issue(issue_id=issue.id, staff_id=staff_id)
        context = {**common, "title": "What was sent", "issue": issue, "text": text, "photos": photos}
        return TemplateResponse(request, "admin/orders/issue/evidence.html", context)

    def photo_view(self, request: HttpRequest, issue_id: str, evidence_id: str) -> HttpResponse:
        """A photo, for a while after its issue was opened for a reason, to who opened it."""
        grant, staff_id = request.GET.get("grant", ""), str(request.user.pk)
        try:
            granted = signing.loads(grant, salt=_SALT, max_age=OPEN_FOR)
        except signing.BadSignature:
            raise PermissionDenied from None
        if not self.has_act_permission(request) or granted != [staff_id, issue_id]:
            raise PermissionDenied
        try:
            photo = revealing.reveal_evidence(issue_id=issue_id, evidence_id=evidence_id, staff_id=staff_id)
        except DomainError as error:
            raise Http404 from error
        return HttpResponse(photo, content_type="image/jpeg", headers={"X-Content-Type-Options": "nosniff"})

    @admin.display(description="order")
    def order_link(self, issue: Issue) -> str:
        return link("order", issue.order_id)

    @admin.display(description="order is")
    def order_status(self, issue: Issue) -> str:
        return str(issue.order.status)


@admin.register(Strike)
class StrikeAdmin(FoundById):
    list_display = ("id", "member", "reason", "order_link", "given_at", "counts")
    list_filter = ("reason",)
    looked_up = ("id", "member_id", "order_id")
    search_help_text = "Id of a strike, a member or an order"
    ordering = ("-id",)
    fields = list_display
    readonly_fields = fields

    @admin.display(description="member")
    def member(self, strike: Strike) -> str:
        return member_link(strike.member_id)

    @admin.display(description="order")
    def order_link(self, strike: Strike) -> str:
        return link("order", strike.order_id)

    @admin.display(description="counts", boolean=True)
    def counts(self, strike: Strike) -> bool:
        """Towards the number that stops selling."""
        return strike.given_at > clock.now() - COUNTED_FOR
