"""Waking a worker. A ring may get lost: the row is the work, and a sweeper rings again."""

from __future__ import annotations

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)

# By name: services stand below tasks and do not import them.
PROCESS_PHOTO = "listings.tasks.process_photo"


def ring(photo_id: str) -> None:
    """Ask a worker to process a photo. Call it after the commit; it never raises for a broker's sake."""
    try:
        current_app.send_task(PROCESS_PHOTO, args=[photo_id])
    except (OperationalError, OSError):
        logger.warning("ring_failed", photo_id=photo_id, exc_info=True)
