"""What sellers read in their tax statement, in English, German, French and Lithuanian."""

from __future__ import annotations

from typing import Final

from foundation.languages import Texts, in_language

_TEXTS: Final[dict[str, Texts]] = {
    "title": ("Tax statement", "Steuermitteilung", "Relevé fiscal", "Mokesčių ataskaita"),
    "why": (
        "We report these figures to the tax authority under Directive (EU) 2021/514 (DAC7).",
        "Diese Angaben melden wir der Steuerbehörde nach der Richtlinie (EU) 2021/514 (DAC7).",
        "Nous déclarons ces données à l'administration fiscale selon la directive (UE) 2021/514 (DAC7).",
        "Šiuos duomenis pagal Direktyvą (ES) 2021/514 (DAC7) pateikiame mokesčių administratoriui.",
    ),
    "withdrawn": (
        "What was reported for this year has been withdrawn.",
        "Was für dieses Jahr gemeldet wurde, ist zurückgezogen.",
        "Ce qui avait été déclaré pour cette année a été retiré.",
        "Tai, kas buvo pateikta už šiuos metus, atšaukta.",
    ),
    "seller": ("Seller", "Verkäufer", "Vendeur", "Pardavėjas"),
    "address": ("Address", "Anschrift", "Adresse", "Adresas"),
    "residences": ("States of residence", "Ansässigkeitsstaaten", "États de résidence", "Rezidavimo šalys"),
    "tins": (
        "Tax identification numbers",
        "Steuer-Identifikationsnummern",
        "Numéros d'identification fiscale",
        "Mokesčių mokėtojo numeriai",
    ),
    "account": ("Account", "Konto", "Compte", "Sąskaita"),
    "operator": ("Reported by", "Gemeldet von", "Déclaré par", "Pateikė"),
    "authority": ("Reported to", "Gemeldet an", "Déclaré à", "Pateikta"),
    "reference": ("Reference", "Referenz", "Référence", "Nuoroda"),
    "quarter": ("Quarter", "Quartal", "Trimestre", "Ketvirtis"),
    "consideration": ("Paid to you", "An dich gezahlt", "Versé à vous", "Jums išmokėta"),
    "activities": ("Sales", "Verkäufe", "Ventes", "Pardavimai"),
    "fees": ("Fees", "Gebühren", "Frais", "Mokesčiai platformai"),
    "taxes": ("Taxes withheld", "Einbehaltene Steuern", "Impôts retenus", "Išskaičiuoti mokesčiai"),
    "whole_units": (
        "Amounts are rounded to whole units of the currency, as the law asks.",
        "Beträge sind auf ganze Währungseinheiten gerundet, wie es das Gesetz verlangt.",
        "Les montants sont arrondis à l'unité monétaire, comme la loi le demande.",
        "Sumos suapvalintos iki sveikų valiutos vienetų, kaip reikalauja įstatymas.",
    ),
}


def statement_text(name: str, language: str) -> str:
    """The text in one of LANGUAGES."""
    return in_language(_TEXTS[name], language)
