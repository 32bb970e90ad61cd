"""Identifiers: ULIDs, which sort by time and need no shared sequence (docs/scaling.md).

A ULID is 26 characters of Crockford base 32: 48 bits of milliseconds and 80 random bits
(https://github.com/ulid/spec). Clients treat it as an opaque string.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from ulid import ULID

ID_LENGTH = 26
ID_PATTERN = r"[0-9A-HJKMNP-TV-Z]{26}"


def new_id() -> str:
    """A fresh id; ids made later in time sort later, to the millisecond."""
    return str(ULID())


def _can_be_key(text: str) -> bool:
    return text.isascii() and not text.endswith(" ")


if TYPE_CHECKING:
    _CharField = models.CharField[Any, Any]
else:
    _CharField = models.CharField  # generic only in the stubs, not at run time


class AsciiField(_CharField):
    """A key compared byte for byte on every engine.

    The default collations of MySQL and MariaDB hold 'abc', 'ABC' and 'abc ' to be equal, which is
    wrong for a key that acts as a fence; SQLite already compares bytes.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        if connection.vendor == "mysql":
            return f"varchar({self.max_length}) CHARACTER SET ascii COLLATE ascii_bin"
        return f"varchar({self.max_length})"

    def get_prep_value(self, value: Any) -> Any:
        # MySQL refuses to compare an ascii column with a text that ascii cannot hold (error 1267), and
        # even ascii_bin ignores blanks at the end. The escaped text equals no key, so such a lookup
        # finds nothing, as on SQLite.
        prepared = super().get_prep_value(value)
        if isinstance(prepared, str) and not _can_be_key(prepared):
            return prepared.encode("ascii", "backslashreplace").decode("ascii").replace(" ", "\\x20")
        return prepared

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        if isinstance(value, str) and not _can_be_key(value):
            raise ValueError(f"{self.name} holds ascii only, without a blank at the end")
        return super().get_db_prep_save(value, connection)

    def cast_db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        # CAST knows no column types on MySQL.
        return models.CharField(max_length=self.max_length).cast_db_type(connection)


class IdField(AsciiField):
    """A ULID column, by default the primary key with a fresh id."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", ID_LENGTH)
        if kwargs.get("primary_key"):
            kwargs.setdefault("default", new_id)
            kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)
