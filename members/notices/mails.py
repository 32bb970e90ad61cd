"""A notice as a mail: text and HTML, in the member's language, with a way to have no more of them."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from foundation.languages import Texts, in_language, supported
from members.models import Member, Notice
from members.notices.kinds import SWITCHABLE, Category, Mail, NoticeKind
from members.notices.rendering import Reader, render

_SALT = "members.notices.unsubscribe"

WORDS: dict[str, Texts] = {
    "hello": ("Hello {name},", "Hallo {name},", "Bonjour {name},", "Sveiki, {name},"),
    "open": ("Open in Preloved", "In Preloved öffnen", "Ouvrir dans Preloved", "Atidaryti „Preloved“"),
    "always": (
        "You get this mail because you have an account with Preloved. Mails of this kind cannot be "
        "switched off.",
        "Du bekommst diese Mail, weil du ein Konto bei Preloved hast. Mails dieser Art lassen sich nicht "
        "abstellen.",
        "Vous recevez ce message parce que vous avez un compte Preloved. Ce type de message ne peut pas être "
        "désactivé.",
        "Gavote šį laišką, nes turite „Preloved“ paskyrą. Tokių laiškų atsisakyti negalima.",
    ),
    "optional": (
        "You get this mail because you have an account with Preloved. No more mails like this:",
        "Du bekommst diese Mail, weil du ein Konto bei Preloved hast. Keine solchen Mails mehr:",
        "Vous recevez ce message parce que vous avez un compte Preloved. Ne plus en recevoir de ce type :",
        "Gavote šį laišką, nes turite „Preloved“ paskyrą. Nebegauti tokių laiškų:",
    ),
    "unsubscribe": ("Unsubscribe", "Abbestellen", "Se désabonner", "Atsisakyti"),
}


class BrokenLink(Exception):
    """Not a link that we wrote."""


def unsubscribe_token(member_id: str, category: Category) -> str:
    """Lets whoever holds it switch off this member's mails of the category, and nothing else."""
    return signing.dumps([member_id, category.value], salt=_SALT, compress=False)


def read_unsubscribe_token(token: str) -> tuple[str, Category]:
    """Member id and category; links in old mails work for ever. Raises BrokenLink."""
    try:
        member_id, name = signing.loads(token, salt=_SALT)
        category = Category(name)
    except (signing.BadSignature, ValueError, TypeError):  # the latter two: of another release
        raise BrokenLink from None
    if category not in SWITCHABLE:
        raise BrokenLink
    return member_id, category


def compose(kind: NoticeKind, notice: Notice, member: Member) -> EmailMultiAlternatives:
    """The mail of a notice. Made again for another attempt it has the same Message-ID."""
    language = supported(member.language)
    text = render(kind, notice.params, Reader(language, member.time_zone))
    headers = {
        "Message-ID": f"<{notice.id}@{urlsplit(settings.PUBLIC_URL).hostname}>",
        # No out-of-office answers to a machine (RFC 3834).
        "Auto-Submitted": "auto-generated",
        "Content-Language": language,
    }
    unsubscribe_url = ""
    if kind.mail is Mail.OPTIONAL:
        token = unsubscribe_token(member.id, kind.category)
        unsubscribe_url = f"{settings.PUBLIC_URL}/unsubscribe/{token}"
        # One click in the mail program, without signing in (RFC 8058).
        headers["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    context = {
        "language": language,
        "title": text.title,
        "body": text.body,
        "link": text.link,
        "hello": in_language(WORDS["hello"], language).format(name=member.display_name),
        "open": in_language(WORDS["open"], language),
        "reason": in_language(WORDS["optional" if unsubscribe_url else "always"], language),
        "unsubscribe": in_language(WORDS["unsubscribe"], language),
        "unsubscribe_url": unsubscribe_url,
    }
    message = EmailMultiAlternatives(
        # Titles of listings come from members; a header is one line.
        subject=" ".join(text.title.split()),
        body=render_to_string("members/notices/mail.txt", context),
        to=[member.email],
        headers=headers,
    )
    message.attach_alternative(render_to_string("members/notices/mail.html", context), "text/html")
    return message
