"""For staff: what providers sent and what became of it, without the bodies; the dead get another chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each
from foundation.incoming.processing import process_again
from foundation.models import IncomingEvent

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[IncomingEvent]
else:  # generic only in the stubs, not at run time
    _Admin = admin.ModelAdmin


@admin.register(IncomingEvent)
class IncomingEventAdmin(ReadOnly, _Admin):
    list_display = ("id", "source", "subject_id", "status", "attempts", "last_error", "received_at", "due_at")
    list_filter = ("status", "source", "last_error")
    search_fields = ("=id", "=event_id", "=subject_id")
    # Never the body: it is personal data, and nobody here needs it.
    fields = (
        *("id", "source", "event_id", "subject_id", "status", "attempts", "last_error"),
        *("occurred_at", "received_at", "due_at", "processed_at"),
    )
    readonly_fields = fields
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("process_again",)

    @admin.action(description="Process again (only dead ones)")
    def process_again(self, request: HttpRequest, chosen: QuerySet[IncomingEvent]) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Process again")
        if page is not None:
            return page
        now = clock.now()
        for_each(
            self,
            request,
            chosen,
            lambda event: process_again(event_id=event.id, now=now),
            f"Process again: {form.cleaned_data['note']}",
        )
        return None
