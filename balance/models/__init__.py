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
from balance.models.control import AuditFinding, AuditRun, LedgerDay, LedgerDayTotal
from balance.models.holds import Hold
from balance.models.ledger import LedgerAccount, Posting, Transfer
from balance.models.statements import StatementCalendar

__all__ = [
    "AuditFinding",
    "AuditRun",
    "BankAccount",
    "Hold",
    "Identity",
    "LedgerAccount",
    "LedgerDay",
    "LedgerDayTotal",
    "Posting",
    "SandboxPayout",
    "StatementCalendar",
    "Transfer",
    "Withdrawal",
    "WithdrawalCase",
    "WithdrawalEvent",
    "WithdrawalLimit",
]
