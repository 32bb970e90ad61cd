from __future__ import annotations

import csv

import pytest
from PIL import Image, ImageDraw

from ai_suggestions.ondevice import colours
from tests.ai_suggestions.ondevice.drawing import CLOTHING, REPOSITORY, demo_photo, thing


class TestReadColours:
    @pytest.mark.parametrize(
        ("cloth", "background", "expected"),
        [
            ("#C3272B", "white", "red"),
            ("#1C2747", "white", "navy"),
            ("#151515", "#B08050", "black"),
            ("#3F9150", "#202020", "green"),
            ("#F3D33C", "#6080A0", "yellow"),
            ("#FAFAF7", "#70472B", "white"),
            ("#A7DCC4", "#303030", "mint"),
            ("#6E3B8C", "#E0E0E0", "purple"),
        ],
    )
    def test_the_thing_counts_and_not_its_background(
        self, cloth: str, background: str, expected: str
    ) -> None:
        reading = colours.read(thing(cloth, background))
        assert reading.chosen == (expected,)
        assert reading.separated

    @pytest.mark.parametrize("size", [(1, 1), (3000, 2), (2, 3000), (400, 300)])
    @pytest.mark.parametrize("colour", ["black", "white", "#1C2747"])
    def test_a_photo_of_one_colour_shows_no_thing_that_could_have_it(
        self, colour: str, size: tuple[int, int]
    ) -> None:
        noise = Image.effect_noise(size, 12).convert("RGB")
        reading = colours.read(Image.blend(Image.new("RGB", size, colour), noise, 0.06))
        assert (reading.chosen, reading.likely, reading.separated) == ((), (), False)

    def test_the_box_is_where_the_thing_is(self) -> None:
        box = colours.read(thing("#C3272B")).box
        assert (box.left, box.top) == pytest.approx((70 / 300, 90 / 400), abs=0.04)
        assert (box.width, box.height) == pytest.approx((160 / 300, 230 / 400), abs=0.06)

    def test_two_colours_the_larger_first(self) -> None:
        picture = thing("#C3272B")
        ImageDraw.Draw(picture).rectangle((70, 230, 230, 320), fill="#1C2747")
        assert colours.read(picture).chosen == ("red", "navy")

    def test_many_colours_are_various(self) -> None:
        picture = thing("#C3272B")
        for row, colour in enumerate(("#1C2747", "#3F9150", "#F3D33C", "#E98FB2")):
            ImageDraw.Draw(picture).rectangle((70, 135 + 46 * row, 230, 181 + 46 * row), fill=colour)
        assert colours.read(picture).chosen == (colours.VARIOUS,)

    def test_a_fold_is_no_second_colour(self) -> None:
        picture = thing("#2D62B3")
        ImageDraw.Draw(picture).rectangle((70, 230, 230, 320), fill="#1C3F75")
        assert len(colours.read(picture).chosen) == 1

    def test_the_background_is_no_second_colour(self) -> None:
        picture = thing("#1C2747", "#C3272B")
        assert colours.read(picture).chosen == ("navy",)

    def test_probabilities_are_ordered_and_sum_to_about_one(self) -> None:
        found = [entry.probability for entry in colours.read(demo_photo("sneakers")).likely]
        assert found == sorted(found, reverse=True)
        assert 0.9 <= sum(found) <= 1.001

    def test_the_same_photo_gives_the_same_answer(self) -> None:
        assert colours.read(demo_photo("armchair")) == colours.read(demo_photo("armchair"))

    def test_a_real_armchair_is_blue_or_grey(self) -> None:
        assert {"blue", "light-blue", "grey", "navy"} & set(colours.read(demo_photo("armchair")).chosen)

    @pytest.mark.parametrize("size", [(2, 3000), (400, 400)])
    def test_what_fills_the_photo_is_measured_in_its_middle(self, size: tuple[int, int]) -> None:
        dark = Image.linear_gradient("L").point(lambda value: value // 10).resize(size)
        reading = colours.read(dark)
        assert reading.chosen == ("black",)
        assert not reading.separated

    def test_every_colour_is_one_of_the_catalogue(self) -> None:
        with (REPOSITORY / "listings/data/colours.csv").open(newline="", encoding="utf-8") as table:
            palette = {row["id"] for row in csv.DictReader(table)}
        assert colours.nameable() <= palette


SEEN = REPOSITORY / "ai_suggestions/training/colours_seen.csv"


def seen() -> list[dict[str, str]]:
    """The colours of 192 photos, in `fit` and `test` also the second one and the pattern."""
    with SEEN.open(newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


class TestColoursSeen:
    def test_the_table_names_colours_of_the_catalogue_only(self) -> None:
        with (REPOSITORY / "listings/data/colours.csv").open(newline="", encoding="utf-8") as table:
            palette = {row["id"] for row in csv.DictReader(table)}
        rows = seen()
        parts = {part: sum(row["part"] == part for row in rows) for part in ("fit", "test", "later")}
        assert parts == {"fit": 60, "test": 60, "later": 72}
        assert len({row["file"] for row in rows}) == 192
        for row in rows:
            assert {row["primary"], *row["acceptable"].split("|")} <= palette
            assert set(row["second"].split("|")) <= palette | {"", "*"}
            assert row["primary"] in row["acceptable"].split("|")


@pytest.mark.skipif(not CLOTHING.is_dir(), reason="the clothing photos are not beside this checkout")
class TestHeldOutPhotos:
    def test_what_the_docs_state_holds(self) -> None:
        rows = [row for row in seen() if row["part"] in ("test", "later")]
        first = two = seconds = wrong_seconds = 0
        for row in rows:
            accepted, second = set(row["acceptable"].split("|")), set(row["second"].split("|"))
            with Image.open(CLOTHING / row["file"]) as photo:
                reading = colours.read(photo)
            first += reading.chosen[0] in accepted
            two += bool({*reading.chosen, *(entry.colour for entry in reading.likely[:2])} & accepted)
            if row["part"] == "later":  # nobody labelled second colours there
                continue
            seconds += len(reading.chosen) == 2
            wrong_seconds += len(reading.chosen) == 2 and reading.chosen[1] not in second | accepted
        assert first / len(rows) >= 0.85
        assert two / len(rows) >= 0.93
        assert wrong_seconds <= 0.25 * seconds
