"""Values that must not show up by accident: masked in repr, str, format; refused by pickle and JSON."""

from __future__ import annotations

from typing import Any, Generic, NoReturn, TypeVar

from foundation.encryption.envelope import open_bytes, open_text

T = TypeVar("T", str, bytes)

MASK = "********"


class _Secret(Generic[T]):
    """`reveal()` is the only way to the value, so that a search for it finds every place that reads one."""

    __slots__ = ("_value",)
    _value: T

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value itself. Keep it in a local variable, and out of logs, messages and exceptions."""
        return self._value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, specification: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} goes into no cache, queue or file")


class SecretText(_Secret[str]):
    """A text in the clear, on its way."""

    __slots__ = ()


class SecretBytes(_Secret[bytes]):
    """Bytes in the clear, on their way."""

    __slots__ = ()


class _Sealed:
    """What one column of one row holds: opened when revealed, not when read."""

    __slots__ = ()
    column: str
    row_id: str
    envelope: bytes


class SealedText(SecretText, _Sealed):
    """The text in an encrypted column. `reveal()` raises a CannotOpen."""

    __slots__ = ("column", "envelope", "row_id")

    def __init__(self, envelope: bytes, *, column: str, row_id: str) -> None:
        self.envelope, self.column, self.row_id = envelope, column, row_id

    def reveal(self) -> str:
        """Open it. Raises a CannotOpen."""
        return open_text(self.envelope, column=self.column, row_id=self.row_id)


class SealedBytes(SecretBytes, _Sealed):
    """The bytes in an encrypted column. `reveal()` raises a CannotOpen."""

    __slots__ = ("column", "envelope", "row_id")

    def __init__(self, envelope: bytes, *, column: str, row_id: str) -> None:
        self.envelope, self.column, self.row_id = envelope, column, row_id

    def reveal(self) -> bytes:
        """Open it. Raises a CannotOpen."""
        return open_bytes(self.envelope, column=self.column, row_id=self.row_id)


Sealed = SealedText | SealedBytes


def is_sealed(value: Any) -> bool:
    """Whether it is bound to a row already."""
    return isinstance(value, _Sealed)
