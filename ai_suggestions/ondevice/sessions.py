"""ONNX sessions: one per file and process, loaded at first use, one thread each."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnxruntime

MODELS = Path(__file__).resolve().parent.parent / "models_data"

_sessions: dict[Path, onnxruntime.InferenceSession] = {}
_loading = threading.Lock()


def run(path: Path, pixels: NDArray[np.float32], outputs: Sequence[str]) -> Mapping[str, NDArray[np.float32]]:
    """Feed `pixels` to the model's only input; the named outputs.

    Raises FileNotFoundError when the model file is missing.
    """
    session = _session(path)
    found = session.run(list(outputs), {session.get_inputs()[0].name: pixels})
    return dict(zip(outputs, found, strict=True))


def outputs_of(path: Path) -> tuple[str, ...]:
    """The names of a model's outputs. Raises FileNotFoundError when the model file is missing."""
    return tuple(output.name for output in _session(path).get_outputs())


def _session(path: Path) -> onnxruntime.InferenceSession:
    with _loading:
        if path not in _sessions:
            if not path.is_file():
                raise FileNotFoundError(f"model file {path.name} is missing from {path.parent}")
            # Imported here: the web process imports this package for its types and must not pay for a
            # runtime.
            import onnxruntime

            options = onnxruntime.SessionOptions()
            # One thread: worker processes are the parallelism, and two spinning pools on two cores halve the
            # rate.
            options.intra_op_num_threads = 1
            options.inter_op_num_threads = 1
            # The arena, which is on, keeps the largest batch's 40 MB; without it a photo takes 60 ms, not 27.
            _sessions[path] = onnxruntime.InferenceSession(
                path, sess_options=options, providers=["CPUExecutionProvider"]
            )
        return _sessions[path]
