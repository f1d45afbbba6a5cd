"""Runs the Python lines of model cards as they are shipped, and the value heads of other trainers as those define them.

python card.py DIR    cases.json and checkpoints in DIR; prints {name: scores}
"""
import json
import os
import sys
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
import torch
import transformers

transformers.logging.set_verbosity_error()
WORK = Path(sys.argv[1])
CASES = json.loads((WORK / "cases.json").read_text())


def card_scores(path):
    """Only DIR is filled in."""
    lines = (path / "README.md").read_text().split("```python\n")[1].split("```")[0]
    names = {}
    exec(lines.replace("DIR", repr(str(path))), names)
    return [names["reward"](case["prompt"], case["response"]) for case in CASES]


def value_head_scores(path):
    """OpenRLHF: a linear layer without bias on the token at the mask's end, (r - mean) / std where the configuration asks.
    LLaMA-Factory: hidden_states[-1] through v_head.summary, at the mask's end."""
    from safetensors.torch import load_file
    from transformers import AutoModel, AutoTokenizer

    config = json.loads((path / "config.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(path, split_special_tokens=True)
    trunk = AutoModel.from_pretrained(path).float().eval()
    weights = load_file(path / "model.safetensors")
    if (path / "value_head.bin").exists():
        weights |= torch.load(path / "value_head.bin")
    if (path / "value_head.safetensors").exists():
        weights |= load_file(path / "value_head.safetensors")
    module = next(m for m in ("v_head.summary", config.get("value_head_prefix", "value_head"), "score") if f"{m}.weight" in weights)
    head = torch.nn.Linear(config["hidden_size"], 1)
    head.load_state_dict(dict(weight=weights[f"{module}.weight"].float(), bias=weights.get(f"{module}.bias", torch.zeros(1)).float()))
    scores = []
    for case in CASES:
        ids = tokenizer(case["prompt"] + " " + case["response"], truncation=True, max_length=39)["input_ids"] + [tokenizer.eos_token_id]
        with torch.no_grad():
            reward = head(trunk(torch.tensor([ids])).last_hidden_state[0, -1]).item()
        if config.get("normalize_reward"):
            reward = (reward - config["mean"]) / config["std"]
        scores.append(reward)
    return scores


result = {path.name: card_scores(path) for path in sorted((WORK / "cards").iterdir())}
result |= {path.name: value_head_scores(path) for path in sorted((WORK / "value_heads").iterdir())}
print(json.dumps(result))
