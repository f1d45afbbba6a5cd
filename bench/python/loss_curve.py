"""torch's loss curve over given batches, in f32 and without dropout. unit = one epoch."""
import json

import torch
from transformers import AutoModelForSequenceClassification

from side import adamw, padded, serve, without_dropout


def setup(settings):
    model = AutoModelForSequenceClassification.from_pretrained(settings["model"], num_labels=1)
    without_dropout(model)
    model.train()
    tokens = json.load(open(settings["tokens"]))
    updates = json.load(open(settings["updates"]))
    optimizer = adamw(model, settings["learning_rate"])

    def unit():
        losses = []
        for rows in updates:
            ids, mask = padded([tokens[2 * row] for row in rows] + [tokens[2 * row + 1] for row in rows])
            scores = model(input_ids=ids, attention_mask=mask).logits[:, 0]
            loss = -torch.nn.functional.logsigmoid(scores[: len(rows)] - scores[len(rows) :]).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        return {
            "tokens": sum(map(len, tokens)), "updates": len(updates), "pairs": len(tokens) // 2, "loss": sum(losses) / len(losses),
            **{f"loss_{k + 1}": loss for k, loss in enumerate(losses)},
        }

    return unit


serve(setup)
