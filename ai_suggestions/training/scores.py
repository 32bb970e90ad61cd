"""Figures about predictions: how often right, how well calibrated, from which confidence on they may be
filled in.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BINS = 15


@dataclass(frozen=True)
class Scores:
    """`n` photos; the rest are shares (0-1). `coverage` is the share that is filled in at the threshold,
    `precision`
    how many of those are right."""

    n: int
    top1: float
    top1_margin: float  # ±, half a 95 % interval
    top3: float
    ece: float
    coverage: float
    precision: float


def top(probabilities: NDArray[np.float32], labels: NDArray[np.int64], count: int) -> float:
    """Share of photos whose label is among the `count` most likely classes."""
    best = np.argsort(-probabilities, axis=1)[:, :count]
    return float((best == labels[:, None]).any(axis=1).mean())


def expected_calibration_error(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    """Mean distance between confidence and share right, over 15 bins of equal width (Guo et al., arXiv
    1706.04599).
    """
    which = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    error = 0.0
    for bin_ in range(_BINS):
        inside = which == bin_
        if inside.any():
            error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return float(error)


def softmax_at(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Probabilities of logits divided by the temperature."""
    scaled = logits / temperature
    raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float32] = raised / raised.sum(axis=-1, keepdims=True)
    return probabilities


def best_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature with the least log loss on held-out logits."""

    def loss(log_temperature: float) -> float:
        probabilities = softmax_at(logits, math.exp(log_temperature))
        return float(-np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean())

    low, high = -2.0, 2.0  # the loss has one minimum: narrow it down by thirds
    while high - low > 1e-4:
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return math.exp((low + high) / 2)


def best_shares(heads: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[float, ...]:
    """The weights of several heads' logits, in tenths that sum to 1, with the least log loss.

    `heads` is (heads, photos, kinds), of held-out photos. Hits are too coarse to choose by: with them each
    fold chose other shares.
    """
    tenths = [shares for shares in itertools.product(range(11), repeat=len(heads)) if sum(shares) == 10]
    weights = np.array(tenths, dtype=np.float32) / 10
    losses = [_log_loss(np.tensordot(shares, heads, 1), labels) for shares in weights]
    return tuple(share / 10 for share in tenths[int(np.argmin(losses))])


def _log_loss(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    probabilities = softmax_at(logits, best_temperature(logits, labels))
    return float(-np.log(probabilities[np.arange(len(labels)), labels] + 1e-12).mean())


def threshold_for(confidence: NDArray[np.float32], right: NDArray[np.bool_], precision: float) -> float:
    """The lowest confidence from which on at least `precision` of the predictions were right; 1.0 when there
    is none.
    """
    order = np.argsort(-confidence)
    share_right = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share_right >= precision)
    return float(confidence[order[enough[-1]]]) if len(enough) else 1.0


def scores_of(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], filled: NDArray[np.bool_]
) -> Scores:
    """All figures of calibrated probabilities on held-out photos; `filled` are those past the threshold."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    top1 = float(right.mean())
    return Scores(
        n=len(labels),
        top1=top1,
        top1_margin=1.96 * math.sqrt(top1 * (1 - top1) / len(labels)),
        top3=top(probabilities, labels, 3),
        ece=expected_calibration_error(confidence, right),
        coverage=float(filled.mean()),
        precision=float(right[filled].mean()) if filled.any() else 1.0,
    )
