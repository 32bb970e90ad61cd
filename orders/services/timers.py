"""What the clock brings about with offers and orders (foundation.sandbox)."""

from __future__ import annotations

from foundation.sandbox import Sweeper, earliest, register
from orders.models import Offer
from orders.services.deadlines import sweep_offers


def register_sweepers() -> None:
    """Called once the apps are loaded."""
    due = earliest(Offer.objects.all(), "due_at")
    register(Sweeper("orders.offers", sweep=sweep_offers, next_due=due))
