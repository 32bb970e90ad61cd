"""Take steps one after the other, and report each of them whatever becomes of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ai_suggestions.contract import (
    Field,
    Outcome,
    PhotoFinding,
    Proposal,
    Standing,
    StepPlan,
    StepReport,
)
from ai_suggestions.time_limit import TimeLimitReached, limited_to

logger = logging.getLogger(__name__)

B = TypeVar("B")


class StepFailed(Exception):
    """A step that knows why it cannot go on. ``code`` is stable and shown to staff."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step gives back."""

    proposals: tuple[Proposal, ...] = ()
    said_something: bool | None = None  # None: it did if it proposed or offered anything
    reused: int = 0
    notes: tuple[str, ...] = field(default=())
    findings: tuple[PhotoFinding, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Ok, or abstained when there was nothing to say."""
        said = self.said_something
        if said is None:
            said = bool(self.findings) or any(
                proposal.standing is not Standing.ABSTAINED for proposal in self.proposals
            )
        return Outcome.OK if said else Outcome.ABSTAINED


@dataclass(frozen=True, slots=True)
class Step(Generic[B]):
    """A named piece of work on a board ``B`` that all steps of a run share."""

    name: str
    version: str
    timeout_s: float
    fields: tuple[Field, ...]
    take: Callable[[B], Taken]

    def plan(self) -> StepPlan:
        """What is announced of it."""
        return StepPlan(self.name, self.version, self.timeout_s, self.fields)


def reports_of(
    steps: Sequence[Step[B]], board: B, *, accept: Callable[[B, Proposal], None]
) -> Iterator[StepReport]:
    """Take the steps in order. ``accept`` lets the board know what was proposed, for later steps.

    An error or a timeout of one step is that step's report; the next ones go on with what is on the board.
    """
    for step in steps:
        started = time.monotonic()
        error: str | None = None
        outcome = Outcome.FAILED
        taken = Taken()
        try:
            with limited_to(step.timeout_s):
                taken = step.take(board)
            outcome = taken.outcome
        except TimeLimitReached:
            taken, outcome, error = Taken(), Outcome.TIMED_OUT, "step_timed_out"
        except StepFailed as failure:
            error = failure.code
        except Exception:
            # Whatever it was, the seller still gets the other fields. The traceback is for us.
            logger.exception("suggestion step %s failed", step.name)
            error = "step_crashed"
        for proposal in taken.proposals:
            accept(board, proposal)
        yield StepReport(
            step=step.name,
            version=step.version,
            outcome=outcome,
            elapsed_ms=round((time.monotonic() - started) * 1000),
            proposals=taken.proposals,
            error_code=error,
            reused=taken.reused,
            findings=taken.findings,
        )
