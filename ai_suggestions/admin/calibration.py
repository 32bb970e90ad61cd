"""For staff: what a model's certainties were measured to be worth, and which figures count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from ai_suggestions import services
from ai_suggestions.evaluation.tables import CalibrationFigure
from foundation import clock
from foundation.admin import NoteForm, ReadOnly, ask, for_each

if TYPE_CHECKING:
    _FigureAdmin = admin.ModelAdmin[CalibrationFigure]
else:  # generic only in the stubs, not at run time
    _FigureAdmin = admin.ModelAdmin


@admin.register(CalibrationFigure)
class CalibrationFigureAdmin(ReadOnly, _FigureAdmin):
    """Measured by `manage.py calibrate_suggestions`; a figure counts once it is approved."""

    list_display = (
        *("field", "certainty", "counts", "share", "interval_from", "n", "model", "source"),
        *("measured_at", "approved_at"),
    )
    list_display_links = ("field", "certainty")
    list_filter = ("is_approved", "provider", "field", "certainty", "prompt_version", "model")
    ordering = ("-id",)
    actions = ("approve_figures", "withdraw_figures")

    @admin.display(description="right", ordering="probability")
    def share(self, figure: CalibrationFigure) -> str:
        return f"{figure.probability:.3f}"

    @admin.display(description="at least (95 %)", ordering="at_least")
    def interval_from(self, figure: CalibrationFigure) -> str:
        return f"{figure.at_least:.3f}"

    @admin.display(boolean=True, description="counts")
    def counts(self, figure: CalibrationFigure) -> bool:
        return bool(figure.is_approved)

    # Who may change a route may change this too; the rows themselves are read-only.
    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ai_suggestions.change_calibrationfigure")

    @admin.action(description="Approve…", permissions=["approve"])
    def approve_figures(
        self, request: HttpRequest, chosen: QuerySet[CalibrationFigure]
    ) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Let the provider use these figures")
        if page is not None:
            return page
        who = str(request.user.pk)
        for_each(
            self,
            request,
            chosen,
            lambda figure: services.approve_calibration(
                figure_id=figure.id, approved_by=who, now=clock.now()
            ),
            f"Approved. {form.cleaned_data['note']}",
        )
        return None

    @admin.action(description="Withdraw the approval…", permissions=["approve"])
    def withdraw_figures(
        self, request: HttpRequest, chosen: QuerySet[CalibrationFigure]
    ) -> HttpResponse | None:
        form, page = ask(request, NoteForm, chosen, "Let the provider use these figures no more")
        if page is not None:
            return page
        who = str(request.user.pk)
        for_each(
            self,
            request,
            chosen,
            lambda figure: services.withdraw_calibration(
                figure_id=figure.id, withdrawn_by=who, now=clock.now()
            ),
            f"Withdrawn. {form.cleaned_data['note']}",
        )
        return None
