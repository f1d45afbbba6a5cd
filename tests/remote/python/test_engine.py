"""Who scores: the engine asked for or a clear refusal; vLLM's rewards are those of transformers, where vLLM is installed."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from conftest import PROGRAM, write_job, write_lines

import main

with_vllm = pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="needs vllm: RB_VLLM")
without_vllm = pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="needs a Python without vllm")
VOCABULARY, LONGEST = 60, 64


def test_transformers_by_name_and_said_in_receipts_and_manifest(folder: Path) -> None:
    assert main.main([str(write_job(folder, kind="score", engine="transformers")), "--local"]) == 0
    named = f"transformers {transformers.__version__}"
    assert json.loads((folder / "results/tried/manifest.json").read_text())["engines"] == [named]
    for receipt in (folder / "results/tried/scores").glob("*.receipt.json"):
        assert json.loads(receipt.read_text())["engine"] == named


@without_vllm
def test_vllm_asked_for_but_not_there_names_what_to_install(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([str(write_job(folder, kind="score", engine="vllm")), "--local"]) == 1
    assert "pip install vllm" in capsys.readouterr().out
    assert not list((folder / "results").glob("*/scores/*"))


@without_vllm
def test_where_vllm_breaks_a_job_goes_on_with_transformers_unless_vllm_was_asked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(folder, "Llama")
    (tmp_path / "vllm.py").write_text("raise OSError('libnuma.so.1: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert scored_by(folder, "auto")[1] == [f"transformers {transformers.__version__}"]
    with pytest.raises(AssertionError, match="--engine vllm: expected vllm to start, got OSError: libnuma"):
        scored_by(folder, "vllm")


def test_another_engine_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([str(write_job(folder, kind="score", engine="onnx")), "--local"]) == 1
    assert "expected 'auto' or 'transformers' or 'vllm', got 'onnx'" in capsys.readouterr().out


def write_model(folder: Path, family: str, **shape: Any) -> Path:
    """A tiny decoder whose rewards spread over several units, and a tokenizer, which vLLM wants to see."""
    from tokenizers import Tokenizer, models

    torch.manual_seed(0)
    common = {"vocab_size": VOCABULARY, "hidden_size": 128, "intermediate_size": 96, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": LONGEST}
    config = getattr(transformers, f"{family}Config")(**common, **heads, pad_token_id=0, num_labels=1, **shape)
    model = getattr(transformers, f"{family}ForSequenceClassification")(config)
    torch.nn.init.normal_(model.score.weight, std=0.3)
    model.save_pretrained(folder / "model")
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(VOCABULARY)}, unk_token="w1"))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, unk_token="w1", pad_token="w0")
    tokenizer.save_pretrained(folder / "model")
    return folder


def scored_by(folder: Path, engine: str, **changes: Any) -> tuple[list[float], list[str]]:
    """Scores and engines of a job in a process of its own: one holds one vLLM."""
    job = write_job(folder, kind="score", engine=engine, storage=str(folder / engine), **changes)
    words = [sys.executable, str(PROGRAM / "main.py"), str(job), "--local"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert all(line.startswith("rewardbook ") for line in done.stdout.splitlines() if "rewardbook" in line)
    files = sorted((folder / engine / "tried/scores").glob("*.jsonl"))
    scores = [json.loads(line)["score"] for file in files for line in file.read_text().splitlines()]
    return scores, json.loads((folder / engine / "tried/manifest.json").read_text())["engines"]


@with_vllm
@pytest.mark.parametrize(
    ("family", "shape"), [("Llama", {}), ("Mistral", {"sliding_window": 16}), ("Qwen2", {}), ("Qwen3", {"head_dim": 32})]
)
def test_vllm_scores_as_transformers(folder: Path, family: str, shape: dict[str, Any]) -> None:
    write_model(folder, family, **shape)
    drawn = random.Random(3)
    texts = [[drawn.randrange(VOCABULARY) for _ in range(1 + n % LONGEST)] for n in range(200)]
    # Padding inside a text, at its end, and nothing else: transformers reads the last token that is none.
    texts += [[5, 0, 7], [5, 7, 0, 0], [0, 0], [9] * LONGEST, [9] * (LONGEST - 1) + [0]]
    for file in (folder / "rows").iterdir():
        file.unlink()
    write_lines(folder / "rows/0.jsonl", [{"id": str(n), "input_ids": ids} for n, ids in enumerate(texts)])
    expected, _ = scored_by(folder, "transformers")
    # Left to itself it takes vLLM; steps smaller than a shard, so that their order counts.
    found, engines = scored_by(folder, "auto", longest=LONGEST, batch_tokens=256)
    assert len(engines) == 1 and engines[0].startswith("vllm ")
    assert found == pytest.approx(expected, abs=1e-4)
    assert max(expected) - min(expected) > 2 and min(expected) < 0 < max(expected)  # neither squashed nor constant


@with_vllm
def test_what_vllm_does_not_pool_as_we_do_is_left_to_transformers(folder: Path) -> None:
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(vocab_size=60, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, num_labels=1)
    BertForSequenceClassification(config).save_pretrained(folder / "model")
    assert scored_by(folder, "auto")[1] == [f"transformers {transformers.__version__}"]
    assert main.main([str(write_job(folder, kind="score", engine="vllm")), "--local"]) == 1
