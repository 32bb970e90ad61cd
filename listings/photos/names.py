"""Where the files of a photo are. Names hold random parts: they cannot be guessed and are never reused."""

from __future__ import annotations

# Keys of settings.STORAGES.
PUBLIC = "default"
ORIGINALS = "originals"

RENDITIONS = (320, 800, 1600)  # longest side in pixels
MASTER_SIDE = 2048
UPLOADS = "uploads"
MASTERS = "masters"


def upload_name(token: str) -> str:
    """Of the bytes as they were sent, in the private storage, until they are re-encoded."""
    return f"{UPLOADS}/{token[-2:]}/{token}"


def stem_for(photo_id: str, token: str) -> str:
    """What all files of one processed photo have in common. `token` is random, hexadecimal."""
    return f"{photo_id[-2:].lower()}/{photo_id.lower()}-{token}"


def master_name(stem: str) -> str:
    """Of the master (longest side at most MASTER_SIDE), in the private storage."""
    return f"{MASTERS}/{stem}.jpg"


def rendition_name(stem: str, side: int) -> str:
    """Of a rendition, in the public storage."""
    return f"photos/{stem}-{side}.jpg"
