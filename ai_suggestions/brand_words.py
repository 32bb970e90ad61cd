"""Brands that are words or first names in one of our languages too: in a sentence they mean that."""

from __future__ import annotations

_ONE_WORD = """
    accessorize active apple arena atomic barbie bauer beats bell benefit big blizzard boden boss
    braun brooks brother bruder buffalo butterfly camel camper canyon caprice champion cherry chicco
    citizen clarks closed coach columbia comma converse craft crucial cube diesel disney dove dual
    edited elan element esprit essenza even extra fanatic fischer flexi folio fossil gap gazelle
    george ghost giant globe guess habitat hay head honor house hugo hunter independent jaguar joie
    jordan jules juwel kappa kong kosmos lange lassie lee leonardo leone mango mares marvel medicine
    meta micro molten monki monsoon more morgan mulberry next nice nothing oasis obey object odd
    olympus omega one only orchestra oui palladium pandora parker pearl pelikan penguin penny people
    pieces pilgrim ping pioneer polar police prince puma reclam regatta replay reserved rituals
    rogue roland scout select selected sharp sigma singer someday specialized stanley street string
    supreme surface swatch technics thomas title tonies triumph valve vans warehouse weber weekday
    whistles why wilson windsor zwilling
"""

WORDS_TOO = frozenset({*_ONE_WORD.split(), "free people"})
"""In lower case."""
