"""A statement as PDF, for people: A4, in the member's language, with its font inside.

The same statement gives the same bytes: nothing of it depends on when it was made.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format, number_format
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from balance.queries.entries import Entry
from balance.queries.statements import Period, Section
from balance.wording import account_name, statement_text
from foundation.fonts import embedded_font
from foundation.money import Money, exponent_of

WIDTH, HEIGHT = A4
LEFT, RIGHT, TOP, BOTTOM = 18 * mm, WIDTH - 18 * mm, HEIGHT - 20 * mm, 20 * mm
LINE = 5 * mm
# Where the columns are: three from the left, two up to the right.
DATE, TEXT, REFERENCE, AMOUNT, BALANCE = LEFT, LEFT + 29 * mm, LEFT + 78 * mm, RIGHT - 24 * mm, RIGHT
AMOUNT_WIDTH = 20 * mm
GAP = 2 * mm


def render_pdf(
    period: Period, sections: Sequence[tuple[Section, Sequence[Entry]]], *, name: str, language: str
) -> bytes:
    """The document. ``name`` is the member's, as it is to be printed."""
    with translation.override(language):
        return _Pages(period, name, language).render(sections)


class _Pages:
    def __init__(self, period: Period, name: str, language: str) -> None:
        self.period, self.name, self.language = period, name, language
        self.zone = ZoneInfo(period.time_zone)
        self.file = io.BytesIO()
        self.canvas = Canvas(self.file, pagesize=A4, invariant=1, lang=language)
        self.canvas.setTitle(f"{self._word('title')} {period.month}")
        self.canvas.setAuthor("Preloved")
        self.number = 0
        self.y = 0.0
        self.in_table = False

    def render(self, sections: Sequence[tuple[Section, Sequence[Entry]]]) -> bytes:
        self._start_page()
        self._write(LEFT, f"{self._word('title')} {self.period.month}", size=18)
        self._down(2)
        self._write(LEFT, f"{self.name} · {self.period.member_id}")
        self._down()
        self._write(LEFT, f"{self._word('zone')} {self.period.time_zone}", grey=True)
        if not self.period.is_closed:
            self._down()
            self._write(LEFT, self._word("open"))
        for section, lines in sections:
            self._section(section, lines)
        self.canvas.showPage()
        self.canvas.save()
        return self.file.getvalue()

    def _section(self, section: Section, lines: Sequence[Entry]) -> None:
        self._down(2)
        self._keep_together(5)
        title = f"{account_name(section.account.kind, self.language)}, {section.account.currency}"
        self._write(LEFT, title, size=12)
        self._down(1.2)
        self._heads()
        self.in_table = True
        self._total("opening", self.period.starts_at, section.opening)
        if not lines:
            self._down()
            self._write(TEXT, self._word("nothing"), grey=True)
        for entry in lines:
            self._down()
            self._entry(entry)
        self._total("closing", self.period.last_at, section.closing(lines))
        self.in_table = False

    def _heads(self) -> None:
        for x, word in ((DATE, "date"), (TEXT, "text"), (REFERENCE, "reference")):
            self._write(x, self._word(word), grey=True)
        for x, word in ((AMOUNT, "amount"), (BALANCE, "balance")):
            self._write_up_to(x, self._word(word), grey=True)

    def _total(self, word: str, at: datetime, balance: Money) -> None:
        self._down()
        self.canvas.setLineWidth(0.3)
        self.canvas.line(LEFT, self.y + 3.7 * mm, RIGHT, self.y + 3.7 * mm)
        self._write(DATE, self._time(at))
        self._write(TEXT, self._word(word))
        self._write_up_to(BALANCE, _number(balance))

    def _entry(self, entry: Entry) -> None:
        label = entry.label(self.language)
        self._write(DATE, self._time(entry.recorded_at))
        self._write(TEXT, label, width=REFERENCE - TEXT - GAP)
        width = AMOUNT - AMOUNT_WIDTH - REFERENCE
        self._write(REFERENCE, entry.reference, size=7, width=width, grey=True)
        self._write_up_to(AMOUNT, _number(entry.amount))
        self._write_up_to(BALANCE, _number(entry.balance_after))

    def _word(self, name: str) -> str:
        return statement_text(name, self.language)

    def _time(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return f"{date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M}"

    def _start_page(self) -> None:
        self.number += 1
        self.y = TOP
        where = f"Preloved · {self.period.month} · {self._word('page')} {self.number}"
        self.canvas.setFont(embedded_font(), 8)
        self.canvas.drawString(LEFT, BOTTOM - 2 * LINE, where)
        if self.in_table:
            self._heads()
            self.y -= LINE

    def _down(self, lines: float = 1) -> None:
        self.y -= lines * LINE
        self._keep_together(0)

    def _keep_together(self, lines: float) -> None:
        if self.y - lines * LINE < BOTTOM:
            self.canvas.showPage()
            self._start_page()

    def _write(
        self, x: float, text: str, *, size: float = 8.5, width: float | None = None, grey: bool = False
    ) -> None:
        self._pen(size, grey)
        self.canvas.drawString(x, self.y, text if width is None else _shortened(text, size, width))

    def _write_up_to(self, x: float, text: str, *, grey: bool = False) -> None:
        self._pen(8.5, grey)
        self.canvas.drawRightString(x, self.y, text)

    def _pen(self, size: float, grey: bool) -> None:
        self.canvas.setFont(embedded_font(), size)
        self.canvas.setFillGray(0.4 if grey else 0)


def _shortened(text: str, size: float, width: float) -> str:
    needed = pdfmetrics.stringWidth(text, embedded_font(), size)
    if needed <= width:
        return text
    kept = int(len(text) * width / needed)
    while kept and pdfmetrics.stringWidth(text[:kept] + "…", embedded_font(), size) > width:
        kept -= 1
    return text[:kept] + "…"


def _number(money: Money) -> str:
    """As people of this language write it: 1.234,56 in German."""
    return str(number_format(money.amount, decimal_pos=exponent_of(money.currency), force_grouping=True))
