"""Signatures by HMAC-SHA-256 over the raw body: `Webhook-Signature: t=1700000000,v1=<hex>[,v1=<hex>…]`.

Signed is "<t>." followed by the body. Several v1 let a provider sign with its new and its former secret;
several secrets let us take both. Providers with a scheme of their own are verified by their SDK, in a
Verifier of the app's.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from foundation.incoming.errors import WebhookSignatureInvalid, WebhookTimestampStale

HEADER = "Webhook-Signature"
TOLERANCE = timedelta(minutes=5)
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
# More than any provider sends; each costs a comparison.
_MOST_SIGNATURES = 10


def sign(body: bytes, *, secret: str, at: datetime) -> str:
    """The header's value: for the sandbox, for tests, and for providers of one's own."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},v1={_digest(secret, seconds, body)}"


@dataclass(frozen=True, slots=True)
class HmacVerifier:
    """Takes what any of the active secrets has signed within the tolerance. No secret, no callback."""

    secrets: Callable[[], Sequence[str]]
    header: str = HEADER

    def verify(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> None:
        value = next((v for name, v in headers.items() if name.lower() == self.header.lower()), "")
        parts = [part.strip().partition("=") for part in value.split(",")]
        seconds = next((text for name, _, text in parts if name == "t"), "")
        given = [text for name, _, text in parts if name == "v1"][:_MOST_SIGNATURES]
        if not _TIMESTAMP.fullmatch(seconds):
            raise WebhookSignatureInvalid(f"Send {self.header}: t=<seconds>,v1=<hex>.")
        # All are compared, in constant time: neither which secret nor how much of it fits can be timed.
        fits = False
        for secret in self.secrets():
            expected = _digest(secret, seconds, body).encode()
            for signature in given:
                fits |= bool(secret) and hmac.compare_digest(expected, signature.encode())
        if not fits:
            raise WebhookSignatureInvalid
        if abs(now.timestamp() - int(seconds)) > TOLERANCE.total_seconds():
            raise WebhookTimestampStale(f"More than {TOLERANCE.seconds // 60} minutes from now.")


def _digest(secret: str, seconds: str, body: bytes) -> str:
    return hmac.digest(secret.encode(), seconds.encode() + b"." + body, "sha256").hex()
