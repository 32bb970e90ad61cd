"""Acceptance, counted by day: what the roll-up keeps, and the page that shows it."""

from __future__ import annotations

import csv
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.test import Client

from ai_suggestions import queries, services
from ai_suggestions.evaluation import acceptance
from ai_suggestions.evaluation.acceptance import Asked
from ai_suggestions.evaluation.rolling_up import roll_up
from ai_suggestions.evaluation.tables import AcceptanceDay
from ai_suggestions.models import FieldSuggestion, SuggestionRun
from ai_suggestions.services import FieldDecision
from tests.factories.listings import NOW, make_draft, make_photo
from tests.factories.members import make_member

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from listings.queries import ListingFacts
    from members.models import Member
    from tests.doubles.scripted_provider import ScriptedProvider

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
PAGE = "/admin/ai_suggestions/acceptanceday/"


def a_run(seller: Member, draft: ListingFacts, *, now: dt.datetime = NOW) -> queries.RunFacts:
    found, _ = services.request_run(member_id=seller.id, listing_id=draft.id, now=now)
    services.perform_run(run_id=found.id, now=now)
    return found


def decide(run: queries.RunFacts, *decisions: FieldDecision, now: dt.datetime = NOW) -> None:
    services.decide(member_id=run.member_id, run_id=run.id, decisions=decisions, now=now)


def counted(field: str, **asked: Any) -> tuple[int, int, int, int]:
    """(offered, accepted, edited, rejected)."""
    (line,) = acceptance.acceptance(Asked(until=NOW.date() + 30 * DAY, field=field, **asked))
    figures = line.figures
    return figures.offered, figures.accepted, figures.edited, figures.rejected


@pytest.fixture
def run(seller: Member, draft: ListingFacts, scripted: ScriptedProvider) -> queries.RunFacts:
    return a_run(seller, draft)


class TestRollUp:
    def test_counts_what_was_offered_and_decided(self, run: queries.RunFacts) -> None:
        decide(
            run,
            FieldDecision("colours", "accept"),
            FieldDecision("title", "edit", "My T-shirt"),
            FieldDecision("price", "reject"),
        )
        roll_up(now=NOW + HOUR)
        assert counted("colours") == (1, 1, 0, 0)
        assert counted("title") == (1, 0, 1, 0)
        assert counted("price") == (1, 0, 0, 1)
        assert counted("description") == (1, 0, 0, 0)
        (row,) = AcceptanceDay.objects.filter(field="title")
        assert (row.day, row.country, row.step_version, row.bin) == (NOW.date(), "LT", "script-1", 12)
        assert (row.measured, row.edit_distance) == (1, 9)  # "T-shirt, navy" into "My T-shirt"

    def test_is_the_same_when_done_again(self, run: queries.RunFacts) -> None:
        decide(run, FieldDecision("colours", "accept"))
        for hour in (1, 1, 2):
            roll_up(now=NOW + hour * HOUR)
        assert counted("colours") == (1, 1, 0, 0)

    def test_a_late_decision_changes_the_day_that_was_asked_on(self, run: queries.RunFacts) -> None:
        roll_up(now=NOW + HOUR)
        assert counted("colours") == (1, 0, 0, 0)
        roll_up(now=NOW + 20 * DAY)
        decide(run, FieldDecision("colours", "accept"), now=NOW + 20 * DAY)
        roll_up(now=NOW + 20 * DAY + HOUR)
        assert counted("colours") == (1, 1, 0, 0)
        assert set(AcceptanceDay.objects.values_list("day", flat=True)) == {NOW.date()}

    def test_another_decision_replaces_the_first(self, run: queries.RunFacts) -> None:
        decide(run, FieldDecision("colours", "accept"))
        roll_up(now=NOW + HOUR)
        decide(run, FieldDecision("colours", "reject"), now=NOW + HOUR)
        roll_up(now=NOW + 2 * HOUR)
        assert counted("colours") == (1, 0, 0, 1)

    def test_works_off_a_long_backlog_in_several_rings(self, run: queries.RunFacts) -> None:
        decide(run, FieldDecision("colours", "accept"), now=NOW + 50 * DAY)
        assert roll_up(now=NOW + 60 * DAY) >= 1
        assert counted("colours") == (1, 1, 0, 0)  # a day is counted with all that was decided until now
        assert acceptance.counted_until() == NOW + 31 * DAY
        roll_up(now=NOW + 60 * DAY)
        assert acceptance.counted_until() == NOW + 60 * DAY

    def test_an_alternative_taken_is_accepted_but_was_not_right(self, run: queries.RunFacts) -> None:
        decide(run, FieldDecision("colours", "accept", ["black"]))
        roll_up(now=NOW + HOUR)
        (row,) = AcceptanceDay.objects.filter(field="colours")
        assert (row.accepted, row.kept) == (1, 0)

    def test_one_of_a_choice_taken_was_right(self, run: queries.RunFacts) -> None:
        decide(run, FieldDecision("category", "accept", "men-t-shirts"))
        roll_up(now=NOW + HOUR)
        (row,) = AcceptanceDay.objects.filter(field="category")
        assert (row.accepted, row.kept) == (1, 1)

    def test_without_any_run_counts_nothing(self, db: None) -> None:
        assert roll_up(now=NOW) == 0

    def test_reads_no_more_for_more_suggestions(
        self, seller: Member, run: queries.RunFacts, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            other = make_draft(seller.id, complete=False)
            make_photo(other)
            a_run(seller, other)
        with django_assert_max_num_queries(14):
            roll_up(now=NOW + HOUR)
        assert counted("colours") == (4, 0, 0, 0)


class TestCalibration:
    def test_is_of_decided_suggestions_with_a_probability(self, run: queries.RunFacts) -> None:
        decide(run, FieldDecision("colours", "accept"), FieldDecision("title", "reject"))
        FieldSuggestion.objects.filter(field="title").update(field="brand", confidence=1.0)
        FieldSuggestion.objects.filter(field="description").update(confidence=None)
        roll_up(now=NOW + HOUR)
        asked = Asked(until=NOW.date())
        (colours,) = acceptance.calibration(Asked(until=NOW.date(), field="colours"), step_version="script-1")
        assert (colours.right.hits, colours.right.n, round(colours.confidence, 6)) == (1, 1, 0.8)
        (brand,) = acceptance.calibration(Asked(until=NOW.date(), field="brand"), step_version="script-1")
        assert (brand.right.hits, brand.high, brand.confidence) == (0, 1.0, 1.0)
        # What nobody decided on says nothing about a confidence.
        assert len(acceptance.calibration(asked, step_version="script-1")) == 2


class TestPage:
    @pytest.fixture
    def staff(self, run: queries.RunFacts) -> Client:
        now = dt.datetime.now(dt.UTC)
        decide(run, FieldDecision("title", "edit", "My T-shirt"), FieldDecision("colours", "accept"))
        SuggestionRun.objects.update(requested_at=now, finished_at=now)
        roll_up(now=now + HOUR)
        client = Client()
        client.force_login(make_member("Rūta", is_staff=True, is_superuser=True))
        return client

    def test_shows_figures_chart_and_what_to_choose_from(self, staff: Client) -> None:
        page = staff.get(PAGE).content.decode()
        assert "<td>title</td><td>text</td><td>script-1</td>" in page
        assert "<svg" in page
        assert '<option value="script-1">' in page
        assert '<option value="LT">' in page

    def test_of_a_field_shows_whether_its_confidence_is_true(self, staff: Client) -> None:
        page = staff.get(PAGE, {"field": "colours"}).content.decode()
        assert "calibration error 0.200" in page
        assert "<td>title</td>" not in page

    @pytest.mark.parametrize("asked", [{"country": "DE"}, {"step_version": "script-2"}, {"field": "brand"}])
    def test_filters(self, staff: Client, asked: dict[str, str]) -> None:
        assert "Nothing was offered." in staff.get(PAGE, asked).content.decode()

    @pytest.mark.parametrize("weeks", ["", "0", "-1", "x", "9" * 400, "105"])
    def test_answers_any_number_of_weeks(self, staff: Client, weeks: str) -> None:
        page = staff.get(PAGE, {"weeks": weeks})
        assert page.status_code == 200
        assert "<td>title</td>" in page.content.decode()

    def test_is_downloaded_by_week_and_market(self, staff: Client) -> None:
        answer = staff.get(f"{PAGE}download/", {"field": "title"})
        table = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        (line,) = csv.DictReader(table.splitlines())
        year, week, _ = dt.datetime.now(dt.UTC).isocalendar()
        assert line["week"] == f"{year}-W{week:02}"
        assert (line["field"], line["market"], line["offered"], line["edited"]) == ("title", "LT", "1", "1")

    def test_is_for_staff_with_the_permission(self, run: queries.RunFacts) -> None:
        client = Client()
        client.force_login(make_member("Clerk", is_staff=True))
        assert client.get(PAGE).status_code == 403
        assert client.get(f"{PAGE}download/").status_code == 403


class TestDatabase:
    FACTS = {"day": NOW.date(), "field": "title", "step": "text", "step_version": "1", "bin": -1}
    COUNTS = {"offered": 1, "accepted": 1, "kept": 1, "measured": 1, "edit_distance": 1}

    def test_acceptance_day_once(self, db: None) -> None:
        facts = self.FACTS | self.COUNTS | {"edited": 0, "rejected": 0, "decided_confidence": 0.0}
        AcceptanceDay.objects.create(**facts)
        with pytest.raises(IntegrityError), transaction.atomic():
            AcceptanceDay.objects.create(**facts)

    def test_acceptance_decided_is_part(self, db: None) -> None:
        # MariaDB reports a failed CHECK as an operational error.
        failures = (IntegrityError, OperationalError)
        with pytest.raises(failures, match="acceptance_decided_is_part"), transaction.atomic():
            AcceptanceDay.objects.create(
                **self.FACTS, **self.COUNTS, edited=1, rejected=1, decided_confidence=0.0
            )
