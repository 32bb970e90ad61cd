"""Latency of suggestions on one core, step by step, and against a bare loop of Pillow and onnxruntime.

Every listing has four photos of 12 megapixels. They are processed as a worker does it, and seen by the safety
net, which stands before anybody may see a photo; then the steps of a run get the masters, as those of a
seller who asks at once: nothing else is known of them. The fingerprint asks the nets for category, too. Each
listing is asked about as a whole, then each of its photos alone. Everything runs on one thread, so CPU
milliseconds are what an idle core needs; elapsed ones count its other work, too.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Figure, interleaved_rates, percentile
from bench.suggestions_photos import PER_LISTING, listing_uploads

LISTINGS = 10
LABEL_STEP = "label_text"
# The targets of the design, per photo on one core.
TARGET_MS_WITHOUT_LABELS = 150.0
TARGET_MS_WITH_LABELS = 2000.0
# Processing has to keep up with bench.photos' figures on this kind of machine; a listing with four labels.
PROCESSED_PER_SECOND = 2.0
TARGET_MS_LISTING = PER_LISTING * TARGET_MS_WITH_LABELS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["LOG_LEVEL"] = "WARNING"


@dataclass(frozen=True)
class Spent:
    """Time of a step, in milliseconds."""

    cpu_ms: float
    elapsed_ms: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.cpu_ms + other.cpu_ms, self.elapsed_ms + other.elapsed_ms)


NOTHING = Spent(0, 0)


class Stopwatch:
    """Both clocks, from lap to lap."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def lap(self) -> Spent:
        """Since the start or the lap before."""
        cpu, wall = time.process_time(), time.perf_counter()
        spent = Spent((cpu - self._cpu) * 1000, (wall - self._wall) * 1000)
        self._cpu, self._wall = cpu, wall
        return spent


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
    from ai_suggestions.contract import (
        Market,
        PhotoFinding,
        PhotoInput,
        ReadingStore,
        SellerFacts,
        SuggestionRequest,
    )
    from ai_suggestions.evaluation.looking import NoSales, PhotoReadings
    from ai_suggestions.ondevice import fingerprints, garments, safety
    from ai_suggestions.ondevice.views import picture_of
    from ai_suggestions.providers.on_device import OnDeviceProvider
    from ai_suggestions.queries import catalogue
    from ai_suggestions.screening import Screened
    from ai_suggestions.services.safety import score
    from listings.photos.processing import process

    def judged(request: SuggestionRequest, photo: PhotoInput) -> tuple[float, bool]:
        # Scored when the photo was made ready, so this only looks it up.
        found = score(sha256=photo.sha256, content=photo.content, readings=request.readings)
        return found.unsafe, False

    @dataclass(frozen=True)
    class NoTwins:
        """Makes a photo's fingerprint and keeps the net's word, as a check does; the database is left out."""

        readings: ReadingStore

        def own_twins_of(self, photo: PhotoInput) -> Sequence[PhotoFinding]:
            found, kinds = fingerprints.read(picture_of(photo.content))
            fingerprints.keys_near(found)
            if kinds is not None:
                version = garments.kind_model().version
                self.readings.keep(
                    sha256=photo.sha256, step="category", version=version, reading=kinds.to_json()
                )
            return ()

    provider = Screened(OnDeviceProvider(), score=judged, safety_version=safety.model_version())
    provider.warm_up()
    known = catalogue()
    safe = PhotoReadings()

    def asked(photos: Sequence[bytes], limits: dict[str, float]) -> dict[str, Spent]:
        picture_of.cache_clear()
        readings = PhotoReadings()
        sums = [hashlib.sha256(content).hexdigest() for content in photos]
        for sha256 in sums:
            unsafe = safe.find(sha256=sha256, step="safety", version=safety.model_version())
            readings.keep(sha256=sha256, step="safety", version=safety.model_version(), reading=unsafe)
        request = SuggestionRequest(
            photos=tuple(
                PhotoInput(id=f"photo-{i}", position=i, content=content, sha256=sums[i])
                for i, content in enumerate(photos)
            ),
            facts=SellerFacts(),
            market=Market(country="IE", currency="EUR", language="en"),
            catalogue=known,
            comparables=NoSales(),
            readings=readings,
            index=NoTwins(readings),
        )
        limits.update({step.name: step.timeout_s * 1000 for step in provider.plan(request)})
        taken = {}
        watch = Stopwatch()
        for report in provider.run(request):  # a step is taken when its report is asked for
            if report.error_code:
                raise RuntimeError(f"{report.step}: {report.error_code}")
            taken[report.step] = watch.lap()
        del taken["safety"]
        return taken

    chance = random.Random(7)
    photo_limits = {"processing": 1000 / PROCESSED_PER_SECOND}
    listing_limits = {"processing": PER_LISTING * 1000 / PROCESSED_PER_SECOND, "total": TARGET_MS_LISTING}
    steps: dict[str, list[Spent]] = defaultdict(list)
    alone: dict[str, list[Spent]] = defaultdict(list)
    masters: list[bytes] = []
    for _ in range(LISTINGS):
        masters, processing, scoring = [], [], []
        for upload in listing_uploads(chance):
            watch = Stopwatch()
            made = process(upload)
            processing.append(watch.lap())
            score(sha256=made.sha256, content=made.master, readings=safe)
            scoring.append(watch.lap())
            masters.append(made.master)
        for step, spents in (("processing", processing), ("safety", scoring)):
            alone[step] += spents
            steps[step].append(sum(spents, NOTHING))
        taken = asked(masters, listing_limits)
        for step, spent in taken.items():
            steps[step].append(spent)
        steps["total"].append(sum(taken.values(), NOTHING))
        for place, master in enumerate(masters):
            taken = asked([master], photo_limits)
            for step, spent in taken.items():
                alone[step].append(spent)
            alone["label" if place == PER_LISTING - 1 else "thing"].append(sum(taken.values(), NOTHING))
            del taken[LABEL_STEP]
            alone["without_label_reading"].append(sum(taken.values(), NOTHING))
    photo_limits |= {
        "without_label_reading": TARGET_MS_WITHOUT_LABELS,
        "thing": TARGET_MS_WITH_LABELS,
        "label": TARGET_MS_WITH_LABELS,
    }
    for step, values in steps.items():
        _show(f"listing_{step}", values, "ms/listing", listing_limits[step])
    for step, values in alone.items():
        _show(f"photo_{step}", values, "ms/photo", photo_limits[step])
    against_bare_loop(masters)


def _show(figure: str, taken: list[Spent], unit: str, limit_ms: float) -> None:
    for share in (0.5, 0.95):
        for clock, values in (("cpu", [s.cpu_ms for s in taken]), ("elapsed", [s.elapsed_ms for s in taken])):
            found = max(percentile(values, share), 0.1)
            Figure(
                "suggestions", f"{figure}_{clock}_p{round(share * 100)}", found, unit,
                f"limit of {limit_ms:.0f} ms", limit_ms / found, 1.0,
            ).show()  # fmt: skip


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
        (onnxruntime.InferenceSession(MODELS / member["file"], options), member["side"], member["views"])
        for member in manifest["members"]
    ]
    model = garments.kind_model()

    def bare() -> None:
        for content in photos:
            picture = opened(content)
            for session, side, views in nets:
                session.run(None, {session.get_inputs()[0].name: views_of(picture, side, count=views)})

    def ours() -> None:
        for content in photos:
            model.read(opened(content))

    rates = interleaved_rates({"ours": ours, "bare": bare}, rounds=7, seconds=1.0, clock=time.process_time)
    Figure(
        "suggestions", "kinds_of_photos", rates["ours"] * len(photos), "photos/s of CPU",
        f"Pillow and onnxruntime alone: {rates['bare'] * len(photos):.1f}/s",
        rates["ours"] / rates["bare"], 0.8,
    ).show()  # fmt: skip


if __name__ == "__main__":
    main()
