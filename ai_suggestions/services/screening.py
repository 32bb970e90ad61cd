"""Screening of a run's photos (ai_suggestions.screening) with what this marketplace knows of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings

import listings.queries as listings
from ai_suggestions.contract import FindingCode, PhotoFinding, PhotoInput, Provider, SuggestionRequest
from ai_suggestions.ondevice import safety
from ai_suggestions.screening import Screened
from ai_suggestions.services.safety import REASON, score
from listings.services import Flag, flag_photo


def screened(provider: Provider, *, listing_id: str) -> Provider:
    """The provider, given safe photos of this listing only; as it is when photo checks are switched off.

    A moderator's word counts for more than the net's: what was approved is looked at, what was rejected is
    not.
    """
    if not settings.PHOTO_CHECK:
        return provider
    ruled = {photo.id: photo.ruling for photo in listings.list_photos(listing_id) if photo.ruling}

    def judge(request: SuggestionRequest, photo: PhotoInput) -> tuple[float, bool]:
        reading = score(sha256=photo.sha256, content=photo.content, readings=request.readings)
        if photo.id in ruled:
            return reading.unsafe, ruled[photo.id] != "approved"
        return reading.unsafe, reading.needs_review

    return Screened(provider, score=judge, safety_version=safety.model_version())


def flag_found(findings: Sequence[PhotoFinding], *, photos: Sequence[PhotoInput], now: dt.datetime) -> None:
    """Ask for a moderator's look at the photos that the safety step found. Usually they have been already."""
    sha256_of = {photo.id: photo.sha256 for photo in photos}
    for finding in findings:
        if finding.code is FindingCode.UNSAFE:
            flag_photo(
                photo_id=finding.photo_id,
                sha256=sha256_of[finding.photo_id],
                flag=Flag(REASON, finding.score),
                now=now,
            )
