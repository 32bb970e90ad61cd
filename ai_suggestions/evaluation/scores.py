"""The figures of an evaluation, the same ones for every provider; docs/evaluation.md says what each means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ai_suggestions.contract import Field
from ai_suggestions.evaluation.figures import (
    Bin,
    CurvePoint,
    Share,
    calibration_bins,
    calibration_error,
    coverage_at,
    percentile,
    precision_curve,
    share_of,
)
from ai_suggestions.evaluation.labelled import NONE_OF_THESE
from ai_suggestions.evaluation.looking import Look

PRECISION = 0.95  # of what may be filled in without asking (design target)
NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A photo whose kind is labelled, and whether the provider got it.

    ``told`` is the first kind in the terms of the labels: a kind that no label could have named is ``other``.
    """

    look: Look
    label: str
    told: str
    first: bool
    among_three: bool

    @property
    def confidence(self) -> float | None:
        """Of the first kind."""
        return self.look.kinds.confidence


@dataclass(frozen=True, slots=True)
class Scores:
    """Everything that is measured; a part that no label speaks of is None or empty."""

    n: int
    verdicts: tuple[Verdict, ...]
    top1: Share
    top3: Share
    bins: tuple[Bin, ...]
    ece: float | None
    curve: tuple[CurvePoint, ...]
    coverage_at_95: float | None
    colour_acceptable: Share
    colour_any_of_two: Share
    colour_bins: tuple[Bin, ...]
    false_sizes: int
    unanswered: int
    offered_otherwise: int  # photos whose first category on offer is of another kind than was recognised
    p50_ms: float | None
    p95_ms: float | None

    def as_json(self) -> dict[str, Any]:
        """The object that the command prints."""
        return {
            "n": self.n,
            "category": {
                "top1": _rounded(self.top1.value),
                "top3": _rounded(self.top3.value),
                "ece": _rounded(self.ece),
                "coverage_at_95": _rounded(self.coverage_at_95),
            },
            "colour": {
                "acceptable": _rounded(self.colour_acceptable.value),
                "any_of_two": _rounded(self.colour_any_of_two.value),
            },
            "false_sizes": self.false_sizes,
            "ms_per_photo": {"p50": _rounded(self.p50_ms, 1), "p95": _rounded(self.p95_ms, 1)},
        }


def scores_of(looks: Sequence[Look], *, named_kinds: frozenset[str]) -> Scores:
    """The figures of these looks. ``named_kinds``: what a label could have named (``LabelledFolder``)."""
    verdicts = [verdict_on(look, named_kinds) for look in looks if look.photo.kind is not None]
    sure = [(v.confidence, v.first) for v in verdicts if v.confidence is not None]
    bins = calibration_bins([confidence for confidence, _ in sure], [right for _, right in sure])
    # Where nothing is recognised there is nothing to fill in, however sure of that it is.
    fillable = [
        (v.confidence, v.first) for v in verdicts if v.confidence is not None and v.told != NONE_OF_THESE
    ]
    curve = precision_curve([c for c, _ in fillable], [r for _, r in fillable], of=max(1, len(verdicts)))
    coloured = [look for look in looks if look.photo.colours]
    claimed = [
        (claim.confidence, colour_hit(look, 1))
        for look in coloured
        if (claim := look.claims.get(Field.COLOURS)) is not None and claim.confidence is not None
    ]
    times = [look.elapsed_ms for look in looks]
    return Scores(
        n=len(looks),
        verdicts=tuple(verdicts),
        top1=share_of([v.first for v in verdicts]),
        top3=share_of([v.among_three for v in verdicts]),
        bins=tuple(bins),
        ece=calibration_error(bins),
        curve=tuple(curve),
        coverage_at_95=coverage_at(curve, PRECISION) if sure else None,
        colour_acceptable=share_of([colour_hit(look, 1) for look in coloured]),
        colour_any_of_two=share_of([colour_hit(look, 2) for look in coloured]),
        colour_bins=tuple(calibration_bins([sure for sure, _ in claimed], [right for _, right in claimed])),
        false_sizes=sum(bool(look.sizes) for look in looks),
        unanswered=sum(not look.answered for look in looks),
        offered_otherwise=sum(_offered_otherwise(look) for look in looks),
        p50_ms=percentile(times, 50),
        p95_ms=percentile(times, 95),
    )


def verdict_on(look: Look, named_kinds: frozenset[str]) -> Verdict:
    """Whether the provider got the kind. Raises ValueError for a photo that nobody labelled."""
    label = look.photo.kind
    if label is None:
        raise ValueError(f"{look.photo.file} has no label")
    told = [kind if kind in named_kinds else NONE_OF_THESE for kind in look.kinds.ranked]
    return Verdict(
        look=look,
        label=label,
        told=told[0] if told else NO_ANSWER,
        first=told[:1] == [label],
        among_three=label in told[:3],
    )


def colour_hit(look: Look, count: int) -> bool:
    """Whether one of the first ``count`` colours is one that the annotator accepts."""
    return any(colour in look.photo.colours for colour in look.colours[:count])


def _offered_otherwise(look: Look) -> bool:
    kinds = look.kinds
    return bool(kinds.offered_first and kinds.ranked and kinds.offered_first != kinds.ranked[0])


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)
