"""Which database, and how a session with it begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.env import env


def database(home: Path, *, url: str) -> dict[str, Any]:
    """DATABASES["default"]: the MySQL or MariaDB of DATABASE_URL, without one a SQLite file in `home`."""
    settings: dict[str, Any]
    if url:
        settings = dict(env.dj_db_url("DATABASE_URL"))
        settings["ENGINE"] = _ENGINES.get(settings["ENGINE"], settings["ENGINE"])
    else:
        settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(home / "preloved.sqlite3")}
    return settings | _SESSIONS.get(settings["ENGINE"], {})


_ENGINES = {"django.db.backends.mysql": "foundation.mysql"}

_SESSIONS: dict[str, dict[str, Any]] = {
    "foundation.mysql": {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            # A lock that is not had in 5 s is given up and the transaction retried: 50 s, the
            # server's default, would hold a web thread for as long.
            "init_command": "SET SESSION innodb_lock_wait_timeout = 5, "
            "sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO'",
        },
        # Both servers have this collation; a bare server would make a latin1 database.
        "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_520_ci"},
    },
    "django.db.backends.sqlite3": {
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            # A deferred transaction that starts with a read cannot wait for the writer: it fails.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        },
    },
}
