"""What the clock brings about with listings (foundation.sandbox)."""

from __future__ import annotations

from foundation.sandbox import Sweeper, earliest, register
from listings.models import Listing
from listings.services.deadlines import sweep_deadlines


def register_sweepers() -> None:
    """Called once the apps are loaded."""
    due = earliest(Listing.objects.all(), "due_at")
    register(Sweeper("listings.deadlines", sweep=sweep_deadlines, next_due=due))
