"""Doorbells: each takes ids, makes one service call, and is safe to ring twice."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from balance.services import control, donation_settlements, holds, sending
from foundation import clock


@shared_task
def expire_holds() -> None:
    """Every few seconds: money set aside for longer than was asked goes back."""
    holds.expire_holds(now=clock.now())


@shared_task
def advance_withdrawal(withdrawal_id: str) -> None:
    """Rung by a withdrawal, and again by the sweeper whenever the bank is to be called or asked."""
    sending.advance_withdrawal(withdrawal_id=withdrawal_id, now=clock.now())


@shared_task
def sweep_withdrawals() -> None:
    """Every few seconds."""
    sending.sweep_withdrawals(now=clock.now())


@shared_task
def seal_ledger_days() -> None:
    """Every hour: days that are over get their hash and their totals."""
    control.seal_days(now=clock.now())


# Minutes on a ledger of many millions; other tasks are ended after two.
@shared_task(soft_time_limit=3000, time_limit=3060)
def audit_ledger() -> None:
    """Every night, and when staff asks: every balance and the days of the last week, computed again."""
    now = clock.now()
    control.audit(now=now)
    control.verify_chain(now=now, since=(now - timedelta(days=7)).date())


@shared_task
def settle_donations() -> None:
    """Every hour: what was given until the end of last month is paid to the charities, if it was not."""
    donation_settlements.collect_donations(provider=settings.PAYOUT_PROVIDER, now=clock.now())


@shared_task
def advance_donation_settlement(settlement_id: str) -> None:
    """Rung by a settlement, and again by the sweeper whenever the bank is to be called or asked."""
    donation_settlements.advance_settlement(settlement_id=settlement_id, now=clock.now())


@shared_task
def sweep_donation_settlements() -> None:
    """Every minute."""
    donation_settlements.sweep_settlements(now=clock.now())
