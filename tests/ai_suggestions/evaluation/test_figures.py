"""ai_suggestions.evaluation.figures: against numbers worked out by hand or published."""

from __future__ import annotations

import numpy as np
import pytest

from ai_suggestions.evaluation.figures import (
    CurvePoint,
    Share,
    bootstrap_interval,
    calibration_bins,
    calibration_error,
    coverage_at,
    mcnemar_exact,
    percentile,
    precision_curve,
)
from ai_suggestions.training.scores import expected_calibration_error, threshold_for


class TestShare:
    def test_has_wilsons_interval(self) -> None:
        # Newcombe 1998, table I: 81 of 263 and 15 of 148, the score method without continuity correction.
        assert Share(81, 263).interval == pytest.approx((0.2553, 0.3662), abs=5e-5)
        assert Share(15, 148).interval == pytest.approx((0.0624, 0.1605), abs=5e-5)

    def test_stays_between_nothing_and_everything(self) -> None:
        assert Share(0, 20).interval == pytest.approx((0.0, 0.1611), abs=5e-5)
        assert Share(20, 20).interval == pytest.approx((0.8389, 1.0), abs=5e-5)

    def test_of_nothing_is_none(self) -> None:
        assert (Share(0, 0).value, Share(0, 0).interval) == (None, None)


class TestCalibration:
    def test_is_the_mean_distance_of_confidence_and_share_right(self) -> None:
        # Four of .9, three right: .15 off; two of .5, one right: 0 off.
        bins = calibration_bins([0.9] * 4 + [0.5] * 2, [True, True, True, False, True, False])
        assert [(entry.right.hits, entry.right.n) for entry in bins] == [(1, 2), (3, 4)]
        assert calibration_error(bins) == pytest.approx(4 / 6 * 0.15)

    def test_puts_certainty_into_the_last_bin(self) -> None:
        (only,) = calibration_bins([1.0], [True])
        assert (only.high, only.confidence) == (1.0, 1.0)

    def test_of_nothing_is_none(self) -> None:
        assert calibration_error(calibration_bins([], [])) is None

    def test_is_what_the_training_measures(self) -> None:
        chance = np.random.default_rng(3)
        confidence = chance.random(500).astype(np.float32)
        right = chance.random(500) < confidence
        ours = calibration_error(calibration_bins(confidence.tolist(), right.tolist()))
        assert ours == pytest.approx(expected_calibration_error(confidence, right), abs=1e-6)


class TestCoverage:
    def test_falls_in_steps_from_the_surest_on(self) -> None:
        curve = precision_curve([0.6, 0.9, 0.8], [False, True, True], of=4)
        assert curve == [CurvePoint(0.9, 0.25, 1.0), CurvePoint(0.8, 0.5, 1.0), CurvePoint(0.6, 0.75, 2 / 3)]
        assert coverage_at(curve, 0.95) == 0.5

    def test_fills_equal_confidences_in_together(self) -> None:
        curve = precision_curve([0.9, 0.9, 0.9], [True, True, False], of=3)
        assert curve == [CurvePoint(0.9, 1.0, 2 / 3)]
        assert coverage_at(curve, 0.95) == 0.0

    def test_may_recover_after_an_early_mistake(self) -> None:
        right = [False] + [True] * 39
        curve = precision_curve([1 - n / 100 for n in range(40)], right, of=40)
        assert coverage_at(curve, 0.95) == 1.0

    def test_is_what_the_thresholds_of_the_training_give(self) -> None:
        chance = np.random.default_rng(4)
        confidence = chance.random(400).astype(np.float32)
        right = chance.random(400) < confidence**0.2
        threshold = threshold_for(confidence, right, 0.95)
        curve = precision_curve(confidence.tolist(), right.tolist(), of=400)
        assert coverage_at(curve, 0.95) == pytest.approx(float((confidence >= threshold).mean()))


class TestPercentile:
    def test_lies_between_two_values(self) -> None:
        assert percentile([10.0, 20.0, 40.0], 50) == 20.0
        assert percentile([10.0, 20.0], 95) == pytest.approx(19.5)
        assert percentile([], 50) is None


class TestCompareInPairs:
    @pytest.mark.parametrize(
        ("only_first", "only_second", "p"),
        [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 0.0625), (1, 9, 22 / 1024), (9, 1, 22 / 1024)],
    )
    def test_tells_chance_from_difference(self, only_first: int, only_second: int, p: float) -> None:
        assert mcnemar_exact(only_first, only_second) == pytest.approx(p)

    def test_counts_large_samples_without_overflow(self) -> None:
        assert 0 < mcnemar_exact(900, 1100) < 1e-4

    def test_has_no_interval_for_photos_of_one_person(self) -> None:
        assert bootstrap_interval([1.0, 0.0, -1.0], ["one"] * 3) is None

    def test_is_certain_when_every_photo_says_the_same(self) -> None:
        assert bootstrap_interval([1.0] * 6, list("aabbcc")) == (1.0, 1.0)

    def test_is_less_certain_when_few_people_took_the_photos(self) -> None:
        differences = [1.0, -1.0] * 20 + [1.0] * 20
        alone = bootstrap_interval(differences, [str(number) for number in range(60)])
        grouped = bootstrap_interval(
            [1.0] * 40 + [-1.0] * 20, ["a"] * 20 + ["b"] * 20 + ["c"] * 10 + ["d"] * 10
        )
        assert alone is not None
        assert grouped is not None
        assert grouped[1] - grouped[0] > 2 * (alone[1] - alone[0])

    def test_covers_the_truth_about_as_often_as_it_says(self) -> None:
        chance = np.random.default_rng(5)
        held = 0
        for trial in range(200):
            groups = np.repeat(np.arange(30), 4)
            values = 0.1 + np.repeat(chance.normal(0, 0.3, 30), 4) + chance.normal(0, 0.3, 120)
            ends = bootstrap_interval(values.tolist(), groups.astype(str).tolist(), rounds=400, seed=trial)
            assert ends is not None
            held += ends[0] <= 0.1 <= ends[1]
        assert 0.88 <= held / 200 <= 0.99
