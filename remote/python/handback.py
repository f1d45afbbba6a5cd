"""In: what a job has put on its storage. Out: a list of those files, and a way to fetch them where the storage is not shared."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import fsspec

from job import Job
from storage import join


def file_list(below: str, files: list[dict[str, Any]]) -> dict[str, Any]:
    """The files of a folder of the run, each with its path below the storage.

    @param below the folder, as from the storage
    """
    return {"entries": [{**file, "path": join(below, file["name"])} for file in files]}


def offer_over_the_head(job: Job, listed: dict[str, Any]) -> dict[str, Any]:
    """Lays copies among the logs of this node, from where the dashboard hands them out byte for byte.

    The storage of such a job is a folder of the head's own, which nobody else can read.
    """
    import ray

    logs = Path(ray._private.worker._global_node.get_logs_dir_path())  # type: ignore[attr-defined]
    folder = logs / f"rewardbook-{job.submission_id or job.run}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    entries = []
    for entry in listed["entries"]:
        fs, path = fsspec.url_to_fs(join(job.storage, entry["path"]))
        fs.get_file(path, str(folder / entry["name"]))
        entries.append({**entry, "log_file": f"{folder.name}/{entry['name']}"})
    return {"node_id": ray.get_runtime_context().get_node_id(), "entries": entries}
