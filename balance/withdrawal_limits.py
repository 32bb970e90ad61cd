"""The least and the most of one withdrawal, where a market has no row of its own (WithdrawalLimit); pure."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.money import EXPONENTS, Money

# Major units, worth about one euro and ten thousand. Ours: no law sets them. The least keeps a bank fee
# from costing more than it moves; the most bounds what one stolen session can do in a day.
_ABOUT_ONE_EURO = {
    "ALL": 100, "BAM": 2, "BGN": 2, "CAD": 2, "CHF": 1, "CZK": 25, "DKK": 8, "EUR": 1, "GBP": 1,
    "HUF": 400, "ISK": 150, "JPY": 150, "KWD": 1, "MDL": 20, "MKD": 60, "NOK": 12, "PLN": 5, "RON": 5,
    "RSD": 120, "SEK": 12, "TRY": 40, "UAH": 45, "USD": 1,
}  # fmt: skip
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Both inclusive."""

    minimum: Money
    maximum: Money


def default_limits(currency: str) -> Limits:
    """Raises KeyError for an unknown currency."""
    one_euro = _ABOUT_ONE_EURO[currency] * 10 ** EXPONENTS[currency]
    return Limits(Money(one_euro, currency), Money(one_euro * _MOST, currency))
