"""In: some pairs. Out: one padded batch of tensors, the chosen texts before the rejected ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from trl.trainer.reward_trainer import DataCollatorForPreference
from trl.trainer.utils import pad

#: What a batch holds beside the model's inputs.
PAIR_COLUMNS = ("weight", "margin", "counts")


@dataclass
class PairCollator(DataCollatorForPreference):
    """TRL's collator, which pads on the right, with each pair's weight, margin and whether it counts: [B] each."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super().torch_call(examples)
        for name in PAIR_COLUMNS:
            batch[name] = torch.tensor([example[name] for example in examples], dtype=torch.float)
        if "chosen_token_type_ids" in examples[0]:
            types = [
                torch.tensor(example[f"{side}_token_type_ids"]) for side in ("chosen", "rejected") for example in examples
            ]
            batch["token_type_ids"] = pad(
                types, padding_value=0, padding_side="right", pad_to_multiple_of=self.pad_to_multiple_of
            )
        return batch
