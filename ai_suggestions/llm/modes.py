"""How an endpoint is asked for JSON. Compatible endpoints differ; the best mode that works is remembered."""

from __future__ import annotations

from enum import StrEnum

from ai_suggestions.llm.state import SharedState

# A server that was upgraded is asked for the better mode again after a day.
REMEMBER_S = 24 * 3600.0


class Mode(StrEnum):
    """From the strictest to the one that every endpoint understands."""

    JSON_SCHEMA = "json_schema"  # the endpoint holds the model to the schema
    JSON_OBJECT = "json_object"  # it holds it to JSON; the schema stands in the prompt
    TEXT = "text"  # it holds it to nothing; the first JSON object in the text is taken


LADDER = tuple(Mode)


def below(mode: Mode) -> Mode | None:
    """The next less strict mode, None below the last."""
    rank = LADDER.index(mode) + 1
    return LADDER[rank] if rank < len(LADDER) else None


class ModeMemory:
    """Which mode works for one endpoint and model (``name`` is their stable name)."""

    def __init__(self, state: SharedState, *, name: str) -> None:
        self._state = state
        self._key = f"llm:mode:{name}"

    def best(self) -> Mode:
        """The strictest mode that is not known to fail."""
        found = self._state.get(self._key)
        return Mode(found) if found in LADDER else Mode.JSON_SCHEMA

    def step_down(self, failed: Mode) -> Mode | None:
        """Remember that a mode does not work here; the next one to try, None when none is left."""
        lower = below(failed)
        # Another worker may have gone further down already.
        if lower is not None and LADDER.index(lower) > LADDER.index(self.best()):
            self._state.put(self._key, lower.value, life_s=REMEMBER_S)
        return lower
