"""The tables of dac7."""

from __future__ import annotations

from dac7.models.profiles import (
    AccessLog,
    CheckEvent,
    ProfileCheck,
    TaxDocument,
    TaxNumber,
    TaxProfile,
)

__all__ = ["AccessLog", "CheckEvent", "ProfileCheck", "TaxDocument", "TaxNumber", "TaxProfile"]
