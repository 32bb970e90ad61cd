"""Encrypts a file for whoever is to get it, with age (https://age-encryption.org/v1), in constant memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

import pyrage


class RecipientInvalid(ValueError):
    """A text is no age recipient (``age1…``)."""


def recipients_of(texts: Iterable[str]) -> list[pyrage.x25519.Recipient]:
    """Public keys as age writes them. Raises RecipientInvalid."""
    found = []
    for text in texts:
        try:
            found.append(pyrage.x25519.Recipient.from_str(text.strip()))
        except pyrage.RecipientError:
            raise RecipientInvalid(f"{text[:12]}… is no age recipient") from None
    return found


def encrypt(source: IO[bytes], target: IO[bytes], recipients: Iterable[str]) -> None:
    """Write what ``source`` holds so that only the recipients read it.

    Two runs differ: the key of the file is drawn anew. Raises RecipientInvalid.
    """
    pyrage.encrypt_io(source, target, recipients_of(recipients))
