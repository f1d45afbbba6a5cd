"""Writes tests/goldens/models/*.json: tiny random models of every family with the scores and pair-loss gradients of Python's transformers.

Run: .cache/reference/bin/python -P tests/goldens/models.py (-P: a neighbour here is called statistics.py)
     … models.py --check prints, as JSON, how far the transformers at hand is from what is committed
Versions are inside each file; transformers 4.51 and 5.23 give the same numbers.
Arrays are base64 of little-endian f32.
"""
import base64
import json
import pathlib
import sys

import numpy as np
import peft
import torch
import transformers
from transformers import AutoModel, AutoModelForSequenceClassification, AutoConfig

OUT = pathlib.Path(__file__).parent / "models"
MINILM = pathlib.Path(__file__).parents[2] / "models" / "all-MiniLM-L6-v2"
VERSIONS = {"transformers": transformers.__version__, "torch": torch.__version__}
VOCABULARY = 40
LENGTHS = [11, 6, 1, 8]  # rows 0 and 1 are chosen, rows 2 and 3 rejected
T = max(LENGTHS)

ENCODER = dict(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24, max_position_embeddings=20, type_vocab_size=2)
DECODER = dict(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=24, max_position_embeddings=64, pad_token_id=0)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
MODELS = {
    "bert": ("bert", {**ENCODER}),
    "bert_gelu_new": ("bert", {**ENCODER, "hidden_act": "gelu_new"}),
    "bert_relu": ("bert", {**ENCODER, "hidden_act": "relu"}),
    "distilbert": ("distilbert", dict(vocab_size=VOCABULARY, dim=16, n_layers=2, n_heads=4, hidden_dim=24, max_position_embeddings=20)),
    "roberta": ("roberta", {**ENCODER, "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5}),
    "xlm_roberta": ("xlm-roberta", {**ENCODER, "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5}),
    "llama": ("llama", {**DECODER, "tie_word_embeddings": True}),
    "llama3": ("llama", {**DECODER, "rope_theta": 500000.0, "rope_scaling": LLAMA3, "rms_norm_eps": 1e-5}),
    "llama_bias": ("llama", {**DECODER, "attention_bias": True, "mlp_bias": True, "head_dim": 6, "num_key_value_heads": 4, "rope_scaling": dict(rope_type="linear", factor=2.0)}),
    "qwen2": ("qwen2", {**DECODER, "rope_theta": 1000000.0}),
    "qwen3": ("qwen3", {**DECODER, "head_dim": 8}),
    "mistral": ("mistral", {**DECODER, "sliding_window": 16, "num_key_value_heads": 1}),
}


def pack(tensor):
    array = np.ascontiguousarray(tensor.detach().numpy().astype("<f4"))
    return {"shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def unpack(packed):
    return torch.tensor(np.frombuffer(base64.b64decode(packed["data"]), "<f4").reshape(packed["shape"]).copy())


# The order of transformers 4; transformers 5 lists RoBERTa's otherwise, and each would get another's numbers.
EMBEDDINGS = ["word_embeddings", "position_embeddings", "token_type_embeddings", "embeddings.LayerNorm"]


def randomise(model):
    """Larger than the usual start, so that every operation moves the score."""
    generator = torch.Generator().manual_seed(7)
    place = lambda item: next((i for i, part in enumerate(EMBEDDINGS) if part in item[0]), len(EMBEDDINGS))
    with torch.no_grad():
        for name, p in sorted(model.named_parameters(), key=place):
            noise = torch.randn(p.shape, generator=generator)
            if p.dim() == 1:
                p.copy_((1 if "norm" in name.lower() and name.endswith("weight") else 0) + 0.1 * noise)
            else:
                p.copy_(0.3 * noise)


def inputs(pad):
    generator = torch.Generator().manual_seed(3)
    texts = [torch.randint(5, VOCABULARY, (n,), generator=generator).tolist() for n in LENGTHS]
    right = [t + [pad] * (T - len(t)) for t in texts]
    left = [[pad] * (T - len(t)) + t for t in texts]
    return right, [[1] * len(t) + [0] * (T - len(t)) for t in texts], left, [[0] * (T - len(t)) + [1] * len(t) for t in texts]


def scores_of(model, ids, mask):
    return model(input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask)).logits[:, 0]


def golden(name):
    model_type, fields = MODELS[name]
    config = AutoConfig.for_model(model_type, num_labels=1, attn_implementation="eager", **fields)
    model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()
    randomise(model)
    right, right_mask, left, left_mask = inputs(config.pad_token_id)
    scores = scores_of(model, right, right_mask)
    loss = torch.nn.functional.softplus(-(scores[:2] - scores[2:])).mean()
    loss.backward()
    decoder = "score.weight" in dict(model.named_parameters())
    saved = json.loads(config.to_json_string(use_diff=False))
    return {
        "versions": VERSIONS, "config": {**saved, "architectures": [type(model).__name__], "num_labels": 1},
        "right": {"ids": right, "mask": right_mask, "scores": scores.tolist()},
        # transformers' encoders count padding as positions and read the first column: their left-padded scores mean nothing
        "left": {"ids": left, "mask": left_mask, "scores": scores_of(model, left, left_mask).tolist() if decoder else scores.tolist()},
        "loss": loss.item(),
        "tensors": {n: pack(p) for n, p in model.named_parameters()},
        "gradients": {n: pack(p.grad if p.grad is not None else torch.zeros_like(p)) for n, p in model.named_parameters()},
    }


def minilm():
    """The default encoder with a head made by formula: scores and the first hidden states of a few texts."""
    model = AutoModelForSequenceClassification.from_pretrained(MINILM, num_labels=1, attn_implementation="eager").eval()
    with torch.no_grad():
        H = model.config.hidden_size
        model.classifier.weight.copy_(torch.tensor([[np.sin(i + 1) / 4 for i in range(H)]]))
        model.classifier.bias.fill_(0.25)
    lengths = [40, 17, 2, 128]
    texts = [[101] + [1000 + (7919 * (row + 1) * (i + 1)) % 28000 for i in range(n - 2)] + [102] for row, n in enumerate(lengths)]
    width = max(lengths)
    ids = [t + [0] * (width - len(t)) for t in texts]
    mask = [[1] * len(t) + [0] * (width - len(t)) for t in texts]
    hidden = AutoModel.from_pretrained(MINILM, attn_implementation="eager").eval()(
        input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask)).last_hidden_state[:, 0]
    return {"versions": VERSIONS, "texts": texts, "scores": scores_of(model, ids, mask).tolist(), "hidden": pack(hidden)}


def adapter(name, targets):
    """A PEFT adapter with trained-looking matrices on the golden model: its files and the scores under it."""
    saved = json.loads((OUT / f"{name}.json").read_text())
    model = built(saved)
    settings = peft.LoraConfig(r=3, lora_alpha=5, lora_dropout=0.1, target_modules=targets, task_type=peft.TaskType.SEQ_CLS)
    wrapped = peft.get_peft_model(model, settings).eval()
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for p in wrapped.parameters():
            if p.requires_grad:
                p.copy_(0.3 * torch.randn(p.shape, generator=generator))
    folder = OUT / f"adapter_{name}"
    wrapped.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    right = saved["right"]
    scores = scores_of(wrapped, right["ids"], right["mask"])
    (folder / "scores.json").write_text(json.dumps({"versions": {**VERSIONS, "peft": peft.__version__}, "scores": scores.tolist()}) + "\n")


def built(saved):
    """The model of a golden, from its own configuration and tensors."""
    config = AutoConfig.for_model(**{k: v for k, v in saved["config"].items() if k != "num_labels"}, num_labels=1)
    model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()
    missing, unexpected = model.load_state_dict({n: unpack(p) for n, p in saved["tensors"].items()}, strict=False)
    named = dict(model.named_parameters())
    assert not unexpected and not [n for n in missing if n in named], (missing, unexpected)
    return model


def hidden_of(model, ids, mask):
    trunk = getattr(model, model.base_model_prefix)
    return trunk(input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask)).last_hidden_state


def read(head, hidden, mask):
    """What a head reads of the hidden states [B, T, H], padded right."""
    mask = torch.tensor(mask, dtype=hidden.dtype)
    if head == "cls":
        return hidden[:, 0]
    if head == "value":
        return hidden[torch.arange(len(hidden)), mask.sum(1).long() - 1]
    return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


def heads(name, kinds):
    """Linear heads that transformers does not have, on the golden model: scores and gradients of the pair loss."""
    saved = json.loads((OUT / f"{name}.json").read_text())
    ids, mask = saved["right"]["ids"], saved["right"]["mask"]
    found = {}
    for kind in kinds:
        model = built(saved)
        linear = torch.nn.Linear(model.config.hidden_size, 1, bias=name in ENCODERS)
        generator = torch.Generator().manual_seed(13)
        with torch.no_grad():
            for p in linear.parameters():
                p.copy_(0.3 * torch.randn(p.shape, generator=generator))
        scores = linear(read(kind, hidden_of(model, ids, mask), mask))[:, 0]
        loss = torch.nn.functional.softplus(-(scores[:2] - scores[2:])).mean()
        loss.backward()
        trunk = {n: p for n, p in model.named_parameters() if n in WATCHED}
        gradients = {**trunk, **{f"score.{n}": p for n, p in linear.named_parameters()}}
        tensors = {f"score.{n}": pack(p) for n, p in linear.named_parameters()}
        found[kind] = {"scores": scores.tolist(), "loss": loss.item(), "tensors": tensors, "gradients": {n: pack(p.grad) for n, p in gradients.items()}}
    return found


ENCODERS = ["bert", "distilbert", "roberta"]
# One tensor at each end of the trunk: a gradient that is lost on the way shows in the first.
WATCHED = {
    "bert.embeddings.word_embeddings.weight", "bert.encoder.layer.1.output.dense.weight",
    "distilbert.embeddings.word_embeddings.weight", "distilbert.transformer.layer.1.ffn.lin2.weight",
    "roberta.embeddings.word_embeddings.weight", "roberta.encoder.layer.1.output.dense.weight",
    "model.embed_tokens.weight", "model.layers.1.mlp.down_proj.weight",
}


def distance(name):
    """Largest difference of the scores, and relative distance of all gradients, between this transformers and the golden."""
    saved = json.loads((OUT / f"{name}.json").read_text())
    model = built(saved)
    sides = [saved["right"]] + ([saved["left"]] if "score.weight" in saved["tensors"] else [])
    scores = max((scores_of(model, side["ids"], side["mask"]) - torch.tensor(side["scores"])).abs().max().item() for side in sides)
    right = scores_of(model, saved["right"]["ids"], saved["right"]["mask"])
    torch.nn.functional.softplus(-(right[:2] - right[2:])).mean().backward()
    gradients = {n: torch.zeros_like(p) if p.grad is None else p.grad for n, p in model.named_parameters()}
    assert set(gradients) == set(saved["gradients"]), set(gradients) ^ set(saved["gradients"])
    flat = lambda of: torch.cat([of(n).flatten() for n in sorted(gradients)])
    expected = flat(lambda n: unpack(saved["gradients"][n]))
    return {"scores": scores, "gradients": ((flat(lambda n: gradients[n]) - expected).norm() / expected.norm()).item()}


if __name__ == "__main__":
    if "--check" in sys.argv:
        print(json.dumps({"versions": VERSIONS, "distances": {each: distance(each) for each in MODELS}}))
        sys.exit()
    OUT.mkdir(exist_ok=True)
    for each in MODELS:
        (OUT / f"{each}.json").write_text(json.dumps(golden(each)) + "\n")
    adapter("bert", ["query", "dense"])
    adapter("llama3", ["q_proj", "v_proj"])
    kinds = {**{name: ["cls", "value", "mean"] for name in ENCODERS}, "llama": ["mean"]}
    found = {name: heads(name, each) for name, each in kinds.items()}
    (OUT / "heads.json").write_text(json.dumps({"versions": VERSIONS, **found}) + "\n")
    (OUT / "minilm.json").write_text(json.dumps(minilm()) + "\n")
