"""In: rows of token ids and a reward model. Out: one score a row, in their order."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
import transformers

from batches import by_tokens
from job import Model
from model import load_base, needs_mask


class Scorer:
    """A reward model on one device, which scores texts of like length together."""

    def __init__(self, model: Model, folder: Path, batch_tokens: int, dtype: torch.dtype | None = None) -> None:
        self.engine = f"transformers {transformers.__version__}"
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        loaded = load_base(model, folder, dtype or getattr(torch, model.dtype))
        self._masked = needs_mask(loaded)
        self._model = cast(torch.nn.Module, loaded).to(self._device).eval()
        self._pad = model.pad_token_id
        self._batch_tokens = batch_tokens

    @torch.inference_mode()
    def scores(self, rows: list[dict[str, Any]]) -> list[float]:
        """The score of each row {"input_ids", "token_type_ids"?}; a row's does not depend on its neighbours."""
        scores = [0.0] * len(rows)
        for batch in by_tokens([len(row["input_ids"]) for row in rows], self._batch_tokens):
            logits = self._model(**self._inputs([rows[i] for i in batch])).logits.float().squeeze(-1)
            for row, score in zip(batch, logits.tolist(), strict=True):
                scores[row] = score
        return scores

    def _inputs(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        width = max(len(row["input_ids"]) for row in rows)
        padded = {"input_ids": [_pad(row["input_ids"], width, self._pad) for row in rows]}
        if self._masked:
            padded["attention_mask"] = [_pad([1] * len(row["input_ids"]), width, 0) for row in rows]
        if any(row.get("token_type_ids") for row in rows):
            padded["token_type_ids"] = [_pad(row.get("token_type_ids") or [], width, 0) for row in rows]
        return {name: torch.tensor(value, device=self._device) for name, value in padded.items()}


def _pad(ids: list[int], width: int, filler: int) -> list[int]:
    return [*ids, *[filler] * (width - len(ids))]

