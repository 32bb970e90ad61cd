"""What sellers are told when their copy is there."""

from __future__ import annotations

from members.notices.kinds import Category, Mail, NoticeKind, Of, register

STATEMENT_READY = "tax.statement_ready"

register(
    NoticeKind(
        name=STATEMENT_READY,
        category=Category.TAX,
        mail=Mail.ALWAYS,
        params={"year": Of.NUMBER},
        title=(
            "What we report of your sales for {year}",
            "Was wir über deine Verkäufe {year} melden",
            "Ce que nous déclarons de vos ventes pour {year}",
            "Ką pateikiame apie jūsų {year} m. pardavimus",
        ),
        body=(
            "The law (DAC7) has us report your sales of {year} to the tax authority. Your copy is in your "
            "account; tell us if something in it is wrong.",
            "Das Gesetz (DAC7) verpflichtet uns, deine Verkäufe von {year} der Steuerbehörde zu melden. "
            "Deine Kopie ist in deinem Konto; sag uns, wenn etwas darin nicht stimmt.",
            "La loi (DAC7) nous oblige à déclarer vos ventes de {year} à l'administration fiscale. Votre "
            "copie est dans votre compte ; dites-nous si quelque chose est inexact.",
            "Įstatymas (DAC7) įpareigoja mus pateikti jūsų {year} m. pardavimus mokesčių administratoriui. "
            "Kopija yra jūsų paskyroje; praneškite, jei joje kas nors neteisinga.",
        ),
        path="tax/statements",
    )
)
