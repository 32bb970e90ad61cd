"""Arguments that several commands take, refused in words."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date, datetime


def day(text: str) -> date:
    """YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-03-02") from None


def moment(text: str) -> datetime:
    """ISO 8601 with offset."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} is no time with offset such as 2026-03-02T14:00:00Z")
    return at
