"""Latency of suggestions on one core, step by step, and against a bare loop of Pillow and onnxruntime.

Every listing has four photos of 12 megapixels; the pipeline gets them as the worker does, as masters of
at most 2,048 pixels. The same photo is never asked for twice, so nothing comes from the cache of readings.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageEnhance

from bench.figures import Figure, interleaved_rates, percentile

PHOTOS = Path(__file__).resolve().parent.parent / "demo" / "photos"
LISTINGS = 12
PHOTOS_PER_LISTING = 4
MASTER_SIDE = 2048
# The targets of the design, per photo on one core.
TARGET_MS_WITHOUT_LABELS = 150.0
TARGET_MS_WITH_LABELS = 2000.0

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["LOG_LEVEL"] = "WARNING"


def listing_photos(chance: random.Random) -> list[bytes]:
    """Four photos of one thing: the sample from different sides and in different light, plus its label."""
    folder = chance.choice([place for place in sorted(PHOTOS.iterdir()) if place.is_dir()])
    photos = []
    for i in range(PHOTOS_PER_LISTING):
        source = PHOTOS / "clothing-label" / "1.jpg" if i == 3 else next(folder.glob("*.jpg"))
        with Image.open(source) as image:
            picture = image.convert("RGB").rotate(chance.uniform(-6, 6), expand=False)
        picture = ImageEnhance.Brightness(picture).enhance(chance.uniform(0.85, 1.15))
        scale = MASTER_SIDE / max(picture.size)
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=88, progressive=True)
        photos.append(buffer.getvalue())
    return photos


class NoReadings:
    """A store that forgets, so that every photo is looked at."""

    def find(self, *, sha256: str, step: str, version: str) -> None:
        return None

    def keep(self, *, sha256: str, step: str, version: str, reading: object) -> None:
        pass


class NoSales:
    """A marketplace without comparable items."""

    def find(self, *, category_ids: Sequence[str], currency: str, limit: int) -> tuple[()]:
        return ()


def main() -> None:
    """Prints the figures."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["PRELOVED_HOME"] = home
        measure()


def measure() -> None:
    """Everything that needs the settings of a fresh home."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("prepare", verbosity=0)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from ai_suggestions.contract import Market, PhotoInput, SellerFacts, SuggestionRequest
    from ai_suggestions.providers.on_device import OnDeviceProvider
    from ai_suggestions.queries import catalogue

    provider = OnDeviceProvider()
    provider.warm_up()
    chance = random.Random(7)
    steps: dict[str, list[float]] = defaultdict(list)
    photo_ms: list[float] = []
    listing_ms: list[float] = []
    last: list[bytes] = []
    limits: dict[str, float] = {}
    for _ in range(LISTINGS):
        last = listing_photos(chance)
        request = SuggestionRequest(
            photos=tuple(
                PhotoInput(id=f"photo-{i}", position=i, content=c, sha256=hashlib.sha256(c).hexdigest())
                for i, c in enumerate(last)
            ),
            facts=SellerFacts(),
            market=Market(country="IE", currency="EUR", language="en"),
            catalogue=catalogue(),
            comparables=NoSales(),
            readings=NoReadings(),
        )
        limits = {step.name: step.timeout_s for step in provider.plan(request)}
        reports = list(provider.run(request))
        for report in reports:
            steps[report.step].append(report.elapsed_ms)
        looking = sum(r.elapsed_ms for r in reports if r.step in ("safety", "category", "colour"))
        photo_ms.append(looking / PHOTOS_PER_LISTING)
        listing_ms.append(sum(report.elapsed_ms for report in reports))
    for step, values in steps.items():
        for share in (0.5, 0.95):
            found = max(percentile(values, share), 1.0)
            limit_ms = limits[step] * 1000
            Figure(
                "suggestions",
                f"step_{step}_p{round(share * 100)}",
                found,
                "ms/listing",
                f"the step's time limit of {limit_ms:.0f} ms",
                limit_ms / found,
                1.0,
            ).show()
    p95 = percentile(photo_ms, 0.95)
    Figure(
        "suggestions", "photo_without_labels_p95", p95, "ms/photo",
        f"the design's {TARGET_MS_WITHOUT_LABELS:.0f} ms", TARGET_MS_WITHOUT_LABELS / p95, 1.0,
    ).show()  # fmt: skip
    per_photo = percentile(listing_ms, 0.95) / PHOTOS_PER_LISTING
    Figure(
        "suggestions", "photo_with_labels_p95", per_photo, "ms/photo",
        f"the design's {TARGET_MS_WITH_LABELS:.0f} ms", TARGET_MS_WITH_LABELS / per_photo, 1.0,
    ).show()  # fmt: skip
    against_bare_loop(last)


def against_bare_loop(photos: list[bytes]) -> None:
    """Kinds of photos per second, against decoding and running the same nets with nothing around them."""
    import onnxruntime

    from ai_suggestions.ondevice import garments
    from ai_suggestions.ondevice.sessions import MODELS
    from ai_suggestions.ondevice.views import opened, views_of

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    manifest = json.loads((MODELS / "kinds.json").read_text(encoding="utf-8"))
    nets = [
        (onnxruntime.InferenceSession(MODELS / member["file"], options), member["side"])
        for member in manifest["members"]
    ]
    model = garments.kind_model()

    def bare() -> None:
        for content in photos:
            picture = opened(content)
            for session, side in nets:
                session.run(None, {session.get_inputs()[0].name: views_of(picture, side)})

    def ours() -> None:
        for content in photos:
            model.read(opened(content))

    rates = interleaved_rates({"ours": ours, "bare": bare}, rounds=5, seconds=1.0)
    Figure(
        "suggestions", "kinds_of_photos", rates["ours"] * len(photos), "photos/s",
        f"Pillow and onnxruntime alone: {rates['bare'] * len(photos):.1f}/s",
        rates["ours"] / rates["bare"], 0.8,
    ).show()  # fmt: skip


if __name__ == "__main__":
    main()
