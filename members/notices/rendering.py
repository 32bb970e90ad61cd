"""A notice in words: its kind's texts, with amounts, dates and times as the language writes them (CLDR)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal, get_currency_symbol, parse_pattern
from django.conf import settings

from foundation.languages import in_language
from foundation.money import Money, exponent_of
from members.notices.kinds import NoticeKind, Of, Words

# Members are Europeans: "21 November 2026, 15:30", not "November 21, 2026, 3:30 PM".
_LOCALES = {"en": "en_GB", "de": "de", "fr": "fr", "lt": "lt"}


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom it is written: one of foundation.languages.LANGUAGES, and an IANA time zone."""

    language: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class NoticeText:
    """What the reader sees. `link` is the absolute address of the subject in the app."""

    title: str
    body: str
    link: str


def render(kind: NoticeKind, params: Mapping[str, Any], reader: Reader) -> NoticeText:
    """`params` as stored. Raises LookupError for those that an older release stored without one we name."""
    values = {name: _written(of, params[name], reader) for name, of in kind.params.items()}
    return NoticeText(
        title=in_language(kind.title, reader.language).format_map(values),
        body=in_language(kind.body, reader.language).format_map(values),
        link=f"{settings.APP_URL}/{kind.path.format_map(values)}",
    )


def _written(of: Of | Words, value: Any, reader: Reader) -> str:
    if isinstance(of, Words):
        return in_language(of[value], reader.language)
    locale = Locale.parse(_LOCALES[reader.language])
    match of:
        case Of.MONEY:
            return _amount(Money(value["amount"], value["currency"]), locale)
        case Of.INSTANT:
            local = dt.datetime.fromisoformat(value).astimezone(ZoneInfo(reader.time_zone))
            day, time = format_date(local, "long", locale=locale), format_time(local, "short", locale=locale)
            return str(locale.datetime_formats["medium"]).replace("{1}", day).replace("{0}", time)
        case Of.DATE:
            return str(format_date(dt.date.fromisoformat(value), "long", locale=locale))
        case Of.NUMBER:
            return format_decimal(value, locale=locale)
        case Of.TEXT | Of.ID:
            return str(value)


def _amount(money: Money, locale: Locale) -> str:
    pattern = str(locale.currency_formats["standard"].pattern)
    # A symbol of letters does not touch the digits (CLDR's currencySpacing, which Babel leaves out).
    if get_currency_symbol(money.currency, locale=locale)[-1:].isalpha():
        pattern = pattern.replace("¤#", "¤\N{NO-BREAK SPACE}#")
    number = parse_pattern(pattern)
    # As many digits as the ledger counts in; CLDR drops the cents of some currencies.
    number.frac_prec = (exponent_of(money.currency),) * 2
    return str(number.apply(money.amount, locale, currency=money.currency, currency_digits=False))
