"""Callbacks of payment providers: POST /webhooks/payments/{provider}, received by foundation.incoming."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from foundation.incoming import ParsedEvent, ReceivedEvent, Source, register
from orders.providers.payments import PROVIDERS, provider_named
from orders.providers.payments.contract import DisputeReport, PaymentReport, RefundReport
from orders.services.disputing import apply_dispute_report
from orders.services.payment_reports import apply_payment_report
from orders.services.refunding import apply_refund_report

KIND = "payments"


def register_sources() -> None:
    """Open the address of each provider that can sign: what a former one charged is still reported."""
    for name in PROVIDERS:
        if name != "stripe" or settings.STRIPE["webhook_secret"]:
            register(source_of(name))


def source_of(name: str) -> Source:
    """The callbacks of one provider."""
    provider = provider_named(name)

    def parse(body: bytes) -> ParsedEvent:
        callback = provider.read_callback(body)
        return ParsedEvent(callback.event_id, callback.subject_id, callback.occurred_at)

    def handle(event: ReceivedEvent, *, now: datetime) -> None:
        report = provider.read_callback(event.body.reveal()).report
        if isinstance(report, PaymentReport):
            apply_payment_report(name, report, now=now)
        elif isinstance(report, RefundReport):
            apply_refund_report(name, report, now=now)
        elif isinstance(report, DisputeReport):
            apply_dispute_report(name, report, now=now)

    return Source(kind=KIND, provider=name, verifier=provider.verifier, parse=parse, handle=handle)
