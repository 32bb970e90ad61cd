"""Documents in a storage: each encrypted under a key of its own, which an encrypted column of its row holds.

Rotating the keys of the service then re-seals a few bytes in the row and leaves the file alone. The file
opens only through its row: the column's envelope is bound to it, and the file to column and row.

    document = TaxDocument(id=new_id(), file_key=new_file_key())      # file_key = EncryptedBytesField()
    storage.save(name, ContentFile(seal_file(document.file_key, data)))
    data = open_file(document.file_key, storage.open(name).read())
"""

from __future__ import annotations

import os

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.views.decorators.debug import sensitive_variables

from foundation import metrics
from foundation.encryption.envelope import MAX_BYTES, NONCE_BYTES, NotAuthentic
from foundation.encryption.values import SealedBytes, SecretBytes

logger = structlog.get_logger(__name__)

_MAGIC = b"preloved-file-1\0"


def new_file_key() -> SecretBytes:
    """A fresh key for one file of one row."""
    return SecretBytes(AESGCM.generate_key(bit_length=256))


@sensitive_variables("data")
def seal_file(key: SealedBytes, data: bytes) -> bytes:
    """What to put into the storage. At most MAX_BYTES, else ValueError."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"at most {MAX_BYTES} bytes can be sealed")
    nonce = os.urandom(NONCE_BYTES)
    return _MAGIC + nonce + AESGCM(key.reveal()).encrypt(nonce, data, _place(key))


@sensitive_variables("data")
def open_file(key: SealedBytes, content: bytes) -> bytes:
    """The document. Raises a CannotOpen when the key or the content is not this row's."""
    start = len(_MAGIC) + NONCE_BYTES
    try:
        return AESGCM(key.reveal()).decrypt(content[len(_MAGIC) : start], content[start:], _place(key))
    except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
        metrics.UNOPENED.labels(key.column, NotAuthentic.reason).inc()
        logger.error("sealed_file_not_opened", column=key.column, row_id=key.row_id)
        raise NotAuthentic(f"the file of {key.column} of {key.row_id}") from None


def _place(key: SealedBytes) -> bytes:
    return _MAGIC + b"\0".join((key.column.encode(), key.row_id.encode()))
