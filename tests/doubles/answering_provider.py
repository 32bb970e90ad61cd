"""A provider that knows the answer for each photo: figures about it can be counted by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ai_suggestions.contract import Json, Proposal, StepPlan, StepReport, SuggestionRequest
from ai_suggestions.pipeline import Step, StepFailed, Taken, reports_of

VERSION = "answers-1"
STEP = "answer"


@dataclass
class AnsweringProvider:
    """`answers` are proposals by the SHA-256 of the photo; a photo without an entry breaks the step.

    `seen` are rankings of kinds that it keeps as readings, by the same key.
    """

    answers: Mapping[str, Sequence[Proposal]]
    seen: Mapping[str, Sequence[tuple[str, float]]] = field(default_factory=dict)
    name: str = "answering"
    crash: bool = False
    warmed_up: int = 0

    def warm_up(self) -> None:
        self.warmed_up += 1

    def plan(self, request: SuggestionRequest) -> tuple[StepPlan, ...]:
        return (self._step().plan(),)

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        if self.crash:
            raise RuntimeError("a provider that breaks its contract")
        return reports_of([self._step()], request, accept=lambda _board, _proposal: None)

    def _step(self) -> Step[SuggestionRequest]:
        return Step(STEP, VERSION, 5.0, (), self._taking())

    def _taking(self) -> Callable[[SuggestionRequest], Taken]:
        def take(request: SuggestionRequest) -> Taken:
            sha256 = request.photos[0].sha256
            if sha256 in self.seen:
                ranked: Json = [[kind, probability] for kind, probability in self.seen[sha256]]
                request.readings.keep(sha256=sha256, step=STEP, version=VERSION, reading={"ranked": ranked})
            if sha256 not in self.answers:
                raise StepFailed("no_answer_written_down")
            return Taken(tuple(self.answers[sha256]))

        return take
