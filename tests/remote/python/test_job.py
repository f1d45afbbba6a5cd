"""A job that cannot run says which field is at fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from checked import JobError
from conftest import write_job
from job import read_job


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "tune"}, "job.json.kind: expected 'train' or 'score', got 'tune'"),
        ({"training": {"epochs": "two"}}, "job.json.training.epochs: expected int, got 'two'"),
        ({"training": {"epochs": True}}, "job.json.training.epochs: expected int, got True"),
        ({"training": {"clip_norm": []}}, "job.json.training.clip_norm: expected a number, got []"),
        ({"trainig": {}}, "got 'trainig' as well"),
        ({"model": {"path": "model"}}, "job.json.model: expected 'pad_token_id', got no such field"),
        ({"training": {"lora": {"rank": 2, "alpha": 4, "target_modules": [1]}}}, "lora.target_modules[0]: expected str"),
        ({"resources": {"workers": 9}}, "batch_pairs: expected at least one pair for each of 9 workers, got 8"),
    ],
)
def test_names_the_field(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(JobError) as caught:
        read_job(write_job(tmp_path, **changes))
    assert said in str(caught.value)


def test_takes_null_where_a_field_may_be_left_out(tmp_path: Path) -> None:
    job = read_job(write_job(tmp_path, training={"clip_norm": None, "lora": None, "max_steps": None}))
    assert job.training is not None and job.training.clip_norm is None and job.training.adam_betas == [0.9, 0.999]
