"""Reading XML that we did not write: no DOCTYPE, no entities, no network, UTF-8 only."""

from __future__ import annotations

import io
import re
from typing import IO, Final

from lxml import etree

# Before the root may stand a mark, a declaration, comments and instructions; a DOCTYPE may not.
_PROLOG: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*(?P<next><!DOCTYPE|<[A-Za-z_])", re.DOTALL
)
_ENCODING: Final = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_HEAD_BYTES: Final = 64 * 1024
MOST_BYTES: Final = 50_000_000


class RefusedXml(ValueError):
    """``rule`` names what is wrong, the text says it."""

    def __init__(self, rule: str, words: str) -> None:
        super().__init__(words)
        self.rule = rule


def refuse_doctype(file: IO[bytes]) -> None:
    """Look at the first bytes, without a parser, and rewind.

    Raises RefusedXml: ``doctype``, ``encoding`` (not UTF-8) or ``not_well_formed`` (no XML at all).
    """
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if b"\x00" in head[:4] or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise RefusedXml("encoding", "The file is not in UTF-8.")
    declared = _ENCODING.match(head.removeprefix(b"\xef\xbb\xbf").lstrip())
    if declared and declared.group(1).lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise RefusedXml(
            "encoding", f"The file says that it is in {declared.group(1).decode()}, not in UTF-8."
        )
    start = _PROLOG.match(head)
    if start is None:
        raise RefusedXml("not_well_formed", "The file does not begin like XML.")
    if start.group("next") == b"<!DOCTYPE":
        raise RefusedXml("doctype", "The file has a DOCTYPE; such files are refused unread.")


def safe_parser(schema: etree.XMLSchema | None = None) -> etree.XMLParser:
    """A parser that expands nothing and fetches nothing."""
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        schema=schema,
    )


def parse_small(data: bytes, *, most_bytes: int = MOST_BYTES) -> etree._Element:
    """The root of a document that fits in memory. Raises RefusedXml."""
    if len(data) > most_bytes:
        raise RefusedXml("too_large", f"The file has more than {most_bytes} bytes.")
    refuse_doctype(io.BytesIO(data))
    try:
        return etree.fromstring(data, safe_parser())
    except etree.XMLSyntaxError as error:
        raise RefusedXml("not_well_formed", f"The file is not well-formed XML: {error.msg}") from None
