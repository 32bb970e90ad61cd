"""What shipping costs: what is shipped as data, what the loader refuses, which row counts, and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st

from foundation.money import Money
from members.queries import list_markets
from orders.management.commands.load_shipping_options import DATA
from orders.models import ShippingOption
from orders.parcel_sizes import BY_NAME, SIZES, size_of_parcel
from orders.queries.shipping import Option, options_for
from orders.services.shipping_options import load_shipping_options
from orders.services.terms import Loaded
from orders.shipping_zones import destinations
from tests.factories.members import make_market

START = datetime(2026, 1, 1, tzinfo=UTC)
HEAD, *ROWS = DATA.read_text(encoding="utf-8").splitlines()
LT = next(row for row in ROWS if row.startswith("LT,domestic,small,sandbox,standard_point"))


def text_of(*rows: str) -> str:
    return "\n".join([HEAD, *rows])


def offered(origin: str, to: str, size: str = "small", currency: str = "EUR") -> tuple[Option, ...]:
    return options_for(from_country=origin, to_country=to, size=size, currency=currency, at=START)


@pytest.mark.django_db
@pytest.mark.any_database
class TestLoad:
    def test_serves_every_market_and_every_pair_without_customs(self) -> None:
        call_command("load_markets", verbosity=0)
        call_command("load_shipping_options", verbosity=0)
        markets = list_markets()
        for market in markets:
            for size in BY_NAME:
                assert offered(market.code, market.code, size, market.currency), (market.code, size)
        union = [m for m in markets if destinations(m.code, "DE")[-1] == "eu" or m.code == "DE"]
        assert len(union) == 27
        for origin in union:
            for to in union:
                assert len(offered(origin.code, to.code, "large", origin.currency)) == 2
        assert offered("LT", "LT")[0].price == Money(300, "EUR")
        assert not offered("LT", "CH")
        assert offered("CH", "LI", currency="CHF")
        assert not offered("LT", "DE", "custom")

    def test_is_safe_to_repeat_and_takes_nothing_away(self) -> None:
        make_market("LT")
        assert load_shipping_options(text=text_of(LT)) == Loaded(1, 0)
        assert load_shipping_options(text=text_of(LT)) == Loaded(0, 0)
        assert load_shipping_options(text=text_of(LT.replace(",300,", ",310,"))) == Loaded(0, 1)
        assert load_shipping_options(text=HEAD) == Loaded(0, 0)
        assert offered("LT", "LT")[0].price == Money(310, "EUR")

    @pytest.mark.parametrize(
        ("row", "fault"),
        [
            (LT.replace("EUR", "PLN"), "not the currency"),
            (LT.replace("domestic", "mars"), "neither domestic"),
            (LT.replace("small", "tiny"), "no size"),
            (LT.replace("pickup_point,", "owl,"), "neither home"),
            (LT.replace("Z,", ","), "no offset"),
            (LT.replace(",300,", ",-1,"), "below nothing"),
            (LT.replace(",300,", ",3.00,"), "invalid literal"),
            (LT + ",1", "number of columns"),
            (f"{LT}\n{LT}", "twice"),
        ],
    )
    def test_names_line_and_fault(self, tmp_path: Path, row: str, fault: str) -> None:
        make_market("LT")
        file = tmp_path / "options.csv"
        file.write_text(text_of(row))
        with pytest.raises(CommandError, match=rf"line \d: .*{fault}"):
            call_command("load_shipping_options", file=file)
        assert not ShippingOption.objects.exists()

    def test_refuses_other_columns(self) -> None:
        with pytest.raises(ValueError, match="the columns are"):
            load_shipping_options(text="market\nLT")


@pytest.mark.django_db
@pytest.mark.any_database
class TestOptionsFor:
    @pytest.fixture(autouse=True)
    def markets(self) -> None:
        make_market("LT")
        make_market("LV")

    def test_are_the_latest_that_have_begun(self) -> None:
        later = LT.replace("2026-01-01", "2026-07-01").replace(",300,", ",350,")
        gone = LT.replace("2026-01-01", "2026-09-01").replace(",300,", ",,")
        load_shipping_options(text=text_of(LT, later, gone))

        def price_at(at: datetime) -> list[int]:
            found = options_for(from_country="LT", to_country="LT", size="small", currency="EUR", at=at)
            return [option.price.amount_minor for option in found]

        change = datetime(2026, 7, 1, tzinfo=UTC)
        assert [price_at(change - timedelta(seconds=1)), price_at(change)] == [[300], [350]]
        assert price_at(datetime(2026, 9, 1, tzinfo=UTC)) == []
        assert price_at(START - timedelta(seconds=1)) == []

    def test_of_a_country_count_before_those_of_its_zone(self) -> None:
        zone = LT.replace("domestic", "eu").replace(",300,", ",650,")
        country = LT.replace("domestic", "LV").replace(",300,", ",450,")
        home = zone.replace("standard_point", "standard_home").replace(",650,", ",850,")
        load_shipping_options(text=text_of(LT, zone, country, home))
        assert [(o.code, o.price.amount_minor) for o in offered("LT", "LV")] == [
            ("standard_point", 450),
            ("standard_home", 850),
        ]
        assert offered("LT", "LV")[0].needs_pickup_point

    def test_are_those_of_the_provider_in_use_and_of_the_currency(self) -> None:
        load_shipping_options(text=text_of(LT, LT.replace("sandbox,standard_point", "sendcloud,dpd")))
        assert [option.code for option in offered("LT", "LT")] == ["standard_point"]
        assert not offered("LT", "LT", currency="PLN")


class TestSizeOfParcel:
    @pytest.mark.parametrize(
        ("sizes", "needed"),
        [
            (["small"], "small"),
            (["small", "small"], "small"),
            (["small"] * 3, "medium"),
            (["medium", "small"], "medium"),
            (["medium"] * 3, "large"),
            (["large", "small"], "large"),
            (["large"] * 3, "custom"),
            (["custom"], "custom"),
            (["large"] * 5, None),
        ],
    )
    def test_is_the_smallest_that_holds_them(self, sizes: Sequence[str], needed: str | None) -> None:
        assert size_of_parcel(sizes) == needed

    @given(st.lists(st.sampled_from(sorted(BY_NAME)), min_size=1, max_size=5))
    def test_never_shrinks_with_one_more(self, sizes: list[str]) -> None:
        order = [size.name for size in SIZES]
        less, more = size_of_parcel(sizes), size_of_parcel([*sizes, "small"])
        if more is not None:
            assert less is not None
            assert order.index(less) <= order.index(more)

    def test_needs_something_known(self) -> None:
        with pytest.raises(ValueError, match="holds something"):
            size_of_parcel([])
        with pytest.raises(KeyError):
            size_of_parcel(["tiny"])
