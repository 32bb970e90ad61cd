"""Prices: the design's figures, and what holds for any figures."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.money import CurrencyMismatch, Money
from orders.pricing import (
    FeeRule,
    Step,
    least_offer,
    percent_off,
    price_of,
    protection_fee,
)
from tests.factories.money import euros

EURO_RULE = FeeRule(fixed=euros(70), rate_bp=500, vat_rate_bp=2100)
LADDER = (Step(2, 5), Step(3, 10), Step(5, 20))

prices = st.lists(st.integers(1, 10**8), min_size=1, max_size=8)
percents = st.integers(0, 50)


class TestProtectionFee:
    @pytest.mark.parametrize(
        ("price", "fee"), [(100, 75), (110, 76), (130, 77), (999, 120), (2000, 170), (50000, 2570)]
    )
    def test_is_fixed_plus_five_per_cent_rounded_half_up(self, price: int, fee: int) -> None:
        assert protection_fee(euros(price), EURO_RULE).total == euros(fee)

    def test_holds_vat_that_adds_up(self) -> None:
        fee = protection_fee(euros(2000), EURO_RULE)
        assert (fee.net, fee.vat) == (euros(140), euros(30))

    @pytest.mark.parametrize(
        ("currency", "fixed", "price", "fee"),
        [("PLN", 290, 10000, 790), ("JPY", 100, 1010, 151), ("KWD", 210, 6150, 518)],
    )
    def test_is_in_minor_units_of_any_currency(self, currency: str, fixed: int, price: int, fee: int) -> None:
        rule = FeeRule(Money(fixed, currency), 500, 0)
        found = protection_fee(Money(price, currency), rule)
        assert (found.total, found.vat) == (Money(fee, currency), Money(0, currency))

    def test_of_another_currency_is_an_error(self) -> None:
        with pytest.raises(CurrencyMismatch):
            protection_fee(Money(100, "PLN"), EURO_RULE)

    @settings(max_examples=40)
    @given(st.integers(1, 10**9), st.integers(0, 10**4), st.integers(0, 3000))
    def test_adds_up_and_never_falls_with_the_price(self, price: int, more: int, vat_bp: int) -> None:
        rule = FeeRule(euros(70), 500, vat_bp)
        low, high = protection_fee(euros(price), rule), protection_fee(euros(price + more), rule)
        assert low.net + low.vat == low.total
        assert euros(0) <= low.vat
        assert low.total <= high.total
        assert low.net <= high.net


class TestBundle:
    def test_of_worked_example_4(self) -> None:
        price = price_of([euros(2000), euros(1500), euros(500)], percent=10, rule=EURO_RULE)
        assert price.items == (euros(1800), euros(1350), euros(450))
        assert (price.discount, price.fee.total) == (euros(400), euros(250))
        assert price.total + euros(300) == euros(4150)

    def test_gives_the_remainder_to_the_earlier_of_equals(self) -> None:
        price = price_of([euros(333)] * 3, percent=10, rule=EURO_RULE)
        assert price.items == (euros(300), euros(300), euros(299))

    def test_of_one_item_is_its_price(self) -> None:
        price = price_of([euros(2000)], percent=0, rule=EURO_RULE)
        assert (price.items, price.total) == ((euros(2000),), euros(2170))

    @pytest.mark.parametrize(("amounts", "percent"), [([], 0), ([100], 100), ([100], -1), ([100, 0], 5)])
    def test_needs_items_and_something_left(self, amounts: list[int], percent: int) -> None:
        with pytest.raises(ValueError, match="a price needs items"):
            price_of([euros(amount) for amount in amounts], percent=percent, rule=EURO_RULE)

    @settings(max_examples=60)
    @given(prices, percents)
    def test_parts_add_up_and_no_item_costs_more_than_before(self, amounts: list[int], percent: int) -> None:
        price = price_of([euros(amount) for amount in amounts], percent=percent, rule=EURO_RULE)
        assert sum(item.amount_minor for item in price.items) == price.items_total.amount_minor
        assert price.items_total + price.discount == price.before_discount
        assert all(
            0 <= item.amount_minor <= amount for item, amount in zip(price.items, amounts, strict=True)
        )

    @settings(max_examples=40)
    @given(prices, percents)
    def test_never_gets_dearer_with_a_higher_discount(self, amounts: list[int], percent: int) -> None:
        listed = [euros(amount) for amount in amounts]
        less, more = (price_of(listed, percent=p, rule=EURO_RULE) for p in (percent, percent + 1))
        assert more.total <= less.total


class TestLadder:
    @pytest.mark.parametrize(("items", "percent"), [(1, 0), (2, 5), (3, 10), (4, 10), (5, 20), (9, 20)])
    def test_gives_the_highest_rung_reached(self, items: int, percent: int) -> None:
        assert percent_off(LADDER, items) == percent

    def test_without_rungs_gives_nothing(self) -> None:
        assert percent_off((), 9) == 0


class TestLeastOffer:
    @pytest.mark.parametrize(("price", "least"), [(1250, 750), (999, 600), (1, 1), (100, 60), (101, 61)])
    def test_is_never_below_the_floor(self, price: int, least: int) -> None:
        assert least_offer(euros(price), 6000) == euros(least)
