"""manage.py calibrate_suggestions: from words of certainty to probabilities, and staff's word on them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, transaction
from django.test import Client

from ai_suggestions import services
from ai_suggestions.contract import Alternative, Evidence, Field, Source, choice
from ai_suggestions.errors import CalibrationDecided
from ai_suggestions.evaluation.figures import Share
from ai_suggestions.evaluation.tables import CalibrationFigure
from ai_suggestions.llm.wiring import llm_provider
from ai_suggestions.providers import register_provider
from ai_suggestions.services import FieldDecision
from foundation.ids import new_id
from tests.ai_suggestions.evaluation.labelling import write_colours, write_labels
from tests.ai_suggestions.llm.asking import SNEAKERS, a_request, answer, field_of
from tests.doubles.openai_server import KEY, MODEL, OpenAiServer, says
from tests.doubles.scripted_provider import Scripted
from tests.factories.listings import NOW, make_draft, make_photo
from tests.factories.members import make_member

if TYPE_CHECKING:
    from pytest_django import Settings

    from members.models import Member
    from tests.ai_suggestions.conftest import Follow

VERSION = f"llm-prompt-1:{MODEL}"
PAGE = "/admin/ai_suggestions/calibrationfigure/"
SINCE = f"--since={NOW.date()}"
UNTIL = f"--until={NOW.date() + dt.timedelta(days=1)}"


@pytest.fixture
def server(settings: Settings) -> Iterator[OpenAiServer]:
    with OpenAiServer(default=says(SNEAKERS)) as running:
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.LLM_MODEL = running.url, KEY, MODEL
        settings.LLM_PRICES, settings.LLM_DAILY_BUDGET = {"input": "2.5", "output": "10"}, "50"
        yield running


def calibrate(*arguments: str) -> dict[str, Any]:
    words = StringIO()
    call_command("calibrate_suggestions", *arguments, stdout=words, stderr=StringIO())
    found: dict[str, Any] = json.loads(words.getvalue())
    return found


def a_figure(**facts: Any) -> CalibrationFigure:
    values: dict[str, Any] = {"provider": "llm", "step_version": VERSION, "prompt_version": "llm-prompt-1"}
    values |= {"model": MODEL, "field": "colours", "certainty": "certain", "hits": 97, "n": 100}
    values |= {"probability": 0.97, "at_least": 0.91, "source": "a folder", "measured_at": NOW}
    return CalibrationFigure.objects.create(**(values | facts))


@pytest.mark.django_db
class TestFromAFolder:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Four photos of trainers, of which three are red to the annotator."""
        names = [f"{number}.jpg" for number in range(4)]
        write_labels(tmp_path, [(name, "shoes", name) for name in names])
        write_colours(tmp_path / "colours.csv", dict(zip(names, ("red", "red", "red", "blue"), strict=True)))
        return tmp_path

    def test_counts_how_often_each_word_was_right(self, folder: Path, server: OpenAiServer) -> None:
        with register_provider("llm", llm_provider):
            found = calibrate(str(folder), "--min-samples=4")

        assert {(entry["field"], entry["right"], entry["n"]) for entry in found["figures"]} == {
            ("category", 4, 4),
            ("colours", 3, 4),
        }
        assert {entry["certainty"] for entry in found["figures"]} == {"certain"}
        colours = CalibrationFigure.objects.get(field="colours")
        lower, _ = Share(3, 4).interval or (0.0, 0.0)
        assert (colours.probability, colours.at_least) == (0.75, lower)
        assert (colours.prompt_version, colours.model) == ("llm-prompt-1", MODEL)
        assert colours.is_approved is None

    def test_with_too_few_measures_nothing(self, folder: Path, server: OpenAiServer) -> None:
        server.play(says(answer(colours=[{"id": "red", "certainty": "possible"}])))
        with register_provider("llm", llm_provider):
            found = calibrate(str(folder), "--min-samples=4")
        assert {(entry["certainty"], entry["n"]) for entry in found["too_few"]} == {
            ("possible", 1),
            ("certain", 3),
        }
        assert not CalibrationFigure.objects.filter(field="colours").exists()


class TestFromDecisions:
    @pytest.fixture
    def decided(self, seller: Member, follow: Follow) -> None:
        """Navy, said to be certain, was accepted twice and changed once; rejected once when likely."""

        def navy(certainty: str) -> Scripted:
            seen = (Evidence(Source.PHOTO, note="seen"),)
            offered = [Alternative(["navy"])]
            return Scripted(
                "llm",
                (choice(Field.COLOURS, offered, note="not_measured", evidence=seen, certainty=certainty),),
            )

        for certainty, verb, value in (
            ("certain", "accept", ["navy"]),
            ("certain", "accept", ["navy"]),
            ("certain", "edit", ["black"]),
            ("likely", "reject", None),
        ):
            follow(navy(certainty))
            draft = make_draft(seller.id, complete=False)
            make_photo(draft)
            run, _ = services.request_run(
                member_id=seller.id, listing_id=draft.id, now=NOW, provider="scripted"
            )
            services.perform_run(run_id=run.id, now=NOW)
            decision = FieldDecision("colours", verb, value)
            services.decide(member_id=seller.id, run_id=run.id, decisions=[decision], now=NOW)

    def test_counts_what_sellers_wanted(self, decided: None) -> None:
        found = calibrate(SINCE, UNTIL, "--min-samples=1")
        assert {(figure["certainty"], figure["right"], figure["n"]) for figure in found["figures"]} == {
            ("certain", 2, 3),
            ("likely", 0, 1),
        }

    def test_of_another_time_are_not_counted(self, decided: None) -> None:
        before = NOW.date() - dt.timedelta(days=9)
        assert calibrate(f"--since={before}", f"--until={NOW.date()}", "--min-samples=1")["figures"] == []


@pytest.mark.django_db
class TestRefuse:
    @pytest.mark.parametrize("arguments", [(), ("folder", SINCE)])
    def test_wants_a_folder_or_decisions(self, arguments: tuple[str, ...]) -> None:
        with pytest.raises(CommandError, match="Name a folder, or --since"):
            calibrate(*arguments)

    def test_wants_a_range(self) -> None:
        with pytest.raises(CommandError, match="--until has to be after"):
            calibrate(SINCE, f"--until={NOW.date()}")


@pytest.mark.django_db
class TestApproval:
    @pytest.fixture
    def staff(self) -> Client:
        client = Client()
        client.force_login(make_member("Rūta", is_staff=True, is_superuser=True))
        return client

    def act(self, staff: Client, action: str, figure: CalibrationFigure) -> str:
        form = {"action": action, "_selected_action": [figure.id], "confirmed": "1", "note": "looked at it"}
        return staff.post(PAGE, form, follow=True).content.decode()

    def colours(self) -> tuple[str, float | None]:
        """(state, confidence) of what the LLM says about colours now."""
        llm = llm_provider()
        try:
            (report,) = llm.run(a_request())
        finally:
            llm.close()
        found = field_of(report, Field.COLOURS)
        return found.standing.value, found.confidence

    def test_is_what_the_provider_waits_for(self, staff: Client, server: OpenAiServer) -> None:
        a_figure()
        assert self.colours() == ("choice", None)

    def test_counts_at_once_and_until_it_is_withdrawn(self, staff: Client, server: OpenAiServer) -> None:
        figure = a_figure()
        assert "done" in self.act(staff, "approve_figures", figure)
        assert self.colours() == ("proposed", 0.97)
        assert LogEntry.objects.filter(object_id=figure.id).count() == 1
        assert "looked at it" in LogEntry.objects.get(object_id=figure.id).change_message
        self.act(staff, "withdraw_figures", figure)
        figure.refresh_from_db()
        assert (figure.is_approved, figure.withdrawn_at is None) == (None, False)

    def test_is_for_one_model_and_prompt(self, staff: Client, server: OpenAiServer) -> None:
        self.act(staff, "approve_figures", a_figure(step_version="llm-prompt-0:older"))
        assert self.colours() == ("choice", None)

    def test_replaces_the_figure_of_before(self, staff: Client) -> None:
        old, new = a_figure(), a_figure(probability=0.99, at_least=0.95, hits=99)
        self.act(staff, "approve_figures", old)
        self.act(staff, "approve_figures", new)
        assert CalibrationFigure.objects.get(is_approved=True).id == new.id
        old.refresh_from_db()
        assert old.withdrawn_at is not None

    def test_is_given_once_and_withdrawn_once(self, staff: Client) -> None:
        figure = a_figure()
        assert "It is not approved." in self.act(staff, "withdraw_figures", figure)
        self.act(staff, "approve_figures", figure)
        assert "Measure again" in self.act(staff, "approve_figures", figure)
        with pytest.raises(CalibrationDecided) as refused:
            services.approve_calibration(figure_id=figure.id, approved_by="x", now=NOW)
        assert refused.value.code == "calibration_decided"

    def test_needs_the_permission(self, staff: Client) -> None:
        from django.contrib.auth.models import Permission

        figure = a_figure()
        clerk = make_member("Clerk", is_staff=True)
        clerk.user_permissions.add(Permission.objects.get(codename="view_calibrationfigure"))
        client = Client()
        client.force_login(clerk)
        assert client.get(PAGE).status_code == 200
        self.act(client, "approve_figures", figure)
        assert not CalibrationFigure.objects.filter(is_approved=True).exists()


@pytest.mark.django_db
class TestDatabase:
    @pytest.mark.parametrize(
        ("name", "facts"),
        [
            ("calibration_is_share", {"hits": 101}),
            ("calibration_is_share", {"n": 0, "hits": 0}),
            ("calibration_is_share", {"at_least": 0.98}),
            ("calibration_approved_has_time", {"is_approved": True}),
        ],
    )
    def test_refuses(self, name: str, facts: dict[str, Any]) -> None:
        # MariaDB reports a failed CHECK as an operational error.
        with pytest.raises((IntegrityError, OperationalError), match=name), transaction.atomic():
            a_figure(**facts)

    def test_calibration_approved_once(self) -> None:
        a_figure(is_approved=True, approved_at=NOW)
        with pytest.raises(IntegrityError), transaction.atomic():
            a_figure(is_approved=True, approved_at=NOW, id=new_id())
