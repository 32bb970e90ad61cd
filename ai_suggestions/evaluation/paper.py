"""What the pages of reports are made of: the templates beside this file, thumbnails, numbers as words."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.template import Context, Engine
from PIL import Image, ImageOps

from ai_suggestions.evaluation.figures import Share

NONE = "—"
_THUMBNAIL_SIDE = 200  # pixels; shown at 150
_ENGINE = Engine(dirs=[str(Path(__file__).parent / "pages")])


@dataclass(frozen=True, slots=True)
class Shown:
    """A photo with lines below it. ``source`` is a data URL, empty when photos are left out of the page."""

    file: str
    source: str
    lines: tuple[str, ...]


def page(name: str, content: Mapping[str, Any]) -> str:
    """The page as HTML. Texts are escaped; only what is marked safe goes in as it is."""
    return _ENGINE.get_template(name).render(Context(dict(content)))


def shown(path: Path, file: str, lines: Sequence[str], *, photos: bool) -> Shown:
    """The photo as a small JPEG inside the page."""
    return Shown(file, _thumbnail(path) if photos else "", tuple(lines))


def _thumbnail(path: Path) -> str:
    with Image.open(path) as image:
        small = ImageOps.exif_transpose(image).convert("RGB")
    small.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash for none."""
    return NONE if value is None else f"{value:.{digits}f}"


def interval(ends: tuple[float, float] | None, *, signed: bool = False) -> str:
    """Both ends, or a dash."""
    form = "+.3f" if signed else ".3f"
    return NONE if ends is None else f"{ends[0]:{form}} to {ends[1]:{form}}"


def share(of: Share) -> str:
    """Its value, or a dash."""
    return number(of.value)
