"""For staff: everything is read here and changed by services, with a reason."""

from __future__ import annotations

from balance.admin.banking import (
    BankAccountAdmin,
    IdentityAdmin,
    WithdrawalAdmin,
    WithdrawalCaseAdmin,
    WithdrawalLimitAdmin,
)
from balance.admin.ledger import (
    HoldAdmin,
    LedgerAccountAdmin,
    PostingAdmin,
    StatementCalendarAdmin,
    TransferAdmin,
)

__all__ = [
    "BankAccountAdmin",
    "HoldAdmin",
    "IdentityAdmin",
    "LedgerAccountAdmin",
    "PostingAdmin",
    "StatementCalendarAdmin",
    "TransferAdmin",
    "WithdrawalAdmin",
    "WithdrawalCaseAdmin",
    "WithdrawalLimitAdmin",
]
