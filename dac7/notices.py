"""What sellers are told about taxes, in every language: before it matters, and what is asked of them."""

from __future__ import annotations

from foundation.languages import Texts
from members.notices.kinds import Category, Mail, NoticeKind, Of, Words, register

STATUS = "tax-status"
PROFILE = "tax-profile"


def _kind(name: str, *, title: Texts, body: Texts, path: str, **params: Of | Words) -> NoticeKind:
    return NoticeKind(
        name=name,
        category=Category.TAX,
        mail=Mail.ALWAYS,
        params=params,
        title=title,
        body=body,
        path=path,
    )


HOW = Words(
    more_than=("more than", "mehr als", "plus de", "daugiau kaip"),
    at_least=("at least", "mindestens", "au moins", "bent"),
)
"""Exactly the limit is reported in some states, and not in others (dac7/data/states.csv)."""


def _about_limits(name: str, *, title: Texts, body: Texts) -> NoticeKind:
    return _kind(
        name, title=title, body=body, path=STATUS, year=Of.TEXT, sales=Of.NUMBER, amount=Of.MONEY, how=HOW
    )


register(
    _about_limits(
        "tax.before_first_sale",
        title=(
            "Before your first sale: what tax law asks of us",
            "Vor deinem ersten Verkauf: was das Steuerrecht von uns verlangt",
            "Avant votre première vente : ce que la loi fiscale nous demande",
            "Prieš pirmą pardavimą: ko iš mūsų reikalauja mokesčių teisė",
        ),
        body=(
            "From {sales} sales or {how} {amount} in {year} we have to report what you earned here to the "
            "tax authority, with your name, address and tax number. Until then there is nothing to do. Your "
            "account shows how far you are.",
            "Ab {sales} Verkäufen oder {how} {amount} in {year} müssen wir dem Finanzamt melden, was du hier"
            " eingenommen hast, mit Namen, Adresse und Steuernummer. Bis dahin ist nichts zu tun. In deinem "
            "Konto siehst du, wie weit du bist.",
            "À partir de {sales} ventes, ou si vous gagnez {how} {amount} en {year}, nous devons déclarer "
            "vos gains à l'administration fiscale, avec votre nom, votre adresse et votre numéro fiscal. "
            "D'ici là, vous n'avez rien à faire. Votre compte indique où vous en êtes.",
            "Nuo {sales} pardavimų arba {how} {amount} per {year} m. turime pranešti mokesčių "
            "administratoriui, kiek čia uždirbote, kartu su vardu, adresu ir mokesčių numeriu. Iki tol nieko "
            "daryti nereikia. Paskyroje matote, kiek jau parduota.",
        ),
    ),
    _about_limits(
        "tax.first_sale",
        title=(
            "Your first sale: what tax law asks of us",
            "Dein erster Verkauf: was das Steuerrecht von uns verlangt",
            "Votre première vente : ce que la loi fiscale nous demande",
            "Pirmasis pardavimas: ko iš mūsų reikalauja mokesčių teisė",
        ),
        body=(
            "From {sales} sales or {how} {amount} in {year} we have to report what you earned here to the "
            "tax authority. Until then there is nothing to do. Your account shows how far you are.",
            "Ab {sales} Verkäufen oder {how} {amount} in {year} müssen wir dem Finanzamt melden, was du hier"
            " eingenommen hast. Bis dahin ist nichts zu tun. In deinem Konto siehst du, wie weit du bist.",
            "À partir de {sales} ventes, ou si vous gagnez {how} {amount} en {year}, nous devons déclarer "
            "vos gains à l'administration fiscale. D'ici là, vous n'avez rien à faire. Votre compte indique "
            "où vous en êtes.",
            "Nuo {sales} pardavimų arba {how} {amount} per {year} m. turime pranešti mokesčių "
            "administratoriui, kiek čia uždirbote. Iki tol nieko daryti nereikia. Paskyroje matote, kiek "
            "jau parduota.",
        ),
    ),
    _about_limits(
        "tax.near_limits",
        title=(
            "You are close to the limit for tax reports",
            "Du bist nah an der Grenze für Steuermeldungen",
            "Vous approchez du seuil de déclaration fiscale",
            "Artėjate prie mokesčių ataskaitų ribos",
        ),
        body=(
            "With {sales} sales or {how} {amount} in {year} we have to report what you earned here. Please "
            "look at your tax profile now, so that nothing has to wait later.",
            "Ab {sales} Verkäufen oder {how} {amount} in {year} müssen wir melden, was du hier eingenommen "
            "hast. Bitte sieh dir jetzt dein Steuerprofil an, damit später nichts warten muss.",
            "À partir de {sales} ventes, ou si vous gagnez {how} {amount} en {year}, nous devons déclarer "
            "vos gains. Vérifiez dès maintenant votre profil fiscal, pour que rien ne soit retardé ensuite.",
            "Nuo {sales} pardavimų arba {how} {amount} per {year} m. turime pranešti, kiek čia "
            "uždirbote. Peržiūrėkite mokesčių profilį dabar, kad vėliau nereikėtų laukti.",
        ),
    ),
    _about_limits(
        "tax.over_limits",
        title=(
            "Your sales of {year} will be reported",
            "Deine Verkäufe von {year} werden gemeldet",
            "Vos ventes de {year} seront déclarées",
            "Jūsų {year} m. pardavimai bus pranešti",
        ),
        body=(
            "You have reached {sales} sales or {how} {amount}. By 31 January of the next year we report "
            "what you earned in {year} to the tax authority, and give you a copy of it.",
            "Du hast {sales} Verkäufe oder {how} {amount} erreicht. Bis zum 31. Januar des nächsten Jahres "
            "melden wir dem Finanzamt, was du {year} eingenommen hast, und geben dir eine Kopie davon.",
            "Vous avez atteint {sales} ventes ou {how} {amount}. D'ici le 31 janvier de l'année suivante, "
            "nous déclarons vos gains de {year} à l'administration fiscale et vous en remettons une copie.",
            "Pasiekėte {sales} pardavimų arba {how} {amount}. Iki kitų metų sausio 31 d. pranešime "
            "mokesčių administratoriui, kiek uždirbote per {year} m., ir pateiksime jums kopiją.",
        ),
    ),
    _kind(
        "tax.information_requested",
        day=Of.DATE,
        path=PROFILE,
        title=(
            "We need some details for the tax authority",
            "Wir brauchen einige Angaben für das Finanzamt",
            "Il nous manque des informations fiscales",
            "Mums reikia kelių duomenų mokesčių administratoriui",
        ),
        body=(
            "The law obliges us to ask you for them. Your tax profile shows what is missing. If it is still"
            " missing on {day}, we have to hold your withdrawals until we have it.",
            "Das Gesetz verpflichtet uns, danach zu fragen. Dein Steuerprofil zeigt, was fehlt. Fehlt es am"
            " {day} noch immer, müssen wir deine Auszahlungen zurückhalten, bis wir es haben.",
            "La loi nous oblige à vous les demander. Votre profil fiscal indique ce qui manque. Si cela "
            "manque encore le {day}, nous devrons bloquer vos retraits jusqu'à votre réponse.",
            "Įstatymas įpareigoja mus jų prašyti. Mokesčių profilyje matote, ko trūksta. Jei to trūks ir "
            "{day}, turėsime sulaikyti išmokas, kol gausime duomenis.",
        ),
    ),
    _kind(
        "tax.information_reminded",
        day=Of.DATE,
        path=PROFILE,
        title=(
            "Reminder: details for the tax authority",
            "Erinnerung: Angaben für das Finanzamt",
            "Rappel : informations fiscales",
            "Priminimas: duomenys mokesčių administratoriui",
        ),
        body=(
            "Something is still missing in your tax profile. If it is still missing on {day}, we have to "
            "hold your withdrawals.",
            "In deinem Steuerprofil fehlt noch etwas. Fehlt es am {day} noch immer, müssen wir deine "
            "Auszahlungen zurückhalten.",
            "Il manque encore des informations dans votre profil fiscal. Si elles manquent encore le {day},"
            " nous devrons bloquer vos retraits.",
            "Mokesčių profilyje vis dar kai ko trūksta. Jei to trūks ir {day}, turėsime sulaikyti išmokas.",
        ),
    ),
    _kind(
        "tax.information_reminded_again",
        day=Of.DATE,
        path=PROFILE,
        title=(
            "Last reminder: your withdrawals will be held",
            "Letzte Erinnerung: Auszahlungen werden zurückgehalten",
            "Dernier rappel : vos retraits seront bloqués",
            "Paskutinis priminimas: išmokos bus sulaikytos",
        ),
        body=(
            "Something is still missing in your tax profile. From {day} on we hold your withdrawals until "
            "it is there. Your money stays yours, and you can go on selling.",
            "In deinem Steuerprofil fehlt noch etwas. Ab dem {day} halten wir deine Auszahlungen zurück, "
            "bis es da ist. Dein Geld bleibt deins, und du kannst weiter verkaufen.",
            "Il manque encore des informations dans votre profil fiscal. À partir du {day}, nous bloquons "
            "vos retraits jusqu'à votre réponse. Votre argent reste le vôtre et vous pouvez continuer à "
            "vendre.",
            "Mokesčių profilyje vis dar kai ko trūksta. Nuo {day} sulaikome išmokas, kol duomenys bus "
            "pateikti. Pinigai lieka jūsų, ir galite toliau pardavinėti.",
        ),
    ),
    _kind(
        "tax.withdrawals_held",
        path=PROFILE,
        title=(
            "Your withdrawals are held",
            "Deine Auszahlungen werden zurückgehalten",
            "Vos retraits sont bloqués",
            "Jūsų išmokos sulaikytos",
        ),
        body=(
            "Details for the tax authority are missing. As soon as your tax profile is complete you can "
            "withdraw again, in the same moment.",
            "Es fehlen Angaben für das Finanzamt. Sobald dein Steuerprofil vollständig ist, kannst du "
            "wieder auszahlen lassen, im selben Moment.",
            "Il manque des informations fiscales. Dès que votre profil fiscal est complet, vous pouvez de "
            "nouveau retirer votre argent, aussitôt.",
            "Trūksta duomenų mokesčių administratoriui. Vos užpildysite mokesčių profilį, galėsite vėl "
            "išsimokėti.",
        ),
    ),
    _kind(
        "tax.selling_stopped",
        path=PROFILE,
        title=(
            "You cannot sell for now",
            "Du kannst vorerst nicht verkaufen",
            "Vous ne pouvez pas vendre pour le moment",
            "Kol kas negalite parduoti",
        ),
        body=(
            "Details for the tax authority are still missing. As soon as your tax profile is complete you "
            "can sell and withdraw again.",
            "Es fehlen noch immer Angaben für das Finanzamt. Sobald dein Steuerprofil vollständig ist, "
            "kannst du wieder verkaufen und auszahlen lassen.",
            "Il manque toujours des informations fiscales. Dès que votre profil fiscal est complet, vous "
            "pouvez de nouveau vendre et retirer votre argent.",
            "Vis dar trūksta duomenų mokesčių administratoriui. Vos užpildysite mokesčių profilį, galėsite "
            "vėl parduoti ir išsimokėti.",
        ),
    ),
    _kind(
        "tax.account_closed",
        path=PROFILE,
        title=(
            "Your account is closed until you answer",
            "Dein Konto ist geschlossen, bis du antwortest",
            "Votre compte est fermé jusqu'à votre réponse",
            "Jūsų paskyra uždaryta, kol atsakysite",
        ),
        body=(
            "Details for the tax authority are still missing. You can neither sell, buy nor withdraw, and a "
            "new account does not change that. Your money stays yours. As soon as the tax profile that we "
            "asked for is complete, everything is open again.",
            "Es fehlen noch immer Angaben für das Finanzamt. Du kannst weder verkaufen noch kaufen noch "
            "auszahlen lassen, und ein neues Konto ändert daran nichts. Dein Geld bleibt deins. Sobald das "
            "verlangte Steuerprofil vollständig ist, ist alles wieder offen.",
            "Il manque toujours des informations fiscales. Vous ne pouvez ni vendre, ni acheter, ni retirer, "
            "et un nouveau compte n'y change rien. Votre argent reste le vôtre. Dès que le profil fiscal "
            "demandé est complet, tout est de nouveau ouvert.",
            "Vis dar trūksta duomenų mokesčių administratoriui. Negalite nei parduoti, nei pirkti, nei "
            "išsimokėti, ir nauja paskyra to nepakeičia. Pinigai lieka jūsų. Vos užpildysite prašytą "
            "mokesčių profilį, viskas vėl bus atverta.",
        ),
    ),
    _kind(
        "tax.information_complete",
        path=STATUS,
        title=(
            "Thank you: your tax profile is complete",
            "Danke: dein Steuerprofil ist vollständig",
            "Merci : votre profil fiscal est complet",
            "Ačiū: mokesčių profilis užpildytas",
        ),
        body=(
            "Nothing is missing, and nothing of yours is held any more.",
            "Es fehlt nichts mehr, und nichts von dir wird mehr zurückgehalten.",
            "Il ne manque plus rien, et plus rien n'est bloqué.",
            "Nieko netrūksta, ir niekas nebėra sulaikyta.",
        ),
    ),
)
