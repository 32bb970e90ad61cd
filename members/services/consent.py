"""Whether a member's photos and texts may be learned from: off at first, given and withdrawn at any time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog
from django.conf import settings

from foundation.errors import FieldProblem
from members.models import Member, TrainingConsent

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange:
    """What a member says to the text of that version; a withdrawal needs none."""

    agreed: bool
    text_version: str = ""


def check_consent(change: ConsentChange) -> list[FieldProblem]:
    """A member agrees to the text that is current, not to one that an old client showed."""
    if change.agreed and change.text_version != settings.TRAINING_CONSENT_VERSION:
        return [
            FieldProblem(
                "/training_consent/text_version",
                "consent_text_outdated",
                f"The text to agree to is {settings.TRAINING_CONSENT_VERSION}.",
            )
        ]
    return []


def record_consent(member: Member, change: ConsentChange, *, now: dt.datetime) -> dict[str, object]:
    """Write what the member said into the history; the fields of the member that change with it.

    Saying the same again changes nothing. Part of the transaction of a service.
    """
    before = member.training_consent_version if member.training_consent_at is not None else ""
    after = change.text_version if change.agreed else ""
    if before == after:
        return {}
    TrainingConsent.objects.create(
        member_id=member.id, agreed=change.agreed, text_version=after or before, said_at=now
    )
    logger.info("training_consent_changed", member_id=member.id, agreed=change.agreed)
    return {"training_consent_at": now if change.agreed else None, "training_consent_version": after}
