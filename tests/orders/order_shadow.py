"""What a walk over orders knows of each of them, and what the ledger must therefore hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from orders.lifecycle import UNDER_WAY
from orders.lifecycle import OrderStatus as S
from orders.models import Issue, Order, Payment, Refund

CHARGEBACK_FEE = 1500
UNPAID = {S.PENDING_PAYMENT, S.EXPIRED, S.FAILED}
ESCROW = set(UNDER_WAY) - UNPAID
UNDONE = {S.CANCELLED, S.RETURNED_TO_SENDER, S.REJECTED, S.REFUNDED}


@dataclass
class Shadow:
    """What the model knows of an order beside its status. Minor units."""

    id: str
    parts: int = 0
    compensated: int = 0
    bank_has: int = 0
    sellers: int = 0
    counted: int = 0
    disputed: bool = False
    is_lost: bool = False
    carried: bool = False
    return_carried: bool = False

    def order(self) -> Order:
        return Order.objects.get(id=self.id)


def expected_sums(shadows: Sequence[Shadow], *, given: int) -> dict[str, int]:
    """What each account must hold, by name, from what happened to each order; `given` to the buyer beside."""
    expected = Counter[str]()
    expected["buyer"] = given
    for shadow in shadows:
        order = shadow.order()
        charges = order.fee_minor + order.verification_minor
        total = order.item_minor + order.shipping_minor + charges
        is_paid = order.status not in UNPAID
        is_undone = order.status in UNDONE
        gone = total if is_undone else shadow.parts
        back = order.refunded_wallet_minor + order.refunded_card_minor
        if order.status == S.PENDING_PAYMENT:
            expected["held"] += order.wallet_minor
        if is_paid or order.status == S.PENDING_PAYMENT:
            expected["buyer"] += order.refunded_wallet_minor - order.wallet_minor
        if order.status in ESCROW:
            expected["pending"] += order.item_minor - shadow.parts
            expected["fee_deferred"] += order.fee_minor
            expected["shipping_deferred"] += order.shipping_minor
            expected["verification_deferred"] += order.verification_minor
        if order.status == S.COMPLETED:
            expected["earned"] += charges
            expected["seller"] += order.item_minor - shadow.parts
        if order.completed_at is not None or (is_undone and shadow.carried):
            expected["carrier_payable"] += order.shipping_minor
        if is_undone and (order.completed_at is not None or shadow.carried):
            expected["carrier_costs"] += order.shipping_minor
        expected["seller"] += shadow.compensated - shadow.sellers
        expected["compensation"] += shadow.compensated
        expected["losses"] += (
            CHARGEBACK_FEE * shadow.disputed + shadow.bank_has - shadow.sellers - (gone - back)
        )
        expected["psp_clearing"] -= CHARGEBACK_FEE * shadow.disputed + shadow.bank_has
        payer = Issue.objects.filter(order_id=order.id).values_list("postage_by", flat=True).first()
        if shadow.return_carried and payer in ("seller", "platform"):
            expected["carrier_payable"] += order.shipping_minor
            expected["seller" if payer == "seller" else "carrier_costs"] += order.shipping_minor * (
                -1 if payer == "seller" else 1
            )
    expected["psp_clearing"] += sum(Payment.objects.values_list("captured_minor", flat=True))
    for status, minor in Refund.objects.values_list("status", "amount_minor"):
        expected["psp_clearing" if status == "paid" else "refunds_in_transit"] += (
            -minor if status == "paid" else minor
        )
    return {name: minor for name, minor in expected.items() if minor}
