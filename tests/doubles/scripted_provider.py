"""A provider without models: it says what a test wrote down, breaks where the test wants it to, and keeps the
contract that every provider keeps (tests/contracts/test_providers.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ai_suggestions.contract import (
    Alternative,
    Evidence,
    Field,
    Proposal,
    Source,
    StepPlan,
    StepReport,
    SuggestionRequest,
    choice,
    proposed,
)
from ai_suggestions.pipeline import Step, StepFailed, Taken, reports_of

VERSION = "script-1"


@dataclass(frozen=True)
class Scripted:
    """One step: what it proposes, or how it ends otherwise. `before` runs first, for races."""

    name: str
    proposals: tuple[Proposal, ...] = ()
    fails_with: str | None = None
    crashes: bool = False
    hangs_for_s: float = 0.0
    timeout_s: float = 5.0
    before: Callable[[], None] | None = None


@dataclass
class ScriptedProvider:
    """Follows a script; `seen` are the requests it was given."""

    script: tuple[Scripted, ...]
    name: str = "scripted"
    crashes: bool = False
    seen: list[SuggestionRequest] = field(default_factory=list)

    def warm_up(self) -> None:
        """Nothing to load."""

    def plan(self, request: SuggestionRequest) -> tuple[StepPlan, ...]:
        return tuple(step.plan() for step in self._steps())

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        self.seen.append(request)
        if self.crashes:
            raise RuntimeError("a provider that breaks its contract")
        return reports_of(self._steps(), request, accept=lambda _board, _proposal: None)

    def _steps(self) -> tuple[Step[SuggestionRequest], ...]:
        return tuple(
            Step(
                name=line.name,
                version=VERSION,
                timeout_s=line.timeout_s,
                fields=tuple(proposal.field for proposal in line.proposals),
                take=_taking(line),
            )
            for line in self.script
        )


def _beside_the_sellers_words(proposal: Proposal, request: SuggestionRequest) -> Proposal:
    written = {Field.TITLE: request.facts.title, Field.DESCRIPTION: request.facts.description}
    if not written.get(proposal.field) or proposal.value is None:
        return proposal
    return choice(proposal.field, [Alternative(proposal.value)], note="already_written", evidence=SEEN)


def _taking(line: Scripted) -> Callable[[SuggestionRequest], Taken]:
    def take(request: SuggestionRequest) -> Taken:
        if line.before is not None:
            line.before()
        if line.hangs_for_s:
            time.sleep(line.hangs_for_s)
        if line.fails_with is not None:
            raise StepFailed(line.fails_with)
        if line.crashes:
            raise ZeroDivisionError("a step that breaks")
        return Taken(tuple(_beside_the_sellers_words(said, request) for said in line.proposals))

    return take


SEEN = (Evidence(Source.PHOTO, note="seen"),)

CATEGORY = Scripted(
    "category",
    (
        choice(
            Field.CATEGORY,
            [Alternative("women-t-shirts"), Alternative("men-t-shirts")],
            confidence=0.9,
            note="department_unknown",
            evidence=SEEN,
        ),
        proposed(Field.PARCEL_SIZE, "small", 0.9, evidence=SEEN),
    ),
)
COLOURS = Scripted(
    "colour",
    (proposed(Field.COLOURS, ["navy"], 0.8, evidence=SEEN, alternatives=[Alternative(["black"], 0.1)]),),
)
TEXTS = Scripted(
    "text",
    (
        proposed(Field.TITLE, "T-shirt, navy", 0.8, evidence=SEEN),
        proposed(Field.DESCRIPTION, "T-shirt.\nColour: navy.", 0.8, evidence=SEEN),
    ),
)
PRICE = Scripted(
    "price",
    (
        proposed(
            Field.PRICE,
            {"amount": 700, "currency": "EUR"},
            0.6,
            evidence=SEEN,
            alternatives=[Alternative({"amount": 450, "currency": "EUR"}, label="low")],
        ),
    ),
)
WHOLE = (CATEGORY, COLOURS, PRICE, TEXTS)
