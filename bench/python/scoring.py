"""transformers' side of scoring: batches of 32 sorted by length, in bf16 or f32."""
import json
import statistics
import time

import torch
from transformers import AutoModelForSequenceClassification

from side import padded, serve


def setup(settings):
    dtype = torch.bfloat16 if settings["bf16"] else torch.float32
    model = AutoModelForSequenceClassification.from_pretrained(settings["model"], num_labels=1, attn_implementation=settings["attention"])
    model = model.to(dtype).eval()
    tokens = json.load(open(settings["tokens"]))
    order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
    total = sum(map(len, tokens))

    @torch.inference_mode()
    def one_pair_ms(pairs=20):
        alone = []
        for pair in range(min(pairs, len(tokens) // 2)):
            rows = tokens[2 * pair : 2 * pair + 2]
            model(*padded(rows, settings.get("pad_id", 0)))
            began = time.perf_counter()
            ids, mask = padded(rows, settings.get("pad_id", 0))
            model(input_ids=ids, attention_mask=mask)
            alone.append(1000 * (time.perf_counter() - began))
        return statistics.median(alone)

    alone = {"one_pair_ms": one_pair_ms()} if settings.get("latency") else {}

    @torch.inference_mode()
    def unit():
        scores = torch.zeros(len(tokens))
        for start in range(0, len(order), settings["batch_size"]):
            rows = order[start : start + settings["batch_size"]]
            ids, mask = padded([tokens[row] for row in rows], settings.get("pad_id", 0))
            scores[rows] = model(input_ids=ids, attention_mask=mask).logits[:, 0].float()
        return {"tokens": total, "pairs": len(tokens) // 2, "margin": (scores[0::2] - scores[1::2]).mean().item(), **alone}

    return unit


serve(setup)
