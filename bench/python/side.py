"""In: a function that does one unit of work. Out: a process that does it when told to and reports, one JSON line each."""
import json
import sys
import time


def serve(setup):
    """`setup(settings)` returns `unit()`, which returns a dict of what was done (tokens, updates, loss, …)."""
    settings = json.loads(sys.argv[1])
    unit = setup(settings)
    say({"ready": True})
    for line in sys.stdin:
        if line.strip() != "go":
            break
        start = time.perf_counter()
        done = unit()
        say({"ms": (time.perf_counter() - start) * 1000, **done})
    say({"peak_mb": peak_mb()})


def peak_mb():
    """Of this program alone: getrusage would begin with the memory of the process that started it."""
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def say(message):
    sys.__stdout__.write("\n@" + json.dumps(message) + "\n")
    sys.__stdout__.flush()


def without_dropout(model):
    """As TRL does by default: every dropout layer off, for equal work and equal losses."""
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = 0.0
    for name in ("attention_probs_dropout_prob", "hidden_dropout_prob", "attention_dropout"):
        if hasattr(model.config, name):
            setattr(model.config, name, 0.0)


def adamw(model, learning_rate):
    """As both sides have it: decay 0.01, none on biases and normalisations."""
    import torch

    decays, plain = [], []
    for name, parameter in model.named_parameters():
        (plain if name.endswith("bias") or "norm" in name.lower() else decays).append(parameter)
    groups = [{"params": decays, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate)


def padded(texts, pad=0):
    """Token ids and mask [B, T], padded on the right to the longest; a decoder of transformers knows padding by its id alone."""
    import torch

    width = max(map(len, texts))
    ids = torch.tensor([text + [pad] * (width - len(text)) for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (width - len(text)) for text in texts])
    return ids, mask
