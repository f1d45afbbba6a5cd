"""Writes small safetensors files with Python's own library, and the numbers that are in them.

Run in the reference environment: python tests/goldens/storage.py
"""
import json
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file

OUT = Path(__file__).parent / "storage"
OUT.mkdir(exist_ok=True)
torch.manual_seed(3)

odd = torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 6.0e-8, 1e-5, 3.4e38, float("inf"), float("-inf"), 1 / 3, 1.00390625, 1.01171875])
tensors = {
    "encoder.weight": torch.randn(3, 5), "half": odd.clamp(-6e4, 6e4).half(), "brain": odd.bfloat16(), "double": torch.randn(4, dtype=torch.float64),
    "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 7), "__proto__": torch.ones(2), "ünïcödé 😀": torch.arange(3.0),
    "position_ids": torch.arange(6).view(1, 6), "flags": torch.tensor([True, False]),
}
save_file(tensors, OUT / "mixed.safetensors", metadata={"format": "pt", "note": "hé"})
floats = {name: t for name, t in tensors.items() if t.is_floating_point()}
expected = {name: dict(dtype=str(t.dtype), shape=list(t.shape), values=[float(v).hex() if abs(v) != float("inf") else str(float(v)) for v in t.float().flatten()]) for name, t in floats.items()}
# bfloat16 rounding of float32 numbers, ties and overflow included, as torch does it
f32 = torch.cat([torch.randn(500) * 10.0 ** torch.randint(-30, 30, (500,)), odd, torch.tensor([1 + 2**-8, 1 + 3 * 2**-8, 3.39e38, 1e-40, -1e-45])])
save_file({"f32": f32, "bf16": f32.bfloat16()}, OUT / "rounding.safetensors")
(OUT / "mixed.json").write_text(json.dumps(dict(versions=dict(safetensors=safetensors.__version__, torch=torch.__version__), tensors=expected), indent=1) + "\n")

# Mutated files, and whether Python opens them: each is a list of edits [offset, bytes removed, hex inserted] of one small file.
import random

from safetensors import safe_open
from safetensors.torch import load

random.seed(11)
base_tensors = {"a": torch.tensor([1.0, -2.0]), "bb": torch.tensor([[0.5]]).half(), "c": torch.tensor([3.0]).bfloat16(), "n": torch.tensor([7], dtype=torch.int64)}
save_file(base_tensors, OUT / "small.safetensors", metadata={"format": "pt"})
base = (OUT / "small.safetensors").read_bytes()
header_end = 8 + int.from_bytes(base[:8], "little")
WORDS = [b"0", b"-", b"9", b"1e", b".5", b"99999999999999999999", b'"a"', b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"null", b"F64", b"BOOL", b"\x00", b"\xff", b" ", b"I8"]
cases = []
for i in range(4000):
    data, edits = bytearray(base), []
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        kind = random.random()
        limit = header_end if random.random() < 0.85 else len(data)
        at = random.randrange(min(limit, len(data)))
        if kind < 0.45:
            edit = (at, 1, bytes([data[at] ^ (1 << random.randrange(8))]))
        elif kind < 0.65:
            digits = [j for j in range(8, min(header_end, len(data))) if 48 <= data[j] <= 57]
            at = random.choice(digits) if digits else at
            edit = (at, 1, str(random.randrange(10)).encode())
        elif kind < 0.85:
            edit = (at, random.choice([0, 1, 1, 3]), random.choice(WORDS))
        elif kind < 0.93:
            edit = (at, len(data) - at, b"")
        else:
            edit = (len(data), 0, bytes(random.randrange(1, 9)))
        at, removed, inserted = edit
        data[at : at + removed] = inserted
        # half the time the header's length follows, so that the damage lies deeper
        edits.append([at, removed, inserted.hex()])
        if random.random() < 0.5 and 8 <= at < header_end and len(inserted) != removed and len(data) > 8:
            length = max(0, int.from_bytes(data[:8], "little") + len(inserted) - removed)
            data[:8] = (length % 2**64).to_bytes(8, "little")
            edits.append([0, 8, bytes(data[:8]).hex()])
        if len(data) < 9:
            break
    try:
        opened = {name: [t.double().flatten().tolist()] for name, t in load(bytes(data)).items() if t.is_floating_point()}
        verdict = {name: [str(v) for v in values[0]] for name, values in opened.items()}
    except Exception:
        verdict = None
    cases.append([edits, verdict])
print("accepted", sum(v is not None for _, v in cases), "of", len(cases))
(OUT / "mutations.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
