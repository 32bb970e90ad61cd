from __future__ import annotations

import csv
import random

import pytest
from PIL import Image

from ai_suggestions.ondevice import labels
from ai_suggestions.ondevice.label_facts import facts_in
from ai_suggestions.ondevice.warming import warm_up
from tests.ai_suggestions.ondevice.drawing import CLOTHING, REPOSITORY, demo_photo, label, thing


def catalogue_brands() -> dict[str, str]:
    """Every spelling of every brand that the catalogue ships."""
    with (REPOSITORY / "listings/data/brands.csv").open(newline="", encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["id"] != "no-brand"]
    return {name: row["id"] for row in rows for name in [row["name"], *row["aliases"].split("|")] if name}


class TestReadLabels:
    def test_the_demo_s_label(self) -> None:
        reading = labels.read(demo_photo("clothing-label"), budget_s=30)
        facts = facts_in(reading.lines, catalogue_brands())
        assert reading.has_text
        assert reading.complete
        assert facts.brand is not None
        assert facts.brand.id == "esprit"
        assert facts.sizes[0].text == "M"
        assert [(one.id, one.percent) for one in facts.materials] == [("cotton", 60), ("polyester", 40)]

    def test_boxes_are_where_the_text_is(self) -> None:
        lines = labels.read(label("ESPRIT", "100% COTTON"), budget_s=30).lines
        assert [line.text for line in lines] == ["ESPRIT", "100% COTTON"]
        assert lines[0].box.left == pytest.approx(150 / 800, abs=0.03)
        assert lines[0].box.top == pytest.approx(80 / 320, abs=0.06)

    @pytest.mark.parametrize("angle", [90, 180, 270])
    def test_a_turned_label_is_read(self, angle: int) -> None:
        turned = label("ESPRIT", "100% COTTON", "MADE IN PORTUGAL").rotate(angle, expand=True)
        texts = {line.text for line in labels.read(turned, budget_s=30).lines}
        assert {"ESPRIT", "100% COTTON"} <= texts

    def test_a_plain_thing_is_not_read_at_all(self) -> None:
        reading = labels.read(demo_photo("sofa"), budget_s=30)
        assert (reading.has_text, reading.lines) == (False, ())

    def test_when_the_budget_is_spent_reading_stops_and_says_so(self) -> None:
        reading = labels.read(label("ESPRIT", "100% COTTON"), budget_s=0)
        assert (reading.has_text, reading.complete, reading.lines) == (True, False, ())

    def test_the_same_photo_gives_the_same_answer(self) -> None:
        photo = demo_photo("clothing-label")
        assert labels.read(photo, budget_s=30) == labels.read(photo, budget_s=30)

    @pytest.mark.parametrize(("mode", "size"), [("L", (1, 1)), ("RGBA", (30, 2000)), ("P", (64, 64))])
    def test_any_mode_and_size_is_looked_at(self, mode: str, size: tuple[int, int]) -> None:
        assert labels.read(Image.new(mode, size), budget_s=30).lines == ()

    def test_the_reader_s_version_is_the_wheel_s(self) -> None:
        assert labels.model_version().startswith("rapidocr-3.")


class TestNoFalseSizes:
    @pytest.mark.parametrize("name", ["armchair", "camera", "high-tops", "skateboard", "sneakers", "sofa"])
    def test_on_the_demo_s_photos(self, name: str) -> None:
        assert facts_in(labels.read(demo_photo(name), budget_s=30).lines, catalogue_brands()).sizes == ()

    def test_on_a_drawn_cloth(self) -> None:
        assert facts_in(labels.read(thing("#1C2747"), budget_s=30).lines, catalogue_brands()).sizes == ()

    @pytest.mark.skipif(not CLOTHING.is_dir(), reason="the clothing photos are not beside this checkout")
    def test_on_plain_garments(self) -> None:
        paths = random.Random(11).sample(sorted((CLOTHING / "images").iterdir()), 30)
        brands = catalogue_brands()
        false_sizes = {}
        for path in paths:
            with Image.open(path) as photo:
                facts = facts_in(labels.read(photo, budget_s=30).lines, brands)
            if facts.sizes:
                false_sizes[path.name] = facts
        assert false_sizes == {}


class TestWarmUp:
    def test_it_may_be_repeated(self) -> None:
        warm_up()
        warm_up()
