"""Near-duplicates: told to the seller whose they are, and to moderators when they are somebody else's."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.storage import storages
from django.db import connection
from django.test import Client
from PIL import Image

from ai_suggestions import services
from ai_suggestions.errors import TwinRuledOn
from ai_suggestions.photo_tables import PhotoCheck, PhotoKey, PhotoTwin
from ai_suggestions.services.twins import own_findings
from listings import queries
from listings import services as listing_services
from listings.photos import names
from tests.ai_suggestions.checked_photos import (
    CHECK,
    MINUTE,
    check_all,
    cropped,
    demo,
    encoded,
    make_draft_of,
    make_listing_of,
)
from tests.ai_suggestions.conftest import client_of
from tests.ai_suggestions.running import perform, request
from tests.factories.listings import NOW
from tests.factories.members import make_member

if TYPE_CHECKING:
    from pytest_django import Settings

    from members.models import Member
    from tests.doubles.scripted_provider import ScriptedProvider

TWINS = "/admin/ai_suggestions/phototwin/"
CHECKS = "/admin/ai_suggestions/photocheck/"
Twins = list[tuple[str, str, str]]


@pytest.fixture
def checks(settings: Settings) -> None:
    settings.PHOTO_CHECK = CHECK


def twins() -> Twins:
    rows = PhotoTwin.objects.order_by("scope", "id")
    return list(rows.values_list("scope", "photo_id", "other_photo_id"))


def findings_of(listing: queries.ListingFacts) -> list[tuple[str, str | None, str | None]]:
    return [
        (finding.code.value, finding.other_photo_id, finding.other_listing_id)
        for photo in queries.get_listing(listing.id).photos
        for finding in own_findings(photo.id)
    ]


class TestFind:
    def test_a_repeat_in_the_listing_is_told_of_the_later_photo(self, seller: Member) -> None:
        draft = make_draft_of(seller.id, demo("camera"), demo("sofa"), cropped("camera"))
        check_all()
        first, _, repeat = (photo.id for photo in draft.photos)
        assert twins() == [("same_listing", repeat, first)]
        assert findings_of(draft) == [("repeated_in_listing", first, None)]

    def test_a_thing_that_is_on_offer_already_is_told_with_the_listing(self, seller: Member) -> None:
        offered = make_listing_of(seller.id, demo("camera"))
        draft = make_draft_of(seller.id, cropped("camera"), now=NOW + MINUTE)
        check_all(now=NOW + MINUTE)
        expected = ("already_listed", offered.photos[0].id, offered.id)
        assert findings_of(draft) == [expected]
        assert findings_of(offered) == [], "a draft is no offer"
        listing_services.delete(seller_id=seller.id, listing_id=offered.id, now=NOW)
        assert findings_of(draft) == []

    def test_another_sellers_photo_is_a_moderators_to_know_only(
        self, seller: Member, other_seller: Member
    ) -> None:
        owners = make_listing_of(seller.id, demo("camera"))
        thiefs = make_listing_of(other_seller.id, cropped("camera"), now=NOW + MINUTE)
        check_all(now=NOW + MINUTE)
        assert twins() == [("other_seller", thiefs.photos[0].id, owners.photos[0].id)]
        assert (findings_of(owners), findings_of(thiefs)) == ([], [])

    def test_whoever_is_checked_first_the_later_photo_is_the_one_to_look_at(
        self, seller: Member, other_seller: Member
    ) -> None:
        owners = make_listing_of(seller.id, demo("camera"))
        thiefs = make_listing_of(other_seller.id, cropped("camera"), now=NOW + MINUTE)
        services.plan_checks(now=NOW + MINUTE)
        for listing in (thiefs, owners):
            services.check_photo(photo_id=listing.photos[0].id, now=NOW + MINUTE)
        assert twins() == [("other_seller", thiefs.photos[0].id, owners.photos[0].id)]

    def test_different_things_are_no_twins(self, seller: Member, other_seller: Member) -> None:
        make_draft_of(seller.id, demo("camera"), demo("sofa"), demo("armchair"))
        make_draft_of(other_seller.id, demo("sneakers"), demo("high-tops"), demo("skateboard"))
        assert check_all() == ["checked"] * 6
        assert twins() == []

    def test_blank_photos_are_no_twins(self, seller: Member, other_seller: Member) -> None:
        black, white = (encoded(Image.new("RGB", (600, 800), colour)) for colour in ("black", "white"))
        make_draft_of(seller.id, black, white)
        make_draft_of(other_seller.id, black)
        assert check_all() == ["checked"] * 3
        assert twins() == []


class TestRun:
    def test_answers_with_what_the_seller_has_shown_before(
        self, seller: Member, other_seller: Member, scripted: ScriptedProvider, checks: None
    ) -> None:
        make_listing_of(other_seller.id, demo("camera"))
        offered = make_listing_of(seller.id, demo("camera"), now=NOW + MINUTE)
        draft = make_draft_of(seller.id, cropped("camera"), now=NOW + 2 * MINUTE)
        run = request(seller, draft, now=NOW + 2 * MINUTE)
        perform(run, now=NOW + 2 * MINUTE)
        services.check_photo(photo_id=offered.photos[0].id, now=NOW + 2 * MINUTE)
        run = request(seller, draft, now=NOW + 3 * MINUTE)
        perform(run, now=NOW + 3 * MINUTE)
        answer = client_of(seller).get(f"/api/v1/suggestion-runs/{run.id}")
        (found,) = answer.json()["photo_findings"]
        assert found.pop("score") > 0.9
        assert found == {
            "photo_id": draft.photos[0].id,
            "code": "already_listed",
            "other_photo_id": offered.photos[0].id,
            "other_listing_id": offered.id,
        }

    def test_photos_are_looked_at_once(
        self, seller: Member, checks: None, settings: Settings, scripted: ScriptedProvider
    ) -> None:
        draft = make_draft_of(seller.id, demo("camera"))
        check_all()
        before = PhotoCheck.objects.get()
        perform(request(seller, draft))
        after = PhotoCheck.objects.get()
        assert (after.checked_at, after.attempts) == (before.checked_at, before.attempts)


class TestCheck:
    def test_is_planned_once_for_each_photo_whenever_it_became_ready(self, seller: Member) -> None:
        make_draft_of(seller.id, demo("camera"))
        assert services.plan_checks(now=NOW) == 1
        assert services.plan_checks(now=NOW) == 0
        # Its worker began earlier and was done later.
        make_draft_of(seller.id, demo("sofa"), now=NOW - MINUTE)
        assert services.plan_checks(now=NOW) == 1

    def test_of_a_photo_that_was_replaced_starts_anew(self, seller: Member) -> None:
        draft = make_draft_of(seller.id, demo("camera"), cropped("camera"))
        check_all()
        assert len(twins()) == 1
        photo = draft.photos[1]
        listing_services.replace_photo(
            seller_id=seller.id,
            listing_id=draft.id,
            photo_id=photo.id,
            content=demo("sofa"),
            declared_type="image/jpeg",
            file_name="sofa.jpg",
            now=NOW,
        )
        PhotoCheck.objects.filter(photo_id=photo.id).update(due_at=NOW, checked_at=None)
        assert services.check_photo(photo_id=photo.id, now=NOW) == "gone"
        listing_services.process_photo(photo_id=photo.id, now=NOW + MINUTE)
        assert check_all(now=NOW + MINUTE) == ["checked"]
        assert twins() == []

    def test_rings_again_for_what_nobody_finished_and_gives_up_in_the_end(self, seller: Member) -> None:
        make_draft_of(seller.id, demo("camera"))
        assert services.sweep_checks(now=NOW) == 1
        assert services.sweep_checks(now=NOW + MINUTE) == 0
        assert services.sweep_checks(now=NOW + 3 * MINUTE) == 1
        PhotoCheck.objects.update(attempts=4)
        photo_id = PhotoCheck.objects.get().photo_id
        assert services.check_photo(photo_id=photo_id, now=NOW) == "failed"
        assert PhotoCheck.objects.get().failure_code == "check_crashed"
        assert services.check_photo(photo_id=photo_id, now=NOW) == "skipped"

    def test_of_a_file_that_cannot_be_decoded_says_so(self, seller: Member) -> None:
        draft = make_draft_of(seller.id, demo("camera"))
        name = names.master_name(draft.photos[0].stem)
        with storages[names.ORIGINALS].open(name, "wb") as file:
            file.write(b"no picture")
        assert check_all() == ["failed"]
        assert PhotoCheck.objects.get().failure_code == "undecodable"


@pytest.mark.needs_server
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_photos_that_are_checked_at_once_each_pair_is_found_once(
        self, seller: Member, other_seller: Member
    ) -> None:
        listings = [make_draft_of(member.id, demo("camera")) for member in (seller, other_seller) * 2]
        services.plan_checks(now=NOW)
        gate = threading.Barrier(len(listings))

        def work(listing: queries.ListingFacts) -> str:
            try:
                gate.wait(20)
                return services.check_photo(photo_id=listing.photos[0].id, now=NOW)
            finally:
                connection.close()

        with ThreadPoolExecutor(len(listings)) as pool:
            assert list(pool.map(work, listings)) == ["checked"] * 4
        assert Counter(scope for scope, _, _ in twins()) == {"other_seller": 4, "same_seller": 2}


class TestRefresh:
    def test_what_was_found_goes_with_the_photo_or_its_listing(
        self, seller: Member, other_seller: Member
    ) -> None:
        kept = make_listing_of(seller.id, demo("camera"), demo("sofa"))
        gone = make_listing_of(other_seller.id, cropped("camera"))
        check_all()
        assert services.refresh_checks(now=NOW) == (0, 0)
        listing_services.remove_photo(
            seller_id=seller.id, listing_id=kept.id, photo_id=kept.photos[1].id, now=NOW
        )
        listing_services.delete(seller_id=other_seller.id, listing_id=gone.id, now=NOW)
        assert services.refresh_checks(now=NOW) == (2, 0)
        assert [check.photo_id for check in PhotoCheck.objects.all()] == [kept.photos[0].id]
        assert PhotoKey.objects.count() == 15
        assert twins() == []

    def test_what_another_version_saw_is_looked_at_again(self, seller: Member) -> None:
        make_draft_of(seller.id, demo("camera"), cropped("camera"))
        check_all()
        PhotoCheck.objects.update(fingerprint_version="kinds-0/fingerprint-0")
        assert services.refresh_checks(now=NOW) == (0, 2)
        assert check_all() == ["checked", "checked"]
        assert services.refresh_checks(now=NOW) == (0, 0)
        assert len(twins()) == 1


class TestRule:
    @pytest.fixture
    def stolen(self, seller: Member, other_seller: Member) -> PhotoTwin:
        make_listing_of(seller.id, demo("camera"))
        make_listing_of(other_seller.id, cropped("camera"), now=NOW + MINUTE)
        check_all(now=NOW + MINUTE)
        return PhotoTwin.objects.get()

    @pytest.fixture
    def as_moderator(self, catalogue: None) -> Client:
        member = make_member("Moderator", is_staff=True)
        wanted = ["view_phototwin", "view_photocheck", "view_listing", "change_listing"]
        member.user_permissions.set(Permission.objects.filter(codename__in=wanted))
        client = Client()
        client.force_login(member)
        return client

    def act(self, client: Client, action: str, twin: PhotoTwin, **form: str) -> Any:
        return client.post(
            TWINS, {"action": action, "_selected_action": [twin.id], **form}, follow=bool(form)
        )

    def test_the_queue_shows_both_photos_and_listings(self, as_moderator: Client, stolen: PhotoTwin) -> None:
        page = as_moderator.get(TWINS, {"queue": "open"}).content.decode()
        assert page.count("-320.jpg") == 2
        assert all(shown in page for shown in (stolen.listing_id, stolen.other_listing_id))
        assert stolen.photo_id in as_moderator.get(CHECKS, {"q": stolen.photo_id}).content.decode()

    def test_uphold_hides_the_later_listing_with_a_reason(
        self, as_moderator: Client, stolen: PhotoTwin
    ) -> None:
        assert "note" in self.act(as_moderator, "uphold", stolen).content.decode()
        self.act(as_moderator, "uphold", stolen, confirmed="yes", note="The owner wrote to us")
        later, first = (queries.get_listing(i) for i in (stolen.listing_id, stolen.other_listing_id))
        assert (later.status, later.moderation_reason, first.status) == ("hidden", "stolen_photos", "active")
        assert "The owner wrote" in LogEntry.objects.get(object_id=stolen.id).change_message
        assert stolen.id in as_moderator.get(TWINS, {"queue": "upheld"}).content.decode()
        assert stolen.id not in as_moderator.get(TWINS, {"queue": "open"}).content.decode()

    def test_dismiss_leaves_both_and_is_not_asked_again(
        self, as_moderator: Client, stolen: PhotoTwin
    ) -> None:
        assert "note" in self.act(as_moderator, "dismiss", stolen).content.decode()
        self.act(as_moderator, "dismiss", stolen, confirmed="yes", note="A shop's own picture")
        assert queries.get_listing(stolen.listing_id).status == "active"
        with pytest.raises(TwinRuledOn) as error:
            services.uphold_twin(twin_id=stolen.id, moderator_id="x", now=NOW)
        assert error.value.code == "photo_twin_ruled_on"
