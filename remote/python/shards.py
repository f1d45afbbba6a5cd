"""In: shards of rows. Out: a shard of scores for each, written whole or not at all, and a manifest of them."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet

from checked import JobError
from engine import RowScorer
from handback import file_list
from job import Job
from storage import MANIFEST, join, read_json, resolve, write_whole

_KINDS = (".jsonl", ".parquet")


def all_shards(job: Job, folder: Path) -> list[str]:
    """Addresses of the shards of rows, sorted. @throws JobError when there is none, or two would share their scores' name"""
    rows = resolve(job.data.rows, folder)
    fs, root = fsspec.url_to_fs(rows)
    shards = sorted(path for path in fs.ls(root, detail=False) if path.endswith(_KINDS))
    if not shards:
        raise JobError(f"{rows}: expected shards named *.jsonl or *.parquet, got none; check data.rows")
    names = [score_name(shard) for shard in shards]
    if len(set(names)) < len(names):
        raise JobError(f"{rows}: expected shards of different names, got two that differ in the ending alone; rename one")
    return [str(fs.unstrip_protocol(shard)) for shard in shards]


def pending_shards(job: Job, folder: Path) -> list[str]:
    """The shards that have no receipt yet: all of them, unless the job goes on with an earlier one."""
    shards = all_shards(job, folder)
    if not job.resume:
        return shards
    scores = join(job.storage, job.run, "scores")
    return [shard for shard in shards if read_json(join(scores, receipt_name(shard))) is None]


def score_name(shard: str) -> str:
    return f"{Path(shard).stem}.jsonl"


def receipt_name(shard: str) -> str:
    return f"{Path(shard).stem}.receipt.json"


def score_shard(shard: str, scores: str, scorer: RowScorer) -> dict[str, Any]:
    """Scores a shard, then writes its receipt, without which it does not count; done twice, it writes the same again."""
    began = time.monotonic()
    rows = read_rows(shard)
    lines = [
        json.dumps({"id": row["id"], "score": score}, allow_nan=False)
        for row, score in zip(rows, scorer.scores(rows), strict=True)
    ]
    data = "".join(f"{line}\n" for line in lines).encode()
    write_whole(join(scores, score_name(shard)), data)
    receipt = {
        "name": score_name(shard),
        "rows": len(rows),
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "engine": scorer.engine,
        "seconds": round(time.monotonic() - began, 3),
    }
    write_whole(join(scores, receipt_name(shard)), json.dumps(receipt).encode())
    return receipt


def read_rows(shard: str) -> list[dict[str, Any]]:
    """The rows of a shard: {"id", "input_ids", "token_type_ids"?}."""
    with fsspec.open(shard, "rb") as file:
        if shard.endswith(".parquet"):
            rows: list[dict[str, Any]] = pyarrow.parquet.read_table(file).to_pylist()
            return rows
        return [json.loads(line) for line in file if line.strip()]


def finish(job: Job, folder: Path) -> dict[str, Any]:
    """Writes the manifest over all receipts. @returns the `done` event @throws JobError when a shard has none"""
    scores = join(job.storage, job.run, "scores")
    shards = all_shards(job, folder)
    receipts = [read_json(join(scores, receipt_name(shard))) for shard in shards]
    missing = [shard for shard, receipt in zip(shards, receipts, strict=True) if receipt is None]
    if missing:
        raise JobError(f"{missing[0]}: expected its scores, got none ({len(missing)} such shards); run with --resume")
    rows = sum(receipt["rows"] for receipt in receipts if receipt)
    files = [{key: receipt[key] for key in ("name", "rows", "bytes", "sha256")} for receipt in receipts if receipt]
    engines = sorted({receipt["engine"] for receipt in receipts if receipt})
    manifest = json.dumps({"rows": rows, "engines": engines, "shards": files}, indent=2).encode()
    write_whole(join(job.storage, job.run, MANIFEST), manifest)
    listed = file_list(join(job.run, "scores"), files)
    whole = {"name": MANIFEST, "bytes": len(manifest), "sha256": hashlib.sha256(manifest).hexdigest()}
    listed["entries"] += file_list(job.run, [whole])["entries"]
    return {"event": "done", "rows": rows, "engines": engines, "scores": join(job.run, "scores"), "files": listed}
