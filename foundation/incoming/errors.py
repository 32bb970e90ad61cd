"""Why a callback is not taken. What was sent is in none of them."""

from __future__ import annotations

from foundation.errors import Conflict, Malformed, Unauthenticated


class WebhookSignatureInvalid(Unauthenticated):
    """Unsigned, forged, or signed with a secret that is not active."""

    code = "webhook_signature_invalid"
    title = "The signature does not fit the body"


class WebhookTimestampStale(Malformed):
    """Signed too long ago, or in the future: perhaps somebody else's copy of a former callback."""

    code = "webhook_timestamp_stale"
    title = "The callback was signed at another time"


class WebhookMalformed(Malformed):
    """Rightly signed, but not an event that its source describes."""

    code = "webhook_malformed"
    title = "The callback cannot be read"


class IncomingEventNotDead(Conflict):
    code = "incoming_event_not_dead"
    title = "Only an event that was given up can be processed again"


class IncomingEventPurged(Conflict):
    code = "incoming_event_purged"
    title = "What the provider sent was deleted when its time was up"
