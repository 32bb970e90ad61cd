"""The life of a filing and what becomes of its messages and records. Nothing else assigns their `status`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from foundation.lifecycle import Lifecycle, Transition, register

WORKER: Final = "worker"
STAFF: Final = "staff"
SECOND_PERSON: Final = "second person"
AUTHORITY: Final = "authority"


class FilingStatus(StrEnum):
    COLLECTING = "collecting"
    COMPILED = "compiled"
    UNCHANGED = "unchanged"
    VALIDATED = "validated"
    APPROVED = "approved"
    EXPORTED = "exported"
    WITHDRAWN = "withdrawn"
    FILED = "filed"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    CORRECTED = "corrected"


_F = FilingStatus

FILING = register(
    Lifecycle(
        "Filing",
        statuses=FilingStatus,
        initial=_F.COLLECTING,
        transitions=(
            Transition(_F.COLLECTING, "compile", _F.COMPILED, WORKER, note="the figures are frozen"),
            Transition(
                _F.COLLECTING, "find_unchanged", _F.UNCHANGED, WORKER, note="a correction with nothing to say"
            ),
            Transition(_F.COMPILED, "validate", _F.VALIDATED, WORKER, note="no rule is broken"),
            Transition(_F.COMPILED, "reopen", _F.COLLECTING, STAFF, note="compiled anew, from newer data"),
            Transition(_F.VALIDATED, "review", _F.VALIDATED, STAFF, note="the first of two persons"),
            Transition(_F.VALIDATED, "approve", _F.APPROVED, SECOND_PERSON),
            Transition(_F.VALIDATED, "reopen", _F.COLLECTING, STAFF),
            Transition(_F.APPROVED, "reopen", _F.COLLECTING, STAFF, note="no file of it has left the house"),
            Transition(_F.APPROVED, "export", _F.EXPORTED, STAFF, note="with the first file given out"),
            Transition(_F.EXPORTED, "file", _F.FILED, STAFF, note="the exported files were handed in"),
            Transition(
                _F.EXPORTED,
                "withdraw",
                _F.WITHDRAWN,
                SECOND_PERSON,
                note="no file was handed in, says somebody who exported none",
            ),
            Transition(
                _F.WITHDRAWN,
                "file",
                _F.FILED,
                STAFF,
                note="it was handed in after all, and no later filing was opened",
            ),
            Transition(_F.FILED, "accept", _F.ACCEPTED, AUTHORITY),
            Transition(_F.FILED, "accept_partly", _F.PARTLY_ACCEPTED, AUTHORITY),
            Transition(_F.FILED, "reject", _F.REJECTED, AUTHORITY),
            Transition(_F.ACCEPTED, "correct", _F.CORRECTED, AUTHORITY, note="a later filing was accepted"),
            Transition(_F.PARTLY_ACCEPTED, "correct", _F.CORRECTED, AUTHORITY),
            Transition(_F.REJECTED, "correct", _F.CORRECTED, AUTHORITY),
        ),
        meanings={
            _F.COLLECTING: "opened; a worker is to freeze the figures",
            _F.COMPILED: "figures, ids and bytes are fixed",
            _F.UNCHANGED: "nothing differs from what the authority has",
            _F.VALIDATED: "passes the authority's schema and every rule",
            _F.APPROVED: "two persons agreed; it may be exported once its sellers were told",
            _F.EXPORTED: "a file has left the house: its ids are used up, and it is never compiled anew",
            _F.WITHDRAWN: "exported, but never handed in; the next filing of the year takes its place",
            _F.FILED: "with the authority",
            _F.ACCEPTED: "the authority has taken every record",
            _F.PARTLY_ACCEPTED: "the authority has taken some records; a correction sends the others again",
            _F.REJECTED: "the authority has taken nothing",
            _F.CORRECTED: "a later filing of the year was accepted",
        },
    )
)
OPEN: Final = (_F.COLLECTING, _F.COMPILED, _F.VALIDATED, _F.APPROVED, _F.EXPORTED, _F.FILED)
"""A year has one filing in these; another one is opened once the authority has answered."""
PUBLISHED: Final = (
    *(_F.APPROVED, _F.EXPORTED, _F.FILED),
    *(_F.ACCEPTED, _F.PARTLY_ACCEPTED, _F.REJECTED, _F.CORRECTED),
)
"""Sellers are given a copy: before the report goes out, not after."""


class RecordStatus(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    IN_ERROR = "in_error"
    REJECTED = "rejected"


_R = RecordStatus

RECORD = register(
    Lifecycle(
        "Filed record",
        statuses=RecordStatus,
        initial=_R.PENDING,
        transitions=(
            Transition(_R.PENDING, "accept", _R.ACCEPTED, AUTHORITY),
            Transition(_R.PENDING, "find_error", _R.IN_ERROR, AUTHORITY, note="named in a status message"),
            Transition(_R.PENDING, "reject", _R.REJECTED, AUTHORITY, note="with the whole message"),
        ),
        meanings={
            _R.PENDING: "the authority has not answered",
            _R.ACCEPTED: "the authority has it; corrections point to it",
            _R.IN_ERROR: "the authority names it as wrong; the next filing sends it again",
            _R.REJECTED: "went down with its message; the next filing sends it again",
        },
    )
)
