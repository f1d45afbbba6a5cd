"""Reads scored RewardBench rows from stdin, prints what the reference implementation makes of them.

Runs the functions of the installed package `rewardbench` themselves, taken out of its source by name: importing the
whole package would pull in models and chat servers that have no part in scoring.
"""

import ast
import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd

package = Path(importlib.util.find_spec("rewardbench").submodule_search_locations[0])


class Dataset(list):
    """As much of `datasets.Dataset` as the two functions use."""

    def to_pandas(self):
        return pd.DataFrame(list(self))

    @classmethod
    def from_pandas(cls, frame):
        return cls(frame.to_dict("records"))

    @classmethod
    def from_dict(cls, columns):
        return cls(dict(zip(columns, values)) for values in zip(*columns.values()))


def take(file, names, scope):
    tree = ast.parse((package / file).read_text())
    tree.body = [
        node for node in tree.body
        if getattr(node, "name", None) in names
        or (isinstance(node, ast.Assign) and node.targets[0].id in names)
    ]
    assert len(tree.body) == len(names), f"{file}: expected {names}"
    exec(compile(tree, file, "exec"), scope)


reference = {"np": np, "pd": pd, "math": math, "Dataset": Dataset}
take("constants.py", {"EXAMPLE_COUNTS", "SUBSET_MAPPING"}, reference)
take("utils.py", {"calculate_scores_per_section", "sample_stats", "process_single_model", "reroll_and_score_dataset"}, reference)


def version_1(rows):
    """rewardbench.py: accuracy by subset, then sections."""
    results = [1 if row["chosen"] > row["rejected"] else 0 for row in rows]
    subsets = np.array([row["subset"] for row in rows])
    grouped = {}
    for subset in np.unique(subsets):
        own = [result for result, name in zip(results, subsets) if name == subset]
        grouped[str(subset)] = sum(own) / len(own)
    sections = reference["calculate_scores_per_section"](reference["EXAMPLE_COUNTS"], reference["SUBSET_MAPPING"], grouped)
    return {"accuracy": sum(results) / len(results), "subsets": grouped, "sections": sections}


def version_2(rows):
    """scripts/run_v2.py: best of n by subset, Ties by its own score."""
    unrolled = Dataset(
        {"text": "", "scores": score, "id": row["id"], "subset": row["subset"]} for row in rows for score in row["scores"]
    )
    rolled = reference["reroll_and_score_dataset"](unrolled, [len(row["scores"]) for row in rows])
    for row, given in zip(rolled, rows):
        row["num_correct"] = given["numCorrect"]
    grouped = {}
    for subset in np.unique([row["subset"] for row in rows]):
        own = Dataset(row for row in rolled if row["subset"] == subset)
        if subset.lower() == "ties":
            grouped[str(subset)] = float(reference["process_single_model"](own)[1])
        else:
            grouped[str(subset)] = sum(row["results"] for row in own) / len(own)
    return {"subsets": grouped}


asked = json.load(sys.stdin)
print(json.dumps({"version1": [version_1(rows) for rows in asked["version1"]],
                  "version2": [version_2(rows) for rows in asked["version2"]]}))
