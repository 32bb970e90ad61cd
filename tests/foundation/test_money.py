from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.money import EXPONENTS, CurrencyMismatch, Money, UnknownCurrency, exponent_of

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)
amounts = st.integers(-(10**12), 10**12)


class TestAllocate:
    @given(amounts, weights)
    def test_parts_add_up_to_the_whole(self, amount: int, weights: list[int]) -> None:
        parts = Money(amount, "EUR").allocate(weights)
        assert sum(part.amount_minor for part in parts) == amount
        assert len(parts) == len(weights)

    @given(amounts, weights)
    def test_no_part_is_a_whole_unit_off_its_share(self, amount: int, weights: list[int]) -> None:
        for part, weight in zip(Money(amount, "EUR").allocate(weights), weights, strict=True):
            assert abs(part.amount_minor * sum(weights) - amount * weight) < sum(weights)

    @given(amounts, weights)
    def test_weight_zero_gets_nothing(self, amount: int, weights: list[int]) -> None:
        parts = Money(amount, "EUR").allocate([*weights, 0])
        assert parts[-1] == Money(0, "EUR")

    def test_remainder_goes_to_the_largest_remainder_then_to_the_first(self) -> None:
        assert [part.amount_minor for part in Money(100, "EUR").allocate([1, 1, 1])] == [34, 33, 33]
        assert [part.amount_minor for part in Money(10, "EUR").allocate([1, 2, 2])] == [2, 4, 4]
        assert [part.amount_minor for part in Money(5, "EUR").allocate([3, 7])] == [2, 3]

    @pytest.mark.parametrize("weights", [[], [0], [0, 0], [1, -1], [-1, 3]])
    def test_needs_a_positive_weight_and_no_negative_one(self, weights: list[int]) -> None:
        with pytest.raises(ValueError, match="weights"):
            Money(1, "EUR").allocate(weights)


class TestArithmetic:
    def test_adds_subtracts_negates_compares(self) -> None:
        two, five = Money(200, "EUR"), Money(500, "EUR")
        assert two + five == Money(700, "EUR")
        assert two - five == -Money(300, "EUR")
        assert two < five
        assert two <= Money(200, "EUR")
        assert max(two, five) == five

    @pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__le__"])
    def test_never_mixes_currencies(self, operation: str) -> None:
        with pytest.raises(CurrencyMismatch):
            getattr(Money(1, "EUR"), operation)(Money(1, "PLN"))

    def test_equality_knows_the_currency(self) -> None:
        assert Money(1, "EUR") != Money(1, "PLN")


class TestMoney:
    @pytest.mark.parametrize("amount", [1.0, "1", True, None, Decimal(1)])
    def test_amount_is_an_int(self, amount: object) -> None:
        with pytest.raises(TypeError):
            Money(amount, "EUR")  # type: ignore[arg-type]

    @pytest.mark.parametrize("currency", ["XXX", "eur", "", "EURO"])
    def test_currency_is_known(self, currency: str) -> None:
        with pytest.raises(UnknownCurrency):
            Money(1, currency)

    @pytest.mark.parametrize(
        ("money", "text", "amount"),
        [
            (Money(247050, "EUR"), "2,470.50 EUR", Decimal("2470.50")),
            (Money(2470, "JPY"), "2,470 JPY", Decimal(2470)),
            (Money(-2470, "KWD"), "-2.470 KWD", Decimal("-2.470")),
        ],
    )
    def test_reads_by_its_exponent(self, money: Money, text: str, amount: Decimal) -> None:
        assert str(money) == text
        assert money.amount == amount
        assert money.as_json() == {"amount": money.amount_minor, "currency": money.currency}

    def test_exponents_are_those_of_iso_4217(self) -> None:
        assert {code: exponent_of(code) for code in ("EUR", "ISK", "JPY", "KWD", "HUF")} == {
            "EUR": 2, "ISK": 0, "JPY": 0, "KWD": 3, "HUF": 2,
        }  # fmt: skip
        assert all(len(code) == 3 for code in EXPONENTS)
