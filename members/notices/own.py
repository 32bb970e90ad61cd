"""What members are told about their account."""

from __future__ import annotations

from members.notices.kinds import Category, Mail, NoticeKind, Of, Words, register

CAPABILITY = Words(
    sell=("sell", "verkaufen", "vendre", "parduoti"),
    buy=("buy", "kaufen", "acheter", "pirkti"),
    withdraw=("withdraw money", "Geld auszahlen lassen", "retirer de l'argent", "išsimokėti pinigų"),
)

register(
    NoticeKind(
        name="account.restricted",
        category=Category.ACCOUNT,
        mail=Mail.ALWAYS,
        params={"capability": CAPABILITY},
        title=(
            "Your account is restricted",
            "Dein Konto ist eingeschränkt",
            "Votre compte est restreint",
            "Jūsų paskyra apribota",
        ),
        body=(
            "For now you cannot {capability}. Your account says why, and what you can do about it.",
            "Du kannst vorerst nicht {capability}. In deinem Konto steht, warum, und was du tun kannst.",
            "Pour le moment, vous ne pouvez pas {capability}. Votre compte indique pourquoi et ce que vous "
            "pouvez faire.",
            "Kol kas negalite {capability}. Paskyroje nurodyta, kodėl ir ką galite padaryti.",
        ),
        path="account/restrictions",
    ),
    NoticeKind(
        name="account.restricted_until",
        category=Category.ACCOUNT,
        mail=Mail.ALWAYS,
        params={"capability": CAPABILITY, "until": Of.INSTANT},
        title=(
            "Your account is restricted for a while",
            "Dein Konto ist eine Zeit lang eingeschränkt",
            "Votre compte est restreint pour un temps",
            "Jūsų paskyra laikinai apribota",
        ),
        body=(
            "Until {until} you cannot {capability}. Your account says why, and what you can do about it.",
            "Bis {until} kannst du nicht {capability}. In deinem Konto steht, warum, und was du tun kannst.",
            "Jusqu'au {until}, vous ne pouvez pas {capability}. Votre compte indique pourquoi et ce que vous "
            "pouvez faire.",
            "Iki {until} negalite {capability}. Paskyroje nurodyta, kodėl ir ką galite padaryti.",
        ),
        path="account/restrictions",
    ),
    NoticeKind(
        name="account.restriction_lifted",
        category=Category.ACCOUNT,
        mail=Mail.ALWAYS,
        params={"capability": CAPABILITY},
        title=(
            "A restriction of your account was lifted",
            "Eine Einschränkung deines Kontos wurde aufgehoben",
            "Une restriction de votre compte a été levée",
            "Panaikintas jūsų paskyros apribojimas",
        ),
        body=(
            "You can {capability} again, unless another restriction says otherwise.",
            "Du kannst wieder {capability}, sofern keine andere Einschränkung besteht.",
            "Vous pouvez de nouveau {capability}, sauf si une autre restriction l'empêche.",
            "Vėl galite {capability}, jei to nedraudžia kitas apribojimas.",
        ),
        path="account/restrictions",
    ),
)
