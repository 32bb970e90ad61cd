"""The tables of dac7."""

from __future__ import annotations

from dac7.models.filings import (
    Filing,
    FilingFinding,
    FilingMessage,
    FilingRecord,
    RecordedMember,
)
from dac7.models.profiles import (
    AccessLog,
    CheckEvent,
    ProfileCheck,
    TaxDocument,
    TaxNumber,
    TaxProfile,
)

__all__ = [
    "AccessLog",
    "CheckEvent",
    "Filing",
    "FilingFinding",
    "FilingMessage",
    "FilingRecord",
    "ProfileCheck",
    "RecordedMember",
    "TaxDocument",
    "TaxNumber",
    "TaxProfile",
]
