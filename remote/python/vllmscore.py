"""In: rows of token ids and a causal reward model. Out: one raw reward a row by vLLM's pooling runner, in their order."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch

from checked import JobError
from job import Model
from storage import local_copy

#: Causal decoders whose rewards vLLM was compared in with transformers; both read the last token through `score`.
POOLED = tuple(f"{name}ForSequenceClassification" for name in ("Llama", "Mistral", "Qwen2", "Qwen3"))

#: In this process, which ends with its worker; log lines away from our events; nothing sent anywhere; and on processors
#: the cores are Ray's to share out: vLLM would bind every worker to the same ones.
_SURROUNDINGS = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
}
#: Tokens of a block of vLLM's cache on processors.
_BLOCK = 128


def not_pooled(model: Model, folder: Path) -> str | None:
    """@returns why vLLM would not give this model's reward; None where it does"""
    config = json.loads(Path(local_copy(model.path, folder), "config.json").read_text("utf8"))
    named = (config.get("architectures") or ["no architecture"])[0]
    if named not in POOLED:
        return f"got {named}, not one of {', '.join(POOLED)}"
    if model.num_labels != 1:
        return f"got {model.num_labels} labels"
    if _head_width(config) % 32:
        return f"got attention heads of {_head_width(config)} numbers, not a multiple of 32"
    return None


def _head_width(config: dict[str, Any]) -> int:
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


class VllmScorer:
    """A reward model in vLLM, in this process, on one device."""

    def __init__(self, model: Model, folder: Path, batch_tokens: int, longest: int | None) -> None:
        """@param longest text in tokens; None: as many as the model has positions for"""
        for name, value in _SURROUNDINGS.items():
            os.environ.setdefault(name, value)
        import vllm

        path = local_copy(model.path, folder)
        self.engine = f"vllm {vllm.__version__}"
        self._params = vllm.PoolingParams(use_activation=False)
        self._pad = model.pad_token_id
        config = json.loads(Path(path, "config.json").read_text("utf8"))
        length = longest or int(config["max_position_embeddings"])
        in_step = max(batch_tokens, length)
        on_processors = {} if torch.cuda.is_available() else _processor_memory(config, model.dtype, in_step)
        self._model = vllm.LLM(
            path,
            runner="pooling",
            convert="classify",
            dtype=model.dtype,
            max_model_len=length,
            max_num_batched_tokens=in_step,
            # Whole texts, each by itself: a shard that is scored twice gets the same scores.
            enable_chunked_prefill=False,
            enable_prefix_caching=False,
            enforce_eager=True,
            **on_processors,
        )

    def scores(self, rows: list[dict[str, Any]]) -> list[float]:
        """The score of each row {"input_ids"}, read where transformers reads it: at the last token that is no padding."""
        prompts = [{"prompt_token_ids": _without_padding(row["input_ids"], self._pad)} for row in rows]
        outputs = self._model.classify(prompts, pooling_params=self._params, use_tqdm=False)
        scores = [output.outputs.probs for output in outputs]
        if len(scores) != len(rows) or any(len(score) != 1 for score in scores):
            raise JobError(f"{self.engine}: expected a score of each of {len(rows)} rows; use --engine transformers")
        return [float(score[0]) for score in scores]


def _processor_memory(config: dict[str, Any], dtype: str, tokens: int) -> dict[str, int]:
    """Room for the keys and values of one step, where texts wait for their blocks; vLLM would take nearly all of the machine's memory for every worker."""
    heads = config.get("num_key_value_heads") or config["num_attention_heads"]
    values = 2 * config["num_hidden_layers"] * heads * _head_width(config)
    itemsize = getattr(torch, dtype).itemsize
    return {"kv_cache_memory_bytes": values * itemsize * (tokens + 2 * _BLOCK)}


def _without_padding(ids: list[int], pad: int) -> list[int]:
    """All of a text that its score depends on; of nothing but padding the first token, as transformers has it."""
    end = len(ids)
    while end > 1 and ids[end - 1] == pad:
        end -= 1
    return ids[:end] or [pad]
