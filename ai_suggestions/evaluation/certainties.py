"""What a model's words for its certainty are worth: how often it was right when it used them.

Judged by sellers' decisions, on what they were shown and on what shadows said, or by a labelled folder.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ai_suggestions.contract import Field
from ai_suggestions.evaluation.figures import Share
from ai_suggestions.evaluation.looking import Look
from ai_suggestions.evaluation.scores import colour_hit, verdict_on
from ai_suggestions.evaluation.tables import CalibrationFigure
from ai_suggestions.evaluation.verdicts import verdict_on_live
from ai_suggestions.llm.approved import PROVIDER
from ai_suggestions.models import Decision, FieldSuggestion
from ai_suggestions.routing_tables import ShadowField

CALIBRATED = (Field.CATEGORY, Field.BRAND, Field.COLOURS, Field.SIZE, Field.MATERIALS)
"""Fields that an LLM may fill in once its certainty about them was measured."""

MIN_SAMPLES = 100
"""With fewer, Wilson's interval of a share of .95 is wider than ten points."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One use of a word for certainty, and whether it was right."""

    step_version: str
    field: str
    certainty: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a word is worth for a field, under one version (prompt and model)."""

    step_version: str
    field: str
    certainty: str
    right: Share


def judged_by_sellers(*, since: dt.datetime, until: dt.datetime) -> Iterator[Judged]:
    """Suggestions decided in [since, until), and fields of shadows whose run was asked for then."""
    fields = [field.value for field in CALIBRATED]
    shown = (
        FieldSuggestion.objects.filter(decided_at__gte=since, decided_at__lt=until, field__in=fields)
        .exclude(certainty="")
        .exclude(decision=Decision.NONE.value)
        .order_by("id")
    )
    for live in shown.iterator(chunk_size=1000):
        verdict = verdict_on_live(live)
        if verdict is not None:
            yield Judged(live.step_version, live.field, live.certainty, verdict)
    unseen = (
        ShadowField.objects.filter(
            shadow__run__requested_at__gte=since, shadow__run__requested_at__lt=until, field__in=fields
        )
        .exclude(certainty="")
        .exclude(is_right=None)
        .order_by("id")
        .values_list("step_version", "field", "certainty", "is_right")
    )
    for version, field, certainty, is_right in unseen.iterator(chunk_size=1000):
        yield Judged(version, field, certainty, bool(is_right))


def judged_by_labels(looks: Sequence[Look], *, named_kinds: frozenset[str]) -> Iterator[Judged]:
    """Categories by their kind, and colours; a folder labels nothing else."""
    for look in looks:
        verdicts: dict[Field, bool] = {}
        if look.photo.kind is not None:
            verdicts[Field.CATEGORY] = verdict_on(look, named_kinds).first
        if look.photo.colours:
            verdicts[Field.COLOURS] = colour_hit(look, 1)
        for field, is_right in verdicts.items():
            claim = look.claims.get(field)
            if claim is not None and claim.certainty is not None:
                yield Judged(claim.step_version, field.value, claim.certainty, is_right)


def fitted(judged: Iterable[Judged], *, at_least: int) -> tuple[list[Fitted], list[Fitted]]:
    """What was judged often enough to be believed, and what was not."""
    hits: Counter[tuple[str, str, str]] = Counter()
    counts: Counter[tuple[str, str, str]] = Counter()
    for one in judged:
        key = (one.step_version, one.field, one.certainty)
        counts[key] += 1
        hits[key] += one.is_right
    found = [Fitted(*key, Share(hits[key], n)) for key, n in sorted(counts.items())]
    return [one for one in found if one.right.n >= at_least], [one for one in found if one.right.n < at_least]


def keep_figures(found: Sequence[Fitted], *, source: str, now: dt.datetime) -> None:
    """Write figures for staff to approve; nothing counts before that."""
    rows = []
    for one in found:
        prompt, _, model = one.step_version.partition(":")
        lower, _ = one.right.interval or (0.0, 1.0)
        probability = one.right.value or 0.0
        rows.append(
            CalibrationFigure(
                provider=PROVIDER,
                step_version=one.step_version,
                prompt_version=prompt,
                model=model,
                field=one.field,
                certainty=one.certainty,
                hits=one.right.hits,
                n=one.right.n,
                probability=probability,
                at_least=min(lower, probability),
                source=source[:200],
                measured_at=now,
            )
        )
    CalibrationFigure.objects.bulk_create(rows)
