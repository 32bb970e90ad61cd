"""The pages for staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from ai_suggestions import services
from ai_suggestions.models import SuggestionRun
from tests.doubles.scripted_provider import ScriptedProvider
from tests.factories.listings import NOW
from tests.factories.members import make_member

if TYPE_CHECKING:
    from listings.queries import ListingFacts
    from members.models import Member

RUNS = "/admin/ai_suggestions/suggestionrun/"


@pytest.fixture
def run(seller: Member, draft: ListingFacts, scripted: ScriptedProvider) -> SuggestionRun:
    found, _ = services.request_run(member_id=seller.id, listing_id=draft.id, now=NOW)
    services.perform_run(run_id=found.id, now=NOW)
    services.decide(
        member_id=seller.id,
        run_id=found.id,
        decisions=[services.FieldDecision("title", "edit", "T-shirt, navy blue")],
        now=NOW,
    )
    return SuggestionRun.objects.get(id=found.id)


@pytest.fixture
def moderator(catalogue: None) -> Client:
    client = Client()
    client.force_login(make_member("Rūta", is_staff=True, is_superuser=True))
    return client


class TestRuns:
    def test_are_found_by_their_ids(self, moderator: Client, run: SuggestionRun) -> None:
        for wanted in (run.id, run.listing_id, run.member_id):
            assert run.id in moderator.get(RUNS, {"q": wanted}).content.decode()
        assert run.id not in moderator.get(RUNS, {"q": "01" + "0" * 24}).content.decode()

    def test_show_photos_fields_steps_and_decisions(self, moderator: Client, run: SuggestionRun) -> None:
        page = moderator.get(f"{RUNS}{run.id}/change/").content.decode()
        for shown in ("-320.jpg", "script-1", "department_unknown", "T-shirt, navy blue", "edited", "colour"):
            assert shown in page

    def test_cannot_be_changed_by_hand(self, moderator: Client, run: SuggestionRun) -> None:
        assert moderator.post(f"{RUNS}{run.id}/change/", {"status": "failed"}).status_code == 403
        assert moderator.get(f"{RUNS}{run.id}/delete/").status_code == 403

    def test_run_again_asks_for_a_new_run(self, moderator: Client, run: SuggestionRun) -> None:
        moderator.post(RUNS, {"action": "run_again", "_selected_action": [run.id]})
        newest = SuggestionRun.objects.order_by("-id").first()
        assert newest is not None
        assert (newest.id != run.id, newest.status, newest.listing_id) == (True, "queued", run.listing_id)
