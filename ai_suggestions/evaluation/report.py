"""The page that shows how well a provider does: figures, charts, and the mistakes to look at."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import mark_safe

from ai_suggestions.evaluation.drawing import coverage_chart, reliability_chart
from ai_suggestions.evaluation.figures import Share, percentile
from ai_suggestions.evaluation.looking import Look
from ai_suggestions.evaluation.paper import Shown, interval, number, page, share, shown
from ai_suggestions.evaluation.scores import Scores, Verdict, colour_hit

MISTAKES = 24
# The design's targets; for an error, the most it may be.
_TARGETS = {"top1": 0.84, "top3": 0.96, "ece": 0.05, "coverage": 0.55, "acceptable": 0.85, "any_of_two": 0.93}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A provider on a folder. ``notes`` are warnings in words; ``left_out`` counts photos by reason."""

    provider: str
    folder: str
    looks: Sequence[Look]
    scores: Scores
    notes: Sequence[str]
    left_out: Mapping[str, int]
    made_at: dt.datetime


def evaluation_page(found: Evaluation, *, photos: bool = True) -> str:
    """The whole report in one file. Without ``photos`` no pixel of the folder is in it. Raises OSError."""
    scores = found.scores
    versions = {f"{step.name} {step.version}" for look in found.looks for step in look.steps if step.version}
    return page(
        "evaluation.html",
        {
            "provider": found.provider,
            "folder": found.folder,
            "made_on": f"{found.made_at:%d %B %Y, %H:%M} UTC",
            "versions": ", ".join(sorted(versions)),
            "notes": found.notes,
            "scores": scores,
            "figures": _figures(scores),
            # The charts are markup that ElementTree made.
            "reliability": mark_safe(reliability_chart(scores.bins)) if scores.bins else "",  # noqa: S308
            "coverage": mark_safe(coverage_chart(scores.curve, scores.coverage_at_95))  # noqa: S308
            if scores.curve
            else "",
            "colour_reliability": mark_safe(reliability_chart(scores.colour_bins))  # noqa: S308
            if scores.colour_bins
            else "",
            "matrix": _matrix(scores.verdicts),
            "kinds": _kinds(scores.verdicts),
            "mistakes": _mistakes(scores.verdicts, photos=photos),
            "colour_mistakes": _colour_mistakes(found.looks, photos=photos),
            "sizes": _sizes(found.looks, photos=photos),
            "steps": _steps(found.looks),
            "left_out": sorted(found.left_out.items()),
        },
    )


def _row(
    name: str, value: float | None, of: Share | None, *, target: float | None = None, at_most: bool = False
) -> dict[str, Any]:
    met = ""
    if value is not None and target is not None:
        met = "met" if (value <= target if at_most else value >= target) else "missed"
    return {
        "name": name,
        "value": number(value),
        "interval": interval(of.interval) if of is not None else "",
        "of": of.n if of is not None and of.n else "",
        "target": "" if target is None else f"{'≤' if at_most else '≥'} {target:.2f}",
        "met": met,
    }


def _figures(scores: Scores) -> list[dict[str, Any]]:
    labelled = len(scores.verdicts)
    covered = None
    if scores.coverage_at_95 is not None:
        covered = Share(round(scores.coverage_at_95 * labelled), labelled)
    rows = [
        _row("Category: the first kind is right", scores.top1.value, scores.top1, target=_TARGETS["top1"]),
        _row("Category: right among three", scores.top3.value, scores.top3, target=_TARGETS["top3"]),
        _row("Category: calibration error", scores.ece, None, target=_TARGETS["ece"], at_most=True),
        _row(
            "Category: may be filled in, 95 % of it right",
            scores.coverage_at_95,
            covered,
            target=_TARGETS["coverage"],
        ),
        _row(
            "Colour: the first one is accepted",
            scores.colour_acceptable.value,
            scores.colour_acceptable,
            target=_TARGETS["acceptable"],
        ),
        _row(
            "Colour: one of the first two is accepted",
            scores.colour_any_of_two.value,
            scores.colour_any_of_two,
            target=_TARGETS["any_of_two"],
        ),
    ]
    counts = [
        ("Photos with a size on offer", scores.false_sizes, "0"),
        ("Photos without an answer", scores.unanswered, ""),
        ("First category on offer is not of the kind that was recognised", scores.offered_otherwise, ""),
    ]
    rows += [
        {
            "name": name,
            "value": count,
            "interval": "",
            "of": scores.n,
            "target": target,
            "met": "" if not target else "met" if not count else "missed",
        }
        for name, count, target in counts
    ]
    for name, value in (("p50", scores.p50_ms), ("p95", scores.p95_ms)):
        rows.append({"name": f"Milliseconds a photo, {name}", "value": number(value, 0), "of": scores.n})
    return rows


def _matrix(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    counts = Counter((verdict.label, verdict.told) for verdict in verdicts)
    sizes = Counter(verdict.label for verdict in verdicts)
    labels = [label for label, _ in sorted(sizes.items(), key=lambda entry: (-entry[1], entry[0]))]
    told = labels + sorted({verdict.told for verdict in verdicts} - set(labels))
    return {
        "told": told,
        "rows": [
            {
                "kind": label,
                "n": sizes[label],
                "cells": [
                    {
                        "count": counts[label, kind] or "",
                        "shade": _shade(counts[label, kind] / sizes[label], right=label == kind),
                    }
                    for kind in told
                ],
            }
            for label in labels
        ],
    }


def _shade(part: float, *, right: bool) -> str:
    red, green, blue = (120, 178, 224) if right else (238, 140, 92)
    strength = part**0.6  # so that a few of many can still be seen
    return "#" + "".join(f"{round(255 + (value - 255) * strength):02x}" for value in (red, green, blue))


def _kinds(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    rows = []
    for kind, n in sorted(
        Counter(verdict.label for verdict in verdicts).items(), key=lambda e: (-e[1], e[0])
    ):
        found = Share(sum(v.first for v in verdicts if v.label == kind), n)
        told = Share(found.hits, sum(v.told == kind for v in verdicts))
        rows.append(
            {
                "kind": kind,
                "n": n,
                "recall": share(found),
                "interval": interval(found.interval),
                "told": told.n,
                "precision": share(told),
            }
        )
    return rows


def _mistakes(verdicts: Sequence[Verdict], *, photos: bool) -> list[Shown]:
    wrong = [verdict for verdict in verdicts if not verdict.first]
    wrong.sort(key=lambda verdict: (-(verdict.confidence or 0.0), verdict.look.photo.file))
    return [
        shown(verdict.look.photo.path, verdict.look.photo.file, _mistake(verdict), photos=photos)
        for verdict in wrong[:MISTAKES]
    ]


def _mistake(verdict: Verdict) -> list[str]:
    """What was labelled, and what was told instead."""
    first, *others = verdict.look.kinds.ranked or ("nothing",)
    sure = "" if verdict.confidence is None else f", {verdict.confidence:.2f}"
    lines = [f"labelled {verdict.label}", f"told {first}{sure}"]
    return [*lines, f"then {', '.join(others[:2])}"] if others else lines


def _colour_mistakes(looks: Sequence[Look], *, photos: bool) -> list[Shown]:
    wrong = [look for look in looks if look.photo.colours and not colour_hit(look, 1)]
    # Neither of two right is worse than the second one right.
    wrong.sort(key=lambda look: (colour_hit(look, 2), look.photo.file))
    return [
        shown(
            look.photo.path,
            look.photo.file,
            [
                f"accepted: {', '.join(sorted(look.photo.colours))}",
                f"told: {', '.join(look.colours[:2]) or 'nothing'}",
            ],
            photos=photos,
        )
        for look in wrong[:MISTAKES]
    ]


def _sizes(looks: Sequence[Look], *, photos: bool) -> list[Shown]:
    return [
        shown(
            look.photo.path,
            look.photo.file,
            [f"offered: {', '.join(look.sizes)}", *(f"read: {words}" for words in look.size_words)],
            photos=photos,
        )
        for look in looks
        if look.sizes
    ][:MISTAKES]


def _steps(looks: Sequence[Look]) -> list[dict[str, Any]]:
    by_step: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for look in looks:
        for step in look.steps:
            key = (step.name, step.version)
            by_step.setdefault(key, []).append((step.elapsed_ms, step.error_code is not None))
    order = {name: place for place, (name, _) in reversed(list(enumerate(by_step)))}
    return [
        {
            "name": name,
            "version": version,
            "p50": number(percentile([ms for ms, _ in taken], 50), 0),
            "p95": number(percentile([ms for ms, _ in taken], 95), 0),
            "broke": sum(broke for _, broke in taken),
        }
        for (name, version), taken in sorted(by_step.items(), key=lambda entry: order[entry[0][0]])
    ]
