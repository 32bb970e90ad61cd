"""A seller's discounts for several items bought together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime

import structlog

from foundation.db import atomic_retry
from foundation.errors import FieldProblem
from orders.errors import BundleDiscountsStale, InvalidBundleDiscounts
from orders.models import BundleDiscount, BundleLadder
from orders.models.bundles import STEPS_MAX
from orders.pricing import Step
from orders.queries.bundles import LadderFacts, get_ladder

logger = structlog.get_logger(__name__)


@atomic_retry
def set_discounts(
    *, seller_id: str, steps: Sequence[Step], expected_version: int, now: datetime
) -> LadderFacts:
    """Replace the ladder; without steps there is no discount. Bundles show it at once.

    Raises InvalidBundleDiscounts (every problem at once), BundleDiscountsStale.
    """
    problems = list[FieldProblem]()
    if len(steps) > STEPS_MAX:
        problems.append(FieldProblem("/steps", "too_many_steps", f"At most {STEPS_MAX}."))
    for i, (lower, upper) in enumerate(itertools.pairwise(steps), start=1):
        if upper.items <= lower.items:
            problems.append(FieldProblem(f"/steps/{i}/items", "items_not_rising", "More than before."))
        if upper.percent <= lower.percent:
            problems.append(FieldProblem(f"/steps/{i}/percent", "percent_not_rising", "More than before."))
    if problems:
        raise InvalidBundleDiscounts(errors=problems)
    BundleLadder.objects.bulk_create([BundleLadder(seller_id=seller_id)], ignore_conflicts=True)
    ladder = BundleLadder.objects.select_for_update().get(seller_id=seller_id)
    if ladder.version != expected_version:
        raise BundleDiscountsStale("Read them again, apply your change to what they are now, and retry.")
    ladder.version += 1
    ladder.changed_at = now
    ladder.save(force_update=True)
    BundleDiscount.objects.filter(ladder_id=seller_id).delete()
    BundleDiscount.objects.bulk_create(
        BundleDiscount(ladder_id=seller_id, items=step.items, percent=step.percent) for step in steps
    )
    logger.info("bundle_discounts_set", member_id=seller_id, steps=len(steps))
    return get_ladder(seller_id)
