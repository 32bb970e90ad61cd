"""What can be recorded, and the lines of each money event; pure.

docs/money.md shows each event with an example; its test runs them through the ledger. An event that takes
from several accounts and gives to several is cut into transfers in the order in which they are named, so
that every transfer has one account on each side.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from balance.chart import Account, AccountKind, Event, of_charity, of_member, of_platform
from foundation.money import Money

_K = AccountKind


@dataclass(frozen=True, slots=True)
class Line:
    """An amount that goes from the debited account to the credited one."""

    debit: Account
    credit: Account
    amount: Money


@dataclass(frozen=True, slots=True)
class NewPosting:
    """A business fact to be recorded. ``lines`` are applied in their order.

    ``key`` names the fact (``order:01J…:captured``): posting it again changes nothing. ``effective_at`` is
    when it happened, if that was not now. ``reverses`` is the id of the posting that this one undoes.
    """

    key: str
    event: Event
    lines: tuple[Line, ...]
    reference: str
    actor: str
    reason: str = ""
    effective_at: datetime | None = None
    reverses: str | None = None

    def fingerprint(self) -> str:
        """SHA-256 of what makes two postings the same fact."""
        content = [
            self.event,
            self.reference,
            self.reverses,
            self.effective_at.isoformat() if self.effective_at else None,
            [[line.debit.id, line.credit.id, line.amount.amount_minor] for line in self.lines],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Posted:
    """A posting in the ledger. ``replayed``: it was there already, and nothing was done."""

    id: str
    key: str
    recorded_at: datetime
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """A member's part of a sale: what the seller gets, or what a buyer's wallet paid."""

    member_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Charges:
    """What a buyer pays beside the items; each may be zero. The fees include their VAT."""

    fee: Money
    shipping: Money
    verification: Money


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee that was earned: ``net`` of value added tax, and the ``vat`` inside it."""

    net: Money
    vat: Money


Entry = tuple[Account, Money]


def transfers(debited: Sequence[Entry], credited: Sequence[Entry]) -> tuple[Line, ...]:
    """Lines that debit the first and credit the second, first to first. Zero amounts make no line.

    Raises ValueError when the sides do not add up to the same, or when an amount is negative.
    """
    taking = deque((account, amount.amount_minor) for account, amount in debited if amount.amount_minor)
    giving = deque((account, amount.amount_minor) for account, amount in credited if amount.amount_minor)
    if any(minor < 0 for _, minor in (*taking, *giving)):
        raise ValueError("an amount is negative")
    lines = []
    while taking and giving:
        (debit, owed), (credit, due) = taking.popleft(), giving.popleft()
        minor = min(owed, due)
        lines.append(Line(debit, credit, Money(minor, debit.currency)))
        if owed > minor:
            taking.appendleft((debit, owed - minor))
        if due > minor:
            giving.appendleft((credit, due - minor))
    if taking or giving:
        raise ValueError("what is taken and what is given differ")
    return tuple(lines)


def _move(debit: Account, credit: Account, amount: Money) -> tuple[Line, ...]:
    return transfers([(debit, amount)], [(credit, amount)])


def _deferred(charges: Charges) -> list[Entry]:
    return [
        (of_platform(kind, amount.currency), amount)
        for kind, amount in (
            (_K.FEE_DEFERRED, charges.fee),
            (_K.SHIPPING_DEFERRED, charges.shipping),
            (_K.VERIFICATION_DEFERRED, charges.verification),
        )
    ]


def _tenders(
    buyer_id: str, wallet: Money, card: Money, *, wallet_kind: AccountKind, card_kind: AccountKind
) -> list[Entry]:
    return [
        (of_member(buyer_id, wallet_kind, wallet.currency), wallet),
        (of_platform(card_kind, card.currency), card),
    ]


# Sales


def sale_captured(
    *, seller: Share, buyer_id: str, wallet: Money, card: Money, charges: Charges
) -> tuple[Line, ...]:
    """The buyer paid: the seller's part is pending, the rest deferred. The wallet's part was held before."""
    return transfers(
        _tenders(buyer_id, wallet, card, wallet_kind=_K.HELD, card_kind=_K.PSP_CLEARING),
        [
            (of_member(seller.member_id, _K.PENDING, seller.amount.currency), seller.amount),
            *_deferred(charges),
        ],
    )


def sale_completed(
    *, seller: Share, donation: Money, charity_id: str | None, fee: Fee, shipping: Money, verification: Fee
) -> tuple[Line, ...]:
    """The buyer has the goods: the seller may use the money, less what is given; fees become revenue and VAT.

    ``seller.amount`` is what is still pending, the donation included.
    """
    currency = seller.amount.currency
    given: list[Entry] = [] if charity_id is None else [(of_charity(charity_id, currency), donation)]
    kept = seller.amount - donation if charity_id is not None else seller.amount
    return (
        *transfers(
            [(of_member(seller.member_id, _K.PENDING, currency), seller.amount)],
            [(of_member(seller.member_id, _K.AVAILABLE, currency), kept), *given],
        ),
        *_earned(_K.FEE_DEFERRED, _K.FEE_REVENUE, fee),
        *_earned(_K.VERIFICATION_DEFERRED, _K.VERIFICATION_REVENUE, verification),
        *_move(
            of_platform(_K.SHIPPING_DEFERRED, currency), of_platform(_K.CARRIER_PAYABLE, currency), shipping
        ),
    )


def _earned(deferred: AccountKind, revenue: AccountKind, fee: Fee) -> tuple[Line, ...]:
    currency = fee.net.currency
    return transfers(
        [(of_platform(deferred, currency), fee.net + fee.vat)],
        [(of_platform(revenue, currency), fee.net), (of_platform(_K.VAT_PAYABLE, currency), fee.vat)],
    )


def sale_cancelled(
    *, seller: Share, buyer_id: str, wallet: Money, card: Money, charges: Charges
) -> tuple[Line, ...]:
    """An order that was not completed is undone whole: each tender gets back exactly what it paid."""
    return transfers(
        [
            (of_member(seller.member_id, _K.PENDING, seller.amount.currency), seller.amount),
            *_deferred(charges),
        ],
        _tenders(buyer_id, wallet, card, wallet_kind=_K.AVAILABLE, card_kind=_K.REFUNDS_IN_TRANSIT),
    )


def sale_refunded(
    *,
    seller: Share,
    buyer_id: str,
    wallet: Money,
    card: Money,
    charges: Charges,
    charged_back: Money | None = None,
) -> tuple[Line, ...]:
    """Before completion, a part goes back: what is pending, and charges that are still deferred.

    ``charged_back`` is what the buyer's bank has taken already, at our loss: it makes up for that.
    """
    return transfers(
        [
            (of_member(seller.member_id, _K.PENDING, seller.amount.currency), seller.amount),
            *_deferred(charges),
        ],
        [
            *_tenders(buyer_id, wallet, card, wallet_kind=_K.AVAILABLE, card_kind=_K.REFUNDS_IN_TRANSIT),
            *_recovered(charged_back),
        ],
    )


def _recovered(charged_back: Money | None) -> list[Entry]:
    if charged_back is None:
        return []
    return [(of_platform(_K.CHARGEBACK_LOSSES, charged_back.currency), charged_back)]


def completed_sale_refunded(
    *, seller: Share, buyer_id: str, wallet: Money, card: Money, fee: Fee, shipping: Money, verification: Fee
) -> tuple[Line, ...]:
    """After completion: from what the seller has (which may make a debt) and what we had earned.

    The carrier is owed the postage all the same, so we bear what of it goes back.
    """
    currency = seller.amount.currency
    return transfers(
        [
            (of_member(seller.member_id, _K.AVAILABLE, currency), seller.amount),
            (of_platform(_K.FEE_REVENUE, currency), fee.net),
            (of_platform(_K.VERIFICATION_REVENUE, currency), verification.net),
            (of_platform(_K.VAT_PAYABLE, currency), fee.vat + verification.vat),
            (of_platform(_K.CARRIER_COSTS, currency), shipping),
        ],
        _tenders(buyer_id, wallet, card, wallet_kind=_K.AVAILABLE, card_kind=_K.REFUNDS_IN_TRANSIT),
    )


def refund_settled(amount: Money) -> tuple[Line, ...]:
    """The payment provider has paid a refund to the card."""
    return _between(_K.REFUNDS_IN_TRANSIT, _K.PSP_CLEARING, amount)


def regained_refunded(amount: Money) -> tuple[Line, ...]:
    """The bank gave back what a refund had left with the buyer at our loss: it goes to the card."""
    return _between(_K.CHARGEBACK_LOSSES, _K.REFUNDS_IN_TRANSIT, amount)


def payment_unmatched(amount: Money) -> tuple[Line, ...]:
    """A capture that no quote asked for; a person decides."""
    return _between(_K.PSP_CLEARING, _K.SUSPENSE, amount)


def unmatched_returned(amount: Money) -> tuple[Line, ...]:
    """It goes back to where it came from."""
    return _between(_K.SUSPENSE, _K.REFUNDS_IN_TRANSIT, amount)


def chargeback(*, seller: Share, borne: Money, fee: Money) -> tuple[Line, ...]:
    """The buyer's bank took the money back: from the seller, or borne by us; its fee is ours."""
    currency = borne.currency
    return transfers(
        [
            (of_member(seller.member_id, _K.AVAILABLE, currency), seller.amount),
            (of_platform(_K.CHARGEBACK_LOSSES, currency), borne + fee),
        ],
        [(of_platform(_K.PSP_CLEARING, currency), seller.amount + borne + fee)],
    )


def chargeback_won(*, seller: Share, borne: Money) -> tuple[Line, ...]:
    """The bank gave it back, to whom it was taken from."""
    currency = borne.currency
    return transfers(
        [(of_platform(_K.PSP_CLEARING, currency), seller.amount + borne)],
        [
            (of_member(seller.member_id, _K.AVAILABLE, currency), seller.amount),
            (of_platform(_K.CHARGEBACK_LOSSES, currency), borne),
        ],
    )


# What support gives


def goodwill_given(member: Share) -> tuple[Line, ...]:
    """A present of the platform."""
    return _borne(_K.GOODWILL, member)


def compensation_paid(member: Share) -> tuple[Line, ...]:
    """For a parcel that the carrier lost."""
    return _borne(_K.COMPENSATION, member)


def debt_written_off(member: Share) -> tuple[Line, ...]:
    """A debt that nobody will pay."""
    return _borne(_K.BAD_DEBTS, member)


def _borne(expense: AccountKind, member: Share) -> tuple[Line, ...]:
    currency = member.amount.currency
    return _move(
        of_platform(expense, currency), of_member(member.member_id, _K.AVAILABLE, currency), member.amount
    )


# Holds, withdrawals, donations


def hold_placed(member: Share) -> tuple[Line, ...]:
    """Set aside for a checkout."""
    return _within(member, _K.AVAILABLE, _K.HELD)


def hold_released(member: Share) -> tuple[Line, ...]:
    """The checkout did not happen, or needed less."""
    return _within(member, _K.HELD, _K.AVAILABLE)


def withdrawal_requested(member: Share) -> tuple[Line, ...]:
    """On its way to the member's bank; nobody else can take it now."""
    return _within(member, _K.AVAILABLE, _K.IN_TRANSIT)


def withdrawal_failed(member: Share) -> tuple[Line, ...]:
    """The bank surely did not pay."""
    return _within(member, _K.IN_TRANSIT, _K.AVAILABLE)


def withdrawal_paid(member: Share) -> tuple[Line, ...]:
    """It left our bank account."""
    currency = member.amount.currency
    return _move(
        of_member(member.member_id, _K.IN_TRANSIT, currency), of_platform(_K.BANK, currency), member.amount
    )


def withdrawal_returned(member: Share) -> tuple[Line, ...]:
    """It came back after it had been paid."""
    currency = member.amount.currency
    return _move(
        of_platform(_K.BANK, currency), of_member(member.member_id, _K.AVAILABLE, currency), member.amount
    )


def donation_given(member: Share, charity_id: str) -> tuple[Line, ...]:
    """A one-off donation."""
    currency = member.amount.currency
    return _move(
        of_member(member.member_id, _K.AVAILABLE, currency), of_charity(charity_id, currency), member.amount
    )


def donation_undone(member: Share, charity_id: str) -> tuple[Line, ...]:
    """A donation from a sale that was refunded before the charity was paid."""
    currency = member.amount.currency
    return _move(
        of_charity(charity_id, currency), of_member(member.member_id, _K.AVAILABLE, currency), member.amount
    )


def donations_settled(charity_id: str, amount: Money) -> tuple[Line, ...]:
    """The charity was paid."""
    return _move(of_charity(charity_id, amount.currency), of_platform(_K.BANK, amount.currency), amount)


# The platform's own


def psp_settled(*, paid_out: Money, fees: Money) -> tuple[Line, ...]:
    """The payment provider paid what it had captured, less its fees."""
    currency = paid_out.currency
    return transfers(
        [(of_platform(_K.BANK, currency), paid_out), (of_platform(_K.PSP_FEES, currency), fees)],
        [(of_platform(_K.PSP_CLEARING, currency), paid_out + fees)],
    )


def return_postage(payer: Share | None, amount: Money) -> tuple[Line, ...]:
    """A return travelled with our label: its postage is owed to the carrier, by a member or by us (None)."""
    debit = of_platform(_K.CARRIER_COSTS, amount.currency)
    if payer is not None:
        debit = of_member(payer.member_id, _K.AVAILABLE, amount.currency)
    return _move(debit, of_platform(_K.CARRIER_PAYABLE, amount.currency), amount)


def postage_borne(amount: Money) -> tuple[Line, ...]:
    """Postage that went back to the buyer although the parcel had travelled: the carrier is owed it by us."""
    return _between(_K.CARRIER_COSTS, _K.CARRIER_PAYABLE, amount) if amount.amount_minor else ()


def carrier_paid(amount: Money) -> tuple[Line, ...]:
    """A carrier's invoice was paid."""
    return _between(_K.CARRIER_PAYABLE, _K.BANK, amount)


def _between(debit: AccountKind, credit: AccountKind, amount: Money) -> tuple[Line, ...]:
    return _move(of_platform(debit, amount.currency), of_platform(credit, amount.currency), amount)


def _within(member: Share, debit: AccountKind, credit: AccountKind) -> tuple[Line, ...]:
    currency = member.amount.currency
    return _move(
        of_member(member.member_id, debit, currency),
        of_member(member.member_id, credit, currency),
        member.amount,
    )


def mirrored(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines that undo these, last first."""
    return tuple(Line(line.credit, line.debit, line.amount) for line in reversed(lines))
