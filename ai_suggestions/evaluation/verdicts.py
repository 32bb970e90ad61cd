"""Whether what was offered is what the seller wanted, as far as the seller's decision tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ai_suggestions.contract import Field, Json, Standing
from ai_suggestions.models import Decision, FieldSuggestion
from ai_suggestions.routing_tables import ShadowField

COMPARED = (
    Field.CATEGORY,
    Field.BRAND,
    Field.COLOURS,
    Field.SIZE,
    Field.CONDITION,
    Field.MATERIALS,
    Field.PARCEL_SIZE,
)
"""Fields with one right value. Two good titles differ, and a price is a matter of taste."""


def first_choice(state: str, value: Json, alternatives: Sequence[Mapping[str, Any]]) -> Json:
    """What was filled in, or offered first; None: nothing was."""
    if state == Standing.PROPOSED:
        return value
    return alternatives[0]["value"] if alternatives else None


def verdict_on_live(live: FieldSuggestion) -> bool | None:
    """Of what the seller was shown; None: not decided."""
    if live.decision == Decision.NONE:
        return None
    if live.decision == Decision.REJECTED:
        return False
    first = first_choice(live.state, live.value, live.alternatives)
    return _is_right(first, live, live.note, live.alternatives)


def verdict_on_shadow(said: ShadowField, live: FieldSuggestion) -> bool | None:
    """Of what the seller never saw, by what the seller decided on the other suggestion.

    None: not decided, or the seller rejected another value and named none.
    """
    if live.decision == Decision.NONE:
        return None
    first = first_choice(said.state, said.value, said.alternatives)
    if live.decision == Decision.REJECTED:
        rejected = first_choice(live.state, live.value, live.alternatives)
        return False if first is not None and first == rejected else None
    return _is_right(first, live, said.note, said.alternatives)


def _is_right(
    first: Json, live: FieldSuggestion, note: str, alternatives: Sequence[Mapping[str, Any]]
) -> bool:
    if note == "department_unknown":
        # One category for each department: the kind is what was claimed.
        return any(alternative["value"] == live.decided_value for alternative in alternatives)
    return bool(first == live.decided_value)


def judge_shadow(shadow_id: str) -> int:
    """Hold what a shadow said against the decisions there are. Returns how many fields; safe to repeat."""
    said = {row.field: row for row in ShadowField.objects.filter(shadow_id=shadow_id, field__in=COMPARED)}
    if not said:
        return 0
    lives = FieldSuggestion.objects.filter(run__shadow_run=shadow_id, field__in=list(said))
    for live in lives:
        ShadowField.objects.filter(id=said[live.field].id).update(
            is_right=verdict_on_shadow(said[live.field], live),
            live_is_right=verdict_on_live(live),
            live_version=live.step_version,
        )
    return len(lives)
