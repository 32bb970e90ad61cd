"""Rounding, in one place: whole currency units, halves up, once for each quarter [R]."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from foundation.money import exponent_of

_HALF = Fraction(1, 2)


def round_half_up(value: Fraction) -> int:
    """ROUND_HALF_UP: halves go away from zero."""
    return floor(value + _HALF) if value >= 0 else -floor(-value + _HALF)


def whole_units(minor: int | Fraction, currency: str) -> int:
    """Minor units (cents, exact, perhaps a fraction of one) as whole units of the currency."""
    return round_half_up(Fraction(minor) / 10 ** exponent_of(currency))


def as_euros(minor: int, currency: str, rate: Fraction) -> Fraction:
    """Exact; ``rate`` is so many units of the currency for one euro."""
    scale: int = 10 ** exponent_of(currency)
    return Fraction(minor) / (scale * rate)
