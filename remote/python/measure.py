"""In: a machine with one GPU. Out: pairs and tokens a second, memory and MFU of a reward model of 1 B parameters there, as JSON.

    python measure.py [--updates N] [--tiny] [--only NAME] [--out FILE]

Weights are random and tokens are drawn: speed does not depend on them. Lengths are those of HH-RLHF's texts: log-normal,
median 170 tokens, cut at 1,024. Each row of the table is a job of its own, started as the command line starts one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForSequenceClassification

_LONGEST = 1024
_UPDATE_PAIRS = 64
_LORA = {"rank": 8, "alpha": 16, "dropout": 0.0, "target_modules": None}

#: What is measured, most wanted first: settings that differ from those of `_job`.
CASES: dict[str, dict[str, Any]] = {
    "full": {},
    "full, checkpointing, 65536 tokens a batch": {"gradient_checkpointing": True, "batch_tokens": 65536},
    "score": {"kind": "score", "batch_tokens": 65536},
    "lora": {"lora": _LORA},
    "lora, checkpointing, 65536 tokens a batch": {
        "lora": _LORA,
        "gradient_checkpointing": True,
        "batch_tokens": 65536,
    },
    "full, all texts 512 tokens": {"length": 512},
    "full, 8192 tokens a batch": {"batch_tokens": 8192},
    "full, float32": {"dtype": "float32", "updates": 8},
}
#: Fields of a case that are not settings of the training.
_OF_THE_JOB = ("length", "dtype", "updates", "kind", "batch_tokens")


def llama(tiny: bool) -> LlamaConfig:
    """The shape of Llama 3.2 1B, or one that a processor trains in seconds."""
    shape: dict[str, Any] = {
        "vocab_size": 128256,
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
    }
    small = {"vocab_size": 1000, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    shape |= {**small, "num_attention_heads": 4, "num_key_value_heads": 2} if tiny else {}
    return LlamaConfig(**shape, max_position_embeddings=2048, tie_word_embeddings=True, pad_token_id=0, num_labels=1)  # type: ignore[call-arg]


def write_model(folder: Path, tiny: bool) -> LlamaConfig:
    config = llama(tiny)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        torch.manual_seed(0)
        model = LlamaForSequenceClassification(config)
    model.bfloat16().save_pretrained(folder)
    del model
    torch.cuda.empty_cache()  # A job needs what this process would keep; does nothing without a GPU.
    return config


def write_rows(folder: Path, vocabulary: int, pairs: int, length: int | None, tiny: bool) -> None:
    random = torch.Generator().manual_seed(1)
    longest = 64 if tiny else _LONGEST

    def ids() -> list[int]:
        drawn = int(torch.empty(()).log_normal_(5.14, 0.65, generator=random))
        size = min(longest, length or max(16, drawn))
        return torch.randint(1, vocabulary, (size,), generator=random).tolist()

    def write(name: str, rows: list[dict[str, Any]]) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def pair(number: int) -> dict[str, Any]:
        return {"id": str(number), "chosen_input_ids": ids(), "rejected_input_ids": ids(), "weight": 1.0, "margin": None}

    write("train.jsonl", [pair(number) for number in range(pairs)])
    write("val.jsonl", [pair(number) for number in range(16)])
    write("probe.jsonl", [{"id": str(number), "input_ids": ids()} for number in range(4)])
    write("rows/00000.jsonl", [{"id": str(number), "input_ids": ids()} for number in range(2 * pairs)])


def job(case: dict[str, Any], updates: int, model: Path) -> dict[str, Any]:
    settings = {key: value for key, value in case.items() if key not in _OF_THE_JOB}
    training = {
        "epochs": 1,
        "max_steps": updates,
        "learning_rate": 1e-5,
        "batch_pairs": _UPDATE_PAIRS,
        "seed": 1,
        "save_every_steps": None,
        **settings,
    }
    return {
        "format": 1,
        "kind": case.get("kind", "train"),
        "run": "measured",
        "model": {"path": str(model), "pad_token_id": 0, "dtype": case.get("dtype", "bfloat16")},
        "storage": "results",
        "training": training,
        "batch_tokens": case.get("batch_tokens", 16384),
    }


def run_case(case: dict[str, Any], updates: int, model: Path, vocabulary: int, tiny: bool) -> dict[str, Any]:
    """The events that matter of one job, or the end of what it printed where it failed."""
    updates = min(updates, case.get("updates", updates))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_rows(folder, vocabulary, updates * _UPDATE_PAIRS, case.get("length"), tiny)
        (folder / "job.json").write_text(json.dumps(job(case, updates, model)))
        began = time.monotonic()
        main = Path(__file__).with_name("main.py")
        done = subprocess.run(
            [sys.executable, str(main), str(folder / "job.json"), "--local"], capture_output=True, text=True, check=False
        )
        wall = time.monotonic() - began
    events = [json.loads(line[11:]) for line in done.stdout.splitlines() if line.startswith("rewardbook ")]
    last = events[-1] if events else {"event": "failed", "message": "no event"}
    if last["event"] != "done":
        return {**last, "wall_seconds": wall, "log": (done.stdout + done.stderr)[-1500:]}
    shards = [event for event in events if event["event"] == "progress"]
    if shards:
        last["rows_per_second"] = shards[-1]["done"] / sum(shard["seconds"] for shard in shards)
    steps = [event for event in events if event["event"] == "step"]
    last = {key: value for key, value in last.items() if key not in ("probe", "files")}
    return {**last, "wall_seconds": wall, "step_seconds": [round(step["seconds"], 4) for step in steps]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=330, help="start no further case after so long")
    parser.add_argument("--tiny", action="store_true", help="a tiny shape, to try the program itself")
    parser.add_argument("--only", help="the cases whose names hold this")
    parser.add_argument("--out", type=Path, help="also write the result there, after every case")
    options = parser.parse_args()
    began = time.monotonic()
    cuda = torch.cuda.is_available()
    result: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "torch": torch.__version__,
        "updates": options.updates,
        "pairs_per_update": _UPDATE_PAIRS,
        "cases": {},
    }
    with tempfile.TemporaryDirectory() as made:
        model = Path(made, "model")
        config = write_model(model, options.tiny)
        result["write_model_seconds"] = time.monotonic() - began
        for name, case in CASES.items():
            if (options.only or "") not in name or time.monotonic() - began > options.seconds:
                continue
            result["cases"][name] = run_case(case, options.updates, model, config.vocab_size, options.tiny)
            print(json.dumps({name: result["cases"][name]}), flush=True)
            if options.out:
                options.out.write_text(json.dumps(result, indent=2))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
