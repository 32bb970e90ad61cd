"""What members read about their money, in English, German, French and Lithuanian."""

from __future__ import annotations

from balance.chart import AccountKind, Event
from foundation.languages import Texts, in_language

_K, _E = AccountKind, Event

ACCOUNTS: dict[AccountKind, Texts] = {
    _K.AVAILABLE: ("Available", "Verfügbar", "Disponible", "Laisvas likutis"),
    _K.PENDING: ("Pending", "Ausstehend", "En attente", "Laukiama"),
    _K.HELD: (
        "Set aside for purchases",
        "Für Käufe zurückgelegt",
        "Réservé à des achats",
        "Atidėta pirkiniams",
    ),
    _K.IN_TRANSIT: (
        "On its way to your bank",
        "Unterwegs zu deiner Bank",
        "En route vers votre banque",
        "Pakeliui į jūsų banką",
    ),
}

EVENTS: dict[Event, Texts] = {
    _E.SALE_CAPTURED: ("Purchase", "Kauf", "Achat", "Pirkinys"),
    _E.SALE_COMPLETED: ("Sale completed", "Verkauf abgeschlossen", "Vente terminée", "Pardavimas baigtas"),
    _E.SALE_CANCELLED: (
        "Purchase cancelled, refund",
        "Kauf storniert, Erstattung",
        "Achat annulé, remboursement",
        "Pirkinys atšauktas, pinigai grąžinti",
    ),
    _E.SALE_REFUNDED: ("Refund", "Erstattung", "Remboursement", "Grąžinti pinigai"),
    _E.REFUND_SETTLED: (
        "Refund paid out",
        "Erstattung ausgezahlt",
        "Remboursement versé",
        "Grąžinimas išmokėtas",
    ),
    _E.PAYMENT_UNMATCHED: (
        "Payment under review",
        "Zahlung wird geprüft",
        "Paiement en cours d'examen",
        "Mokėjimas tikrinamas",
    ),
    _E.UNMATCHED_RETURNED: (
        "Payment returned",
        "Zahlung zurückgegeben",
        "Paiement retourné",
        "Mokėjimas grąžintas",
    ),
    _E.HOLD_PLACED: (
        "Set aside for a purchase",
        "Für einen Kauf zurückgelegt",
        "Réservé à un achat",
        "Atidėta pirkiniui",
    ),
    _E.HOLD_RELEASED: (
        "No longer set aside",
        "Nicht mehr zurückgelegt",
        "Réservation levée",
        "Nebeatidėta",
    ),
    _E.WITHDRAWAL_REQUESTED: (
        "Withdrawal requested",
        "Auszahlung beauftragt",
        "Retrait demandé",
        "Prašyta išmokėti",
    ),
    _E.WITHDRAWAL_PAID: (
        "Withdrawal paid",
        "Auszahlung ausgeführt",
        "Retrait versé",
        "Išmokėta",
    ),
    _E.WITHDRAWAL_FAILED: (
        "Withdrawal failed, money is back",
        "Auszahlung gescheitert, Geld ist zurück",
        "Retrait échoué, argent restitué",
        "Išmokėti nepavyko, pinigai grįžo",
    ),
    _E.WITHDRAWAL_RETURNED: (
        "Withdrawal returned by the bank",
        "Auszahlung von der Bank zurückgegeben",
        "Retrait retourné par la banque",
        "Bankas grąžino išmoką",
    ),
    _E.DONATION_GIVEN: ("Donation", "Spende", "Don", "Auka"),
    _E.DONATION_UNDONE: (
        "Donation undone",
        "Spende rückgängig",
        "Don annulé",
        "Auka atšaukta",
    ),
    _E.DONATIONS_SETTLED: (
        "Donations passed on",
        "Spenden weitergegeben",
        "Dons transmis",
        "Aukos perduotos",
    ),
    _E.CHARGEBACK: ("Chargeback", "Rückbelastung", "Rétrofacturation", "Mokėjimo atšaukimas per banką"),
    _E.CHARGEBACK_WON: (
        "Chargeback won",
        "Rückbelastung gewonnen",
        "Rétrofacturation gagnée",
        "Atšauktas mokėjimas susigrąžintas",
    ),
    _E.GOODWILL_GIVEN: (
        "Goodwill of Preloved",
        "Kulanz von Preloved",
        "Geste commercial de Preloved",
        "„Preloved“ geros valios išmoka",
    ),
    _E.COMPENSATION_PAID: (
        "Compensation for a lost parcel",
        "Entschädigung für ein verlorenes Paket",
        "Indemnisation pour un colis perdu",
        "Kompensacija už dingusią siuntą",
    ),
    _E.CARRIER_PAID: ("Carrier paid", "Versand bezahlt", "Transporteur payé", "Sumokėta vežėjui"),
    _E.RETURN_POSTAGE: (
        "Postage of a return",
        "Porto einer Rücksendung",
        "Frais de retour",
        "Grąžinimo siuntos mokestis",
    ),
    _E.PSP_SETTLED: (
        "Payment provider settled",
        "Zahlungsdienst abgerechnet",
        "Prestataire de paiement réglé",
        "Atsiskaityta su mokėjimų tarpininku",
    ),
    _E.BANK_FEE_CHARGED: ("Bank fee", "Bankgebühr", "Frais bancaires", "Banko mokestis"),
    _E.DEBT_WRITTEN_OFF: ("Debt waived", "Schuld erlassen", "Dette effacée", "Skola nurašyta"),
    _E.CORRECTION: ("Correction", "Korrektur", "Correction", "Pataisymas"),
}

# Where the seller reads something else than the buyer: the pending account is the seller's part.
AS_SELLER: dict[Event, Texts] = {
    _E.SALE_CAPTURED: ("Sold", "Verkauft", "Vendu", "Parduota"),
    _E.SALE_CANCELLED: ("Sale cancelled", "Verkauf storniert", "Vente annulée", "Pardavimas atšauktas"),
    _E.SALE_REFUNDED: (
        "Refund to the buyer",
        "Erstattung an den Käufer",
        "Remboursement à l'acheteur",
        "Grąžinta pirkėjui",
    ),
}

STATEMENT: dict[str, Texts] = {
    "title": ("Statement", "Kontoauszug", "Relevé", "Ataskaita"),
    "opening": ("Opening balance", "Anfangsbestand", "Solde initial", "Pradinis likutis"),
    "closing": ("Closing balance", "Endbestand", "Solde final", "Galutinis likutis"),
    "date": ("Date", "Datum", "Date", "Data"),
    "account": ("Account", "Konto", "Compte", "Sąskaita"),
    "currency": ("Currency", "Währung", "Devise", "Valiuta"),
    "text": ("Text", "Text", "Libellé", "Tekstas"),
    "reference": ("Reference", "Referenz", "Référence", "Nuoroda"),
    "amount": ("Amount", "Betrag", "Montant", "Suma"),
    "balance": ("Balance", "Saldo", "Solde", "Likutis"),
    "open": (
        "The month is not over: this is not final.",
        "Der Monat ist nicht zu Ende: vorläufig.",
        "Le mois n'est pas terminé : provisoire.",
        "Mėnuo nesibaigė: negalutinė.",
    ),
    "nothing": ("No entries", "Keine Buchungen", "Aucune écriture", "Įrašų nėra"),
    "page": ("Page", "Seite", "Page", "Puslapis"),
    "zone": ("Times of", "Zeiten von", "Heures de", "Laikas pagal"),
}


def account_name(kind: AccountKind, language: str) -> str:
    """How a member calls an account."""
    return in_language(ACCOUNTS[kind], language)


def entry_label(
    event: Event, kind: AccountKind, counterpart: AccountKind, *, came_in: bool, language: str
) -> str:
    """What an entry is, in the eyes of the member whose account it is on."""
    if event is Event.SALE_COMPLETED and counterpart is AccountKind.DONATIONS:
        event = Event.DONATION_GIVEN  # the share of a sale that the seller gives
    is_sellers = kind is AccountKind.PENDING or (event is Event.SALE_REFUNDED and not came_in)
    texts = AS_SELLER.get(event) if is_sellers else None
    return in_language(texts or EVENTS[event], language)


def statement_text(name: str, language: str) -> str:
    """A word of the statement's own."""
    return in_language(STATEMENT[name], language)
