"""Acceptance by field, version, market and week, and what a confidence is worth: read from the roll-up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet, Sum

from ai_suggestions.evaluation.figures import BINS, Bin, Share
from ai_suggestions.evaluation.tables import ACCEPTANCE, NO_CONFIDENCE, AcceptanceDay, RollUp

MOST_LINES = 300
MOST_VERSIONS = 100
_SUMS = ("offered", "accepted", "edited", "rejected", "edit_distance", "measured")
_WEEK = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which suggestions. An empty text means all; weeks count back from the one of ``until``, included."""

    until: dt.date
    weeks: int = 12
    field: str = ""
    step_version: str = ""
    country: str = ""

    @property
    def first_day(self) -> dt.date:
        """The Monday of the first week."""
        return monday_of(self.until) - (self.weeks - 1) * _WEEK

    def rows(self) -> QuerySet[AcceptanceDay]:
        """The days asked for."""
        rows = AcceptanceDay.objects.filter(day__gte=self.first_day, day__lte=self.until)
        wanted = {"field": self.field, "step_version": self.step_version, "country": self.country}
        return rows.filter(**{name: value for name, value in wanted.items() if value})


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What sellers did with some suggestions."""

    offered: int
    accepted: int
    edited: int
    rejected: int
    edit_distance: int
    measured: int

    @property
    def decided(self) -> int:
        """Suggestions on which somebody decided."""
        return self.accepted + self.edited + self.rejected

    @property
    def accepted_share(self) -> Share:
        """Of the decided ones, those taken as they were."""
        return Share(self.accepted, self.decided)

    @property
    def mean_edit_distance(self) -> float | None:
        """Of those that have one."""
        return self.edit_distance / self.measured if self.measured else None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: suggestions of one version for one field."""

    field: str
    step: str
    step_version: str
    figures: Acceptance


def monday_of(day: dt.date) -> dt.date:
    """The first day of its ISO week."""
    return day - dt.timedelta(days=day.weekday())


def counted_until() -> dt.datetime | None:
    """Everything that happened before is in the figures."""
    return RollUp.objects.filter(name=ACCEPTANCE).values_list("done_until", flat=True).first()


def acceptance(asked: Asked) -> list[Line]:
    """By field and version, by field and then the most offered first; at most MOST_LINES."""
    rows = (
        asked.rows()
        .values("field", "step", "step_version")
        .annotate(**_sums())
        .order_by("field", F("sum_offered").desc(), "step_version")
    )
    return [Line(row["field"], row["step"], row["step_version"], _figures(row)) for row in rows[:MOST_LINES]]


def weekly(asked: Asked) -> dict[str, list[tuple[dt.date, Share]]]:
    """The share accepted by week (Mondays): of each field, or of each version where a field is asked for."""
    by = "step_version" if asked.field else "field"
    counts: dict[tuple[str, dt.date], list[int]] = {}
    for row in asked.rows().values(by, "day").annotate(**_sums()).order_by(by, "day"):
        figures = _figures(row)
        count = counts.setdefault((row[by], monday_of(row["day"])), [0, 0])
        count[0] += figures.accepted
        count[1] += figures.decided
    series: dict[str, list[tuple[dt.date, Share]]] = {}
    for (name, week), (hits, n) in sorted(counts.items()):
        if n:
            series.setdefault(name, []).append((week, Share(hits, n)))
    return series


@dataclass(frozen=True, slots=True)
class WeekLine:
    """A line of the table to download."""

    week: dt.date
    field: str
    step: str
    step_version: str
    country: str
    figures: Acceptance


def week_lines(asked: Asked) -> Iterator[WeekLine]:
    """By week, field, version and market; one week's counts are held at a time."""
    keys = ("field", "step", "step_version", "country")
    rows = asked.rows().values("day", *keys).annotate(**_sums()).order_by("day", *keys)
    held: dict[tuple[str, ...], list[int]] = {}
    week: dt.date | None = None
    for row in rows.iterator(chunk_size=1000):
        if week is not None and monday_of(row["day"]) != week:
            yield from _week(week, held)
            held = {}
        week = monday_of(row["day"])
        sums = held.setdefault(tuple(row[key] for key in keys), [0] * len(_SUMS))
        for place, name in enumerate(_SUMS):
            sums[place] += row[f"sum_{name}"]
    if week is not None:
        yield from _week(week, held)


def _week(week: dt.date, held: Mapping[tuple[str, ...], list[int]]) -> Iterator[WeekLine]:
    for (field, step, version, country), sums in sorted(held.items()):
        yield WeekLine(week, field, step, version, country, Acceptance(*sums))


def calibration(asked: Asked, *, step_version: str) -> list[Bin]:
    """Of decided suggestions with a probability: how sure they were, and how many were right.

    Right is what was filled in and kept, or a choice of which one was taken.
    """
    rows = (
        asked.rows()
        .filter(step_version=step_version)
        .exclude(bin=NO_CONFIDENCE)
        .values("bin")
        .annotate(**_sums(), sum_kept=Sum("kept"), sum_confidence=Sum("decided_confidence"))
        .order_by("bin")
    )
    return [
        Bin(
            low=row["bin"] / BINS,
            high=(row["bin"] + 1) / BINS,
            right=Share(row["sum_kept"], decided),
            confidence=min(1.0, row["sum_confidence"] / decided),
        )
        for row in rows
        if (decided := _figures(row).decided)
    ]


def versions(asked: Asked) -> list[str]:
    """The versions that offered something then, to choose from; at most MOST_VERSIONS."""
    rows = AcceptanceDay.objects.filter(day__gte=asked.first_day, day__lte=asked.until)
    names = rows.values_list("step_version", flat=True).order_by("step_version").distinct()
    return list(names[:MOST_VERSIONS])


def countries(asked: Asked) -> list[str]:
    """The markets that were offered something then."""
    rows = AcceptanceDay.objects.filter(day__gte=asked.first_day, day__lte=asked.until).exclude(country="")
    return list(rows.values_list("country", flat=True).order_by("country").distinct()[:MOST_VERSIONS])


def _sums() -> dict[str, Sum]:
    return {f"sum_{name}": Sum(name) for name in _SUMS}


def _figures(row: Mapping[str, Any]) -> Acceptance:
    return Acceptance(*(row[f"sum_{name}"] for name in _SUMS))
