"""Where mails go: to an SMTP server, or without one to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.env import env

_OF_SMTP = (
    "EMAIL_BACKEND",
    "EMAIL_HOST",
    "EMAIL_PORT",
    "EMAIL_HOST_USER",
    "EMAIL_HOST_PASSWORD",
    "EMAIL_USE_TLS",
    "EMAIL_USE_SSL",
)


def mail_settings(home: Path) -> dict[str, Any]:
    """Django's settings for EMAIL_URL (smtp://user:password@host:587/?tls=True)."""
    if env.str("EMAIL_URL", ""):
        given = env.dj_email_url("EMAIL_URL")
        return {name: given[name] for name in _OF_SMTP}
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "EMAIL_FILE_PATH": str(home / "mail"),
    }
