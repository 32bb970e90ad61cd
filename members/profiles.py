"""What a display name and a locale may be. Plain Python."""

from __future__ import annotations

import re
import unicodedata

DISPLAY_NAME_MIN = 2
DISPLAY_NAME_MAX = 40

# Control, format (invisible, right-to-left tricks), surrogate, private, unassigned; line and paragraph ends.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Names are public before any purchase; contact details there would lead around the buyer's protection.
_CONTACT = re.compile(r"@|://|\bwww\.|(?:\d[\s./-]?){7,}", re.IGNORECASE)
# The part of BCP 47 (RFC 5646) that markets use: language, optional script, optional region.
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")


def tidy_display_name(raw: str) -> str:
    """NFC, runs of blanks as one space, trimmed."""
    return " ".join(unicodedata.normalize("NFC", raw).split())


def display_name_problem(name: str) -> tuple[str, str] | None:
    """(code, words) of what is wrong with a tidied display name, or None."""
    if len(name) < DISPLAY_NAME_MIN:
        return "too_short", f"At least {DISPLAY_NAME_MIN} characters."
    if len(name) > DISPLAY_NAME_MAX:
        return "too_long", f"At most {DISPLAY_NAME_MAX} characters."
    if any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in name):
        return "not_allowed", "Invisible and control characters are not possible."
    if not any(character.isalnum() for character in name):
        return "not_allowed", "At least one letter or digit is needed."
    if _CONTACT.search(name):
        return "contact_details", "No addresses, links or telephone numbers in a name."
    return None


def is_locale(tag: str) -> bool:
    """Whether it is a BCP 47 tag of the form that we use: "nl-BE", "sr-Latn-RS", "de"."""
    return _LOCALE.fullmatch(tag) is not None
