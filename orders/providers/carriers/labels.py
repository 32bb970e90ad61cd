"""A shipping label as PDF: A6, as printers of labels take it. The same parcel gives the same bytes."""

from __future__ import annotations

import functools
import io

import fontpkg
from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.pagesizes import A6
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from orders.providers.carriers.contract import Address, PickupPoint, ShipmentOrder

FONT = "Noto Sans"
WIDTH, HEIGHT = A6
MARGIN = 6 * mm
BARCODE_HEIGHT = 18 * mm
# The narrowest bar; a code of 15 characters then takes two thirds of the label.
NARROW_BAR = 0.3 * mm


@functools.cache
def _font() -> str:
    # Latin, Greek and Cyrillic with every accent; the few signs that are used are embedded, not all of it.
    pdfmetrics.registerFont(TTFont(FONT, str(fontpkg.path("noto-sans"))))
    return FONT


def render_label(order: ShipmentOrder, *, tracking_number: str, carrier: str) -> bytes:
    """The document. Names and streets that are too long are wrapped, never cut."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A6, invariant=1)
    canvas.setTitle(tracking_number)
    canvas.setAuthor("Preloved")
    y = HEIGHT - MARGIN - 4 * mm
    y = _write(canvas, y, carrier, size=12)
    y = _write(canvas, y, f"{order.service} · max. {order.weight_g / 1000:g} kg", size=7) - 2 * mm
    y = _address(canvas, y, order.sender, size=7) - 3 * mm
    canvas.line(MARGIN, y + 3 * mm, WIDTH - MARGIN, y + 3 * mm)
    y = _address(canvas, y - 2 * mm, order.recipient, size=11) - 2 * mm
    if order.pickup_point is not None:
        _point(canvas, y, order.pickup_point)
    barcode = Code128(tracking_number, barWidth=NARROW_BAR, barHeight=BARCODE_HEIGHT, quiet=True)
    barcode.drawOn(canvas, (WIDTH - barcode.width) / 2, MARGIN + 6 * mm)
    canvas.setFont(_font(), 9)
    canvas.drawCentredString(WIDTH / 2, MARGIN, tracking_number)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _address(canvas: Canvas, y: float, address: Address, *, size: float) -> float:
    lines = (
        address.name,
        address.street,
        address.street_2,
        f"{address.postal_code} {address.city}",
        address.country,
    )
    for line in lines:
        if line:
            y = _write(canvas, y, line, size=size)
    return y


def _point(canvas: Canvas, y: float, point: PickupPoint) -> None:
    y = _write(canvas, y, f"{point.name} ({point.id})", size=8)
    _write(canvas, y, f"{point.street}, {point.postal_code} {point.city}", size=8)


def _write(canvas: Canvas, y: float, text: str, *, size: float) -> float:
    canvas.setFont(_font(), size)
    for line in simpleSplit(text, _font(), size, WIDTH - 2 * MARGIN):
        canvas.drawString(MARGIN, y, line)
        y -= size * 1.25
    return y
