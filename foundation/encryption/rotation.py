"""Re-encrypting what former keys sealed, while the service runs.

A row is changed by compare-and-set on the envelope that was read, so a writer in between wins and
nothing of his is lost. What is left to do is what a former key still seals: the command may be stopped
and started again at any time, and two of it at once only share the work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, models, transaction

from foundation.db import atomic_retry
from foundation.encryption.blind_index import blind_index, current_index_key_id
from foundation.encryption.envelope import CannotOpen, current_key_id, open_bytes
from foundation.encryption.fields import BlindIndexField, EncryptedField, Envelope
from foundation.encryption.values import SealedText

logger = structlog.get_logger(__name__)

BATCH = 100


@dataclass(slots=True)
class Rotated:
    """What one pass over a column did. `overtaken`: a writer was faster, so the row is newer than we saw."""

    changed: int = 0
    overtaken: int = 0
    unreadable: int = 0
    # Of an index only: another row has the same value under the new key, where the database wants one.
    duplicate: int = 0


Column = EncryptedField[Any, Any] | BlindIndexField


def encrypted_columns(of: Iterable[type[models.Model]] | None = None) -> list[Column]:
    """Every encrypted column and every blind index, of all installed models or the given ones."""
    found = [
        field
        for model in (apps.get_models() if of is None else of)
        for field in model._meta.local_fields
        if isinstance(field, EncryptedField | BlindIndexField)
    ]
    return sorted(found, key=lambda field: f"{field.model._meta.db_table}.{field.column}")


def current_key_of(field: Column) -> str:
    """The id of the key that it should be under."""
    return current_index_key_id() if isinstance(field, BlindIndexField) else current_key_id()


def key_use(field: Column) -> dict[str, int]:
    """Key id -> rows under it, of every configured key; "" counts rows under keys that are not configured."""
    rows = field.model._base_manager.exclude(**{f"{field.name}__isnull": True})
    keys = settings.BLIND_INDEX_KEYS if isinstance(field, BlindIndexField) else settings.ENCRYPTION_KEYS
    use = {key_id: rows.filter(_under(field, key_id)).count() for key_id in keys}
    return {**use, "": rows.count() - sum(use.values())}


def rotate(field: Column, *, batch: int = BATCH) -> Rotated:
    """Bring every row of a column under the current key, `batch` rows a transaction, in order of ids."""
    done = Rotated()
    for rows in _batches_under_former_keys(field, batch):
        changes = []
        for row_id, envelope, former in rows:
            try:
                changes.append((row_id, envelope, former, _renewed(field, row_id, envelope)))
            except CannotOpen:  # logged with its ids where it was raised
                done.unreadable += 1
        _write(field, changes, done)
    return done


Row = tuple[str, Envelope, str | None]


def _under(field: Column, key_id: str) -> models.Q:
    if isinstance(field, BlindIndexField):
        return models.Q(**{f"{field.name}__startswith": f"{key_id}."})
    return models.Q(**{f"{field.name}__under_key": key_id})


def _source(field: Column) -> EncryptedField[Any, Any]:
    """The encrypted column itself, or the one that an index is of."""
    if isinstance(field, EncryptedField):
        return field
    source = field.model._meta.get_field(field.of)
    assert isinstance(source, EncryptedField)  # noqa: S101  # for mypy; column_of() has checked it
    return source


def _batches_under_former_keys(field: Column, batch: int) -> Iterator[list[Row]]:
    source = _source(field)
    rows = (
        field.model._base_manager.exclude(**{f"{source.name}__isnull": True})
        .exclude(_under(field, current_key_of(field)))
        .order_by("pk")
    )
    names = ["pk", source.name] + ([field.name] if isinstance(field, BlindIndexField) else [])
    last: Any = None
    while True:
        page = rows if last is None else rows.filter(pk__gt=last)
        found = [(pk, envelope, (*rest, None)[0]) for pk, envelope, *rest in page.values_list(*names)[:batch]]
        if not found:
            return
        last = found[-1][0]
        yield found


def _renewed(field: Column, row_id: Any, envelope: Envelope) -> Any:
    source = _source(field)
    place = {"column": source.place, "row_id": str(row_id)}
    if isinstance(field, BlindIndexField):
        return blind_index(SealedText(envelope, **place).reveal(), column=source.place)
    return source.seal_data(open_bytes(envelope, **place), row_id=str(row_id))


@atomic_retry
def _write(field: Column, changes: list[tuple[Any, Envelope, str | None, Any]], done: Rotated) -> None:
    source = _source(field)
    counted = Rotated()
    for row_id, envelope, former, renewed in changes:
        unchanged = {"pk": row_id, f"{source.name}__is": envelope}
        if isinstance(field, BlindIndexField):
            unchanged[field.name] = former
        try:
            with transaction.atomic():
                changed = field.model._base_manager.filter(**unchanged).update(**{field.name: renewed})
        except IntegrityError:
            counted.duplicate += 1
            logger.error("blind_index_duplicate", column=source.place, row_id=str(row_id))
            continue
        counted.changed += changed
        counted.overtaken += 1 - changed
    done.changed += counted.changed
    done.overtaken += counted.overtaken
    done.duplicate += counted.duplicate
