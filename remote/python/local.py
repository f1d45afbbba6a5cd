"""In: a job. Out: the same job done by this process alone, on its GPU if it has one."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine import open_scorer
from events import print_event
from job import Job
from session import LocalSession
from shards import finish, pending_shards, score_shard
from storage import join, resolve
from train import train


def run(job: Job, folder: Path) -> dict[str, Any]:
    """@returns the `done` event"""
    # TRL trains on one GPU in a process; several are a cluster's business.
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
    job = replace(job, storage=resolve(job.storage or "results", folder))
    if job.kind == "train":
        output = Path(job.storage, job.run, "checkpoints")
        return train(job, folder, LocalSession(output, job.resume))
    scorer = open_scorer(job, folder)
    scores = join(job.storage, job.run, "scores")
    rows = 0
    for shard in pending_shards(job, folder):
        receipt = score_shard(shard, scores, scorer)
        rows += receipt["rows"]
        print_event({"event": "progress", "shard": receipt["name"], "done": rows, "seconds": receipt["seconds"]})
    return finish(job, folder)
