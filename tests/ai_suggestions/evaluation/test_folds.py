"""Grouped cross-validation with the whole provider; the folds' models are the shipped one renamed."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ai_suggestions.evaluation.folds import HELD_OUT, NoFolds, read_folds, write_fold
from ai_suggestions.evaluation.labelled import LabelledPhoto
from ai_suggestions.ondevice import sessions
from ai_suggestions.ondevice.garments import KindModel, kind_model, using_kind_model
from ai_suggestions.providers import register_provider
from tests.ai_suggestions.evaluation.labelling import category, save_photo, seen_as, write_labels
from tests.doubles.answering_provider import AnsweringProvider

MANIFEST: dict[str, Any] = json.loads((sessions.MODELS / "kinds.json").read_text(encoding="utf-8"))


def fold(work: Path, number: int, *held_out: Path) -> Path:
    folder = work / f"fold_{number}"
    write_fold(
        folder,
        manifest=MANIFEST,
        models={member["file"]: sessions.MODELS / member["file"] for member in MANIFEST["members"]},
        object_table=sessions.MODELS / "imagenet_kinds.csv",
        held_out=held_out,
    )
    return folder


def photo(folder: Path, name: str) -> LabelledPhoto:
    return LabelledPhoto(f"images/{name}", save_photo(folder, name), "1", "hat")


class TestReadFolds:
    def test_gives_each_photo_to_the_model_that_held_it_out(self, tmp_path: Path) -> None:
        a, b, c = (photo(tmp_path, name) for name in ("a.jpg", "b.jpg", "c.jpg"))
        fold(tmp_path / "work", 0, a.path, c.path)
        fold(tmp_path / "work", 1, b.path)
        found = read_folds(tmp_path / "work", [a, b, c])
        assert [(model.version, photos) for model, photos in found] == [
            (f"{MANIFEST['version']}-fold_0", [a, c]),
            (f"{MANIFEST['version']}-fold_1", [b]),
        ]

    def test_leaves_folds_out_that_have_none_of_the_photos(self, tmp_path: Path) -> None:
        a, b = photo(tmp_path, "a.jpg"), photo(tmp_path, "b.jpg")
        fold(tmp_path / "work", 0, a.path)
        fold(tmp_path / "work", 1, b.path)
        assert len(read_folds(tmp_path / "work", [b])) == 1

    def test_says_that_there_is_no_fold(self, tmp_path: Path) -> None:
        with pytest.raises(NoFolds, match="no fold that held out any"):
            read_folds(tmp_path, [photo(tmp_path, "a.jpg")])

    @pytest.mark.parametrize("missing", [HELD_OUT, "kinds.json", "imagenet_kinds.csv"])
    def test_says_what_is_missing(self, tmp_path: Path, missing: str) -> None:
        a = photo(tmp_path, "a.jpg")
        (fold(tmp_path / "work", 0, a.path) / missing).unlink()
        with pytest.raises(NoFolds, match=rf"fold_0 is no complete fold.*{missing}"):
            read_folds(tmp_path / "work", [a])


class TestUseAnotherModel:
    def test_lasts_as_long_as_the_block(self, tmp_path: Path) -> None:
        shipped = kind_model()
        other = KindModel(fold(tmp_path, 0))
        with using_kind_model(other):
            assert kind_model() is other
        assert kind_model() is shipped

    def test_ends_when_something_breaks(self, tmp_path: Path) -> None:
        shipped = kind_model()
        with pytest.raises(CommandError), using_kind_model(KindModel(fold(tmp_path, 0))):
            raise CommandError
        assert kind_model() is shipped


@pytest.mark.django_db
class TestEvaluateByFolds:
    def evaluate(self, folder: Path, work: Path, *arguments: str) -> tuple[dict[str, Any], str]:
        out, words = StringIO(), StringIO()
        call_command(
            "evaluate_suggestions",
            str(folder),
            "--grouped-folds",
            str(work),
            *arguments,
            stdout=out,
            stderr=words,
        )
        found: dict[str, Any] = json.loads(out.getvalue())
        return found, words.getvalue()

    @pytest.mark.slow
    def test_looks_with_each_folds_own_model(self, tmp_path: Path) -> None:
        write_labels(tmp_path, [("a.jpg", "Hat", "1"), ("b.jpg", "Hat", "2"), ("c.jpg", "Hat", "3")])
        fold(tmp_path / "work", 0, tmp_path / "images" / "a.jpg")
        fold(tmp_path / "work", 1, tmp_path / "images" / "b.jpg")
        report = tmp_path / "report.html"
        figures, words = self.evaluate(tmp_path, tmp_path / "work", "--report", str(report))
        assert figures["n"] == 2
        assert "by one of 2 models that never saw its sender" in words
        page = report.read_text(encoding="utf-8")
        for number in (0, 1):
            assert f"category {MANIFEST['version']}-fold_{number}/" in page
        assert "photo that no fold held out" in page

    def test_refuses_a_provider_without_the_model(self, tmp_path: Path) -> None:
        write_labels(tmp_path, [("a.jpg", "Hat", "1")])
        fold(tmp_path / "work", 0, tmp_path / "images" / "a.jpg")
        provider = AnsweringProvider({seen_as(tmp_path, "a.jpg"): [category(("men-hats", 0.9))]})
        with (
            register_provider("answering", lambda: provider),
            pytest.raises(CommandError, match="does not use the garment model"),
        ):
            self.evaluate(tmp_path, tmp_path / "work", "--provider", "answering")

    def test_says_that_there_is_no_fold(self, tmp_path: Path) -> None:
        write_labels(tmp_path, [("a.jpg", "Hat", "1")])
        with pytest.raises(CommandError, match="no fold that held out any"):
            self.evaluate(tmp_path, tmp_path)
