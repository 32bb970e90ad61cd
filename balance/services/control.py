"""Watching the ledger: sealing days, verifying the chain, auditing balances, freezing what is off."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import structlog
from django.db import transaction

from balance import metrics
from balance.errors import AccountNotFrozen, AccountStillOff
from balance.models import AuditFinding, AuditRun, LedgerAccount, LedgerDay, LedgerDayTotal
from balance.models.control import FindingKind
from balance.queries.set_aside import set_aside
from balance.queries.totals import (
    DayDigest,
    Turnover,
    digest_of,
    find_first_day,
    list_empty_postings,
    recompute,
    recompute_one,
)
from foundation.db import atomic_retry

logger = structlog.get_logger(__name__)

ACCOUNTS_AT_A_TIME = 2_000
# Nothing is recorded with a time that is longer ago: a transaction waits for locks for seconds.
SEAL_AFTER = timedelta(minutes=10)


def seal_days(*, now: datetime) -> list[date]:
    """Seal every day that is over and not sealed yet, oldest first; gives the days."""
    sealed = []
    while (day := _next_day(now)) is not None and _seal(day, now=now):
        sealed.append(day)
    return sealed


def _next_day(now: datetime) -> date | None:
    last = LedgerDay.objects.order_by("-day").values_list("day", flat=True).first()
    if last is None:
        first = find_first_day()
        if first is None:
            return None
        day = first
    else:
        day = last + timedelta(days=1)
    return day if day < (now - SEAL_AFTER).astimezone(UTC).date() else None


def _seal(day: date, *, now: datetime) -> bool:
    # Read outside of the transaction: the day is over, so nothing of it changes.
    previous_hash = LedgerDay.objects.order_by("-day").values_list("hash", flat=True).first() or ""
    digest = digest_of(day, previous_hash=previous_hash)
    return _keep(day, previous_hash, digest, now=now)


@atomic_retry
def _keep(day: date, previous_hash: str, digest: DayDigest, *, now: datetime) -> bool:
    row, is_new = LedgerDay.objects.get_or_create(
        day=day,
        defaults={
            "previous_hash": previous_hash,
            "hash": digest.hash,
            "postings": digest.postings,
            "transfers": digest.transfers,
            "sealed_at": now,
        },
    )
    if not is_new:
        return False  # another worker was faster
    LedgerDayTotal.objects.bulk_create(
        [
            LedgerDayTotal(
                day=row,
                account=account,
                debits_minor=turnover.debits_minor,
                credits_minor=turnover.credits_minor,
            )
            for account, turnover in digest.turnovers.items()
        ]
    )
    # The log is out of the database's reach: an anchor for whoever doubts the chain.
    transaction.on_commit(
        lambda: logger.info(
            "ledger_day_sealed", day=day.isoformat(), hash=digest.hash, postings=digest.postings
        )
    )
    return True


def audit(*, now: datetime, finished_at: datetime | None = None) -> AuditRun:
    """Recompute every member's balance from the transfers; freeze the accounts that are off.

    So are those whose money is not what holds or withdrawals say is set aside.

    An account that looks off is looked at once more under its lock, since members go on meanwhile. Nothing is
    corrected: a person finds out what happened. ``finished_at`` defaults to ``now``.
    """
    findings: list[tuple[FindingKind, str, str, str]] = []
    accounts = transfers = 0
    after = ""
    while rows := recompute(after=after, limit=ACCOUNTS_AT_A_TIME):
        after = rows[-1].account_id
        accounts += len(rows)
        transfers += sum(row.transfers for row in rows)
        aside = set_aside([row.account_id for row in rows])
        for row in rows:
            if not row.is_consistent or aside.get(row.account_id, row.cached_minor) != row.cached_minor:
                findings += _look_again(row.account_id, now=now)
    findings += [
        (FindingKind.EMPTY_POSTING, id_, "at least one transfer", "none") for id_ in list_empty_postings(100)
    ]
    return _record(
        "balances", findings, accounts=accounts, transfers=transfers, now=now, finished_at=finished_at or now
    )


@atomic_retry
def _look_again(account_id: str, *, now: datetime) -> list[tuple[FindingKind, str, str, str]]:
    account = LedgerAccount.objects.select_for_update().get(id=account_id)
    row = recompute_one(account_id)
    found = []
    if row.cached_minor != row.sum_minor:
        found.append((FindingKind.BALANCE_DRIFT, account_id, str(row.sum_minor), str(row.cached_minor)))
    if row.latest_minor != row.cached_minor:
        found.append((FindingKind.HISTORY_DRIFT, account_id, str(row.cached_minor), str(row.latest_minor)))
    aside = set_aside([account_id]).get(account_id, row.cached_minor)
    if aside != row.cached_minor:
        found.append((FindingKind.SET_ASIDE_DRIFT, account_id, str(aside), str(row.cached_minor)))
    if found and account.frozen_at is None:
        account.frozen_at = now
        account.save(update_fields=["frozen_at"])
        transaction.on_commit(lambda: logger.error("account_frozen", account=account_id))
    return found


def verify_chain(*, now: datetime, since: date | None = None) -> AuditRun:
    """Compute the hash and the totals of every sealed day again, from ``since`` on (from the first day)."""
    findings: list[tuple[FindingKind, str, str, str]] = []
    days = LedgerDay.objects.order_by("day")
    previous = ""
    if since is not None:
        previous = days.filter(day__lt=since).order_by("-day").values_list("hash", flat=True).first() or ""
        days = days.filter(day__gte=since)
    transfers = 0
    for day in days.iterator():
        digest = digest_of(day.day, previous_hash=previous)
        transfers += digest.transfers
        if (day.previous_hash, day.hash) != (previous, digest.hash):
            findings.append((FindingKind.CHAIN_BROKEN, day.day.isoformat(), day.hash, digest.hash))
        totals = {
            account: Turnover(out, into)
            for account, out, into in LedgerDayTotal.objects.filter(day=day).values_list(
                "account", "debits_minor", "credits_minor"
            )
        }
        if totals != digest.turnovers:
            off = sorted(
                account
                for account in totals.keys() | digest.turnovers.keys()
                if totals.get(account) != digest.turnovers.get(account)
            )
            findings.append((FindingKind.TOTAL_DRIFT, day.day.isoformat(), "as sealed", ", ".join(off)[:80]))
        # What was sealed is what the next day was chained to; one broken day is one finding.
        previous = day.hash
    return _record("chain", findings, accounts=0, transfers=transfers, now=now, finished_at=now)


@atomic_retry
def _record(
    check: str,
    findings: list[tuple[FindingKind, str, str, str]],
    *,
    accounts: int,
    transfers: int,
    now: datetime,
    finished_at: datetime,
) -> AuditRun:
    run = AuditRun.objects.create(
        started_at=now,
        finished_at=finished_at,
        accounts=accounts,
        transfers=transfers,
        findings=len(findings),
    )
    AuditFinding.objects.bulk_create(
        [
            AuditFinding(run=run, kind=kind.value, subject=subject, expected=expected, found=found)
            for kind, subject, expected, found in findings
        ]
    )

    def tell() -> None:
        # By check: a chain that is fine must not hide balances that are not.
        metrics.AUDIT_FINDINGS.labels(check).set(len(findings))
        metrics.AUDITED_AT.labels(check).set(finished_at.timestamp())
        for kind, subject, _, _ in findings:
            logger.error("ledger_audit_finding", kind=kind.value, subject=subject, run_id=run.id)

    transaction.on_commit(tell)
    return run


@atomic_retry
def unfreeze(*, account_id: str, actor: str, reason: str, now: datetime) -> None:
    """Let the account be used again, once a person has put it right.

    Raises AccountNotFrozen, and AccountStillOff while the audit would freeze it again.
    """
    account = LedgerAccount.objects.select_for_update().get(id=account_id)
    if account.frozen_at is None:
        raise AccountNotFrozen(f"{account_id} is not frozen.")
    if _look_again(account_id, now=now):
        raise AccountStillOff("The balance still differs from what it has to be: run an audit to see.")
    account.frozen_at = None
    account.save(update_fields=["frozen_at"])
    transaction.on_commit(
        lambda: logger.warning("account_unfrozen", account=account_id, actor=actor, reason=reason)
    )
