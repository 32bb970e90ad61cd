"""The languages in which members read what we write, and the shape of such a text."""

from __future__ import annotations

LANGUAGES = ("en", "de", "fr", "lt")

Texts = tuple[str, str, str, str]
"""The same text in each of LANGUAGES, in their order: a language cannot be forgotten."""


def supported(language: str | None) -> str:
    """This language (a tag such as "de-AT" too) if we have it, else English."""
    code = (language or "").partition("-")[0]
    return code if code in LANGUAGES else "en"


def in_language(texts: Texts, language: str) -> str:
    """The text in one of LANGUAGES."""
    return texts[LANGUAGES.index(language)]
