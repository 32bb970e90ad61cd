"""The first steps of every run, whoever answers it: which photos must not be looked at any further, and which
the seller has shown before.

A photo that a moderator has to see first is neither described nor sent to an LLM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeAlias

from ai_suggestions.contract import (
    FindingCode,
    Outcome,
    PhotoFinding,
    PhotoInput,
    Provider,
    StepPlan,
    StepReport,
    SuggestionRequest,
    abstained,
)
from ai_suggestions.pipeline import Step, StepFailed, Taken, reports_of

NEEDS_REVIEW = "photo_needs_review"
"""The note of every field of a run without a photo that may be looked at."""
NOT_CHECKED = "photo_not_checked"
"""The same when the safety step broke."""

DUPLICATES_VERSION = "duplicates-1"
# Per photo, on one core: 40 ms were measured for each step; the rest is room for a busy machine.
SECONDS_PER_PHOTO = 1.0
SECONDS_AT_LEAST = 5.0

Score: TypeAlias = Callable[[SuggestionRequest, PhotoInput], tuple[float, bool]]
"""The score of a photo that can be decoded (0-1), and whether a person has to look. Raises OSError else."""


@dataclass
class _Board:
    request: SuggestionRequest
    # None until the safety step has ended well.
    safe: tuple[PhotoInput, ...] | None = None


class Screened:
    """A provider that is given safe photos only, behind two steps of its own."""

    def __init__(self, inner: Provider, *, score: Score, safety_version: str) -> None:
        self._inner = inner
        self._score = score
        self._safety_version = safety_version

    @property
    def name(self) -> str:
        """The provider's."""
        return self._inner.name

    def warm_up(self) -> None:
        """Warm up the provider."""
        self._inner.warm_up()

    def plan(self, request: SuggestionRequest) -> tuple[StepPlan, ...]:
        """Safety, duplicates where there are other photos to compare with, then the provider's steps."""
        return (*(step.plan() for step in self._steps(request)), *self._inner.plan(request))

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        """Without a safe photo the provider's steps abstain, and are not taken."""
        board = _Board(request)
        yield from reports_of(self._steps(request), board, accept=lambda _board, _proposal: None)
        if board.safe:
            yield from self._inner.run(replace(request, photos=board.safe))
        else:
            note = NOT_CHECKED if board.safe is None else NEEDS_REVIEW
            for step in self._inner.plan(request):
                nothing = tuple(abstained(field_, note=note) for field_ in step.fields)
                yield StepReport(step.name, step.version, Outcome.ABSTAINED, 0, proposals=nothing)

    def _steps(self, request: SuggestionRequest) -> tuple[Step[_Board], ...]:
        looking = SECONDS_AT_LEAST + SECONDS_PER_PHOTO * len(request.photos)
        steps = [Step("safety", self._safety_version, looking, (), self._look)]
        if request.index is not None:
            steps.append(Step("duplicates", DUPLICATES_VERSION, looking, (), _compare))
        return tuple(steps)

    def _look(self, board: _Board) -> Taken:
        safe: list[PhotoInput] = []
        findings: list[PhotoFinding] = []
        for photo in board.request.photos:
            try:
                unsafe, needs_review = self._score(board.request, photo)
            except FileNotFoundError as error:
                # Nobody can tell: better no suggestions than a photo sent away that should not be.
                raise StepFailed("safety_model_missing") from error
            except OSError:
                # No picture, so nothing to see; the provider has its own word for that.
                safe.append(photo)
                continue
            if needs_review:
                findings.append(PhotoFinding(photo.id, FindingCode.UNSAFE, unsafe))
            else:
                safe.append(photo)
        board.safe = tuple(safe)
        return Taken(said_something=True, findings=tuple(findings))


def _compare(board: _Board) -> Taken:
    found: list[PhotoFinding] = []
    if board.request.index is not None:
        for photo in board.safe or ():
            # One that cannot be decoded is like no other.
            with suppress(OSError):
                found += board.request.index.own_twins_of(photo)
    return Taken(findings=tuple(found))
