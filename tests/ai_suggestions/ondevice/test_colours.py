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

    def test_shares_are_ordered_and_sum_to_one(self) -> None:
        shares = [entry.share for entry in colours.read(demo_photo("sneakers")).shares]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1, abs=1e-3)

    def test_the_same_photo_gives_the_same_answer(self) -> None:
        assert colours.read(demo_photo("armchair")) == colours.read(demo_photo("armchair"))

    def test_a_real_armchair_is_blue_or_grey(self) -> None:
        assert {"blue", "light-blue", "grey", "navy"} & set(colours.read(demo_photo("armchair")).chosen)

    @pytest.mark.parametrize("size", [(1, 1), (3000, 2), (2, 3000), (64, 64)])
    def test_a_photo_of_one_colour_is_measured_in_its_middle(self, size: tuple[int, int]) -> None:
        reading = colours.read(Image.new("L", size))
        assert reading.chosen == ("black",)
        assert not reading.separated

    def test_every_colour_is_one_of_the_catalogue(self) -> None:
        with (REPOSITORY / "listings/data/colours.csv").open(newline="", encoding="utf-8") as table:
            palette = {row["id"] for row in csv.DictReader(table)}
        assert colours.nameable() <= palette


@pytest.mark.skipif(not CLOTHING.is_dir(), reason="the clothing photos are not beside this checkout")
class TestCheckSet:
    MEANT = {"multi": {"various"}, "beige": {"body", "cream"}}

    def _accepted(self, names: str) -> set[str]:
        return {
            colour for name in names.split("|") for colour in self.MEANT.get(name, {name.replace(" ", "-")})
        }

    def test_the_design_s_targets_hold(self) -> None:
        with (CLOTHING / "colours.csv").open(newline="", encoding="utf-8") as table:
            rows = list(csv.DictReader(table))
        acceptable = any_of_two = 0
        for row in rows:
            with Image.open(CLOTHING / row["file"]) as photo:
                reading = colours.read(photo)
            accepted = self._accepted(row["acceptable"])
            acceptable += reading.chosen[0] in accepted
            any_of_two += bool({*reading.chosen, *(entry.colour for entry in reading.shares[:2])} & accepted)
        assert acceptable / len(rows) >= 0.85
        assert any_of_two / len(rows) >= 0.93
