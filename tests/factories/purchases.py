"""Purchases, as far as a test wants them: checked out, paid at the sandbox's provider, delivered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Sum

from balance.chart import AccountKind, of_member, of_platform
from balance.models import LedgerAccount, Transfer
from orders.models import Order, Parcel, Payment
from orders.providers.carriers.contract import Address
from orders.services.checking_out import pay
from orders.services.checkouts import Choices, Delivery, create_checkout
from orders.services.moving_parcels import record_parcel_event
from tests.factories.listings import NOW
from tests.factories.orders import on_offer
from tests.factories.parcels import POINT
from tests.factories.payments import advance

HOME = Address("Jonas Jonaitis", "Gedimino pr. 1", "01103", "Vilnius", "LT")
OPTION = "standard_point"


def choices(*, option: str = OPTION, use_wallet: bool = True, verification: bool = False) -> Choices:
    """A pick-up point, or home, in Lithuania."""
    point = POINT if option == OPTION else None
    return Choices(Delivery(option, HOME, point), use_wallet=use_wallet, verification=verification)


def check_out(
    buyer_id: str, listing_ids: Sequence[str], *, now: datetime = NOW, chosen: Choices | None = None
) -> Order:
    """A checkout with everything chosen."""
    order_id = create_checkout(
        buyer_id=buyer_id, listing_ids=listing_ids, choices=chosen or choices(), now=now
    )
    return Order.objects.get(id=order_id)


def pay_for(order: Order, *, method: str = "pm_card_ok", now: datetime = NOW) -> Order:
    """The buyer pays; what the card has to pay goes through the sandbox's provider."""
    payment_id = pay(
        buyer_id=order.buyer_id,
        order_id=order.id,
        quote_version=order.quote_version,
        method=method,
        return_url="",
        now=now,
    )
    if payment_id is not None:
        advance(payment_id, now=now)
    return Order.objects.get(id=order.id)


def buy(
    seller_id: str, buyer_id: str, minor: int = 2000, *, now: datetime = NOW, verification: bool = False
) -> Order:
    """A paid order of one item."""
    listing = on_offer(seller_id, minor)
    return pay_for(
        check_out(buyer_id, [listing.id], now=now, chosen=choices(verification=verification)), now=now
    )


def carry(order: Order, *codes: str, now: datetime = NOW, leg: str = "outbound") -> Order:
    """The carrier's news, in this order."""
    parcel = Parcel.objects.filter(order_id=order.id, leg=leg).values_list("id", flat=True).first() or "none"
    for code in codes:
        record_parcel_event(order_id=order.id, parcel_id=parcel, leg=leg, code=code, occurred_at=now, now=now)
    return Order.objects.get(id=order.id)


def deliver(order: Order, *, now: datetime = NOW + timedelta(days=3)) -> Order:
    """It is there, and the buyer knows."""
    return carry(order, "first_scan", "in_transit", "delivered", now=now)


def held_by(member_id: str, kind: AccountKind = AccountKind.AVAILABLE, currency: str = "EUR") -> int:
    """What a member's account holds, minor units."""
    account = of_member(member_id, kind, currency).id
    return LedgerAccount.objects.filter(id=account).values_list("balance_minor", flat=True).first() or 0


def of_ours(kind: AccountKind, currency: str = "EUR") -> int:
    """What an account of the platform holds, in its normal side."""
    account = of_platform(kind, currency)
    debit = (
        Transfer.objects.filter(debit_account_id=account.id).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    )
    credit = (
        Transfer.objects.filter(credit_account_id=account.id).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    )
    return int(debit - credit if account.row.is_debit_normal else credit - debit)


def refunded_to_card(order: Order) -> int:
    """What has gone back, or is on its way, to the card."""
    payment = Payment.objects.filter(order_id=order.id, captured_minor__gt=0).first()
    return 0 if payment is None else int(payment.refunded_minor)
