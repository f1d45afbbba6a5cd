"""Writes engine/adamw.json: three steps of torch's AdamW with clipped gradients (torch 2.13.0)."""
import json
import pathlib
import torch

torch.manual_seed(0)
LEARNING_RATE, WEIGHT_DECAY, CLIP = 0.01, 0.1, 1.5
parameters = {"a.weight": torch.nn.Parameter(torch.randn(3, 4)), "a.bias": torch.nn.Parameter(torch.randn(4))}
start = {name: p.tolist() for name, p in parameters.items()}
groups = [{"params": [parameters["a.weight"]], "weight_decay": WEIGHT_DECAY}, {"params": [parameters["a.bias"]], "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=LEARNING_RATE)
steps = []
for scale in (0.1, 1.0, 3.0):  # below the clip, about it, above it
    gradients = {name: torch.randn_like(p) * scale for name, p in parameters.items()}
    for name, p in parameters.items():
        p.grad = gradients[name].clone()
    norm = torch.nn.utils.clip_grad_norm_(parameters.values(), CLIP).item()
    optimizer.step()
    steps.append({"gradients": {n: g.tolist() for n, g in gradients.items()}, "norm": norm, "weights": {n: p.tolist() for n, p in parameters.items()}})
out = {"torch": torch.__version__, "lr": LEARNING_RATE, "weight_decay": WEIGHT_DECAY, "clip": CLIP, "start": start, "steps": steps}
path = pathlib.Path(__file__).parent / "engine" / "adamw.json"
path.write_text(json.dumps(out) + "\n")
