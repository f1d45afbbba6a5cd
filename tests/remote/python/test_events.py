"""What is told of a failure, beside reports as Ray Train writes them."""

from __future__ import annotations

import pytest
from events import gist

MEMORY = """Training failed due to worker errors:
[Rank 1 Error Snippet]:
A worker health check failed.
Worker info: Worker(
  actor=Actor(RayTrainWorker, b6b72df2),
)
4 worker(s) were killed due to the node running low on memory. Memory on the node was 22.08GB used / 23.54GB limit
Object store memory usage: [- objects spillable: 1
Selected to kill: (Actor(2abafdf7): job ID=02000000)"""
THROWN = """Training failed due to worker errors:
[Rank 0 Error Snippet]:
Traceback (most recent call last):
  File "train.py", line 3, in work
    raise ValueError("inner")
ValueError: inner
The above exception was the direct cause of the following exception:
RuntimeError: batch 7 has no rows"""


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (MEMORY, "4 worker(s) were killed due to the node running low on memory. Memory on the node was 22.08GB used / 23.54GB limit"),
        (THROWN, "RuntimeError: batch 7 has no rows"),
    ],
)
def test_a_report_of_many_lines_is_told_in_one(report: str, said: str) -> None:
    assert gist(RuntimeError(report)) == f"RuntimeError: Training failed due to worker errors: {said}"


def test_one_line_stays_as_it_is() -> None:
    assert gist(ValueError("expected 3, got 4")) == "ValueError: expected 3, got 4"
    assert len(gist(ValueError("x" * 5000))) == 300
