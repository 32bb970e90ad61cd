"""The tables of the balance. Business effects are in balance.services."""

from __future__ import annotations

from balance.models.banking import (
    BankAccount,
    Identity,
    SandboxPayout,
    Withdrawal,
    WithdrawalCase,
    WithdrawalEvent,
    WithdrawalLimit,
)
from balance.models.holds import Hold
from balance.models.ledger import LedgerAccount, Posting, Transfer
from balance.models.statements import StatementCalendar

__all__ = [
    "BankAccount",
    "Hold",
    "Identity",
    "LedgerAccount",
    "Posting",
    "SandboxPayout",
    "StatementCalendar",
    "Transfer",
    "Withdrawal",
    "WithdrawalCase",
    "WithdrawalEvent",
    "WithdrawalLimit",
]
