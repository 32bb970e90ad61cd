"""What a seller gives of a sale; pure."""

from __future__ import annotations

from foundation.money import Money


def share_of(item: Money, percent: int) -> Money:
    """The charity's part of what the seller gets for the item: rounded half up to the minor unit.

    The seller gets the rest, so that both parts always add up: 9.99 at 33 % are 3.30 and 6.69. Raises
    ValueError for a negative amount, or a percentage outside of 0 to 100.
    """
    if item.amount_minor < 0 or not 0 <= percent <= 100:
        raise ValueError(f"{percent} % of {item}")
    return Money((item.amount_minor * percent + 50) // 100, item.currency)
