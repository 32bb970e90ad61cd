"""The markets' terms: what is shipped, what the loader refuses, which row holds when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from foundation.money import Money
from members.queries import list_markets
from orders.errors import TermsMissing
from orders.management.commands.load_order_terms import DATA
from orders.models import Terms
from orders.queries.terms import get_fee_rule, get_terms
from orders.services.terms import Loaded, load_terms
from tests.factories.members import make_market

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

START = datetime(2026, 1, 1, tzinfo=UTC)
HEAD, *ROWS = DATA.read_text(encoding="utf-8").splitlines()
LT = next(row for row in ROWS if row.startswith("LT"))


def text_of(*rows: str) -> str:
    return "\n".join([HEAD, *rows])


class TestLoad:
    def test_covers_every_market_that_is_shipped(self) -> None:
        call_command("load_markets", verbosity=0)
        call_command("load_order_terms", verbosity=0)
        for market in list_markets():
            terms = get_terms(market.code, now=START)
            assert terms.currency == market.currency
        fixed = dict(Terms.objects.values_list("currency", "fee_fixed_minor"))
        named = {"EUR": 70, "USD": 70, "GBP": 70, "PLN": 290, "CAD": 110}
        assert {currency: fixed[currency] for currency in named} == named

    def test_is_safe_to_repeat_and_takes_nothing_away(self) -> None:
        make_market("LT")
        assert load_terms(text=text_of(LT)) == Loaded(1, 0)
        assert load_terms(text=text_of(LT)) == Loaded(0, 0)
        assert load_terms(text=text_of(LT.replace(",70,", ",75,"))) == Loaded(0, 1)
        assert load_terms(text=HEAD) == Loaded(0, 0)
        assert get_terms("LT", now=START).fee_fixed == Money(75, "EUR")

    @pytest.mark.parametrize(
        ("row", "fault"),
        [
            (LT.replace("EUR", "PLN"), "not the currency"),
            (LT.replace("LT", "XX"), "not the currency"),
            (LT.replace("Z,", ","), "no offset"),
            (LT.replace(",70,", ",0.7,"), "invalid literal"),
            (LT + ",1", "number of columns"),
            (f"{LT}\n{LT}", "twice"),
        ],
    )
    def test_names_line_and_fault(self, tmp_path: Path, row: str, fault: str) -> None:
        make_market("LT")
        file = tmp_path / "terms.csv"
        file.write_text(text_of(row))
        with pytest.raises(CommandError, match=rf"line \d: .*{fault}"):
            call_command("load_order_terms", file=file)
        assert not Terms.objects.exists()

    def test_refuses_other_columns(self) -> None:
        with pytest.raises(ValueError, match="the columns are"):
            load_terms(text="market\nLT")


class TestGetTerms:
    def test_is_the_latest_that_has_begun(self) -> None:
        make_market("LT")
        later = LT.replace("2026-01-01", "2026-07-01").replace(",70,", ",80,")
        load_terms(text=text_of(LT, later))
        change = datetime(2026, 7, 1, tzinfo=UTC)
        before, after = (
            get_terms("LT", now=now).fee_fixed for now in (change - timedelta(seconds=1), change)
        )
        assert (before, after) == (Money(70, "EUR"), Money(80, "EUR"))

    def test_is_missing_before_the_first_and_in_another_currency(self) -> None:
        make_market("LT")
        load_terms(text=text_of(LT))
        with pytest.raises(TermsMissing):
            get_terms("LT", now=START - timedelta(seconds=1))
        with pytest.raises(TermsMissing):
            get_terms("LT", now=START, currency="PLN")

    def test_fee_is_the_listings_and_vat_the_buyers(self) -> None:
        make_market("LT")
        make_market("DE")
        load_terms(text=text_of(LT, next(row for row in ROWS if row.startswith("DE"))))
        rule = get_fee_rule(listing_terms=get_terms("LT", now=START), buyer_country="DE", now=START)
        assert (rule.fixed, rule.rate_bp, rule.vat_rate_bp) == (Money(70, "EUR"), 500, 1900)
