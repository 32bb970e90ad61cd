"""Is this really a document that somebody may open? Decided from the bytes alone; pure.

A picture is decoded and encoded anew, so nothing of what was sent survives but what can be seen. A PDF is
kept as it is, because it may carry a signature, and is refused when it holds anything that can run or hide.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from dac7.errors.profiles import (
    TaxDocumentEncrypted,
    TaxDocumentHasActiveContent,
    TaxDocumentTooLarge,
    TaxDocumentTypeMismatch,
    TaxDocumentTypeNotAccepted,
    TaxDocumentUnreadable,
)

MAX_BYTES = 10_000_000
MAX_PIXELS = 60_000_000
MAX_PAGES = 50
MAX_OBJECTS = 20_000
PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
_BEGINNINGS = ((b"%PDF-", PDF), (b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", PNG))
_EXTENSIONS = {"pdf": PDF, "jpg": JPEG, "jpeg": JPEG, "png": PNG}
# Clients that do not know say one of these.
_UNDECLARED = ("", "application/octet-stream")
# Keys of dictionaries that run something or carry another file (ISO 32000-1: 12.6, 7.11.4, 12.7.8, 13.6).
_ACTIVE_KEYS = frozenset(
    {"/JS", "/JavaScript", "/AA", "/OpenAction", "/Launch", "/EmbeddedFiles", "/EF", "/XFA", "/RichMedia"}
)
_ACTIVE_VALUES = frozenset(
    {
        "/JavaScript",
        "/Launch",
        "/SubmitForm",
        "/ImportData",
        "/GoToR",
        "/GoToE",
        "/RichMedia",
        "/3D",
        "/Movie",
    }
    | {"/EmbeddedFile", "/Sound", "/Screen", "/Rendition", "/FileAttachment"}
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is stored of a document."""

    media_type: str
    content: bytes


def inspect(content: bytes, *, declared_type: str = "", file_name: str = "") -> Evidence:
    """What to keep of a document.

    `declared_type` and `file_name` are what the client said; they may be empty, but must not contradict the
    bytes. Raises TaxDocumentTooLarge, TaxDocumentTypeNotAccepted, TaxDocumentTypeMismatch,
    TaxDocumentUnreadable, TaxDocumentEncrypted, TaxDocumentHasActiveContent.
    """
    if len(content) > MAX_BYTES:
        raise TaxDocumentTooLarge(f"The file has {len(content):,} bytes, at most {MAX_BYTES:,} are accepted.")
    kind = next((kind for beginning, kind in _BEGINNINGS if content.startswith(beginning)), None)
    if kind is None:
        raise TaxDocumentTypeNotAccepted("The first bytes are those of no PDF, JPEG or PNG.")
    declared = declared_type.partition(";")[0].strip().lower()
    extension = file_name.rpartition(".")[2].lower() if "." in file_name else ""
    if (declared not in _UNDECLARED and declared != kind) or _EXTENSIONS.get(extension, kind) != kind:
        raise TaxDocumentTypeMismatch(f"It says it is something else; its bytes are {kind}.")
    if kind == PDF:
        _require_passive(content)
        return Evidence(PDF, content)
    return Evidence(JPEG, _redrawn(content, "JPEG" if kind == JPEG else "PNG"))


def _redrawn(content: bytes, format_name: str) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; here the limit is ours
            picture = Image.open(io.BytesIO(content), formats=(format_name,))
            if picture.width * picture.height > MAX_PIXELS:
                raise TaxDocumentTooLarge(f"{picture.width} x {picture.height} pixels are too many.")
            seen = ImageOps.exif_transpose(picture).convert("RGBA")
        paper = Image.new("RGB", seen.size, "white")
        paper.paste(seen, mask=seen.getchannel("A"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise TaxDocumentUnreadable("The picture is damaged.") from None
    target = io.BytesIO()
    paper.save(target, "JPEG", quality=88)
    return target.getvalue()


def _require_passive(content: bytes) -> None:
    """Walk every object that the document reaches."""
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            raise TaxDocumentEncrypted("Send it without a password.")
        if not 1 <= len(reader.pages) <= MAX_PAGES:
            raise TaxDocumentUnreadable(f"It has to have 1 to {MAX_PAGES} pages.")
        _walk(reader.trailer)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError):
        # Whatever a damaged file makes the parser stumble over: it is the file's fault.
        raise TaxDocumentUnreadable("The PDF is damaged.") from None


def _walk(root: Any) -> None:
    waiting: list[Any] = [root]
    seen: set[tuple[int, int]] = set()
    count = 0
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, IndirectObject):
            if (thing.idnum, thing.generation) in seen:
                continue
            seen.add((thing.idnum, thing.generation))
            thing = thing.get_object()
        count += 1
        if count > MAX_OBJECTS:
            raise TaxDocumentUnreadable("The PDF has too many parts.")
        if isinstance(thing, DictionaryObject):
            _require_passive_dictionary(thing)
            waiting += [thing.raw_get(key) for key in thing]
        elif isinstance(thing, ArrayObject):
            waiting += list(thing)


def _require_passive_dictionary(thing: DictionaryObject) -> None:
    active = _ACTIVE_KEYS & set(thing)
    # Where to begin to read is no action; what to do at the beginning is.
    if "/OpenAction" in active and isinstance(thing["/OpenAction"], ArrayObject):
        active -= {"/OpenAction"}
    told = {str(thing.get(key)) for key in ("/S", "/Subtype", "/Type")} & _ACTIVE_VALUES
    if active or told:
        raise TaxDocumentHasActiveContent(
            f"It holds {', '.join(sorted(active | told))}; print it to a new PDF."
        )
