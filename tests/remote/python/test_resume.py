"""A training that is killed and goes on ends where one that was left alone ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import torch
from conftest import PROGRAM, write_job
from safetensors.torch import load_file
from session import LocalSession

import main


def final(folder: Path, run: str) -> dict[str, torch.Tensor]:
    return load_file(folder / "results" / run / "model" / "model.safetensors")


def test_killed_and_resumed_equals_undisturbed(folder: Path) -> None:
    settings = {"epochs": 3}
    assert main.main([str(write_job(folder, run="whole", training=settings)), "--local"]) == 0
    job = write_job(folder, run="killed", training=settings)
    with subprocess.Popen(
        [sys.executable, str(PROGRAM / "main.py"), str(job), "--local"], stdout=subprocess.PIPE, text=True
    ) as running:
        for line in running.stdout or []:
            if '"event": "step", "step": 11' in line:
                os.kill(running.pid, signal.SIGKILL)
                break
    assert not (folder / "results/killed/model").exists()
    assert main.main([str(write_job(folder, run="killed", resume=True, training=settings)), "--local"]) == 0
    whole, killed = final(folder, "whole"), final(folder, "killed")
    assert all(torch.equal(whole[name], killed[name]) for name in whole)


def test_a_torn_checkpoint_is_passed_over(tmp_path: Path) -> None:
    session = LocalSession(tmp_path, resume=True)
    for step in (3, 6, 12):
        checkpoint = tmp_path / f"checkpoint-{step}"
        checkpoint.mkdir()
        (checkpoint / "model.safetensors").write_bytes(b"weights")
        session.saved(checkpoint)
    (tmp_path / "checkpoint-12" / "model.safetensors").write_bytes(b"wei")
    (tmp_path / "checkpoint-15").mkdir()
    assert session.resume_from() == tmp_path / "checkpoint-6"
    assert LocalSession(tmp_path, resume=False).resume_from() is None
