"""How postal codes look, by country; pure. Countries without a row take what fits a label.

Source of the shapes: the Universal Postal Union's addressing sheets [R]; 9 a digit, A a letter.
"""

from __future__ import annotations

import re

_SHAPES = {
    "AT": "9999",
    "BE": "9999",
    "BG": "9999",
    "CA": "A9A9A9",
    "CY": "9999",
    "CZ": "99999",
    "DE": "99999",
    "DK": "9999",
    "EE": "99999",
    "ES": "99999",
    "FI": "99999",
    "FR": "99999",
    "GR": "99999",
    "HR": "99999",
    "HU": "9999",
    "IT": "99999",
    "LT": "99999",
    "LU": "9999",
    "LV": "9999",
    "MT": "AAA9999",
    "NL": "9999AA",
    "PL": "99999",
    "PT": "9999999",
    "RO": "999999",
    "SE": "99999",
    "SI": "9999",
    "SK": "99999",
}
_OTHER = re.compile(r"[A-Z0-9][A-Z0-9 \-]{1,11}")


def looks_like_postal_code(text: str, country: str) -> bool:
    """Whether the text may be a postal code of the country; "LT-01103" and "01103" both are."""
    upper = text.upper()
    shape = _SHAPES.get(country)
    if shape is None:
        return bool(_OTHER.fullmatch(upper))
    pattern = shape.replace("9", "[0-9]").replace("A", "[A-Z]")
    # One letter in front is old habit (D-10115, L-1009, H-1011).
    return bool(re.fullmatch(f"(?:{country}|{country[0]})?{pattern}", re.sub(r"[ \-]", "", upper)))
