"""Callbacks of providers: verified, stored once, then handled in order (docs/webhooks.md).

An app that wants them registers a Source from its AppConfig.ready():

    register(Source(
        kind="payouts", provider="sandbox",
        verifier=HmacVerifier(lambda: settings.SANDBOX_WEBHOOK_SECRETS),
        parse=parse, handle=handle,
    ))

Its callbacks arrive at POST /api/v1/webhooks/payouts/sandbox.
"""

from __future__ import annotations

from foundation.incoming.signatures import HmacVerifier, sign
from foundation.incoming.sources import ParsedEvent, ReceivedEvent, Source, Verifier, register

__all__ = ["HmacVerifier", "ParsedEvent", "ReceivedEvent", "Source", "Verifier", "register", "sign"]
