"""For staff: acceptance by field, version, market and week, and whether confidences mean what they say."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import mark_safe

from ai_suggestions import queries
from ai_suggestions.contract import Field
from ai_suggestions.evaluation import acceptance
from ai_suggestions.evaluation.drawing import MOST_LINES, reliability_chart, weekly_chart
from ai_suggestions.evaluation.figures import calibration_error
from ai_suggestions.evaluation.tables import AcceptanceDay
from foundation import clock
from foundation.admin import ReadOnly

if TYPE_CHECKING:
    _DayAdmin = admin.ModelAdmin[AcceptanceDay]
else:  # generic only in the stubs, not at run time
    _DayAdmin = admin.ModelAdmin

MOST_WEEKS = 104
MOST_CHARTS = 4
COLUMNS = (
    *("week", "field", "step", "step_version", "market", "offered", "accepted", "edited", "rejected"),
    *("edit_distance_sum", "edit_distances"),
)


class Question(forms.Form):
    """The filters. What is not sent, or makes no sense, is the default."""

    weeks = forms.IntegerField(min_value=1, max_value=MOST_WEEKS, initial=12, required=False)
    field = forms.ChoiceField(
        choices=[("", "all fields"), *((field.value, field.value) for field in Field)], required=False
    )
    step_version = forms.CharField(max_length=80, required=False, label="Version", widget=forms.Select)
    country = forms.CharField(max_length=2, required=False, label="Market", widget=forms.Select)

    def asked(self, today: dt.date) -> acceptance.Asked:
        """The rows that are wanted, and the values to choose from in what follows."""
        given = self.cleaned_data if self.is_valid() else {}
        asked = acceptance.Asked(
            until=today,
            weeks=given.get("weeks") or 12,
            field=given.get("field", ""),
            step_version=given.get("step_version", ""),
            country=given.get("country", ""),
        )
        for name, all_, found in (
            ("step_version", "all versions", acceptance.versions(asked)),
            ("country", "all markets", acceptance.countries(asked)),
        ):
            widget = self.fields[name].widget
            assert isinstance(widget, forms.Select)  # noqa: S101  # declared above
            widget.choices = [("", all_), *((value, value) for value in found)]
        return asked


@admin.register(AcceptanceDay)
class AcceptanceAdmin(ReadOnly, _DayAdmin):
    """One page instead of a list of rows: the rows are counts that say nothing one by one."""

    def get_urls(self) -> list[URLPattern]:
        """Before the admin's own, of which one takes any path for an id."""
        table = path("download/", self.admin_site.admin_view(self.download), name="ai_suggestions_acceptance")
        return [table, *super().get_urls()]

    def download(self, request: HttpRequest) -> StreamingHttpResponse:
        """The same by week and market, as CSV."""
        _, asked = self._asked(request)
        response = StreamingHttpResponse(_csv(asked), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="acceptance-{asked.until}.csv"'
        return response

    def _asked(self, request: HttpRequest) -> tuple[Question, acceptance.Asked]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        question = Question({"weeks": "12"} | request.GET.dict())
        return question, question.asked(clock.now().date())

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        question, asked = self._asked(request)
        series = acceptance.weekly(asked)
        weeks = [asked.first_day + dt.timedelta(days=7 * week) for week in range(asked.weeks)]
        context = {
            **self.admin_site.each_context(request),
            "title": "What sellers did with suggestions",
            "question": question,
            "asked": asked,
            "lines": acceptance.acceptance(asked),
            "counted_until": acceptance.counted_until(),
            "waiting_since": queries.oldest_queued_at(),
            # The charts are markup that ElementTree made.
            "chart": mark_safe(weekly_chart(series, weeks)) if series else "",  # noqa: S308
            "left_out": max(0, len(series) - MOST_LINES),
            "calibrations": _calibrations(asked) if asked.field else [],
            "download": f"download/?{request.GET.urlencode()}",
        }
        return TemplateResponse(request, "admin/ai_suggestions/acceptance.html", context)


def _calibrations(asked: acceptance.Asked) -> list[dict[str, Any]]:
    """A reliability diagram for each version, the most offered first."""
    found = []
    for line in acceptance.acceptance(asked)[:MOST_CHARTS]:
        bins = acceptance.calibration(asked, step_version=line.step_version)
        if bins:
            chart = mark_safe(reliability_chart(bins))  # noqa: S308  # ElementTree made it
            decided = sum(entry.right.n for entry in bins)
            found.append(
                {
                    "version": line.step_version,
                    "n": decided,
                    "ece": calibration_error(bins),
                    "chart": chart,
                }
            )
    return found


def _csv(asked: acceptance.Asked) -> Iterator[str]:
    yield _row(COLUMNS)
    for line in acceptance.week_lines(asked):
        year, week, _ = line.week.isocalendar()
        figures = line.figures
        yield _row(
            (
                *(f"{year}-W{week:02}", line.field, line.step, line.step_version, line.country),
                *(figures.offered, figures.accepted, figures.edited, figures.rejected),
                *(figures.edit_distance, figures.measured),
            )
        )


def _row(values: tuple[object, ...]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(values)
    return written.getvalue()
