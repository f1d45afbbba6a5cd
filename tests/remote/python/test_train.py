"""A training in one process against the same one written out in plain PyTorch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import write_job
from transformers import AutoModelForSequenceClassification

import main


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = capsys.readouterr().out.splitlines()
    return [json.loads(line[len("rewardbook ") :]) for line in lines if line.startswith("rewardbook ")]


def run(job: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main.main([str(job), "--local"]) == 0
    return events(capsys)


def reward(model: torch.nn.Module, ids: list[int]) -> torch.Tensor:
    return model(input_ids=torch.tensor([ids])).logits[0, 0]


def by_hand(folder: Path, updates: list[list[int]], rates: list[float]) -> tuple[list[float], torch.nn.Module]:
    """Text by text, without padding: mean over the pairs of an update, clip, AdamW without decay on norms."""
    model = AutoModelForSequenceClassification.from_pretrained(folder / "model", dtype=torch.float32)
    pairs = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    plain = [parameter for name, parameter in model.named_parameters() if "norm" in name]
    decaying = [parameter for name, parameter in model.named_parameters() if "norm" not in name]
    optimizer = torch.optim.AdamW([{"params": decaying, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}])
    losses = []
    for update, rate in zip(updates, rates, strict=True):
        total = torch.zeros(())
        for row in update:
            chosen, rejected = (reward(model, pairs[row][f"{side}_input_ids"]) for side in ("chosen", "rejected"))
            shifted = chosen - rejected - (pairs[row]["margin"] or 0.0)
            smooth = 0.9 * -torch.log(torch.sigmoid(shifted)) + 0.1 * -torch.log(torch.sigmoid(-shifted))
            total = total + pairs[row]["weight"] * smooth + 0.01 * (chosen + rejected) ** 2
        loss = total / len(update)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        losses.append(loss.item())
    return losses, model


@pytest.mark.parametrize("tokens", [16384, 90])
def test_equals_plain_pytorch(folder: Path, capsys: pytest.CaptureFixture[str], tokens: int) -> None:
    found = run(write_job(folder, batch_tokens=tokens), capsys)
    steps = [event for event in found if event["event"] == "step"]
    assert [step["pairs"] for step in steps] == [8, 8, 8, 8, 8, 3] * 2
    assert [step["epoch"] for step in steps] == [1] * 6 + [2] * 6
    order = [torch.randperm(43, generator=torch.Generator().manual_seed(1_000_003 + epoch)).tolist() for epoch in (0, 1)]
    updates = [rows[start : start + 8] for rows in order for start in range(0, 43, 8)]
    losses, model = by_hand(folder, updates, [step["learning_rate"] for step in steps])
    assert [step["loss"] for step in steps] == pytest.approx(losses, abs=2e-5)
    done = found[-1]
    texts = [json.loads(line) for line in (folder / "probe.jsonl").read_text().splitlines()]
    expected = [reward(model, text["input_ids"]).item() for text in texts]
    assert [score for _, score in done["probe"]] == pytest.approx(expected, abs=1e-4)
    tokens_read = sum(len(ids) for ids in all_ids(folder / "train.jsonl"))
    assert steps[-1]["num_tokens"] == 2 * tokens_read


def all_ids(file: Path) -> list[list[int]]:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return [row[f"{side}_input_ids"] for row in rows for side in ("chosen", "rejected")]


def test_validation_is_that_of_all_pairs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(write_job(folder, training={"evaluate_every_steps": 4}), capsys)
    validations = [event for event in found if event["event"] == "validation"]
    assert [(event["step"], event["when"]) for event in validations] == [
        (4, "step"),
        (6, "epoch"),
        (8, "step"),
        (12, "epoch"),
    ]
    model = AutoModelForSequenceClassification.from_pretrained(folder / "results/tried/model")
    texts = all_ids(folder / "val.jsonl")
    expected = [[reward(model, ids).item() for ids in texts[at : at + 2]] for at in range(0, len(texts), 2)]
    flat = [score for pair in validations[-1]["rewards"] for score in pair]
    assert flat == pytest.approx([score for pair in expected for score in pair], abs=1e-4)
    correct = sum(chosen > rejected for chosen, rejected in expected)
    assert validations[-1]["accuracy"] == pytest.approx(correct / 13)


def test_adapters_are_folded_into_the_checkpoint(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lora = {"rank": 2, "alpha": 4, "dropout": 0.0, "target_modules": None}
    found = run(write_job(folder, training={"lora": lora, "learning_rate": 0.05}), capsys)
    base = AutoModelForSequenceClassification.from_pretrained(folder / "model").state_dict()
    tuned = AutoModelForSequenceClassification.from_pretrained(folder / "results/tried/model").state_dict()
    changed = {name for name in base if not torch.equal(base[name], tuned[name])}
    projections = {f"model.layers.{layer}.self_attn.{name}_proj.weight" for layer in (0, 1) for name in "qv"}
    assert changed == projections | {"score.weight"}
    validated = [event for event in found if event["event"] == "validation"][-1]["rewards"][0]
    model = AutoModelForSequenceClassification.from_pretrained(folder / "results/tried/model")
    first = all_ids(folder / "val.jsonl")[:2]
    assert [reward(model, ids).item() for ids in first] == pytest.approx(validated, abs=1e-4)


def test_a_diverging_training_is_told_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = write_job(folder, training={"learning_rate": 1e20, "clip_norm": None, "warmup_ratio": 0.0})
    assert main.main([str(job), "--local"]) == 1
    assert "expected a finite loss" in events(capsys)[-1]["message"]
