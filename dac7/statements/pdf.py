"""The statement as PDF: one page A4, in the seller's language. The same record gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence

from django.utils import translation
from django.utils.formats import number_format
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from dac7.statements.statement import Statement, masked
from dac7.statements.wording import statement_text
from foundation.fonts import embedded_font

_WIDTH, _HEIGHT = A4
_LEFT, _RIGHT, _TOP = 18 * mm, _WIDTH - 18 * mm, _HEIGHT - 22 * mm
_LINE = 6 * mm
_VALUES = _LEFT + 58 * mm
# Right edges of the columns: currency, paid, sales, fees, taxes.
_COLUMNS = (_LEFT + 45 * mm, _LEFT + 80 * mm, _LEFT + 105 * mm, _LEFT + 138 * mm, _RIGHT)


def render_pdf(statement: Statement, *, language: str) -> bytes:
    """The document, in one of LANGUAGES."""
    with translation.override(language):
        return _Page(statement, language).render()


class _Page:
    def __init__(self, statement: Statement, language: str) -> None:
        self.statement, self.language = statement, language
        self.file = io.BytesIO()
        self.canvas = Canvas(self.file, pagesize=A4, invariant=1, lang=language)
        self.y = _TOP

    def render(self) -> bytes:
        statement, seller = self.statement, self.statement.seller
        title = f"{self._word('title')} {statement.year}"
        self.canvas.setTitle(title)
        self.canvas.setAuthor(statement.operator)
        self._write(_LEFT, title, size=18)
        self._down(1.5)
        self._write(_LEFT, self._word("withdrawn" if statement.is_withdrawn else "why"))
        self._down()
        for name, value in (
            ("operator", statement.operator),
            ("authority", statement.state),
            ("seller", seller.name),
            ("address", ", ".join(self._address())),
            ("residences", ", ".join(seller.residences)),
            ("tins", ", ".join(f"{tin.issued_by} {masked(tin.value)}" for tin in seller.tins) or "-"),
            ("account", masked(seller.account.identifier) if seller.account else "-"),
            ("reference", statement.reference),
        ):
            self._down()
            self._write(_LEFT, self._word(name), grey=True)
            self._write(_VALUES, value, width=_RIGHT - _VALUES)
        if not statement.is_withdrawn:
            self._table()
        self.canvas.showPage()
        self.canvas.save()
        return self.file.getvalue()

    def _address(self) -> list[str]:
        address = self.statement.seller.address
        parts = (
            address.street,
            address.building,
            address.postcode,
            address.city,
            address.region,
            address.country,
        )
        return [part for part in parts if part]

    def _table(self) -> None:
        self._down(2)
        self._write(_LEFT, self._word("quarter"), grey=True)
        heads = ("", *(self._word(name) for name in ("consideration", "activities", "fees", "taxes")))
        self._row(heads, grey=True)
        for n, quarter in enumerate(self.statement.quarters, 1):
            self._down()
            self.canvas.setLineWidth(0.3)
            self.canvas.line(_LEFT, self.y + 4.2 * mm, _RIGHT, self.y + 4.2 * mm)
            self._write(_LEFT, f"Q{n} {self.statement.year}")
            amounts = (quarter.consideration, quarter.activities, quarter.fees, quarter.taxes)
            self._row((quarter.currency, *(str(number_format(a, force_grouping=True)) for a in amounts)))
        self._down(1.5)
        self._write(_LEFT, self._word("whole_units"), grey=True)

    def _row(self, texts: Sequence[str], *, grey: bool = False) -> None:
        for x, text in zip(_COLUMNS, texts, strict=True):
            self._pen(9, grey)
            self.canvas.drawRightString(x, self.y, text)

    def _word(self, name: str) -> str:
        return statement_text(name, self.language)

    def _down(self, lines: float = 1) -> None:
        self.y -= lines * _LINE

    def _write(
        self, x: float, text: str, *, size: float = 9, grey: bool = False, width: float = _RIGHT - _LEFT
    ) -> None:
        needed = pdfmetrics.stringWidth(text, embedded_font(), size)
        # Smaller rather than cut off: two hundred letters are a name too.
        self._pen(size if needed <= width else size * width / needed, grey)
        self.canvas.drawString(x, self.y, text)

    def _pen(self, size: float, grey: bool) -> None:
        self.canvas.setFont(embedded_font(), size)
        self.canvas.setFillGray(0.4 if grey else 0)
