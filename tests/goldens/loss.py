"""Goldens of the pair loss: PyTorch computes the formula of lib/loss.ts and its gradient by autograd.

Run in the reference environment: python tests/goldens/loss.py
"""
import json
import pathlib

import torch
import torch.nn.functional as F

CHOSEN = [2.0, 1.5, 3.0, 0.5, -120.0, 80.0]
REJECTED = [1.0, 1.0, 2.0, 1.0, 120.0, -80.0]
WEIGHTS = [1.0, 2.5, 1.0, 4.0, 1.0, 1.75]
MARGINS = [0.0, 0.5, 1.0, 0.25, 2.0, 1.5]


def pair_loss(chosen, rejected, weights, margins, kind, smoothing, centering):
    scaled = kind == "scaled"
    difference = chosen - rejected if scaled else chosen - rejected - margins
    core = (1 - smoothing) * F.softplus(-difference, threshold=1000) + smoothing * F.softplus(difference, threshold=1000)
    return (weights * margins if scaled else weights) * core + centering * (chosen + rejected) ** 2


cases = []
for kind in ("bradley-terry", "scaled"):
    for smoothing in (0.0, 0.1):
        for centering in (0.0, 0.01):
            chosen = torch.tensor(CHOSEN, dtype=torch.float64, requires_grad=True)
            rejected = torch.tensor(REJECTED, dtype=torch.float64, requires_grad=True)
            weights, margins = (torch.tensor(x, dtype=torch.float64) for x in (WEIGHTS, MARGINS))
            loss = pair_loss(chosen, rejected, weights, margins, kind, smoothing, centering)
            loss.sum().backward()
            cases.append(
                {
                    "kind": kind,
                    "labelSmoothing": smoothing,
                    "centering": centering,
                    "loss": loss.tolist(),
                    "chosenGradient": chosen.grad.tolist(),
                    "rejectedGradient": rejected.grad.tolist(),
                }
            )

golden = {
    "torch": torch.__version__,
    "chosen": CHOSEN,
    "rejected": REJECTED,
    "weights": WEIGHTS,
    "margins": MARGINS,
    "cases": cases,
}
path = pathlib.Path(__file__).with_name("loss.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
