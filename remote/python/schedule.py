"""In: the number of a step. Out: its learning rate, as lib/training/schedule.ts has it."""

from __future__ import annotations

import math

from job import Training


def learning_rate_at(step: int, total_steps: int, training: Training) -> float:
    """Linear warm-up from 1/warmup on, then linear or cosine decay to 0, or constant; steps count from 1."""
    asked = training.warmup_steps
    warmup = min(math.ceil(training.warmup_ratio * total_steps) if asked is None else asked, total_steps)
    if step <= warmup:
        return training.learning_rate * step / warmup
    if training.schedule == "constant":
        return training.learning_rate
    progress = (step - 1 - warmup) / max(1, total_steps - warmup)
    share = 1 - progress if training.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * progress))
    return training.learning_rate * max(0.0, share)
