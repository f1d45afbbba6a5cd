"""In: nothing. Out: the job's own modules on the path, and what several tests of them take."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).resolve().parents[3] / "remote" / "python"
sys.path.insert(0, str(PROGRAM))
os.environ["OMP_NUM_THREADS"] = "1"  # Tiny tensors: threads would wait for each other.


def write_lines(file: Path, rows: list[dict[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    """A job's folder: a tiny Llama, 43 pairs of weights 1 to 3, some with a margin, and 60 rows in three shards."""
    import torch
    from transformers import LlamaConfig, LlamaForSequenceClassification

    torch.manual_seed(0)
    shape = {"vocab_size": 60, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    config = LlamaConfig(**shape, **heads, max_position_embeddings=64, pad_token_id=0, num_labels=1)
    LlamaForSequenceClassification(config).save_pretrained(tmp_path / "model")
    drawn = random.Random(1)

    def ids() -> list[int]:
        return [drawn.randrange(1, 60) for _ in range(drawn.randrange(3, 20))]

    def pair(number: int) -> dict[str, Any]:
        margin = None if number % 3 else 0.5
        return {"chosen_input_ids": ids(), "rejected_input_ids": ids(), "weight": 1.0 + number % 3, "margin": margin}

    write_lines(tmp_path / "train.jsonl", [{"id": str(number), **pair(number)} for number in range(43)])
    write_lines(tmp_path / "val.jsonl", [{"id": str(number), **pair(number)} for number in range(13)])
    write_lines(tmp_path / "probe.jsonl", [{"id": str(number), "input_ids": ids()} for number in range(5)])
    for shard in range(3):
        rows = [{"id": f"{shard}-{number}", "input_ids": ids()} for number in range(20)]
        write_lines(tmp_path / "rows" / f"{shard:05d}.jsonl", rows)
    return tmp_path


def write_job(folder: Path, **changes: Any) -> Path:
    """job.json in the folder: three epochs of batches of 8 unless `changes` says otherwise."""
    training = {
        "epochs": 2,
        "learning_rate": 1e-2,
        "batch_pairs": 8,
        "seed": 1,
        "save_every_steps": 3,
        "label_smoothing": 0.1,
        "centre_rewards": 0.01,
    }
    job = {
        "format": 1,
        "kind": "train",
        "run": "tried",
        "model": {"path": "model", "pad_token_id": 0},
        "storage": str(folder / "results"),
        **changes,
        "training": training | changes.get("training", {}),
    }
    (folder / "job.json").write_text(json.dumps(job))
    return folder / "job.json"
