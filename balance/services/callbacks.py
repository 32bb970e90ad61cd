"""Callbacks of payout providers: POST /webhooks/payouts/{provider}, received by foundation.incoming."""

from __future__ import annotations

from datetime import datetime

from balance.providers import PROVIDERS, provider_named
from balance.services.donation_payouts import apply_settlement_report, is_settlement_reference
from balance.services.reporting import apply_report
from foundation.incoming import ParsedEvent, ReceivedEvent, Source, register

KIND = "payouts"


def register_sources() -> None:
    """Open the address of every provider: what was sent through a former one is still reported."""
    for name in PROVIDERS:
        register(_source(name))


def _source(name: str) -> Source:
    provider = provider_named(name)

    def parse(body: bytes) -> ParsedEvent:
        callback = provider.read_callback(body)
        return ParsedEvent(callback.event_id, callback.subject_id, callback.occurred_at)

    def handle(event: ReceivedEvent, *, now: datetime) -> None:
        callback = provider.read_callback(event.body.reveal())
        if callback.report is None:
            return
        if is_settlement_reference(callback.report.reference):
            apply_settlement_report(name, callback.report, now=now)
        else:
            apply_report(name, callback.report, now=now)

    return Source(kind=KIND, provider=name, verifier=provider.verifier, parse=parse, handle=handle)
