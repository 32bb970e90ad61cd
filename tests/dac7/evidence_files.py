"""Documents as people send them, and as others send them."""

from __future__ import annotations

import io

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from reportlab.pdfgen.canvas import Canvas


def pdf(text: str = "Steuerbescheid") -> bytes:
    """One page of text."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=(300, 300), invariant=True)
    canvas.drawString(20, 200, text)
    canvas.save()
    return target.getvalue()


def writer() -> PdfWriter:
    """A document of one empty page, to put something into."""
    made = PdfWriter()
    made.add_blank_page(200, 200)
    return made


def written(made: PdfWriter) -> bytes:
    """Its bytes."""
    target = io.BytesIO()
    made.write(target)
    return target.getvalue()


def pdf_with_script() -> bytes:
    """A script that runs when it is opened."""
    made = writer()
    script = {
        NameObject("/S"): NameObject("/JavaScript"),
        NameObject("/JS"): TextStringObject("app.alert(1)"),
    }
    made.root_object[NameObject("/OpenAction")] = made._add_object(DictionaryObject(script))
    return written(made)


def pdf_with_attachment() -> bytes:
    """Another file inside."""
    made = writer()
    made.add_attachment("tool.exe", b"MZ")
    return written(made)


def pdf_with_action(key: str, action: str) -> bytes:
    """Something that happens on a page or at the beginning."""
    made = writer()
    act = DictionaryObject({NameObject("/S"): NameObject(action), NameObject("/F"): TextStringObject("x")})
    made.pages[0][NameObject(key)] = made._add_object(act)
    return written(made)


def pdf_with_password() -> bytes:
    """Nobody but its owner can read it."""
    made = writer()
    made.encrypt("secret")
    return written(made)


def picture(format_name: str = "JPEG", *, size: tuple[int, int] = (60, 40)) -> bytes:
    """A photographed letter, with the camera's notes."""
    target = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "home address in the notes"
    mode = "RGBA" if format_name == "PNG" else "RGB"
    Image.new(mode, size, "white").save(target, format_name, exif=exif)
    return target.getvalue()
