"""In: a job that scores. Out: what scores its rows on this worker: vLLM where it is there and pools as we do, or transformers."""

from __future__ import annotations

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
    """Left to itself a job goes on with transformers where vLLM does not start; why stands in its log.

    @throws JobError where vLLM was asked for and cannot score this model here
    """
    if job.engine != "transformers":
        hindrance = _hindrance(job, folder)
        if hindrance is None:
            try:
                return VllmScorer(job.model, folder, job.batch_tokens, job.longest)
            except Exception as error:  # Whatever its compiled parts throw, when imported or when started.
                traceback.print_exc()
                hindrance = f"expected vllm to start, got {type(error).__name__}: {error}; mend it as its log says"
        if job.engine == "vllm":
            raise JobError(f"--engine vllm: {hindrance}, or use --engine transformers")
    return Scorer(job.model, folder, job.batch_tokens)


def _hindrance(job: Job, folder: Path) -> str | None:
    """Why vLLM is not tried."""
    if importlib.util.find_spec("vllm") is None:
        return "expected vllm on every worker, got a Python without it; install it there (pip install vllm)"
    refused = not_pooled(job.model, folder)
    if refused is not None:
        return f"expected a causal reward model that vLLM pools as transformers does, {refused}; leave --engine out"
    return None
