from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from ai_suggestions.ondevice import fingerprints, sessions
from ai_suggestions.ondevice.garments import (
    OTHER,
    KindModel,
    gate_probability,
    gate_signs,
    kind_model,
    kinds_of,
    object_kinds,
    worn_classes,
)
from ai_suggestions.ondevice.views import opened, views_of, working_copy
from tests.ai_suggestions.ondevice.drawing import DEMO_PHOTOS, REPOSITORY, demo_photo


@pytest.fixture(scope="module")
def model() -> KindModel:
    return kind_model()


class TestRecogniseKinds:
    @pytest.mark.parametrize(("photo", "kind"), [("sneakers", "shoes"), ("sofa", "sofa")])
    def test_a_clear_photo_is_sure(self, photo: str, kind: str) -> None:
        scores = kinds_of([demo_photo(photo)])
        assert scores.ranked[0].kind == kind
        assert scores.sure

    @pytest.mark.parametrize(("photo", "kind"), [("high-tops", "shoes"), ("camera", "camera")])
    def test_a_harder_photo_has_the_right_kind_first(self, photo: str, kind: str) -> None:
        assert kinds_of([demo_photo(photo)]).ranked[0].kind == kind

    @pytest.mark.parametrize("photo", ["armchair", "camera", "sofa", "clothing-label"])
    def test_what_is_no_garment_is_never_filled_in_as_one(self, photo: str, model: KindModel) -> None:
        scores = kinds_of([demo_photo(photo)])
        assert not (scores.sure and scores.ranked[0].kind in model.kinds)

    @pytest.mark.parametrize("colour", ["white", "black", "grey"])
    def test_a_blank_photo_is_nothing(self, colour: str) -> None:
        scores = kinds_of([Image.new("RGB", (640, 480), colour)])
        assert not scores.sure

    def test_confidences_are_ordered_and_sum_to_at_most_one(self) -> None:
        confidences = [entry.confidence for entry in kinds_of([demo_photo("armchair")]).ranked]
        assert confidences == sorted(confidences, reverse=True)
        assert 0 < sum(confidences) <= 1 + 1e-6

    def test_the_same_photo_gives_the_same_answer(self, model: KindModel) -> None:
        first, second = (model.read(demo_photo("sneakers")) for _ in range(2))
        assert first == second
        assert np.array_equal(first.embedding, second.embedding)

    @pytest.mark.parametrize(
        ("mode", "size"), [("L", (1, 1)), ("RGBA", (40, 900)), ("P", (900, 40)), ("CMYK", (99, 99))]
    )
    def test_any_mode_and_size_is_read(self, mode: str, size: tuple[int, int]) -> None:
        assert kinds_of([Image.new(mode, size)]).ranked


class TestPoolPhotos:
    def test_no_photo_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no photo"):
            kinds_of([])

    def test_a_label_beside_the_thing_does_not_hide_it(self) -> None:
        scores = kinds_of([demo_photo("sneakers"), demo_photo("clothing-label")])
        assert scores.ranked[0].kind == "shoes"
        assert scores.shown_by == 0

    def test_the_photo_that_shows_the_thing_best_is_named(self) -> None:
        scores = kinds_of([demo_photo("clothing-label"), demo_photo("sneakers")])
        assert scores.ranked[0].kind == "shoes"
        assert scores.shown_by == 1
        assert len(scores.photos) == 2

    def test_two_photos_of_different_things_are_not_sure(self) -> None:
        assert not kinds_of([demo_photo("sneakers"), demo_photo("sofa")]).sure

    def test_the_version_travels_along(self, model: KindModel) -> None:
        assert kinds_of([demo_photo("sofa")]).model_version == model.version


class TestJoinHeads:
    def test_every_head_counts_by_its_share(self, model: KindModel) -> None:
        manifest = json.loads((sessions.MODELS / "kinds.json").read_text(encoding="utf-8"))
        shares = [share for member in manifest["members"] for share in member["shares"].values()]
        assert sum(shares) == pytest.approx(1)
        photo = working_copy(demo_photo("sneakers"))
        logits = np.zeros(len(model.kinds))
        for member in manifest["members"]:
            views = views_of(photo, member["side"], count=member["views"])
            found = sessions.run(sessions.MODELS / member["file"], views, tuple(member["shares"]))
            for head, share in member["shares"].items():
                logits += share * found[head].mean(axis=0)
        expected = dict(zip(model.kinds, logits / manifest["temperature"], strict=True))
        first, second = [entry for entry in model.read(photo).ranked if entry.kind in model.kinds][:2]
        # The gate scales all garments alike, so the odds between two of them are the heads' own.
        odds = np.log(first.confidence / second.confidence)
        assert odds == pytest.approx(expected[first.kind] - expected[second.kind], abs=1e-3)

    def test_fingerprints_hold_until_the_embedding_changes(self, model: KindModel) -> None:
        assert fingerprints.version().startswith(f"{model.embedding_version}/")


class TestDescribePictures:
    def test_a_smaller_copy_has_nearly_the_same_embedding(self, model: KindModel) -> None:
        photo = demo_photo("sneakers")
        one, copy, another = (
            model.read(image).embedding
            for image in (photo, photo.resize((640, 489)), demo_photo("high-tops"))
        )
        assert float(one @ one) == pytest.approx(1, abs=1e-3)
        assert float(one @ copy) > 0.92 > float(one @ another)


class TestPrepareViews:
    def test_three_views_the_second_mirrors_the_first(self) -> None:
        photo = working_copy(demo_photo("sneakers"))
        views = views_of(photo, 64)
        assert np.array_equal(views_of(photo, 64, count=1), views[:1])
        assert views.shape == (3, 3, 64, 64)
        assert np.array_equal(views[1], views[0][:, :, ::-1])
        assert views.min() >= -1
        assert views.max() <= 1.01

    def test_encoded_photos_are_opened_small(self) -> None:
        content = (DEMO_PHOTOS / "sofa" / "1.jpg").read_bytes()
        assert max(opened(content).size) == 512

    def test_transparent_parts_are_white(self) -> None:
        assert working_copy(Image.new("RGBA", (8, 8), (0, 0, 0, 0))).getpixel((0, 0)) == (255, 255, 255)

    def test_the_callers_image_stays_as_it_is(self) -> None:
        photo = demo_photo("sofa")
        working_copy(photo)
        assert photo.size == (1280, 854)


class TestKindsOfTheCatalogue:
    @staticmethod
    def _sold() -> set[str]:
        with (REPOSITORY / "listings/data/categories.csv").open(newline="", encoding="utf-8") as table:
            return {row["kind"] for row in csv.DictReader(table)}

    def test_every_garment_is_sold(self, model: KindModel) -> None:
        assert {*model.kinds} - {OTHER} <= self._sold()

    def test_every_object_that_the_net_knows_is_sold(self) -> None:
        assert set(object_kinds().values()) <= self._sold()
        assert all(0 <= index < 1000 for index in object_kinds())

    def test_every_class_of_a_garment_is_worn(self, model: KindModel) -> None:
        assert {index for index, kind in object_kinds().items() if kind in model.kinds} <= {*worn_classes()}

    def test_clothes_that_are_no_kind_of_the_garment_heads_are_worn_and_goods_are_not(self) -> None:
        trunks, pyjamas, sarong, sofa, helmet = 842, 697, 775, 831, 518
        assert {trunks, pyjamas, sarong} <= {*worn_classes()}
        assert not {sofa, helmet} & {*worn_classes()}
        assert sarong not in object_kinds()  # it speaks for a garment, and is never proposed


class TestGate:
    @pytest.mark.parametrize(
        ("peak", "worn", "garment"),
        [(0.9, 0.9, True), (0.4, 0.9, True), (0.9, 0.001, False), (0.4, 0.001, False)],
    )
    def test_what_the_object_head_sees_worn_decides(self, peak: float, worn: float, garment: bool) -> None:
        gate = json.loads((sessions.MODELS / "kinds.json").read_text(encoding="utf-8"))["garment_gate"]
        signs = gate_signs({"shorts": peak, OTHER: 1 - peak}, worn)
        assert (gate_probability(gate, signs) > 0.5) is garment

    def test_trunks_on_a_photo_of_shorts_leave_the_garment_heads_word(self, model: KindModel) -> None:
        objects = np.zeros(1000, dtype=np.float32)
        objects[842] = 1  # swimming trunks
        by_garment = dict.fromkeys(model.kinds, 0.1 / (len(model.kinds) - 1)) | {"shorts": 0.9}
        ranked, garment = model.combined(by_garment, objects)
        assert ranked[0].kind == "shorts"
        assert "swimwear" in {entry.kind for entry in ranked}
        assert garment > 0.95


class TestUnfamiliarThings:
    def test_are_never_filled_in_as_a_garment(self) -> None:
        # No class of either head is a skateboard; the garment head alone is sure that it sees trousers.
        scores = kinds_of([demo_photo("skateboard")])

        assert not scores.sure
        assert scores.ranked[0].confidence <= 0.7
