"""Corrections: staff undoes a posting or moves an amount, with a reason and, above a limit, a second person.

What holds and withdrawals have set aside is not corrected here: their rows would say something else than the
ledger. Nobody corrects their own account.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Sum

from balance import metrics
from balance.chart import CHART, MAX_MINOR, PLATFORM, Account, AccountKind, Event, Owner
from balance.errors import (
    AlreadyReversed,
    CorrectionDecided,
    CorrectionNotFound,
    CorrectionNotPossible,
    InvalidAmount,
    PostingNotFound,
    SecondPersonNeeded,
)
from balance.events import Line, NewPosting
from balance.lifecycle import CORRECTION, STAFF
from balance.models import Correction, CorrectionLimit, LedgerAccount, Posting, Transfer
from balance.models.corrections import CorrectionKind
from balance.services.posting import post, reverse
from foundation.db import atomic_retry
from foundation.lifecycle import UnknownTransition
from foundation.money import Money, UnknownCurrency
from members.queries import find_member_facts

logger = structlog.get_logger(__name__)

WINDOW = timedelta(hours=24)
NOT_BY_HAND = frozenset({AccountKind.HELD, AccountKind.IN_TRANSIT})
BY_HAND = {
    (AccountKind.BAD_DEBTS, AccountKind.AVAILABLE): Event.DEBT_WRITTEN_OFF,
    (AccountKind.CARRIER_PAYABLE, AccountKind.BANK): Event.CARRIER_PAID,
}
"""By debited and credited account what only staff brings about; all else that they move is a correction."""


@atomic_retry
def request_reversal(*, posting_id: str, reason: str, staff_id: str, now: datetime) -> str:
    """Ask for a posting to be undone; gives the correction's id. It is posted at once up to the limit.

    Raises PostingNotFound, AlreadyReversed, CorrectionNotPossible, and what ``posting.reverse`` raises.
    """
    if not Posting.objects.filter(id=posting_id).exists():
        raise PostingNotFound(f"There is no posting {posting_id}.")
    if by := Posting.objects.filter(reverses_id=posting_id).values_list("key", flat=True).first():
        raise AlreadyReversed(f"{posting_id} was undone by {by}.")
    rows = Transfer.objects.filter(posting_id=posting_id).values_list(
        "debit_account_id", "credit_account_id", "currency", "amount_minor"
    )
    moved: dict[str, int] = {}
    for debit, credit, currency, minor in rows:
        for account_id in (debit, credit):
            _check(Account.from_id(account_id), staff_id)
        moved[currency] = moved.get(currency, 0) + minor
    if len(moved) != 1:
        raise CorrectionNotPossible("It moved more than one currency: correct each by hand.")
    ((currency, minor),) = moved.items()
    correction = Correction(
        kind=CorrectionKind.REVERSAL, undoes_id=posting_id, amount_minor=minor, currency=currency
    )
    return _open(correction, reason=reason, staff_id=staff_id, now=now)


@atomic_retry
def request_correction(
    *, debit: str, credit: str, amount: Money, reason: str, staff_id: str, now: datetime
) -> str:
    """Ask for an amount to go from one account to another; gives the correction's id.

    ``debit`` and ``credit`` are ids of accounts (``owner:kind:currency``). It is posted at once up to the
    limit. Raises CorrectionNotPossible, InvalidAmount, InsufficientFunds.
    """
    accounts = [_account(debit), _account(credit)]
    for account in accounts:
        _check(account, staff_id)
        if account.currency != amount.currency:
            raise CorrectionNotPossible(f"{account.id} holds no {amount.currency}.")
    if debit == credit:
        raise CorrectionNotPossible("Both accounts are the same.")
    if not 0 < amount.amount_minor <= MAX_MINOR:
        raise InvalidAmount(f"{amount} is no amount to move.")
    correction = Correction(
        kind=CorrectionKind.MANUAL,
        debit_account=debit,
        credit_account=credit,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
    )
    return _open(correction, reason=reason, staff_id=staff_id, now=now)


@atomic_retry
def approve_correction(*, correction_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Post what somebody else asked for.

    Raises CorrectionNotFound, CorrectionDecided, SecondPersonNeeded, CorrectionNotPossible (one's own
    account), AlreadyReversed, InsufficientFunds.
    """
    correction = _locked(correction_id)
    _refuse_decided(correction, "post")
    if correction.requested_by == _staff(staff_id):
        raise SecondPersonNeeded("You asked for it: somebody else has to approve it.")
    for account_id in _accounts_of(correction):
        _check(Account.from_id(account_id), staff_id)
    _post(correction, staff_id=staff_id, note=note, now=now)


@atomic_retry
def reject_correction(*, correction_id: str, staff_id: str, note: str, now: datetime) -> None:
    """Do not post it; who asked for it may do this too. Raises CorrectionNotFound, CorrectionDecided."""
    correction = _locked(correction_id)
    _refuse_decided(correction, "reject")
    _decide(correction, "reject", staff_id=staff_id, note=note, now=now)


def _staff(staff_id: str) -> str:
    return f"staff:{staff_id}"


def _account(account_id: str) -> Account:
    """Of the platform, or of a member or charity that is known."""
    try:
        account = Account.from_id(account_id)
        Money(0, account.currency)
    except (ValueError, UnknownCurrency):
        raise CorrectionNotPossible(f"{account_id} is no account.") from None
    known = {
        Owner.PLATFORM: lambda: account.owner == PLATFORM,
        Owner.MEMBER: lambda: find_member_facts(account.owner) is not None,
        Owner.CHARITY: lambda: LedgerAccount.objects.filter(id=account_id).exists(),
    }
    if not known[CHART[account.kind].owner]():
        raise CorrectionNotPossible(f"{account_id} is nobody's account.")
    return account


def _check(account: Account, staff_id: str) -> None:
    if account.kind in NOT_BY_HAND:
        raise CorrectionNotPossible(
            f"{account.id} belongs to holds or withdrawals: release the hold or decide the withdrawal."
        )
    if account.owner == staff_id:
        raise CorrectionNotPossible("Nobody corrects their own account.")


def _open(correction: Correction, *, reason: str, staff_id: str, now: datetime) -> str:
    if not reason.strip():
        raise CorrectionNotPossible("Say why.")
    correction.reason = reason
    correction.requested_by = _staff(staff_id)
    correction.requested_at = now
    correction.status = CORRECTION.initial
    correction.needs_second_person = not _may_alone(correction, now)
    correction.save(force_insert=True)
    if correction.needs_second_person:
        _tell(correction, "request")
    else:
        _post(correction, staff_id=staff_id, note="", now=now)
    return str(correction.id)


def _may_alone(correction: Correction, now: datetime) -> bool:
    # Locked, so that of two requests at once the second one knows of the first.
    rows = CorrectionLimit.objects.select_for_update().filter(currency=correction.currency)
    limit = rows.filter(valid_from__lte=now).order_by("-valid_from").first()
    # Nobody widens their own limit.
    if limit is None or limit.set_by == correction.requested_by:
        return False
    alone = Correction.objects.filter(
        currency=correction.currency,
        needs_second_person=False,
        requested_by=correction.requested_by,
        requested_at__gt=now - WINDOW,
    ).aggregate(total=Sum("amount_minor"))["total"]
    return int(alone or 0) + correction.amount_minor <= limit.alone_minor


def _locked(correction_id: str) -> Correction:
    try:
        return Correction.objects.select_for_update().get(id=correction_id)
    except Correction.DoesNotExist:
        raise CorrectionNotFound(f"There is no correction {correction_id}.") from None


def _refuse_decided(correction: Correction, verb: str) -> None:
    try:
        CORRECTION.row(correction.status, verb, STAFF)
    except UnknownTransition:
        raise CorrectionDecided(f"It is {correction.status}.") from None


def _accounts_of(correction: Correction) -> set[str]:
    if correction.kind == CorrectionKind.MANUAL:
        return {correction.debit_account, correction.credit_account}
    sides = Transfer.objects.filter(posting_id=correction.undoes_id).values_list(
        "debit_account_id", "credit_account_id"
    )
    return {account_id for pair in sides for account_id in pair}


def _post(correction: Correction, *, staff_id: str, note: str, now: datetime) -> None:
    key, actor = f"correction:{correction.id}:posted", _staff(staff_id)
    if correction.undoes_id is not None:
        posted = reverse(
            correction.undoes_id,
            key=key,
            event=Event.CORRECTION,
            actor=actor,
            reason=correction.reason,
            now=now,
        )
    else:
        line = Line(
            Account.from_id(correction.debit_account),
            Account.from_id(correction.credit_account),
            Money(correction.amount_minor, correction.currency),
        )
        event = BY_HAND.get((line.debit.kind, line.credit.kind), Event.CORRECTION)
        if event is Event.DEBT_WRITTEN_OFF:
            _require_debt(line)
        posted = post(
            NewPosting(
                key=key,
                event=event,
                lines=(line,),
                reference=f"correction:{correction.id}",
                actor=actor,
                reason=correction.reason,
            ),
            now=now,
        )
    correction.posting_id = posted.id
    _decide(correction, "post", staff_id=staff_id, note=note, now=now)


def _require_debt(line: Line) -> None:
    # Locked: a sale that completes meanwhile pays the debt down.
    account = LedgerAccount.objects.select_for_update().filter(id=line.credit.id).first()
    owed = Money(max(0, -(account.balance_minor or 0)) if account else 0, line.amount.currency)
    if line.amount > owed:
        raise CorrectionNotPossible(f"{owed} are owed; no more is written off.")


def _decide(correction: Correction, verb: str, *, staff_id: str, note: str, now: datetime) -> None:
    correction.status = CORRECTION.row(correction.status, verb, STAFF).target
    correction.decided_by = _staff(staff_id)
    correction.decided_at = now
    correction.note = note
    correction.save(update_fields=["status", "decided_by", "decided_at", "note", "posting_id"])
    _tell(correction, verb)


def _tell(correction: Correction, verb: str) -> None:
    def tell() -> None:
        metrics.CORRECTIONS.labels(correction.kind, verb).inc()
        logger.info(
            "ledger_correction",
            verb=verb,
            correction_id=correction.id,
            kind=correction.kind,
            actor=correction.decided_by or correction.requested_by,
        )

    transaction.on_commit(tell)
