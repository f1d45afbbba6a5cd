"""Learning rates against transformers' own schedules, one step earlier in the warm-up as ours are."""

from __future__ import annotations

import pytest
import torch
from job import Training
from schedule import learning_rate_at
from transformers import get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup


def rates(make: object, steps: int, **options: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedule = make(optimizer, **options)  # type: ignore[operator]
    found = []
    for _ in range(steps + 1):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize(
    ("name", "make", "total"),
    [
        ("linear", get_linear_schedule_with_warmup, {"num_training_steps": 20}),
        ("cosine", get_cosine_schedule_with_warmup, {"num_training_steps": 20}),
        ("constant", get_constant_schedule_with_warmup, {}),
    ],
)
def test_equals_transformers(name: str, make: object, total: dict[str, int]) -> None:
    training = Training(epochs=1, learning_rate=0.5, batch_pairs=1, seed=1, schedule=name, warmup_ratio=0.2)  # type: ignore[arg-type]
    theirs = rates(make, 20, num_warmup_steps=4, **total)
    ours = [learning_rate_at(step, 20, training) for step in range(1, 21)]
    assert ours[:4] == pytest.approx(theirs[1:5])
    assert ours[4:] == pytest.approx(theirs[4:20])
