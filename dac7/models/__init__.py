"""The tables of dac7."""

from __future__ import annotations

from dac7.models.diligence import (
    ClosedAccount,
    DiligenceEvent,
    InformationRequest,
    LateChange,
    QuarterCheck,
    SalesCursor,
    SellerYear,
)
from dac7.models.figures import Compilation, ExchangeRate, FrozenSeller, FrozenTotal
from dac7.models.filings import (
    Filing,
    FilingExport,
    FilingFinding,
    FilingMessage,
    FilingOmission,
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
    "ClosedAccount",
    "Compilation",
    "DiligenceEvent",
    "ExchangeRate",
    "Filing",
    "FilingExport",
    "FilingFinding",
    "FilingMessage",
    "FilingOmission",
    "FilingRecord",
    "FrozenSeller",
    "FrozenTotal",
    "InformationRequest",
    "LateChange",
    "ProfileCheck",
    "QuarterCheck",
    "RecordedMember",
    "SalesCursor",
    "SellerYear",
    "TaxDocument",
    "TaxNumber",
    "TaxProfile",
]
