"""Reads frontMatter.yaml, which lib/report/markdown.ts wrote, with PyYAML and huggingface_hub, and checks that every value
came through as it stands in frontMatter.json. Made with PyYAML 6.0.3 and huggingface_hub 0.36.2.

    python tests/goldens/report/frontMatter.py
"""
import json
import pathlib

import yaml
from huggingface_hub import ModelCard, ModelCardData

here = pathlib.Path(__file__).parent
expected = json.loads((here / "frontMatter.json").read_text(encoding="utf-8"))
text = (here / "frontMatter.yaml").read_text(encoding="utf-8")
assert yaml.safe_load(text) == expected, yaml.safe_load(text)
card = ModelCard(f"---\n{text}---\n# x\n")
assert isinstance(card.data, ModelCardData)
[result] = card.data.eval_results
assert (result.metric_type, result.metric_value, result.metric_args) == ("accuracy", 0.8125, {"ci95": [0.77, 0.85]})
print("equal")
