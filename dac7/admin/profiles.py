"""For tax staff: profiles, the queue of checks, evidence, and who looked at what.

Everything that tells who somebody is stays masked. "Reveal" asks why, writes it down, and shows it once, to
those who may (permission `reveal_taxprofile`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from dac7.dossiers import Exclusion
from dac7.lifecycle.profiles import CheckStatus
from dac7.models import AccessLog, CheckEvent, ProfileCheck, TaxDocument, TaxNumber, TaxProfile
from dac7.services import documenting, erasing, profiling, revealing, verifying
from dac7.tins import normalised
from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.encryption import matching
from foundation.errors import DomainError

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
    _Inline = admin.TabularInline[Any, Any]
else:  # generic only in the stubs, not at run time
    _Admin = admin.ModelAdmin
    _Inline = admin.TabularInline


class ExclusionForm(NoteForm):
    exclusion = forms.ChoiceField(
        required=False, choices=[(why.value, why.value or "is reported like others") for why in Exclusion]
    )
    field_order = ("exclusion", "note")


def _member_link(member_id: str) -> str:
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:members_member_change", args=[member_id]), member_id
    )


class NumberInline(ReadOnly, _Inline):
    model = TaxNumber
    fields = ("state", "masked", "level", "checked_at", "checked_by")
    readonly_fields = fields
    extra = 0

    @admin.display(description="TIN")
    def masked(self, number: TaxNumber) -> str:
        return f"•••• {number.ending}"


class CheckInline(ReadOnly, _Inline):
    model = ProfileCheck
    fields = ("kind", "about", "status", "reason", "note", "checked_by", "changed_at")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0


class AttentionFilter(admin.SimpleListFilter):
    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("pending", "with a check that waits for a person"), ("erasure", "with a request of erasure")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "pending":
            return queryset.filter(pending__gt=0)
        if self.value() == "erasure":
            return queryset.filter(erasure_asked_at__isnull=False)
        return queryset


@admin.register(TaxProfile)
class TaxProfileAdmin(ReadOnly, _Admin):
    list_display = (
        *("id", "member_link", "entity_type", "country", "shown_numbers", "pending_checks"),
        *("exclusion", "version", "changed_at", "kept_until"),
    )
    list_filter = ("entity_type", AttentionFilter, "exclusion", "has_no_tin", "country")
    search_fields = ("=id", "=member__id")
    search_help_text = "Id of a profile or member, or a whole TIN"
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    actions = ("reveal", "exclude_entities")
    inlines = (NumberInline, CheckInline)
    fields = (
        *("id", "member_link", "entity_type", "country", "establishments", "has_no_tin", "exclusion"),
        *("version", "given_at", "changed_at", "kept_for_year", "kept_until", "erasure_asked_at"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaxProfile]:
        pending = Count("checks", filter=Q(checks__status=CheckStatus.PENDING))
        rows: QuerySet[TaxProfile] = super().get_queryset(request)
        return rows.prefetch_related("numbers").annotate(pending=pending)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TaxProfile], search_term: str
    ) -> tuple[QuerySet[TaxProfile], bool]:
        """By a whole TIN too; it goes no further than into its blind index."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if search_term:
            # Finland's sign stays, the other states' separators go.
            forms_of_it = {normalised(search_term, state) for state in ("FI", "LT")}
            numbers = Q(*(matching(TaxNumber, "number", form) for form in forms_of_it), _connector=Q.OR)
            owners = TaxNumber.objects.filter(numbers).values("profile_id")
            found = found | queryset.filter(id__in=owners)
        return found, duplicates

    def has_reveal_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("dac7.reveal_taxprofile")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may "change" profiles may use the actions; nobody edits a row."""
        return request.user.has_perm("dac7.change_taxprofile")

    @admin.display(description="member")
    def member_link(self, profile: TaxProfile) -> str:
        return _member_link(profile.member_id)

    @admin.display(description="TINs")
    def shown_numbers(self, profile: TaxProfile) -> str:
        return ", ".join(f"{number.state} •••• {number.ending}" for number in profile.numbers.all())

    @admin.display(description="pending checks", ordering="pending")
    def pending_checks(self, profile: TaxProfile) -> int:
        pending: int = getattr(profile, "pending", 0)
        return pending

    @admin.display(description="kept until")
    def kept_until(self, profile: TaxProfile) -> str:
        return str(erasing.end_of(profile))

    @admin.action(description="Reveal the dossier…", permissions=["reveal"])
    def reveal(self, request: HttpRequest, chosen: QuerySet[TaxProfile]) -> HttpResponse | None:
        profiles = list(chosen[:2])
        if len(profiles) != 1:
            self.message_user(request, "One at a time: a reason belongs to one seller.", messages.ERROR)
            return None
        form, page = ask(request, NoteForm, profiles, "Reveal the dossier; it is logged")
        if page is not None:
            return page
        dossier = revealing.reveal_dossier(
            member_id=profiles[0].member_id,
            staff_id=str(request.user.pk),
            reason=form.cleaned_data["note"],
            now=clock.now(),
        )
        context = {**admin.site.each_context(request), "title": "Dossier", "dossier": dossier}
        return TemplateResponse(request, "admin/dac7/dossier.html", context)

    @admin.action(description="Exclude an entity, or report it again…", permissions=["act"])
    def exclude_entities(self, request: HttpRequest, chosen: QuerySet[TaxProfile]) -> HttpResponse | None:
        form, page = ask(request, ExclusionForm, chosen, "Exclude from reporting")
        if page is not None:
            return page
        note, exclusion = form.cleaned_data["note"], form.cleaned_data["exclusion"]

        def act(profile: TaxProfile) -> None:
            profiling.exclude_entity(
                member_id=profile.member_id,
                exclusion=exclusion,
                staff_id=str(request.user.pk),
                note=note,
                now=clock.now(),
            )

        for_each(self, request, chosen, act, f"Exclusion: {exclusion or 'none'}. {note}")
        return None


class CheckEventInline(ReadOnly, _Inline):
    model = CheckEvent
    fields = ("happened_at", "verb", "source", "target", "actor", "actor_id", "reason", "note")
    readonly_fields = fields
    ordering = ("id",)
    extra = 0


@admin.register(ProfileCheck)
class ProfileCheckAdmin(ReadOnly, _Admin):
    """The queue: what does not fit waits for a person, who says why."""

    list_display = (
        *("id", "kind", "about", "status", "reason", "profile_link", "checked_by"),
        *("attempts", "due_at", "opened_at", "changed_at"),
    )
    list_filter = ("status", "kind", "reason")
    search_fields = ("=id", "=profile__id", "=profile__member__id")
    search_help_text = "Id of a check, a profile or a member"
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    actions = ("approve", "refuse")
    inlines = (CheckEventInline,)
    fields = (*list_display, "note")
    readonly_fields = fields

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("dac7.change_profilecheck")

    @admin.display(description="profile")
    def profile_link(self, check: ProfileCheck) -> str:
        url = reverse("admin:dac7_taxprofile_change", args=[check.profile_id])
        return format_html('<a href="{}">{}</a>', url, check.profile_id)

    @admin.action(description="Approve: it is as the seller says…", permissions=["act"])
    def approve(self, request: HttpRequest, chosen: QuerySet[ProfileCheck]) -> HttpResponse | None:
        return self._decide(request, chosen, verifying.approve_check, "Approve")

    @admin.action(description="Refuse: the seller has to give it again…", permissions=["act"])
    def refuse(self, request: HttpRequest, chosen: QuerySet[ProfileCheck]) -> HttpResponse | None:
        return self._decide(request, chosen, verifying.refuse_check, "Refuse")

    def _decide(
        self, request: HttpRequest, chosen: QuerySet[ProfileCheck], verb: Callable[..., None], title: str
    ) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, title, name=lambda check: f"{check.kind} {check.reason}")
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def act(check: ProfileCheck) -> None:
            verb(check_id=check.id, staff_id=str(request.user.pk), note=note, now=clock.now())

        for_each(self, request, chosen, act, f"{title}. {note}")
        return None


@admin.register(TaxDocument)
class TaxDocumentAdmin(ReadOnly, _Admin):
    list_display = ("id", "member_link", "kind", "status", "media_type", "size", "uploaded_at", "decided_at")
    list_filter = ("status", "kind")
    search_fields = ("=id", "=member__id")
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    actions = ("accept", "refuse", "open_document")
    fields = (*list_display, "decided_by", "reason")
    readonly_fields = fields

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("dac7.change_taxdocument")

    def has_reveal_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("dac7.reveal_taxprofile")

    @admin.display(description="member")
    def member_link(self, document: TaxDocument) -> str:
        return _member_link(document.member_id)

    @admin.action(description="Accept…", permissions=["act"])
    def accept(self, request: HttpRequest, chosen: QuerySet[TaxDocument]) -> HttpResponse | None:
        return self._decide(request, chosen, documenting.accept_document, "Accept; the seller reads the note")

    @admin.action(description="Refuse…", permissions=["act"])
    def refuse(self, request: HttpRequest, chosen: QuerySet[TaxDocument]) -> HttpResponse | None:
        return self._decide(request, chosen, documenting.refuse_document, "Refuse; the seller reads the note")

    @admin.action(description="Open the document…", permissions=["reveal"])
    def open_document(self, request: HttpRequest, chosen: QuerySet[TaxDocument]) -> HttpResponse | None:
        documents = list(chosen[:2])
        if len(documents) != 1:
            self.message_user(request, "One at a time: a reason belongs to one document.", messages.ERROR)
            return None
        form, page = ask(request, NoteForm, documents, "Open the document; it is logged")
        if page is not None:
            return page
        try:
            media_type, content = revealing.reveal_document(
                document_id=documents[0].id,
                staff_id=str(request.user.pk),
                reason=form.cleaned_data["note"],
                now=clock.now(),
            )
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return None
        ending = media_type.partition("/")[2].replace("jpeg", "jpg")
        return HttpResponse(
            content,
            content_type=media_type,
            headers={
                "Content-Disposition": f'attachment; filename="{documents[0].id}.{ending}"',
                "X-Content-Type-Options": "nosniff",
            },
        )

    def _decide(
        self, request: HttpRequest, chosen: QuerySet[TaxDocument], verb: Callable[..., None], title: str
    ) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, title, name=lambda document: document.kind)
        if page is not None:
            return page
        note = form.cleaned_data["note"]

        def act(document: TaxDocument) -> None:
            verb(document_id=document.id, staff_id=str(request.user.pk), note=note, now=clock.now())

        for_each(self, request, chosen, act, f"{title.partition(';')[0]}. {note}")
        return None


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnly, _Admin):
    list_display = ("happened_at", "staff_id", "what", "member_link", "reason")
    search_fields = ("=member__id", "=staff_id")
    search_help_text = "Id of a member, or of staff"
    ordering = ("-id",)
    show_full_result_count = False
    fields = list_display
    readonly_fields = fields

    @admin.display(description="member")
    def member_link(self, entry: AccessLog) -> str:
        return _member_link(entry.member_id)
