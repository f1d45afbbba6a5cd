"""Writes the value head of a trainer that saves with torch: the file LLaMA-Factory leaves beside a model.

python tests/goldens/checkpoints.py
"""
import json
from pathlib import Path

import torch

OUT = Path(__file__).parent / "checkpoints"
OUT.mkdir(exist_ok=True)
torch.manual_seed(3)
head = {"v_head.summary.weight": torch.randn(1, 16), "v_head.summary.bias": torch.randn(1)}
torch.save(head, OUT / "value_head.bin")
# and one that is no state dict of tensors: it must be refused, not run
torch.save({"v_head.summary.weight": Path("x")}, OUT / "value_head_object.bin")
torch.save({"v_head.summary.weight": head["v_head.summary.weight"].half()}, OUT / "value_head_half.bin")
(OUT / "value_head.json").write_text(json.dumps({name: tensor.flatten().tolist() for name, tensor in head.items()}) + "\n")
