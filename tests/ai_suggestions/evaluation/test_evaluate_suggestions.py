"""manage.py evaluate_suggestions: figures that can be counted by hand, and a page that can be read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.core.management import CommandError, call_command

from ai_suggestions.contract import Field, Proposal, abstained
from ai_suggestions.evaluation.known_photos import known_photos, write_known_photos
from ai_suggestions.providers import register_provider
from tests.ai_suggestions.evaluation.labelling import (
    category,
    colours,
    for_whom_unknown,
    save_photo,
    seen_as,
    size,
    write_colours,
    write_labels,
)
from tests.ai_suggestions.ondevice.drawing import CLOTHING, DEMO_PHOTOS, REPOSITORY
from tests.doubles.answering_provider import AnsweringProvider

# The command looks whether the database has a catalogue.
pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def evaluate(folder: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    """(the JSON object, the words)."""
    out, words = StringIO(), StringIO()
    call_command("evaluate_suggestions", str(folder), *arguments, stdout=out, stderr=words)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found, words.getvalue()


def answering(folder: Path, answers: dict[str, Sequence[Proposal]]) -> AnsweringProvider:
    return AnsweringProvider({seen_as(folder, name): said for name, said in answers.items()})


@pytest.fixture
def wardrobe(tmp_path: Path) -> Iterator[Path]:
    """Ten photos of four people, and a provider called "answering" whose answers are known.

    Right: a, b, c, h, i; right among three: e as well. d and g are wrong, f breaks, j's word is unknown.
    """
    folder = tmp_path / "wardrobe"
    folder.mkdir()
    write_labels(
        folder,
        [
            ("a.jpg", "T-Shirt", "1"),
            ("b.jpg", "T-Shirt", "1"),
            ("c.jpg", "Shoes", "2"),
            ("d.jpg", "Dress", "2"),
            ("e.jpg", "Skirt", "3"),
            ("f.jpg", "Hat", "3"),
            ("g.jpg", "Polo", "3"),
            ("h.jpg", "Other", "4"),
            ("i.jpg", "Other", "4"),
            ("j.jpg", "Something", "4"),
        ],
    )
    write_colours(folder / "colours.csv", {"a.jpg": "navy|black", "b.jpg": "red", "c.jpg": "light blue"})
    answers: dict[str, Sequence[Proposal]] = {
        "a.jpg": [category(("women-t-shirts", 0.96)), colours("navy")],
        "b.jpg": [for_whom_unknown("t_shirt", 0.9, "women-hats"), colours("blue", then=["red"])],
        "c.jpg": [category(("men-trainers", 0.5), ("men-boots", 0.3)), colours("red", "green")],
        "d.jpg": [category(("women-blouses", 0.7)), size("women-38", "SIZE 38")],
        "e.jpg": [category(("women-jeans", 0.4), ("women-midi-skirts", 0.3))],
        "g.jpg": [abstained(Field.CATEGORY, note="nothing_recognised")],
        "h.jpg": [abstained(Field.CATEGORY, note="nothing_recognised")],
        "i.jpg": [category(("home-sofas", 0.6))],
    }
    provider = answering(folder, answers)
    with register_provider("answering", lambda: provider):
        yield folder


class TestPrintFigures:
    def test_is_exact(self, wardrobe: Path) -> None:
        figures, _ = evaluate(wardrobe, "--provider", "answering")
        assert figures.pop("ms_per_photo").keys() == {"p50", "p95"}
        assert figures == {
            "n": 9,
            # a, b, c, h, i are right; e's label comes second.
            # Sure of seven: .96 right, .9 right, .8 right, .7 wrong, .6 right, .4 wrong.
            # Filled in from the top: a, b, c and then d's mistake; i is none of these and never filled in.
            "category": {
                "top1": round(5 / 9, 4),
                "top3": round(6 / 9, 4),
                "ece": round((0.04 + 0.1 + 0.2 + 0.7 + 0.4 + 0.4) / 6, 4),
                "coverage_at_95": round(3 / 9, 4),
            },
            "colour": {"acceptable": round(1 / 3, 4), "any_of_two": round(2 / 3, 4)},
            "false_sizes": 1,
        }

    def test_says_what_it_left_out_and_what_broke(self, wardrobe: Path) -> None:
        save_photo(wardrobe, "k.jpg").write_bytes(b"no photo at all")
        with (wardrobe / "labels.csv").open("a") as lines:
            lines.write("images/k.jpg,Hat,false,9,1,1\nimages/l.jpg,Hat,false,9,1,1\n")
        figures, words = evaluate(wardrobe, "--provider", "answering")
        assert figures["n"] == 9
        assert "Left out, label 'Something' not known: 1." in words
        assert "Left out, file missing: 1." in words
        assert "Left out, undecodable: images/k.jpg." in words
        assert "Not answered, counted as wrong: 1 photos, no_answer_written_down (1)." in words
        assert "another kind than the one recognised on 1 of 9 photos" in words

    def test_has_null_where_nobody_labelled(self, wardrobe: Path) -> None:
        (wardrobe / "labels.csv").unlink()
        figures, _ = evaluate(wardrobe, "--provider", "answering")
        assert (figures["n"], figures["colour"]["acceptable"]) == (3, round(1 / 3, 4))
        assert set(figures["category"].values()) == {None}

    def test_has_null_categories_for_photos_without_a_label(self, wardrobe: Path) -> None:
        rows = (wardrobe / "labels.csv").read_text().splitlines()
        (wardrobe / "labels.csv").write_text("\n".join(row.partition(",")[0] for row in rows))
        (wardrobe / "colours.csv").unlink()
        figures, words = evaluate(wardrobe, "--provider", "answering")
        assert (figures["n"], figures["false_sizes"]) == (10, 1)
        assert set(figures["category"].values()) == {None}
        assert "their category is not judged: 10." in words

    def test_has_null_colours_without_a_table_of_colours(self, wardrobe: Path) -> None:
        (wardrobe / "colours.csv").unlink()
        figures, _ = evaluate(wardrobe, "--provider", "answering")
        assert figures["colour"] == {"acceptable": None, "any_of_two": None}

    def test_has_null_calibration_for_a_provider_without_probabilities(self, tmp_path: Path) -> None:
        write_labels(tmp_path, [("a.jpg", "Hat", "1"), ("b.jpg", "Hat", "2")])
        said = [category(("men-hats", None))]
        provider = answering(tmp_path, {"a.jpg": said, "b.jpg": said})
        with register_provider("answering", lambda: provider):
            figures, _ = evaluate(tmp_path, "--provider", "answering")
        assert figures["category"] == {"top1": 1.0, "top3": 1.0, "ece": None, "coverage_at_95": None}

    def test_counts_a_ranking_that_was_kept_as_a_reading(self, tmp_path: Path) -> None:
        write_labels(tmp_path, [("a.jpg", "Hat", "1")])
        key = seen_as(tmp_path, "a.jpg")
        provider = AnsweringProvider(
            {key: [for_whom_unknown("shoes", 0.5, "men-trainers")]},
            seen={key: [("shoes", 0.5), ("dress", 0.3), ("hat", 0.2)]},
        )
        with register_provider("answering", lambda: provider):
            figures, _ = evaluate(tmp_path, "--provider", "answering")
        assert (figures["category"]["top1"], figures["category"]["top3"]) == (0.0, 1.0)
        assert provider.warmed_up == 1

    def test_looks_at_as_many_photos_as_it_is_told(self, wardrobe: Path) -> None:
        figures, words = evaluate(wardrobe, "--provider", "answering", "--limit", "4")
        assert figures["n"] == 4
        assert "4 of 9 labelled photos" in words


class TestRefuse:
    def test_says_that_a_provider_is_not_known(self, wardrobe: Path) -> None:
        with pytest.raises(CommandError, match="No provider is called 'nobody'"):
            evaluate(wardrobe, "--provider", "nobody")

    def test_says_what_broke_when_nothing_was_answered(self, wardrobe: Path) -> None:
        with (
            register_provider("silent", lambda: AnsweringProvider({})),
            pytest.raises(CommandError, match=r"answered about no photo: no_answer_written_down \(9\)"),
        ):
            evaluate(wardrobe, "--provider", "silent")

    def test_survives_a_provider_that_raises(self, wardrobe: Path) -> None:
        with (
            register_provider("crashing", lambda: AnsweringProvider({}, crash=True)),
            pytest.raises(CommandError, match=r"provider_crashed \(9\)"),
        ):
            evaluate(wardrobe, "--provider", "crashing")

    @pytest.mark.parametrize("limit", ["0", "-1", "some"])
    def test_says_that_a_limit_is_none(self, wardrobe: Path, limit: str) -> None:
        with pytest.raises(CommandError, match="--limit"):
            evaluate(wardrobe, f"--limit={limit}")

    def test_looks_for_the_reports_folder_before_it_works(self, wardrobe: Path, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="is no folder"):
            evaluate(wardrobe, "--provider", "answering", "--report", str(tmp_path / "gone" / "r.html"))

    def test_does_not_take_a_folder_for_the_report(self, wardrobe: Path, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="is a folder; name a file"):
            evaluate(wardrobe, "--provider", "answering", "--report", str(tmp_path))

    def test_prints_the_figures_even_if_the_report_cannot_be_written(self, wardrobe: Path) -> None:
        out, report = StringIO(), wardrobe / "report.html"
        report.symlink_to(wardrobe / "gone" / "report.html")
        with pytest.raises(CommandError, match="No such file"):
            call_command(
                "evaluate_suggestions",
                str(wardrobe),
                "--provider=answering",
                f"--report={report}",
                stdout=out,
                stderr=StringIO(),
            )
        assert json.loads(out.getvalue())["n"] == 9

    def test_says_that_no_file_can_be_read(self, tmp_path: Path) -> None:
        write_labels(tmp_path, [("a.jpg", "Hat", "1")])
        (tmp_path / "images" / "a.jpg").write_bytes(b"no photo")
        with (
            register_provider("silent", lambda: AnsweringProvider({})),
            pytest.raises(CommandError, match="None of the 1 photos can be read"),
        ):
            evaluate(tmp_path, "--provider", "silent")


def opened(report: Path) -> ET.Element:
    """Raises ParseError unless every element is closed and every text escaped."""
    return ET.fromstring(report.read_text(encoding="utf-8"))  # noqa: S314 - a page of our own


def words_of(element: ET.Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


class TestWriteAReport:
    def test_is_one_well_formed_file_that_needs_no_other(self, wardrobe: Path, tmp_path: Path) -> None:
        report = tmp_path / "report.html"
        evaluate(wardrobe, "--provider", "answering", "--report", str(report))
        text = report.read_text(encoding="utf-8")
        page = opened(report)
        assert "<script" not in text
        assert "<link" not in text
        sources = [image.attrib["src"] for image in page.iter("img")]
        assert len(sources) == 7  # four wrong kinds, two wrong colours, one size
        assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")

    def test_shows_figures_charts_and_mistakes(self, wardrobe: Path, tmp_path: Path) -> None:
        report = tmp_path / "report.html"
        evaluate(wardrobe, "--provider", "answering", "--report", str(report))
        page = opened(report)
        words = words_of(page)
        assert "Category: the first kind is right 0.556 0.267 to 0.811 9" in words
        assert "labelled dress told blouse, 0.70" in words
        assert "labelled hat told nothing" in words
        assert "offered: women-38 read: SIZE 38" in words
        svg = "{http://www.w3.org/2000/svg}"
        charts = [chart.findtext(f"{svg}title") for chart in page.iter(f"{svg}svg")]
        calibration = "Calibration: share right over confidence"
        # Of categories, and of colours.
        assert charts == [calibration, "Precision over coverage", calibration]
        table = next(table for table in page.iter("table") if table.get("class") == "matrix")
        assert ["".join(cell.itertext()) for cell in table.iter("th")][1:3] == ["other", "t_shirt"]

    def test_can_do_without_photos(self, wardrobe: Path, tmp_path: Path) -> None:
        report = tmp_path / "report.html"
        evaluate(wardrobe, "--provider", "answering", "--no-photos", "--report", str(report))
        page = opened(report)
        assert not list(page.iter("img"))
        assert "labelled dress told blouse, 0.70" in words_of(page)

    def test_shows_names_of_files_as_text(self, tmp_path: Path) -> None:
        name = "<script>alert(1)</script>.jpg".replace("/", "_")
        write_labels(tmp_path, [(name, "Hat", "1")])
        provider = answering(tmp_path, {name: [category(("men-polos", 0.9))]})
        with register_provider("answering", lambda: provider):
            evaluate(tmp_path, "--provider", "answering", "--report", str(tmp_path / "r.html"))
        assert opened(tmp_path / "r.html").findtext(".//figure/div") == "labelled hat"
        assert "<script" not in (tmp_path / "r.html").read_text(encoding="utf-8")


class TestKnowTrainingPhotos:
    def test_finds_them_under_any_name(self, tmp_path: Path) -> None:
        learned, other = save_photo(tmp_path, "a.jpg"), save_photo(tmp_path, "b.jpg")
        assert write_known_photos([learned], tmp_path / "trained_on.txt") == 1
        renamed = learned.rename(learned.with_name("z.jpg"))
        assert known_photos([renamed, other], tmp_path / "trained_on.txt") == {renamed}


@pytest.mark.slow
class TestOnDeviceProvider:
    def test_prints_one_object_and_nothing_else_without_a_database(self, tmp_path: Path) -> None:
        """As a person would run it: a process of its own, stdout for a program, words beside it."""
        (tmp_path / "images").mkdir()
        for name in ("armchair", "sneakers"):
            (tmp_path / "images" / f"{name}.jpg").write_bytes((DEMO_PHOTOS / name / "1.jpg").read_bytes())
        (tmp_path / "labels.csv").write_text(
            "file,label\nimages/armchair.jpg,Chair\nimages/sneakers.jpg,Shoes\n"
        )
        report = tmp_path / "report.html"
        done = subprocess.run(
            [sys.executable, "manage.py", "evaluate_suggestions", str(tmp_path), f"--report={report}"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        )
        figures = json.loads(done.stdout)
        assert done.stdout.count("\n") == 1
        assert (figures["n"], figures["category"]["top1"]) == (2, 1.0)
        assert 0 < figures["ms_per_photo"]["p50"] <= figures["ms_per_photo"]["p95"]
        assert "taking the one that is shipped" in done.stderr
        assert "was trained on" not in done.stderr
        assert opened(report).tag == "html"

    @pytest.mark.skipif(not CLOTHING.is_dir(), reason="the labelled clothes are not beside this checkout")
    def test_says_when_its_figures_are_flattering(self) -> None:
        figures, words = evaluate(CLOTHING, "--limit", "8")
        assert figures["n"] == 8
        assert "was trained on 8 of these 8 photos" in words
        assert figures["category"]["top3"] >= 0.5
