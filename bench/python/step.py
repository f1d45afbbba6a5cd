"""torch's side of one training step: forward, Bradley-Terry loss, backward, clipped AdamW, all weights, on fixed token ids."""
import json

import torch
from transformers import AutoModelForSequenceClassification

from side import adamw, serve, without_dropout


def setup(settings):
    model = AutoModelForSequenceClassification.from_pretrained(settings["model"], num_labels=1, attn_implementation=settings["attention"])
    without_dropout(model)
    model.train()
    batch = json.load(open(settings["batch"]))
    ids, mask = torch.tensor(batch["ids"]), torch.tensor(batch["mask"])
    pairs = ids.shape[0] // 2
    optimizer = adamw(model, settings["learning_rate"])

    def unit():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=settings["bf16"]):
            scores = model(input_ids=ids, attention_mask=mask).logits[:, 0].float()
        loss = -torch.nn.functional.logsigmoid(scores[:pairs] - scores[pairs:]).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return {"tokens": int(mask.sum()), "updates": 1, "loss": loss.item(), "parameters": sum(p.numel() for p in model.parameters())}

    return unit


serve(setup)
