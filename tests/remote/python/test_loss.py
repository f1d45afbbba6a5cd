"""The loss of a pair against the goldens that the engine's own loss is held to, and against literal arithmetic."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from job import Training
from loss import pair_losses

GOLDEN = json.loads((Path(__file__).resolve().parents[2] / "goldens" / "loss.json").read_text())


def training(**changes: object) -> Training:
    return Training(epochs=1, learning_rate=1e-3, batch_pairs=1, seed=1, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: f"{case['kind']} {case['labelSmoothing']} {case['centering']}")
def test_equals_the_engines_goldens(case: dict[str, object]) -> None:
    rewards = {side: torch.tensor(GOLDEN[side], dtype=torch.float64, requires_grad=True) for side in ("chosen", "rejected")}
    weights, margins = (torch.tensor(GOLDEN[name], dtype=torch.float64) for name in ("weights", "margins"))
    asked = training(loss=case["kind"], label_smoothing=case["labelSmoothing"], centre_rewards=case["centering"])
    losses = pair_losses(rewards["chosen"], rewards["rejected"], weights, margins, asked)
    losses.sum().backward()
    assert losses.tolist() == pytest.approx(case["loss"], rel=1e-9, abs=1e-12)
    for side in ("chosen", "rejected"):
        assert rewards[side].grad.tolist() == pytest.approx(case[f"{side}Gradient"], rel=1e-9, abs=1e-12)


def test_by_hand() -> None:
    # Δ − m = 2 − 1 − 0.5 = 0.5; ε = 0.2; w = 3; λ = 0.1: (2 + 1)² = 9
    softplus = {sign: math.log(1 + math.exp(sign * 0.5)) for sign in (-1, 1)}
    expected = 3 * (0.8 * softplus[-1] + 0.2 * softplus[1]) + 0.1 * 9
    one = [torch.tensor([value]) for value in (2.0, 1.0, 3.0, 0.5)]
    assert pair_losses(*one, training(label_smoothing=0.2, centre_rewards=0.1)).item() == pytest.approx(expected)


def test_weights_can_be_left_out() -> None:
    one = [torch.tensor([value]) for value in (2.0, 1.0, 3.0, 0.0)]
    assert pair_losses(*one, training(weighted_loss=False)).item() == pytest.approx(math.log(1 + math.exp(-1)))
