"""In: a job that scores. Out: Ray Data handing shards to actors that hold the model, until every shard has its scores."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import ray.data

from checked import checked
from engine import open_scorer
from events import print_event
from job import Job
from shards import all_shards, finish, pending_shards, score_shard
from storage import join


class ShardScorer:
    """One model on one worker. Where the worker dies, Ray gives its shard to another one, which writes the same."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = checked(Job, job, "job")
        self._scorer = open_scorer(self._job, Path(__file__).resolve().parent)

    def __call__(self, batch: dict[str, np.ndarray[Any, Any]]) -> dict[str, list[Any]]:
        scores = join(self._job.storage, self._job.run, "scores")
        receipts = [score_shard(shard, scores, self._scorer) for shard in batch["shard"]]
        return {name: [receipt[name] for receipt in receipts] for name in ("name", "rows")}


def score(job: Job, folder: Path) -> dict[str, Any]:
    """Scores the shards that have none yet. @returns the `done` event"""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    shards, pending = all_shards(job, folder), pending_shards(job, folder)
    print_event({"event": "start", "workers": job.resources.workers, "shards": len(shards), "pending": len(pending)})
    if pending:
        _score(job, pending)
    return finish(job, folder)


def _score(job: Job, shards: list[str]) -> None:
    resources = job.resources
    scored = ray.data.from_items([{"shard": shard} for shard in shards], override_num_blocks=len(shards)).map_batches(
        ShardScorer,
        fn_constructor_kwargs={"job": dataclasses.asdict(job)},
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=resources.workers),
        num_cpus=resources.cpus_per_worker,
        num_gpus=resources.gpus_per_worker or None,
    )
    rows = 0
    for receipt in scored.iter_rows():
        rows += receipt["rows"]
        print_event({"event": "progress", "shard": receipt["name"], "done": rows})
