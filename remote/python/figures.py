"""In: the rewards of batches. Out: what an update saw, over all workers, by the names of the local log."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

#: A batch's sums, in this order.
_SUMS = ("pairs", "loss", "nll", "correct", "margin", "reward", "tokens", "squares")


class UpdateFigures:
    """Sums over the batches of one update; they stay on the device until somebody asks."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.clear()

    def clear(self) -> None:
        self._sums = torch.zeros(len(_SUMS), dtype=torch.float64, device=self._device)
        #: −least and greatest reward, so that one reduction by maximum serves both.
        self._extremes = torch.full((2,), -torch.inf, dtype=torch.float64, device=self._device)

    def add(self, chosen: Tensor, rejected: Tensor, losses: Tensor, counts: Tensor, tokens: Tensor) -> None:
        """@param counts 1 for a pair, 0 for one that only fills the batch; all of shape [B], `tokens` [2B]"""
        difference = chosen - rejected
        correct = (difference > 0).double() + 0.5 * (difference == 0).double()
        values = [torch.ones_like(losses), losses, softplus(-difference), correct, difference, chosen + rejected]
        sums = [(value.double() * counts).sum() for value in values]
        read = (tokens * counts.repeat(2)).double()
        self._sums += torch.stack([*sums, read.sum(), (read**2).sum()])
        rewards = torch.cat([chosen, rejected]).double()
        ignored = torch.where(counts.repeat(2) > 0, 0.0, torch.inf)
        self._extremes = torch.maximum(
            self._extremes, torch.stack([(-rewards - ignored).max(), (rewards - ignored).max()])
        )

    def take(self) -> dict[str, Any]:
        """What all workers saw since the last time; every worker must ask."""
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(self._sums)
            torch.distributed.all_reduce(self._extremes, torch.distributed.ReduceOp.MAX)
        sums = dict(zip(_SUMS, self._sums.tolist(), strict=True))
        least, greatest = self._extremes.tolist()
        self.clear()
        pairs = sums["pairs"]
        means = {name: sums[name] / pairs for name in ("loss", "nll", "margin")}
        return {
            **means,
            "accuracy": sums["correct"] / pairs,
            "min_reward": -least,
            "mean_reward": sums["reward"] / (2 * pairs),
            "max_reward": greatest,
            "pairs": round(pairs),
            "tokens": round(sums["tokens"]),
            "squares": round(sums["squares"]),
        }
