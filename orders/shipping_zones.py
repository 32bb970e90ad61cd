"""Where a parcel may go without customs papers: the area in which cross-border options are offered."""

from __future__ import annotations

ZONES: dict[str, frozenset[str]] = {
    # Customs territory of the Union (Regulation (EU) 952/2013, article 4), by member state.
    "eu": frozenset(
        {
            *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
            *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
        }
    ),
    # Treaty of 29 March 1923: Liechtenstein is part of Switzerland's customs territory.
    "ch": frozenset({"CH", "LI"}),
}
DOMESTIC = "domestic"


def destinations(from_country: str, to_country: str) -> tuple[str, ...]:
    """What an option may name as its destination to apply here, the most specific first."""
    if from_country == to_country:
        return (DOMESTIC,)
    zones = [name for name, countries in ZONES.items() if {from_country, to_country} <= countries]
    return (to_country, *zones)
