"""Reading issues: what is objected to, the evidence, and what is proposed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.core.files.storage import storages

from foundation.encryption import open_file
from foundation.money import Money
from orders.errors import EvidenceNotFound, IssueNotFound
from orders.lifecycle import BUYER, ORDER, SELLER, OrderStatus
from orders.models import Issue, IssueEvidence, Order, Proposal
from orders.providers.carriers.contract import Address
from orders.queries.sender_addresses import sender_address_for

_S = OrderStatus
_PROPOSED_BY = {
    "agree_refund": "propose_refund",
    "agree_part": "propose_part",
    "agree_return": "propose_return",
}
_DOCUMENTS = "documents"


@dataclass(frozen=True, slots=True)
class ProposalFacts:
    """How one of the two would settle it."""

    number: int
    by: str
    kind: str
    amount: Money | None
    postage_by: str
    status: str
    made_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class EvidenceFacts:
    """A photo of one of the two."""

    id: str
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """An issue as one of the two sees it; `status` is the order's."""

    id: str
    order_id: str
    role: str
    status: str
    kind: str
    text: str = field(repr=False)
    version: int
    opened_at: datetime
    agree_by: datetime | None
    send_back_by: datetime | None
    postage_by: str
    return_tracking: str
    return_to: Address | None = field(repr=False)
    decision: str
    evidence: tuple[EvidenceFacts, ...]
    proposals: tuple[ProposalFacts, ...]
    allowed_actions: tuple[str, ...]


def find_issue_id(order_id: str) -> str | None:
    """Of the order, if one was reported."""
    return Issue.objects.filter(order_id=order_id).values_list("id", flat=True).first()


def get_issue(member_id: str, issue_id: str) -> IssueFacts:
    """Raises IssueNotFound, also for one that the member has no part in."""
    issue = Issue.objects.filter(id=issue_id).select_related("order").first()
    if issue is None or member_id not in (issue.order.buyer_id, issue.order.seller_id):
        raise IssueNotFound
    order: Order = issue.order
    role = BUYER if member_id == order.buyer_id else SELLER
    proposals = tuple(
        ProposalFacts(
            number=row.number,
            by=row.by,
            kind=row.kind,
            amount=None if row.amount_minor is None else Money(row.amount_minor, order.currency),
            postage_by=row.postage_by,
            status=row.status,
            made_at=row.made_at,
            answered_at=row.answered_at,
        )
        for row in Proposal.objects.filter(issue_id=issue.id).order_by("number")
    )
    evidence = IssueEvidence.objects.filter(issue_id=issue.id).order_by("position")
    return IssueFacts(
        id=issue.id,
        order_id=order.id,
        role=role,
        status=order.status,
        kind=issue.kind,
        text=issue.text.reveal() if issue.text else "",
        version=issue.version + order.version,
        opened_at=issue.opened_at,
        agree_by=order.due_at if order.status == _S.ISSUE_OPEN else None,
        send_back_by=order.due_at if order.status == _S.RETURN_PENDING else None,
        postage_by=issue.postage_by,
        return_tracking=issue.return_tracking,
        return_to=_return_to(order, issue) if role == BUYER else None,
        decision=issue.decision,
        evidence=tuple(EvidenceFacts(row.id, row.added_by, row.added_at) for row in evidence),
        proposals=proposals,
        allowed_actions=_allowed(order.status, role, proposals),
    )


def is_sent_by_buyer(status: str, postage_by: str) -> bool:
    """Whether the buyer sends it back without a label of ours, so has to know where to."""
    return status in (_S.RETURN_PENDING, _S.RETURNING) and postage_by == BUYER


def _return_to(order: Order, issue: Issue) -> Address | None:
    """None as long as the seller has not said it; nobody sees it before and after."""
    if not is_sent_by_buyer(order.status, issue.postage_by):
        return None
    address = sender_address_for(order.seller_id, order.seller_country, in_full=True)
    return address if address.is_full else None


def lacks_return_address(order_id: str) -> bool:
    """Whether the buyer is to send it back and cannot know where to, since the seller has not said it."""
    sent_by_buyer = Issue.objects.filter(order_id=order_id, postage_by=BUYER, order__status=_S.RETURN_PENDING)
    issue = sent_by_buyer.select_related("order").first()
    return issue is not None and _return_to(issue.order, issue) is None


def _allowed(status: str, role: str, proposals: tuple[ProposalFacts, ...]) -> tuple[str, ...]:
    """What the member may do about the issue now: the verbs of the order's table, and of its proposals."""
    verbs = ORDER.verbs(status, role)
    allowed = [_PROPOSED_BY[verb] for verb in verbs if verb in _PROPOSED_BY]
    if status == _S.ISSUE_OPEN and any(row.status == "open" and row.by != role for row in proposals):
        allowed += ["accept", "decline"]
    allowed += [verb for verb in ("escalate", "send_back", "receive") if verb in verbs]
    if status in (_S.ISSUE_OPEN, _S.UNDER_REVIEW, _S.RETURN_PENDING, _S.RETURNING):
        allowed.append("add_evidence")
    return tuple(allowed)


def read_evidence(member_id: str, issue_id: str, evidence_id: str) -> bytes:
    """The photo as JPEG. Raises IssueNotFound, EvidenceNotFound."""
    get_issue(member_id, issue_id)
    row = IssueEvidence.objects.filter(id=evidence_id, issue_id=issue_id).first()
    if row is None:
        raise EvidenceNotFound
    return open_evidence(row)


def open_evidence(row: IssueEvidence) -> bytes:
    """What is in the file of a photo, as JPEG."""
    with storages[_DOCUMENTS].open(row.file_name, "rb") as file:
        return open_file(row.file_key, file.read())
