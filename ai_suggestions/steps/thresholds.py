"""How sure a step has to be before a field is filled in instead of offered as a choice.

One table, because the numbers are a promise to the seller: of the fields that we fill in, at least 95 in
100 are right (design target: auto-fill precision ≥ .95). A number changes only with an evaluation beside it.
"""

from __future__ import annotations

from types import MappingProxyType

from ai_suggestions.contract import Field

VERSION = "thresholds-1"

FILL_IN_FROM: MappingProxyType[Field, float] = MappingProxyType(
    {
        # The category's bar comes with its model (KindsSeen.sure_from): it is measured with each training.
        # Share of people who would call the thing by this colour. A wrong colour costs little and is seen at
        # once, so the bar is lower than for the category: it keeps out photos that disagree.
        Field.COLOURS: 0.60,
        # A brand name that was read letter for letter scores above .9, a near miss below .8.
        Field.BRAND: 0.80,
        # A wrong size is a returned parcel; single letters are read from folds.
        Field.SIZE: 0.85,
        Field.MATERIALS: 0.80,
        # It follows from the category and is right for most of its neighbours too.
        Field.PARCEL_SIZE: 0.50,
    }
)

NOTHING_BELOW = 0.20
"""Below this probability a candidate is noise, and not even worth offering."""
