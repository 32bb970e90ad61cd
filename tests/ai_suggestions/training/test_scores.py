from __future__ import annotations

import numpy as np
import pytest

from ai_suggestions.training.scores import (
    best_shares,
    best_temperature,
    expected_calibration_error,
    scores_of,
    softmax_at,
    threshold_for,
    top,
)

PROBABILITIES = np.array(
    [[0.9, 0.1, 0.0], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]], dtype=np.float32
)
LABELS = np.array([0, 1, 2, 2])


class TestCountHits:
    def test_among_the_first_one_two_or_three(self) -> None:
        assert [top(PROBABILITIES, LABELS, count) for count in (1, 2, 3)] == [0.5, 1.0, 1.0]


class TestCalibrate:
    def test_a_head_that_is_as_sure_as_it_is_right_has_no_error(self) -> None:
        right = np.arange(100) < 80
        assert expected_calibration_error(np.full(100, 0.8, dtype=np.float32), right) == pytest.approx(
            0, abs=1e-6
        )

    def test_a_head_that_is_always_sure_errs_by_its_misses(self) -> None:
        right = np.arange(100) < 80
        assert expected_calibration_error(np.ones(100, dtype=np.float32), right) == pytest.approx(0.2)

    def test_the_temperature_that_blew_logits_up_is_found(self) -> None:
        chance = np.random.default_rng(1)
        logits = chance.normal(0, 2, (20_000, 5)).astype(np.float32)
        cumulated = softmax_at(logits, 1.0).cumsum(axis=1)
        labels = (chance.random((len(logits), 1)) > cumulated).sum(axis=1).clip(0, 4)
        assert best_temperature(logits * 3, labels) == pytest.approx(3.0, rel=0.05)


class TestShareHeads:
    def test_heads_that_know_different_classes_are_both_heard(self) -> None:
        labels = np.arange(400) % 4
        right = np.eye(4, dtype=np.float32)[labels] * 4
        known = labels < 2
        chance = np.random.default_rng(1)
        noise = chance.normal(size=(3, 400, 4)).astype(np.float32)
        heads = noise + np.stack([right * known[:, None], right * ~known[:, None], np.zeros_like(right)])
        shares = best_shares(heads, labels)
        assert sum(shares) == pytest.approx(1)
        assert min(shares[:2]) >= 0.3
        assert shares[2] <= 0.1  # the head that knows nothing

    def test_of_two_that_are_right_the_less_surprised_wins(self) -> None:
        labels = np.array([0, 1, 1])
        sure = np.array([[3, 0, 0, 0], [0, 3, 0, 0], [0, 3, 0, 0]], dtype=np.float32)
        unsure = sure / 3 + np.array([[0, 0.9, 0, 0], [0, 0, 0, 0], [0.9, 0, 0, 0]], dtype=np.float32)
        assert best_shares(np.stack([unsure, sure]), labels) == (0.0, 1.0)

    def test_one_head_has_it_all(self) -> None:
        assert best_shares(PROBABILITIES[None], LABELS) == (1.0,)


class TestChooseThreshold:
    def test_the_lowest_confidence_that_still_is_precise_enough(self) -> None:
        confidence = np.array([0.99, 0.9, 0.8, 0.7, 0.6], dtype=np.float32)
        right = np.array([True, True, True, False, True])
        assert threshold_for(confidence, right, 1.0) == pytest.approx(0.8)
        assert threshold_for(confidence, right, 0.8) == pytest.approx(0.6)

    def test_nothing_is_filled_in_when_nothing_is_precise_enough(self) -> None:
        assert threshold_for(np.array([0.9], dtype=np.float32), np.array([False]), 0.95) == 1.0

    def test_coverage_and_precision_are_of_what_is_filled_in(self) -> None:
        scores = scores_of(PROBABILITIES, LABELS, PROBABILITIES.max(axis=1) >= 0.6)
        assert (scores.n, scores.top1, scores.coverage) == (4, 0.5, 0.75)
        assert scores.precision == pytest.approx(2 / 3)
