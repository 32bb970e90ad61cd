from __future__ import annotations

import zoneinfo
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from foundation.money import exponent_of
from members import queries
from members.errors import MarketNotFound
from members.management.commands.load_markets import DATA
from members.models import Market
from tests.members.visitor import Visitor

pytestmark = pytest.mark.django_db

# https://european-union.europa.eu/principles-countries-history/eu-countries_en
EU = {
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
    *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    copy = tmp_path / "markets.csv"
    copy.write_text(DATA.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


class TestLoadMarkets:
    def test_opens_the_union_and_its_neighbours(self) -> None:
        call_command("load_markets")
        markets = {market.code: market for market in queries.list_markets()}
        assert len(EU) == 27
        assert EU | {"NO", "CH", "GB", "IS"} <= {
            code for code, market in markets.items() if market.is_enabled
        }
        # https://economy-finance.ec.europa.eu/euro/eu-countries-and-euro_en: 21 since 2026-01-01
        assert {code for code in EU if markets[code].currency != "EUR"} == {
            "CZ",
            "DK",
            "HU",
            "PL",
            "RO",
            "SE",
        }
        assert not markets["US"].is_enabled
        for market in markets.values():
            exponent_of(market.currency)
            zoneinfo.ZoneInfo(market.time_zone)
            assert market.locale == f"{market.languages[0]}-{market.code}"

    def test_is_safe_to_repeat(self, capsys: Any) -> None:
        call_command("load_markets")
        call_command("load_markets")
        assert "0 added, 0 changed, 0 closed" in capsys.readouterr().out

    def test_changes_what_changed_and_closes_what_is_gone(self, file: Path, capsys: Any) -> None:
        call_command("load_markets")
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line.replace("Austria", "Österreich") for line in lines if not line.startswith("BE,")]
        file.write_text("".join(kept), encoding="utf-8")
        call_command("load_markets", file=file)
        assert "0 added, 1 changed, 1 closed" in capsys.readouterr().out
        assert queries.get_market("AT").name == "Österreich"
        assert not queries.get_market("BE").is_enabled

    @pytest.mark.parametrize(
        ("row", "fault"),
        [
            ("lt,Lithuania,EUR,lt,lt-LT,Europe/Vilnius,yes", "ISO 3166"),
            ("AT,Austria,EUR,de,de-AT,Europe/Vienna,yes", "twice"),
            ("XX,Nowhere,XXX,lt,lt-LT,Europe/Vilnius,yes", "EXPONENTS"),
            ("XX,Nowhere,EUR,,lt-LT,Europe/Vilnius,yes", "ISO 639"),
            ("XX,Nowhere,EUR,lt,nonsense,Europe/Vilnius,yes", "locale"),
            ("XX,Nowhere,EUR,lt,lt-LT,Europe/Nowhere,yes", "time zone"),
            ("XX,Nowhere,EUR,lt,lt-LT,Europe/Vilnius,perhaps", "yes or no"),
            ("XX,Nowhere,EUR", "columns"),
            ("XX,Nowhere,EUR,lt,lt-LT,Europe/Vilnius,yes,more", "columns"),
        ],
    )
    def test_refuses_a_broken_row_and_changes_nothing(self, file: Path, row: str, fault: str) -> None:
        file.write_text(file.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")
        with pytest.raises(CommandError, match=fault):
            call_command("load_markets", file=file)
        assert not Market.objects.exists()

    def test_refuses_other_columns_and_no_file(self, file: Path) -> None:
        file.write_text("code,name\nLT,Lithuania\n", encoding="utf-8")
        with pytest.raises(CommandError, match="columns"):
            call_command("load_markets", file=file)
        with pytest.raises(CommandError, match=r"nowhere\.csv"):
            call_command("load_markets", file=file.with_name("nowhere.csv"))


class TestListMarkets:
    def test_is_public_and_cacheable(self, stranger: Visitor) -> None:
        answer = stranger.get("/api/v1/markets")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert answer.json()["results"][0] == {
            "code": "DE",
            "name": "Germany",
            "currency": "EUR",
            "languages": ["de"],
            "locale": "de-DE",
            "time_zone": "Europe/Berlin",
            "is_enabled": True,
        }
        unchanged = stranger.get("/api/v1/markets", **{"If-None-Match": answer.headers["ETag"]})
        assert unchanged.status_code == 304
        assert unchanged.headers["Cache-Control"] == "public, max-age=300"

    def test_is_read_from_the_cache(self, stranger: Visitor, django_assert_num_queries: Any) -> None:
        stranger.get("/api/v1/markets")
        with django_assert_num_queries(0):
            assert stranger.get("/api/v1/markets").status_code == 200

    def test_of_an_unknown_country(self, markets: None) -> None:
        with pytest.raises(MarketNotFound) as missing:
            queries.get_market("XX")
        assert missing.value.code == "market_not_found"
