"""Figures of the readers that need no training: `python -m ai_suggestions.training.measure --data FOLDER`.

Colours against two tables of labels, false sizes on garments, drawn labels, unsafe scores,
CPU milliseconds of each. Added to `metrics.json`; needs nothing but the service's own packages.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ai_suggestions.ondevice import colours, garments, labels, safety, sessions
from ai_suggestions.ondevice.label_facts import facts_in
from ai_suggestions.ondevice.views import opened

SAME_COLOUR: Mapping[str, tuple[str, ...]] = {"multi": ("various",), "beige": ("body", "cream")}
"""Colour names of the check set that the palette calls otherwise; the rest differ only by a hyphen."""


COLOURS_SEEN = Path(__file__).with_name("colours_seen.csv")
"""192 further photos of the folder. Those of `test` were labelled and put aside before the rules were
changed, those of `later` were labelled after it and before any rule saw them; no rule has changed since."""


def colour_figures(folder: Path, table: Path, part: str | None = None) -> dict[str, Any]:
    """Shares of photos whose first colour, and any of the first two, is one that the annotator accepts."""
    with table.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if part is None or row["part"] == part]
    first = any_of_two = 0
    for row in rows:
        with Image.open(folder / row["file"]) as photo:
            reading = colours.read(photo)
        accepted: set[str] = set()
        for name in row["acceptable"].split("|"):
            accepted.update(SAME_COLOUR.get(name, (name.replace(" ", "-"),)))
        first += reading.chosen[0] in accepted
        any_of_two += bool({*reading.chosen, *(entry.colour for entry in reading.likely[:2])} & accepted)
    return {"n": len(rows), "acceptable": first / len(rows), "any_of_two": any_of_two / len(rows)}


def brand_names(table: Path) -> dict[str, str]:
    """Every spelling in a brands.csv (columns id, name, aliases) → id."""
    with table.open(newline="", encoding="utf-8") as rows:
        return {
            spelling: row["id"]
            for row in csv.DictReader(rows)
            for spelling in [row["name"], *row["aliases"].split("|")]
            if spelling and row["id"] != "no-brand"
        }


def garment_figures(photos: Sequence[Path], brands: Mapping[str, str]) -> dict[str, Any]:
    """On photos of garments: sizes read although there is no label to speak of, and unsafe scores."""
    sizes = looked = 0
    unsafe: list[float] = []
    for path in photos:
        with Image.open(path) as photo:
            reading = labels.read(photo, budget_s=10)
            unsafe.append(safety.read(photo).unsafe)
        looked += reading.has_text
        sizes += bool(facts_in(reading.lines, brands).sizes)
    return {
        "n": len(photos),
        "with_text": looked / len(photos),
        "false_sizes": sizes,
        "unsafe_highest": max(unsafe),
        "unsafe_to_review": sum(score >= safety.REVIEW_FROM for score in unsafe),
    }


def _drawn_label(brand: str, size: str, material: str, chance: random.Random) -> Image.Image:
    """A label with a little tilt, blur and noise, on cloth."""
    picture = Image.new("RGB", (900, 900), tuple(chance.randint(60, 200) for _ in range(3)))
    paper = Image.new("RGB", (560, 480), (238, 236, 228))
    drawing = ImageDraw.Draw(paper)
    for row, (text, height) in enumerate(((brand, 60), (size, 44), (material, 40), ("MADE IN PORTUGAL", 30))):
        drawing.text((40, 40 + 105 * row), text, fill=(30, 30, 40), font=ImageFont.load_default(height))
    picture.paste(paper, (170, 210))
    picture = picture.rotate(chance.uniform(-8, 8), Image.Resampling.BICUBIC)
    picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(0, 1.6)))
    return Image.blend(picture, Image.effect_noise(picture.size, 40).convert("RGB"), chance.uniform(0, 0.2))


def drawn_label_figures(count: int, brands: Mapping[str, str]) -> dict[str, Any]:
    """Shares of drawn labels whose brand, size and material were read. Easier than real labels."""
    chance = random.Random(5)
    names = sorted(name for name in brands if name.isascii() and len(name) >= 3)
    right = {"brand": 0, "size": 0, "material": 0}
    seconds: list[float] = []
    for _ in range(count):
        brand, size = chance.choice(names), chance.choice(["S", "M", "L", "XL", "36", "38", "40", "42"])
        percent, fibre = chance.randint(51, 99), chance.choice(["cotton", "wool", "viscose", "polyester"])
        scale = chance.choice(["", "SIZE ", "EUR "]) if size.isdigit() else ""
        photo = _drawn_label(brand, scale + size, f"{percent}% {fibre.upper()}", chance)
        started = time.process_time()
        facts = facts_in(labels.read(photo, budget_s=10).lines, brands)
        seconds.append(time.process_time() - started)
        right["brand"] += facts.brand is not None and facts.brand.id == brands[brand]
        right["size"] += [found.text for found in facts.sizes] == [size]
        right["material"] += [(found.id, found.percent) for found in facts.materials] == [(fibre, percent)]
    return {
        "n": count,
        **{key: hits / count for key, hits in right.items()},
        "cpu_seconds_p50": _middle(seconds),
    }


def milliseconds(photos: Sequence[Path]) -> dict[str, float]:
    """Median CPU milliseconds a photo of each reader: what one idle core would need."""
    model = garments.kind_model()
    readers: dict[str, Callable[[Image.Image], object]] = {
        "kinds": model.read,
        "colours": colours.read,
        "safety": safety.read,
        "look_for_text": lambda photo: labels.read(photo, budget_s=0),
    }
    taken: dict[str, list[float]] = {name: [] for name in ("decode", *readers)}
    for path in photos:
        started = time.process_time()
        photo = opened(path.read_bytes())
        taken["decode"].append(time.process_time() - started)
        for name, reader in readers.items():
            started = time.process_time()
            reader(photo)
            taken[name].append(time.process_time() - started)
    return {name: round(1000 * _middle(seconds), 1) for name, seconds in taken.items()}


def _middle(values: list[float]) -> float:
    return round(sorted(values)[len(values) // 2], 4)


def main() -> None:
    """Measure and add to metrics.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with colours.csv and images/")
    parser.add_argument("--brands", type=Path, default=Path("listings/data/brands.csv"))
    parser.add_argument("--photos", type=int, default=300, help="how many garments to look at")
    asked = parser.parse_args()
    chosen = random.Random(3).sample(sorted((asked.data / "images").iterdir()), asked.photos)
    brands = brand_names(asked.brands)
    figures = {
        "colours": colour_figures(asked.data, asked.data / "colours.csv"),
        "colours_fit": colour_figures(asked.data, COLOURS_SEEN, "fit"),
        "colours_test": colour_figures(asked.data, COLOURS_SEEN, "test"),
        "colours_later": colour_figures(asked.data, COLOURS_SEEN, "later"),
        "garment_photos": garment_figures(chosen, brands),
        "drawn_labels": drawn_label_figures(60, brands),
        "milliseconds": milliseconds(chosen[:60]),
    }
    path = sessions.MODELS / "metrics.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**before, **figures}, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
