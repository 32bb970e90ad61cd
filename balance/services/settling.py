"""What the import of a settlement file posts: the payout of cards, and what our bank took for transfers."""

from __future__ import annotations

from datetime import datetime

from balance.chart import Event
from balance.events import NewPosting, bank_fee_charged, psp_settled
from balance.models import SettlementFile
from balance.queries.transfers import bank_fee_key, payout_key
from balance.services.posting import post, post_many
from balance.settlements import TRANSFERS, Settlement
from foundation.money import Money

AT_A_TIME = 500


def post_payout(file: SettlementFile, settlement: Settlement, *, actor: str, now: datetime) -> None:
    """That the provider of cards paid us, less all fees of the file."""
    if settlement.payout is None:
        return  # what left our bank is posted by the withdrawals themselves
    lines = psp_settled(paid_out=settlement.paid_out, fees=settlement.fees)
    if not lines:
        return  # refunds used up all payments, and nothing was paid
    posted = post(
        NewPosting(
            key=payout_key(f"{file.provider}:{settlement.payout.provider_id}"),
            event=Event.PSP_SETTLED,
            lines=lines,
            reference=file.posted_as,
            actor=actor,
            effective_at=settlement.payout.occurred_at,
        ),
        now=now,
    )
    file.posting_id = posted.id
    file.save(update_fields=["posting_id"])


def post_fees(file: SettlementFile, settlement: Settlement, *, actor: str, now: datetime) -> None:
    """What our bank took by each line, once. Its word is enough: nobody else knows of it."""
    if settlement.book is not TRANSFERS:
        return  # those of cards are kept from the payout
    charged = [line for line in settlement.lines if line.charged_minor]
    for start in range(0, len(charged), AT_A_TIME):
        post_many(
            [
                NewPosting(
                    key=bank_fee_key(file.provider, line.provider_id),
                    event=Event.BANK_FEE_CHARGED,
                    lines=bank_fee_charged(Money(line.charged_minor, file.currency)),
                    reference=file.posted_as,
                    actor=actor,
                    effective_at=line.occurred_at,
                )
                for line in charged[start : start + AT_A_TIME]
            ],
            now=now,
        )
