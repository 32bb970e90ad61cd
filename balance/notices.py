"""What members are told about their money on its way to the bank, and about where it may go."""

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
    NoticeKind(
        name="bank_account.added",
        category=Category.ACCOUNT,
        mail=Mail.ALWAYS,
        params={"iban": Of.TEXT, "at": Of.INSTANT, "usable_at": Of.INSTANT},
        title=(
            "A bank account was added",
            "Ein Bankkonto wurde hinzugefügt",
            "Un compte bancaire a été ajouté",
            "Pridėta banko sąskaita",
        ),
        body=(
            "The bank account {iban} was added to your account on {at}. Withdrawals to it are possible from "
            "{usable_at}. If this was not you, remove it in the app and choose a new password now: that "
            "signs every device out.",
            "Das Bankkonto {iban} wurde am {at} zu deinem Konto hinzugefügt. Auszahlungen darauf sind ab "
            "{usable_at} möglich. Warst du das nicht, dann entferne es in der App und wähle jetzt ein neues "
            "Passwort: Das meldet alle Geräte ab.",
            "Le compte bancaire {iban} a été ajouté à votre compte le {at}. Les virements vers ce compte "
            "seront possibles à partir du {usable_at}. Si ce n'était pas vous, supprimez-le dans "
            "l'application et changez votre mot de passe maintenant : tous les appareils seront déconnectés.",
            "Prie jūsų paskyros pridėta banko sąskaita {iban} ({at}). Išmokėti į ją bus galima nuo "
            "{usable_at}. Jei tai buvote ne jūs, pašalinkite ją programėlėje ir dabar pat pasikeiskite "
            "slaptažodį: visi įrenginiai bus atjungti.",
        ),
        path="bank-accounts",
    ),
    NoticeKind(
        name="bank_account.removed",
        category=Category.ACCOUNT,
        mail=Mail.ALWAYS,
        params={"iban": Of.TEXT, "at": Of.INSTANT},
        title=(
            "A bank account was removed",
            "Ein Bankkonto wurde entfernt",
            "Un compte bancaire a été supprimé",
            "Pašalinta banko sąskaita",
        ),
        body=(
            "The bank account {iban} was removed from your account on {at}. If this was not you, choose a "
            "new password now: that signs every device out.",
            "Das Bankkonto {iban} wurde am {at} von deinem Konto entfernt. Warst du das nicht, dann wähle "
            "jetzt ein neues Passwort: Das meldet alle Geräte ab.",
            "Le compte bancaire {iban} a été supprimé de votre compte le {at}. Si ce n'était pas vous, "
            "changez votre mot de passe maintenant : tous les appareils seront déconnectés.",
            "Iš jūsų paskyros pašalinta banko sąskaita {iban} ({at}). Jei tai buvote ne jūs, dabar pat "
            "pasikeiskite slaptažodį: visi įrenginiai bus atjungti.",
        ),
        path="bank-accounts",
    ),
)
