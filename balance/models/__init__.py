"""The tables of the balance. Business effects are in balance.services."""

from __future__ import annotations

from balance.models.ledger import LedgerAccount, Posting, Transfer

__all__ = ["LedgerAccount", "Posting", "Transfer"]
