"""In: what each update took. Out: pairs and tokens a second, memory, and the share of the GPU's peak that did the model's work."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel

from flops import forward_flops, peak_flops, training_flops

#: The first updates allocate memory and choose kernels.
WARM_UP = 3


@dataclass(frozen=True)
class Update:
    """What all workers did in one update; `squares` is Σ T² over its texts of T tokens."""

    seconds: float
    pairs: int
    tokens: int
    squares: int


def cost_of(updates: list[Update], model: PreTrainedModel, workers: int, frozen: bool) -> dict[str, Any]:
    """Rates over the updates after the warm-up (over all of them where there are no more); null where unknown."""
    counted = updates[WARM_UP:] or updates
    seconds, pairs, tokens, squares = (
        sum(getattr(update, name) for update in counted) for name in ("seconds", "pairs", "tokens", "squares")
    )
    forward = forward_flops(model, tokens, squares)
    rate = training_flops(forward, frozen) / seconds if seconds else 0.0
    peak = peak_flops()
    return {
        "pairs_per_second": pairs / seconds if seconds else None,
        "tokens_per_second": tokens / seconds if seconds else None,
        "measured_updates": len(counted),
        "peak_memory_bytes": peak_memory(),
        "flops_per_second": rate,
        "mfu": rate / (peak * workers) if peak else None,
    }


def peak_memory() -> int:
    """Bytes that tensors took on the GPU at the most; without one, of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
