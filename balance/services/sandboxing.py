"""Playing bank: what drives the sandbox's own, for tests and demos. Only while settings.SANDBOX is on."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from balance.errors import SandboxPayoutNotFound
from balance.models import SandboxPayout, Withdrawal
from balance.providers import sandbox
from balance.providers.contract import Outcome
from balance.services.callbacks import KIND
from foundation.incoming.processing import process_event
from foundation.incoming.receiving import receive


def script_payout(
    *,
    member_id: str,
    withdrawal_id: str,
    answer: str,
    times: int,
    reason: str = "",
    pays_after_s: int | None = None,
) -> None:
    """How the bank answers the next calls for this withdrawal. Raises SandboxPayoutNotFound."""
    _require_own(member_id, withdrawal_id)
    sandbox.script(withdrawal_id, answer=answer, times=times, reason=reason, pays_after_s=pays_after_s)


def settle_payout(
    *, member_id: str, withdrawal_id: str, outcome: Outcome, reason: str, times: int, now: datetime
) -> list[str]:
    """The bank pays it, fails or returns it, and tells us `times` times; at once rather than by a worker.

    Returns `new` or `repeated` for each callback. Raises SandboxPayoutNotFound for what it never took.
    """
    _require_own(member_id, withdrawal_id)
    if not sandbox.settle(withdrawal_id, outcome, reason=reason):
        raise SandboxPayoutNotFound("The bank was not asked for it yet.")
    return _tell(withdrawal_id, outcome, times=times, now=now)


def repeat_callback(
    *, member_id: str, withdrawal_id: str, outcome: Outcome, times: int, now: datetime
) -> list[str]:
    """Tell old or wrong news: the callback of an outcome that the bank's own books do not show any more.

    Returns `new` or `repeated` for each. Raises SandboxPayoutNotFound.
    """
    _require_own(member_id, withdrawal_id)
    try:
        return _tell(withdrawal_id, outcome, times=times, now=now)
    except SandboxPayout.DoesNotExist:
        raise SandboxPayoutNotFound("The bank was not asked for it yet.") from None


def _tell(withdrawal_id: str, outcome: Outcome, *, times: int, now: datetime) -> list[str]:
    effects = []
    for _ in range(times):
        body, headers = sandbox.callback(withdrawal_id, outcome, now=now)
        event_id, is_new = receive(kind=KIND, provider="sandbox", body=body, headers=headers, now=now)
        process_event(event_id=event_id, now=now)
        effects.append("new" if is_new else "repeated")
    return effects


def _require_own(member_id: str, withdrawal_id: str) -> None:
    own = Withdrawal.objects.filter(id=withdrawal_id, member_id=member_id, provider="sandbox")
    if not settings.SANDBOX or not own.exists():
        raise SandboxPayoutNotFound
