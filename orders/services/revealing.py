"""Staff opens what is masked. The page writes down who and why before it asks for anything here."""

from __future__ import annotations

import json

import structlog

from orders.errors import EvidenceNotFound, IssueNotFound, OrderNotFound
from orders.models import Issue, IssueEvidence, Order
from orders.providers.carriers.contract import Address
from orders.queries.issues import open_evidence

logger = structlog.get_logger(__name__)


def reveal_address(*, order_id: str, staff_id: str) -> Address | None:
    """Where the buyer wants it; None before he said so. Raises OrderNotFound, CannotOpen."""
    order = Order.objects.filter(id=order_id).only("address").first()
    if order is None:
        raise OrderNotFound
    logger.info("order_address_revealed", order_id=order_id, staff_id=staff_id)
    return None if order.address is None else Address(**json.loads(order.address.reveal()))


def reveal_issue(*, issue_id: str, staff_id: str) -> str:
    """What the buyer wrote; empty once it is forgotten. Raises IssueNotFound, CannotOpen."""
    issue = Issue.objects.filter(id=issue_id).only("text").first()
    if issue is None:
        raise IssueNotFound
    logger.info("issue_revealed", issue_id=issue_id, staff_id=staff_id)
    return issue.text.reveal() if issue.text else ""


def reveal_evidence(*, issue_id: str, evidence_id: str, staff_id: str) -> bytes:
    """A photo of an issue as JPEG. Raises EvidenceNotFound, CannotOpen."""
    row = IssueEvidence.objects.filter(id=evidence_id, issue_id=issue_id).first()
    if row is None:
        raise EvidenceNotFound
    logger.info("issue_evidence_revealed", evidence_id=evidence_id, issue_id=issue_id, staff_id=staff_id)
    return open_evidence(row)
