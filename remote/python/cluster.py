"""In: a job, on a node of a Ray cluster. Out: the job done by the cluster's workers, which may die on the way."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray

from clusterscore import score
from clustertrain import train
from handback import offer_over_the_head
from job import Job
from storage import resolve

#: Where a job without shared storage keeps its checkpoints, on the head.
_OWN_STORAGE = Path(tempfile.gettempdir(), "rewardbook-storage")
_SUBMITTED = "RAY_JOB_CONFIG_JSON_ENV_VAR"


def run(job: Job, folder: Path) -> dict[str, Any]:
    """@param folder of the job, which this program lies in too @returns the `done` event"""
    # A submitted job has been given its working directory; one started by hand takes the folder along.
    environment = None if _SUBMITTED in os.environ else {"working_dir": str(folder)}
    ray.init(address="auto", runtime_env=environment, log_to_driver=True)
    job = replace(job, storage=resolve(job.storage or str(_OWN_STORAGE), folder))
    done = train(job) if job.kind == "train" else score(job, folder)
    return {**done, "files": offer_over_the_head(job, done["files"])} if job.return_files else done
