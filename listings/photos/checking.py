"""A look at each photo before it can be shown, by whoever `PHOTO_CHECK` names; listings do not know who.

The check runs in the worker that makes a photo ready, so a listing that can be published has no photo that
nobody looked at. It is a callable of the master's bytes; the setting is its dotted path, empty for none.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from listings import metrics

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Flag:
    """A person has to look. `reason` is one of listings.services.REASONS, `score` (0-1) orders the queue."""

    reason: str
    score: float


class PhotoCheck(Protocol):
    """What PHOTO_CHECK names. `sha256` is of `content` (lower-case hex), an upright JPEG without metadata."""

    def __call__(self, *, sha256: str, content: bytes, now: dt.datetime) -> Flag | None: ...


@lru_cache(maxsize=2)
def _named(path: str) -> PhotoCheck:
    return cast("PhotoCheck", import_string(path))


def check(*, photo_id: str, sha256: str, content: bytes, now: dt.datetime) -> Flag | None:
    """What the check says; None also when there is none, or when it broke.

    A broken check must not hold up every seller: the photo goes on, the failure is counted, and
    the check's owner looks again later (ai_suggestions.services.checking).
    """
    if not settings.PHOTO_CHECK:
        return None
    try:
        flag = _named(settings.PHOTO_CHECK)(sha256=sha256, content=content, now=now)
    except Exception:
        metrics.PHOTO_CHECKS.labels("failed").inc()
        logger.exception("photo_check_failed", photo_id=photo_id)
        return None
    metrics.PHOTO_CHECKS.labels("clear" if flag is None else "flagged").inc()
    return flag
