"""Python's side of the compatibility tests: makes, scores and trains reward models with transformers, TRL and peft.

python reference.py make DIR    models of every family, one trained by TRL, one LoRA adapter, with their scores
python reference.py check DIR   scores what Rewardbook saved, and goes on training it in TRL
"""
import json
import os
import shutil
import sys
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", WANDB_DISABLED="true")
import torch
import transformers
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

transformers.logging.set_verbosity_error()
HERE = Path(__file__).parent
TOKENIZERS = HERE.parent / "goldens" / "text"
WORK = Path(sys.argv[2])
CASES = json.loads((WORK / "cases.json").read_text())

ENCODER = dict(vocab_size=1024, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=130)
DECODER = dict(vocab_size=1024, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64, max_position_embeddings=256)
LLAMA3_ROPE = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
FAMILIES = {
    "bert": ("wordpiece", ENCODER),
    "distilbert": ("wordpiece", dict(vocab_size=1024, dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=130)),
    "roberta": ("bpe-roberta", ENCODER),
    "xlm-roberta": ("unigram", ENCODER),
    "llama": ("bpe-llama", dict(DECODER, rope_theta=500000.0, rope_scaling=LLAMA3_ROPE, tie_word_embeddings=True)),
    "qwen2": ("bpe-llama", DECODER),
    "qwen3": ("bpe-llama", dict(DECODER, head_dim=16)),
    "mistral": ("bpe-llama", dict(DECODER, sliding_window=None)),
}


def encode(tok, settings, prompt, response):
    """The recipe of the model card."""
    text = settings["template"].replace("{prompt}", prompt, 1).replace("{response}", response, 1)
    eos = [tok.eos_token_id] if settings["append_eos"] else []
    return tok(text, truncation=True, max_length=settings["max_length"] - len(eos))["input_ids"] + eos


CARD_CASES = [0, 1, 6]  # short, and free of special-token text


def card_of(path):
    """The Python lines of a directory's model card."""
    return (path / "README.md").read_text().split("```python\n")[1].split("```")[0].replace("DIR", repr(str(path)))


def exec_card(snippet, case):
    """The score that the model card's own lines give."""
    names = {}
    exec(snippet, names)
    return names["reward"](case["prompt"], case["response"])


def score(model, tok, rows):
    """Scores of a padded batch, and of each text alone."""
    longest = max(map(len, rows))
    ids = torch.tensor([row + [tok.pad_token_id] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    with torch.no_grad():
        batch = model.eval()(input_ids=ids, attention_mask=mask).logits[:, 0]
        alone = torch.cat([model(input_ids=torch.tensor([row])).logits[:, 0] for row in rows])
    assert torch.allclose(batch, alone, atol=1e-5), (batch - alone).abs().max()
    return batch.tolist()


def randomise(model):
    torch.manual_seed(5)
    for p in model.parameters():
        p.data = torch.randn_like(p) * (0.3 if p.dim() > 1 else 0.1) + (1.0 if p.dim() == 1 and p.mean() > 0.5 else 0.0)
    return model


def dataset():
    from datasets import Dataset

    return Dataset.from_list([dict(prompt=c["prompt"], chosen=c["response"], rejected=c["response"][::-1] + " no") for c in CASES if c["response"].strip()][:8])


def train(model, tok, out):
    from trl import RewardConfig, RewardTrainer

    args = RewardConfig(output_dir=str(out), max_steps=3, per_device_train_batch_size=4, learning_rate=1e-3, bf16=False, use_cpu=True, report_to=[], save_strategy="no", logging_steps=1, max_length=128, gradient_checkpointing=False, disable_tqdm=True)
    trainer = RewardTrainer(model=model, args=args, train_dataset=dataset(), processing_class=tok)
    trainer.train()
    return trainer


def make():
    for family, (tokenizer, fields) in FAMILIES.items():
        out = WORK / "python" / family
        tok = AutoTokenizer.from_pretrained(TOKENIZERS / tokenizer)
        if tok.pad_token is None:
            tok.pad_token = tok.eos_token if family == "mistral" else "<|endoftext|>"
        config = AutoConfig.for_model(family, num_labels=1, pad_token_id=tok.pad_token_id, **fields)
        model = randomise(AutoModelForSequenceClassification.from_config(config))
        model.save_pretrained(out)
        tok.save_pretrained(out)
        rows = [[int(i) for i in tok(f"{c['prompt']} {c['response']}", truncation=True, max_length=64, split_special_tokens=True)["input_ids"]] for c in CASES]
        (out / "expected.json").write_text(json.dumps(dict(scores=score(model, tok, rows), ids=rows)))
    # trained by TRL, three steps
    base, out = WORK / "python" / "llama", WORK / "trl"
    tok = AutoTokenizer.from_pretrained(base)
    trainer = train(AutoModelForSequenceClassification.from_pretrained(base), tok, out)
    trainer.save_model(str(out))
    rows = [tok(c["prompt"] + c["response"] + tok.eos_token, split_special_tokens=False)["input_ids"] for c in CASES if "<|" not in c["response"] + c["prompt"]]
    (out / "expected.json").write_text(json.dumps(dict(scores=score(trainer.model, tok, rows), ids=rows)))
    # a LoRA adapter, as peft saves it
    from peft import LoraConfig, get_peft_model

    for family, targets in [("llama", ["q_proj", "v_proj"]), ("bert", ["query", "value"])]:
        base, out = WORK / "python" / family, WORK / "peft" / family
        model = get_peft_model(AutoModelForSequenceClassification.from_pretrained(base), LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules=targets))
        torch.manual_seed(1)
        for name, p in model.named_parameters():
            if "lora_B" in name:
                p.data = torch.randn_like(p) * 0.2
        model.save_pretrained(str(out))
        tok = AutoTokenizer.from_pretrained(base)
        rows = json.loads((base / "expected.json").read_text())["ids"]
        (out / "expected.json").write_text(json.dumps(dict(scores=score(model, tok, rows), ids=rows)))


def check():
    result = {}
    for path in sorted((WORK / "ours").iterdir()):
        settings = json.loads((path / "rewardbook.json").read_text())
        tok = AutoTokenizer.from_pretrained(path, split_special_tokens=True)
        model = AutoModelForSequenceClassification.from_pretrained(path).float()  # the keyword changed its name in transformers 5
        rows = [encode(tok, settings, c["prompt"], c["response"]) for c in CASES]
        card = [exec_card(card_of(path), CASES[i]) for i in CARD_CASES]
        result[path.name] = dict(card=card, ids=rows, scores=score(model, tok, rows), labels=model.config.num_labels, pad=[model.config.pad_token_id, tok.pad_token_id], cls=type(model).__name__)
    heads = {path.name: [exec_card(card_of(path), CASES[i]) for i in CARD_CASES] for path in sorted((WORK / "heads").iterdir())}
    from peft import PeftModel

    adapters = {}
    for path in sorted((WORK / "adapters").iterdir()):
        base = WORK / "python" / path.name
        model = PeftModel.from_pretrained(AutoModelForSequenceClassification.from_pretrained(base), str(path))
        rows = json.loads((base / "expected.json").read_text())["ids"]
        adapters[path.name] = score(model, AutoTokenizer.from_pretrained(base), rows)
    ours = WORK / "ours" / "llama"
    tok, model = AutoTokenizer.from_pretrained(ours), AutoModelForSequenceClassification.from_pretrained(ours)
    before = {name: p.clone() for name, p in model.named_parameters()}
    log = [row["loss"] for row in train(model, tok, WORK / "continued").state.log_history if "loss" in row]
    changed = sum(not torch.equal(p, before[name]) for name, p in model.named_parameters())
    (WORK / "result.json").write_text(json.dumps(dict(models=result, heads=heads, adapters=adapters, continued=dict(losses=log, changed=changed, parameters=len(before)))))


{"make": make, "check": check}[sys.argv[1]]()
