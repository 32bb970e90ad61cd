"""AES-256-GCM envelopes, each valid in one column of one row only.

    version (1 byte) | length of the key id (1 byte) | key id | nonce (12) | ciphertext | tag (16)

What comes before the nonce, the column and the row's id are authenticated with the ciphertext, so an
envelope that was changed, or copied to another row or column, does not open. Nonces are random: one
key may seal 2^32 envelopes (NIST SP 800-38D, section 8.3); rotate it long before.
"""

from __future__ import annotations

import functools
import os
from typing import ClassVar

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from foundation import metrics

logger = structlog.get_logger(__name__)

VERSION = 1
NONCE_BYTES = 12
TAG_BYTES = 16
# The largest document a member may send; AES-GCM holds all of it in memory.
MAX_BYTES = 20_000_000


class CannotOpen(Exception):
    """A stored value cannot be read. The message names column, row and key id, never the value."""

    reason: ClassVar[str] = "cannot_open"


class NotAnEnvelope(CannotOpen):
    """The column holds something that was never sealed."""

    reason = "not_an_envelope"


class KeyUnknown(CannotOpen):
    """ENCRYPTION_KEYS does not hold the key it was sealed with: removed too early, or another install's."""

    reason = "key_unknown"


class NotAuthentic(CannotOpen):
    """Changed, moved here from another row or column, or sealed with another key of the same id."""

    reason = "not_authentic"


def current_key_id() -> str:
    """The key that seals from now on: the first of ENCRYPTION_KEYS."""
    return next(iter(settings.ENCRYPTION_KEYS))


def header(key_id: str) -> bytes:
    """How every envelope under this key begins."""
    name = key_id.encode("ascii")
    return bytes([VERSION, len(name)]) + name


def key_id_of(envelope: bytes) -> str:
    """The key it says to be sealed with; raises ValueError when it is no envelope."""
    if len(envelope) < 2 or envelope[0] != VERSION:
        raise ValueError("not an envelope of a known version")
    end = 2 + envelope[1]
    if envelope[1] == 0 or len(envelope) < end + NONCE_BYTES + TAG_BYTES:
        raise ValueError("an envelope that was cut off")
    return envelope[2:end].decode("ascii")


@sensitive_variables("data")
def seal_bytes(data: bytes, *, column: str, row_id: str) -> bytes:
    """The envelope of `data` for a column ("table.column") of a row. At most MAX_BYTES, else ValueError."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"at most {MAX_BYTES} bytes can be sealed")
    key_id = current_key_id()
    head = header(key_id)
    nonce = os.urandom(NONCE_BYTES)
    cipher = _cipher(settings.ENCRYPTION_KEYS[key_id])
    return head + nonce + cipher.encrypt(nonce, data, _place(head, column, row_id))


@sensitive_variables("data")
def open_bytes(envelope: bytes, *, column: str, row_id: str) -> bytes:
    """What was sealed for exactly this column and row. Raises a CannotOpen, which is logged and counted."""
    try:
        key_id = key_id_of(envelope)
    except ValueError:
        raise _refused(NotAnEnvelope, column=column, row_id=row_id, key_id="") from None
    key = settings.ENCRYPTION_KEYS.get(key_id)
    if key is None:
        raise _refused(KeyUnknown, column=column, row_id=row_id, key_id=key_id)
    head = header(key_id)
    start = len(head) + NONCE_BYTES
    try:
        return _cipher(key).decrypt(
            envelope[len(head) : start], envelope[start:], _place(head, column, row_id)
        )
    except InvalidTag:
        raise _refused(NotAuthentic, column=column, row_id=row_id, key_id=key_id) from None


@sensitive_variables("text")
def seal_text(text: str, *, column: str, row_id: str) -> bytes:
    """As seal_bytes, of a text in UTF-8."""
    return seal_bytes(text.encode(), column=column, row_id=row_id)


def open_text(envelope: bytes, *, column: str, row_id: str) -> str:
    """As open_bytes, of a text."""
    return open_bytes(envelope, column=column, row_id=row_id).decode()


def _place(head: bytes, column: str, row_id: str) -> bytes:
    """The authenticated data: where an envelope belongs. No part can hold the zero byte between them."""
    if not column or not row_id or "\0" in column + row_id:
        raise ValueError("an envelope belongs to a named column of a row that has an id")
    return b"\0".join((head, column.encode(), row_id.encode()))


@functools.lru_cache(maxsize=32)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


def _refused(kind: type[CannotOpen], *, column: str, row_id: str, key_id: str) -> CannotOpen:
    metrics.UNOPENED.labels(column, kind.reason).inc()
    logger.error("sealed_value_not_opened", column=column, row_id=row_id, key_id=key_id, reason=kind.reason)
    return kind(f"{column} of {row_id}: {kind.reason} (key {key_id!r})")
