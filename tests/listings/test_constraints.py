"""The database states each invariant too: every constraint of listings, by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Model

from listings.models import (
    CatalogueRelease,
    Category,
    Listing,
    ListingColour,
    ListingEvent,
    ListingMaterial,
    ListingPhoto,
    MarketRules,
    Size,
)
from listings.queries import ListingFacts
from tests.factories.listings import NOW, make_draft, make_listing, make_photo

Breaker = Callable[[ListingFacts, ListingFacts], Any]


def photo(draft: ListingFacts, **facts: Any) -> ListingPhoto:
    values: dict[str, Any] = {
        "listing_id": draft.id,
        "position": 0,
        "original_name": "uploads/x",
        "original_sha256": "0" * 64,
        "original_bytes": 1,
        "media_type": "image/jpeg",
        "uploaded_at": NOW,
        "ring_at": NOW,
    }
    return ListingPhoto.objects.create(**(values | facts))


def event(draft: ListingFacts, **facts: Any) -> ListingEvent:
    values = {
        "verb": "remove",
        "source": "draft",
        "target": "removed",
        "actor": "moderator",
        "reason": "other",
    }
    return ListingEvent.objects.create(listing_id=draft.id, happened_at=NOW, **(values | facts))


def change(listing: ListingFacts, **facts: Any) -> int:
    return Listing.objects.filter(id=listing.id).update(**facts)


def rules(**facts: Any) -> int:
    return MarketRules.objects.filter(market_id="LT").update(**facts)


def twice(make: Callable[[], Any]) -> None:
    make()
    make()


# What breaks each constraint, given a draft and a listing on offer with one ready photo.
BREAKERS: dict[str, list[Breaker]] = {
    "catalogue_release_is_one": [
        lambda draft, offered: CatalogueRelease.objects.create(id=2, digest="x", loaded_at=NOW)
    ],
    "category_not_its_own_parent": [
        lambda draft, offered: Category.objects.filter(id="women").update(parent_id="women")
    ],
    "category_leaf_has_kind": [
        lambda draft, offered: Category.objects.filter(id="home-chairs").update(kind="")
    ],
    "size_label_once_per_system": [
        lambda draft, offered: Size.objects.create(id="x", system="any", position=9, label="No label")
    ],
    "market_rules_once_per_day": [
        lambda draft, offered: MarketRules.objects.create(
            market_id="LT",
            valid_from_date="2026-01-01",
            currency="EUR",
            price_min_minor=1,
            price_max_minor=3,
            verified_above_minor=2,
        )
    ],
    "market_rules_limits_in_order": [
        lambda draft, offered: rules(price_min_minor=0),
        lambda draft, offered: rules(verified_above_minor=1),
        lambda draft, offered: rules(price_max_minor=2),
    ],
    "listing_known_status": [lambda draft, offered: change(draft, status="lost")],
    "listing_price_positive": [lambda draft, offered: change(draft, price_minor=0)],
    "listing_parcel_size_known": [lambda draft, offered: change(draft, parcel_size="huge")],
    "listing_public_is_complete": [
        lambda draft, offered: change(draft, status="active"),
        *(
            lambda draft, offered, column=column, value=value: change(offered, **{column: value})
            for column, value in (
                ("category_id", None),
                ("condition_id", None),
                ("price_minor", None),
                ("published_at", None),
                ("title", ""),
                ("parcel_size", ""),
            )
        ),
    ],
    "listing_hidden_by_somebody": [
        lambda draft, offered: change(offered, status="hidden"),
        lambda draft, offered: change(offered, hidden_by="seller"),
    ],
    "listing_reserved_is_due": [lambda draft, offered: change(offered, status="reserved")],
    "listing_colour_once": [
        lambda draft, offered: ListingColour.objects.filter(listing_id=draft.id, position=1).update(
            colour_id="navy"
        )
    ],
    "listing_colour_position_once": [
        lambda draft, offered: ListingColour.objects.filter(listing_id=draft.id).update(position=0)
    ],
    "listing_colours_at_most_two": [
        lambda draft, offered: ListingColour.objects.create(listing_id=draft.id, colour_id="red", position=2)
    ],
    "listing_material_once": [
        lambda draft, offered: ListingMaterial.objects.create(
            listing_id=draft.id, material_id="cotton", position=1
        )
    ],
    "listing_material_position_once": [
        lambda draft, offered: ListingMaterial.objects.create(
            listing_id=draft.id, material_id="wool", position=0
        )
    ],
    "listing_materials_at_most_three": [
        lambda draft, offered: ListingMaterial.objects.create(
            listing_id=draft.id, material_id="wool", position=3
        )
    ],
    "photo_position_once": [lambda draft, offered: twice(lambda: photo(draft))],
    "photo_at_most_twenty": [lambda draft, offered: photo(draft, position=20)],
    "photo_known_status": [lambda draft, offered: photo(draft, status="lost", ring_at=None)],
    "photo_ready_has_master": [lambda draft, offered: photo(draft, status="ready", ring_at=None)],
    "photo_failed_has_reason": [
        lambda draft, offered: photo(draft, status="failed", ring_at=None),
        lambda draft, offered: photo(draft, failure_code="undecodable"),
    ],
    "photo_flagged_has_time": [
        lambda draft, offered: photo(draft, flag="unsafe_photo"),
        lambda draft, offered: photo(draft, flagged_at=NOW),
        lambda draft, offered: photo(draft, ruling="approved"),
        lambda draft, offered: photo(draft, flag="unsafe_photo", flagged_at=NOW, ruling="maybe"),
    ],
    "photo_processing_is_swept": [
        lambda draft, offered: photo(draft, ring_at=None),
        lambda draft, offered: photo(draft, original_name=""),
        lambda draft, offered: ListingPhoto.objects.filter(listing_id=offered.id).update(ring_at=NOW),
    ],
    "listing_event_moderator_has_reason": [lambda draft, offered: event(draft, reason="")],
    "listing_event_changes_something": [lambda draft, offered: event(draft, target="draft")],
}


def constraints_of(model: type[Model]) -> set[str]:
    return {str(constraint.name) for constraint in model._meta.constraints}


def test_every_constraint_is_tested() -> None:
    declared = {
        name for model in apps.get_app_config("listings").get_models() for name in constraints_of(model)
    }
    assert declared == set(BREAKERS)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "number"), [(name, i) for name, all_ in BREAKERS.items() for i in range(len(all_))]
)
def test_constraint(seller: Any, name: str, number: int) -> None:
    draft, offered = make_draft(seller.id), make_listing(seller.id)
    # MariaDB answers a broken CHECK with an OperationalError (4025), MySQL and SQLite with an IntegrityError.
    with pytest.raises((IntegrityError, OperationalError)) as caught, transaction.atomic():
        BREAKERS[name][number](draft, offered)
    said = str(caught.value)
    assert name in said or "UNIQUE constraint failed" in said, said


class TestReferences:
    def test_what_a_listing_names_cannot_be_deleted(self, listing: ListingFacts) -> None:
        from django.db.models import ProtectedError

        for model, key in ((Category, "women-t-shirts"), (Listing, listing.id)):
            with pytest.raises(ProtectedError):
                model.objects.get(pk=key).delete()

    def test_photos_keep_their_listing(self, draft: ListingFacts) -> None:
        from django.db.models import ProtectedError

        make_photo(draft)
        with pytest.raises(ProtectedError):
            Listing.objects.get(pk=draft.id).delete()
