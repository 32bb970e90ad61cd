"""Suggestions over HTTP: asking, waiting, deciding, and everything a client may get wrong."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

from ai_suggestions import services
from ai_suggestions.contract import Field
from ai_suggestions.models import SuggestionRun
from listings.queries import get_listing
from listings.services import ListingChange, edit_draft
from tests.doubles.scripted_provider import CATEGORY, Scripted, ScriptedProvider
from tests.factories.listings import make_draft, make_photo

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

    from listings.queries import ListingFacts
    from members.models import Member
    from tests.ai_suggestions.conftest import Follow

NOBODY = "01" + "0" * 24


def ask(client: APIClient, listing: ListingFacts, body: Any = None, **headers: str) -> Any:
    return client.post(f"/api/v1/listings/{listing.id}/suggestions", body or {}, headers=headers)


def perform(run_id: str) -> None:
    services.perform_run(run_id=run_id, now=timezone.now())


@pytest.fixture
def ended(as_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider) -> Any:
    """The run as the seller reads it after its end: a response."""
    run_id = ask(as_seller, draft).json()["id"]
    perform(run_id)
    return as_seller.get(f"/api/v1/suggestion-runs/{run_id}")


class TestAsk:
    def test_answers_202_with_the_run_and_where_it_is(
        self, as_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        response = ask(as_seller, draft, {"department": "women"})
        run = response.json()
        assert response.status_code == 202
        assert response["Location"].endswith(f"/api/v1/suggestion-runs/{run['id']}")
        assert response["Retry-After"] == "1"
        assert (run["status"], run["department"]) == ("queued", "women")
        assert run["allowed_actions"] == ["cancel"]
        assert (run["fields"], run["progress"]) == ([], {"done": 0, "total": 0})

    def test_twice_is_one_run(
        self, as_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        assert ask(as_seller, draft).json()["id"] == ask(as_seller, draft).json()["id"]

    def test_with_an_idempotency_key_the_answer_is_repeated(
        self, as_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        first = ask(as_seller, draft, **{"Idempotency-Key": "once"})
        perform(first.json()["id"])
        again = ask(as_seller, draft, **{"Idempotency-Key": "once"})
        assert again["Idempotent-Replayed"] == "true"
        assert again.json() == first.json()
        assert SuggestionRun.objects.count() == 1

    def test_no_usable_photo(self, as_seller: APIClient, seller: Member, scripted: ScriptedProvider) -> None:
        response = ask(as_seller, make_draft(seller.id))
        assert (response.status_code, response.json()["code"]) == (409, "no_usable_photo")

    def test_department_unknown(
        self, as_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        response = ask(as_seller, draft, {"department": "martians"})
        assert (response.status_code, response.json()["code"]) == (422, "department_unknown")

    def test_listing_not_open_for_suggestions(
        self, as_seller: APIClient, seller: Member, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        from listings.services import remove

        remove(listing_id=draft.id, moderator_id=seller.id, reason="counterfeit", now=timezone.now())
        response = ask(as_seller, draft)
        assert (response.status_code, response.json()["code"]) == (409, "listing_not_open_for_suggestions")

    def test_somebody_elses_listing(
        self, as_other_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        response = ask(as_other_seller, draft)
        assert (response.status_code, response.json()["code"]) == (404, "listing_not_found")

    @pytest.mark.parametrize(
        "body", [{"departments": "women"}, {"department": 7}, {"department": ["women"]}, [], "women"]
    )
    def test_a_body_of_another_shape(
        self, as_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider, body: Any
    ) -> None:
        response = as_seller.post(f"/api/v1/listings/{draft.id}/suggestions", body, format="json")
        assert response.status_code == 400
        assert response["Content-Type"] == "application/problem+json"

    def test_without_a_token(self, draft: ListingFacts) -> None:
        from rest_framework.test import APIClient

        assert ask(APIClient(), draft).status_code == 401


class TestRead:
    def test_shows_each_field_with_its_evidence(self, ended: Any) -> None:
        run = ended.json()
        assert (run["status"], run["allowed_actions"]) == ("succeeded", [])
        category = run["fields"][0]
        assert (category["field"], category["state"], category["value"]) == ("category", "choice", None)
        assert category["note"] == "department_unknown"
        assert [a["value"] for a in category["alternatives"]] == ["women-t-shirts", "men-t-shirts"]
        assert category["evidence"][0]["source"] == "photo"
        assert [step["name"] for step in run["steps"]] == ["category", "colour", "price", "text"]
        assert all(field["decision"] == "none" for field in run["fields"])
        order = [field.value for field in Field]
        assert [f["field"] for f in run["fields"]] == sorted(
            (f["field"] for f in run["fields"]), key=order.index
        )

    @pytest.mark.parametrize(("language", "label"), [("en", "Navy"), ("de", "Marine"), ("xx", "Navy")])
    def test_names_are_in_the_readers_language(
        self, ended: Any, as_seller: APIClient, language: str, label: str
    ) -> None:
        run = as_seller.get(
            f"/api/v1/suggestion-runs/{ended.json()['id']}", headers={"Accept-Language": language}
        )
        colours = next(found for found in run.json()["fields"] if found["field"] == "colours")
        assert colours["label"].lower().startswith(label.lower())
        assert "Accept-Language" in run["Vary"]

    def test_unchanged_is_304(self, ended: Any, as_seller: APIClient) -> None:
        again = as_seller.get(
            f"/api/v1/suggestion-runs/{ended.json()['id']}", headers={"If-None-Match": ended["ETag"]}
        )
        assert (again.status_code, again.content) == (304, b"")

    def test_somebody_elses_run(self, ended: Any, as_other_seller: APIClient) -> None:
        response = as_other_seller.get(f"/api/v1/suggestion-runs/{ended.json()['id']}")
        assert (response.status_code, response.json()["code"]) == (404, "suggestion_run_not_found")

    def test_no_such_run(self, as_seller: APIClient) -> None:
        assert as_seller.get(f"/api/v1/suggestion-runs/{NOBODY}").status_code == 404

    def test_statement_count(
        self, ended: Any, as_seller: APIClient, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        # Run, listing version, steps, fields, catalogue digest.
        with django_assert_num_queries(5):
            as_seller.get(f"/api/v1/suggestion-runs/{ended.json()['id']}")


class TestWait:
    """These need a second thread, so they commit."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def wait(self, client: APIClient, run_id: str, seconds: int, **headers: str) -> tuple[Any, float]:
        started = time.monotonic()
        response = client.get(
            f"/api/v1/suggestion-runs/{run_id}", headers={"Prefer": f"wait={seconds}", **headers}
        )
        return response, time.monotonic() - started

    def in_background(self, work: Any) -> threading.Thread:
        def run() -> None:
            try:
                work()
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def test_answers_when_the_run_has_ended(
        self, transactional_db: None, as_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run_id = ask(as_seller, draft).json()["id"]

        def work_a_little_later() -> None:
            time.sleep(0.3)
            perform(run_id)

        worker = self.in_background(work_a_little_later)
        response, took = self.wait(as_seller, run_id, 15)
        worker.join()
        assert response.json()["status"] == "succeeded"
        assert response["Preference-Applied"] == "wait=15"
        assert 0.2 < took < 10

    def test_with_an_etag_answers_at_the_first_news(
        self, transactional_db: None, as_seller: APIClient, draft: ListingFacts, follow: Follow, settings: Any
    ) -> None:
        settings.SUGGESTIONS_PROVIDER = "scripted"
        go_on = threading.Event()
        follow(CATEGORY, Scripted("text", before=lambda: (go_on.wait(10), None)[1]))
        asked = ask(as_seller, draft)
        run_id = asked.json()["id"]
        worker = self.in_background(lambda: perform(run_id))
        try:
            etag: str = asked["ETag"]
            seen: list[tuple[str, list[str]]] = []
            while len(seen) < 5 and not any(fields for _, fields in seen):
                response, _ = self.wait(as_seller, run_id, 10, **{"If-None-Match": etag})
                etag = response["ETag"]
                seen.append((response.json()["status"], [f["field"] for f in response.json()["fields"]]))
            assert seen[-1] == ("running", ["category", "parcel_size"])
        finally:
            go_on.set()
            worker.join()

    def test_no_news_is_304_when_the_time_is_up(
        self, as_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        asked = ask(as_seller, draft)
        response, took = self.wait(as_seller, asked.json()["id"], 1, **{"If-None-Match": asked["ETag"]})
        assert response.status_code == 304
        assert 0.9 < took < 5

    def test_of_an_ended_run_answers_at_once(self, ended: Any, as_seller: APIClient) -> None:
        response, took = self.wait(as_seller, ended.json()["id"], 20)
        assert (response.status_code, took < 1) == (200, True)


class TestVerbs:
    def test_cancel_then_retry(
        self, as_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        run_id = ask(as_seller, draft).json()["id"]
        cancelled = as_seller.post(f"/api/v1/suggestion-runs/{run_id}/cancel", {})
        assert (cancelled.status_code, cancelled.json()["allowed_actions"]) == (200, ["retry"])
        again = as_seller.post(f"/api/v1/suggestion-runs/{run_id}/retry", {})
        assert (again.status_code, again.json()["status"]) == (202, "queued")

    @pytest.mark.parametrize("verb", ["cancel", "retry"])
    def test_suggestion_run_status_conflict(self, ended: Any, as_seller: APIClient, verb: str) -> None:
        response = as_seller.post(f"/api/v1/suggestion-runs/{ended.json()['id']}/{verb}", {})
        problem = response.json()
        assert (response.status_code, problem["code"]) == (409, "suggestion_run_status_conflict")
        assert problem["allowed_actions"] == []

    def test_another_suggestion_run_live(
        self, as_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        first = ask(as_seller, draft).json()["id"]
        as_seller.post(f"/api/v1/suggestion-runs/{first}/cancel", {})
        ask(as_seller, draft)
        response = as_seller.post(f"/api/v1/suggestion-runs/{first}/retry", {})
        assert (response.status_code, response.json()["code"]) == (409, "another_suggestion_run_live")

    @pytest.mark.parametrize("verb", ["cancel", "retry", "decisions"])
    def test_on_somebody_elses_run(self, ended: Any, as_other_seller: APIClient, verb: str) -> None:
        body = {"decisions": [{"field": "title", "decision": "reject"}]} if verb == "decisions" else {}
        response = as_other_seller.post(f"/api/v1/suggestion-runs/{ended.json()['id']}/{verb}", body)
        assert (response.status_code, response.json()["code"]) == (404, "suggestion_run_not_found")


class TestDecide:
    def decide(self, client: APIClient, run: Any, *decisions: dict[str, Any], **headers: str) -> Any:
        return client.post(
            f"/api/v1/suggestion-runs/{run.json()['id']}/decisions",
            {"decisions": list(decisions)},
            headers=headers or {"If-Match": run["ETag"]},
        )

    def test_writes_into_the_listing_and_answers_the_run(
        self, ended: Any, as_seller: APIClient, draft: ListingFacts
    ) -> None:
        response = self.decide(
            as_seller,
            ended,
            {"field": "category", "decision": "accept", "value": "women-t-shirts"},
            {"field": "price", "decision": "accept"},
            {"field": "title", "decision": "edit", "value": "T-shirt in navy"},
            {"field": "description", "decision": "reject"},
        )
        assert response.status_code == 200
        decided = {found["field"]: found["decision"] for found in response.json()["fields"]}
        assert decided["category"] == decided["price"] == "accepted"
        assert (decided["title"], decided["description"]) == ("edited", "rejected")
        listing = get_listing(draft.id)
        assert (listing.title, listing.price_minor) == ("T-shirt in navy", 700)
        assert response["ETag"] != ended["ETag"]

    def test_the_new_etag_is_good_for_the_next_decision(self, ended: Any, as_seller: APIClient) -> None:
        first = self.decide(as_seller, ended, {"field": "title", "decision": "accept"})
        assert self.decide(as_seller, first, {"field": "colours", "decision": "accept"}).status_code == 200

    def test_if_match_required(self, ended: Any, as_seller: APIClient) -> None:
        response = self.decide(
            as_seller, ended, {"field": "title", "decision": "accept"}, Accept="application/json"
        )
        assert (response.status_code, response.json()["code"]) == (428, "if_match_required")

    @pytest.mark.parametrize("tag", ['"other"', '"a-b-c-d"', "W/nonsense"])
    def test_an_etag_of_something_else(self, ended: Any, as_seller: APIClient, tag: str) -> None:
        response = self.decide(
            as_seller, ended, {"field": "title", "decision": "accept"}, **{"If-Match": tag}
        )
        assert (response.status_code, response.json()["code"]) == (412, "suggestions_stale")

    def test_suggestions_stale(
        self, ended: Any, as_seller: APIClient, draft: ListingFacts, seller: Member
    ) -> None:
        edit_draft(
            seller_id=seller.id,
            listing_id=draft.id,
            change=ListingChange(title="My own words"),
            now=timezone.now(),
        )
        response = self.decide(as_seller, ended, {"field": "title", "decision": "accept"})
        assert (response.status_code, response.json()["code"]) == (412, "suggestions_stale")

    def test_suggestion_decisions_invalid(self, ended: Any, as_seller: APIClient) -> None:
        response = self.decide(
            as_seller,
            ended,
            {"field": "category", "decision": "accept"},
            {"field": "brand", "decision": "accept"},
        )
        problem = response.json()
        assert (response.status_code, problem["code"]) == (422, "suggestion_decisions_invalid")
        assert {(e["pointer"], e["code"]) for e in problem["errors"]} == {
            ("/decisions/0/value", "choose_one"),
            ("/decisions/1/field", "no_suggestion"),
        }

    @pytest.mark.parametrize(
        "decisions",
        [
            [],
            [{"field": "gender", "decision": "accept"}],
            [{"field": "title", "decision": "like"}],
            [{"field": "title"}],
            [{"field": "title", "decision": "edit", "value": 7}],
            [{"field": "title", "decision": "edit", "value": None}],
            [{"field": "title", "decision": "edit", "value": "x" * 9000}],
            [{"field": "price", "decision": "edit", "value": {"amount": 7}}],
            [{"field": "colours", "decision": "edit", "value": [["navy"]]}],
            [{"field": "title", "decision": "accept", "sure": True}],
            "title",
            [{"field": "title", "decision": "reject"}] * 11,
        ],
    )
    def test_of_another_shape(self, ended: Any, as_seller: APIClient, decisions: Any) -> None:
        response = as_seller.post(
            f"/api/v1/suggestion-runs/{ended.json()['id']}/decisions",
            {"decisions": decisions},
            format="json",
            headers={"If-Match": ended["ETag"]},
        )
        assert response.status_code == 400
        assert response.json()["errors"]


class TestList:
    def test_newest_first_in_pages(
        self, as_seller: APIClient, draft: ListingFacts, scripted: ScriptedProvider
    ) -> None:
        ids = []
        for colour in ("red", "green", "white"):
            make_photo(draft, colour=colour, now=timezone.now())
            ids.append(ask(as_seller, draft).json()["id"])
        page = as_seller.get(f"/api/v1/listings/{draft.id}/suggestions?limit=2").json()
        assert [run["id"] for run in page["results"]] == [ids[2], ids[1]]
        assert [run["status"] for run in page["results"]] == ["queued", "superseded"]
        rest = as_seller.get(page["next"]).json()
        assert [run["id"] for run in rest["results"]] == [ids[0]]

    def test_of_somebody_elses_listing(self, as_other_seller: APIClient, draft: ListingFacts) -> None:
        response = as_other_seller.get(f"/api/v1/listings/{draft.id}/suggestions")
        assert (response.status_code, response.json()["code"]) == (404, "listing_not_found")

    def test_a_broken_cursor(self, as_seller: APIClient, draft: ListingFacts) -> None:
        response = as_seller.get(f"/api/v1/listings/{draft.id}/suggestions?cursor=nonsense")
        assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")
