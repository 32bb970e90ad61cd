"""Which country codes exist: ISO 3166-1 alpha-2, as CLDR (Babel) lists them. Greece is GR. Pure."""

from __future__ import annotations

from babel import Locale

# Codes in CLDR that are no countries: groupings, pseudo-locales and what is unknown.
_NO_COUNTRIES = frozenset(["EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"])
_TERRITORIES = [str(code) for code in Locale("en").territories]

COUNTRIES = frozenset(code for code in _TERRITORIES if len(code) == 2 and code.isalpha()) - _NO_COUNTRIES
