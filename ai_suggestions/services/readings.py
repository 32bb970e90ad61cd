"""What was read from photos, kept by content."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import structlog
from django.db import IntegrityError, transaction

from ai_suggestions import queries
from ai_suggestions.contract import Json
from ai_suggestions.models import PhotoReading

logger = structlog.get_logger(__name__)


class Readings:
    """The store of what was read from photos (``contract.ReadingStore``) in the database."""

    def __init__(self, *, now: dt.datetime) -> None:
        self._now = now

    find: Callable[..., Json] = staticmethod(queries.find_reading)

    def keep(self, *, sha256: str, step: str, version: str, reading: Json) -> None:
        """Remember a reading; whoever is first wins, and both read the same."""
        try:
            with transaction.atomic():
                PhotoReading.objects.create(
                    sha256=sha256, step=step, step_version=version, reading=reading, read_at=self._now
                )
        except IntegrityError:
            logger.debug("photo_reading_known_already", step=step)
