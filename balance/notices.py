"""What members are told about their money on its way to the bank."""

from __future__ import annotations

from foundation.languages import Texts
from members.notices.kinds import Category, Mail, NoticeKind, Of, register


def _withdrawal(name: str, mail: Mail, *, title: Texts, body: Texts) -> NoticeKind:
    return NoticeKind(
        name=name,
        category=Category.MONEY,
        mail=mail,
        params={"withdrawal_id": Of.ID, "amount": Of.MONEY},
        title=title,
        body=body,
        path="withdrawals/{withdrawal_id}",
    )


register(
    _withdrawal(
        "withdrawal.paid",
        Mail.OPTIONAL,
        title=(
            "{amount} are in your bank account",
            "{amount} sind auf deinem Bankkonto",
            "{amount} sont sur votre compte bancaire",
            "{amount} jau jūsų banko sąskaitoje",
        ),
        body=(
            "Your withdrawal of {amount} was paid. Some banks show it a day later.",
            "Deine Auszahlung von {amount} wurde ausgeführt. Manche Banken zeigen sie einen Tag später.",
            "Votre retrait de {amount} a été versé. Certaines banques l'affichent un jour plus tard.",
            "{amount} išmokėta. Kai kurie bankai tai parodo diena vėliau.",
        ),
    ),
    _withdrawal(
        "withdrawal.failed",
        Mail.ALWAYS,
        title=(
            "Your withdrawal of {amount} failed",
            "Deine Auszahlung von {amount} ist gescheitert",
            "Votre retrait de {amount} a échoué",
            "Išmokėti {amount} nepavyko",
        ),
        body=(
            "The withdrawal could not be paid. {amount} are in your balance again. Check your bank account "
            "in the app before you try again.",
            "Die Auszahlung war nicht möglich. {amount} sind wieder in deinem Guthaben. Prüfe dein Bankkonto "
            "in der App, bevor du es wieder versuchst.",
            "Le retrait n'a pas pu être versé. {amount} sont de nouveau sur votre solde. Vérifiez votre "
            "compte bancaire dans l'application avant de réessayer.",
            "Išmokėti nepavyko. {amount} vėl jūsų balanse. Prieš bandydami dar kartą patikrinkite banko "
            "sąskaitą programėlėje.",
        ),
    ),
    _withdrawal(
        "withdrawal.returned",
        Mail.ALWAYS,
        title=(
            "Your bank returned {amount}",
            "Deine Bank hat {amount} zurückgeschickt",
            "Votre banque a retourné {amount}",
            "Jūsų bankas grąžino {amount}",
        ),
        body=(
            "Your bank did not keep the withdrawal. {amount} are in your balance again. Check your bank "
            "account in the app before you try again.",
            "Deine Bank hat die Auszahlung nicht angenommen. {amount} sind wieder in deinem Guthaben. Prüfe "
            "dein Bankkonto in der App, bevor du es wieder versuchst.",
            "Votre banque n'a pas accepté le retrait. {amount} sont de nouveau sur votre solde. Vérifiez "
            "votre compte bancaire dans l'application avant de réessayer.",
            "Jūsų bankas išmokos nepriėmė. {amount} vėl jūsų balanse. Prieš bandydami dar kartą patikrinkite "
            "banko sąskaitą programėlėje.",
        ),
    ),
)
