"""The bank's files, and the rate of a day."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from dac7.errors.figures import ExchangeRateContradicts, ExchangeRatesUnreadable
from dac7.figures.rates import Rate, RateMissing, RateTable
from dac7.models import ExchangeRate
from dac7.services.rates import Loaded, fetch_rates, load_rates, rates_of_year
from foundation.errors import Unavailable

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CSV = b"Date,USD,JPY,PLN,CYP,\n2025-02-14,1.0478,159.82,4.2050,N/A,\n2025-02-13,1.0403,159.67,4.1738,N/A,\n"
XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<Cube><Cube time="2025-02-14">
<Cube currency="USD" rate="1.0478"/><Cube currency="PLN" rate="4.2050"/>
</Cube></Cube>
</gesmes:Envelope>"""


@pytest.mark.django_db
class TestLoading:
    def test_takes_the_history_and_the_daily_file(self) -> None:
        assert load_rates(content=CSV, now=NOW) == Loaded(added=6, known=0)
        assert load_rates(content=XML, now=NOW) == Loaded(added=0, known=2)
        assert rates_of_year(2025).on("PLN", date(2025, 2, 14)).per_euro == Decimal("4.2050")

    def test_never_changes_a_rate(self) -> None:
        load_rates(content=CSV, now=NOW)
        with pytest.raises(ExchangeRateContradicts) as refused:
            load_rates(content=CSV.replace(b"4.2050", b"4.2051"), now=NOW)
        assert refused.value.code == "exchange_rate_contradicts"

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"Day,USD\n",
            b"Date,USD\n2025-02-30,1.1\n",
            b"Date,USD\n2025-02-14,-1\n",
            b"Date,USD\n2025-02-14,1,2\n",
            b"\xff\xfe",
            b"<Cube/>",
            b"<not closed",
            b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + XML[XML.index(b"<gesmes") :],
            XML.replace(b"4.2050", b"NaN"),
        ],
    )
    def test_refuses_what_the_bank_does_not_publish(self, content: bytes) -> None:
        with pytest.raises(ExchangeRatesUnreadable) as refused:
            load_rates(content=content, now=NOW)
        assert refused.value.code == "exchange_rates_unreadable"
        assert not ExchangeRate.objects.exists()

    def test_is_a_command(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "eurofxref-hist.csv"
        file.write_bytes(CSV)
        call_command("load_exchange_rates", str(file))
        assert "6 new" in capsys.readouterr().out
        file.write_bytes(b"nothing")
        with pytest.raises(CommandError, match="eurofxref"):
            call_command("load_exchange_rates", str(file))

    def test_holds_one_positive_rate_a_day(self) -> None:
        load_rates(content=CSV, now=NOW)
        for constraint, day, per_euro in (
            ("exchangerate_positive", date(2025, 1, 1), "0"),
            ("exchangerate_once|UNIQUE", date(2025, 2, 14), "1.1"),
        ):
            row = ExchangeRate(currency="USD", day=day, per_euro=Decimal(per_euro), loaded_at=NOW)
            with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
                row.save()


class TestRateOfADay:
    TABLE = RateTable(
        [Rate("PLN", date(2025, 2, 14), Decimal("4.2")), Rate("PLN", date(2025, 2, 13), Decimal("4.1"))]
    )

    def test_is_that_day_s_or_the_last_before(self) -> None:
        assert self.TABLE.on("PLN", date(2025, 2, 13)).per_euro == Decimal("4.1")
        assert self.TABLE.on("PLN", date(2025, 2, 16)).day == date(2025, 2, 14)

    @pytest.mark.parametrize("day", [date(2025, 2, 12), date(2025, 3, 14)])
    def test_is_never_a_guess(self, day: date) -> None:
        with pytest.raises(RateMissing):
            self.TABLE.on("PLN", day)

    def test_of_the_euro_is_one(self) -> None:
        assert self.TABLE.per_euro("EUR", date(1999, 1, 1)) == 1


class Bank(BaseHTTPRequestHandler):
    """Publishes the daily file, and nothing else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/eurofxref-daily.xml" else 404)
        self.end_headers()
        self.wfile.write(XML)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bank() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bank)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.django_db
class TestFetching:
    def test_takes_what_the_bank_publishes(self, bank: str) -> None:
        assert fetch_rates(url=f"{bank}/eurofxref-daily.xml", now=NOW) == Loaded(added=2, known=0)

    def test_says_when_the_bank_does_not_answer(self, bank: str) -> None:
        with pytest.raises(Unavailable):
            fetch_rates(url=f"{bank}/elsewhere.xml", now=NOW)
