"""In: job.json, as the command line wrote it. Out: what is asked, as typed data."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from checked import JobError, checked


@dataclass(frozen=True)
class Model:
    """The base model: a Hugging Face directory in the job's folder, on a path or at an fsspec address."""

    path: str
    pad_token_id: int
    num_labels: int = 1
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclass(frozen=True)
class Lora:
    """Adapters of rank r, scaled by alpha / r; no targets: the query and value projections."""

    rank: int
    alpha: float
    dropout: float = 0.0
    target_modules: list[str] | None = None


@dataclass(frozen=True)
class Training:
    """The settings of a training, by the names that the local one gives them."""

    epochs: int
    learning_rate: float
    batch_pairs: int
    seed: int
    max_steps: int | None = None
    weight_decay: float = 0.01
    adam_betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    adam_epsilon: float = 1e-8
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup_ratio: float = 0.1
    warmup_steps: int | None = None
    clip_norm: float | None = 1.0
    loss: Literal["bradley-terry", "scaled"] = "bradley-terry"
    label_smoothing: float = 0.0
    weighted_loss: bool = True
    centre_rewards: float | None = None
    dropout: bool = False
    lora: Lora | None = None
    gradient_checkpointing: bool = False
    fsdp: bool = False
    evaluate_every_steps: int | None = None
    save_every_steps: int | None = 100


@dataclass(frozen=True)
class Resources:
    """What Ray sets aside; `retries`: how many deaths of a worker a run outlives."""

    workers: int = 1
    gpus_per_worker: int = 0
    cpus_per_worker: int = 1
    retries: int = 3


@dataclass(frozen=True)
class Data:
    """Where the rows are: names in the job's folder, paths, or fsspec addresses."""

    train: str = "train.jsonl"
    validation: str = "val.jsonl"
    probe: str = "probe.jsonl"
    #: A folder of shards to score, *.jsonl or *.parquet.
    rows: str = "rows"


@dataclass(frozen=True)
class Job:
    """One hand-over: train a reward model, or score rows with one."""

    format: Literal[1]
    kind: Literal["train", "score"]
    run: str
    model: Model
    #: Path or fsspec address that every worker sees; empty: a folder of the head's own.
    storage: str
    submission_id: str = ""
    resume: bool = False
    return_files: bool = False
    training: Training | None = None
    resources: Resources = field(default_factory=Resources)
    data: Data = field(default_factory=Data)
    #: About the most padded tokens of one batch of a worker: what its memory is for.
    batch_tokens: int = 16384
    #: Who scores: vLLM where a worker has it and it pools the model as transformers does, or one of them by name.
    engine: Literal["auto", "transformers", "vllm"] = "auto"
    #: Tokens of the longest text to score; None: as many as the model has positions for.
    longest: int | None = None


def read_job(path: Path) -> Job:
    """@throws JobError naming the first field at fault"""
    job = checked(Job, json.loads(path.read_text("utf8")), "job.json")
    if job.kind == "train" and job.training is None:
        raise JobError("job.json: expected 'training' in a job that trains, got none; add it")
    if job.training is not None and job.training.batch_pairs < job.resources.workers:
        raise JobError(
            f"batch_pairs: expected at least one pair for each of {job.resources.workers} workers, got "
            f"{job.training.batch_pairs}; take a larger batch, or fewer workers"
        )
    return job
