"""What tells two photos of the same picture: a perceptual hash, its mirror image, and the net's embedding.

The hash (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010: the signs of the
64 lowest frequencies) survives re-encoding and resizing to the bit, but not a crop. The embedding survives
crops, mirrors, frames and rotations. Figures in docs/photo-checks.md; `manage.py measure_duplicates` repeats
them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ai_suggestions.ondevice import garments, sessions
from ai_suggestions.ondevice.views import working_copy

RULES_VERSION = "fingerprint-1"

# One seller's things lie on the same floor in the same light: of 60,607 pairs of different photos by one
# sender, 29 reach .92 and none reaches .96; of 918,693 pairs by different senders none reaches .91.
ALIKE_FROM = 0.92
ALIKE_FROM_SAME_SELLER = 0.96
# The same to the hash; the embedding only has to rule out all but blank pictures, whose hash is noise.
SAME_HASH_UP_TO = 6
NOT_UNLIKE_FROM = 0.75

# A frame's rows have one colour, but for what JPEG does to it; a picture keeps 40 % of each side at least.
_FRAME_NOISE, _FRAME_SHARE, _FRAME_LEAVES = 12, 0.98, 0.4
_ROWS_AT_ONCE = 8
_HASH_SIDE = 32
_EMBEDDING = 1280
# Keys: each table cuts the space of (centred) embeddings by 24 planes. Near-duplicates fall on the same side
# of nearly all of them; a look-up also tries the other side of the planes that it is nearest to.
TABLES, BITS, DOUBTFUL = 12, 24, 4
_HASH_BANDS = ((0, 21), (21, 42), (42, 64))


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`embedding` has unit length; the hashes are 64 bits each."""

    embedding: NDArray[np.float32]
    phash: int
    phash_mirrored: int


@dataclass(frozen=True, slots=True)
class Likeness:
    """`similarity` is the cosine of the embeddings, `distance` the bits (0-64) in which the hashes differ,
    mirrored or not, whichever is fewer.
    """

    similarity: float
    distance: int

    def is_same_picture(self, *, same_seller: bool) -> bool:
        """Whether both show the same picture, edited or not."""
        enough = ALIKE_FROM_SAME_SELLER if same_seller else ALIKE_FROM
        return self.similarity >= enough or (
            self.distance <= SAME_HASH_UP_TO and self.similarity >= NOT_UNLIKE_FROM
        )


def version() -> str:
    """Of the net and of the rules here: fingerprints of other versions do not compare."""
    return f"{garments.kind_model().embedding_version}/{RULES_VERSION}"


def read(photo: Image.Image) -> tuple[Fingerprint, garments.PhotoKinds | None]:
    """The fingerprint of a photo of any mode and size (some 45 ms on one core, nearly all of it the net).

    With it comes what the net said of the photo besides; None when a frame was cut off first.
    """
    copy = working_copy(photo)
    picture = without_frame(copy)
    kinds = garments.kind_model().read(picture)
    fingerprint = Fingerprint(
        embedding=kinds.embedding,
        phash=perceptual_hash(picture),
        phash_mirrored=perceptual_hash(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    )
    return fingerprint, kinds if picture is copy else None


def without_frame(photo: Image.Image) -> Image.Image:
    """What is inside bars of one colour, as screenshots have them; the photo itself when there are none."""
    pixels = np.asarray(photo, dtype=np.int16)
    top, bottom = _bar(pixels), _bar(pixels[::-1])
    columns = pixels.swapaxes(0, 1)
    left, right = _bar(columns), _bar(columns[::-1])
    width, height = photo.width - left - right, photo.height - top - bottom
    if (width, height) == photo.size or min(width / photo.width, height / photo.height) < _FRAME_LEAVES:
        return photo
    return photo.crop((left, top, left + width, top + height))


def _bar(rows: NDArray[np.int16]) -> int:
    """How many of the first rows have the first one's colour, all but a few pixels of each."""
    colour = np.median(rows[0], axis=0)
    # A few rows at a time: most photos have no bar, and to compare all of one takes as long as the net.
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        same = (np.abs(some - colour).max(axis=2) <= _FRAME_NOISE).mean(axis=1) >= _FRAME_SHARE
        if not same.all():
            return start + int(np.argmin(same))
    return 0


def perceptual_hash(photo: Image.Image) -> int:
    """64 bits, lowest frequencies first."""
    import cv2  # here, because the web process must not pay for it

    small = photo.convert("L").resize((_HASH_SIDE, _HASH_SIDE), Image.Resampling.LANCZOS)
    lowest = cv2.dct(np.asarray(small, dtype=np.float32))[:8, :8].ravel()
    # The first is the mean brightness, which would move the median.
    return int.from_bytes(np.packbits(lowest > np.median(lowest[1:])).tobytes(), "big")


def likeness(one: Fingerprint, other: Fingerprint) -> Likeness:
    """How alike two photos are."""
    return Likeness(
        similarity=float(np.clip(one.embedding @ other.embedding, -1.0, 1.0)),
        distance=min((one.phash ^ other.phash).bit_count(), (one.phash_mirrored ^ other.phash).bit_count()),
    )


def keys_of(found: Fingerprint) -> tuple[int, ...]:
    """The buckets that a photo is kept in, one of each table: 15 numbers below 2**40."""
    codes = (_sides(found.embedding) > 0) @ _POWERS
    return (
        *(_key(table, int(code)) for table, code in enumerate(codes)),
        *_hash_keys(found.phash),
    )


def keys_near(found: Fingerprint) -> tuple[int, ...]:
    """The buckets to look for photos like this one in: 16 of each table of planes, 3 of the hash."""
    sides = _sides(found.embedding)
    codes = (sides > 0) @ _POWERS
    doubtful = np.argsort(np.abs(sides), axis=1)[:, :DOUBTFUL]
    keys = [
        _key(table, int(code) ^ sum(flips))
        for table, code in enumerate(codes)
        for flips in product(*((0, int(_POWERS[plane])) for plane in doubtful[table]))
    ]
    return (*keys, *_hash_keys(found.phash))


def packed(embedding: NDArray[np.float32]) -> bytes:
    """An embedding as it is kept: float16, little endian (2,560 bytes)."""
    return embedding.astype("<f2").tobytes()


def unpacked(kept: bytes) -> NDArray[np.float32]:
    """What `packed` gave; off by less than 0.001 in any cosine."""
    return np.frombuffer(kept, dtype="<f2").astype(np.float32)


_POWERS: NDArray[np.int64] = 1 << np.arange(BITS, dtype=np.int64)


def _key(table: int, code: int) -> int:
    return table << 32 | code


def _hash_keys(phash: int) -> tuple[int, ...]:
    """The hash in three parts: up to two bits apart, one part is the same."""
    return tuple(
        _key(TABLES + part, phash >> start & (1 << end - start) - 1)
        for part, (start, end) in enumerate(_HASH_BANDS)
    )


def _sides(embedding: NDArray[np.float32]) -> NDArray[np.float32]:
    sides: NDArray[np.float32] = (_planes() @ (embedding - _centre())).reshape(TABLES, BITS)
    return sides


@cache
def _planes() -> NDArray[np.float32]:
    """Planes of random signs: the same in every process, on every machine and in every version of NumPy."""
    signs = hashlib.shake_256(RULES_VERSION.encode()).digest(TABLES * BITS * _EMBEDDING // 8)
    bits = np.unpackbits(np.frombuffer(signs, dtype=np.uint8)).astype(np.float32)
    return (bits * 2 - 1).reshape(TABLES * BITS, _EMBEDDING)


@cache
def _centre(folder: Path = sessions.MODELS) -> NDArray[np.float32]:
    """The mean embedding of photos of clothes; planes through it cut what is alike from what is not."""
    return unpacked((folder / "fingerprint_centre.f16").read_bytes())
