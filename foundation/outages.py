"""A server that does not answer is asked again only after a pause, or every request would wait for it."""

from __future__ import annotations

import time

PAUSE_S = 3.0


class Outage:
    """Whether a server was found silent a moment ago. One per server and process; threads may share it."""

    def __init__(self) -> None:
        self._until = 0.0

    def lasts(self) -> bool:
        """Whether to do without the server for now."""
        return time.monotonic() < self._until

    def begin(self) -> None:
        """It did not answer."""
        self._until = time.monotonic() + PAUSE_S

    def end(self) -> None:
        """Ask it again at once."""
        self._until = 0.0
