from __future__ import annotations

from foundation.errors import RuleBroken


class SandboxClockRefused(RuleBroken):
    """It goes only forward, at most 366 days in one request and ten years in all; `errors` says which."""

    code = "sandbox_clock_refused"
    title = "The clock cannot be advanced like this"
