"""What the two are told while an order goes as it should: from the payment to the review."""

from __future__ import annotations

from foundation.languages import Texts
from members.notices.kinds import Category, Mail, NoticeKind, Of, Words, register


def order_kind(name: str, mail: Mail, title: Texts, body: Texts, **params: Of | Words) -> NoticeKind:
    """A row about an order: `order_id` and `title`, and what it takes besides."""
    return NoticeKind(
        name=name,
        category=Category.ORDERS,
        mail=mail,
        params={"order_id": Of.ID, "title": Of.TEXT, **params},
        title=title,
        body=body,
        path="orders/{order_id}",
    )


register(
    order_kind(
        "order.paid",  # to the buyer: the confirmation of the purchase; deadline: to be sent by
        Mail.ALWAYS,
        (
            "You bought “{title}”",
            "Du hast „{title}“ gekauft",
            "Vous avez acheté « {title} »",
            "Nusipirkote „{title}“",
        ),
        (
            "Your payment of {amount} for “{title}” has arrived. The seller has until {deadline} to send it; "
            "we keep the money until you have it.",
            "Deine Zahlung von {amount} für „{title}“ ist da. Bis {deadline} muss der Artikel verschickt "
            "werden; bis du ihn hast, verwahren wir das Geld.",
            "Votre paiement de {amount} pour « {title} » est arrivé. Le vendeur a jusqu'au {deadline} pour "
            "l'expédier ; nous gardons l'argent jusqu'à la réception.",
            "Gavome jūsų {amount} mokėjimą už „{title}“. Pardavėjas turi išsiųsti iki {deadline}; pinigus "
            "saugosime, kol gausite prekę.",
        ),
        amount=Of.MONEY,
        deadline=Of.INSTANT,
    ),
    order_kind(
        "order.sold",  # to the seller; amount: what the seller gets; deadline: to be sent by
        Mail.ALWAYS,
        (
            "You sold “{title}”",
            "Du hast „{title}“ verkauft",
            "Vous avez vendu « {title} »",
            "Pardavėte „{title}“",
        ),
        (
            "“{title}” is sold and paid. Send it by {deadline}; you get {amount} once the buyer has it.",
            "„{title}“ ist verkauft und bezahlt. Verschicke es bis {deadline}; du bekommst {amount}, sobald "
            "es angekommen ist.",
            "« {title} » est vendu et payé. Expédiez-le avant le {deadline} ; vous recevrez {amount} dès que "
            "l'acheteur l'aura reçu.",
            "„{title}“ parduota ir apmokėta. Išsiųskite iki {deadline}; {amount} gausite, kai prekė pasieks "
            "pirkėją.",
        ),
        amount=Of.MONEY,
        deadline=Of.INSTANT,
    ),
    order_kind(
        "order.address_needed",  # to the seller, whose address the carrier asks for
        Mail.ALWAYS,
        (
            "Your address is needed for “{title}”",
            "Für „{title}“ fehlt deine Adresse",
            "Votre adresse est nécessaire pour « {title} »",
            "„{title}“ reikia jūsų adreso",
        ),
        (
            "The carrier makes no label without your address. Enter where you send from; the label for "
            "“{title}” follows at once.",
            "Ohne deine Adresse erstellt der Versender kein Etikett. Gib an, von wo du verschickst; das "
            "Etikett für „{title}“ folgt sofort.",
            "Le transporteur n'établit pas d'étiquette sans votre adresse. Indiquez d'où vous expédiez ; "
            "l'étiquette pour « {title} » suivra aussitôt.",
            "Be jūsų adreso vežėjas neparengs etiketės. Nurodykite, iš kur siunčiate; „{title}“ etiketė bus "
            "parengta iškart.",
        ),
    ),
    order_kind(
        "order.payment_failed",  # to the buyer
        Mail.OPTIONAL,
        (
            "The payment for “{title}” failed",
            "Die Zahlung für „{title}“ ist gescheitert",
            "Le paiement de « {title} » a échoué",
            "Apmokėti „{title}“ nepavyko",
        ),
        (
            "The payment of {amount} for “{title}” was refused. Nothing was charged; you can try again with "
            "another card.",
            "Die Zahlung von {amount} für „{title}“ wurde abgelehnt. Es wurde nichts abgebucht; du kannst es "
            "mit einer anderen Karte versuchen.",
            "Le paiement de {amount} pour « {title} » a été refusé. Rien n'a été débité ; vous pouvez "
            "réessayer avec une autre carte.",
            "{amount} mokėjimas už „{title}“ atmestas. Pinigai nenuskaityti; galite bandyti kita kortele.",
        ),
        amount=Of.MONEY,
    ),
    order_kind(
        "order.ship_by_reminder",  # to the seller
        Mail.OPTIONAL,
        (
            "Send “{title}” soon",
            "Verschicke „{title}“ bald",
            "Expédiez bientôt « {title} »",
            "Greitai išsiųskite „{title}“",
        ),
        (
            "Send “{title}” by {deadline}. Otherwise the order is cancelled and the buyer gets the money "
            "back.",
            "Verschicke „{title}“ bis {deadline}. Sonst wird die Bestellung storniert und das Geld "
            "erstattet.",
            "Expédiez « {title} » avant le {deadline}. Sinon, la commande sera annulée et l'acheteur "
            "remboursé.",
            "Išsiųskite „{title}“ iki {deadline}. Kitaip užsakymas bus atšauktas, o pinigai grąžinti "
            "pirkėjui.",
        ),
        deadline=Of.INSTANT,
    ),
    order_kind(
        "order.shipped",  # to the buyer
        Mail.OPTIONAL,
        (
            "“{title}” is on its way",
            "„{title}“ ist unterwegs",
            "« {title} » est en route",
            "„{title}“ jau pakeliui",
        ),
        (
            "The carrier has “{title}”. You can follow the parcel in your order.",
            "„{title}“ wurde dem Versand übergeben. In deiner Bestellung kannst du das Paket verfolgen.",
            "Le transporteur a pris en charge « {title} ». Suivez le colis dans votre commande.",
            "Vežėjas paėmė „{title}“. Siuntą galite sekti užsakyme.",
        ),
    ),
    order_kind(
        "order.ready_for_pickup",  # to the buyer; deadline: kept until
        Mail.ALWAYS,
        (
            "Collect “{title}”",
            "Hole „{title}“ ab",
            "Retirez « {title} »",
            "Atsiimkite „{title}“",
        ),
        (
            "“{title}” waits for you at the pick-up point until {deadline}. After that it goes back to the "
            "seller.",
            "„{title}“ liegt bis {deadline} an der Abholstelle für dich bereit. Danach geht es zurück.",
            "« {title} » vous attend au point relais jusqu'au {deadline}. Ensuite, il sera renvoyé au "
            "vendeur.",
            "„{title}“ atsiėmimo vietoje jūsų lauks iki {deadline}. Vėliau keliaus atgal pardavėjui.",
        ),
        deadline=Of.INSTANT,
    ),
    order_kind(
        "order.delivered",  # to the buyer; deadline: to say that something is wrong
        Mail.ALWAYS,
        (
            "“{title}” has arrived",
            "„{title}“ ist angekommen",
            "« {title} » est arrivé",
            "„{title}“ pristatyta",
        ),
        (
            "Look at “{title}” and tell us by {deadline} if something is wrong. After that the seller gets "
            "the money.",
            "Sieh dir „{title}“ an und melde bis {deadline}, wenn etwas nicht stimmt. Danach wird das Geld "
            "ausgezahlt.",
            "Examinez « {title} » et signalez tout problème avant le {deadline}. Ensuite, le vendeur reçoit "
            "l'argent.",
            "Apžiūrėkite „{title}“ ir iki {deadline} praneškite, jei kas nors negerai. Vėliau pinigai "
            "atiteks pardavėjui.",
        ),
        deadline=Of.INSTANT,
    ),
    order_kind(
        "order.arrived",  # to the seller; deadline: the buyer's, after which the money is the seller's
        Mail.OPTIONAL,
        (
            "“{title}” has reached the buyer",
            "„{title}“ ist angekommen",
            "« {title} » est arrivé chez l'acheteur",
            "„{title}“ pasiekė pirkėją",
        ),
        (
            "The buyer has until {deadline} to look at “{title}”. Without a complaint the money is yours "
            "then.",
            "Bis {deadline} kann „{title}“ geprüft werden. Ohne Beanstandung gehört das Geld dann dir.",
            "L'acheteur a jusqu'au {deadline} pour examiner « {title} ». Sans réclamation, l'argent est "
            "alors à vous.",
            "Pirkėjas „{title}“ gali apžiūrėti iki {deadline}. Jei nesiskųs, pinigai bus jūsų.",
        ),
        deadline=Of.INSTANT,
    ),
    order_kind(
        "order.completed",  # to the seller; amount: what became available
        Mail.ALWAYS,
        (
            "{amount} for “{title}”",
            "{amount} für „{title}“",
            "{amount} pour « {title} »",
            "{amount} už „{title}“",
        ),
        (
            "The sale of “{title}” is completed: {amount} are in your balance.",
            "Der Verkauf von „{title}“ ist abgeschlossen: {amount} sind auf deinem Guthaben.",
            "La vente de « {title} » est terminée : {amount} sont sur votre solde.",
            "„{title}“ pardavimas baigtas: {amount} jau jūsų balanse.",
        ),
        amount=Of.MONEY,
    ),
    order_kind(
        "order.review_invited",  # to both; deadline: for the review
        Mail.OPTIONAL,
        (
            "How was it? “{title}”",
            "Wie war es? „{title}“",
            "Votre avis sur « {title} »",
            "Kaip sekėsi? „{title}“",
        ),
        (
            "Say until {deadline} how the other one did with “{title}”.",
            "Sag bis {deadline}, wie es mit „{title}“ gelaufen ist.",
            "Donnez jusqu'au {deadline} votre avis sur l'échange autour de « {title} ».",
            "Iki {deadline} įvertinkite, kaip sekėsi su „{title}“.",
        ),
        deadline=Of.INSTANT,
    ),
    order_kind(
        "order.reviewed",  # to the one who was reviewed
        Mail.OPTIONAL,
        (
            "You got a review for “{title}”",
            "Du wurdest für „{title}“ bewertet",
            "Vous avez reçu un avis pour « {title} »",
            "Gavote atsiliepimą dėl „{title}“",
        ),
        (
            "The other member said how it was to trade “{title}” with you.",
            "Du hast eine Bewertung zum Handel mit „{title}“ bekommen.",
            "L'autre membre a donné son avis sur l'échange autour de « {title} ».",
            "Kitas narys įvertino, kaip sekėsi su jumis dėl „{title}“.",
        ),
    ),
    order_kind(
        "order.at_verification",  # to both
        Mail.OPTIONAL,
        (
            "“{title}” is being verified",
            "„{title}“ wird geprüft",
            "« {title} » est en cours de vérification",
            "„{title}“ tikrinama",
        ),
        (
            "“{title}” has reached our hub, where it is looked at before it goes on to the buyer.",
            "„{title}“ ist bei uns angekommen und wird geprüft, bevor es weitergeht.",
            "« {title} » est arrivé dans notre centre, où il est examiné avant d'être envoyé à l'acheteur.",
            "„{title}“ pasiekė mūsų centrą; prieš siunčiant pirkėjui prekė apžiūrima.",
        ),
    ),
    order_kind(
        "order.verified",  # to both
        Mail.OPTIONAL,
        (
            "“{title}” is what it was sold as",
            "„{title}“ ist echt und wie beschrieben",
            "« {title} » est conforme",
            "„{title}“ patikrinta: viskas gerai",
        ),
        (
            "“{title}” was verified and is on its way to the buyer.",
            "„{title}“ wurde geprüft und geht jetzt weiter.",
            "« {title} » a été vérifié et part chez l'acheteur.",
            "„{title}“ patikrinta ir keliauja pas pirkėją.",
        ),
    ),
    order_kind(
        "order.rejected",  # to both
        Mail.ALWAYS,
        (
            "“{title}” did not pass verification",
            "„{title}“ hat die Prüfung nicht bestanden",
            "« {title} » n'a pas passé la vérification",
            "„{title}“ patikros neišlaikė",
        ),
        (
            "“{title}” is not what it was sold as. The buyer gets {amount} back, and the item returns to the "
            "seller.",
            "„{title}“ entspricht nicht dem, was verkauft wurde. {amount} werden erstattet, der Artikel geht "
            "zurück.",
            "« {title} » ne correspond pas à ce qui a été vendu. L'acheteur est remboursé de {amount} et "
            "l'article revient au vendeur.",
            "„{title}“ nėra tai, kas parduota. Pirkėjui grąžinama {amount}, o prekė keliauja atgal "
            "pardavėjui.",
        ),
        amount=Of.MONEY,
    ),
)
