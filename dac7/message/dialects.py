"""The forms of the message that tax authorities take: one row each, over one writer.

A row says in what a form differs from the others; the writer knows nothing of countries. Sources: the
schemas of the OECD (DPI v1.0), of the BZSt, the DGFiP (v1.1-fr1), the NAV and HMRC, with what each demands
of ids ("Cahier des charges DPI-DAC7, Revenus 2025", 3.2.2, for France). The limits on the size of a file are
ours: no schema states one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_OECD: Final = "urn:oecd:ties:dpi:v1"
_OECD_TYPES: Final = "urn:oecd:ties:dpistf:v1"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one authority's form differs.

    The templates know ``state``, ``year``, ``tin`` (of the operator, letters and digits only), ``filing``
    (its number within the year), ``part`` (of the filing), ``seller`` and, in names of files, ``time``.
    """

    name: str
    title: str
    root: str = "DPI_OECD"
    namespace: str = _OECD
    types_namespace: str = _OECD_TYPES
    tax_prefix: str = "TaxQ"
    names_sender: bool = True
    names_countries: bool = True
    one_residence: bool = False
    establishment_addresses: bool = False
    corrections: str = "DPI402"
    message_ref: str = "{state}{year}-{tin}-{filing}-{part}"
    operator_ref: str = "{state}{year}-{tin}-{filing}-{part}-operator"
    seller_ref: str = "{state}{year}-{tin}-{filing}-{seller}"
    file_name: str = "{state}{year}-{tin}-{filing}-{part}.xml"
    most_sellers: int = 100_000
    most_bytes: int = 250_000_000
    # The schema comes with the product; those of authorities are not ours to hand on.
    has_own_schema: bool = False


_ROWS = (
    Dialect(
        "sandbox",
        "the sandbox authority",
        root="DPI_Sandbox",
        namespace="urn:preloved:dac7:message:v1",
        types_namespace="urn:preloved:dac7:message:v1",
        has_own_schema=True,
    ),
    Dialect("oecd", "OECD DPI v1.0"),
    Dialect("de", "BZSt, Germany"),
    Dialect("uk", "HMRC, United Kingdom"),
    Dialect(
        "fr",
        "DGFiP, France",
        namespace="urn:oecd:ties:dpi",
        types_namespace="urn:oecd:ties:dpistf",
        tax_prefix="TaxesQ",
        names_sender=False,
        one_residence=True,
        message_ref="OP_{year}_{tin}_{filing}-{part}",
        operator_ref="OP_{year}_{tin}_{filing}-{part}_operator",
        seller_ref="OP_{year}_{tin}_{seller}_v{filing}",
        file_name="DPIDAC7_{year}_{tin}_{part:03d}_{time}.xml",
    ),
    Dialect(
        "hu",
        "NAV, Hungary",
        root="DPI_HU",
        names_countries=False,
        establishment_addresses=True,
    ),
)
DIALECTS: Final = {row.name: row for row in _ROWS}
