"""What a seller may use in a day (UTC), by plan: runs, and calls of the LLM. One row for member and day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog
from django.db.models import F

from ai_suggestions import metrics
from ai_suggestions.batch_tables import MemberUsage
from ai_suggestions.errors import RunQuotaSpent
from ai_suggestions.quota_queries import quota_of
from foundation.db import atomic_retry
from members.queries import get_member_facts

logger = structlog.get_logger(__name__)

KEEP_USAGE = dt.timedelta(days=396)


def take_run(*, member_id: str, plan: str, now: dt.datetime) -> None:
    """Count a run against the day; inside the caller's transaction. Raises RunQuotaSpent."""
    limit = quota_of(plan).runs
    today = now.astimezone(dt.UTC).date()
    if _counted(member_id, today, "runs", limit):
        return
    metrics.QUOTA_SPENT.labels("runs", plan).inc()
    midnight = dt.datetime.combine(today + dt.timedelta(days=1), dt.time(), dt.UTC)
    raise RunQuotaSpent(
        f"Your plan allows {limit} runs a day (UTC).",
        retry_after_s=max(1, round((midnight - now).total_seconds())),
        extra={"plan": plan, "limit": limit},
    )


def _counted(member_id: str, day: dt.date, what: str, limit: int) -> bool:
    """One more of ``what``, unless the day is used up; of two at once, the row's lock lets one go first."""

    def count() -> bool:
        mine = MemberUsage.objects.filter(member_id=member_id, day=day, **{f"{what}__lt": limit})
        return bool(mine.update(**{what: F(what) + 1}))

    if count():
        return True
    MemberUsage.objects.get_or_create(member_id=member_id, day=day)  # the first of the day
    return count()


@dataclass(frozen=True, slots=True)
class MemberAllowance:
    """``contract.Allowance`` of a member on a day, in the database."""

    member_id: str
    day: dt.date
    budget_share: float

    @atomic_retry
    def take_llm_call(self) -> bool:
        """See ``Allowance``."""
        plan = get_member_facts(self.member_id).plan
        limit = quota_of(plan).llm_calls
        if _counted(self.member_id, self.day, "llm_calls", limit):
            return True
        metrics.QUOTA_SPENT.labels("llm_calls", plan).inc()
        logger.info("llm_quota_spent", member_id=self.member_id)
        return False

    def give_back_llm_call(self) -> None:
        """See ``Allowance``."""
        MemberUsage.objects.filter(member_id=self.member_id, day=self.day, llm_calls__gt=0).update(
            llm_calls=F("llm_calls") - 1
        )


def forget_usage(*, now: dt.datetime) -> int:
    """Delete what is older than KEEP_USAGE; returns how many rows."""
    return MemberUsage.objects.filter(day__lt=(now - KEEP_USAGE).date()).delete()[0]
