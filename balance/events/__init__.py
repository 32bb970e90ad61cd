"""What can be recorded, and the lines of each money event; pure.

docs/money.md shows each event with an example; its test runs them through the ledger. An event that takes
from several accounts and gives to several is cut into transfers in the order in which they are named, so
that every transfer has one account on each side.
"""

from __future__ import annotations

from balance.events.lines import (
    Charges,
    Fee,
    Line,
    NewPosting,
    Posted,
    Share,
    mirrored,
    transfers,
)
from balance.events.members import (
    compensation_paid,
    debt_written_off,
    donation_given,
    donation_undone,
    donations_settled,
    goodwill_given,
    hold_placed,
    hold_released,
    withdrawal_failed,
    withdrawal_paid,
    withdrawal_requested,
    withdrawal_returned,
)
from balance.events.sales import (
    bank_fee_charged,
    carrier_paid,
    chargeback,
    chargeback_won,
    completed_sale_refunded,
    payment_unmatched,
    postage_borne,
    psp_settled,
    refund_settled,
    regained_refunded,
    return_postage,
    sale_cancelled,
    sale_captured,
    sale_completed,
    sale_refunded,
    unmatched_returned,
)

__all__ = [
    "Charges",
    "Fee",
    "Line",
    "NewPosting",
    "Posted",
    "Share",
    "bank_fee_charged",
    "carrier_paid",
    "chargeback",
    "chargeback_won",
    "compensation_paid",
    "completed_sale_refunded",
    "debt_written_off",
    "donation_given",
    "donation_undone",
    "donations_settled",
    "goodwill_given",
    "hold_placed",
    "hold_released",
    "mirrored",
    "payment_unmatched",
    "postage_borne",
    "psp_settled",
    "refund_settled",
    "regained_refunded",
    "return_postage",
    "sale_cancelled",
    "sale_captured",
    "sale_completed",
    "sale_refunded",
    "transfers",
    "unmatched_returned",
    "withdrawal_failed",
    "withdrawal_paid",
    "withdrawal_requested",
    "withdrawal_returned",
]
