"""Euro reference rates of the European Central Bank: reading its files, and the rate of a day. Pure.

The bank offers them under https://www.ecb.europa.eu/stats/eurofxref/: `eurofxref-hist.zip` with a CSV inside,
`eurofxref-hist.xml`, `eurofxref-daily.xml`. A rate is so many units of the currency for one euro.
"""

from __future__ import annotations

import bisect
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from lxml import etree

from foundation.money import EXPONENTS

EURO = "EUR"
# The bank's holidays are at most four days in a row; a longer gap is a file that was not loaded.
OLDEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Rate:
    """Of one day; ``per_euro`` as published, not rounded."""

    currency: str
    day: date
    per_euro: Decimal


class RatesUnreadable(ValueError):
    """The file is not what the bank publishes."""


class RateMissing(LookupError):
    """There is no rate of the day, nor of the days before it."""


def read_rates(content: bytes) -> Iterator[Rate]:
    """Rates of a CSV or XML file of the bank, of the currencies that we know. Raises RatesUnreadable."""
    is_xml = content.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<")
    try:
        yield from _xml(content) if is_xml else _csv(content)
    except (UnicodeDecodeError, ValueError, InvalidOperation, csv.Error, etree.XMLSyntaxError) as fault:
        if isinstance(fault, RatesUnreadable):
            raise
        raise RatesUnreadable(str(fault)) from fault


def _csv(content: bytes) -> Iterator[Rate]:
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True)
    header = [name.strip() for name in next(reader, [])]
    if not header or header[0] != "Date":
        raise RatesUnreadable("the first column is not Date")
    for row in reader:
        if len(row) != len(header):
            raise RatesUnreadable(f"line {reader.line_num}: another number of columns")
        day = _day(row[0].strip())
        for currency, text in zip(header[1:], row[1:], strict=True):
            if currency in EXPONENTS and text.strip() not in ("", "N/A"):
                yield _rate(currency, day, text.strip())


def _day(text: str) -> date:
    # The daily CSV writes "20 November 2026", which depends on a locale; the others are ISO.
    return date.fromisoformat(text)


def _xml(content: bytes) -> Iterator[Rate]:
    if b"<!DOCTYPE" in content:
        raise RatesUnreadable("it has a DOCTYPE")
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    days = root.findall(".//{*}Cube[@time]")
    if not days:
        raise RatesUnreadable("it names no day")
    for cube in days:
        day = date.fromisoformat(cube.attrib["time"])
        for one in cube.findall("{*}Cube[@currency]"):
            if one.attrib["currency"] in EXPONENTS:
                yield _rate(one.attrib["currency"], day, one.attrib.get("rate", ""))


def _rate(currency: str, day: date, text: str) -> Rate:
    value = Decimal(text)
    if not value.is_finite() or value <= 0:
        raise RatesUnreadable(f"{text} is no rate of {currency} on {day}")
    return Rate(currency, day, value)


class RateTable:
    """Rates in memory; two years of all currencies are about 10,000."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        by_currency: dict[str, list[Rate]] = {}
        for rate in rates:
            by_currency.setdefault(rate.currency, []).append(rate)
        self._rates = {
            currency: sorted(of, key=lambda rate: rate.day) for currency, of in by_currency.items()
        }
        self._days = {currency: [rate.day for rate in of] for currency, of in self._rates.items()}
        self._found: dict[tuple[str, date], Rate] = {}

    def on(self, currency: str, day: date) -> Rate:
        """The rate of the day, or the last one before it. Raises RateMissing."""
        found = self._found.get((currency, day))
        if found is None:
            found = self._found[(currency, day)] = self._look_up(currency, day)
        return found

    def _look_up(self, currency: str, day: date) -> Rate:
        if currency == EURO:
            return Rate(EURO, day, Decimal(1))
        place = bisect.bisect_right(self._days.get(currency, []), day)
        if place and day - self._days[currency][place - 1] <= OLDEST:
            return self._rates[currency][place - 1]
        raise RateMissing(f"no rate of {currency} for {day}")

    def per_euro(self, currency: str, day: date) -> Fraction:
        """As an exact number. Raises RateMissing."""
        return Fraction(self.on(currency, day).per_euro)
