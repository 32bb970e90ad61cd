"""The test provider: its callbacks, and a handler whose effect is a row of the sessions' table."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session

from foundation.incoming import HmacVerifier, ParsedEvent, ReceivedEvent, Source

SECRETS = ["whsec-current", "whsec-former"]


def parse(body: bytes) -> ParsedEvent:
    document = json.loads(body)
    return ParsedEvent(document["id"], document["subject"], datetime.fromisoformat(document["at"]))


def source(note: Callable[[str], None]) -> Source:
    def handle(event: ReceivedEvent, *, now: datetime) -> None:
        # Twice would break the primary key: once is once.
        Session.objects.create(
            session_key=event.event_id, session_data=event.subject_id, expire_date=now + timedelta(days=1)
        )
        note(event.event_id)

    return Source(
        kind="pay", provider="test", verifier=HmacVerifier(lambda: SECRETS), parse=parse, handle=handle
    )
