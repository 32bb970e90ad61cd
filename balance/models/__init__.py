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
from balance.models.corrections import Correction, CorrectionLimit
from balance.models.donations import (
    Charity,
    CharityAccount,
    CharityMarket,
    CharityText,
    Donation,
    DonationSetting,
    DonationSettlement,
    DonationSettlementCase,
)
from balance.models.holds import Hold
from balance.models.ledger import LedgerAccount, Posting, Transfer
from balance.models.reconciliation import SettlementCase, SettlementFile, SettlementLine
from balance.models.statements import StatementCalendar

__all__ = [
    "AuditFinding",
    "AuditRun",
    "BankAccount",
    "Charity",
    "CharityAccount",
    "CharityMarket",
    "CharityText",
    "Correction",
    "CorrectionLimit",
    "Donation",
    "DonationSetting",
    "DonationSettlement",
    "DonationSettlementCase",
    "Hold",
    "Identity",
    "LedgerAccount",
    "LedgerDay",
    "LedgerDayTotal",
    "Posting",
    "SandboxPayout",
    "SettlementCase",
    "SettlementFile",
    "SettlementLine",
    "StatementCalendar",
    "Transfer",
    "Withdrawal",
    "WithdrawalCase",
    "WithdrawalEvent",
    "WithdrawalLimit",
]
