"""Who sells so little that nobody reports it, and who is about to sell more. Pure.

Excluded is a seller with fewer than 30 activities *and* not more than EUR 2,000 in the year (Annex V,
I.B.4(d) [S]); at exactly 2,000.00 Germany reports ("less than", section 4(5) PStTG [S]).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from dac7.states import StateRules

# Told before it matters: a regulator fined a marketplace for surprising its sellers. Our policy.
NEAR_ACTIVITIES = 25
NEAR_EUROS = 1_700


class Standing(StrEnum):
    """How near to being reported a seller is; it only grows within a year, but for refunds."""

    NONE = "none"  # no sale yet
    SMALL = "small"
    NEAR = "near"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Distance:
    """What a seller may still sell without being reported. ``euros`` is exact."""

    activities: int
    euros: Fraction


def is_small(activities: int, euros: Fraction, rules: StateRules) -> bool:
    """Both limbs: few activities and little money."""
    few = activities < rules.activities_below
    limit = Fraction(rules.limit)
    return few and (euros < limit if rules.is_limit_reported else euros <= limit)


def standing_of(activities: int, euros: Fraction, rules: StateRules) -> Standing:
    """Where a seller stands in a year that is not over."""
    if not is_small(activities, euros, rules):
        return Standing.OVER
    if activities >= NEAR_ACTIVITIES or euros >= NEAR_EUROS:
        return Standing.NEAR
    return Standing.SMALL if activities or euros else Standing.NONE


def distance_to_limits(activities: int, euros: Fraction, rules: StateRules) -> Distance:
    """The first sale or cent beyond either makes the seller reportable; never below zero."""
    return Distance(
        max(rules.activities_below - 1 - activities, 0), max(Fraction(rules.limit) - euros, Fraction(0))
    )
