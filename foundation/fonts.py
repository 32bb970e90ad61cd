"""The font inside the PDFs that members get."""

from __future__ import annotations

import functools

import fontpkg
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

NAME = "Noto Sans"


@functools.cache
def embedded_font() -> str:
    """Its name, once ReportLab knows it: Latin, Greek and Cyrillic with every accent.

    The few signs that a document uses are embedded, not all of it.
    """
    pdfmetrics.registerFont(TTFont(NAME, str(fontpkg.path("noto-sans"))))
    return NAME
