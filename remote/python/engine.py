"""In: a job that scores. Out: what scores its rows on this worker: vLLM where it is there and pools as we do, or transformers."""

from __future__ import annotations

import importlib
import importlib.util
import traceback
from pathlib import Path
from typing import Any, Protocol

from checked import JobError
from job import Job
from score import Scorer
from vllmscore import VllmScorer, not_pooled


class RowScorer(Protocol):
    """Scores rows; `engine` names the library that does, with its version."""

    engine: str

    def scores(self, rows: list[dict[str, Any]]) -> list[float]:
        """One score a row, in their order."""


def open_scorer(job: Job, folder: Path) -> RowScorer:
    """@throws JobError where vLLM was asked for and cannot score this model here"""
    hindrance = None if job.engine == "transformers" else _hindrance(job, folder)
    if job.engine == "vllm" and hindrance is not None:
        raise JobError(f"--engine vllm: {hindrance}, or use --engine transformers")
    if job.engine == "transformers" or hindrance is not None:
        return Scorer(job.model, folder, job.batch_tokens)
    return VllmScorer(job.model, folder, job.batch_tokens, job.longest)


def _hindrance(job: Job, folder: Path) -> str | None:
    """Why vLLM does not score this job here; what is installed but broken leaves its traceback in the log."""
    if importlib.util.find_spec("vllm") is None:
        return "expected vllm on every worker, got a Python without it; install it there (pip install vllm)"
    refused = not_pooled(job.model, folder)
    if refused is not None:
        return f"expected a causal reward model that vLLM pools as transformers does, {refused}; leave --engine out"
    try:
        importlib.import_module("vllm")
    except Exception as error:  # Whatever its compiled parts throw.
        traceback.print_exc()
        return f"expected vllm to be importable, got {type(error).__name__}: {error}; install it again"
    return None
