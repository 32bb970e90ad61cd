"""What the admin pages of all apps have in common: rows to look at, and actions that ask why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse

from foundation.errors import DomainError

Row = TypeVar("Row", bound=Model)

MOST_SHOWN = 100


class ReadOnly:
    """Seen, not edited: the rows are written by services or loaded from files."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class NoteForm(forms.Form):
    note = forms.CharField(max_length=500, help_text="Why; kept in the history, for staff only.")


def ask(
    request: HttpRequest,
    form_class: type[forms.Form],
    chosen: Iterable[Model],
    title: str,
    *,
    name: Callable[[Any], str] = str,
) -> tuple[forms.Form, TemplateResponse | None]:
    """The filled-in form of an action, or else the page that asks for it."""
    form = form_class(request.POST if "confirmed" in request.POST else None)
    if form.is_valid():
        return form, None
    context = {
        **admin.site.each_context(request),
        "title": title,
        "form": form,
        "action": request.POST["action"],
        "ids": request.POST.getlist("_selected_action"),
        "names": [f"{row.pk} {name(row)}" for _, row in zip(range(MOST_SHOWN), chosen, strict=False)],
    }
    return form, TemplateResponse(request, "foundation/confirm.html", context)


def for_each(
    page: admin.ModelAdmin[Any],
    request: HttpRequest,
    chosen: Iterable[Row],
    verb: Callable[[Row], None],
    message: str,
) -> None:
    """Call the service for each row; log what was done in the row's history, say what could not be done."""
    for row in chosen:
        try:
            verb(row)
        except DomainError as error:
            words = "; ".join(problem.detail for problem in error.errors) or error.detail
            page.message_user(request, f"{row}: {words}", messages.ERROR)
        else:
            page.log_change(request, row, message)
            page.message_user(request, f"{row}: done", messages.SUCCESS)
