"""The lives of a check on a tax profile and of an evidence document."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from foundation.lifecycle import CLOCK, Lifecycle, Transition, register

__all__ = [
    "CHECK",
    "CLOCK",
    "CONFIRMED_FOR",
    "DOCUMENT",
    "MEMBER",
    "REGISTRY",
    "STAFF",
    "CheckStatus",
    "DocumentStatus",
]

MEMBER = "member"
REGISTRY = "registry"
STAFF = "staff"

# A VAT number that the registry confirmed is asked for again after this time [P] (docs/dac7.md).
CONFIRMED_FOR = timedelta(days=180)


class CheckStatus(StrEnum):
    """Where a check of one fact of a profile stands."""

    WAITING = "waiting"
    PENDING = "pending"
    PASSED = "passed"
    APPROVED = "approved"
    REFUSED = "refused"
    REPLACED = "replaced"


_C = CheckStatus

CHECK = register(
    Lifecycle(
        "ProfileCheck",
        statuses=CheckStatus,
        initial=_C.WAITING,
        meanings={
            _C.WAITING: "a registry is to be asked, or did not answer; never held against the seller",
            _C.PENDING: "something does not fit: a person has to look",
            _C.PASSED: "it fits, by a registry or by our own comparison",
            _C.APPROVED: "a person looked and takes it as it is",
            _C.REFUSED: "a person looked and it is wrong: the seller has to give it again",
            _C.REPLACED: "the seller has given something else",
        },
        transitions=(
            Transition(_C.WAITING, "confirm", _C.PASSED, REGISTRY),
            Transition(_C.WAITING, "doubt", _C.PENDING, REGISTRY, note="it answered, and does not know it"),
            Transition(_C.PASSED, "expire", _C.WAITING, CLOCK, CONFIRMED_FOR, note="registries only"),
            Transition(_C.PENDING, "approve", _C.APPROVED, STAFF, note="with a reason"),
            Transition(_C.PENDING, "refuse", _C.REFUSED, STAFF, note="with a reason"),
            *(
                Transition(status, "replace", _C.REPLACED, MEMBER, note="by giving another value")
                for status in (_C.WAITING, _C.PENDING, _C.PASSED, _C.APPROVED, _C.REFUSED)
            ),
        ),
    )
)


class DocumentStatus(StrEnum):
    """Where a piece of evidence stands."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"


DOCUMENT = register(
    Lifecycle(
        "TaxDocument",
        statuses=DocumentStatus,
        initial=DocumentStatus.RECEIVED,
        meanings={
            DocumentStatus.RECEIVED: "nobody has looked at it yet",
            DocumentStatus.ACCEPTED: "it shows what it is to show",
            DocumentStatus.REFUSED: "it does not, and the seller is told why",
        },
        transitions=(
            Transition(DocumentStatus.RECEIVED, "accept", DocumentStatus.ACCEPTED, STAFF),
            Transition(DocumentStatus.RECEIVED, "refuse", DocumentStatus.REFUSED, STAFF),
        ),
    )
)
