"""Fine-tuning of the net's later blocks on cached activations of its frozen, earlier ones."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional

from ai_suggestions.training.network import FEATURES, EfficientNetLite


@dataclass(frozen=True)
class Recipe:
    """How long and how hard to train. Learning rates are peaks of a one-cycle schedule."""

    epochs: int = 6
    batch: int = 32
    body_rate: float = 4e-4
    head_rate: float = 1e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    mix_up: float = 0.4  # both parameters of the beta distribution; 0 turns it off
    class_weight_power: float = 0.25  # a class of n photos weighs n to minus this
    averaging: float = 0.995  # per step, of the exponential average that is kept in the end


def logistic_head(features: NDArray[np.float32], labels: NDArray[np.int64], classes: int) -> nn.Linear:
    """A linear layer that solves logistic regression on standardised features: a gentle start."""
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-3
    fitted = LogisticRegression(C=0.003, max_iter=200, class_weight="balanced").fit(
        (features - mean) / spread, labels
    )
    head = nn.Linear(FEATURES, classes)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.fill_(-10.0)  # a class without a photo in this split
        weight = fitted.coef_ / spread
        head.weight[fitted.classes_] = torch.tensor(weight, dtype=torch.float32)
        head.bias[fitted.classes_] = torch.tensor(fitted.intercept_ - weight @ mean, dtype=torch.float32)
    return head


@torch.inference_mode()
def embeddings(
    net: EfficientNetLite, activations: Tensor, first_block: int, batch: int = 64
) -> NDArray[np.float32]:
    """Pooled features of activations (n, channels, height, width), shape (n, 1280)."""
    net.eval()
    return np.concatenate(
        [
            net.embed(_ready(activations[start : start + batch]), first_block).numpy()
            for start in range(0, len(activations), batch)
        ]
    )


def tuned(
    pretrained: EfficientNetLite,
    activations: Tensor,
    labels: NDArray[np.int64],
    rows: NDArray[np.intp],
    classes: int,
    *,
    first_block: int,
    recipe: Recipe,
    seed: int,
    each_epoch: Callable[[int, float, EfficientNetLite], None] | None = None,
) -> EfficientNetLite:
    """A copy of the net with `classes` outputs, its blocks from `first_block` on fine-tuned.

    `rows` are the photos to learn from; the others are not looked at. `activations` are float16 (photos,
    variations, channels, height, width). Batch-norm statistics stay as they were: a few thousand photos would
    only blur them. Deterministic for a seed and a number of threads.
    """
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    net = copy.deepcopy(pretrained).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    net._fc = logistic_head(embeddings(net, activations[rows, 0], first_block), labels[rows], classes)
    averaged = copy.deepcopy(net)
    head = list(net._fc.parameters())
    body = [*net._conv_head.parameters(), *net._bn1.parameters()]
    body += [p for block in list(net._blocks)[first_block:] for p in block.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": recipe.body_rate}, {"params": head, "lr": recipe.head_rate}],
        weight_decay=recipe.weight_decay,
    )
    steps = recipe.epochs * math.ceil(len(rows) / recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [recipe.body_rate, recipe.head_rate], total_steps=steps, pct_start=0.25
    )
    counts = np.bincount(labels[rows], minlength=classes).clip(1)
    weights = torch.tensor(counts**-recipe.class_weight_power, dtype=torch.float32)
    weights /= weights[labels[rows]].mean()
    targets = functional.one_hot(torch.tensor(labels), classes).float()
    targets = targets * (1 - recipe.label_smoothing) + recipe.label_smoothing / classes
    step = 0
    for epoch in range(recipe.epochs):
        net._dropout.train()
        order = chance.permutation(rows)
        losses: list[float] = []
        for start in range(0, len(order), recipe.batch):
            picked = order[start : start + recipe.batch]
            variation = (epoch + chance.integers(0, activations.shape[1], len(picked))) % activations.shape[1]
            x = _ready(activations[picked, variation])
            wanted = targets[picked]
            weight = weights[torch.tensor(labels)[picked]]
            if recipe.mix_up:
                share = float(chance.beta(recipe.mix_up, recipe.mix_up))
                other = torch.randperm(len(picked))
                x = share * x + (1 - share) * x[other]
                wanted = share * wanted + (1 - share) * wanted[other]
                weight = share * weight + (1 - share) * weight[other]
            logits = net.classify(x.contiguous(memory_format=torch.channels_last), first_block)
            loss = (-(wanted * functional.log_softmax(logits, dim=1)).sum(dim=1) * weight).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_([*body, *head], 5.0)
            optimiser.step()
            schedule.step()
            step += 1
            keep = min(recipe.averaging, step / (step + 10))
            with torch.no_grad():
                for mean, now in zip(averaged.parameters(), net.parameters(), strict=True):
                    mean.lerp_(now, 1 - keep)
            losses.append(loss.item())
        if each_epoch is not None:
            each_epoch(epoch, float(np.mean(losses)), averaged)
    averaged.eval()
    kept: EfficientNetLite = averaged
    return kept


@torch.no_grad()
def averaged(nets: Sequence[EfficientNetLite]) -> EfficientNetLite:
    """One net that has the means of the weights of several, which were tuned from the same one.

    Runs that differ by chance alone end in the same wide valley, and its middle is better than its rim
    (Wortsman et al., "Model soups", arXiv 2203.05482).
    """
    mean = copy.deepcopy(nets[0])
    weights = [net.state_dict() for net in nets]
    mean.load_state_dict(
        {
            name: torch.stack([one[name] for one in weights]).mean(dim=0)
            if part.is_floating_point()
            else part
            for name, part in weights[0].items()
        }
    )
    return mean.eval()


def _ready(activations: Tensor) -> Tensor:
    return activations.float().contiguous(memory_format=torch.channels_last)
