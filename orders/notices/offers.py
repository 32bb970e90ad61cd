"""What the two are told about an offer. Keys: "offer:<id>:<verb>"."""

from __future__ import annotations

from foundation.languages import Texts
from members.notices.kinds import Category, Mail, NoticeKind, Of, register


def _kind(name: str, *, title: Texts, body: Texts, has_deadline: bool = True) -> NoticeKind:
    params = {"offer_id": Of.ID, "title": Of.TEXT, "amount": Of.MONEY}
    return NoticeKind(
        name=name,
        category=Category.OFFERS,
        mail=Mail.OPTIONAL,
        params=params | ({"deadline": Of.INSTANT} if has_deadline else {}),
        title=title,
        body=body,
        path="offers/{offer_id}",
    )


register(
    _kind(
        "offer.proposed",  # to the seller
        title=(
            "{amount} offered for “{title}”",
            "{amount} geboten für „{title}“",
            "{amount} proposés pour « {title} »",
            "Už „{title}“ siūlo {amount}",
        ),
        body=(
            "A buyer offers {amount} for “{title}”. Accept, decline or name another price by {deadline}.",
            "Jemand bietet {amount} für „{title}“. Nimm bis {deadline} an, lehne ab oder nenne einen anderen "
            "Preis.",
            "Un acheteur propose {amount} pour « {title} ». Acceptez, refusez ou proposez un autre prix "
            "avant le {deadline}.",
            "Pirkėjas už „{title}“ siūlo {amount}. Iki {deadline} sutikite, atsisakykite arba pasiūlykite "
            "kitą kainą.",
        ),
    ),
    _kind(
        "offer.countered",  # to the buyer
        title=(
            "The seller asks {amount} for “{title}”",
            "Für „{title}“ werden {amount} verlangt",
            "Le vendeur demande {amount} pour « {title} »",
            "Už „{title}“ pardavėjas prašo {amount}",
        ),
        body=(
            "The seller named another price for “{title}”: {amount}. Accept or decline by {deadline}.",
            "Für „{title}“ wurde dir ein anderer Preis genannt: {amount}. Nimm bis {deadline} an oder lehne "
            "ab.",
            "Le vendeur propose un autre prix pour « {title} » : {amount}. Acceptez ou refusez avant le "
            "{deadline}.",
            "Pardavėjas už „{title}“ pasiūlė kitą kainą: {amount}. Sutikite arba atsisakykite iki "
            "{deadline}.",
        ),
    ),
    _kind(
        "offer.accepted",  # to the one who did not say so; the buyer may buy now
        title=(
            "Agreed: “{title}” for {amount}",
            "Einig: „{title}“ für {amount}",
            "Accord conclu : « {title} » à {amount}",
            "Sutarta: „{title}“ už {amount}",
        ),
        body=(
            "The agreed price of {amount} for “{title}” holds until {deadline}. Until then, others may still "
            "buy it at the full price.",
            "Der vereinbarte Preis von {amount} für „{title}“ gilt bis {deadline}. Bis dahin können andere "
            "noch zum vollen Preis kaufen.",
            "Le prix convenu de {amount} pour « {title} » est valable jusqu'au {deadline}. D'ici là, "
            "d'autres peuvent encore acheter l'article au prix plein.",
            "Sutarta „{title}“ kaina {amount} galioja iki {deadline}. Iki tol kiti dar gali pirkti už visą "
            "kainą.",
        ),
    ),
    _kind(
        "offer.declined",  # to the one who did not say so
        title=(
            "No deal: “{title}” for {amount}",
            "Abgelehnt: „{title}“ für {amount}",
            "Refusé : « {title} » à {amount}",
            "Atsisakyta: „{title}“ už {amount}",
        ),
        body=(
            "The price of {amount} for “{title}” was declined.",
            "Der Preis von {amount} für „{title}“ wurde abgelehnt.",
            "Le prix de {amount} pour « {title} » a été refusé.",
            "Kainos {amount} už „{title}“ atsisakyta.",
        ),
        has_deadline=False,
    ),
    _kind(
        "offer.expired",  # to the one who waited
        title=(
            "No answer: “{title}” for {amount}",
            "Keine Antwort: „{title}“ für {amount}",
            "Sans réponse : « {title} » à {amount}",
            "Neatsakyta: „{title}“ už {amount}",
        ),
        body=(
            "Nobody answered in time about {amount} for “{title}”. A new offer is possible.",
            "Auf {amount} für „{title}“ kam keine Antwort. Ein neues Angebot ist möglich.",
            "Personne n'a répondu à temps au sujet de {amount} pour « {title} ». Une nouvelle offre est "
            "possible.",
            "Į {amount} pasiūlymą dėl „{title}“ laiku neatsakyta. Galima siūlyti iš naujo.",
        ),
        has_deadline=False,
    ),
    _kind(
        "offer.lapses_soon",  # to the buyer, some hours before
        title=(
            "Your price for “{title}” ends soon",
            "Dein Preis für „{title}“ gilt nicht mehr lange",
            "Votre prix pour « {title} » expire bientôt",
            "Jūsų kaina už „{title}“ greitai nebegalios",
        ),
        body=(
            "You can buy “{title}” for {amount} until {deadline}. After that, the full price counts again.",
            "Du kannst „{title}“ bis {deadline} für {amount} kaufen. Danach gilt wieder der volle Preis.",
            "Vous pouvez acheter « {title} » à {amount} jusqu'au {deadline}. Ensuite, le prix plein "
            "s'applique de nouveau.",
            "„{title}“ galite pirkti už {amount} iki {deadline}. Vėliau vėl galios visa kaina.",
        ),
    ),
)
