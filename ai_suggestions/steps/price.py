"""A price range from comparable items, and an honest blank where there are too few.

Quantiles of the marketplace's own prices for category x brand x condition. A cell with few items is pulled
towards the cell above it (without the condition, then without the brand), and that towards a small table of
starting estimates:

    q(cell) = (n * q(items) + STRENGTH * q(cell above)) / (n + STRENGTH)

on logarithms of prices, because prices differ by factors. An asked price counts half a sold one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ai_suggestions.contract import (
    Alternative,
    ComparableItem,
    Evidence,
    Field,
    Proposal,
    Source,
    abstained,
    choice,
    proposed,
)
from ai_suggestions.steps.known import Known
from foundation.money import Money, exponent_of

VERSION = "price-2"
LIMIT = 200  # comparable items looked at
STRENGTH = 5.0  # weight of the cell above, in sold items
THIN_BELOW = 5.0  # with less weight than this there is nothing to fill in
SHOWN = 8  # comparable items shown as evidence
QUANTILES = (0.25, 0.5, 0.75)
ASKED_COUNTS = 0.5

# Typical second-hand prices in whole euros (low, middle, high) of a thing in good condition without a known
# brand. Our own estimate, made in November 2026 before there were any sales; not data, and shown as an
# estimate. It is only ever offered as a choice, and weighs STRENGTH against real items.
COLD_START_EUR: MappingProxyType[str, tuple[int, int, int]] = MappingProxyType(
    {
        "t_shirt": (3, 6, 12),
        "longsleeve": (5, 9, 16),
        "pants": (7, 13, 24),
        "shoes": (12, 22, 40),
        "shirt": (6, 10, 18),
        "dress": (8, 15, 28),
        "outwear": (15, 28, 55),
        "shorts": (5, 9, 16),
        "hat": (4, 8, 14),
        "skirt": (6, 11, 20),
        "polo": (6, 10, 18),
        "undershirt": (3, 5, 9),
        "blazer": (12, 20, 38),
        "hoodie": (9, 16, 28),
        "body": (3, 6, 11),
        "top": (4, 7, 13),
        "blouse": (6, 10, 18),
        "backpack": (10, 18, 35),
        "handbag": (12, 22, 45),
        "book": (2, 5, 9),
        "chair": (15, 30, 60),
        "camera": (40, 90, 200),
        "lens": (40, 90, 200),
        "skateboard": (15, 30, 55),
        "lamp": (8, 16, 32),
        "watch": (15, 35, 80),
        "sunglasses": (8, 15, 30),
        "bicycle": (60, 120, 240),
        "guitar": (50, 100, 190),
    }
)

# What a condition does to a price, "good" being 1. Our own estimate, as above.
CONDITION_FACTOR: MappingProxyType[str, float] = MappingProxyType(
    {
        "new_with_tags": 1.5,
        "new_without_tags": 1.3,
        "very_good": 1.15,
        "good": 1.0,
        "satisfactory": 0.75,
        "not_fully_functional": 0.4,
    }
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Low, middle and high price as natural logarithms of minor units, and the weight of items behind it."""

    quantiles: tuple[float, float, float]
    weight: float


def weighted_quantile(values: Sequence[tuple[float, float]], share: float) -> float:
    """The value below which ``share`` (0-1) of the weight lies, between values linearly.

    ``values`` are (value, weight > 0), at least one.
    """
    ordered = sorted(values)
    total = sum(weight for _, weight in ordered)
    passed = 0.0
    previous: tuple[float, float] | None = None
    for value, weight in ordered:
        middle = (passed + weight / 2) / total
        if middle >= share:
            if previous is None:
                return value
            before, at = previous
            return before + (value - before) * (share - at) / (middle - at)
        previous = (value, middle)
        passed += weight
    return ordered[-1][0]


def _log_prices(items: Sequence[ComparableItem], condition_id: str | None) -> list[tuple[float, float]]:
    """(log price as if in our condition, weight)."""
    wanted = CONDITION_FACTOR.get(condition_id or "", 1.0)
    return [
        (
            math.log(item.price_minor * wanted / CONDITION_FACTOR.get(item.condition_id or "", 1.0)),
            1.0 if item.sold else ASKED_COUNTS,
        )
        for item in items
        if item.price_minor > 0
    ]


def _shrunk(
    items: Sequence[ComparableItem], above: Estimate | None, condition_id: str | None
) -> Estimate | None:
    prices = _log_prices(items, condition_id)
    if not prices:
        return above
    own = tuple(weighted_quantile(prices, share) for share in QUANTILES)
    weight = sum(w for _, w in prices)
    if above is None:
        return Estimate((own[0], own[1], own[2]), weight)
    low, middle, high = (
        (weight * mine + STRENGTH * theirs) / (weight + STRENGTH)
        for mine, theirs in zip(own, above.quantiles, strict=True)
    )
    return Estimate((low, middle, high), max(weight, above.weight))


def _starting(kind: str | None, currency: str, condition_id: str | None) -> Estimate | None:
    """From the table; only in euros, because a fixed exchange rate would be one more invention."""
    if currency != "EUR" or kind is None or kind not in COLD_START_EUR:
        return None
    factor = CONDITION_FACTOR.get(condition_id or "", 1.0)
    low, middle, high = (math.log(euros * 100 * factor) for euros in COLD_START_EUR[kind])
    return Estimate((low, middle, high), 0.0)


def rounded(amount_minor: float, currency: str) -> int:
    """An amount that people would ask: in halves below 20 units, in units below 100, in fives above."""
    unit: int = 10 ** exponent_of(currency)
    if amount_minor < 20 * unit:
        step = max(1, unit // 2)
    elif amount_minor < 100 * unit:
        step = unit
    else:
        step = 5 * unit
    # Money is exact from here on; the estimate before it is not money yet.
    return max(step, math.floor(amount_minor / step + 0.5) * step)


def estimate(
    items: Sequence[ComparableItem], *, known: Known, currency: str
) -> tuple[Estimate, tuple[ComparableItem, ...]] | None:
    """The shrunken estimate and the items it rests on, the closest first; None when nothing is known."""
    usable = [item for item in items if item.currency == currency and item.price_minor > 0]
    branded = [item for item in usable if known.brand_id is not None and item.brand_id == known.brand_id]
    alike = [
        item for item in branded if known.condition_id is not None and item.condition_id == known.condition_id
    ]
    result = _starting(known.kind, currency, known.condition_id)
    for cell in (usable, branded, alike):
        result = _shrunk(cell, result, known.condition_id)
    if result is None:
        return None
    close = {item.listing_id: 0 for item in usable}
    for cell in (branded, alike):
        for item in cell:
            close[item.listing_id] += 1
    nearest = sorted(usable, key=lambda item: (-close[item.listing_id], not item.sold))
    return result, tuple(nearest[:SHOWN])


def propose_price(items: Sequence[ComparableItem], *, known: Known, currency: str) -> Proposal:
    """The middle price, with the low and the high end of the range as alternatives."""
    if not known.category_ids and known.kind is None:
        return abstained(Field.PRICE, note="thing_unknown")
    found = estimate(items, known=known, currency=currency)
    if found is None:
        return abstained(Field.PRICE, note="no_comparables")
    result, shown = found
    low, middle, high = (
        Money(rounded(math.exp(quantile), currency), currency).as_json() for quantile in result.quantiles
    )
    evidence = [
        Evidence(Source.SALES, note="comparable_items", comparables=shown)
        if shown
        else Evidence(Source.ESTIMATE, text=known.kind, note="starting_estimate")
    ]
    # Items that all cost the same show no range, so none is offered.
    ends = [Alternative(end, label=label) for end, label in ((low, "low"), (high, "high")) if end != middle]
    if result.weight >= THIN_BELOW:
        # Half of comparable items lie inside the range by construction; more items make the middle steadier.
        confidence = round(0.5 + 0.4 * result.weight / (result.weight + 20.0), 4)
        return proposed(Field.PRICE, middle, confidence, evidence=evidence, alternatives=ends)
    note = "few_comparables" if shown else "starting_estimate"
    middle_way = Alternative(middle, label="middle")
    return choice(Field.PRICE, [middle_way, *ends], note=note, evidence=evidence)
