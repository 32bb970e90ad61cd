"""The catalogue: the shipped data, loading it, reading it over HTTP."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from rest_framework.test import APIClient

from foundation.money import EXPONENTS
from listings import queries, services
from listings.errors import CategoryNotFound
from listings.models import Brand, Category, Condition, MarketRules
from listings.queries import brand_key
from listings.rules import PARCEL_SIZES
from listings.services.catalogue import LANGUAGES
from tests.factories.listings import NOW, full_texts, only, small_texts
from tests.factories.members import make_market

CATALOGUE = "/api/v1/catalogue"
GARMENTS = {
    *("t_shirt", "longsleeve", "pants", "shoes", "shirt", "dress", "outwear", "shorts", "hat"),
    *("skirt", "polo", "undershirt", "blazer", "hoodie", "body", "top", "blouse", "other"),
}
DEPARTMENTS = ["women", "men", "kids", "home", "entertainment", "electronics", "pets", "sport"]


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(full_texts()[name])))


class TestShippedData:
    def test_categories_form_a_tree_of_eight_departments(self) -> None:
        seen: dict[str, dict[str, str]] = {}
        for row in rows("categories"):
            assert re.fullmatch(r"[a-z0-9-]{2,60}", row["id"])
            assert row["parent_id"] in seen or row["parent_id"] == ""
            assert row["id"] not in seen
            seen[row["id"]] = row
        departments = [row["id"] for row in seen.values() if not row["parent_id"]]
        assert departments == DEPARTMENTS

    def test_leaves_say_all_that_a_listing_needs(self) -> None:
        parents = {row["parent_id"] for row in rows("categories")}
        leaves = [row for row in rows("categories") if row["id"] not in parents]
        systems = {row["system"] for row in rows("sizes")}
        assert 350 <= len(leaves) <= 500
        for leaf in leaves:
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", leaf["kind"]), leaf["id"]
            assert leaf["parcel_size"] in PARCEL_SIZES, leaf["id"]
            attributes = leaf["attributes"].split()
            assert set(attributes) <= {"brand", "size", "condition", "colours", "materials"}, leaf["id"]
            assert ("size" in attributes) == (leaf["size_system"] != ""), leaf["id"]
            assert leaf["size_system"] in systems | {""}, leaf["id"]

    def test_every_garment_kind_is_sold(self) -> None:
        kinds = {row["kind"] for row in rows("categories")}
        assert kinds >= GARMENTS

    @pytest.mark.parametrize("name", ["categories", "colours", "conditions", "materials"])
    def test_everything_has_a_name_in_every_language(self, name: str) -> None:
        for row in rows(name):
            assert all(row[f"name_{language}"].strip() for language in LANGUAGES), row["id"]

    def test_sizes_are_written_in_one_way_each_within_a_system(self) -> None:
        seen: dict[tuple[str, str], str] = {}
        for row in rows("sizes"):
            for text in [row["label"], *filter(None, row["aliases"].split("|"))]:
                assert seen.setdefault((row["system"], text.casefold()), row["id"]) == row["id"], text
        assert len({row["id"] for row in rows("sizes")}) == len(rows("sizes"))

    def test_brands_are_written_in_no_other_brands_way(self) -> None:
        seen: dict[str, str] = {}
        for row in rows("brands"):
            for text in [row["name"], *filter(None, row["aliases"].split("|"))]:
                assert seen.setdefault(brand_key(text), row["id"]) == row["id"], text
        assert len(rows("brands")) >= 600

    def test_the_palette_has_28_colours(self) -> None:
        palette = rows("colours")
        assert len(palette) == 28
        assert all(re.fullmatch("#[0-9A-F]{6}", row["hex"]) or row["id"] == "various" for row in palette)

    def test_every_market_has_its_limits_in_its_currency(self) -> None:
        from members.management.commands.load_markets import DATA
        from members.services.markets import read_markets

        limits = {row["market"]: row["currency"] for row in rows("market_rules")}
        markets = {m.code: m.currency for m in read_markets(DATA.read_text(encoding="utf-8"))}
        assert limits == markets
        assert set(limits.values()) <= set(EXPONENTS)

    def test_the_euros_limits_are_those_of_the_rules(self) -> None:
        euro = next(row for row in rows("market_rules") if row["market"] == "LT")
        limits = (euro["price_min_minor"], euro["price_max_minor"], euro["verified_above_minor"])
        assert limits == ("100", "1000000", "50000")


class TestLoading:
    @pytest.mark.django_db
    def test_the_shipped_files_twice(self, django_assert_max_num_queries: Any) -> None:
        call_command("load_markets", verbosity=0)
        call_command("load_catalogue", verbosity=0)
        assert Category.objects.count() == len(rows("categories"))
        assert MarketRules.objects.count() == len(rows("market_rules"))
        with django_assert_max_num_queries(3):  # savepoints around the one statement
            call_command("load_catalogue", verbosity=0)

    def test_again_changes_retires_and_brings_back(self, catalogue: None) -> None:
        texts = small_texts()
        renamed = texts["brands"].replace("Esprit,", "ESPRIT!,")
        fewer = only("conditions", lambda row: row["id"] != "good")
        loaded = services.load_catalogue(texts=texts | {"brands": renamed, "conditions": fewer}, now=NOW)
        assert (loaded["brands"].changed, loaded["conditions"].retired) == (1, 1)
        assert Brand.objects.get(id="esprit").name == "ESPRIT!"
        assert Condition.objects.get(id="good").is_retired
        assert "good" not in [t.id for t in queries.catalogue_snapshot().conditions_for("home-chairs")]
        services.load_catalogue(texts=texts, now=NOW)
        assert not Condition.objects.get(id="good").is_retired

    @pytest.mark.parametrize(
        ("name", "find", "replace", "fault"),
        [
            ("brands", "id,name,aliases", "id,name", "the columns are"),
            ("brands", "zara,Zara,", "zara,Zara", "another number of columns"),
            ("brands", "kodak,Kodak,", "kodak,Zara,", "stands for"),
            ("brands", "kodak,Kodak,Eastman Kodak", "kodak,★,", "neither letters nor digits"),
            ("categories", "women-clothing,women,", "women-clothing,nowhere,", "before its parent"),
            ("market_rules", "LT,2026-01-01,EUR", "LT,2026-01-01,XXX", "XXX"),
            ("market_rules", "LT,2026-01-01", "LT,first of May", "first of May"),
            ("colours", "black,2,", "apricot,2,", "twice"),
        ],
    )
    def test_a_broken_file_changes_nothing(
        self, catalogue: None, name: str, find: str, replace: str, fault: str
    ) -> None:
        digest = queries.catalogue_digest()
        texts = small_texts()
        assert find in texts[name]
        with pytest.raises(ValueError, match=fault):
            services.load_catalogue(texts=texts | {name: texts[name].replace(find, replace, 1)}, now=NOW)
        assert queries.catalogue_digest() == digest

    def test_not_all_files(self, catalogue: None) -> None:
        with pytest.raises(ValueError, match="files wanted"):
            services.load_catalogue(texts={"brands": ""}, now=NOW)

    @pytest.mark.django_db
    def test_a_folder_without_files(self, tmp_path: Any) -> None:
        with pytest.raises(CommandError, match=r"categories\.csv"):
            call_command("load_catalogue", folder=tmp_path)

    def test_a_new_spelling_reaches_readers(self, catalogue: None) -> None:
        assert queries.find_brand("Kodachrome") is None
        texts = small_texts()
        spelt = texts["brands"].replace("Eastman Kodak", "Kodachrome")
        services.load_catalogue(texts=texts | {"brands": spelt}, now=NOW)
        found = queries.find_brand("KODACHROME")
        assert found is not None
        assert found.aliases == ("Kodachrome",)


class TestBrands:
    @pytest.mark.parametrize("text", ["H&M", "h & m", "HENNES & MAURITZ", "hm"])
    def test_are_found_however_they_are_written(self, catalogue: None, text: str) -> None:
        found = queries.find_brand(text)
        assert found is not None
        assert found.id == "h-and-m"

    @pytest.mark.parametrize("text", ["", "&", "★", "Nobody's", "ZaraH"])
    def test_that_do_not_exist(self, catalogue: None, text: str) -> None:
        assert queries.find_brand(text) is None

    def test_exact_names_come_first(self, catalogue: None) -> None:
        assert [brand.id for brand in queries.brands(starting="on")] == ["on-running", "onitsuka-tiger"]


class TestEndpoints:
    def test_categories_parents_before_children(self, stranger: APIClient) -> None:
        results = stranger.get(f"{CATALOGUE}/categories").json()["results"]
        seen = set()
        for category in results:
            assert category["parent"] is None or category["parent"] in seen
            seen.add(category["id"])
        assert {"id": "women", "parent": None, "name": "Women", "is_leaf": False} in results

    @pytest.mark.parametrize(
        ("language", "name"), [("de-AT", "Damen"), ("fr", "Femmes"), ("lt", "Moterims"), ("xx", "Women")]
    )
    def test_names_in_the_language_asked_for(self, stranger: APIClient, language: str, name: str) -> None:
        response = stranger.get(f"{CATALOGUE}/categories", headers={"Accept-Language": language})
        assert response.json()["results"][0]["name"] == name
        assert "Accept-Language" in response["Vary"]

    def test_categories_below_one(self, stranger: APIClient) -> None:
        results = stranger.get(f"{CATALOGUE}/categories?parent=women-tops").json()["results"]
        assert [category["id"] for category in results] == ["women-t-shirts", "women-blouses"]
        missing = stranger.get(f"{CATALOGUE}/categories?parent=nowhere")
        assert (missing.status_code, missing.json()["code"]) == (404, "category_not_found")

    def test_what_a_category_asks_for(self, stranger: APIClient) -> None:
        body = stranger.get(f"{CATALOGUE}/categories/women-t-shirts/attributes").json()
        assert body["required"] == ["condition", "brand", "size", "colours"]
        assert {size["id"] for size in body["sizes"]} > {"women-clothing-m", "no-label"}
        assert "not_fully_functional" not in [condition["id"] for condition in body["conditions"]]
        camera = stranger.get(f"{CATALOGUE}/categories/electronics-film-cameras/attributes").json()
        assert camera["sizes"] == []
        assert "not_fully_functional" in [condition["id"] for condition in camera["conditions"]]
        assert stranger.get(f"{CATALOGUE}/categories/nowhere/attributes").status_code == 404

    def test_brands_by_their_start(self, stranger: APIClient) -> None:
        def found(query: str) -> list[str]:
            return [b["id"] for b in stranger.get(f"{CATALOGUE}/brands?{query}").json()["results"]]

        assert found("q=zar") == ["zara", "zara-home"]
        assert found("q=zar&limit=1") == ["zara"]
        assert found("q=hennes") == ["h-and-m"]
        assert found("q=%E2%98%85") == []
        assert len(found("")) == 9
        assert stranger.get(f"{CATALOGUE}/brands?limit=51").status_code == 400

    def test_sizes_and_conditions_of_a_category(self, stranger: APIClient) -> None:
        sizes = stranger.get(f"{CATALOGUE}/sizes?category=women-trainers").json()["results"]
        assert {size["system"] for size in sizes} == {"women_shoes", "any"}
        assert len(stranger.get(f"{CATALOGUE}/sizes").json()["results"]) > len(sizes)
        conditions = stranger.get(f"{CATALOGUE}/conditions?category=home-chairs").json()["results"]
        assert len(conditions) == len(stranger.get(f"{CATALOGUE}/conditions").json()["results"]) - 1
        for name in ("sizes", "conditions"):
            assert stranger.get(f"{CATALOGUE}/{name}?category=nowhere").status_code == 404

    def test_colours_and_materials(self, stranger: APIClient) -> None:
        colours = stranger.get(f"{CATALOGUE}/colours").json()["results"]
        assert {"id": "navy", "name": "Navy", "hex": "#1C2747"} in colours
        assert {"id": "various", "name": "Various", "hex": None} in colours
        materials = stranger.get(f"{CATALOGUE}/materials").json()["results"]
        assert {"id": "wool", "name": "Wool"} in materials

    @pytest.mark.parametrize("name", ["categories", "brands", "sizes", "colours", "conditions", "materials"])
    def test_are_kept_by_clients_until_they_change(
        self, stranger: APIClient, name: str, django_assert_num_queries: Any
    ) -> None:
        first = stranger.get(f"{CATALOGUE}/{name}")
        assert first["Cache-Control"] == "public, max-age=300"
        with django_assert_num_queries(1):
            again = stranger.get(f"{CATALOGUE}/{name}", headers={"If-None-Match": first["ETag"]})
        assert again.status_code == 304
        german = stranger.get(f"{CATALOGUE}/{name}", headers={"Accept-Language": "de"})
        assert german["ETag"] != first["ETag"]
        texts = small_texts()
        fewer = texts["materials"].rpartition("wool,")[0]
        services.load_catalogue(texts=texts | {"materials": fewer}, now=NOW)
        assert (
            stranger.get(f"{CATALOGUE}/{name}", headers={"If-None-Match": first["ETag"]}).status_code == 200
        )

    def test_unknown_parameters(self, stranger: APIClient) -> None:
        assert stranger.get(f"{CATALOGUE}/colours?like=navy").status_code == 400


class TestQueries:
    def test_get_category(self, catalogue: None) -> None:
        assert queries.get_category("home-chairs").kind == "chair"
        with pytest.raises(CategoryNotFound):
            queries.get_category("nowhere")

    def test_price_rules_of_the_day(self, catalogue: None) -> None:
        MarketRules.objects.create(
            market=make_market("LT"),
            valid_from_date="2026-07-01",
            currency="EUR",
            price_min_minor=200,
            price_max_minor=2000,
            verified_above_minor=1000,
        )

        def least(day: str) -> int | None:
            import datetime as dt

            found = queries.find_price_rules(country="LT", on_date=dt.date.fromisoformat(day))
            return None if found is None else found.price_min_minor

        assert [least(day) for day in ("2025-12-31", "2026-06-30", "2026-07-01")] == [None, 100, 200]
