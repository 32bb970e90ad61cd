"""ai_suggestions.evaluation.labelled: folders as people leave them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_suggestions.evaluation.labelled import (
    OUR_COLOURS,
    LabelledPhoto,
    NothingLabelled,
    kind_namer,
    palette_names,
    read_folder,
)
from ai_suggestions.training.measure import SAME_COLOUR
from tests.ai_suggestions.evaluation.labelling import save_photo, write_colours, write_labels
from tests.factories.suggestions import full_catalogue

PALETTE = frozenset(full_catalogue().colour_by_id)


def by_name(photos: tuple[LabelledPhoto, ...]) -> dict[str, LabelledPhoto]:
    return {photo.path.name: photo for photo in photos}


class TestReadLabels:
    def test_takes_labels_however_they_are_written(self, tmp_path: Path) -> None:
        write_labels(
            tmp_path,
            [
                ("a.jpg", "T-Shirt", "1"),
                ("b.jpg", "t_shirt", "1"),
                ("c.jpg", "Outwear", "2"),
                ("d.jpg", "Other", "2"),
                ("e.jpg", "women-mini-dresses", "3"),
            ],
        )
        found = by_name(read_folder(tmp_path, catalogue=full_catalogue()).photos)
        assert {name: photo.kind for name, photo in found.items()} == {
            "a.jpg": "t_shirt",
            "b.jpg": "t_shirt",
            "c.jpg": "outwear",
            "d.jpg": "other",
            "e.jpg": "dress",
        }
        assert found["c.jpg"].sender_id == "2"

    def test_counts_what_it_leaves_out_by_reason(self, tmp_path: Path) -> None:
        write_labels(tmp_path, [("a.jpg", "Hat", "1"), ("b.jpg", "Not sure", "1")])
        (tmp_path.parent / "outside.jpg").write_bytes(b"somebody else's")
        with (tmp_path / "labels.csv").open("a") as lines:
            lines.write("images/a.jpg,Dress,false,1,96,128\nimages/gone.jpg,Hat,false,1,96,128\n")
            lines.write(f"../outside.jpg,Hat,false,1,1,1\n{tmp_path / 'images/a.jpg'},Hat,false,1,1,1\n")
            lines.write(f",Hat,false,1,1,1\n{'n' * 300}.jpg,Hat,false,1,1,1\n")
        folder = read_folder(tmp_path, catalogue=full_catalogue())
        assert [(photo.path.name, photo.kind) for photo in folder.photos] == [("a.jpg", "hat")]
        assert folder.left_out == {
            "file named twice": 1,
            "file missing": 3,
            "file outside of the folder": 2,
            "label 'Not sure' not known": 1,
        }

    def test_follows_links_in_the_folder(self, tmp_path: Path) -> None:
        write_labels(tmp_path / "real", [("a.jpg", "Hat", "1")])
        linked = tmp_path / "linked"
        linked.mkdir()
        for name in ("images", "labels.csv"):
            (linked / name).symlink_to(tmp_path / "real" / name)
        assert len(read_folder(linked, catalogue=full_catalogue()).photos) == 1

    def test_knows_what_a_label_could_have_named(self, tmp_path: Path) -> None:
        write_labels(tmp_path, [("a.jpg", "camera", "1"), ("b.jpg", "Other", "1")])
        named = read_folder(tmp_path, catalogue=full_catalogue()).named_kinds
        assert {"camera", "t_shirt"} <= named
        assert "other" not in named

    def test_takes_the_same_photos_for_a_limit_whatever_their_order(self, tmp_path: Path) -> None:
        rows = [(f"{number}.jpg", "Hat", str(number)) for number in range(8)]
        write_labels(tmp_path, rows)
        some = read_folder(tmp_path, catalogue=full_catalogue(), limit=3)
        write_labels(tmp_path, rows[::-1])
        again = read_folder(tmp_path, catalogue=full_catalogue(), limit=3)
        assert some.photos == again.photos
        assert (len(some.photos), some.total) == (3, 8)

    def test_gives_photos_without_a_sender_each_their_own(self, tmp_path: Path) -> None:
        save_photo(tmp_path, "a.jpg")
        save_photo(tmp_path, "b.jpg")
        (tmp_path / "labels.csv").write_text("file,label\nimages/a.jpg,Hat\nimages/b.jpg,Hat\n")
        photos = read_folder(tmp_path, catalogue=full_catalogue()).photos
        assert len({photo.sender_id for photo in photos}) == 2

    @pytest.mark.parametrize("table", ["file\nimages/a.jpg\n", "file,label\nimages/a.jpg,\n"])
    def test_takes_photos_that_nobody_labelled_without_a_kind(self, tmp_path: Path, table: str) -> None:
        save_photo(tmp_path, "a.jpg")
        (tmp_path / "labels.csv").write_text(table)
        folder = read_folder(tmp_path, catalogue=full_catalogue())
        assert [photo.kind for photo in folder.photos] == [None]
        assert folder.left_out == {}

    def test_takes_a_table_as_windows_writes_it(self, tmp_path: Path) -> None:
        save_photo(tmp_path, "a.jpg")
        (tmp_path / "labels.csv").write_bytes("\ufeffFile , Label\r\nimages/a.jpg,Hat\r\n".encode())
        assert [photo.kind for photo in read_folder(tmp_path, catalogue=full_catalogue()).photos] == ["hat"]


class TestReadColours:
    def test_joins_them_to_the_labels(self, tmp_path: Path) -> None:
        write_labels(tmp_path, [("a.jpg", "Hat", "7"), ("b.jpg", "Hat", "7")])
        save_photo(tmp_path, "c.jpg")
        write_colours(tmp_path / "colours.csv", {"a.jpg": "light blue|grey", "c.jpg": "multi|red"})
        found = by_name(read_folder(tmp_path, catalogue=full_catalogue()).photos)
        assert (found["a.jpg"].kind, found["a.jpg"].colours) == ("hat", frozenset({"light-blue", "grey"}))
        assert (found["b.jpg"].kind, found["b.jpg"].colours) == ("hat", frozenset())
        assert (found["c.jpg"].kind, found["c.jpg"].colours) == (None, frozenset({"various", "red"}))

    def test_takes_another_table_when_told(self, tmp_path: Path) -> None:
        write_labels(tmp_path, [("a.jpg", "Hat", "7")])
        write_colours(tmp_path / "colours.csv", {"a.jpg": "red"})
        write_colours(tmp_path / "second.csv", {"a.jpg": "green"})
        folder = read_folder(tmp_path, catalogue=full_catalogue(), colours=tmp_path / "second.csv")
        assert folder.photos[0].colours == {"green"}

    def test_leaves_colours_out_that_nobody_knows(self, tmp_path: Path) -> None:
        write_labels(tmp_path, [("a.jpg", "Hat", "7")])
        write_colours(tmp_path / "colours.csv", {"a.jpg": "octarine"})
        folder = read_folder(tmp_path, catalogue=full_catalogue())
        assert folder.left_out == {"colours not known": 1}
        assert folder.photos[0].colours == frozenset()

    def test_calls_colours_as_the_training_does(self) -> None:
        assert OUR_COLOURS == SAME_COLOUR

    def test_knows_every_word_of_the_palette(self) -> None:
        assert palette_names(PALETTE, PALETTE) == PALETTE
        assert palette_names(["Light  Blue", "beige"], PALETTE) == {"light-blue", "body", "cream"}


class TestRefuse:
    @pytest.mark.parametrize(
        ("labels", "words"),
        [
            (None, "neither labels.csv nor colours.csv"),
            ("name,label\n", "the column 'file' is missing"),
            ("file,label\n", "the tables are empty"),
            ("file,label\nimages/gone.jpg,Hat\n", "file missing: 1"),
        ],
    )
    def test_says_why_there_is_nothing_to_look_at(
        self, tmp_path: Path, labels: str | None, words: str
    ) -> None:
        if labels is not None:
            (tmp_path / "labels.csv").write_text(labels)
        with pytest.raises(NothingLabelled, match=words):
            read_folder(tmp_path, catalogue=full_catalogue())

    def test_says_that_a_table_is_no_text(self, tmp_path: Path) -> None:
        (tmp_path / "labels.csv").write_bytes(b"file,label\n\xff\xfe\x00,Hat\n")
        with pytest.raises(NothingLabelled, match=r"labels\.csv is no text in UTF-8"):
            read_folder(tmp_path, catalogue=full_catalogue())

    def test_says_that_a_folder_or_a_table_of_colours_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(NothingLabelled, match="is no folder"):
            read_folder(tmp_path / "gone", catalogue=full_catalogue())
        write_labels(tmp_path, [("a.jpg", "Hat", "1")])
        with pytest.raises(NothingLabelled, match="is not there"):
            read_folder(tmp_path, catalogue=full_catalogue(), colours=tmp_path / "gone.csv")


class TestNameKinds:
    @pytest.mark.parametrize("label", ["", "Skip", "Not sure", "👕"])
    def test_does_not_guess(self, label: str) -> None:
        assert kind_namer(full_catalogue())(label) is None
