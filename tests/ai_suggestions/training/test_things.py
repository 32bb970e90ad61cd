"""Figures about things of other departments, on photos of the demo."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_suggestions.ondevice.garments import kind_model
from ai_suggestions.training.things import labelled_things, thing_figures

PHOTOS = Path(__file__).resolve().parents[3] / "demo" / "photos"


class TestThingFigures:
    def test_counts_what_is_named_and_what_would_be_filled_in(self) -> None:
        things = [
            (PHOTOS / "sofa" / "1.jpg", "sofa"),
            (PHOTOS / "sofa" / "1.jpg", "lamp"),  # on purpose: a sure answer that is wrong
            (PHOTOS / "skateboard" / "1.jpg", "skateboard"),  # nameable by no class
        ]
        found = thing_figures(things, kind_model())
        assert (found["n"], found["nameable"]) == (3, 2)
        assert (found["top1"], found["filled_in"], found["of_these_right"]) == (0.5, 2, 1)
        assert (found["called_a_garment"], found["filled_in_as_a_garment"]) == (1, 0)


class TestLabelledThings:
    def test_a_missing_picture_stops_the_measurement(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"unsplash\.jpg"):
            labelled_things(tmp_path, PHOTOS)
