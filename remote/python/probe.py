"""In: a finished checkpoint and the probe texts. Out: their scores, which the command line compares with its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import fsspec
import torch

from job import Job
from score import Scorer
from storage import resolve


def probe_scores(job: Job, checkpoint: Path, folder: Path) -> list[tuple[str, float]]:
    """[id, score] of each probe text by the files of the checkpoint, in float32 whatever they are stored in."""
    scorer = Scorer(replace(job.model, path=str(checkpoint)), folder, job.batch_tokens, torch.float32)
    with fsspec.open(resolve(job.data.probe, folder), "rt", encoding="utf8") as lines:
        rows = [json.loads(line) for line in lines]
    return list(zip([row["id"] for row in rows], scorer.scores(rows), strict=True))
