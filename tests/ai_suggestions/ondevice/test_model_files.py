"""What the readers of photos weigh: every model file that is installed with the service."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ai_suggestions.ondevice import safety, sessions

MOST_BYTES = 60_000_000  # the design's target


def installed() -> list[Path]:
    """The files beside the code, and those inside of rapidocr's wheel, of which each is loaded."""
    package = importlib.util.find_spec("rapidocr")
    assert package is not None
    assert package.origin is not None
    return [*sessions.MODELS.glob("*.onnx"), *(Path(package.origin).parent / "models").glob("*.onnx")]


class TestModelFiles:
    def test_all_together_keep_the_limit(self) -> None:
        assert len(installed()) >= 5
        assert sum(path.stat().st_size for path in installed()) <= MOST_BYTES

    def test_those_of_others_have_their_licences_beside_them(self) -> None:
        assert safety.WEIGHTS in installed()
        licences = {path.name for path in (sessions.MODELS / "licences").iterdir()}
        assert licences == {"Apache-2.0.txt", "NOTICE.txt", "open_nsfw-BSD-2-Clause.txt"}
