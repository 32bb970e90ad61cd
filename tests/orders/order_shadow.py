"""What a walk over orders knows of each of them, and what the ledger must therefore hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Sum

from balance.chart import AccountKind, of_platform
from balance.chart import AccountKind as K
from balance.models import Transfer
from orders.lifecycle import UNDER_WAY
from orders.lifecycle import OrderStatus as S
from orders.models import Order, Payment, Refund

CHARGEBACK_FEE = 1500
UNPAID = {S.PENDING_PAYMENT, S.EXPIRED, S.FAILED}
ESCROW = set(UNDER_WAY) - UNPAID
EARNED = (K.FEE_REVENUE, K.VERIFICATION_REVENUE, K.VAT_PAYABLE)
APART = (
    *(K.FEE_DEFERRED, K.SHIPPING_DEFERRED, K.VERIFICATION_DEFERRED, K.CARRIER_PAYABLE, K.CARRIER_COSTS),
    *(K.COMPENSATION, K.PSP_CLEARING, K.REFUNDS_IN_TRANSIT, K.SUSPENSE),
)
OURS = (*EARNED, *APART, K.CHARGEBACK_LOSSES)
UNDONE = {S.CANCELLED, S.RETURNED_TO_SENDER, S.REJECTED, S.REFUNDED}


@dataclass
class Chargeback:
    """What the model knows of a dispute. Minor units."""

    minor: int
    after_completion: bool
    ended: str = ""


@dataclass
class Shadow:
    """What the model knows of an order beside its status. Minor units."""

    id: str
    parts: int = 0
    compensated: int = 0
    chargebacks: dict[int, Chargeback] = field(default_factory=dict)
    carried: bool = False
    return_paid_by: str = ""

    def order(self) -> Order:
        return Order.objects.get(id=self.id)

    def bank_has(self, *, only_ours: bool = False) -> int:
        """Of disputes that are not won; only of those from before completion."""
        standing = [one for one in self.chargebacks.values() if one.ended != "won"]
        return sum(one.minor for one in standing if not (only_ours and one.after_completion))

    def counted(self, order: Order) -> int:
        """Of what the bank has: what it took from this order. The rest had gone back to the card before."""
        return min(self.bank_has(), order.card_minor - order.refunded_card_minor)

    def borne_by_seller(self, order: Order, *, gone: int) -> int:
        """Of what the bank has. `gone` is what refunds were to give back, wherever the buyer had it from."""
        made_up_for = gone - order.refunded_wallet_minor - order.refunded_card_minor
        left = 0 if order.status in UNDONE else order.item_minor - self.parts
        counted = self.counted(order)
        return max(0, min(left, counted - made_up_for, counted - self.bank_has(only_ours=True)))


def held_by_us() -> dict[AccountKind, int]:
    """What each account of the platform holds, in its normal side; all of them in two questions."""
    debited, credited = (
        dict(Transfer.objects.order_by().values_list(side).annotate(sum=Sum("amount_minor")))
        for side in ("debit_account_id", "credit_account_id")
    )
    found = {}
    for kind in OURS:
        account = of_platform(kind, "EUR")
        balance = debited.get(account.id, 0) - credited.get(account.id, 0)
        found[kind] = balance if account.row.is_debit_normal else -balance
    return found


def expected_sums(shadows: Sequence[Shadow], orders: Mapping[str, Order], *, given: int) -> dict[str, int]:
    """What each account must hold, by name, from what happened to each order; `given` to the buyer beside."""
    expected = Counter[str]()
    expected["buyer"] = given
    for shadow in shadows:
        order = orders[shadow.id]
        charges = order.fee_minor + order.verification_minor
        total = order.item_minor + order.shipping_minor + charges
        is_paid = order.status not in UNPAID
        is_undone = order.status in UNDONE
        gone = total if is_undone else shadow.parts
        back = order.refunded_wallet_minor + order.refunded_card_minor
        sellers = shadow.borne_by_seller(order, gone=gone)
        taken = CHARGEBACK_FEE * len(shadow.chargebacks) + shadow.bank_has()
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
        expected["seller"] += shadow.compensated - sellers
        expected["compensation"] += shadow.compensated
        expected["losses"] += taken - sellers - (gone - back)
        expected["psp_clearing"] -= taken
        if shadow.return_paid_by:
            expected["carrier_payable"] += order.shipping_minor
        if shadow.return_paid_by == "seller":
            expected["seller"] -= order.shipping_minor
        if shadow.return_paid_by == "platform":
            expected["carrier_costs"] += order.shipping_minor
    expected["psp_clearing"] += sum(Payment.objects.values_list("captured_minor", flat=True))
    for status, minor in Refund.objects.values_list("status", "amount_minor"):
        expected["psp_clearing" if status == "paid" else "refunds_in_transit"] += (
            -minor if status == "paid" else minor
        )
    return {name: minor for name, minor in expected.items() if minor}
