"""The table of what members can be told: every row in every language, and what is refused as a row."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from foundation.languages import LANGUAGES
from foundation.money import Money
from members.notices.kinds import Category, Mail, NoticeKind, Of, Words, register, registered
from members.notices.rendering import Reader, render

KINDS = list(registered())
VALUES: dict[Of, Any] = {
    Of.ID: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    Of.TEXT: "Coat {amount} <b>",
    Of.NUMBER: 12345,
    Of.MONEY: Money(123450, "EUR"),
    Of.INSTANT: dt.datetime(2026, 11, 23, 22, 30, tzinfo=dt.UTC),
    Of.DATE: dt.date(2026, 11, 23),
}


def a_kind(**changed: Any) -> NoticeKind:
    facts: dict[str, Any] = {
        "name": "kite.flown",
        "category": Category.ORDERS,
        "mail": Mail.OPTIONAL,
        "params": {"kite_id": Of.ID, "title": Of.TEXT, "amount": Of.MONEY, "at": Of.INSTANT, "day": Of.DATE}
        | {"count": Of.NUMBER, "wind": Words(weak=("weak", "schwach", "faible", "silpnas"))},
        "title": ("{title}",) * 4,
        "body": ("{amount} {at} {day} {count} {wind}",) * 4,
        "path": "kites/{kite_id}",
    }
    return NoticeKind(**(facts | changed))


def values(kind: NoticeKind) -> dict[str, Any]:
    return {name: next(iter(of)) if isinstance(of, Words) else VALUES[of] for name, of in kind.params.items()}


class TestEveryKind:
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
    def test_reads_well_in_every_language(self, kind: NoticeKind) -> None:
        stored = kind.stored(values(kind))
        texts = [render(kind, stored, Reader(language, "Europe/Vilnius")) for language in LANGUAGES]
        assert len({text.body for text in texts}) == len(LANGUAGES)
        for text in texts:
            for words in (text.title, text.body.replace("Coat {amount} <b>", "Coat")):
                assert words == words.strip()
                assert "  " not in words
            assert "{" not in text.body.replace("Coat {amount} <b>", "") + text.link
            assert len(text.title) < 100

    def test_is_there_for_every_category_that_mails_can_be_switched_off_for(self) -> None:
        switchable = {kind.category for kind in KINDS if kind.mail is Mail.OPTIONAL}
        assert {Category.OFFERS, Category.ORDERS} <= switchable


class TestWriting:
    @pytest.mark.parametrize(
        ("language", "body"),
        [
            ("en", "€1,234.50 24 November 2026, 00:30 23 November 2026 12,345 weak"),
            ("de", "1.234,50 € 24. November 2026, 00:30 23. November 2026 12.345 schwach"),
            ("fr", "1 234,50 € 24 novembre 2026, 00:30 23 novembre 2026 12 345 faible"),
            ("lt", "1 234,50 € 2026 m. lapkričio 24 d. 00:30 2026 m. lapkričio 23 d. 12 345 silpnas"),
        ],
    )
    def test_amounts_and_times_are_the_readers(self, language: str, body: str) -> None:
        kind = a_kind()
        text = render(kind, kind.stored(values(kind)), Reader(language, "Europe/Vilnius"))
        assert " ".join(text.body.split()) == body

    @pytest.mark.parametrize(
        ("money", "written"),
        [
            (Money(5, "RSD"), "RSD 0.05"),
            (Money(1234, "JPY"), "JP¥1,234"),
            (Money(1234, "KWD"), "KWD 1.234"),
            (Money(-100, "EUR"), "-€1.00"),
        ],
    )
    def test_amounts_have_the_digits_of_the_ledger(self, money: Money, written: str) -> None:
        kind = a_kind(params={"kite_id": Of.ID, "amount": Of.MONEY}, title=("a",) * 4, body=("{amount}",) * 4)
        stored = kind.stored({"kite_id": VALUES[Of.ID], "amount": money})
        assert " ".join(render(kind, stored, Reader("en", "UTC")).body.split()) == written


class TestRows:
    @pytest.mark.parametrize(
        "changed",
        [
            {"name": "Kite"},
            {"category": Category.TAX},  # optional mails about tax
            {"title": ("{title}", "{title}", "{title}", "{amount}")},
            {"title": ("{title}", "{title}", "{title}", "")},
            {"title": ("{titel}",) * 4},
            {"title": ("two\nlines",) * 4},
            {"path": "kites/{title}"},
        ],
        ids=str,
    )
    def test_that_could_not_be_shown_are_refused(self, changed: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"."):
            a_kind(**changed)

    def test_have_one_name_each(self) -> None:
        with pytest.raises(ValueError, match="two notices"):
            register(KINDS[0])


class TestParameters:
    @pytest.mark.parametrize(
        "changed",
        [
            {"kite_id": "7"},
            {"amount": 100},
            {"at": dt.datetime(2026, 1, 1)},  # noqa: DTZ001  # the case
            {"at": dt.date(2026, 1, 1)},
            {"day": VALUES[Of.INSTANT]},
            {"count": True},
            {"wind": "strong"},
            {"email": "ona@example.test"},
        ],
        ids=str,
    )
    def test_that_are_not_the_kinds_are_refused(self, changed: dict[str, Any]) -> None:
        kind = a_kind()
        with pytest.raises((ValueError, TypeError)):
            kind.stored(values(kind) | changed)

    def test_none_may_be_missing(self) -> None:
        with pytest.raises(ValueError, match="takes"):
            a_kind().stored({"title": "a"})
