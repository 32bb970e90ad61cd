"""Photos per second on one core: inspection and processing, against a bare Pillow loop.

The photo is 12 megapixels, as telephones make them: one of the sample photos enlarged, with sensor
noise, so that it compresses like a real one.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

from bench.figures import Figure, interleaved_rates
from listings.photos.inspection import inspect
from listings.photos.names import MASTER_SIDE, RENDITIONS
from listings.photos.processing import process

SAMPLE = Path(__file__).resolve().parent.parent / "demo" / "photos" / "armchair" / "1.jpg"
SIZE = (4032, 3024)


def telephone_photo(form: str) -> bytes:
    """The sample at 12 megapixels in the given format."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    with Image.open(SAMPLE) as sample:
        large = sample.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    noise = Image.effect_noise(SIZE, 12).convert("RGB")
    buffer = io.BytesIO()
    Image.blend(large, noise, 0.08).save(buffer, form, quality=90)
    return buffer.getvalue()


def bare(content: bytes) -> int:
    """What the fastest plain Pillow does for the same files: decode reduced, shrink in a chain, encode."""
    written = 0
    with Image.open(io.BytesIO(content)) as image:
        factor = max(image.size) / max(RENDITIONS)
        image.draft("RGB", (int(image.width / factor), int(image.height / factor)))
        image.thumbnail((MASTER_SIDE, MASTER_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        for side, quality in [(MASTER_SIDE, 88), *((s, 82) for s in sorted(RENDITIONS, reverse=True))]:
            image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=quality, progressive=True)
            written += buffer.tell()
    return written


MEASURE = """
import resource, sys
from pathlib import Path
from listings.photos.processing import process
process(sys.stdin.buffer.read())
status = Path("/proc/self/status")
if status.exists():
    # ru_maxrss would include what the parent had when it forked.
    print(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")))
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_memory_mb(content: bytes) -> float:
    """Of a fresh process that processes one photo: this one holds what made the sample."""
    measured = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", MEASURE], input=content, capture_output=True, check=True
    )
    return int(measured.stdout) / 1024


def main() -> None:
    """Prints the figures."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for form, target in (("JPEG", 0.8), ("HEIF", 0.8)):
        content = telephone_photo(form)
        started = time.perf_counter()
        inspect(content)
        inspection_ms = (time.perf_counter() - started) * 1000
        rates = interleaved_rates(
            {"ours": lambda c=content: (inspect(c), process(c)), "bare": lambda c=content: bare(c)},  # type: ignore[misc]
            rounds=3,
            seconds=2.0,
        )
        Figure(
            "photos",
            f"inspect_and_process_12mp_{form.lower()}",
            rates["ours"],
            "photos/s/core",
            f"bare Pillow loop: {rates['bare']:.2f}/s",
            rates["ours"] / rates["bare"],
            target,
        ).show()
        Figure(
            "photos",
            f"inspect_12mp_{form.lower()}",
            inspection_ms,
            "ms",
            f"the web process may hold a thread 100 ms ({len(content) / 1e6:.1f} MB)",
            100 / inspection_ms,
            1.0,
        ).show()
    peak_mb = peak_memory_mb(telephone_photo("JPEG"))
    Figure("photos", "peak_memory", peak_mb, "MB", "700 MB a worker may use", 700 / peak_mb, 1.0).show()


if __name__ == "__main__":
    main()
