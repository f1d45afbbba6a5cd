"""transformers' side of scoring one padded batch of any family, in bf16 autocast or f32."""
import json

import torch
from transformers import AutoModelForSequenceClassification

from side import serve


def setup(settings):
    model = AutoModelForSequenceClassification.from_pretrained(settings["model"], num_labels=1, attn_implementation=settings["attention"]).eval()
    batch = json.load(open(settings["batch"]))
    ids, mask = torch.tensor(batch["ids"]), torch.tensor(batch["mask"])
    parameters = sum(p.numel() for p in model.parameters())

    @torch.inference_mode()
    def unit():
        with torch.autocast("cpu", torch.bfloat16, enabled=settings["bf16"]):
            scores = model(input_ids=ids, attention_mask=mask).logits[:, 0].float()
        return {"tokens": int(mask.sum()), "parameters": parameters, **{f"score_{i}": score for i, score in enumerate(scores.tolist())}}

    return unit


serve(setup)
