"""In: the padding token of a model. Out: as much of a tokenizer as TRL asks for where rows come as token ids."""

from __future__ import annotations

from typing import Any


class PaddingOnly:
    """TRL takes the padding token from a tokenizer; no text is read here, so nothing else of one is needed."""

    pad_token = eos_token = "<pad>"
    model_input_names = ["input_ids", "attention_mask"]

    def __init__(self, pad_token_id: int, eos_token_id: Any, bos_token_id: Any) -> None:
        self.pad_token_id = pad_token_id
        self.eos_token_id = eos_token_id
        self.bos_token_id = bos_token_id

    def get_vocab(self) -> dict[str, int]:
        return {self.pad_token: self.pad_token_id}

    def save_pretrained(self, _folder: str, **_options: Any) -> None:
        """The command line puts its own tokenizer beside the finished model."""
