"""What the two are told when an order does not go as it should: cancelled, disputed, sent back, refunded."""

from __future__ import annotations

from members.notices.kinds import Mail, Of, Words, register
from orders.notices.purchases import order_kind

OUTCOME = Words(
    refunded=(
        "the buyer gets the money back",
        "das Geld wird erstattet",
        "l'acheteur est remboursé",
        "pirkėjui grąžinami pinigai",
    ),
    refunded_in_part=(
        "the buyer keeps the item and gets a part of the money back",
        "der Artikel wird behalten und ein Teil des Geldes erstattet",
        "l'acheteur garde l'article et est remboursé en partie",
        "prekė lieka pirkėjui, dalis pinigų grąžinama",
    ),
    to_be_sent_back=(
        "the item is sent back, then the buyer gets the money back",
        "der Artikel geht zurück, danach wird das Geld erstattet",
        "l'article est renvoyé, puis l'acheteur est remboursé",
        "prekė grąžinama, tada pirkėjui grąžinami pinigai",
    ),
    sale_stands=(
        "the sale stands and the seller gets the money",
        "der Verkauf gilt und das Geld wird ausgezahlt",
        "la vente est maintenue et le vendeur reçoit l'argent",
        "pardavimas galioja, pinigai atitenka pardavėjui",
    ),
)

register(
    order_kind(
        "order.cancellation_requested",  # to the seller; deadline: silence is consent
        Mail.ALWAYS,
        (
            "The buyer wants to cancel “{title}”",
            "„{title}“ soll storniert werden",
            "L'acheteur souhaite annuler « {title} »",
            "Pirkėjas nori atšaukti „{title}“",
        ),
        (
            "The buyer asks to cancel “{title}”. Answer by {deadline}; without an answer the order is "
            "cancelled.",
            "Für „{title}“ wurde um Stornierung gebeten. Antworte bis {deadline}; ohne Antwort wird "
            "storniert.",
            "L'acheteur demande l'annulation de « {title} ». Répondez avant le {deadline} ; sans réponse, la "
            "commande est annulée.",
            "Pirkėjas prašo atšaukti „{title}“. Atsakykite iki {deadline}; neatsakius užsakymas bus "
            "atšauktas.",
        ),
        deadline=Of.INSTANT,
    ),
    order_kind(
        "order.cancellation_refused",  # to the buyer
        Mail.ALWAYS,
        (
            "“{title}” is not cancelled",
            "„{title}“ wird nicht storniert",
            "« {title} » n'est pas annulé",
            "„{title}“ neatšaukta",
        ),
        (
            "The seller wants to send “{title}”. The order goes on.",
            "„{title}“ soll verschickt werden. Die Bestellung läuft weiter.",
            "Le vendeur souhaite expédier « {title} ». La commande continue.",
            "Pardavėjas nori išsiųsti „{title}“. Užsakymas vykdomas toliau.",
        ),
    ),
    order_kind(
        "order.cancelled",  # to the buyer; amount: what goes back
        Mail.ALWAYS,
        (
            "“{title}” was cancelled",
            "„{title}“ wurde storniert",
            "« {title} » a été annulé",
            "„{title}“ atšaukta",
        ),
        (
            "The order of “{title}” was cancelled. You get {amount} back, the way you paid.",
            "Die Bestellung von „{title}“ wurde storniert. Du bekommst {amount} auf demselben Weg zurück.",
            "La commande de « {title} » a été annulée. {amount} vous sont remboursés par le même moyen.",
            "„{title}“ užsakymas atšauktas. {amount} grąžinsime tuo pačiu būdu, kuriuo mokėjote.",
        ),
        amount=Of.MONEY,
    ),
    order_kind(
        "order.sale_cancelled",  # to the seller
        Mail.ALWAYS,
        (
            "The sale of “{title}” was cancelled",
            "Der Verkauf von „{title}“ wurde storniert",
            "La vente de « {title} » a été annulée",
            "„{title}“ pardavimas atšauktas",
        ),
        (
            "The sale of “{title}” was cancelled. Please do not send it.",
            "Der Verkauf von „{title}“ wurde storniert. Bitte verschicke nichts.",
            "La vente de « {title} » a été annulée. Ne l'expédiez pas.",
            "„{title}“ pardavimas atšauktas. Prašome nesiųsti.",
        ),
    ),
    order_kind(
        "order.not_shipped",  # to the seller, whose time was over; a strike
        Mail.ALWAYS,
        (
            "“{title}” was not sent in time",
            "„{title}“ wurde nicht rechtzeitig verschickt",
            "« {title} » n'a pas été expédié à temps",
            "„{title}“ laiku neišsiųsta",
        ),
        (
            "The order of “{title}” was cancelled, because it was not sent in time. This is noted in your "
            "account.",
            "Die Bestellung von „{title}“ wurde storniert, weil nicht rechtzeitig verschickt wurde. Das ist "
            "in deinem Konto vermerkt.",
            "La commande de « {title} » a été annulée faute d'expédition à temps. C'est noté dans votre "
            "compte.",
            "„{title}“ užsakymas atšauktas, nes prekė laiku neišsiųsta. Tai pažymėta jūsų paskyroje.",
        ),
    ),
    order_kind(
        "order.not_collected",  # to both; amount: what the buyer gets back
        Mail.ALWAYS,
        (
            "“{title}” was not collected",
            "„{title}“ wurde nicht abgeholt",
            "« {title} » n'a pas été retiré",
            "„{title}“ neatsiimta",
        ),
        (
            "“{title}” goes back to the seller, and the buyer gets {amount} back.",
            "„{title}“ geht zurück, und {amount} werden erstattet.",
            "« {title} » est renvoyé au vendeur et l'acheteur est remboursé de {amount}.",
            "„{title}“ keliauja atgal pardavėjui, o pirkėjui grąžinama {amount}.",
        ),
        amount=Of.MONEY,
    ),
    order_kind(
        "order.issue_opened",  # to the seller; deadline: support looks at it then
        Mail.ALWAYS,
        (
            "The buyer has a problem with “{title}”",
            "Problem mit „{title}“",
            "L'acheteur signale un problème avec « {title} »",
            "Pirkėjui kilo problema dėl „{title}“",
        ),
        (
            "Look at what the buyer says about “{title}” and answer by {deadline}. The money is kept "
            "meanwhile.",
            "Sieh dir an, was zu „{title}“ gemeldet wurde, und antworte bis {deadline}. So lange bleibt das "
            "Geld verwahrt.",
            "Lisez ce que l'acheteur signale au sujet de « {title} » et répondez avant le {deadline}. "
            "L'argent reste bloqué entre-temps.",
            "Peržiūrėkite, ką pirkėjas rašo apie „{title}“, ir atsakykite iki {deadline}. Kol kas pinigai "
            "saugomi.",
        ),
        deadline=Of.INSTANT,
    ),
    order_kind(
        "order.issue_answered",  # to the one whose turn it is; deadline as above
        Mail.ALWAYS,
        (
            "An answer about “{title}”",
            "Antwort zu „{title}“",
            "Une réponse au sujet de « {title} »",
            "Atsakymas dėl „{title}“",
        ),
        (
            "The other one made a proposal about “{title}”. Accept it or make your own by {deadline}.",
            "Zu „{title}“ liegt ein Vorschlag vor. Nimm ihn bis {deadline} an oder mache einen eigenen.",
            "Une proposition vous a été faite au sujet de « {title} ». Acceptez-la ou faites la vôtre avant "
            "le {deadline}.",
            "Dėl „{title}“ gavote pasiūlymą. Sutikite arba pasiūlykite kitaip iki {deadline}.",
        ),
        deadline=Of.INSTANT,
    ),
    order_kind(
        "order.issue_escalated",  # to both
        Mail.ALWAYS,
        (
            "We look into “{title}”",
            "Wir prüfen „{title}“",
            "Nous examinons le cas de « {title} »",
            "Nagrinėjame „{title}“",
        ),
        (
            "Our support decides about “{title}”. Add photos and what matters to the issue.",
            "Unser Support entscheidet über „{title}“. Füge Fotos und alles Wichtige hinzu.",
            "Notre assistance va trancher au sujet de « {title} ». Ajoutez photos et informations utiles.",
            "Dėl „{title}“ spręs mūsų pagalbos komanda. Pridėkite nuotraukų ir svarbią informaciją.",
        ),
    ),
    order_kind(
        "order.issue_settled",  # to both: agreed by the two, or decided by support
        Mail.ALWAYS,
        (
            "The issue with “{title}” is settled",
            "Das Problem mit „{title}“ ist geklärt",
            "Le problème avec « {title} » est réglé",
            "Problema dėl „{title}“ išspręsta",
        ),
        (
            "About “{title}”: {outcome}.",
            "Zu „{title}“: {outcome}.",
            "Au sujet de « {title} » : {outcome}.",
            "Dėl „{title}“: {outcome}.",
        ),
        outcome=OUTCOME,
    ),
    order_kind(
        "order.return_awaited",  # to the buyer; deadline: to send it back
        Mail.ALWAYS,
        (
            "Send “{title}” back",
            "Schicke „{title}“ zurück",
            "Renvoyez « {title} »",
            "Grąžinkite „{title}“",
        ),
        (
            "Send “{title}” back by {deadline}. Otherwise the sale stands.",
            "Schicke „{title}“ bis {deadline} zurück. Sonst gilt der Verkauf.",
            "Renvoyez « {title} » avant le {deadline}. Sinon, la vente est maintenue.",
            "Išsiųskite „{title}“ atgal iki {deadline}. Kitaip pardavimas galios.",
        ),
        deadline=Of.INSTANT,
    ),
    order_kind(
        "order.return_address_needed",  # to the seller, to whom the buyer sends it back
        Mail.ALWAYS,
        (
            "Where is “{title}” to be sent back?",
            "Wohin soll „{title}“ zurückgeschickt werden?",
            "Où renvoyer « {title} » ?",
            "Kur grąžinti „{title}“?",
        ),
        (
            "“{title}” is coming back to you, and the buyer has to know where to send it. Enter your "
            "address; only this buyer sees it.",
            "„{title}“ geht an dich zurück; dafür braucht die andere Seite deine Adresse. Gib sie an; nur "
            "sie sieht sie.",
            "« {title} » va vous être renvoyé et l'acheteur doit savoir où. Indiquez votre adresse ; lui "
            "seul la verra.",
            "„{title}“ bus grąžinta jums, todėl pirkėjas turi žinoti, kur siųsti. Nurodykite adresą; matys "
            "tik šis pirkėjas.",
        ),
    ),
    order_kind(
        "order.return_sent",  # to the seller
        Mail.OPTIONAL,
        (
            "“{title}” is on its way back",
            "„{title}“ kommt zurück",
            "« {title} » est renvoyé",
            "„{title}“ keliauja atgal",
        ),
        (
            "The buyer sent “{title}” back. Confirm when you have it.",
            "„{title}“ wurde zurückgeschickt. Bestätige, sobald es da ist.",
            "L'acheteur a renvoyé « {title} ». Confirmez la réception.",
            "Pirkėjas išsiuntė „{title}“ atgal. Gavę patvirtinkite.",
        ),
    ),
    order_kind(
        "order.refunded",  # to the buyer
        Mail.ALWAYS,
        (
            "{amount} back for “{title}”",
            "{amount} zurück für „{title}“",
            "{amount} remboursés pour « {title} »",
            "Už „{title}“ grąžinama {amount}",
        ),
        (
            "You get {amount} back for “{title}”, the way you paid. With a card it can take some days.",
            "Du bekommst {amount} für „{title}“ auf demselben Weg zurück. Bei Karten kann es einige Tage "
            "dauern.",
            "{amount} vous sont remboursés pour « {title} » par le même moyen. Par carte, cela peut prendre "
            "quelques jours.",
            "Už „{title}“ grąžiname {amount} tuo pačiu būdu, kuriuo mokėjote. Į kortelę gali užtrukti kelias "
            "dienas.",
        ),
        amount=Of.MONEY,
    ),
    order_kind(
        "order.sale_refunded",  # to the seller
        Mail.ALWAYS,
        (
            "{amount} of “{title}” were refunded",
            "{amount} für „{title}“ wurden erstattet",
            "{amount} remboursés sur « {title} »",
            "Už „{title}“ grąžinta {amount}",
        ),
        (
            "The buyer got {amount} of the price of “{title}” back.",
            "Vom Preis für „{title}“ wurden {amount} erstattet.",
            "L'acheteur a été remboursé de {amount} sur le prix de « {title} ».",
            "Pirkėjui grąžinta {amount} iš „{title}“ kainos.",
        ),
        amount=Of.MONEY,
    ),
    order_kind(
        "order.parcel_lost",  # to both; amount: what this member gets
        Mail.ALWAYS,
        (
            "The parcel with “{title}” is lost",
            "Das Paket mit „{title}“ ist verloren",
            "Le colis de « {title} » est perdu",
            "Siunta su „{title}“ dingo",
        ),
        (
            "The carrier lost “{title}”. You get {amount}.",
            "„{title}“ ist auf dem Weg verloren gegangen. Du bekommst {amount}.",
            "Le transporteur a perdu « {title} ». Vous recevez {amount}.",
            "Vežėjas pametė „{title}“. Jūs gausite {amount}.",
        ),
        amount=Of.MONEY,
    ),
    order_kind(
        "order.charged_back",  # to the seller; amount: what was taken from the balance
        Mail.ALWAYS,
        (
            "The payment for “{title}” was charged back",
            "Die Zahlung für „{title}“ wurde zurückgebucht",
            "Le paiement de « {title} » a été contesté",
            "Mokėjimas už „{title}“ atšauktas per banką",
        ),
        (
            "The buyer's bank took the payment for “{title}” back. {amount} were taken from your balance "
            "while we look into it.",
            "Die Zahlung für „{title}“ wurde über die Bank zurückgeholt. Während wir das prüfen, wurden "
            "deinem Guthaben {amount} belastet.",
            "La banque de l'acheteur a repris le paiement de « {title} ». {amount} ont été débités de votre "
            "solde pendant notre examen.",
            "Pirkėjo bankas susigrąžino mokėjimą už „{title}“. Kol tai nagrinėjame, iš jūsų balanso nurašyta "
            "{amount}.",
        ),
        amount=Of.MONEY,
    ),
)
