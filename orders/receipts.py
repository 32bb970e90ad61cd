"""The receipt of a purchase as PDF: A4, in the buyer's language, its font inside, always the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format, number_format
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from foundation.fonts import embedded_font
from foundation.languages import Texts, in_language
from foundation.money import Money, exponent_of

_WIDTH, _HEIGHT = A4
_LEFT, _RIGHT, _TOP, _BOTTOM = 18 * mm, _WIDTH - 18 * mm, _HEIGHT - 24 * mm, 20 * mm
_LINE = 6 * mm
_TITLE_MAX = 70

WORDS: dict[str, Texts] = {
    "title": ("Receipt", "Beleg", "Reçu", "Kvitas"),
    "order": ("Order", "Bestellung", "Commande", "Užsakymas"),
    "paid": ("Paid on", "Bezahlt am", "Payé le", "Apmokėta"),
    "discount": ("Discount", "Rabatt", "Remise", "Nuolaida"),
    "items": ("Items", "Artikel", "Articles", "Prekės"),
    "fee": ("Buyer protection", "Käuferschutz", "Protection acheteurs", "Pirkėjo apsauga"),
    "verification": ("Item verification", "Artikelprüfung", "Vérification de l'article", "Prekės patikra"),
    "vat": ("of which VAT", "davon USt.", "dont TVA", "iš jų PVM"),
    "shipping": ("Shipping", "Versand", "Livraison", "Siuntimas"),
    "total": ("Total", "Summe", "Total", "Iš viso"),
    "wallet": (
        "Paid from the balance",
        "Aus dem Guthaben bezahlt",
        "Payé par le solde",
        "Apmokėta iš balanso",
    ),
    "card": ("Paid by card", "Mit Karte bezahlt", "Payé par carte", "Apmokėta kortele"),
    "refunded": ("Refunded", "Erstattet", "Remboursé", "Grąžinta"),
    "private": (
        "The items are sold by another member; Preloved charges protection, verification and shipping.",
        "Die Artikel verkauft ein anderes Mitglied; Preloved berechnet Käuferschutz, Prüfung und Versand.",
        "Les articles sont vendus par un autre membre ; Preloved facture protection, vérification et port.",
        "Prekes parduoda kitas narys; Preloved ima mokestį už apsaugą, patikrą ir siuntimą.",
    ),
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is printed. Amounts are of one currency; `items` have their prices before the discount."""

    order_id: str
    paid_at: datetime
    items: Sequence[tuple[str, Money]]
    discount: Money
    fee: Money
    fee_vat: Money
    verification: Money
    verification_vat: Money
    shipping: Money
    total: Money
    wallet: Money
    card: Money
    refunded: Money


def render_receipt(receipt: Receipt, *, language: str, time_zone: str) -> bytes:
    """The document."""
    with translation.override(language):
        return _Page(receipt, language, ZoneInfo(time_zone)).render()


class _Page:
    def __init__(self, receipt: Receipt, language: str, zone: ZoneInfo) -> None:
        self.receipt, self.language, self.zone = receipt, language, zone
        self.file = io.BytesIO()
        self.canvas = Canvas(self.file, pagesize=A4, invariant=1, lang=language)
        self.canvas.setTitle(f"{self._word('title')} {receipt.order_id}")
        self.canvas.setAuthor("Preloved")
        self.y = _TOP

    def render(self) -> bytes:
        receipt, zero = self.receipt, Money(0, self.receipt.total.currency)
        self._text(self._word("title"), size=18)
        self._text(f"{self._word('order')} {receipt.order_id}", grey=True)
        paid_at = date_format(receipt.paid_at.astimezone(self.zone), "DATE_FORMAT")
        self._text(f"{self._word('paid')} {paid_at}", grey=True)
        self.y -= _LINE
        for title, price in receipt.items:
            self._row(title if len(title) <= _TITLE_MAX else f"{title[: _TITLE_MAX - 1]}…", price)
        if receipt.discount != zero:
            self._row(self._word("discount"), -receipt.discount)
        self._row(self._word("fee"), receipt.fee)
        self._row(self._word("vat"), receipt.fee_vat, grey=True)
        if receipt.verification != zero:
            self._row(self._word("verification"), receipt.verification)
            self._row(self._word("vat"), receipt.verification_vat, grey=True)
        self._row(self._word("shipping"), receipt.shipping)
        self._rule()
        self._row(f"{self._word('total')} ({receipt.total.currency})", receipt.total)
        for name in ("wallet", "card", "refunded"):
            amount: Money = getattr(receipt, name)
            if amount != zero:
                self._row(self._word(name), amount, grey=True)
        self.y -= _LINE
        self._text(self._word("private"), size=8, grey=True)
        self.canvas.showPage()
        self.canvas.save()
        return self.file.getvalue()

    def _word(self, name: str) -> str:
        return in_language(WORDS[name], self.language)

    def _text(self, text: str, *, size: float = 10, grey: bool = False) -> None:
        self._next_line(size=size, grey=grey)
        self.canvas.drawString(_LEFT, self.y, text)

    def _row(self, text: str, amount: Money, *, grey: bool = False) -> None:
        self._next_line(size=10, grey=grey)
        self.canvas.drawString(_LEFT, self.y, text)
        self.canvas.drawRightString(_RIGHT, self.y, _number(amount))

    def _rule(self) -> None:
        self.y -= 2 * mm
        self.canvas.setLineWidth(0.3)
        self.canvas.line(_LEFT, self.y, _RIGHT, self.y)

    def _next_line(self, *, size: float, grey: bool) -> None:
        self.y -= _LINE
        if self.y < _BOTTOM:
            self.canvas.showPage()
            self.y = _TOP
        self.canvas.setFont(embedded_font(), size)
        self.canvas.setFillGray(0.4 if grey else 0)


def _number(money: Money) -> str:
    return str(number_format(money.amount, decimal_pos=exponent_of(money.currency), force_grouping=True))
