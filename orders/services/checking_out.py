"""Paying for a checkout: by the wallet at once, by the card through the payment provider."""

from __future__ import annotations

from datetime import datetime

from foundation.db import atomic_retry
from foundation.money import Money
from listings.services import may_sell
from members.queries import require_unrestricted
from orders.errors import (
    DeliveryMissing,
    ListingNotAvailable,
    PaymentMethodMissing,
    PriceChanged,
)
from orders.services.checkouts import lock_checkout, require_open
from orders.services.paying import start_payment
from orders.services.selling import record_capture


@atomic_retry
def pay(
    *,
    buyer_id: str,
    order_id: str,
    quote_version: int,
    method: str | None,
    return_url: str,
    now: datetime,
) -> str | None:
    """Pay the quote that the buyer has seen; the id of the card's payment, None if the wallet paid it all.

    Raises OrderNotFound, InvalidTransition, PriceChanged, DeliveryMissing, PaymentMethodMissing,
    ListingNotAvailable, MemberRestricted, PaymentInProgress, PaymentMethodInvalid.
    """
    order = lock_checkout(order_id, buyer_id)
    require_open(order, now=now)
    require_unrestricted(member_id=buyer_id, capability="buy", now=now)
    if quote_version != order.quote_version:
        raise PriceChanged(extra={"quote_version": order.quote_version})
    if not order.shipping_option:
        raise DeliveryMissing
    if not may_sell(list(order.titles)):
        raise ListingNotAvailable
    nothing = Money(0, order.currency)
    if order.card_minor == 0:
        record_capture(order, payment_id=None, provider="", amount=nothing, now=now)
        return None
    if not method:
        raise PaymentMethodMissing(extra={"card": Money(order.card_minor, order.currency).as_json()})
    return start_payment(
        order_id=order.id,
        amount=Money(order.card_minor, order.currency),
        method=method,
        return_url=return_url,
        now=now,
    )
