"""Who of the two is told what when an order moves: a table of verbs; orders/notices/ has the texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from foundation.compiled import CompiledQuery, args, named
from foundation.money import Money
from members.services.notices import NewNotice, notify_many
from orders.lifecycle import BUYER, SELLER, OrderStatus
from orders.models import Order, OrderItem
from orders.queries.reviews import REVIEW_WITHIN


@dataclass(frozen=True, slots=True)
class _News:
    """A kind of notice, to whom, and what its text names: `amount` and `deadline` by the names below."""

    to: str
    kind: str
    amount: str = ""
    deadline: str = ""
    outcome: str = ""


_DELIVERED = (
    _News(BUYER, "order.delivered", deadline="due"),
    _News(SELLER, "order.arrived", deadline="due"),
)
_COMPLETED = (
    _News(SELLER, "order.completed", amount="earned"),
    _News(BUYER, "order.review_invited", deadline="review"),
    _News(SELLER, "order.review_invited", deadline="review"),
)
_REFUNDED = (
    _News(BUYER, "order.refunded", amount="moved"),
    _News(SELLER, "order.sale_refunded", amount="moved"),
)


def _settled(outcome: str) -> tuple[_News, _News]:
    return (
        _News(BUYER, "order.issue_settled", outcome=outcome),
        _News(SELLER, "order.issue_settled", outcome=outcome),
    )


def _both(kind: str, amount: str = "", deadline: str = "") -> tuple[_News, _News]:
    return _News(BUYER, kind, amount, deadline), _News(SELLER, kind, amount, deadline)


_CANCELLED = _News(BUYER, "order.cancelled", amount="moved")
_RETURN = (*_settled("to_be_sent_back"), _News(BUYER, "order.return_awaited", deadline="due"))
_PART = (*_settled("refunded_in_part"), _REFUNDED[0], *_COMPLETED)

NEWS: Mapping[str, tuple[_News, ...]] = {
    "pay": (
        _News(BUYER, "order.paid", amount="total", deadline="ship_by"),
        _News(SELLER, "order.sold", amount="earned", deadline="ship_by"),
    ),
    "fail": (_News(BUYER, "order.payment_failed", amount="total"),),
    "request_cancellation": (_News(SELLER, "order.cancellation_requested", deadline="due"),),
    "refuse_cancellation": (_News(BUYER, "order.cancellation_refused"),),
    "cancel": (_CANCELLED, _News(SELLER, "order.sale_cancelled")),
    "cancel_unanswered": (_CANCELLED, _News(SELLER, "order.sale_cancelled")),
    "cancel_unsent": (_CANCELLED, _News(SELLER, "order.not_shipped")),
    "scan": (_News(BUYER, "order.shipped"),),
    "transit": (_News(BUYER, "order.shipped"),),
    "arrive": (_News(BUYER, "order.ready_for_pickup", deadline="due"),),
    "reach_hub": _both("order.at_verification"),
    "verify": _both("order.verified"),
    "reject": _both("order.rejected", amount="moved"),
    "deliver": _DELIVERED,
    "presume_delivered": _DELIVERED,
    "return_to_sender": _both("order.not_collected", amount="moved"),
    "lose": (
        _News(BUYER, "order.parcel_lost", amount="moved"),
        _News(SELLER, "order.parcel_lost", amount="price"),
    ),
    "confirm": _COMPLETED,
    "complete": _COMPLETED,
    "keep": _COMPLETED,
    "uphold_sale": (*_settled("sale_stands"), *_COMPLETED),
    "open_issue": (_News(SELLER, "order.issue_opened", deadline="due"),),
    "escalate": _both("order.issue_escalated"),
    "agree_refund": (*_settled("refunded"), *_REFUNDED),
    "agree_part": _PART,
    "agree_return": _RETURN,
    "order_return": _RETURN,
    "send_back": (_News(SELLER, "order.return_sent"),),
    "receive": _REFUNDED,
    "refund": _REFUNDED,
    "refund_part": _REFUNDED,
}
"""What is told after each verb; verbs that are not here concern nobody else."""

REMINDERS: Mapping[str, tuple[_News, ...]] = {
    OrderStatus.PAID: (_News(SELLER, "order.ship_by_reminder", deadline="due"),),
    OrderStatus.CANCEL_REQUESTED: (_News(SELLER, "order.cancellation_requested", deadline="due"),),
    OrderStatus.DELIVERED: (_News(BUYER, "order.delivered", deadline="due"),),
    OrderStatus.ISSUE_OPEN: (_News(SELLER, "order.issue_opened", deadline="due"),),
    OrderStatus.RETURN_PENDING: (_News(BUYER, "order.return_awaited", deadline="due"),),
}
"""What is told when the deadline of a status comes near."""

# Told once, however many events of the carrier say it.
_ONCE = frozenset({"order.shipped"})


def tell(orders: Sequence[Order], verb: str, *, now: datetime, amount_minor: int | None) -> None:
    """Write the notices of a step into the inboxes of its members, in the step's transaction."""
    _notify(orders, NEWS.get(verb, ()), now=now, moved=amount_minor or 0)


def remind(orders: Iterable[Order], *, now: datetime) -> None:
    """Write the notices of deadlines that come near."""
    by_status: dict[str, list[Order]] = {}
    for order in orders:
        by_status.setdefault(order.status, []).append(order)
    for status, members in by_status.items():
        _notify(members, REMINDERS.get(status, ()), now=now, moved=0, mark=f":{now:%Y%m%d%H%M}")


def tell_charged_back(order: Order, taken: Money, *, dispute_id: str, now: datetime) -> None:
    """Tell the seller what the buyer's bank has taken from the balance."""
    notice = NewNotice(
        member_id=order.seller_id,
        kind="order.charged_back",
        params={"order_id": order.id, "title": _titles([order])[order.id], "amount": taken},
        subject=f"order:{order.id}",
        key=f"dispute:{dispute_id}",
    )
    notify_many([notice], now=now)


def _notify(
    orders: Sequence[Order], news: Sequence[_News], *, now: datetime, moved: int, mark: str = ""
) -> None:
    if not news:
        return
    titles = _titles(orders)
    notify_many(
        [
            _notice(order, one, titles[order.id], now=now, moved=moved, mark=mark)
            for order in orders
            for one in news
        ],
        now=now,
    )


def _notice(order: Order, news: _News, title: str, *, now: datetime, moved: int, mark: str) -> NewNotice:
    params: dict[str, object] = {"order_id": order.id, "title": title}
    if news.amount:
        params["amount"] = Money(_amount(order, news.amount, moved), order.currency)
    if news.deadline:
        params["deadline"] = _deadline(order, news.deadline, now)
    if news.outcome:
        params["outcome"] = news.outcome
    version = "" if news.kind in _ONCE else f":{order.version}"
    return NewNotice(
        member_id=order.buyer_id if news.to == BUYER else order.seller_id,
        kind=news.kind,
        params=params,
        subject=f"order:{order.id}",
        key=f"order:{order.id}:{news.kind.removeprefix('order.')}{version}{mark}",
    )


def _amount(order: Order, name: str, moved: int) -> int:
    match name:
        case "total":
            return order.wallet_minor + order.card_minor
        case "earned":
            return order.item_minor - order.refunded_item_minor
        case "price":
            return order.item_minor
    return moved


def _deadline(order: Order, name: str, now: datetime) -> datetime | None:
    match name:
        case "ship_by":
            return order.ship_by_at
        case "review":
            return now + REVIEW_WITHIN
    return order.due_at


def _titles(orders: Sequence[Order]) -> dict[str, str]:
    """Of the first item of each; one statement at most."""
    titles = {order.id: next(iter(order.titles.values())) for order in orders if "titles" in order.__dict__}
    unread = [order.id for order in orders if order.id not in titles]
    if unread:
        titles.update(_first_titles(len(unread)).all(**named("order_id", unread)))
    return titles


@lru_cache(maxsize=128)
def _first_titles(count: int) -> CompiledQuery[tuple[str, str]]:
    return CompiledQuery(
        lambda: (
            OrderItem.objects.filter(order__id__in=args("order_id", count), position=0)
            .order_by()
            .values_list("order_id", "title")
        )
    )
