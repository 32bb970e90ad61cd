"""From a question to an answer: the modes tried from the strictest down, each call recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from ai_suggestions.contract import NO_USAGE
from ai_suggestions.llm.answer import Answer, answer_in
from ai_suggestions.llm.calls import CallRecord, Recorder
from ai_suggestions.llm.completion import Completion, TokenUsage, text_of
from ai_suggestions.llm.endpoint import Endpoint
from ai_suggestions.llm.modes import Mode, ModeMemory
from ai_suggestions.llm.outcomes import CallFailed, Problem
from ai_suggestions.llm.photos import SentPhoto
from ai_suggestions.llm.prices import Prices
from ai_suggestions.llm.prompt import PROMPT_VERSION, messages_for
from ai_suggestions.llm.vocabulary import Vocabulary

logger = structlog.get_logger(__name__)

# A call that starts with less time than this is not worth making.
_SHORTEST_S = 0.05


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; ``fingerprint`` is the same for the same question."""

    fingerprint: str
    vocabulary: Vocabulary
    told: str
    photos: tuple[SentPhoto, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """How asking ended: with an answer, or with a problem. ``cost_micro`` None: the endpoint did not say."""

    answer: Answer | None
    problem: Problem | None
    record: CallRecord
    recorder: Recorder

    @property
    def cost_micro(self) -> int | None:
        """What the call cost by its own account."""
        return self.record.cost_micro if self.record.usage_reported else None

    @property
    def retry_after_s(self) -> float | None:
        """The pause that the endpoint asked for, in seconds."""
        return self.record.retry_after_s

    @property
    def usage(self) -> Mapping[str, int]:
        """For the step report."""
        if not self.record.usage_reported:
            return NO_USAGE
        return {
            "tokens_in": self.record.tokens_in,
            "tokens_cached": self.record.tokens_cached,
            "tokens_out": self.record.tokens_out,
            "cost_micro": self.record.cost_micro,
        }

    def keep_record(self, problems: Sequence[Problem]) -> None:
        """Hand over the record of an answered call, with what single fields were found to have."""
        _hand_over(self.recorder, replace(self.record, outcome=problems[0].value if problems else "ok"))


@dataclass(frozen=True, slots=True)
class Conversation:
    """One run's dealings with an endpoint: at most one call that is billed."""

    endpoint: Endpoint
    modes: ModeMemory
    prices: Prices
    recorder: Recorder
    clock: Callable[[], datetime]

    def hold(self, question: Question, *, seconds: float) -> Asked:
        """Ask, in all modes together for at most ``seconds``."""
        deadline = time.monotonic() + seconds
        mode: Mode | None = self.modes.best()
        while mode is not None:
            asked = self._ask(question, mode, seconds=deadline - time.monotonic())
            if asked.problem is Problem.MODE_REJECTED:
                mode = self.modes.step_down(mode)
                continue
            if asked.problem is Problem.INVALID_JSON or (
                asked.problem is Problem.INVALID_ANSWER and mode is Mode.JSON_SCHEMA
            ):
                # It took the mode and does not keep to it. This call is paid: the next run does better.
                self.modes.step_down(mode)
            return asked
        return asked

    def _ask(self, question: Question, mode: Mode, *, seconds: float) -> Asked:
        began = time.monotonic()
        completion: Completion | None = None
        answer: Answer | None = None
        failure: CallFailed | None = None
        try:
            if seconds < _SHORTEST_S:
                raise CallFailed(Problem.TIMED_OUT)
            completion = self.endpoint.call(
                messages_for(
                    vocabulary=question.vocabulary, mode=mode, told=question.told, photos=question.photos
                ),
                mode=mode,
                schema=question.vocabulary.schema,
                seconds=seconds,
                now=self.clock(),
            )
            answer = answer_in(text_of(completion))
        except CallFailed as failed:
            failure = failed
        usage = completion.usage if completion is not None else None
        counted = usage or TokenUsage()
        record = CallRecord(
            request=question.fingerprint,
            endpoint=self.endpoint.config.host,
            model=self.endpoint.config.model,
            served_model=completion.model if completion is not None else None,
            prompt_version=PROMPT_VERSION,
            mode=mode.value,
            outcome=failure.problem.value if failure is not None else "ok",
            status=failure.status if failure is not None else 200,
            photos=len(question.photos),
            photo_bytes=sum(photo.size_bytes for photo in question.photos),
            tokens_in=counted.prompt_tokens,
            tokens_cached=counted.cached_tokens,
            tokens_out=counted.completion_tokens,
            usage_reported=usage is not None,
            cost_micro=self.prices.cost_micro(counted),
            latency_ms=round((time.monotonic() - began) * 1000),
            retry_after_s=failure.retry_after_s if failure is not None else None,
        )
        if failure is not None:
            _hand_over(self.recorder, record)
        return Asked(answer, failure.problem if failure is not None else None, record, self.recorder)


def _hand_over(recorder: Recorder, record: CallRecord) -> None:
    try:
        recorder(record)
    except Exception:
        # The seller's suggestions do not depend on our book-keeping; the budget was settled apart from it.
        logger.exception("llm_call_not_recorded", request=record.request, outcome=record.outcome)
