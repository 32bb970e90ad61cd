"""How long a dossier is kept; pure. Years per state are in data/states.csv."""

from __future__ import annotations

from datetime import date

from dac7.states import MEMBER_STATES, all_rules, rules_of


def shortest_term() -> int:
    """Years after which something may be over somewhere: no younger row needs a look."""
    return min(rules.retention_years for rules in all_rules())


def kept_until(country: str, *, last_year: int, operator_state: str) -> date:
    """The last day of keeping a dossier of somebody in `country`, counted from the end of `last_year`.

    The longer of the seller's and the operator's state; sellers outside the Union count as the operator's.
    """
    states = {operator_state} | ({country} & MEMBER_STATES)
    years = max(rules_of(state, last_year).retention_years for state in states)
    return date(last_year + years, 12, 31)
