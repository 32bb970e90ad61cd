from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ai_suggestions.evaluation.duplicates import EDITS
from tests.ai_suggestions.ondevice.drawing import DEMO_PHOTOS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photos, two of them by one sender and of one picture."""
    lines = ["file,sender_id"]
    for name, sender_id, source in (("a", "1", "camera"), ("b", "1", "camera"), ("c", "2", "sofa")):
        shutil.copy(DEMO_PHOTOS / source / "1.jpg", tmp_path / f"{name}.jpg")
        lines.append(f"{name}.jpg,{sender_id}")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return tmp_path


def figures(folder: Path, *options: str) -> dict[str, dict[str, dict[str, float]]]:
    out = io.StringIO()
    call_command("measure_duplicates", str(folder), *options, stdout=out, stderr=io.StringIO())
    found: dict[str, dict[str, dict[str, float]]] = json.loads(out.getvalue())
    return found


class TestMeasureDuplicates:
    def test_counts_what_is_told_apart_and_what_is_not(self, folder: Path) -> None:
        found = figures(folder, "--edited", "1")
        assert set(found["edits"]) == set(EDITS)
        assert found["edits"]["reencoded"] == {
            "n": 1,
            "other_seller": 1.0,
            "same_seller": 1.0,
            "found_through_index": 1.0,
        }
        assert found["different_photos"] == {
            "other_seller": {"pairs": 2, "alike": 0},
            "same_seller": {"pairs": 1, "alike": 1},
        }

    def test_needs_a_labelled_folder(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no labelled folder"):
            figures(tmp_path)
