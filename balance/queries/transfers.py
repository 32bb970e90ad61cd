"""Which postings are about money that a payout provider moved: withdrawals and payments to charities.

What the bank is told with a transfer is the withdrawal's id, or the round of a settlement (``DON…R…``); the
keys of their postings follow from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from balance.models import DonationSettlement, SettlementFile, SettlementLine, Withdrawal
from balance.settlements import BANK_FEE, PAYOUT, PAYOUT_RECEIVED

WITHDRAWAL, SETTLEMENT = "withdrawal:", "donation_settlement:"
_FACTS = {"transfer": "paid", "transfer_returned": "returned"}
_NAMED = re.compile(r"[a-z][a-z0-9_-]{0,29}:\S+")
_ROUND = re.compile(r"DON(?P<id>[0-9A-HJKMNP-TV-Z]{26})R(?P<number>[1-9][0-9]{0,5})")


def bank_fee_key(provider: str, provider_id: str) -> str:
    """Of what the bank took by a line of its file: each line is charged once."""
    return f"bank_fee:{provider}:{provider_id}"


def payout_key(provider_and_id: str) -> str:
    """Of a payout of cards, named ``{provider}:{provider_id}``: in its own file, and in our bank's."""
    return f"settlement:{provider_and_id}"


def payout_keys(references: set[str]) -> dict[str, str]:
    """By what our bank was told with a payout of cards, the key of its posting.

    That is ``{provider}:{provider_id}`` where the file is ours; a bank has the id alone, and it has to be of
    one provider only.
    """
    known = {name: payout_key(name) for name in references if _NAMED.fullmatch(name)}
    bare = {name for name in references if name not in known}
    if not bare:
        return known
    providers = list(
        SettlementFile.objects.order_by("provider").values_list("provider", flat=True).distinct()
    )
    found: dict[str, list[str]] = {}
    rows = SettlementLine.objects.filter(provider__in=providers, provider_id__in=bare, type=PAYOUT)
    for provider, provider_id in rows.values_list("provider", "provider_id"):
        found.setdefault(provider_id, []).append(f"{provider}:{provider_id}")
    return known | {name: payout_key(only[0]) for name, only in found.items() if len(only) == 1}


def posting_keys(provider: str, lines: Iterable[SettlementLine]) -> dict[str, str]:
    """By line id the key that its posting has once it is there; without what the provider was never given.

    A line without our reference is known by the provider's id of the payout.
    """
    every = list(lines)
    lines = [line for line in every if line.type in _FACTS]
    ours = {line.reference for line in lines if line.reference}
    theirs = {line.provider_id for line in lines if not line.reference}
    rounds = {name: match for name in ours if (match := _ROUND.fullmatch(name)) is not None}
    own = Withdrawal.objects.filter(provider=provider)
    known = {id_: f"{WITHDRAWAL}{id_}" for id_ in own.filter(id__in=ours).values_list("id", flat=True)}
    by_provider_id = own.filter(provider_id__in=theirs).values_list("provider_id", "id")
    known |= {name: f"{WITHDRAWAL}{id_}" for name, id_ in by_provider_id if name is not None}
    settlements = DonationSettlement.objects.filter(
        provider=provider, id__in={match["id"] for match in rounds.values()}
    )
    ids = set(settlements.values_list("id", flat=True))
    known |= {
        name: f"{SETTLEMENT}{match['id']}:{match['number']}"
        for name, match in rounds.items()
        if match["id"] in ids
    }
    moved = {
        line.id: f"{known[name]}:{_FACTS[line.type]}"
        for line in lines
        if (name := line.reference or line.provider_id) in known
    }
    fees = {line.id: bank_fee_key(provider, line.provider_id) for line in every if line.type == BANK_FEE}
    received = [line for line in every if line.type == PAYOUT_RECEIVED]
    payouts = payout_keys({line.reference for line in received if line.reference})
    return moved | fees | {line.id: payouts[line.reference] for line in received if line.reference in payouts}


def moved_by(provider: str, references: Iterable[str]) -> set[str]:
    """Of references of postings, those of money that this provider moved."""
    references = set(references)
    found = set[str]()
    for prefix, rows in (
        (WITHDRAWAL, Withdrawal.objects.filter(provider=provider)),
        (SETTLEMENT, DonationSettlement.objects.filter(provider=provider)),
    ):
        ids = {one.removeprefix(prefix) for one in references if one.startswith(prefix)}
        found |= {f"{prefix}{id_}" for id_ in rows.filter(id__in=ids).values_list("id", flat=True)}
    return found
