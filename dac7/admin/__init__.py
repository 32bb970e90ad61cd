"""For tax staff: everything is read here and changed by services, with a reason."""

from __future__ import annotations

from dac7.admin.profiles import AccessLogAdmin, ProfileCheckAdmin, TaxDocumentAdmin, TaxProfileAdmin

__all__ = ["AccessLogAdmin", "ProfileCheckAdmin", "TaxDocumentAdmin", "TaxProfileAdmin"]
