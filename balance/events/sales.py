"""The lines of sales: paid, completed, undone, charged back, carried, settled by the provider; pure."""

from __future__ import annotations

from balance.chart import AccountKind, of_charity, of_member, of_platform
from balance.events.lines import Charges, Entry, Fee, Line, Share, between, move, transfers
from foundation.money import Money

_K = AccountKind


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
        *move(
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
            *_losses(charged_back),
        ],
    )


def _losses(amount: Money | None) -> list[Entry]:
    return [] if amount is None else [(of_platform(_K.CHARGEBACK_LOSSES, amount.currency), amount)]


def completed_sale_refunded(
    *,
    seller: Share,
    buyer_id: str,
    wallet: Money,
    card: Money,
    fee: Fee,
    shipping: Money,
    verification: Fee,
    borne: Money | None = None,
) -> tuple[Line, ...]:
    """After completion: from what the seller has (which may make a debt) and what we had earned.

    The carrier is owed the postage all the same, so we bear what of it goes back. ``borne`` is what of the
    items' price we bear, because the seller has answered for it to the buyer's bank.
    """
    currency = seller.amount.currency
    return transfers(
        [
            (of_member(seller.member_id, _K.AVAILABLE, currency), seller.amount),
            (of_platform(_K.FEE_REVENUE, currency), fee.net),
            (of_platform(_K.VERIFICATION_REVENUE, currency), verification.net),
            (of_platform(_K.VAT_PAYABLE, currency), fee.vat + verification.vat),
            (of_platform(_K.CARRIER_COSTS, currency), shipping),
            *_losses(borne),
        ],
        _tenders(buyer_id, wallet, card, wallet_kind=_K.AVAILABLE, card_kind=_K.REFUNDS_IN_TRANSIT),
    )


def refund_settled(amount: Money) -> tuple[Line, ...]:
    """The payment provider has paid a refund to the card."""
    return between(_K.REFUNDS_IN_TRANSIT, _K.PSP_CLEARING, amount)


def regained_refunded(amount: Money) -> tuple[Line, ...]:
    """The bank gave back what a refund had left with the buyer at our loss: it goes to the card."""
    return between(_K.CHARGEBACK_LOSSES, _K.REFUNDS_IN_TRANSIT, amount)


def payment_unmatched(amount: Money) -> tuple[Line, ...]:
    """A capture that no quote asked for; a person decides."""
    return between(_K.PSP_CLEARING, _K.SUSPENSE, amount)


def unmatched_returned(amount: Money) -> tuple[Line, ...]:
    """It goes back to where it came from."""
    return between(_K.SUSPENSE, _K.REFUNDS_IN_TRANSIT, amount)


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


def chargeback_won(*, seller: Share, borne: Money, charged: Money | None = None) -> tuple[Line, ...]:
    """The bank gave it back, to whom it was taken from.

    ``charged`` is what the seller answers for from now on of another dispute, which was ours so far.
    """
    currency = borne.currency
    available, losses = (
        of_member(seller.member_id, _K.AVAILABLE, currency),
        of_platform(_K.CHARGEBACK_LOSSES, currency),
    )
    regained = transfers(
        [(of_platform(_K.PSP_CLEARING, currency), seller.amount + borne)],
        [(available, seller.amount), (losses, borne)],
    )
    return regained if charged is None else (*regained, *move(available, losses, charged))


def psp_settled(*, paid_out: Money, fees: Money) -> tuple[Line, ...]:
    """The payment provider paid what it had captured, less its fees."""
    currency = paid_out.currency
    return transfers(
        [(of_platform(_K.BANK, currency), paid_out), (of_platform(_K.PSP_FEES, currency), fees)],
        [(of_platform(_K.PSP_CLEARING, currency), paid_out + fees)],
    )


def bank_fee_charged(amount: Money) -> tuple[Line, ...]:
    """Our bank took its fee, for a transfer or for keeping our account."""
    return between(_K.PAYOUT_FEES, _K.BANK, amount)


def return_postage(payer: Share | None, amount: Money) -> tuple[Line, ...]:
    """A return travelled with our label: its postage is owed to the carrier, by a member or by us (None)."""
    debit = of_platform(_K.CARRIER_COSTS, amount.currency)
    if payer is not None:
        debit = of_member(payer.member_id, _K.AVAILABLE, amount.currency)
    return move(debit, of_platform(_K.CARRIER_PAYABLE, amount.currency), amount)


def postage_borne(amount: Money) -> tuple[Line, ...]:
    """Postage that went back to the buyer although the parcel had travelled: the carrier is owed it by us."""
    return between(_K.CARRIER_COSTS, _K.CARRIER_PAYABLE, amount) if amount.amount_minor else ()


def carrier_paid(amount: Money) -> tuple[Line, ...]:
    """A carrier's invoice was paid."""
    return between(_K.CARRIER_PAYABLE, _K.BANK, amount)
