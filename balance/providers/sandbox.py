"""A bank that pays nobody: the embedded default, and the stage of tests and demos.

What it knows is in a table, so that it outlives the process and every process sees the same bank. It is
driven through ``script`` and ``settle`` (the API under /sandbox/payouts, while SANDBOX is on). Its callbacks
are signed like a real one's.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings

from balance.models import SandboxPayout
from balance.providers.contract import (
    Callback,
    CallbackUnreadable,
    Outcome,
    OutcomeUnknown,
    PayoutOrder,
    PayoutReport,
)
from foundation.db import atomic_retry
from foundation.ids import new_id
from foundation.incoming import HmacVerifier, sign
from foundation.incoming.signatures import HEADER
from foundation.money import Money

PAYS_AFTER_S = 60
_Answer = SandboxPayout.Answer


class SandboxBank:
    """The embedded provider."""

    name = "sandbox"
    verifier = HmacVerifier(lambda: [_secret()])

    def send(self, order: PayoutOrder, *, now: datetime) -> PayoutReport:
        """Takes it at once and pays it after a minute, unless a script says otherwise."""
        answer, row = self._take(order, now)
        if answer == _Answer.UNAVAILABLE:
            raise OutcomeUnknown("the bank is down")
        if answer == _Answer.TIME_OUT:
            raise OutcomeUnknown("the answer got lost")
        if answer == _Answer.REFUSE:
            return PayoutReport(
                order.reference, "", Outcome.FAILED, order.amount, row.reason or "account_closed"
            )
        return _report(row, now)

    @atomic_retry
    def _take(self, order: PayoutOrder, now: datetime) -> tuple[str, SandboxPayout]:
        SandboxPayout.objects.bulk_create(
            [SandboxPayout(reference=order.reference, pays_after_s=PAYS_AFTER_S)], ignore_conflicts=True
        )
        row = SandboxPayout.objects.select_for_update().get(reference=order.reference)
        answer = str(row.answer) if row.answers_left else _Answer.ACCEPT.value
        row.answers_left = max(0, row.answers_left - 1)
        row.calls += 1
        if answer in (_Answer.ACCEPT, _Answer.TIME_OUT) and row.provider_id is None:
            row.provider_id = f"sandbox-{new_id()}"
            row.amount_minor, row.currency = order.amount.amount_minor, order.amount.currency
            row.taken_at = now
        row.save(force_update=True)
        return answer, row

    def look_up(self, reference: str, provider_id: str, *, now: datetime) -> PayoutReport:
        """Raises OutcomeUnknown for what it never took."""
        row = SandboxPayout.objects.filter(reference=reference, provider_id=provider_id).first()
        if row is None:
            raise OutcomeUnknown("never heard of it")
        return _report(row, now)

    def read_callback(self, body: bytes) -> Callback:
        """As ``callback`` wrote it."""
        try:
            told = json.loads(body)
            return Callback(
                event_id=told["event_id"],
                subject_id=told["reference"],
                occurred_at=datetime.fromisoformat(told["occurred_at"]),
                report=PayoutReport(
                    told["reference"],
                    told["provider_id"],
                    Outcome(told["outcome"]),
                    Money(told["amount"], told["currency"]),
                    told["reason"],
                ),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise CallbackUnreadable(type(error).__name__) from None


@atomic_retry
def script(
    reference: str, *, answer: str, times: int, reason: str = "", pays_after_s: int | None = None
) -> None:
    """How the bank shall answer the next ``times`` calls for this reference; then it accepts."""
    SandboxPayout.objects.update_or_create(
        reference=reference,
        defaults={
            "answer": answer,
            "answers_left": times,
            "reason": reason,
            "pays_after_s": pays_after_s,
        },
    )


def settle(reference: str, outcome: Outcome, *, reason: str = "") -> bool:
    """Make the bank's own truth about a payout that it took; False where it took none."""
    return bool(
        SandboxPayout.objects.filter(reference=reference, provider_id__isnull=False).update(
            outcome=outcome.value, reason=reason, pays_after_s=None
        )
    )


def callback(reference: str, outcome: Outcome, *, now: datetime) -> tuple[bytes, dict[str, str]]:
    """The message about this outcome, as the bank sends it: body and headers. A repeat has the same event id.

    Raises SandboxPayout.DoesNotExist.
    """
    row = SandboxPayout.objects.get(reference=reference, provider_id__isnull=False)
    body = json.dumps(
        {
            "event_id": f"{row.provider_id}:{outcome.value}",
            "occurred_at": now.isoformat(),
            "reference": reference,
            "provider_id": row.provider_id,
            "outcome": outcome.value,
            "amount": row.amount_minor,
            "currency": row.currency,
            "reason": row.reason if outcome in (Outcome.FAILED, Outcome.RETURNED) else "",
        }
    ).encode()
    return body, signed_headers(body, now)


def statement(currency: str, *, fee: str, since: datetime, now: datetime) -> Iterator[list[str]]:
    """What left the bank and came back of the payouts that it took since then: lines of a file of transfers.

    In order; their shape is in docs/money.md, "Reconciliation". ``fee`` is what it takes for each that left.
    """
    rows = SandboxPayout.objects.filter(currency=currency, taken_at__gte=since, taken_at__lte=now)
    for row in rows.order_by("taken_at", "id"):
        report = _report(row, now)
        at = row.taken_at.isoformat() if row.taken_at is not None else ""
        amount = f"{report.amount.amount:f}"
        if report.outcome in (Outcome.PAID, Outcome.RETURNED):
            yield ["transfer", report.provider_id, row.reference, f"-{amount}", fee, currency, at]
        if report.outcome is Outcome.RETURNED:
            back = f"{report.provider_id}-back"
            yield ["transfer_returned", back, row.reference, amount, "0", currency, at]


def signed_headers(body: bytes, now: datetime) -> dict[str, str]:
    """The headers that make a body the sandbox bank's."""
    return {HEADER: sign(body, secret=_secret(), at=now)}


def _secret() -> str:
    # Derived from our own: nobody else has to know it.
    return hmac.digest(settings.SECRET_KEY.encode(), b"balance.providers.sandbox", "sha256").hex()


def _report(row: SandboxPayout, now: datetime) -> PayoutReport:
    outcome = Outcome(row.outcome)
    if (
        outcome is Outcome.PENDING
        and row.pays_after_s is not None
        and row.taken_at is not None
        and row.taken_at + timedelta(seconds=row.pays_after_s) <= now
    ):
        SandboxPayout.objects.filter(id=row.id, outcome=Outcome.PENDING.value).update(
            outcome=Outcome.PAID.value
        )
        outcome = Outcome.PAID
    amount = Money(row.amount_minor or 0, row.currency)
    return PayoutReport(
        row.reference,
        row.provider_id or "",
        outcome,
        amount,
        row.reason if outcome in (Outcome.FAILED, Outcome.RETURNED) else "",
    )
