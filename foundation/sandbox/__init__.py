"""The clock that a sandbox's users advance, and what has to happen on the way (docs/sandbox.md).

    from foundation.sandbox import Sweeper, earliest, register

    register(Sweeper("orders.offers", sweep=sweep_offers, next_due=earliest(Offer.objects.all(), "due_at")))

in an app's AppConfig.ready(); from then on, offers expire as the clock passes their deadlines.
"""

from __future__ import annotations

from foundation.sandbox.sweepers import Sweeper, earliest, register

__all__ = ["Sweeper", "earliest", "register"]
