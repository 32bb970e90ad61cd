"""What a buyer pays: buyer protection fee, the VAT inside it, a bundle's discount. Pure, and no float.

Rates are whole basis points (500 = 5 %). Every division states where the remainder goes: single figures are
rounded half up to the minor unit, parts of a whole by largest remainder, ties to the earlier part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foundation.money import Money

WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class FeeRule:
    """The buyer protection fee of a market: `fixed` once per parcel and a rate of the items' price."""

    fixed: Money
    rate_bp: int
    vat_rate_bp: int


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a seller's discount ladder: from so many items on, so many per cent off all of them."""

    items: int
    percent: int


@dataclass(frozen=True, slots=True)
class Fee:
    """The fee that the buyer pays, and what it consists of: `net + vat == total`."""

    total: Money
    net: Money
    vat: Money


@dataclass(frozen=True, slots=True)
class Price:
    """What some listings of one seller cost together, without postage.

    `items` are the prices after the discount, in the order asked for; they add up to `items_total`.
    """

    items: tuple[Money, ...]
    before_discount: Money
    discount: Money
    items_total: Money
    fee: Fee

    @property
    def total(self) -> Money:
        return self.items_total + self.fee.total


def rate_of(amount: Money, rate_bp: int) -> Money:
    """A share of a non-negative amount, rounded half up to the minor unit."""
    return Money(_half_up(amount.amount_minor * rate_bp, WHOLE_BP), amount.currency)


def protection_fee(items_total: Money, rule: FeeRule) -> Fee:
    """Fixed part plus rate of the items' price after discount, VAT inside. Raises CurrencyMismatch."""
    return fee_of(rule.fixed + rate_of(items_total, rule.rate_bp), rule.vat_rate_bp)


def fee_of(total: Money, vat_rate_bp: int) -> Fee:
    """A fee with the VAT inside it: net is rounded half up, VAT is the rest."""
    net = Money(_half_up(total.amount_minor * WHOLE_BP, WHOLE_BP + vat_rate_bp), total.currency)
    return Fee(total=total, net=net, vat=total - net)


def percent_off(steps: Sequence[Step], items: int) -> int:
    """What the ladder gives for so many items: the highest rung reached, 0 below the first."""
    return max((step.percent for step in steps if step.items <= items), default=0)


def price_of(prices: Sequence[Money], *, percent: int, rule: FeeRule) -> Price:
    """The price of one parcel with these items at `percent` off, and one fee for all of them.

    The total is discounted and rounded once, then shared out. Raises ValueError without items or outside
    0-99 per cent, CurrencyMismatch.
    """
    if not prices or not 0 <= percent < 100 or any(price.amount_minor <= 0 for price in prices):
        raise ValueError("a price needs items that cost something, and a discount that leaves something")
    before = sum(prices[1:], start=prices[0])
    items_total = rate_of(before, WHOLE_BP - percent * 100)
    return Price(
        items=tuple(items_total.allocate([price.amount_minor for price in prices])),
        before_discount=before,
        discount=before - items_total,
        items_total=items_total,
        fee=protection_fee(items_total, rule),
    )


def least_offer(price: Money, floor_bp: int) -> Money:
    """The lowest amount that may be offered: a share of the price, rounded up so that it is not undercut."""
    return Money(-(-price.amount_minor * floor_bp // WHOLE_BP), price.currency)


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
