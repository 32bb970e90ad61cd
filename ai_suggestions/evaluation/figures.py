"""The arithmetic of an evaluation: shares with their intervals, calibration, coverage, percentiles, pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15  # of equal width, as usual for the expected calibration error (Guo et al., arXiv 1706.04599)
_Z95 = 1.959963984540054  # two-sided 95 % of the normal distribution


@dataclass(frozen=True, slots=True)
class Share:
    """``hits`` of ``n``; the interval is Wilson's at 95 % (Wilson 1927), which holds near 0 and 1 too."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """Between 0 and 1; None of nothing."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper end; None of nothing."""
        if not self.n:
            return None
        share, z2 = self.hits / self.n, _Z95**2
        middle = (share + z2 / (2 * self.n)) / (1 + z2 / self.n)
        half = _Z95 / (1 + z2 / self.n) * math.sqrt(share * (1 - share) / self.n + z2 / (4 * self.n**2))
        return max(0.0, middle - half), min(1.0, middle + half)


def share_of(flags: Sequence[bool]) -> Share:
    """How many of them are true."""
    return Share(sum(flags), len(flags))


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions whose confidence lies in [low, high): how sure they were and how many were right."""

    low: float
    high: float
    right: Share
    confidence: float  # mean


def calibration_bins(confidence: Sequence[float], right: Sequence[bool], count: int = BINS) -> list[Bin]:
    """The bins that hold something, from low to high. A confidence of 1 belongs to the last one."""
    sure, hit = np.asarray(confidence, dtype=float), np.asarray(right, dtype=bool)
    which = np.minimum((sure * count).astype(int), count - 1)
    return [
        Bin(
            low=index / count,
            high=(index + 1) / count,
            right=Share(int(hit[which == index].sum()), int((which == index).sum())),
            confidence=float(sure[which == index].mean()),
        )
        for index in sorted(set(which.tolist()))
    ]


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error: mean distance of confidence and share right; None without a prediction."""
    total = sum(entry.right.n for entry in bins)
    if not total:
        return None
    return sum(abs(entry.right.hits - entry.confidence * entry.right.n) for entry in bins) / total


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """If everything from ``threshold`` up were filled in: how much that is, and how much of it is right."""

    threshold: float
    coverage: float
    precision: float


def precision_curve(confidence: Sequence[float], right: Sequence[bool], of: int) -> list[CurvePoint]:
    """One point for each confidence that occurs, the highest first; coverage is a share of ``of`` photos."""
    points: list[CurvePoint] = []
    hits = 0
    order = sorted(range(len(confidence)), key=lambda index: -confidence[index])
    for taken, index in enumerate(order, start=1):
        hits += right[index]
        # Equal confidences are filled in together or not at all.
        if taken == len(order) or confidence[order[taken]] < confidence[index]:
            points.append(CurvePoint(confidence[index], taken / of, hits / taken))
    return points


def coverage_at(points: Sequence[CurvePoint], precision: float) -> float:
    """The largest coverage with at least that precision, 0 if there is none.

    The threshold is chosen on the photos that it is judged by, so new photos may fall a little short of it.
    """
    return max((point.coverage for point in points if point.precision >= precision), default=0.0)


def percentile(values: Sequence[float], percent: float) -> float | None:
    """With linear interpolation; None of nothing."""
    return float(np.percentile(np.asarray(values), percent)) if len(values) else None


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Two-sided p of McNemar's exact test: how likely such an unequal split is if both are equally good.

    ``only_first`` and ``only_second`` are the photos that only one of the two got right (McNemar 1947).
    """
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, float(2 * tail / 2**n))


def bootstrap_interval(
    differences: Sequence[float], groups: Sequence[str], *, rounds: int = 4000, seed: int = 1
) -> tuple[float, float] | None:
    """95 % percentile interval of the mean difference when whole groups are drawn with replacement.

    Groups are senders: photos of one person resemble each other, so they are no independent trials. None
    with fewer than two groups.
    """
    names, which = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < 2:
        return None
    sums = np.bincount(which, weights=np.asarray(differences, dtype=float))
    sizes = np.bincount(which).astype(float)
    chance = np.random.default_rng(seed)
    drawn: NDArray[np.float64] = chance.multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=rounds
    ).astype(float)
    means = (drawn @ sums) / (drawn @ sizes)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
