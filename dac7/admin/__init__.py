"""For tax staff: everything is read here and changed by services, with a reason."""

from __future__ import annotations

from dac7.admin.diligence import (
    DiligenceEventAdmin,
    InformationRequestAdmin,
    LateChangeAdmin,
    QuarterCheckAdmin,
    SellerYearAdmin,
)
from dac7.admin.figures import CompilationAdmin, ExchangeRateAdmin, FrozenSellerAdmin
from dac7.admin.filings import FilingAdmin
from dac7.admin.profiles import AccessLogAdmin, ProfileCheckAdmin, TaxDocumentAdmin, TaxProfileAdmin

__all__ = [
    "AccessLogAdmin",
    "CompilationAdmin",
    "DiligenceEventAdmin",
    "ExchangeRateAdmin",
    "FilingAdmin",
    "FrozenSellerAdmin",
    "InformationRequestAdmin",
    "LateChangeAdmin",
    "ProfileCheckAdmin",
    "QuarterCheckAdmin",
    "SellerYearAdmin",
    "TaxDocumentAdmin",
    "TaxProfileAdmin",
]
