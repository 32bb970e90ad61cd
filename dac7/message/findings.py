"""What checking a message found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that does not hold; ``doc_ref`` is the record's id, empty if it is about the whole message.

    ``detail`` names elements and ids, never what stands in them: it is kept in clear.
    """

    rule: str
    detail: str
    doc_ref: str = ""


class KnownReferences(Protocol):
    """What was filed before, as far as a message has to fit to it."""

    def used_elsewhere(self, refs: list[str]) -> set[str]:
        """Which of these ids of messages or records another filing has used already."""

    def correctable(self, refs: list[str]) -> set[str]:
        """Which of these records are the last accepted ones of their chains."""
