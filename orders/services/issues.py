"""An issue between buyer and seller: reported, proved, settled by both or by support."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction

from balance import events
from balance.chart import Event
from balance.events import NewPosting, Share
from balance.services.posting import post
from foundation.db import atomic_retry
from foundation.encryption import new_file_key, seal_file
from foundation.ids import new_id
from foundation.lifecycle import Transition
from foundation.money import Money
from listings.services import clean_photo
from orders import metrics
from orders.errors import (
    DisputeWindowClosed,
    InvalidProposal,
    InvalidTransition,
    IssueNotFound,
    ProposalNotOpen,
    RefundExceedsRemaining,
    TooMuchEvidence,
)
from orders.lifecycle import BUYER, SELLER, SUPPORT, OrderStatus
from orders.lifecycle.issues import ISSUE, OTHER, OWN, PROPOSAL
from orders.models import Case, Issue, IssueEvidence, Order, Proposal
from orders.services.cancelling import undo
from orders.services.cases import open_case, resolve_of_order
from orders.services.labels import request_return_label
from orders.services.order_moves import lock_order, lock_own, move, row_of
from orders.services.sender_addresses import ask_for_return_address
from orders.services.settling import Parts, give_back, post_completions, reference_of, remaining

logger = structlog.get_logger(__name__)

MOST_EVIDENCE = 20
DOCUMENTS = "documents"
_OPEN = (OrderStatus.ISSUE_OPEN, OrderStatus.UNDER_REVIEW)
_VERBS = {"refund": "agree_refund", "part": "agree_part", "return": "agree_return"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What is proposed or decided: `refund`, `part` (of how much), or `return` (who pays the postage)."""

    kind: str
    amount: Money | None = None
    postage_by: str = ""


@atomic_retry
def report_issue(*, buyer_id: str, order_id: str, kind: str, text: str, now: datetime) -> str:
    """Say what is wrong; nothing completes until it is settled. Of this and a confirmation the first wins.

    Raises OrderNotFound, InvalidTransition, DisputeWindowClosed.
    """
    order, actor = lock_own(order_id, buyer_id)
    if actor == BUYER and order.status == OrderStatus.COMPLETED:
        raise DisputeWindowClosed(extra={"closed_at": order.completed_at})
    row = row_of(order, "open_issue", actor)
    if order.due_at is not None and order.due_at <= now:
        raise DisputeWindowClosed(extra={"closed_at": order.due_at})
    issue = Issue(id=new_id(), order_id=order.id, kind=kind, opened_at=now)
    issue.text = text
    issue.save(force_insert=True)
    move(order, row, now=now, actor_id=buyer_id)
    transaction.on_commit(metrics.ISSUES.labels(kind).inc)
    logger.info("issue_reported", issue_id=issue.id, order_id=order.id, kind=kind)
    return str(issue.id)


def add_evidence(
    *,
    member_id: str,
    issue_id: str,
    content: bytes,
    declared_type: str | None,
    file_name: str | None,
    now: datetime,
) -> str:
    """A photo by one of the two, re-encoded and encrypted. The file is written before the row that names it.

    Raises IssueNotFound, InvalidTransition once it is settled, TooMuchEvidence, and what clean_photo raises.
    """
    _lockless_check(issue_id, member_id)
    evidence = IssueEvidence(id=new_id(), issue_id=issue_id, added_at=now)
    evidence.file_key = new_file_key()
    photo = clean_photo(content, declared_type=declared_type, file_name=file_name)
    sealed = ContentFile(seal_file(evidence.file_key, photo))
    evidence.file_name = storages[DOCUMENTS].save(f"evidence/{secrets.token_hex(16)}", sealed)
    try:
        _add_row(evidence, member_id)
    except BaseException:
        storages[DOCUMENTS].delete(evidence.file_name)
        raise
    return str(evidence.id)


@atomic_retry
def propose(*, member_id: str, issue_id: str, terms: Terms, now: datetime) -> None:
    """Propose how to settle it, in place of whatever is open. Raises IssueNotFound, InvalidTransition,
    InvalidProposal, RefundExceedsRemaining.
    """
    order, issue, actor = _lock(issue_id, member_id)
    row_of(order, _VERBS[terms.kind], actor)
    _check(order, terms)
    open_one = _open_proposal(issue)
    if open_one is not None:
        _answer(open_one, "replace", OWN if open_one.by == actor else OTHER, now=now)
    number = Proposal.objects.filter(issue_id=issue.id).count() + 1
    Proposal.objects.create(
        id=new_id(),
        issue_id=issue.id,
        number=number,
        by=actor,
        kind=terms.kind,
        amount_minor=terms.amount.amount_minor if terms.amount else None,
        postage_by=terms.postage_by,
        made_at=now,
    )
    _touch(issue)
    logger.info("issue_proposal", issue_id=issue.id, number=number, kind=terms.kind, actor=actor)


@atomic_retry
def accept(*, member_id: str, issue_id: str, number: int, now: datetime) -> None:
    """Agree to what the other proposed; it is done at once. Raises IssueNotFound, ProposalNotOpen,
    InvalidTransition.
    """
    order, issue, actor = _lock(issue_id, member_id)
    proposal = _others_proposal(issue, number, actor)
    row = row_of(order, _VERBS[proposal.kind], actor)
    _answer(proposal, "accept", OTHER, now=now)
    amount = None if proposal.amount_minor is None else Money(proposal.amount_minor, order.currency)
    terms = Terms(proposal.kind, amount, proposal.postage_by)
    _settle(order, issue, terms, row, now=now, actor=f"member:{member_id}", actor_id=member_id)


@atomic_retry
def decline(*, member_id: str, issue_id: str, number: int, now: datetime) -> None:
    """Say no to what the other proposed. Raises IssueNotFound, ProposalNotOpen."""
    _, issue, actor = _lock(issue_id, member_id)
    _answer(_others_proposal(issue, number, actor), "decline", OTHER, now=now)
    _touch(issue)


@atomic_retry
def escalate(*, member_id: str, issue_id: str, now: datetime) -> None:
    """Have support decide. Raises IssueNotFound, InvalidTransition."""
    order, issue, actor = _lock(issue_id, member_id)
    row = row_of(order, "escalate", actor)
    end_proposals(issue.id, now=now)
    open_review(order, now=now)
    move(order, row, now=now, actor_id=member_id)


@atomic_retry
def send_back(*, buyer_id: str, issue_id: str, tracking_number: str, now: datetime) -> None:
    """The buyer has sent it back. Raises IssueNotFound, InvalidTransition."""
    order, issue, actor = _lock(issue_id, buyer_id)
    row = row_of(order, "send_back", actor)
    issue.return_tracking = tracking_number
    _touch(issue)
    move(order, row, now=now, actor_id=buyer_id)


@atomic_retry
def receive_return(*, seller_id: str, issue_id: str, now: datetime) -> None:
    """The seller has it back: item, fee and postage go to the buyer. Raises IssueNotFound,
    InvalidTransition.
    """
    order, _, actor = _lock(issue_id, seller_id)
    row = row_of(order, "receive", actor)
    undo(order, row, now=now, actor=f"member:{seller_id}", actor_id=seller_id, reason="returned")


@atomic_retry
def decide(*, staff_id: str, order_id: str, terms: Terms | None, reason: str, now: datetime) -> None:
    """Support decides; no terms: the sale stands. `reason` is told to both. Raises OrderNotFound,
    InvalidTransition, RefundExceedsRemaining.
    """
    order = lock_order(order_id)
    issue = Issue.objects.select_for_update().filter(order_id=order.id).first()
    verbs = {"refund": "refund", "part": "refund_part", "return": "order_return"}
    row = row_of(order, "uphold_sale" if terms is None else verbs[terms.kind], SUPPORT)
    if order.status not in _OPEN:
        raise InvalidTransition(f"The order is {order.status}.")
    if issue is not None:
        end_proposals(issue.id, now=now)
        issue.decided_by, issue.decision = staff_id, reason
        _touch(issue)
    if terms is None:
        post_completions([order], now=now)
        move(order, row, now=now, actor_id=staff_id, reason=reason)
    else:
        _check(order, terms)
        _settle(
            order, issue, terms, row, now=now, actor=f"staff:{staff_id}", actor_id=staff_id, reason=reason
        )
    decided = (Case.Kind.ISSUE, Case.Kind.CHARGEBACK)
    resolve_of_order(order_id=order.id, kinds=decided, staff_id=staff_id, resolution=reason, now=now)


def charge_return_postage(order: Order, *, now: datetime) -> None:
    """A return travels with our label: its postage is owed by the seller, or borne by us. Once."""
    issue = Issue.objects.filter(order_id=order.id).first()
    amount = Money(order.shipping_minor, order.currency)
    if issue is None or issue.postage_by not in (SELLER, "platform") or not amount.amount_minor:
        return
    payer = Share(order.seller_id, amount) if issue.postage_by == SELLER else None
    post(
        NewPosting(
            key=f"order:{order.id}:return_postage",
            event=Event.RETURN_POSTAGE,
            lines=events.return_postage(payer, amount),
            reference=reference_of(order.id),
            actor="system",
        ),
        now=now,
    )


def end_proposals_of(order_id: str, *, now: datetime) -> None:
    """The order went on otherwise."""
    for issue_id in Issue.objects.filter(order_id=order_id).values_list("id", flat=True):
        end_proposals(issue_id, now=now)


def end_proposals(issue_id: str, *, now: datetime) -> None:
    """What was proposed is settled otherwise."""
    for proposal in Proposal.objects.select_for_update().filter(issue_id=issue_id, is_open=True):
        _answer(proposal, "end", ISSUE, now=now)


def open_review(order: Order, *, now: datetime) -> None:
    """Ask support to decide; a return that goes wrong is another matter than the issue before it."""
    key = f"review:{order.id}:{order.version}"
    open_case(kind=Case.Kind.ISSUE, key=key, order_id=order.id, now=now)


def _settle(
    order: Order,
    issue: Issue | None,
    terms: Terms,
    row: Transition,
    *,
    now: datetime,
    actor: str,
    actor_id: str,
    reason: str = "",
) -> None:
    """Do what was agreed or decided."""
    if terms.kind == "refund":
        undo(order, row, now=now, actor=actor, actor_id=actor_id, reason=reason or "agreed")
        return
    if terms.kind == "part":
        amount = terms.amount.amount_minor if terms.amount else 0
        key = f"order:{order.id}:refund:{order.version}"
        give_back(order, Parts(item=amount), key=key, actor=actor, reason=reason or "agreed", now=now)
        post_completions([order], now=now)
        move(order, row, now=now, actor_id=actor_id, reason=reason, amount_minor=amount)
        return
    if issue is not None:
        issue.postage_by = terms.postage_by
        _touch(issue)
    move(order, row, now=now, actor_id=actor_id, reason=reason)
    if terms.postage_by == BUYER:
        ask_for_return_address(order, now=now)
    else:
        request_return_label(order, now=now)


def _check(order: Order, terms: Terms) -> None:
    is_part, is_return = terms.kind == Proposal.Kind.PART, terms.kind == Proposal.Kind.RETURN
    if (terms.amount is not None) != is_part:
        raise InvalidProposal("A part names its amount, and nothing else names one.")
    if bool(terms.postage_by) != is_return:
        raise InvalidProposal("A return names who pays the way back, and nothing else names it.")
    if terms.amount is None:
        return
    left = Money(remaining(order).item, order.currency)
    if terms.amount.currency != order.currency or terms.amount.amount_minor <= 0:
        raise InvalidProposal(f"A part is an amount in {order.currency}.")
    if left < terms.amount:
        raise RefundExceedsRemaining(f"At most {left}.", extra={"remaining": left.as_json()})


def _lock(issue_id: str, member_id: str) -> tuple[Order, Issue, str]:
    """The order first, as everywhere, then the issue. Raises IssueNotFound."""
    found = Issue.objects.filter(id=issue_id).values_list("order_id", flat=True).first()
    if found is None:
        raise IssueNotFound
    order = lock_order(found)
    if member_id not in (order.buyer_id, order.seller_id):
        raise IssueNotFound
    issue = Issue.objects.select_for_update().get(id=issue_id)
    return order, issue, BUYER if member_id == order.buyer_id else SELLER


def _lockless_check(issue_id: str, member_id: str) -> None:
    """Before work is done on a file. Raises as _add_row does."""
    with transaction.atomic():
        _require_room(*_lock(issue_id, member_id)[:2])


@atomic_retry
def _add_row(evidence: IssueEvidence, member_id: str) -> None:
    order, issue, actor = _lock(evidence.issue_id, member_id)
    evidence.position, evidence.added_by = _require_room(order, issue), actor
    evidence.save(force_insert=True)
    _touch(issue)
    logger.info("issue_evidence_added", issue_id=issue.id, evidence_id=evidence.id, actor=actor)


def _require_room(order: Order, issue: Issue) -> int:
    if order.status not in (*_OPEN, OrderStatus.RETURN_PENDING, OrderStatus.RETURNING):
        raise InvalidTransition(f"The order is {order.status}.")
    position = IssueEvidence.objects.filter(issue_id=issue.id).count()
    if position >= MOST_EVIDENCE:
        raise TooMuchEvidence(f"At most {MOST_EVIDENCE}.")
    return position


def _open_proposal(issue: Issue) -> Proposal | None:
    return Proposal.objects.select_for_update().filter(issue_id=issue.id, is_open=True).first()


def _others_proposal(issue: Issue, number: int, actor: str) -> Proposal:
    proposal = _open_proposal(issue)
    if proposal is None or proposal.number != number or proposal.by == actor:
        raise ProposalNotOpen
    return proposal


def _answer(proposal: Proposal, verb: str, actor: str, *, now: datetime) -> None:
    row = PROPOSAL.row(proposal.status, verb, actor)
    proposal.status, proposal.is_open, proposal.answered_at = row.target, None, now
    proposal.save(force_update=True)


def _touch(issue: Issue) -> None:
    issue.version += 1
    issue.save(force_update=True)
