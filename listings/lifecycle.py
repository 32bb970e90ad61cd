"""The life of a listing and of a photo: one table each, and nothing else assigns `status`."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from foundation.lifecycle import CLOCK, Lifecycle, Transition, register

SELLER, MODERATOR, WORKER, CHECK = "seller", "moderator", "worker", "check"
# Whoever brings buyer and money together; it stands above this app.
TRADE = "trade"

# Source of both: the rules of listings in the project's design (docs/listings.md).
LONGEST_RESERVATION = timedelta(days=5)
LONGEST_HIDING = timedelta(days=90)


class Status(StrEnum):
    """Where a listing stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    ACTIVE = "active"
    RESERVED = "reserved"
    SOLD = "sold"
    HIDDEN = "hidden"
    REMOVED = "removed"
    DELETED = "deleted"


LISTING = register(
    Lifecycle(
        "Listing",
        statuses=Status,
        initial=Status.DRAFT,
        meanings={
            Status.DRAFT: "being written; only the seller sees it",
            Status.IN_REVIEW: "a photo is flagged, or moderation had hidden it; a moderator decides",
            Status.ACTIVE: "on offer, everybody sees it",
            Status.RESERVED: "promised by the seller to somebody; everybody sees it, nobody can buy it",
            Status.SOLD: "a buyer paid; entered by orders only",
            Status.HIDDEN: "out of sight for a while: by seller or moderation, or as its sale was undone",
            Status.REMOVED: "taken away by moderation for good, with a reason",
            Status.DELETED: "deleted by the seller; kept without being shown",
        },
        transitions=[
            Transition(Status.DRAFT, "publish", Status.ACTIVE, SELLER, note="every rule is kept"),
            Transition(
                Status.DRAFT, "submit", Status.IN_REVIEW, SELLER, note="publish, while a photo is flagged"
            ),
            Transition(Status.DRAFT, "delete", Status.DELETED, SELLER),
            Transition(Status.DRAFT, "remove", Status.REMOVED, MODERATOR),
            Transition(Status.IN_REVIEW, "restore", Status.ACTIVE, MODERATOR),
            Transition(Status.IN_REVIEW, "suspend", Status.HIDDEN, MODERATOR),
            Transition(Status.IN_REVIEW, "remove", Status.REMOVED, MODERATOR),
            Transition(Status.IN_REVIEW, "delete", Status.DELETED, SELLER),
            Transition(Status.ACTIVE, "sell", Status.SOLD, TRADE, note="a buyer paid"),
            Transition(Status.RESERVED, "sell", Status.SOLD, TRADE, note="reserved while a checkout held it"),
            Transition(Status.SOLD, "put_back", Status.HIDDEN, TRADE, note="the sale was undone"),
            Transition(Status.SOLD, "remove", Status.REMOVED, MODERATOR, note="as it is now known to be"),
            Transition(Status.ACTIVE, "hide", Status.HIDDEN, SELLER),
            Transition(Status.ACTIVE, "reserve", Status.RESERVED, SELLER),
            Transition(Status.ACTIVE, "delete", Status.DELETED, SELLER),
            Transition(Status.ACTIVE, "flag", Status.IN_REVIEW, CHECK, note="a check flagged a photo"),
            Transition(Status.ACTIVE, "suspend", Status.HIDDEN, MODERATOR),
            Transition(Status.ACTIVE, "remove", Status.REMOVED, MODERATOR),
            Transition(Status.RESERVED, "release", Status.ACTIVE, SELLER),
            Transition(Status.RESERVED, "end_reservation", Status.ACTIVE, CLOCK, LONGEST_RESERVATION),
            Transition(Status.RESERVED, "delete", Status.DELETED, SELLER),
            Transition(Status.RESERVED, "flag", Status.IN_REVIEW, CHECK, note="a check flagged a photo"),
            Transition(Status.RESERVED, "suspend", Status.HIDDEN, MODERATOR),
            Transition(Status.RESERVED, "remove", Status.REMOVED, MODERATOR),
            Transition(
                Status.HIDDEN,
                "unhide",
                Status.ACTIVE,
                SELLER,
                note="hidden by the seller, every rule is kept",
            ),
            Transition(
                Status.HIDDEN, "relist", Status.ACTIVE, SELLER, note="its sale was undone, every rule is kept"
            ),
            Transition(
                Status.HIDDEN,
                "publish",
                Status.IN_REVIEW,
                SELLER,
                note="hidden by moderation, every rule is kept",
            ),
            Transition(
                Status.HIDDEN,
                "submit",
                Status.IN_REVIEW,
                SELLER,
                note="unhide or relist, while a photo is flagged",
            ),
            Transition(Status.HIDDEN, "delete", Status.DELETED, SELLER),
            Transition(
                Status.HIDDEN,
                "expire",
                Status.DRAFT,
                CLOCK,
                LONGEST_HIDING,
                note="unless hidden by moderation",
            ),
            Transition(Status.HIDDEN, "restore", Status.ACTIVE, MODERATOR),
            Transition(Status.HIDDEN, "remove", Status.REMOVED, MODERATOR),
        ],
    )
)

# What the seller may still change; a buyer who has paid gets what was offered.
EDITABLE = frozenset({Status.DRAFT, Status.IN_REVIEW, Status.ACTIVE, Status.RESERVED, Status.HIDDEN})
# What others may see.
PUBLIC = frozenset({Status.ACTIVE, Status.RESERVED, Status.SOLD})

# What nobody is shown any more: public files of its photos are deleted, private masters stay.
WITHDRAWN = frozenset({Status.REMOVED, Status.DELETED})

# Who hid a hidden listing.
BY_SELLER, BY_MODERATION, BY_TRADE = "seller", "moderation", "trade"

# What a moderator says of a flagged photo: it may be shown, or it may not.
APPROVED, REJECTED = "approved", "rejected"
RULINGS = (APPROVED, REJECTED)

# What brings it back on offer, by who hid it.
_BACK = {BY_SELLER: "unhide", BY_MODERATION: "publish", BY_TRADE: "relist"}

# What publish, unhide and relist become while a photo is flagged; nobody asks for it by this name.
_NOT_ASKED_FOR = frozenset({"submit"})


def seller_actions(status: str, hidden_by: str) -> tuple[str, ...]:
    """What the seller may do now: the verbs of the table (the notes of `hidden` applied), edit, duplicate."""
    verbs = [verb for verb in LISTING.verbs(status, SELLER) if verb not in _NOT_ASKED_FOR]
    if status == Status.HIDDEN:
        verbs = [verb for verb in verbs if verb == _BACK[hidden_by] or verb not in _BACK.values()]
    if status in EDITABLE:
        verbs.append("edit")
    if status != Status.DELETED:
        verbs.append("duplicate")
    return tuple(verbs)


class PhotoStatus(StrEnum):
    """Where a photo stands."""

    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


PHOTO = register(
    Lifecycle(
        "Photo",
        statuses=PhotoStatus,
        initial=PhotoStatus.PROCESSING,
        meanings={
            PhotoStatus.PROCESSING: "received and checked; waits for a worker to decode and re-encode it",
            PhotoStatus.READY: "re-encoded without metadata; the only form that is ever shown",
            PhotoStatus.FAILED: "could not be decoded, with a reason; the seller replaces or deletes it",
        },
        transitions=[
            Transition(PhotoStatus.PROCESSING, "finish", PhotoStatus.READY, WORKER),
            Transition(PhotoStatus.PROCESSING, "fail", PhotoStatus.FAILED, WORKER),
            Transition(PhotoStatus.PROCESSING, "replace", PhotoStatus.PROCESSING, SELLER),
            Transition(PhotoStatus.READY, "replace", PhotoStatus.PROCESSING, SELLER),
            Transition(PhotoStatus.FAILED, "replace", PhotoStatus.PROCESSING, SELLER),
        ],
    )
)
