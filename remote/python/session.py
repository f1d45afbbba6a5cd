"""In: where a job runs. Out: what a worker needs to know of it: who it is, whom to tell, where its checkpoints go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from events import Emit, print_event

#: Written into a checkpoint when everything else of it is there.
_WHOLE = "whole.json"


class Session(Protocol):
    """One worker of a training, on a cluster or alone."""

    @property
    def rank(self) -> int: ...

    @property
    def workers(self) -> int: ...

    @property
    def emit(self) -> Emit: ...

    @property
    def output(self) -> Path:
        """Where Trainer writes its checkpoints, this worker's part of them."""

    def saved(self, checkpoint: Path) -> None:
        """Keeps a checkpoint that has just been written; every worker calls it."""

    def resume_from(self) -> Path | None:
        """The newest whole checkpoint of the run, if it has one and is to go on with it."""


@dataclass
class LocalSession:
    """The only worker of a job without a cluster."""

    output: Path
    resume: bool
    rank: int = 0
    workers: int = 1
    emit: Emit = field(default=print_event)

    def saved(self, checkpoint: Path) -> None:
        files = {file.name: file.stat().st_size for file in checkpoint.iterdir() if file.is_file()}
        (checkpoint / _WHOLE).write_text(json.dumps(files))

    def resume_from(self) -> Path | None:
        """Trainer writes in place, so a process that was killed can leave half a checkpoint: it is passed over."""
        if not self.resume:
            return None
        found = sorted(self.output.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
        return next((checkpoint for checkpoint in reversed(found) if _is_whole(checkpoint)), None)


def _is_whole(checkpoint: Path) -> bool:
    try:
        files = json.loads((checkpoint / _WHOLE).read_text())
        return all((checkpoint / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError):
        return False
