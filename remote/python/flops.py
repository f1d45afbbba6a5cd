"""In: the shape of a model and the lengths it read. Out: the floating-point work that takes, and its share of a GPU's peak."""

from __future__ import annotations

import torch
from transformers import PreTrainedModel

from model import needs_mask

#: Dense bfloat16 peak of a GPU, FLOP/s, from its maker's data sheet.
_PEAKS = {"H200": 989e12, "H100 PCIe": 756e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "A10": 125e12}


def matrix_parameters(model: PreTrainedModel) -> int:
    """Weights that a token is multiplied with: all matrices but the embedding tables and what adapters add."""
    tables = {id(module.weight) for module in model.modules() if isinstance(module, torch.nn.Embedding)}
    return sum(
        parameter.numel()
        for name, parameter in model.named_parameters()
        if parameter.dim() == 2 and id(parameter) not in tables and "lora_" not in name
    )


def forward_flops(model: PreTrainedModel, tokens: int, squares: int) -> float:
    """2·N·tokens for the products with its N weights, and 4·D·L·Σ T² for attention of L layers, half of it under a causal mask.

    @param squares Σ T² over the texts
    """
    text = model.config.get_text_config()
    attention = 4 * text.hidden_size * text.num_hidden_layers * squares
    return 2.0 * matrix_parameters(model) * tokens + attention * (1.0 if needs_mask(model) else 0.5)


def training_flops(forward: float, frozen: bool) -> float:
    """A backward pass costs two forward ones; one where the weights are frozen and only activations have gradients.

    What gradient checkpointing computes twice is not counted: it is no work of the model's.
    """
    return forward * (2 if frozen else 3)


def peak_flops() -> float | None:
    """The GPU's peak; None on a processor and on a GPU that the table does not know."""
    if not torch.cuda.is_available():
        return None
    name = torch.cuda.get_device_name()
    return next((peak for known, peak in _PEAKS.items() if known in name), None)
