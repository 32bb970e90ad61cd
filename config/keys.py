"""The keys of encrypted columns, read from the environment: `id:base64,id:base64`, the first one seals."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from pathlib import Path

from config.env import ConfigurationError, env, generated_secret

KEY_BYTES = 32
# The key that an embedded install makes for itself.
GENERATED_ID = "local"
_ID = re.compile(r"[a-z0-9-]{1,16}")


def keys_of_columns(home: Path, *, may_generate: bool) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """ENCRYPTION_KEYS and BLIND_INDEX_KEYS. Raises ConfigurationError."""
    sealing = keys_of(
        "ENCRYPTION_KEYS",
        env.list("ENCRYPTION_KEYS", []),
        file=home / "encryption_keys",
        may_generate=may_generate,
    )
    indexing = keys_of(
        "BLIND_INDEX_KEYS",
        env.list("BLIND_INDEX_KEYS", []),
        file=home / "blind_index_keys",
        may_generate=may_generate,
    )
    if set(sealing.values()) & set(indexing.values()):
        raise ConfigurationError("BLIND_INDEX_KEYS holds a key of ENCRYPTION_KEYS: each needs its own")
    return sealing, indexing


def keys_of(name: str, given: list[str], *, file: Path, may_generate: bool) -> dict[str, bytes]:
    """Key ids and keys, in order. Without any, one is made at the first start and kept in `file`.

    Raises ConfigurationError, which never holds a key.
    """
    if not given and not may_generate:
        raise ConfigurationError(
            f"{name} is empty: set id:key, the key from `openssl rand -base64 32`, the same on every replica"
        )
    given = given or [generated_secret(file, make=_generated)]
    keys: dict[str, bytes] = {}
    for position, entry in enumerate(given, start=1):
        key_id, _, text = entry.strip().partition(":")
        if not _ID.fullmatch(key_id):
            raise ConfigurationError(
                f"{name}: the id of key {position} should be 1 to 16 of a-z, 0-9 and the hyphen"
            )
        if key_id in keys:
            raise ConfigurationError(f"{name}: two keys have the id {key_id!r}")
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_BYTES:
            raise ConfigurationError(f"{name}: key {key_id!r} should be {KEY_BYTES} bytes in base 64")
        keys[key_id] = key
    if len(set(keys.values())) != len(keys):
        raise ConfigurationError(f"{name}: one key stands there under two ids")
    return keys


def _generated() -> str:
    return f"{GENERATED_ID}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"
