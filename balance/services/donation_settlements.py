"""Once a month a charity is paid what was given to it: collecting, calling the bank, what staff does."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog

from balance import metrics
from balance.errors import DonationSettlementCaseClosed, DonationSettlementConflict
from balance.lifecycle import (
    DONATION,
    STAFF,
    WORKER,
    DonationStatus,
    SettlementStatus,
)
from balance.models import CharityAccount, Donation, DonationSettlement, DonationSettlementCase
from balance.months import SETTLING, Month
from balance.providers import provider_named
from balance.providers.contract import OutcomeUnknown, PayoutOrder, PayoutReport
from balance.queries.donations import count_settlements, due_settlement_ids, list_charities_owed
from balance.services.donation_payouts import (
    amount_of,
    apply_settlement_report,
    lock_settlement,
    move,
    open_case,
)
from balance.services.ringing import ring_for_settlement
from balance.services.sending import REPEAT_FOR, pause_after
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

_S = SettlementStatus
_Kind = DonationSettlementCase.Kind
TIME_ZONE = "UTC"
AT_A_TIME = 500  # donations of one transaction
BATCH = 200
NOT_ON_STATEMENT = "not_on_bank_statement"
# Money may have left for these: paying again before somebody has looked could pay twice.
_DANGEROUS = (_Kind.PAID_AFTER_FAILED, _Kind.AMOUNT_MISMATCH, _Kind.FAILED_AFTER_PAID)


def collect_donations(*, provider: str, now: datetime) -> int:
    """Make the settlements of the last month that is over, and have them paid. Safe to repeat at any time.

    Each donation given before the month's end (UTC) that is in no settlement goes into one, and only one:
    also what came late into a month that was settled. Returns how many charities were owed something.
    """
    now_there = (now - SETTLING).astimezone(UTC)
    until = Month(now_there.year, now_there.month).starts_at(TIME_ZONE)
    month = Month(until.year, until.month - 1) if until.month > 1 else Month(until.year - 1, 12)
    owed = list_charities_owed(until)
    for charity_id, currency in owed:
        while _collect_some(charity_id, currency, month, until, provider=provider, now=now):
            pass
    return len(owed)


@atomic_retry
def _collect_some(
    charity_id: str, currency: str, month: Month, until: datetime, *, provider: str, now: datetime
) -> bool:
    """Add some donations to the settlement; False when it is whole, or was sent already."""
    opened, _ = DonationSettlement.objects.get_or_create(
        charity_id=charity_id,
        currency=currency,
        month=str(month),
        defaults={"status": _S.COLLECTING, "provider": provider, "opened_at": now},
    )
    settlement = DonationSettlement.objects.select_for_update().get(id=opened.id)
    if settlement.status != _S.COLLECTING or settlement.next_call_at is not None:
        return False
    rows = list(
        Donation.objects.select_for_update()
        .filter(charity_id=charity_id, currency=currency, status=DonationStatus.GIVEN, given_at__lt=until)
        .order_by("id")[:AT_A_TIME]
    )
    target = DONATION.row(DonationStatus.GIVEN, "settle", WORKER).target
    Donation.objects.filter(id__in=[row.id for row in rows]).update(
        status=target, settlement_id=settlement.id, ended_at=now
    )
    settlement.amount_minor += sum(row.amount_minor for row in rows)
    settlement.donations += len(rows)
    is_whole = len(rows) < AT_A_TIME
    if settlement.donations == 0:
        settlement.delete()  # all that was owed a moment ago has been undone since
        return False
    if is_whole:
        settlement.next_call_at = now
        ring_for_settlement(settlement.id)
        logger.info("donations_collected", settlement_id=settlement.id, donations=settlement.donations)
    settlement.save(update_fields=["amount_minor", "donations", "next_call_at"])
    return not is_whole


def advance_settlement(*, settlement_id: str, now: datetime) -> None:
    """Send a settlement that is due, or ask how far it is. Safe to call twice, and at the same time."""
    settlement = _begin_call(settlement_id, now=now)
    if settlement is None:
        return
    started = time.monotonic()
    try:
        report = _call(settlement, now=now)
    except OutcomeUnknown as error:
        metrics.PAYOUT_CALLS.labels(settlement.provider, "unknown").inc()
        logger.warning("donation_payout_outcome_unknown", settlement_id=settlement_id, why=str(error))
        return
    finally:
        metrics.PAYOUT_CALL_SECONDS.observe(time.monotonic() - started)
    metrics.PAYOUT_CALLS.labels(settlement.provider, report.outcome.value).inc()
    apply_settlement_report(settlement.provider, report, now=now)


@atomic_retry
def _begin_call(settlement_id: str, *, now: datetime) -> DonationSettlement | None:
    """Claim a due settlement: the next call is due only after a pause. None when there is nothing to do."""
    settlement = lock_settlement(settlement_id, waits=False)
    if settlement is None or settlement.next_call_at is None or settlement.next_call_at > now:
        return None
    if settlement.status == _S.COLLECTING:
        move(settlement, verb="send", actor=WORKER, now=now)
    elif settlement.provider_id is None and not may_be_repeated(settlement, now=now):
        settlement.next_call_at = None
        settlement.save(update_fields=["next_call_at"])
        open_case(settlement, _Kind.UNANSWERED, "", now=now)
        return None
    settlement.attempts += 1
    settlement.next_call_at = now + pause_after(settlement.attempts)
    settlement.save(update_fields=["attempts", "next_call_at"])
    return settlement


def may_be_repeated(settlement: DonationSettlement, *, now: datetime) -> bool:
    """Whether the same reference can still be sent without the danger of paying twice."""
    return settlement.sent_at is None or now - settlement.sent_at < REPEAT_FOR


def _call(settlement: DonationSettlement, *, now: datetime) -> PayoutReport:
    provider = provider_named(settlement.provider)
    reference = settlement.reference or ""  # never empty: it is sent, so a CHECK says that it has one
    if settlement.provider_id is not None:
        return provider.look_up(reference, settlement.provider_id, now=now)
    account = CharityAccount.objects.get(id=settlement.bank_account_id)
    return provider.send(
        PayoutOrder(
            reference=reference,
            amount=amount_of(settlement),
            iban=account.iban.reveal(),
            holder_name=account.holder_name.reveal(),
            is_organisation=True,
        ),
        now=now,
    )


def sweep_settlements(*, now: datetime) -> int:
    """Ring for what is due, and measure what is open. Returns how many it rang for."""
    due = due_settlement_ids(now=now, limit=BATCH)
    for settlement_id in due:
        ring_for_settlement(settlement_id)
    for status, number in count_settlements((_S.COLLECTING, _S.SENT, _S.FAILED)).items():
        metrics.DONATION_SETTLEMENTS_OPEN.labels(status).set(number)
    return len(due)


# Staff


@atomic_retry
def retry_settlement(*, settlement_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Pay what failed once more: under a new reference, to the bank account that the charity has now.

    Raises DonationSettlementConflict, also while the bank contradicts itself: then it may have been paid.
    """
    settlement = DonationSettlement.objects.select_for_update().get(id=settlement_id)
    cases = DonationSettlementCase.objects.filter(settlement_id=settlement_id, closed_at__isnull=True)
    if cases.filter(kind__in=_DANGEROUS).exists():
        raise DonationSettlementConflict("It may have been paid: close its case first.")
    move(settlement, verb="retry", actor=STAFF, actor_id=staff_id, note=note, now=now)
    cases.update(closed_at=now, closed_by=f"staff:{staff_id}", note=note)
    ring_for_settlement(settlement_id)


@atomic_retry
def confirm_settlement(*, settlement_id: str, staff_id: str, note: str, now: datetime) -> None:
    """The bank's statement shows it. Raises DonationSettlementConflict."""
    settlement = DonationSettlement.objects.select_for_update().get(id=settlement_id)
    move(settlement, verb="confirm", actor=STAFF, actor_id=staff_id, note=note, now=now)
    cases = DonationSettlementCase.objects.filter(settlement_id=settlement_id, closed_at__isnull=True)
    cases.update(closed_at=now, closed_by=f"staff:{staff_id}", note=note)


@atomic_retry
def deny_settlement(*, settlement_id: str, staff_id: str, note: str, now: datetime) -> None:
    """The bank's statement does not show it, and it is too old to be sent again. It can be retried then.

    Raises DonationSettlementConflict.
    """
    settlement = DonationSettlement.objects.select_for_update().get(id=settlement_id)
    if settlement.status == _S.SENT and may_be_repeated(settlement, now=now):
        # The bank may still pay it: an unknown outcome is no failure.
        raise DonationSettlementConflict("The bank may still pay it: it was sent too short a time ago.")
    move(settlement, verb="deny", actor=STAFF, actor_id=staff_id, reason=NOT_ON_STATEMENT, note=note, now=now)


@atomic_retry
def close_settlement_case(*, case_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Write down what was found; money is moved by a correction. Raises DonationSettlementCaseClosed."""
    closed = DonationSettlementCase.objects.filter(id=case_id, closed_at__isnull=True).update(
        closed_at=now, closed_by=f"staff:{staff_id}", note=note
    )
    if not closed:
        raise DonationSettlementCaseClosed
