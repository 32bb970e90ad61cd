"""What counts for an LLM at this moment: the newest policy of staff, or else the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ai_suggestions.limit_tables import LlmPolicy
from ai_suggestions.llm.breaker import BreakerRules
from ai_suggestions.llm.prices import Prices


@dataclass(frozen=True, slots=True)
class Policy:
    """Budget of a day in millionths of the price list's currency (None: no limit), prices, the circuit."""

    limit_micro: int | None
    prices: Prices
    breaker: BreakerRules = field(default_factory=BreakerRules)


def policy_of_settings() -> Policy:
    """What LLM_DAILY_BUDGET and LLM_PRICES say.

    Raises:
        ImproperlyConfigured: a budget or a price that is no amount, a budget without prices.
    """
    return Policy(_daily_budget_micro(), _prices())


def current_policy() -> Policy:
    """The newest policy in one indexed statement, so that a change counts for the next call at once."""
    newest = LlmPolicy.objects.order_by("-version").first()
    if newest is None or not newest.is_active:
        return policy_of_settings()
    return Policy(
        limit_micro=int(newest.daily_budget * 1_000_000),
        prices=Prices(newest.input_price, newest.cached_price, newest.output_price),
        breaker=BreakerRules(
            failures=newest.failures,
            within_s=newest.within_s,
            pause_s=newest.pause_s,
            longest_pause_s=newest.longest_pause_s,
            probe_s=newest.probe_s,
        ),
    )


def _prices() -> Prices:
    try:
        return Prices.of(settings.LLM_PRICES)
    except ValueError as error:
        raise ImproperlyConfigured(f"LLM_PRICES: {error}") from error


def _daily_budget_micro() -> int | None:
    if not settings.LLM_DAILY_BUDGET:
        return None
    try:
        amount = Decimal(settings.LLM_DAILY_BUDGET)
    except InvalidOperation as error:
        raise ImproperlyConfigured("LLM_DAILY_BUDGET should be an amount like 5.00") from error
    if not amount.is_finite() or amount < 0:
        raise ImproperlyConfigured("LLM_DAILY_BUDGET should be an amount like 5.00")
    if not settings.LLM_PRICES:
        raise ImproperlyConfigured("LLM_DAILY_BUDGET needs LLM_PRICES: nothing would count against it")
    return int(amount * 1_000_000)
