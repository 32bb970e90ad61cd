"""Everything that can become of a call to an LLM, in one table: what the seller's run says, whether trying
again can help, whether the endpoint is to blame, and whether the call may have cost money.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ai_suggestions.contract import Outcome


class Billing(StrEnum):
    """Whether a call is on the bill."""

    NO = "no"  # the endpoint turned it away, or never saw it
    YES = "yes"  # there was a completion; its usage says how much
    PERHAPS = "perhaps"  # it broke half-way: counted at the amount that was set aside


class Problem(StrEnum):
    """What can go wrong. The value is the ``error_code`` of the step report, or the proposal's note."""

    # Before the call
    NOT_CONFIGURED = "llm_not_configured"
    NO_READABLE_PHOTO = "llm_no_readable_photo"
    CIRCUIT_OPEN = "llm_circuit_open"
    BUDGET_SPENT = "llm_budget_spent"
    CALLED_BEFORE = "llm_called_before"
    QUOTA_SPENT = "llm_quota_spent"
    # The endpoint turned the request away
    AUTH_FAILED = "llm_auth_failed"
    MODEL_NOT_FOUND = "llm_model_not_found"
    MODE_REJECTED = "llm_mode_rejected"
    BAD_REQUEST = "llm_bad_request"
    RATE_LIMITED = "llm_rate_limited"
    QUOTA_EXHAUSTED = "llm_quota_exhausted"
    SERVER_ERROR = "llm_server_error"
    # The line
    UNREACHABLE = "llm_unreachable"
    CONNECTION_LOST = "llm_connection_lost"
    TIMED_OUT = "llm_timed_out"
    ANSWER_TOO_LARGE = "llm_answer_too_large"
    NOT_A_COMPLETION = "llm_not_a_completion"
    # The completion
    REFUSED = "llm_refused"
    CUT_OFF = "llm_cut_off"
    EMPTY_ANSWER = "llm_empty_answer"
    INVALID_JSON = "llm_invalid_json"
    INVALID_ANSWER = "llm_invalid_answer"
    # The answer's fields: the others are used all the same
    UNKNOWN_CATEGORY = "llm_unknown_category"
    WRONG_LANGUAGE = "llm_wrong_language"
    # Us
    INTERNAL_ERROR = "llm_internal_error"


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from a problem.

    ``retry``: the same request may be made again (after Retry-After, where the endpoint said one). Only ever
    true where nothing can have been billed, so that no run is billed twice. ``blames_endpoint``: counts
    towards opening the circuit.
    """

    outcome: Outcome
    retry: bool
    billing: Billing
    blames_endpoint: bool


_FAILED, _TIMED_OUT, _OK = Outcome.FAILED, Outcome.TIMED_OUT, Outcome.OK

RULES: MappingProxyType[Problem, Rule] = MappingProxyType(
    {
        Problem.NOT_CONFIGURED: Rule(_FAILED, retry=False, billing=Billing.NO, blames_endpoint=False),
        Problem.NO_READABLE_PHOTO: Rule(_FAILED, retry=False, billing=Billing.NO, blames_endpoint=False),
        Problem.CIRCUIT_OPEN: Rule(_FAILED, retry=True, billing=Billing.NO, blames_endpoint=False),
        Problem.BUDGET_SPENT: Rule(_FAILED, retry=False, billing=Billing.NO, blames_endpoint=False),
        Problem.CALLED_BEFORE: Rule(_FAILED, retry=False, billing=Billing.NO, blames_endpoint=False),
        Problem.QUOTA_SPENT: Rule(_FAILED, retry=False, billing=Billing.NO, blames_endpoint=False),
        Problem.AUTH_FAILED: Rule(_FAILED, retry=False, billing=Billing.NO, blames_endpoint=True),
        Problem.MODEL_NOT_FOUND: Rule(_FAILED, retry=False, billing=Billing.NO, blames_endpoint=True),
        Problem.MODE_REJECTED: Rule(_FAILED, retry=False, billing=Billing.NO, blames_endpoint=False),
        Problem.BAD_REQUEST: Rule(_FAILED, retry=False, billing=Billing.NO, blames_endpoint=False),
        # The circuit is held open for Retry-After instead of counting it.
        Problem.RATE_LIMITED: Rule(_FAILED, retry=True, billing=Billing.NO, blames_endpoint=False),
        Problem.QUOTA_EXHAUSTED: Rule(_FAILED, retry=False, billing=Billing.NO, blames_endpoint=True),
        Problem.SERVER_ERROR: Rule(_FAILED, retry=True, billing=Billing.NO, blames_endpoint=True),
        Problem.UNREACHABLE: Rule(_FAILED, retry=True, billing=Billing.NO, blames_endpoint=True),
        Problem.CONNECTION_LOST: Rule(_FAILED, retry=False, billing=Billing.PERHAPS, blames_endpoint=True),
        Problem.TIMED_OUT: Rule(_TIMED_OUT, retry=False, billing=Billing.PERHAPS, blames_endpoint=True),
        Problem.ANSWER_TOO_LARGE: Rule(_FAILED, retry=False, billing=Billing.PERHAPS, blames_endpoint=True),
        Problem.NOT_A_COMPLETION: Rule(_FAILED, retry=False, billing=Billing.PERHAPS, blames_endpoint=True),
        Problem.REFUSED: Rule(_FAILED, retry=False, billing=Billing.YES, blames_endpoint=False),
        Problem.CUT_OFF: Rule(_FAILED, retry=False, billing=Billing.YES, blames_endpoint=False),
        Problem.EMPTY_ANSWER: Rule(_FAILED, retry=False, billing=Billing.YES, blames_endpoint=False),
        Problem.INVALID_JSON: Rule(_FAILED, retry=False, billing=Billing.YES, blames_endpoint=False),
        Problem.INVALID_ANSWER: Rule(_FAILED, retry=False, billing=Billing.YES, blames_endpoint=False),
        Problem.UNKNOWN_CATEGORY: Rule(_OK, retry=False, billing=Billing.YES, blames_endpoint=False),
        Problem.WRONG_LANGUAGE: Rule(_OK, retry=False, billing=Billing.YES, blames_endpoint=False),
        # Our own mistake could have been made on either side of the call.
        Problem.INTERNAL_ERROR: Rule(_FAILED, retry=False, billing=Billing.PERHAPS, blames_endpoint=False),
    }
)


class CallFailed(Exception):
    """A call that ended without a usable answer.

    ``retry_after_s``: the wait that the endpoint asked for. ``status``: of its HTTP answer, if there was one.
    """

    def __init__(
        self, problem: Problem, *, retry_after_s: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.retry_after_s = retry_after_s
        self.status = status
