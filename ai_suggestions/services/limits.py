"""Limits are data: each change of the LLM's policy or of a plan's quota is another row with its author."""

from __future__ import annotations

import datetime as dt

import structlog

from ai_suggestions.limit_tables import LlmPolicy, PlanQuota
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)


@atomic_retry
def keep_llm_policy(policy: LlmPolicy, *, changed_by: str, now: dt.datetime) -> None:
    """Store the next version of the policy; it counts from the next call on."""
    before = LlmPolicy.objects.select_for_update().order_by("-version").first()
    policy.version = 1 if before is None else before.version + 1
    policy.changed_at, policy.changed_by = now, changed_by
    policy.save(force_insert=True)
    logger.info("llm_policy_changed", version=policy.version, changed_by=changed_by)


@atomic_retry
def keep_plan_quota(quota: PlanQuota, *, changed_by: str, now: dt.datetime) -> None:
    """Store the next version of a plan's quota; it counts from the next run or call on."""
    before = PlanQuota.objects.select_for_update().filter(plan=quota.plan).order_by("-version").first()
    quota.version = 1 if before is None else before.version + 1
    quota.changed_at, quota.changed_by = now, changed_by
    quota.save(force_insert=True)
    logger.info("plan_quota_changed", plan=quota.plan, version=quota.version, changed_by=changed_by)
