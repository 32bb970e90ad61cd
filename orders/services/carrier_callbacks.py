"""Callbacks of carriers: POST /webhooks/carriers/{provider}, received by foundation.incoming."""

from __future__ import annotations

from datetime import datetime

from foundation.incoming import ParsedEvent, ReceivedEvent, Source, register
from orders.providers.carriers import CARRIERS, carrier_named
from orders.services.tracking import record_news

KIND = "carriers"


def register_sources() -> None:
    """Open the address of every provider: parcels sent through a former one are still reported."""
    for name in CARRIERS:
        register(_source(name))


def _source(name: str) -> Source:
    provider = carrier_named(name)

    def parse(body: bytes) -> ParsedEvent:
        news = provider.read_callback(body)
        return ParsedEvent(news.event_id, news.reference, news.occurred_at)

    def handle(event: ReceivedEvent, *, now: datetime) -> None:
        news = provider.read_callback(event.body.reveal())
        record_news(provider=name, news=news, received_at=event.received_at, now=now)

    return Source(kind=KIND, provider=name, verifier=provider.verifier, parse=parse, handle=handle)
