"""Two providers on the same photos, photo by photo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import mark_safe

from ai_suggestions.evaluation.drawing import interval_chart
from ai_suggestions.evaluation.evaluating import Evaluated
from ai_suggestions.evaluation.figures import bootstrap_interval, mcnemar_exact
from ai_suggestions.evaluation.looking import Look
from ai_suggestions.evaluation.paper import NONE, Shown, interval, number, page, shown
from ai_suggestions.evaluation.scores import colour_hit, verdict_on

SHOWN = 24
Judge = Callable[[Look], bool]


@dataclass(frozen=True, slots=True)
class Pairing:
    """One figure of both, and how they differ. ``interval`` holds the difference second minus first.

    ``only_first`` and ``only_second`` are how many photos only that one got right; ``p`` is McNemar's.
    Figures are None where no photo is labelled.
    """

    name: str
    n: int
    first: float | None
    second: float | None
    interval: tuple[float, float] | None
    only_first: int
    only_second: int
    p: float | None

    @property
    def difference(self) -> float | None:
        """Second minus first."""
        return None if self.first is None or self.second is None else self.second - self.first

    def as_json(self) -> dict[str, Any]:
        """Shares with four digits, p with four significant ones."""
        low, high = self.interval or (None, None)
        return {
            "n": self.n,
            "first": _rounded(self.first),
            "second": _rounded(self.second),
            "difference": _rounded(self.difference),
            "low": _rounded(low),
            "high": _rounded(high),
            "only_first": self.only_first,
            "only_second": self.only_second,
            "p": None if self.p is None else float(f"{self.p:.4g}"),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both providers' own figures, and the pairings by figure (``category.top1``, …)."""

    first: Evaluated
    second: Evaluated
    pairs: tuple[tuple[Look, Look], ...]
    named_kinds: frozenset[str]
    pairings: tuple[Pairing, ...]

    def as_json(self) -> dict[str, Any]:
        """The object that the command prints."""
        nested: dict[str, dict[str, Any]] = {}
        for pairing in self.pairings:
            group, _, name = pairing.name.partition(".")
            nested.setdefault(group, {})[name] = pairing.as_json()
        return {
            "n": len(self.pairs),
            "first": {"provider": self.first.provider, **self.first.scores.as_json()},
            "second": {"provider": self.second.provider, **self.second.scores.as_json()},
            **nested,
        }


def compared(first: Evaluated, second: Evaluated, *, named_kinds: frozenset[str]) -> Comparison:
    """Pairs the looks at the same photos; both have seen the same folder."""
    seen = {look.photo.file: look for look in second.looks}
    pairs = tuple((look, seen[look.photo.file]) for look in first.looks if look.photo.file in seen)
    labelled = [pair for pair in pairs if pair[0].photo.kind is not None]
    coloured = [pair for pair in pairs if pair[0].photo.colours]
    return Comparison(
        first=first,
        second=second,
        pairs=pairs,
        named_kinds=named_kinds,
        pairings=(
            _pairing("category.top1", labelled, lambda look: verdict_on(look, named_kinds).first),
            _pairing("category.top3", labelled, lambda look: verdict_on(look, named_kinds).among_three),
            _pairing("colour.acceptable", coloured, lambda look: colour_hit(look, 1)),
            _pairing("colour.any_of_two", coloured, lambda look: colour_hit(look, 2)),
        ),
    )


def _pairing(name: str, pairs: Sequence[tuple[Look, Look]], right: Judge) -> Pairing:
    if not pairs:
        return Pairing(name, 0, None, None, None, 0, 0, None)
    hits = [(right(first), right(second)) for first, second in pairs]
    only_first = sum(one and not other for one, other in hits)
    only_second = sum(other and not one for one, other in hits)
    return Pairing(
        name=name,
        n=len(hits),
        first=sum(one for one, _ in hits) / len(hits),
        second=sum(other for _, other in hits) / len(hits),
        interval=bootstrap_interval(
            [float(other) - float(one) for one, other in hits], [first.photo.sender_id for first, _ in pairs]
        ),
        only_first=only_first,
        only_second=only_second,
        p=mcnemar_exact(only_first, only_second),
    )


def comparison_page(found: Comparison, *, folder: str, made_at: dt.datetime, photos: bool = True) -> str:
    """The comparison as one HTML file. Without ``photos`` no pixel of the folder is in it. Raises OSError."""
    drawn = [(p.name, p.difference, p.interval) for p in found.pairings if p.difference is not None]
    notes = [f"{one.provider}: {note}" for one in (found.first, found.second) for note in one.notes]
    return page(
        "comparison.html",
        {
            "first": found.first.provider,
            "second": found.second.provider,
            "folder": folder,
            "n": len(found.pairs),
            "made_on": f"{made_at:%d %B %Y, %H:%M} UTC",
            "notes": notes,
            "rows": [_row(pairing) for pairing in found.pairings],
            # The chart is markup that ElementTree made.
            "chart": mark_safe(interval_chart(drawn)) if drawn else "",  # noqa: S308
            "others": _others(found),
            "only_first": _only_one_right(found, 0, photos=photos),
            "only_second": _only_one_right(found, 1, photos=photos),
        },
    )


def _row(pairing: Pairing) -> dict[str, Any]:
    return {
        "name": pairing.name,
        "first": number(pairing.first),
        "second": number(pairing.second),
        "difference": NONE if pairing.difference is None else f"{pairing.difference:+.3f}",
        "interval": interval(pairing.interval, signed=True),
        "only_first": pairing.only_first,
        "only_second": pairing.only_second,
        "p": NONE if pairing.p is None else f"{pairing.p:.2g}",
    }


def _others(found: Comparison) -> list[dict[str, Any]]:
    """What has no pairs: figures of the whole, and times."""
    one, other = found.first.scores, found.second.scores
    rows: list[tuple[str, float | None, float | None, int]] = [
        ("calibration error", one.ece, other.ece, 3),
        ("may be filled in, 95 % of it right", one.coverage_at_95, other.coverage_at_95, 3),
        ("photos with a size on offer", one.false_sizes, other.false_sizes, 0),
        ("photos without an answer", one.unanswered, other.unanswered, 0),
        ("milliseconds a photo, p50", one.p50_ms, other.p50_ms, 0),
        ("milliseconds a photo, p95", one.p95_ms, other.p95_ms, 0),
    ]
    return [
        {"name": name, "first": number(first, digits), "second": number(second, digits)}
        for name, first, second, digits in rows
    ]


def _only_one_right(found: Comparison, which: int, *, photos: bool) -> list[Shown]:
    cards = []
    for pair in found.pairs:
        if pair[0].photo.kind is None:
            continue
        verdicts = [verdict_on(look, found.named_kinds) for look in pair]
        if verdicts[which].first and not verdicts[1 - which].first:
            told = verdicts[1 - which].look.kinds.ranked
            lines = [f"labelled {verdicts[which].label}", f"the other told {told[0] if told else 'nothing'}"]
            cards.append((pair[0].photo, lines))
    return [shown(photo.path, photo.file, lines, photos=photos) for photo, lines in cards[:SHOWN]]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
