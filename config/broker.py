"""Where Celery's messages go: Redis, or files of the embedded default."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def broker(home: Path, redis_url: str) -> tuple[str, str | None, dict[str, Any]]:
    """CELERY_BROKER_URL, _TRANSPORT (None: as the URL says), _TRANSPORT_OPTIONS. Makes folders for files."""
    options: dict[str, Any]
    if redis_url:
        options = {
            # A message of a worker that vanished comes back after this; no task runs longer. With the
            # default throttle the restore itself took another 80 s (docs/adr/0004).
            "visibility_timeout": 180,
            "unacked_restore_throttle": 1,
            "socket_timeout": 5,
            "socket_connect_timeout": 2,
            # Of a publish only, which else tries for 6 s while a client waits; a worker reconnects for ever.
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0,
            "interval_max": 0,
        }
        return redis_url, None, options
    folder = home / "broker"
    (folder / "queue").mkdir(parents=True, exist_ok=True)
    (folder / "control").mkdir(parents=True, exist_ok=True)
    options = {
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.1,
    }
    return "filesystem://", "config.file_queue:Transport", options
