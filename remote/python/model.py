"""In: the base model of a job. Out: the model as it trains: its dropout, its adapters, its precision."""

from __future__ import annotations

from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForSequenceClassification, PreTrainedModel
from transformers.modeling_layers import GenericForSequenceClassification

from job import Job, Lora, Model, Training
from storage import local_copy


def load_base(model: Model, folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """The reward model in a directory, one output, whose last token is found by the job's own padding token."""
    path = local_copy(model.path, folder)
    loaded = AutoModelForSequenceClassification.from_pretrained(path, num_labels=model.num_labels, dtype=dtype)
    loaded.config.get_text_config().pad_token_id = model.pad_token_id
    loaded.config.use_cache = False
    return loaded


def needs_mask(model: PreTrainedModel | PeftModel) -> bool:
    """Whether padding on the right must be masked: not where each token sees only those before it.

    Such a model takes the score from the last token that is no padding, by its id, and without a mask the fastest
    attention kernels serve it.
    """
    base = model.get_base_model() if isinstance(model, PeftModel) else model
    causal = isinstance(base, GenericForSequenceClassification) and getattr(base.config, "is_causal", True)
    return not causal


def trainable_model(job: Job, training: Training, folder: Path) -> PreTrainedModel | PeftModel:
    """Weights that train are kept in float32 and multiplied in bfloat16 where the job says so; frozen ones are kept in it."""
    frozen_in_half = training.lora is not None and job.model.dtype == "bfloat16"
    model = load_base(job.model, folder, torch.bfloat16 if frozen_in_half else torch.float32)
    if not training.dropout:
        switch_dropout_off(model)
    if training.lora is None:
        return model
    adapted = get_peft_model(model, lora_config(training.lora))
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return adapted


def lora_config(lora: Lora) -> LoraConfig:
    """The task makes PEFT train and save the head as well."""
    return LoraConfig(
        task_type="SEQ_CLS",
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # PEFT divides by the rank: a fraction will do.
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules,
    )


def switch_dropout_off(model: PreTrainedModel) -> None:
    """Leaves the configuration alone: the finished checkpoint keeps the rates of its base."""
    for module in model.modules():
        for rate in ("p",) if isinstance(module, torch.nn.Dropout) else ("attention_dropout",):
            if isinstance(getattr(module, rate, None), float):
                setattr(module, rate, 0.0)
