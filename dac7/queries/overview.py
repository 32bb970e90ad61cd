"""How a year stands, for tax staff: each stage with what is done and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from django.db.models import Count

from dac7.models import Compilation, InformationRequest, QuarterCheck
from dac7.models.filings import Filing
from dac7.queries.corrections import CorrectionsDue, find_corrections_due
from dac7.queries.diligence import count_sellers, find_read_until
from dac7.queries.figures import CompilationFacts, TotalFacts, find_compilation, list_totals


@dataclass(frozen=True, slots=True)
class Deadline:
    """A day of the calendar; ``days_left`` is below zero once it is over."""

    what: str
    day: date
    days_left: int


@dataclass(frozen=True, slots=True)
class FilingFacts:
    """One filing of the year, and how many errors the rules found in it."""

    id: str
    name: str
    status: str
    sellers: int
    errors: int


@dataclass(frozen=True, slots=True)
class Overview:
    """``sellers`` by standing, ``requests`` of the year by status; the latest compilation with its sums."""

    sellers: dict[str, int]
    requests: dict[str, int]
    answered_percent: int | None
    checks: list[tuple[int, datetime, int]]
    compilation: CompilationFacts | None
    totals: list[TotalFacts]
    filings: list[FilingFacts]
    due: CorrectionsDue | None
    deadlines: list[Deadline]
    read_until: datetime | None


def get_overview(year: int, time_zone: str, now: datetime) -> Overview:
    """A handful of short statements, whatever the number of sellers."""
    rows = InformationRequest.objects.filter(year=year).order_by().values_list("status")
    requests = dict(rows.annotate(Count("id")))
    asked = sum(number for status, number in requests.items() if status != "dropped")
    checks = QuarterCheck.objects.filter(year=year).order_by("quarter")
    latest = Compilation.objects.filter(year=year, finished_at__isnull=False).order_by("-as_of").first()
    return Overview(
        sellers=count_sellers(year),
        requests=dict(sorted(requests.items())),
        answered_percent=100 * requests.get("answered", 0) // asked if asked else None,
        checks=list(checks.values_list("quarter", "made_at", "incomplete")),
        compilation=None if latest is None else find_compilation(latest.id),
        totals=[] if latest is None else list_totals(latest.id),
        filings=_filings(year),
        due=find_corrections_due(year),
        deadlines=[
            _deadline("Due diligence is done", date(year, 12, 31), time_zone, now),
            _deadline("Filed, and sellers have their copies", date(year + 1, 1, 31), time_zone, now),
        ],
        read_until=find_read_until("watch"),
    )


def _filings(year: int) -> list[FilingFacts]:
    rows = Filing.objects.filter(year=year).order_by("number")
    return [
        FilingFacts(
            row.id,
            str(row),
            row.status,
            sum(row.messages.values_list("seller_count", flat=True)),
            row.findings.filter(is_warning=False).count(),
        )
        for row in rows
    ]


def _deadline(what: str, day: date, time_zone: str, now: datetime) -> Deadline:
    end = datetime.combine(day, time.max, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
    return Deadline(what, day, (end - now).days)
