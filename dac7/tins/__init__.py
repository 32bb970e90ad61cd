"""Which number is the TIN in each state, and whether a text may be one. Pure."""

from __future__ import annotations

from dac7.tins.checking import CheckedTin, TinProblem, check_tin, contradicts_birth, normalised
from dac7.tins.table import LANGUAGES, STATES, TinKind, kinds_of, places_in

__all__ = [
    "LANGUAGES",
    "STATES",
    "CheckedTin",
    "TinKind",
    "TinProblem",
    "check_tin",
    "contradicts_birth",
    "kinds_of",
    "normalised",
    "places_in",
]
