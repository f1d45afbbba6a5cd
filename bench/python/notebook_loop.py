"""The usual notebook loop: chosen and rejected in two forwards, batches of 8, everything padded to the maximum length, f32."""
import json
import random

import torch
from transformers import AutoModelForSequenceClassification

from side import serve, without_dropout


def setup(settings):
    model = AutoModelForSequenceClassification.from_pretrained(settings["model"], num_labels=1)
    without_dropout(model)
    model.train()
    tokens = json.load(open(settings["tokens"]))
    width, size = settings["max_length"], settings["batch_size"]
    ids = torch.zeros(len(tokens), width, dtype=torch.long)
    mask = torch.zeros(len(tokens), width, dtype=torch.long)
    for row, text in enumerate(tokens):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    pairs = len(tokens) // 2
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings["learning_rate"], weight_decay=0.01)

    def unit():
        order = list(range(pairs))
        random.Random(0).shuffle(order)
        total, updates = 0.0, 0
        for start in range(0, pairs, size):
            rows = torch.tensor(order[start : start + size])
            chosen = model(input_ids=ids[2 * rows], attention_mask=mask[2 * rows]).logits[:, 0]
            rejected = model(input_ids=ids[2 * rows + 1], attention_mask=mask[2 * rows + 1]).logits[:, 0]
            loss = -torch.nn.functional.logsigmoid(chosen - rejected).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item() * len(rows) / pairs
            updates += 1
        return {"tokens": int(mask.sum()), "updates": updates, "loss": total, "pairs": pairs}

    return unit


serve(setup)
