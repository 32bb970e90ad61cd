"""The chart of accounts and the money events: two tables, which docs/money.md explains with examples.

Signs: a member's account is a liability of the platform, so what the member owns grows by credits. A
balance in this app is always given in the account's normal side: positive is what one expects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Owner(StrEnum):
    """Whose money an account tells of."""

    MEMBER = "member"
    PLATFORM = "platform"
    CHARITY = "charity"


class Category(StrEnum):
    """Where an account stands in the trial balance."""

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"


class AccountKind(StrEnum):
    """What an account holds; one account per owner, kind and currency."""

    # Members'
    PENDING = "pending"
    AVAILABLE = "available"
    HELD = "held"
    IN_TRANSIT = "in_transit"
    # Charities'
    DONATIONS = "donations"
    # The platform's
    PSP_CLEARING = "psp_clearing"
    BANK = "bank"
    SUSPENSE = "suspense"
    FEE_DEFERRED = "fee_deferred"
    SHIPPING_DEFERRED = "shipping_deferred"
    VERIFICATION_DEFERRED = "verification_deferred"
    REFUNDS_IN_TRANSIT = "refunds_in_transit"
    CARRIER_PAYABLE = "carrier_payable"
    VAT_PAYABLE = "vat_payable"
    FEE_REVENUE = "fee_revenue"
    VERIFICATION_REVENUE = "verification_revenue"
    PSP_FEES = "psp_fees"
    PAYOUT_FEES = "payout_fees"
    CARRIER_COSTS = "carrier_costs"
    GOODWILL = "goodwill"
    COMPENSATION = "compensation"
    CHARGEBACK_LOSSES = "chargeback_losses"
    BAD_DEBTS = "bad_debts"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the chart."""

    kind: AccountKind
    owner: Owner
    category: Category
    meaning: str

    @property
    def is_debit_normal(self) -> bool:
        """Assets and expenses grow by debits, the others by credits."""
        return self.category in (Category.ASSET, Category.EXPENSE)


_K, _O, _C = AccountKind, Owner, Category

CHART: dict[AccountKind, Row] = {
    row.kind: row
    for row in (
        Row(_K.PENDING, _O.MEMBER, _C.LIABILITY, "earned by a sale that may still be undone"),
        Row(_K.AVAILABLE, _O.MEMBER, _C.LIABILITY, "to spend, withdraw or give; below zero it is a debt"),
        Row(_K.HELD, _O.MEMBER, _C.LIABILITY, "set aside for a checkout that is under way"),
        Row(_K.IN_TRANSIT, _O.MEMBER, _C.LIABILITY, "on its way to the member's bank"),
        Row(_K.DONATIONS, _O.CHARITY, _C.LIABILITY, "given by members, not yet paid to the charity"),
        Row(_K.PSP_CLEARING, _O.PLATFORM, _C.ASSET, "captured by the payment provider, not yet paid to us"),
        Row(_K.BANK, _O.PLATFORM, _C.ASSET, "our bank account"),
        Row(_K.SUSPENSE, _O.PLATFORM, _C.LIABILITY, "captured, but by an amount that nobody quoted"),
        Row(_K.FEE_DEFERRED, _O.PLATFORM, _C.LIABILITY, "buyer protection fees, VAT inside, of open orders"),
        Row(_K.SHIPPING_DEFERRED, _O.PLATFORM, _C.LIABILITY, "postage of open orders"),
        Row(_K.VERIFICATION_DEFERRED, _O.PLATFORM, _C.LIABILITY, "fees of item checks of open orders"),
        Row(
            _K.REFUNDS_IN_TRANSIT, _O.PLATFORM, _C.LIABILITY, "owed to buyers' cards until the provider paid"
        ),
        Row(_K.CARRIER_PAYABLE, _O.PLATFORM, _C.LIABILITY, "postage owed to carriers"),
        Row(_K.VAT_PAYABLE, _O.PLATFORM, _C.LIABILITY, "value added tax inside our fees"),
        Row(_K.FEE_REVENUE, _O.PLATFORM, _C.INCOME, "buyer protection fees, net of VAT"),
        Row(_K.VERIFICATION_REVENUE, _O.PLATFORM, _C.INCOME, "fees of item checks, net of VAT"),
        Row(_K.PSP_FEES, _O.PLATFORM, _C.EXPENSE, "what the payment provider keeps"),
        Row(_K.PAYOUT_FEES, _O.PLATFORM, _C.EXPENSE, "what banks take for transfers, and for our account"),
        Row(_K.CARRIER_COSTS, _O.PLATFORM, _C.EXPENSE, "postage that we bear"),
        Row(_K.GOODWILL, _O.PLATFORM, _C.EXPENSE, "given to members by support"),
        Row(_K.COMPENSATION, _O.PLATFORM, _C.EXPENSE, "paid for parcels that carriers lost"),
        Row(_K.CHARGEBACK_LOSSES, _O.PLATFORM, _C.EXPENSE, "chargebacks and their fees that we bear"),
        Row(_K.BAD_DEBTS, _O.PLATFORM, _C.EXPENSE, "debts of members that were given up"),
    )
}

MEMBER_KINDS = frozenset(kind for kind, row in CHART.items() if row.owner is Owner.MEMBER)
PLATFORM = "platform"


class Event(StrEnum):
    """What a posting says has happened; ``balance.events`` builds the lines of each."""

    SALE_CAPTURED = "sale_captured"
    SALE_COMPLETED = "sale_completed"
    SALE_CANCELLED = "sale_cancelled"
    SALE_REFUNDED = "sale_refunded"
    REFUND_SETTLED = "refund_settled"
    PAYMENT_UNMATCHED = "payment_unmatched"
    UNMATCHED_RETURNED = "unmatched_returned"
    HOLD_PLACED = "hold_placed"
    HOLD_RELEASED = "hold_released"
    WITHDRAWAL_REQUESTED = "withdrawal_requested"
    WITHDRAWAL_PAID = "withdrawal_paid"
    WITHDRAWAL_FAILED = "withdrawal_failed"
    WITHDRAWAL_RETURNED = "withdrawal_returned"
    DONATION_GIVEN = "donation_given"
    DONATION_UNDONE = "donation_undone"
    DONATIONS_SETTLED = "donations_settled"
    CHARGEBACK = "chargeback"
    CHARGEBACK_WON = "chargeback_won"
    GOODWILL_GIVEN = "goodwill_given"
    COMPENSATION_PAID = "compensation_paid"
    CARRIER_PAID = "carrier_paid"
    RETURN_POSTAGE = "return_postage"
    PSP_SETTLED = "psp_settled"
    BANK_FEE_CHARGED = "bank_fee_charged"
    DEBT_WRITTEN_OFF = "debt_written_off"
    CORRECTION = "correction"


MAX_MINOR = 2**63 - 1  # what a column holds

MAY_CREATE_DEBT = frozenset(
    {
        Event.SALE_CANCELLED,
        Event.SALE_REFUNDED,
        Event.CHARGEBACK,
        Event.CHARGEBACK_WON,  # may leave another chargeback of the payment to the seller
        Event.RETURN_POSTAGE,
        Event.CORRECTION,
    }
)
"""Events that may take ``available`` below zero: they take back what was never the member's to keep.
Everything a member asks for (spending, withdrawing, donating) is refused instead. No other account of a
member is ever below zero; the database checks that."""


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """The name of an account. ``owner`` is a member's id, a charity's id or ``platform``."""

    owner: str
    kind: AccountKind
    currency: str

    id: str = field(init=False, compare=False, repr=False)
    """The primary key of the account: natural, so that nothing has to be looked up to post."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", f"{self.owner}:{self.kind.value}:{self.currency}")

    @property
    def row(self) -> Row:
        """Its row in the chart."""
        return CHART[self.kind]

    @classmethod
    def from_id(cls, id: str) -> Account:
        """The reverse of ``id``. Raises ValueError."""
        owner, kind, currency = id.split(":")
        return cls(owner, AccountKind(kind), currency)


def floor_minor(event: Event, account: Account) -> int:
    """The least that the event may leave in a member's account."""
    return -MAX_MINOR if account.kind is AccountKind.AVAILABLE and event in MAY_CREATE_DEBT else 0


def of_member(member_id: str, kind: AccountKind, currency: str) -> Account:
    """A member's account. Raises ValueError for a kind that members do not have."""
    return _account(member_id, kind, currency, Owner.MEMBER)


def of_charity(charity_id: str, currency: str) -> Account:
    """What members gave to a charity."""
    return _account(charity_id, AccountKind.DONATIONS, currency, Owner.CHARITY)


def of_platform(kind: AccountKind, currency: str) -> Account:
    """One of the platform's own. Raises ValueError for a kind that is a member's or a charity's."""
    return _account(PLATFORM, kind, currency, Owner.PLATFORM)


def _account(owner: str, kind: AccountKind, currency: str, expected: Owner) -> Account:
    if CHART[kind].owner is not expected:
        raise ValueError(f"{kind} is no account of a {expected}")
    return Account(owner, kind, currency)
