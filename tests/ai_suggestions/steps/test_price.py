"""Price ranges: shrunken quantiles of comparable items, a blank where there are too few."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_suggestions.contract import ComparableItem, Source, Standing
from ai_suggestions.steps.known import Known
from ai_suggestions.steps.price import SHOWN, propose_price, rounded, weighted_quantile

T_SHIRT = Known(
    kind="t_shirt", category_id="women-t-shirts", category_ids=("women-t-shirts",), brand_id="esprit"
)


def item(number: int, price_minor: int, **facts: object) -> ComparableItem:
    values: dict[str, object] = {
        "listing_id": f"L{number}",
        "title": "T-shirt",
        "price_minor": price_minor,
        "currency": "EUR",
        "sold": True,
        "category_id": "women-t-shirts",
        "brand_id": "esprit",
        "condition_id": "good",
    }
    return ComparableItem(**(values | facts))  # type: ignore[arg-type]  # as above


class TestRange:
    def test_many_sales_decide(self) -> None:
        items = [item(i, 1000 + 10 * i) for i in range(100)]
        found = propose_price(items, known=T_SHIRT, currency="EUR")
        assert found.standing is Standing.PROPOSED
        low, high = (alternative.value["amount"] for alternative in found.alternatives)
        assert low < found.value["amount"] < high
        assert 1300 <= found.value["amount"] <= 1600
        assert found.evidence[0].source is Source.SALES
        assert len(found.evidence[0].comparables) == SHOWN

    def test_few_sales_of_the_brand_are_pulled_towards_the_category(self) -> None:
        others = [item(i, 1000, brand_id="zara") for i in range(40)]
        dear = [item(100 + i, 4000) for i in range(3)]
        found = propose_price([*others, *dear], known=T_SHIRT, currency="EUR")
        assert 1000 < found.value["amount"] < 4000

    def test_the_nearest_items_are_shown_first(self) -> None:
        others = [item(i, 1000, brand_id="zara") for i in range(20)]
        found = propose_price([*others, item(99, 1500)], known=T_SHIRT, currency="EUR")
        assert found.evidence[0].comparables[0].listing_id == "L99"

    def test_a_worse_condition_costs_less(self) -> None:
        items = [item(i, 1000) for i in range(40)]
        good, worn = (
            propose_price(
                items,
                known=Known(kind="t_shirt", category_ids=("women-t-shirts",), condition_id=condition),
                currency="EUR",
            )
            for condition in ("good", "satisfactory")
        )
        assert worn.value["amount"] < good.value["amount"]

    def test_an_asked_price_counts_half(self) -> None:
        items = [item(i, 1000, sold=False) for i in range(8)]
        assert propose_price(items, known=T_SHIRT, currency="EUR").standing is Standing.CHOICE
        items = [item(i, 1000, sold=False) for i in range(10)]
        assert propose_price(items, known=T_SHIRT, currency="EUR").standing is Standing.PROPOSED


class TestThin:
    def test_without_sales_the_estimate_is_a_choice_and_says_so(self) -> None:
        found = propose_price([], known=T_SHIRT, currency="EUR")
        assert (found.standing, found.note) == (Standing.CHOICE, "starting_estimate")
        assert found.evidence[0].source is Source.ESTIMATE
        assert [a.label for a in found.alternatives] == ["middle", "low", "high"]

    def test_few_sales_are_a_choice(self) -> None:
        found = propose_price([item(1, 1000)], known=T_SHIRT, currency="EUR")
        assert (found.standing, found.note) == (Standing.CHOICE, "few_comparables")

    def test_one_price_is_no_range(self) -> None:
        unsettled = Known(kinds_possible=("t_shirt", "top"), category_ids=("women-t-shirts",))
        found = propose_price([item(1, 1050)], known=unsettled, currency="EUR")
        assert [(a.label, a.value["amount"]) for a in found.alternatives] == [("middle", 1050)]

    def test_no_estimate_in_another_currency(self) -> None:
        found = propose_price([item(1, 1000)], known=T_SHIRT, currency="PLN")
        assert (found.standing, found.note) == (Standing.ABSTAINED, "no_comparables")

    def test_nothing_known_about_the_thing(self) -> None:
        assert propose_price([], known=Known(), currency="EUR").note == "thing_unknown"


class TestRounded:
    @pytest.mark.parametrize(
        ("amount", "currency", "expected"),
        [
            (1, "EUR", 50),
            (1234, "EUR", 1250),
            (2349, "EUR", 2300),
            (12_260, "EUR", 12_500),
            (12_240, "EUR", 12_000),
            (1234.4, "ISK", 1235),
        ],
    )
    def test_to_what_people_ask(self, amount: float, currency: str, expected: int) -> None:
        assert rounded(amount, currency) == expected

    @given(st.floats(1, 1e9), st.sampled_from(["EUR", "ISK", "KWD"]))
    def test_stays_near(self, amount: float, currency: str) -> None:
        assert rounded(amount, currency) > 0
        if amount > 1e6:
            assert math.isclose(rounded(amount, currency), amount, rel_tol=0.05)


class TestQuantile:
    @given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 3)), min_size=1), st.floats(0, 1))
    def test_lies_within_the_values(self, values: list[tuple[float, float]], share: float) -> None:
        found = weighted_quantile(values, share)
        assert min(v for v, _ in values) - 1e-9 <= found <= max(v for v, _ in values) + 1e-9

    def test_of_equal_weights_is_the_usual_median(self) -> None:
        assert weighted_quantile([(3, 1), (1, 1), (2, 1)], 0.5) == 2
        assert weighted_quantile([(1, 1), (3, 1)], 0.5) == 2
