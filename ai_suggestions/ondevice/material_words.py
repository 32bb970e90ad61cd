"""Names of fibres as care labels print them, in English, German, French, Lithuanian, Italian and Spanish.

The ids are those of the catalogue's materials. Words are lower case without accents. The fibre names are
those of Regulation (EU) No 1007/2011, Annex I, and the trade names that labels use beside them.
"""

from __future__ import annotations

from types import MappingProxyType

_WORDS = {
    "cotton": "cotton baumwolle coton medvilne medvilnes cotone algodon",
    "polyester": "polyester poliesteris poliesterio poliestere poliester",
    "wool": "wool wolle schurwolle laine vilna vilnos lana",
    "merino": "merino merinos merinowolle",
    "silk": "silk seide soie silkas silko seta seda",
    "linen": "linen leinen flachs lin linas lino flax",
    "viscose": "viscose viskose viskoze viskozes viscosa rayon",
    "elastane": "elastane elasthan elasthanne elastanas elastano elastan spandex lycra",
    "nylon": "polyamide polyamid poliamidas poliamido poliammide poliamida nylon nailonas nailono",
    "acrylic": "acrylic polyacryl acrylique akrilas akrilo acrilico acrilica acryl",
    "leather": "leather leder cuir oda odos pelle cuoio cuero piel",
    "cashmere": "cashmere kaschmir cachemire kasmyras kasmyro cachemir cachemira",
    "modal": "modal modalas modalo",
    "lyocell": "lyocell lyocel tencel liocelis liocelio",
    "down": "down daunen duvet pukai puku piumino plumon",
    "mohair": "mohair moheris moherio",
    "alpaca": "alpaca alpaka alpaga alpakos",
    "bamboo": "bamboo bambus bambou bambukas bambuko bambu",
}

MATERIAL_BY_WORD = MappingProxyType({word: id_ for id_, words in _WORDS.items() for word in words.split()})
"""Word on a label → material id."""
