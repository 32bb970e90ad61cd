"""The life of a proposal between buyer and seller. Where the issue stands is the order's status."""

from __future__ import annotations

from enum import StrEnum

from foundation.lifecycle import Lifecycle, Transition, register

OTHER, OWN, ISSUE = "other member", "own member", "issue"


class ProposalStatus(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REPLACED = "replaced"
    ENDED = "ended"


_S = ProposalStatus

PROPOSAL = register(
    Lifecycle(
        "Proposal",
        statuses=ProposalStatus,
        initial=_S.OPEN,
        meanings={
            _S.OPEN: "one of the two proposes how to settle the issue; the other's turn",
            _S.ACCEPTED: "both agree: it was done in the same moment",
            _S.DECLINED: "the other said no",
            _S.REPLACED: "one of the two proposed something else",
            _S.ENDED: "the issue ended otherwise",
        },
        transitions=[
            Transition(_S.OPEN, "accept", _S.ACCEPTED, OTHER),
            Transition(_S.OPEN, "decline", _S.DECLINED, OTHER),
            Transition(_S.OPEN, "replace", _S.REPLACED, OTHER),
            Transition(_S.OPEN, "replace", _S.REPLACED, OWN),
            Transition(_S.OPEN, "end", _S.ENDED, ISSUE, note="confirmed, under review, or decided"),
        ],
    )
)
