"""The embedded default's broker: kombu's transport over files, with messages that appear whole."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Writes a message under a name that no reader looks for, then renames it.

    kombu opens the message under its own name and writes afterwards. A reader that moves it away in
    between finds nothing in it, and the worker ends (https://github.com/celery/kombu/issues/1551).
    """

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # as kombu does
        # Readers take the names in their order; the name's end says which queue.
        name = f"{time.monotonic_ns()}_{uuid.uuid4()}"
        folder = Path(self.data_folder_out)
        unfinished = folder / f"{name}.unfinished"
        unfinished.write_bytes(str_to_bytes(dumps(payload)))
        unfinished.replace(folder / f"{name}.{queue}.msg")


class Transport(filesystem.Transport):
    """Named by CELERY_BROKER_TRANSPORT."""

    Channel = Channel
