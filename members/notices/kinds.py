"""The table of what members can be told: a row for each kind, filled by each app's notices.py.

    register(NoticeKind("order.paid", category=Category.ORDERS, mail=Mail.ALWAYS,
        params={"order_id": Of.ID, "title": Of.TEXT, "amount": Of.MONEY},
        title=("…", "…", "…", "…"), body=("…", "…", "…", "…"), path="orders/{order_id}"))

A row that could not be shown (an unknown placeholder, languages that say different things) is refused when
it is made, so the process does not start with it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter
from typing import Any

from foundation.ids import ID_PATTERN
from foundation.languages import LANGUAGES, Texts
from foundation.money import Money


class Category(StrEnum):
    """What a notice is about; members switch mails on and off by it."""

    OFFERS = "offers"
    ORDERS = "orders"
    LISTINGS = "listings"
    MONEY = "money"
    ACCOUNT = "account"
    TAX = "tax"


SWITCHABLE = (Category.OFFERS, Category.ORDERS, Category.LISTINGS, Category.MONEY)
"""The others hold only what the law or the member's safety asks to be sent."""


class Mail(StrEnum):
    """Whether a kind is mailed besides being shown in the inbox."""

    NEVER = "never"
    OPTIONAL = "optional"
    ALWAYS = "always"


class Of(StrEnum):
    """What a parameter holds, and so how it is stored and written."""

    ID = "id"
    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    INSTANT = "instant"
    DATE = "date"


class Words(dict[str, Texts]):
    """A parameter that is one of some codes, each with its words."""


def _money(value: Any) -> Any:
    return value.as_json()


def _instant(value: Any) -> Any:
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.astimezone(dt.UTC).isoformat()


def _date(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        raise TypeError(f"{value} is an instant, not a day")
    return value.isoformat()


def _id(value: Any) -> Any:
    if not re.fullmatch(ID_PATTERN, value):
        raise ValueError(f"{value!r} is not an id")
    return value


def _same(value: Any) -> Any:
    return value


_STORED: dict[Of, tuple[type, Callable[[Any], Any]]] = {
    Of.ID: (str, _id),
    Of.TEXT: (str, _same),
    Of.NUMBER: (int, _same),
    Of.MONEY: (Money, _money),
    Of.INSTANT: (dt.datetime, _instant),
    Of.DATE: (dt.date, _date),
}

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeKind:
    """One row. `title` and `body` hold {placeholders} of `params`; `path` leads to the subject in the app.

    Raises ValueError for a row that could not be shown.
    """

    name: str
    category: Category
    mail: Mail
    params: Mapping[str, Of | Words]
    title: Texts
    body: Texts
    path: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > 60:
            raise ValueError(f"{self.name!r} should look like order.paid")
        if self.mail is Mail.OPTIONAL and self.category not in SWITCHABLE:
            raise ValueError(f"{self.name}: mails about {self.category} cannot be switched off")
        for texts in (self.title, self.body):
            named = [_placeholders(text) for text in texts]
            if len(texts) != len(LANGUAGES) or not all(texts) or any(found != named[0] for found in named):
                raise ValueError(f"{self.name}: {texts[0]!r} does not say the same in every language")
            if not named[0] <= set(self.params):
                raise ValueError(f"{self.name}: {texts[0]!r} names what is no parameter")
        if any("\n" in text for text in self.title):
            raise ValueError(f"{self.name}: a title is one line")
        if any(self.params.get(name) is not Of.ID for name in _placeholders(self.path)):
            raise ValueError(f"{self.name}: {self.path} may name ids only")

    def stored(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters as JSON. Raises ValueError or TypeError unless they are those of the kind."""
        if params.keys() != self.params.keys():
            raise ValueError(f"{self.name} takes {sorted(self.params)}, not {sorted(params)}")
        return {name: _stored(self.params[name], value) for name, value in params.items()}


def _stored(of: Of | Words, value: Any) -> Any:
    if isinstance(of, Words):
        if value not in of:
            raise ValueError(f"{value!r} is none of {sorted(of)}")
        return str(value)
    expected, convert = _STORED[of]
    if not isinstance(value, expected) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no {of}")
    return convert(value)


_kinds: dict[str, NoticeKind] = {}


def register(*kinds: NoticeKind) -> None:
    """Make members tellable of these. Raises ValueError when a name is taken."""
    for kind in kinds:
        if kind.name in _kinds:
            raise ValueError(f"two notices are called {kind.name!r}")
        _kinds[kind.name] = kind


def registered() -> Iterable[NoticeKind]:
    """All kinds, by name. Apps are loaded before anybody asks."""
    return [_kinds[name] for name in sorted(_kinds)]


def kind_named(name: str) -> NoticeKind:
    """Raises LookupError."""
    return _kinds[name]


def find_kind(name: str) -> NoticeKind | None:
    """None for one that only a newer or an older release knows."""
    return _kinds.get(name)
