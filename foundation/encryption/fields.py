"""Encrypted columns of a model, and the index of one."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Expression
from django.db.models.lookups import BuiltinLookup
from django.db.models.query_utils import DeferredAttribute

from foundation.encryption.blind_index import blind_index, blind_indexes
from foundation.encryption.envelope import header, seal_bytes
from foundation.encryption.values import Sealed, SealedBytes, SealedText, SecretBytes, SecretText, is_sealed
from foundation.ids import AsciiField

INDEX_LENGTH = 64

Assigned = TypeVar("Assigned")
Read = TypeVar("Read")

if TYPE_CHECKING:

    class _Column(models.BinaryField[Assigned, Read]):
        pass
else:  # generic only in the stubs, not at run time

    class _Column(models.BinaryField, Generic[Assigned, Read]):
        pass


def _binary(connection: Any, value: bytes) -> Any:
    return connection.Database.Binary(value)


class Envelope(bytes):
    """What the database holds, as it came from there; it opens only with its row's id."""


class _SealedAttribute(DeferredAttribute):
    """Seals what is assigned at once, for this row, so that no instance carries the value in the clear."""

    field: Any

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        if instance is None:
            return self
        stored = super().__get__(instance, cls)
        if stored is None:
            return None
        return self.field.sealed_type(bytes(stored), column=self.field.place, row_id=str(instance.pk))

    def __set__(self, instance: models.Model, value: Any) -> None:
        if value is not None and not isinstance(value, Envelope):
            # The id is the first field, and made in Python: it is there before the row is.
            if instance.__dict__.get(instance._meta.pk.attname) is None:
                raise ValueError(f"{self.field.place}: give the row its id first")
            sealed_value = self.field.seal(value, row_id=str(instance.pk))
            for index in () if is_sealed(value) else _indexes_of(type(instance), self.field.name):
                # Again when the row is saved; here for bulk_update(), which asks no field.
                instance.__dict__[index.attname] = blind_index(sealed_value.reveal(), column=self.field.place)
            value = Envelope(sealed_value.envelope)
        instance.__dict__[self.field.attname] = value


class EncryptedField(_Column[Assigned, Read]):
    """A column of envelopes. It can be null, but not be searched: see BlindIndexField.

    `sealed_as`: the former "table.column", once the table or the column was renamed: the name is part
    of what is authenticated.
    """

    descriptor_class = _SealedAttribute
    sealed_type: ClassVar[Any]
    clear_types: ClassVar[tuple[Any, Any]]

    def __init__(self, *args: Any, sealed_as: str = "", max_length: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sealed_as = sealed_as
        # Of the value in the clear; checked when it is sealed.
        self.max_length = max_length

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.sealed_as:
            kwargs["sealed_as"] = self.sealed_as
        return name, path, args, kwargs

    @property
    def place(self) -> str:
        """The column as it is authenticated."""
        return self.sealed_as or f"{self.model._meta.db_table}.{self.column}"

    def seal(self, value: Any, *, row_id: str) -> Sealed:
        """`value` (clear, or already sealed for this very place) for a row."""
        if is_sealed(value):
            if (value.column, value.row_id) != (self.place, row_id):
                raise ValueError(f"{self.place}: sealed for another place; reveal() it to copy it here")
            sealed_already: Sealed = value
            return sealed_already
        if not isinstance(value, self.clear_types):
            raise TypeError(f"{self.place} takes {self.clear_types[0].__name__}, not {type(value).__name__}")
        clear = value if isinstance(value, str | bytes) else value.reveal()
        if self.max_length is not None and len(clear) > self.max_length:
            raise ValueError(f"{self.place} takes at most {self.max_length}")
        return self.seal_data(clear.encode() if isinstance(clear, str) else clear, row_id=row_id)

    def seal_data(self, data: bytes, *, row_id: str) -> Sealed:
        """What is stored of a value, as bytes, for a row: under the current key."""
        envelope = seal_bytes(data, column=self.place, row_id=row_id)
        result: Sealed = self.sealed_type(envelope, column=self.place, row_id=row_id)
        return result

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        envelope = model_instance.__dict__.get(self.attname)
        if envelope is None:
            return None
        return self.seal(getattr(model_instance, self.attname), row_id=str(model_instance.pk))

    def get_default(self) -> Any:
        return super().get_default() if self.has_default() else None

    def get_lookup(self, lookup_name: str) -> Any:
        # Ciphertext never repeats: an equality that finds nothing would look like an answer.
        return super().get_lookup(lookup_name) if lookup_name in ("isnull", "is", "under_key") else None

    def get_prep_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Expression):
            return value
        if isinstance(value, Envelope):
            return bytes(value)
        if is_sealed(value) and value.column == self.place:
            return value.envelope
        raise TypeError(f"{self.place}: seal the value for its row first, with sealed()")

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        value = value if prepared else self.get_prep_value(value)
        return _binary(connection, value) if isinstance(value, bytes) else value

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        return None if value is None else Envelope(value)

    def to_python(self, value: Any) -> Any:
        # A fixture holds the envelope in base 64.
        return Envelope(base64.b64decode(value)) if isinstance(value, str) else value

    def value_to_string(self, obj: models.Model) -> str:
        envelope = obj.__dict__.get(self.attname)
        return "" if envelope is None else base64.b64encode(envelope).decode("ascii")


class EncryptedTextField(EncryptedField[Assigned, Read]):
    """A text, encrypted for its row: assign str or SecretText, read SealedText. `max_length`: characters."""

    sealed_type = SealedText
    # For the mypy plugin, which makes them optional for a column that can be null.
    _pyi_private_set_type: str | SecretText
    _pyi_private_get_type: SealedText  # type: ignore[assignment]  # not bytes
    clear_types = (str, SecretText)


class EncryptedBytesField(EncryptedField[Assigned, Read]):
    """Bytes, encrypted for their row: assign bytes or SecretBytes, read SealedBytes."""

    sealed_type = SealedBytes
    _pyi_private_set_type: bytes | SecretBytes
    _pyi_private_get_type: SealedBytes  # type: ignore[assignment]  # not bytes
    clear_types = (bytes, SecretBytes)


class _EnvelopeLookup(BuiltinLookup):
    """Compares bytes of envelopes with bytes."""

    prefix_only = False

    def get_db_prep_lookup(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [_binary(connection, value)]

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        left, left_params = compiler.compile(self.lhs)
        right, right_params = self.process_rhs(compiler, connection)
        if self.prefix_only:
            left = f"SUBSTR({left}, 1, {len(self.rhs)})"
        return f"{left} = {right}", [*left_params, *right_params]


@EncryptedField.register_lookup
class Is(_EnvelopeLookup):
    """This very envelope: the compare of a compare-and-set."""

    lookup_name = "is"


@EncryptedField.register_lookup
class UnderKey(_EnvelopeLookup):
    """Sealed with the key of this id."""

    lookup_name = "under_key"
    prefix_only = True

    def get_prep_lookup(self) -> Any:
        return header(self.rhs)


class BlindIndexField(AsciiField):
    """The blind index of the encrypted column `of` of the same row, kept by itself whenever a row is saved.

    Name both in `update_fields`; an `update()` of a QuerySet has to set both. It indexes the text as it is
    stored: assign it normalised. A UNIQUE on it holds among rows of one index key (docs/security.md).
    """

    def __init__(self, *args: Any, of: str, **kwargs: Any) -> None:
        kwargs["max_length"] = INDEX_LENGTH
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)
        self.of = of

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_length"], kwargs["editable"]
        return name, path, args, kwargs | {"of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        secret = getattr(model_instance, self.of)
        value = None if secret is None else blind_index(secret.reveal(), column=self.place)
        setattr(model_instance, self.attname, value)
        return value

    @property
    def place(self) -> str:
        """The encrypted column's name, for which the key is derived."""
        return column_of(self.model, self.of)


def _encrypted_field(model: type[models.Model], name: str) -> EncryptedField[Any, Any]:
    field = model._meta.get_field(name)
    if not isinstance(field, EncryptedField):
        raise TypeError(f"{model.__name__}.{name} is not encrypted")
    return field


def column_of(model: type[models.Model], name: str) -> str:
    """The encrypted column as seal_text(), open_text() and blind_index() want it named."""
    return _encrypted_field(model, name).place


def sealed(model: type[models.Model], name: str, *, row_id: str, value: str | bytes) -> Sealed:
    """A value for `QuerySet.update()`, sealed for the one row that it filters for."""
    return _encrypted_field(model, name).seal(value, row_id=row_id)


def _indexes_of(model: type[models.Model], name: str) -> list[BlindIndexField]:
    fields = model._meta.concrete_fields
    return [field for field in fields if isinstance(field, BlindIndexField) and field.of == name]


def matching(model: type[models.Model], name: str, text: str) -> models.Q:
    """Rows whose encrypted column `name` holds exactly this text, by its blind index."""
    for index in _indexes_of(model, name):
        return models.Q(**{f"{index.name}__in": blind_indexes(text, column=index.place)})
    raise TypeError(f"{model.__name__}.{name} has no blind index")
