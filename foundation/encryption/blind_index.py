"""Equality over encrypted columns: a keyed hash beside the ciphertext, which itself never repeats.

HMAC-SHA-256 under a key of its own, derived for each column, so that equal values of two columns do not
match. Whoever reads the table sees which rows of one column are equal, and nothing else.
"""

from __future__ import annotations

import base64
import functools
import hmac

from django.conf import settings
from django.views.decorators.debug import sensitive_variables


def current_index_key_id() -> str:
    """The key of new index values: the first of BLIND_INDEX_KEYS."""
    return next(iter(settings.BLIND_INDEX_KEYS))


@sensitive_variables("text")
def blind_index(text: str, *, column: str, key_id: str | None = None) -> str:
    """ "key id.hash", 45 to 60 ascii characters. The text counts byte for byte: normalise it before."""
    key_id = current_index_key_id() if key_id is None else key_id
    key = _column_key(settings.BLIND_INDEX_KEYS[key_id], column)
    digest = hmac.digest(key, text.encode(), "sha256")
    return f"{key_id}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def blind_indexes(text: str, *, column: str) -> list[str]:
    """The index value under every configured key: while keys rotate, rows of both are found."""
    return [blind_index(text, column=column, key_id=key_id) for key_id in settings.BLIND_INDEX_KEYS]


@functools.lru_cache(maxsize=256)
def _column_key(key: bytes, column: str) -> bytes:
    return hmac.digest(key, b"preloved.blind_index\0" + column.encode(), "sha256")
