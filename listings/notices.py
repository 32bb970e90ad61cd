"""What sellers are told about what a check or a moderator did with their listings.

Each such decision is told with its reason and a way to object: Regulation (EU) 2022/2065, article 17.
"""

from __future__ import annotations

from foundation.languages import Texts
from members.notices.kinds import Category, Mail, NoticeKind, Of, Words, register

REASONS = Words(
    counterfeit=(
        "it looks like a counterfeit",
        "der Artikel sieht nach einer Fälschung aus",
        "l'article semble être une contrefaçon",
        "prekė panaši į klastotę",
    ),
    prohibited_item=(
        "it may not be sold here",
        "der Artikel darf hier nicht verkauft werden",
        "l'article ne peut pas être vendu ici",
        "tokios prekės čia parduoti negalima",
    ),
    misleading=(
        "text or photos do not show what is sold",
        "Text oder Fotos zeigen nicht, was verkauft wird",
        "le texte ou les photos ne montrent pas ce qui est vendu",
        "tekstas ar nuotraukos nerodo, kas parduodama",
    ),
    wrong_category=(
        "it is in the wrong category",
        "er steht in der falschen Kategorie",
        "il est dans la mauvaise catégorie",
        "netinkama kategorija",
    ),
    unsafe_photo=(
        "a photo may not be shown",
        "ein Foto darf nicht gezeigt werden",
        "une photo ne peut pas être montrée",
        "nuotraukos rodyti negalima",
    ),
    contact_details=(
        "it holds contact details or advertising",
        "er enthält Kontaktdaten oder Werbung",
        "il contient des coordonnées ou de la publicité",
        "jame yra kontaktinių duomenų ar reklamos",
    ),
    stolen_photos=(
        "it shows somebody else's photos",
        "er zeigt fremde Fotos",
        "il montre les photos de quelqu'un d'autre",
        "naudojamos svetimos nuotraukos",
    ),
    rights_owner=(
        "a rights owner objected",
        "jemand hat seine Rechte geltend gemacht",
        "un titulaire de droits s'y est opposé",
        "paprieštaravo teisių turėtojas",
    ),
    other=(
        "for another reason, which we tell you in a message",
        "aus einem anderen Grund, den wir dir mitteilen",
        "pour une autre raison, que nous vous écrivons",
        "dėl kitos priežasties, kurią jums parašysime",
    ),
)


def _kind(name: str, *, title: Texts, body: Texts, mail: Mail = Mail.ALWAYS) -> NoticeKind:
    reason = {"reason": REASONS} if mail is Mail.ALWAYS else {}
    return NoticeKind(
        name=name,
        category=Category.LISTINGS,
        mail=mail,
        params={"listing_id": Of.ID, "title": Of.TEXT, **reason},
        title=title,
        body=body,
        path="listings/{listing_id}",
    )


register(
    _kind(
        "listing.in_review",
        title=(
            "“{title}” is being looked at",
            "„{title}“ wird geprüft",
            "« {title} » est en cours d'examen",
            "„{title}“ tikrinama",
        ),
        body=(
            "“{title}” is not shown until a person has looked at it: an automatic check says that {reason}. "
            "You need not do anything.",
            "„{title}“ wird nicht gezeigt, bis ein Mensch es angesehen hat. Grund einer automatischen "
            "Prüfung: {reason}. Du musst nichts tun.",
            "« {title} » n'est pas affiché avant l'examen d'une personne. Motif d'un contrôle automatique : "
            "{reason}. Vous n'avez rien à faire.",
            "„{title}“ nerodoma, kol peržiūrės žmogus. Automatinės patikros priežastis: {reason}. Jums nieko "
            "daryti nereikia.",
        ),
    ),
    _kind(
        "listing.hidden",
        title=(
            "“{title}” was hidden",
            "„{title}“ wurde ausgeblendet",
            "« {title} » a été masqué",
            "„{title}“ paslėpta",
        ),
        body=(
            "“{title}” is hidden. The reason: {reason}. Mend it and publish it again. If you think that we "
            "are wrong, write to our support.",
            "„{title}“ ist ausgeblendet. Der Grund: {reason}. Bessere nach und veröffentliche neu. Wenn du "
            "das für falsch hältst, schreibe unserem Support.",
            "« {title} » est masqué. La raison : {reason}. Corrigez et publiez de nouveau. Si vous pensez "
            "que c'est une erreur, écrivez à notre assistance.",
            "„{title}“ paslėpta. Priežastis: {reason}. Pataisykite ir paskelbkite iš naujo. Jei manote, kad "
            "klystame, parašykite mūsų pagalbai.",
        ),
    ),
    _kind(
        "listing.removed",
        title=(
            "“{title}” was removed",
            "„{title}“ wurde entfernt",
            "« {title} » a été retiré",
            "„{title}“ pašalinta",
        ),
        body=(
            "“{title}” was removed for good. The reason: {reason}. If you think that we are wrong, write to "
            "our support.",
            "„{title}“ wurde endgültig entfernt. Der Grund: {reason}. Wenn du das für falsch hältst, "
            "schreibe unserem Support.",
            "« {title} » a été retiré définitivement. La raison : {reason}. Si vous pensez que c'est une "
            "erreur, écrivez à notre assistance.",
            "„{title}“ pašalinta visam laikui. Priežastis: {reason}. Jei manote, kad klystame, parašykite "
            "mūsų pagalbai.",
        ),
    ),
    _kind(
        "listing.restored",
        mail=Mail.OPTIONAL,
        title=(
            "“{title}” is on offer again",
            "„{title}“ ist wieder sichtbar",
            "« {title} » est de nouveau en vente",
            "„{title}“ vėl parduodama",
        ),
        body=(
            "We have looked at “{title}”, and it is on offer again.",
            "Wir haben „{title}“ geprüft, und es ist wieder zu haben.",
            "Nous avons examiné « {title} », qui est de nouveau en vente.",
            "Peržiūrėjome „{title}“, ir ji vėl parduodama.",
        ),
    ),
)
