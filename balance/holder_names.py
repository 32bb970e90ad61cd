"""Whether the holder of a bank account may be the member, and how a holder is shown; pure.

A bank writes Müller, Mueller, MULLER or Мюллер, and leaves middle names out or not. What does not match
is not refused: a person looks at it.
"""

from __future__ import annotations

import re

from anyascii import anyascii


def is_same_person(holder: str, legal_name: str) -> bool:
    """Whether all words of the shorter name are in the longer one, two at least, in any order.

    Who has one name only must have it on both sides.
    """
    one, other = _words(holder), _words(legal_name)
    shorter, longer = sorted((one, other), key=len)
    return bool(shorter) and shorter <= longer and len(shorter) >= min(2, len(longer))


def masked_name(name: str) -> str:
    """How a holder is shown to their owner: answers are kept for repeats, and are no place for names."""
    return " ".join(f"{word[0]}…" for word in name.split())


def _words(name: str) -> set[str]:
    latin = anyascii(name).lower()
    # German writes ä as ae where it has no ä; both become a, on both sides.
    folded = re.sub(r"([aou])e", r"\1", latin)
    return set(re.findall(r"[a-z]+", folded.replace("'", "")))
