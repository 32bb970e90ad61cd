"""What differs by member state and year: dac7/data/states.csv and partner_jurisdictions.csv, as data. Pure.

A row holds from its year on, until a later row of the state. The marks in the files' `source` columns say
where a value is from; changing the law is changing a row.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

DATA = Path(__file__).parent / "data"

# ISO 3166-1 alpha-2; GR is the country, EL only the prefix of its VAT numbers.
MEMBER_STATES = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)


class StateUnknown(LookupError):
    """There is no rule of this state for this year."""


@dataclass(frozen=True, slots=True)
class StateRules:
    """The rules of the state in which the operator reports.

    A seller of goods is small with fewer than ``activities_below`` activities and euros up to ``limit``,
    ``limit`` itself included unless ``is_limit_reported``. ``wants_account``: residents are reported with the
    account that they are paid to.
    """

    state: str
    valid_from: int
    currency: str
    time_zone: str
    activities_below: int
    limit: Decimal
    is_limit_reported: bool
    retention_years: int
    wants_account: bool


@functools.cache
def _rows() -> dict[str, list[StateRules]]:
    rows: dict[str, list[StateRules]] = {}
    with (DATA / "states.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, strict=True):
            rules = StateRules(
                state=row["state"],
                valid_from=int(row["valid_from"]),
                currency=row["currency"],
                time_zone=row["time_zone"],
                activities_below=int(row["activities_below"]),
                limit=Decimal(row["limit_eur"]),
                is_limit_reported=row["at_limit"] == "reported",
                retention_years=int(row["retention_years"]),
                wants_account=row["account"] == "yes",
            )
            rows.setdefault(rules.state, []).append(rules)
    for of_state in rows.values():
        of_state.sort(key=lambda rules: rules.valid_from)
    return rows


def rules_of(state: str, year: int) -> StateRules:
    """The row of the state that holds in the year. Raises StateUnknown."""
    found = [rules for rules in _rows().get(state, ()) if rules.valid_from <= year]
    if not found:
        raise StateUnknown(f"{state} in {year}")
    return found[-1]


def all_rules() -> list[StateRules]:
    """Every row, of whatever state and year."""
    return [rules for of_state in _rows().values() for rules in of_state]


@functools.cache
def partner_jurisdictions(state: str, year: int) -> frozenset[str]:
    """States outside the Union whose residents an operator of this state reports as well (goods)."""
    with (DATA / "partner_jurisdictions.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(
            row["partner"]
            for row in csv.DictReader(file, strict=True)
            if row["state"] == state
            and int(row["valid_from"]) <= year
            and (not row["valid_until"] or year < int(row["valid_until"]))
        )


def reportable_states(state: str, year: int) -> frozenset[str]:
    """Residences that make a seller reportable by an operator of this state in this year."""
    return MEMBER_STATES | partner_jurisdictions(state, year)
