"""What happens next to a seller, when and why, in the words that they are shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dac7.thresholds import Standing
from foundation.languages import Texts, in_language


class Step(StrEnum):
    """What may happen."""

    NOTHING = "nothing"
    NOT_REPORTED = "not_reported"
    GIVE_INFORMATION = "give_information"
    WITHDRAWALS_HELD_FROM = "withdrawals_held_from"
    WITHDRAWALS_HELD = "withdrawals_held"
    SELLING_STOPPED = "selling_stopped"
    ACCOUNT_CLOSED = "account_closed"
    REPORT = "report"
    STATEMENT = "statement"


_WHY: dict[Step, Texts] = {
    Step.NOTHING: (
        "Below both limits nothing of yours is reported.",
        "Unter beiden Grenzen wird nichts von dir gemeldet.",
        "Sous les deux seuils, rien n'est déclaré.",
        "Neviršijus abiejų ribų niekas nepranešama.",
    ),
    Step.NOT_REPORTED: (
        "Sellers of your kind or country are not reported, whatever they sell.",
        "Verkäufer deiner Art oder aus deinem Land werden nicht gemeldet, was sie auch verkaufen.",
        "Les vendeurs de votre catégorie ou de votre pays ne sont pas déclarés, quoi qu'ils vendent.",
        "Jūsų rūšies ar šalies pardavėjai nepranešami, kad ir ką parduotų.",
    ),
    Step.GIVE_INFORMATION: (
        "We have to know who you are for taxes before we report. Your tax profile shows what is missing.",
        "Vor einer Meldung müssen wir wissen, wer du steuerlich bist. Dein Steuerprofil zeigt, was fehlt.",
        "Avant toute déclaration, nous devons connaître vos données fiscales. Votre profil fiscal indique ce "
        "qui manque.",
        "Prieš pranešdami turime žinoti jūsų mokestinius duomenis. Mokesčių profilyje matote, ko trūksta.",
    ),
    Step.WITHDRAWALS_HELD_FROM: (
        "After two reminders and 60 days the law leaves us no choice. An answer is enough.",
        "Nach zwei Erinnerungen und 60 Tagen lässt uns das Gesetz keine Wahl. Eine Antwort genügt.",
        "Après deux rappels et 60 jours, la loi ne nous laisse pas le choix. Une réponse suffit.",
        "Po dviejų priminimų ir 60 dienų įstatymas nepalieka pasirinkimo. Pakanka atsakyti.",
    ),
    Step.WITHDRAWALS_HELD: (
        "Information is missing still. Your money stays yours; withdrawals go on as soon as you answer.",
        "Es fehlen noch Angaben. Dein Geld bleibt deins; Auszahlungen gehen weiter, sobald du antwortest.",
        "Des informations manquent. Votre argent reste le vôtre ; les retraits reprennent dès votre réponse.",
        "Vis dar trūksta duomenų. Pinigai lieka jūsų; išmokos tęsis, kai tik atsakysite.",
    ),
    Step.SELLING_STOPPED: (
        "Information is missing still. You can sell again as soon as you answer.",
        "Es fehlen noch Angaben. Du kannst wieder verkaufen, sobald du antwortest.",
        "Des informations manquent encore. Vous pourrez vendre à nouveau dès votre réponse.",
        "Vis dar trūksta duomenų. Galėsite vėl parduoti, kai tik atsakysite.",
    ),
    Step.ACCOUNT_CLOSED: (
        "Information is missing still. Your account, and any other of yours, is open again once you answer.",
        "Es fehlen noch Angaben. Dein Konto und jedes andere von dir ist wieder offen, sobald du antwortest.",
        "Des informations manquent encore. Votre compte, et tout autre, sera rouvert dès votre réponse.",
        "Vis dar trūksta duomenų. Jūsų paskyra ir visos kitos jūsų paskyros bus atvertos, kai atsakysite.",
    ),
    Step.REPORT: (
        "You reached a limit, so the law (DAC7) has us report what you earned here to the tax authority.",
        "Du hast eine Grenze erreicht, also müssen wir nach dem Gesetz (DAC7) deine Einnahmen hier melden.",
        "Vous avez atteint un seuil : la loi (DAC7) nous impose de déclarer vos gains au fisc.",
        "Pasiekėte ribą: pagal įstatymą (DAC7) turime pranešti mokesčių administratoriui, kiek uždirbote.",
    ),
    Step.STATEMENT: (
        "You get a copy of everything that is reported of you.",
        "Du bekommst eine Kopie von allem, was über dich gemeldet wird.",
        "Vous recevez une copie de tout ce qui est déclaré à votre sujet.",
        "Gausite viso, kas apie jus pranešama, kopiją.",
    ),
}


@dataclass(frozen=True, slots=True)
class NextStep:
    """``on``: the day, or the last possible one; None: now, or at no fixed day."""

    step: Step
    on: date | None

    def why(self, language: str) -> str:
        """In one of foundation.languages.LANGUAGES."""
        return in_language(_WHY[self.step], language)


def next_steps(
    *,
    year: int,
    standing: Standing,
    is_never_reported: bool = False,
    is_missing: bool,
    is_withheld: bool,
    is_barred: bool,
    is_closed: bool,
    held_from: date | None,
) -> list[NextStep]:
    """In the order in which they happen. ``held_from``: the earliest day, while a request is open."""
    steps = []
    if is_closed:
        steps.append(NextStep(Step.ACCOUNT_CLOSED, None))
    if is_barred:
        steps.append(NextStep(Step.SELLING_STOPPED, None))
    if is_withheld:
        steps.append(NextStep(Step.WITHDRAWALS_HELD, None))
    if is_missing and standing in (Standing.NEAR, Standing.OVER):
        steps.append(NextStep(Step.GIVE_INFORMATION, None))
        if held_from is not None and not is_withheld:
            steps.append(NextStep(Step.WITHDRAWALS_HELD_FROM, held_from))
    if standing is Standing.OVER:
        last_day = date(year + 1, 1, 31)
        steps += [NextStep(Step.REPORT, last_day), NextStep(Step.STATEMENT, last_day)]
    return steps or [NextStep(Step.NOT_REPORTED if is_never_reported else Step.NOTHING, None)]
