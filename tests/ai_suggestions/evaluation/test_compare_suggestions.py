"""manage.py compare_suggestions: the same photos, photo by photo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command

from ai_suggestions.providers import register_provider
from tests.ai_suggestions.evaluation.labelling import (
    category,
    colours,
    seen_as,
    write_colours,
    write_labels,
)
from tests.doubles.answering_provider import AnsweringProvider

# The command looks whether the database has a catalogue.
pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

SENDERS = {"a": "1", "b": "1", "c": "2", "d": "2", "e": "3", "f": "3"}


def compare(folder: Path, first: str, second: str, *arguments: str) -> tuple[dict[str, Any], str]:
    """(the JSON object, the words)."""
    out, words = StringIO(), StringIO()
    call_command(
        "compare_suggestions",
        str(folder),
        "--providers",
        first,
        second,
        *arguments,
        stdout=out,
        stderr=words,
    )
    found: dict[str, Any] = json.loads(out.getvalue())
    return found, words.getvalue()


def finds_hats_on(folder: Path, names: str, *, colour: str) -> AnsweringProvider:
    """Takes the other photos for polos."""
    return AnsweringProvider(
        {
            seen_as(folder, f"{name}.jpg"): [
                category(("men-hats" if name in names else "men-polos", 0.9)),
                colours(colour),
            ]
            for name in SENDERS
        }
    )


@pytest.fixture
def hats(tmp_path: Path) -> Iterator[Path]:
    """Six hats of three people: "early" finds a to d, "late" all but d."""
    folder = tmp_path / "hats"
    folder.mkdir()
    write_labels(folder, [(f"{name}.jpg", "Hat", sender) for name, sender in SENDERS.items()])
    write_colours(folder / "colours.csv", {"a.jpg": "red", "c.jpg": "red"})
    early = finds_hats_on(folder, "abcd", colour="red")
    late = finds_hats_on(folder, "abcef", colour="blue")
    with ExitStack() as stack:
        stack.enter_context(register_provider("early", lambda: early))
        stack.enter_context(register_provider("late", lambda: late))
        yield folder


class TestPrintDifferences:
    def test_is_exact(self, hats: Path) -> None:
        figures, _ = compare(hats, "early", "late")
        assert figures["n"] == 6
        assert figures["category"]["top1"] == {
            "n": 6,
            "first": round(4 / 6, 4),
            "second": round(5 / 6, 4),
            "difference": round(1 / 6, 4),
            # Three people are drawn: all the second (d lost), with a chance of 1 in 27, to all the third.
            "low": -0.5,
            "high": 1.0,
            "only_first": 1,
            "only_second": 2,
            "p": 1.0,
        }
        acceptable = figures["colour"]["acceptable"]
        assert (acceptable["n"], acceptable["first"], acceptable["second"]) == (2, 1.0, 0.0)
        assert (acceptable["only_first"], acceptable["only_second"], acceptable["p"]) == (2, 0, 0.5)

    def test_has_the_figures_of_each(self, hats: Path) -> None:
        figures, _ = compare(hats, "early", "late")
        assert (figures["first"]["provider"], figures["second"]["provider"]) == ("early", "late")
        assert figures["first"]["category"]["top1"] == round(4 / 6, 4)
        assert figures["second"]["colour"] == {"acceptable": 0.0, "any_of_two": 0.0}

    def test_has_null_where_nobody_labelled(self, hats: Path) -> None:
        (hats / "colours.csv").unlink()
        figures, _ = compare(hats, "early", "late")
        assert figures["colour"]["acceptable"] == {
            "n": 0,
            "first": None,
            "second": None,
            "difference": None,
            "low": None,
            "high": None,
            "only_first": 0,
            "only_second": 0,
            "p": None,
        }

    def test_pairs_only_what_both_have_seen(self, hats: Path) -> None:
        (hats / "images" / "d.jpg").write_bytes(b"no photo")
        figures, _ = compare(hats, "early", "late")
        assert figures["n"] == 5
        assert figures["category"]["top1"]["only_first"] == 0


class TestRefuse:
    def test_wants_two_different_ones(self, hats: Path) -> None:
        with pytest.raises(CommandError, match="two different providers"):
            compare(hats, "early", "early")

    def test_says_that_a_provider_is_not_known(self, hats: Path) -> None:
        with pytest.raises(CommandError, match="No provider is called 'nobody'"):
            compare(hats, "nobody", "late")

    def test_looks_for_the_reports_folder_before_it_works(self, hats: Path) -> None:
        with pytest.raises(CommandError, match="is no folder"):
            compare(hats, "early", "late", "--report", str(hats / "gone" / "r.html"))


class TestWriteAReport:
    def test_shows_who_was_right_where(self, hats: Path, tmp_path: Path) -> None:
        report = tmp_path / "report.html"
        compare(hats, "early", "late", "--report", str(report))
        page = ET.fromstring(report.read_text(encoding="utf-8"))  # noqa: S314 - a page of our own
        words = " ".join(" ".join(page.itertext()).split())
        assert "category.top1 0.667 0.833 +0.167 -0.500 to +1.000 1 2 1" in words
        groups = [group for group in page.iter("div") if group.get("class") == "photos"]
        shown = [{photo.attrib["alt"] for photo in group.iter("img")} for group in groups]
        assert shown == [{"images/d.jpg"}, {"images/e.jpg", "images/f.jpg"}]

    def test_can_do_without_photos(self, hats: Path, tmp_path: Path) -> None:
        report = tmp_path / "report.html"
        compare(hats, "early", "late", "--no-photos", "--report", str(report))
        assert "<img" not in report.read_text(encoding="utf-8")
