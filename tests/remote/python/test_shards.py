"""Exactly one score a row, whatever is done twice, and only what is missing when a job goes on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
import torch
from conftest import write_job
from transformers import AutoModelForSequenceClassification

import main


def score(folder: Path, capsys: pytest.CaptureFixture[str], **changes: Any) -> list[dict[str, Any]]:
    assert main.main([str(write_job(folder, kind="score", **changes)), "--local"]) == 0
    return [json.loads(line[11:]) for line in capsys.readouterr().out.splitlines() if line.startswith("rewardbook ")]


def rows_of(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "results/tried/scores").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def asked(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted((folder / "rows").iterdir()) for line in file.read_text().splitlines()]


def test_one_score_a_row_in_their_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = score(folder, capsys)[-1]
    model = AutoModelForSequenceClassification.from_pretrained(folder / "model")
    expected = [model(input_ids=torch.tensor([row["input_ids"]])).logits.item() for row in asked(folder)]
    found = rows_of(folder)
    assert [row["id"] for row in found] == [row["id"] for row in asked(folder)]
    assert [row["score"] for row in found] == pytest.approx(expected, abs=1e-5)
    assert done["rows"] == 60
    manifest = json.loads((folder / "results/tried/manifest.json").read_text())
    assert manifest["rows"] == 60
    for shard in manifest["shards"]:
        data = (folder / "results/tried/scores" / shard["name"]).read_bytes()
        assert (shard["bytes"], shard["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_goes_on_with_the_shards_that_have_no_receipt(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    score(folder, capsys)
    scores = folder / "results/tried/scores"
    whole = rows_of(folder)
    (scores / "00001.receipt.json").unlink()
    torn = (scores / "00001.jsonl").read_text()
    (scores / "00001.jsonl").write_text(torn[:50])
    found = score(folder, capsys, resume=True)
    assert [event["shard"] for event in found if event["event"] == "progress"] == ["00001.jsonl"]
    assert rows_of(folder) == whole


def test_reads_parquet_as_it_reads_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    score(folder, capsys)
    lines = rows_of(folder)
    for shard in sorted((folder / "rows").glob("*.jsonl")):
        rows = [json.loads(line) for line in shard.read_text().splitlines()]
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), shard.with_suffix(".parquet"))
        shard.unlink()
    score(folder, capsys)
    assert rows_of(folder) == lines


def test_a_folder_without_shards_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty").mkdir()
    job = write_job(folder, kind="score", data={"rows": "empty"})
    assert main.main([str(job), "--local"]) == 1
    assert "expected shards named" in capsys.readouterr().out
