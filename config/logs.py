"""Logs as events: one line each on stderr, JSON in server mode, with the request's id."""

from __future__ import annotations

from typing import Any

import structlog

# One list, also when settings are read again: loggers that were used before keep the one they know.
_PROCESSORS: list[Any] = []


def logging_settings(*, level: str, as_json: bool) -> dict[str, Any]:
    """Configure structlog; the result is Django's LOGGING, so that libraries' lines look the same."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        # Only what is known to be harmless: libraries hand along whole requests and arguments.
        structlog.stdlib.ExtraAdder(allow={"status_code"}),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[Any] = (
        # Never with local variables: they hold what must not be in a log.
        [
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            structlog.processors.JSONRenderer(),
        ]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    _PROCESSORS[:] = [
        structlog.stdlib.filter_by_level,
        *shared,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # Our own line per request says more than theirs.
            "django.request": {"level": "ERROR"},
            # Scanners send any Host header; each is answered 400 and counted.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "django.server": {"level": "ERROR", "propagate": True},
        },
    }
