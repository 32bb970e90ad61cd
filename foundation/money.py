"""Money: whole minor units plus a currency. No float ever touches it.

Exponents are those of ISO 4217 (list one, as published by SIX); only currencies of markets that
Preloved may open in are listed, and an unknown currency is an error, never a guess of two digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

EXPONENTS: dict[str, int] = {
    "ALL": 2, "BAM": 2, "BGN": 2, "CAD": 2, "CHF": 2, "CZK": 2, "DKK": 2, "EUR": 2, "GBP": 2,
    "HUF": 2, "ISK": 0, "JPY": 0, "KWD": 3, "MDL": 2, "MKD": 2, "NOK": 2, "PLN": 2, "RON": 2,
    "RSD": 2, "SEK": 2, "TRY": 2, "UAH": 2, "USD": 2,
}  # fmt: skip


class UnknownCurrency(ValueError):
    """The currency has no exponent in the table."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were combined."""


def exponent_of(currency: str) -> int:
    """Digits after the decimal point; raises UnknownCurrency."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(currency) from None


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units (cents) of an ISO 4217 currency. Raises UnknownCurrency, TypeError."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        # bool is an int in Python; neither it nor a float is an amount.
        if type(self.amount_minor) is not int:
            raise TypeError(f"amount_minor must be an int, not {type(self.amount_minor).__name__}")
        exponent_of(self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount_minor < other.amount_minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount_minor <= other.amount_minor

    def allocate(self, weights: list[int]) -> list[Money]:
        """Split by weights; the remainder goes to the largest remainders, ties to the earlier one.

        The parts always add up to the whole. Raises ValueError without a positive weight.
        """
        total = sum(weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise ValueError("weights must be non-negative and not all zero")
        shares = [divmod(self.amount_minor * weight, total) for weight in weights]
        parts = [quotient for quotient, _ in shares]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-shares[i][1], i))
        for i in by_remainder[: self.amount_minor - sum(parts)]:
            parts[i] += 1
        return [Money(part, self.currency) for part in parts]

    @property
    def amount(self) -> Decimal:
        """In major units, exact: Money(2470, "EUR").amount == Decimal("24.70")."""
        return Decimal(self.amount_minor).scaleb(-exponent_of(self.currency))

    def __str__(self) -> str:
        return f"{self.amount:,.{exponent_of(self.currency)}f} {self.currency}"

    def as_json(self) -> dict[str, int | str]:
        """The shape of money in the API."""
        return {"amount": self.amount_minor, "currency": self.currency}
