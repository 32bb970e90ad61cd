"""Whether a text is in the language of its market. py3langid (BSD, 4.5 MB, no server) recognises it."""

from __future__ import annotations

import functools

from py3langid.langid import MODEL_FILE, LanguageIdentifier

# Names and English for prompts, of the languages that markets have.
LANGUAGE_NAMES = {
    "bg": "Bulgarian",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fi": "Finnish",
    "fr": "French",
    "hr": "Croatian",
    "hu": "Hungarian",
    "it": "Italian",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "nb": "Norwegian",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sv": "Swedish",
    "uk": "Ukrainian",
}
# Written so alike that the recogniser takes one for the other in a sentence or two.
_ALIKE = (
    frozenset({"da", "nb", "no", "nn", "sv"}),
    frozenset({"cs", "sk"}),
    frozenset({"hr", "sl", "bs", "sr"}),
    frozenset({"es", "pt", "gl", "ca"}),
    frozenset({"bg", "mk", "ru", "uk"}),
)
# A title is a few words, half of them names: only a clear finding counts.
_SURE = 0.90


@functools.cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def warm_up() -> None:
    """Load the recogniser, 0.3 s."""
    _identifier()


def is_another_language(text: str, language: str) -> bool:
    """Whether the text is clearly in another language than ``language`` (ISO 639-1)."""
    if language not in LANGUAGE_NAMES:
        return False
    found, probability = _identifier().classify(text)
    if found == language or probability < _SURE:
        return False
    return not any(found in group and language in group for group in _ALIKE)
