"""In: the rewards of chosen and rejected answers. Out: the loss of each pair, as lib/loss.ts has it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from job import Training


def pair_losses(chosen: Tensor, rejected: Tensor, weight: Tensor, margin: Tensor, training: Training) -> Tensor:
    """ℓ = w·[(1−ε)·softplus(−(Δ−m)) + ε·softplus(Δ−m)] + λ(r_c + r_r)², Δ = r_c − r_r; all of shape [B].

    `scaled` puts w·m in the place of w and leaves Δ alone.
    """
    scaled = training.loss == "scaled"
    difference = chosen - rejected if scaled else chosen - rejected - margin
    smoothing = training.label_smoothing
    core = (1 - smoothing) * softplus(-difference) + smoothing * softplus(difference)
    factor = weight if training.weighted_loss else torch.ones_like(weight)
    losses = core * (factor * margin if scaled else factor)
    if training.centre_rewards:
        losses = losses + training.centre_rewards * (chosen + rejected) ** 2
    return losses
