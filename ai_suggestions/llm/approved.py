"""The figures that staff approved for what a model calls certain (docs/evaluation.md, "Certainty")."""

from __future__ import annotations

from ai_suggestions.contract import Field
from ai_suggestions.evaluation.tables import CalibrationFigure
from ai_suggestions.llm.answer import Certainty
from ai_suggestions.llm.proposals import Calibration

PROVIDER = "llm"
_MOST_FIGURES = 100


def approved_calibration(version: str) -> Calibration:
    """Of this version of the LLM step (prompt and model); empty when nothing was approved."""
    figures: dict[Field, dict[Certainty, float]] = {}
    rows = CalibrationFigure.objects.filter(
        provider=PROVIDER, step_version=version, is_approved=True
    ).values_list("field", "certainty", "probability")
    for field, certainty, probability in rows[:_MOST_FIGURES]:
        figures.setdefault(Field(field), {})[Certainty(certainty)] = probability
    return figures
