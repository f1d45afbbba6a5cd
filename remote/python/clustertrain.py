"""In: a job that trains. Out: Ray Train running it on its workers, with checkpoints that outlive them."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

import fsspec
import ray.train
from ray.train import Checkpoint, CheckpointConfig, FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchConfig, TorchTrainer
from ray.util.queue import Empty, Queue

from checked import JobError, checked
from events import Emit, print_event
from job import Job
from storage import join
from train import train as train_on_worker

#: Ray Train's own records and checkpoints of a run, below it.
_RECORDS = "ray"


class RaySession:
    """One of the workers of a run; its checkpoints are Ray's, which hands the newest to whoever starts again."""

    def __init__(self, emit: Emit, output: Path) -> None:
        context = ray.train.get_context()
        self.rank = context.get_world_rank()
        self.workers = context.get_world_size()
        self.emit = emit
        self.output = output

    def saved(self, checkpoint: Path) -> None:
        """Every worker brings its part: the first one the model, each its random numbers, under FSDP its shards."""
        ray.train.report({"step": int(checkpoint.name.split("-")[1])}, checkpoint=Checkpoint.from_directory(checkpoint))

    def resume_from(self) -> Path | None:
        checkpoint = ray.train.get_checkpoint()
        return Path(checkpoint.to_directory(self.output / "resumed")) if checkpoint else None


def train(job: Job) -> dict[str, Any]:
    """@returns the `done` event @throws JobError what no further try would mend"""
    storage = join(job.storage, job.run, _RECORDS)
    if not job.resume:
        _forget(storage)
    told = Queue(actor_options={"num_cpus": 0})
    listener = _Listener(told)
    resources = job.resources
    trainer = TorchTrainer(
        _work,
        train_loop_config={"job": dataclasses.asdict(job), "told": told},
        torch_config=TorchConfig(backend="nccl" if resources.gpus_per_worker else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=resources.workers,
            use_gpu=resources.gpus_per_worker > 0,
            resources_per_worker=_resources(job),
        ),
        run_config=RunConfig(
            name=_RECORDS,
            storage_path=join(job.storage, job.run),
            failure_config=FailureConfig(max_failures=resources.retries),
            checkpoint_config=CheckpointConfig(num_to_keep=2),
        ),
    )
    listener.start()
    try:
        trainer.fit()
    finally:
        listener.stop()
    if listener.last is None:
        raise JobError("training: expected its workers to finish, got no result; look at the log and run with --resume")
    if listener.last["event"] == "failed":
        raise JobError(listener.last["message"])
    return listener.last


def _resources(job: Job) -> dict[str, float]:
    asked = {"CPU": job.resources.cpus_per_worker, "GPU": job.resources.gpus_per_worker}
    return {name: count for name, count in asked.items() if count}


def _forget(storage: str) -> None:
    """Ray goes on with whatever run it finds there."""
    fs, path = fsspec.url_to_fs(storage)
    if fs.exists(path):
        fs.rm(path, recursive=True)


def _work(config: dict[str, Any]) -> None:
    """The program of each worker. What no further try would mend is told and not thrown, since Ray tries again."""
    job = checked(Job, config["job"], "job")
    folder = Path(__file__).resolve().parent
    output = Path(tempfile.mkdtemp(prefix="rewardbook-checkpoints-"))
    session = RaySession(config["told"].put, output)
    try:
        done = train_on_worker(job, folder, session)
        if session.rank == 0:
            session.emit(done)
    except JobError as error:
        if session.rank == 0:
            session.emit({"event": "failed", "message": str(error)})
    finally:
        shutil.rmtree(output, ignore_errors=True)


class _Listener(threading.Thread):
    """Prints what the workers tell, in the program that was submitted: what a worker prints Ray may drop or repeat."""

    def __init__(self, told: Queue) -> None:
        super().__init__(daemon=True)
        self._told = told
        self._stopping = threading.Event()
        self._starts = 0
        self.last: dict[str, Any] | None = None

    def run(self) -> None:
        while True:
            try:
                self._hear(self._told.get(timeout=0.2))
            except Empty:
                if self._stopping.is_set():
                    return

    def _hear(self, event: dict[str, Any]) -> None:
        if event["event"] in ("done", "failed"):
            self.last = event
            return
        if event["event"] == "start":
            self._starts += 1
            if self._starts > 1:
                print_event({"event": "retry", "attempt": self._starts, "from_step": event["resumed_from_step"]})
        print_event(event)

    def stop(self) -> None:
        """Waits until everything that was told is printed."""
        self._stopping.set()
        self.join()
