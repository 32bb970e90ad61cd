"""Waking a worker. A ring may get lost: the row is the work, and a sweeper rings again."""

from __future__ import annotations

from typing import Any, cast

from celery import Task, current_app

from foundation.doorbell import ring_after_commit

# By name: services stand below tasks and do not import them.
ADVANCE_WITHDRAWAL = "balance.tasks.advance_withdrawal"
ADVANCE_SETTLEMENT = "balance.tasks.advance_donation_settlement"
AUDIT_LEDGER = "balance.tasks.audit_ledger"


def ring_for_withdrawal(withdrawal_id: str) -> None:
    """Ask a worker to call the bank, once this is committed."""
    ring_after_commit(cast("Task[Any, Any]", current_app.signature(ADVANCE_WITHDRAWAL)), withdrawal_id)


def ring_for_settlement(settlement_id: str) -> None:
    """Ask a worker to pay a charity, once this is committed."""
    ring_after_commit(cast("Task[Any, Any]", current_app.signature(ADVANCE_SETTLEMENT)), settlement_id)


def ring_for_audit() -> None:
    """Ask a worker to audit the ledger now."""
    ring_after_commit(cast("Task[Any, Any]", current_app.signature(AUDIT_LEDGER)))
