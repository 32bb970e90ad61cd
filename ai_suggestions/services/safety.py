"""The safety net's word on a photo, kept by content so that no photo is scored twice."""

from __future__ import annotations

import datetime as dt

from ai_suggestions.contract import ReadingStore
from ai_suggestions.ondevice import safety
from ai_suggestions.ondevice.views import picture_of
from ai_suggestions.services.readings import Readings
from listings.services import Flag

STEP = "safety"
REASON = "unsafe_photo"


def score(*, sha256: str, content: bytes, readings: ReadingStore) -> safety.SafetyReading:
    """How likely a photo (encoded) must not be shown. Raises OSError when it cannot be decoded, and
    FileNotFoundError, which is one, when the net's weights are missing.
    """
    version = safety.model_version()
    known = readings.find(sha256=sha256, step=STEP, version=version)
    if known is not None:
        return safety.SafetyReading(unsafe=known["unsafe"])
    reading = safety.read(picture_of(content))
    readings.keep(sha256=sha256, step=STEP, version=version, reading={"unsafe": reading.unsafe})
    return reading


def flag_of(reading: safety.SafetyReading) -> Flag | None:
    """The flag of a photo that a person should look at first."""
    return Flag(REASON, reading.unsafe) if reading.needs_review else None


def check_content(*, sha256: str, content: bytes, now: dt.datetime) -> Flag | None:
    """What PHOTO_CHECK names: called by the worker that makes a photo ready, before anybody can see it."""
    return flag_of(score(sha256=sha256, content=content, readings=Readings(now=now)))
