"""How large parcels are, and which one a bundle needs. The sizes are those that listings name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParcelSize:
    """What a parcel of this size may weigh, and how much of a larger one it takes up."""

    name: str
    weight_max_g: int
    takes: int
    holds: int


# Limits as carriers of second-hand marketplaces have them. `takes` is what one thing of this size needs in
# a shared parcel, `holds` what such a parcel has room for: two small things still make a small parcel.
SIZES = (
    ParcelSize("small", 2_000, takes=1, holds=2),
    ParcelSize("medium", 5_000, takes=3, holds=6),
    ParcelSize("large", 10_000, takes=6, holds=12),
    ParcelSize("custom", 30_000, takes=12, holds=24),
)
BY_NAME = {size.name: size for size in SIZES}


def size_of_parcel(sizes: Sequence[str]) -> str | None:
    """The smallest parcel that holds things of these sizes together; None when no parcel does.

    Raises KeyError for an unknown size, ValueError without any.
    """
    if not sizes:
        raise ValueError("a parcel holds something")
    if len(sizes) == 1:
        return BY_NAME[sizes[0]].name
    needed = sum(BY_NAME[size].takes for size in sizes)
    largest = max(SIZES.index(BY_NAME[size]) for size in sizes)
    return next((size.name for size in SIZES[largest:] if size.holds >= needed), None)
