"""For staff: everything is read here and changed by services, with a reason."""

from __future__ import annotations

from balance.admin.banking import (
    BankAccountAdmin,
    IdentityAdmin,
    WithdrawalAdmin,
    WithdrawalCaseAdmin,
    WithdrawalLimitAdmin,
)
from balance.admin.charities import CharityAccountAdmin, CharityAdmin
from balance.admin.control import AuditFindingAdmin, AuditRunAdmin, LedgerDayAdmin
from balance.admin.corrections import CorrectionAdmin, CorrectionLimitAdmin
from balance.admin.donations import (
    DonationAdmin,
    DonationSettingAdmin,
    DonationSettlementAdmin,
    DonationSettlementCaseAdmin,
)
from balance.admin.ledger import (
    HoldAdmin,
    LedgerAccountAdmin,
    PostingAdmin,
    StatementCalendarAdmin,
    TransferAdmin,
)
from balance.admin.reconciliation import SettlementCaseAdmin, SettlementFileAdmin

__all__ = [
    "AuditFindingAdmin",
    "AuditRunAdmin",
    "BankAccountAdmin",
    "CharityAccountAdmin",
    "CharityAdmin",
    "CorrectionAdmin",
    "CorrectionLimitAdmin",
    "DonationAdmin",
    "DonationSettingAdmin",
    "DonationSettlementAdmin",
    "DonationSettlementCaseAdmin",
    "HoldAdmin",
    "IdentityAdmin",
    "LedgerAccountAdmin",
    "LedgerDayAdmin",
    "PostingAdmin",
    "SettlementCaseAdmin",
    "SettlementFileAdmin",
    "StatementCalendarAdmin",
    "TransferAdmin",
    "WithdrawalAdmin",
    "WithdrawalCaseAdmin",
    "WithdrawalLimitAdmin",
]
