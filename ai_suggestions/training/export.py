"""From two torch nets with one trunk to one INT8 ONNX file with both heads."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image
from torch import Tensor, nn

from ai_suggestions.ondevice.views import views_of, working_copy
from ai_suggestions.training.network import EfficientNetLite

OUTPUTS = ("garments", "objects", "embedding")
"""The last two only of a net that carries the published head."""


class TwoHeads(nn.Module):
    """The frozen trunk once, then the fine-tuned blocks to garments and the published ones to ImageNet
    classes.
    """

    def __init__(
        self, published: EfficientNetLite, tuned: EfficientNetLite, first_block: int, *, objects: bool = True
    ) -> None:
        super().__init__()
        self.published, self.tuned = published.eval(), tuned.eval()
        self.first_block, self.objects = first_block, objects

    @property
    def outputs(self) -> tuple[str, ...]:
        """What `forward` gives."""
        return OUTPUTS if self.objects else OUTPUTS[:1]

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        shared = self.published.trunk(pixels, self.first_block)
        garments = self.tuned.classify(shared, self.first_block)
        if not self.objects:
            return (garments,)
        embedding = self.published.embed(shared, self.first_block)
        return garments, self.published._fc(embedding), embedding


class _Photos(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime ships no types
    """Pixels of photos, one view a photo, to learn the range of every activation from."""

    def __init__(self, photos: Sequence[Path], side: int) -> None:
        self._inputs = self._all(photos, side)

    def _all(self, photos: Sequence[Path], side: int) -> Iterator[dict[str, NDArray[np.float32]]]:
        for position, path in enumerate(photos):
            with Image.open(path) as image:
                yield {"pixels": views_of(working_copy(image), side)[position % 3 : position % 3 + 1]}

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._inputs, None)


def export_int8(net: TwoHeads, target: Path, *, side: int, calibration: Sequence[Path]) -> None:
    """Write `target`: input `pixels` (n, 3, side, side) float32, outputs as the net. INT8, per channel."""
    with tempfile.TemporaryDirectory() as folder:
        exact, prepared = Path(folder) / "exact.onnx", Path(folder) / "prepared.onnx"
        torch.onnx.export(
            net,
            (torch.zeros(1, 3, side, side),),
            exact,
            input_names=["pixels"],
            output_names=list(net.outputs),
            dynamic_axes={name: {0: "n"} for name in ("pixels", *net.outputs)},
            opset_version=17,
            dynamo=False,  # the traced graph is what quantisation knows how to fuse
        )
        quant_pre_process(exact, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            _Photos(calibration, side),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
        )
    model = onnx.load(target)
    model.doc_string = ""  # the exporter writes local paths into it
    for node in model.graph.node:
        node.doc_string = ""
    onnx.save(model, target)


def add_linear_head(
    source: Path, target: Path, *, weight: NDArray[np.float32], bias: NDArray[np.float32]
) -> None:
    """Write `target`: as `source`, with an output `linear` more, a linear function of its `embedding`.

    `weight` is (kinds, features). It stays float32, 90 kB.
    """
    model = onnx.load(source)
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(weight.astype(np.float32), "linear_weight"),
            numpy_helper.from_array(bias.astype(np.float32), "linear_bias"),
        ]
    )
    model.graph.node.append(
        helper.make_node("Gemm", ["embedding", "linear_weight", "linear_bias"], ["linear"], transB=1)
    )
    model.graph.output.append(
        helper.make_tensor_value_info("linear", onnx.TensorProto.FLOAT, ["n", len(bias)])
    )
    onnx.checker.check_model(model)
    onnx.save(model, target)
