"""The LLM as a provider of suggestions: one step, at most one paid call, and always a stated outcome."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

import structlog
from pydantic import ValidationError

from ai_suggestions.contract import (
    NO_USAGE,
    Allowance,
    Outcome,
    PhotoInput,
    Standing,
    StepPlan,
    StepReport,
    SuggestionRequest,
)
from ai_suggestions.llm import languages
from ai_suggestions.llm.answer import Answer
from ai_suggestions.llm.breaker import BreakerRules, CircuitBreaker
from ai_suggestions.llm.budget import Budget, Refusal, Reservation
from ai_suggestions.llm.calls import Recorder
from ai_suggestions.llm.conversation import Asked, Conversation, Question
from ai_suggestions.llm.endpoint import Endpoint
from ai_suggestions.llm.modes import Mode, ModeMemory
from ai_suggestions.llm.outcomes import RULES, Billing, CallFailed, Problem
from ai_suggestions.llm.photos import ready_to_send
from ai_suggestions.llm.prices import Prices
from ai_suggestions.llm.prompt import PROMPT_VERSION, changing_part, fingerprint_of, static_part
from ai_suggestions.llm.proposals import FIELDS, CalibrationSource, not_measured, proposals_from
from ai_suggestions.llm.state import SharedState
from ai_suggestions.llm.vocabulary import vocabulary_of

logger = structlog.get_logger(__name__)

Clock: TypeAlias = Callable[[], datetime]

STEP = "llm"
# The pause after a 429 that names none.
_PAUSE_S = 10.0
_VERSION_LENGTH = 60


@dataclass(frozen=True, slots=True)
class LlmOptions:
    """How the provider uses its endpoint."""

    timeout_s: float = 30.0  # for everything that is done over the network in one run
    most_photos: int = 6  # of a listing's, the cover first; each costs as much as a page of text
    prices: Prices = field(default_factory=Prices)
    calibration: CalibrationSource = not_measured  # asked at each answer: staff may approve one meanwhile
    breaker: BreakerRules = field(default_factory=BreakerRules)


class LlmProvider:
    """Asks one endpoint about all photos of a listing at once.

    ``clock`` gives the time (aware), for the day of the budget and the circuit, which workers share.
    """

    name = "llm"

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        state: SharedState,
        budget: Budget,
        recorder: Recorder,
        clock: Clock,
        options: LlmOptions | None = None,
    ) -> None:
        self._options = options or LlmOptions()
        self._endpoint = endpoint
        self._budget = budget
        self._recorder = recorder
        self._clock = clock
        self._modes = ModeMemory(state, name=endpoint.config.name)
        self.breaker = CircuitBreaker(state, name=endpoint.config.name, rules=self._options.breaker)
        self.version = _version_of(endpoint.config.model)

    def plan(self, request: SuggestionRequest) -> tuple[StepPlan, ...]:
        """One step for everything."""
        return (StepPlan(STEP, self.version, self._options.timeout_s, FIELDS),)

    def warm_up(self) -> None:
        """Load the recogniser of languages; the connection is made with the first call."""
        languages.warm_up()

    def close(self) -> None:
        """Close the connections to the endpoint."""
        self._endpoint.close()

    def run(self, request: SuggestionRequest) -> Iterator[StepReport]:
        """Yield the one report."""
        began = time.monotonic()
        try:
            report = self._report(request, began)
        except CallFailed as failure:
            report = self._failed(failure.problem, began)
        except Exception:
            # The contract: a provider reports and does not raise, or the run's other steps are lost.
            logger.exception("llm_step_broke", endpoint=self._endpoint.config.name)
            report = self._failed(Problem.INTERNAL_ERROR, began)
        yield report

    def _failed(self, problem: Problem, began: float, *, usage: Mapping[str, int] = NO_USAGE) -> StepReport:
        return StepReport(
            step=STEP,
            version=self.version,
            outcome=RULES[problem].outcome,
            elapsed_ms=_ms_since(began),
            error_code=problem.value,
            usage=usage,
            # After a Retry-After the circuit is held open for as long.
            retry_after_s=self.breaker.wait_s(now=self._clock()) if RULES[problem].retry else None,
        )

    def _report(self, request: SuggestionRequest, began: float) -> StepReport:
        photos = sorted(request.photos, key=lambda photo: photo.position)[: self._options.most_photos]
        if not photos:
            return StepReport(STEP, self.version, Outcome.ABSTAINED, _ms_since(began))
        vocabulary = vocabulary_of(request.catalogue)
        told = changing_part(facts=request.facts, market=request.market, photos=len(photos))
        fingerprint = fingerprint_of(
            vocabulary=vocabulary, model=self._endpoint.config.model, told=told, photos=photos
        )
        kept = self._kept(request, fingerprint, photos)
        if kept is not None:
            return self._read(request, kept, began=began, reused=len(photos))
        sent = tuple(ready for photo in photos if (ready := ready_to_send(photo)) is not None)
        if not sent:
            raise CallFailed(Problem.NO_READABLE_PHOTO)
        question = Question(fingerprint, vocabulary, told, sent)
        reservation = self._reserve(question, request.allowance)
        if not self.breaker.lets_through(now=self._clock()):
            self._let_go(reservation, request.allowance)
            raise CallFailed(Problem.CIRCUIT_OPEN)
        asked = self._ask(question)
        answered = None
        try:
            if asked.answer is not None:
                answered = (asked.answer, tuple(photo.id for photo in sent))
                self._keep(request, fingerprint, photos, answered)
            self._settle(reservation, asked, request.allowance)
        except Exception:
            # The answer is there and paid. Unsettled, it counts in full and is not asked for again.
            logger.exception("llm_call_not_settled", request=fingerprint)
        if answered is None:
            return self._failed(asked.problem or Problem.INTERNAL_ERROR, began, usage=asked.usage)
        return self._read(request, answered, began=began, asked=asked)

    # --- Before the call ---

    def _reserve(self, question: Question, allowance: Allowance) -> Reservation:
        text = static_part(question.vocabulary, Mode.JSON_OBJECT) + question.told
        amount = self._options.prices.most_micro(
            text_bytes=len(text.encode()),
            photos=len(question.photos),
            answer_tokens=self._endpoint.config.answer_tokens,
        )
        reserved = self._budget.reserve(
            request=question.fingerprint,
            day=self._clock().astimezone(UTC).date(),
            amount_micro=amount,
            share=allowance.budget_share,
        )
        if reserved is Refusal.SPENT:
            raise CallFailed(Problem.BUDGET_SPENT)
        if reserved is Refusal.MADE_BEFORE:
            raise CallFailed(Problem.CALLED_BEFORE)
        if not allowance.take_llm_call():
            self._budget.release(reserved)
            raise CallFailed(Problem.QUOTA_SPENT)
        return reserved

    def _let_go(self, reservation: Reservation, allowance: Allowance) -> None:
        """Nothing was billed: neither the day's budget nor the seller's day has it."""
        self._budget.release(reservation)
        allowance.give_back_llm_call()

    # --- The call ---

    def _ask(self, question: Question) -> Asked:
        conversation = Conversation(
            endpoint=self._endpoint,
            modes=self._modes,
            prices=self._options.prices,
            recorder=self._recorder,
            clock=self._clock,
        )
        try:
            asked = conversation.hold(question, seconds=self._options.timeout_s)
        except BaseException:
            self.breaker.gave_up()
            raise
        now = self._clock()
        if asked.problem is None or not RULES[asked.problem].blames_endpoint:
            if asked.problem is Problem.RATE_LIMITED:
                self.breaker.hold(asked.retry_after_s or _PAUSE_S, now=now)
            else:
                self.breaker.succeeded()
        else:
            self.breaker.failed(now=now)
            if asked.retry_after_s:
                self.breaker.hold(asked.retry_after_s, now=now)
        return asked

    def _settle(self, reservation: Reservation, asked: Asked, allowance: Allowance) -> None:
        """What may have been billed half-way stays set aside: it counts, and is not asked again."""
        billing = Billing.YES if asked.problem is None else RULES[asked.problem].billing
        if billing is Billing.NO:
            self._let_go(reservation, allowance)
        elif billing is Billing.YES:
            cost = reservation.amount_micro if asked.cost_micro is None else asked.cost_micro
            self._budget.settle(reservation, cost_micro=cost)

    # --- After the call ---

    def _kept(
        self, request: SuggestionRequest, fingerprint: str, photos: list[PhotoInput]
    ) -> tuple[Answer, tuple[str, ...]] | None:
        """The answer that was given to the same question before, with the photos that it saw."""
        kept = request.readings.find(sha256=fingerprint, step=STEP, version=self.version)
        if not isinstance(kept, dict):
            return None
        ids = tuple(photos[index].id for index in kept.get("photos", ()) if index < len(photos))
        try:
            return Answer.model_validate(kept.get("answer")), ids
        except ValidationError:
            logger.warning("llm_reading_unusable", request=fingerprint)
            return None

    def _keep(
        self,
        request: SuggestionRequest,
        fingerprint: str,
        photos: list[PhotoInput],
        answered: tuple[Answer, tuple[str, ...]],
    ) -> None:
        answer, ids = answered
        seen = [index for index, photo in enumerate(photos) if photo.id in ids]
        reading = {"answer": answer.model_dump(mode="json"), "photos": seen}
        request.readings.keep(sha256=fingerprint, step=STEP, version=self.version, reading=reading)

    def _read(
        self,
        request: SuggestionRequest,
        answered: tuple[Answer, tuple[str, ...]],
        *,
        began: float,
        asked: Asked | None = None,
        reused: int = 0,
    ) -> StepReport:
        answer, photo_ids = answered
        problems: tuple[Problem, ...] = (Problem.INTERNAL_ERROR,)
        try:
            reading = proposals_from(
                answer,
                request=request,
                photo_ids=photo_ids,
                vocabulary=vocabulary_of(request.catalogue),
                calibration=self._options.calibration(self.version),
            )
            problems = reading.problems
        finally:
            if asked is not None:
                asked.keep_record(problems)
        said = any(proposal.standing is not Standing.ABSTAINED for proposal in reading.proposals)
        return StepReport(
            step=STEP,
            version=self.version,
            outcome=Outcome.OK if said else Outcome.ABSTAINED,
            elapsed_ms=_ms_since(began),
            proposals=reading.proposals,
            reused=reused,
            usage=asked.usage if asked is not None else NO_USAGE,
        )


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _version_of(model: str) -> str:
    """Prompt and model; a name that is long or not ASCII is told apart by its hash."""
    version = f"{PROMPT_VERSION}:{model}"
    if version.isascii() and len(version) <= _VERSION_LENGTH:
        return version
    plain = version.encode("ascii", "replace").decode()[: _VERSION_LENGTH - 9]
    return f"{plain}~{hashlib.sha256(model.encode()).hexdigest()[:8]}"
