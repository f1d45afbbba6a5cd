"""Writes policy/policy.json: a tiny Llama and its start, TRL's DPO loss and gradients on them, log-probabilities, the
weighted likelihood loss, and what transformers generates greedily (versions inside the file).

Run: .cache/reference/bin/python -P tests/goldens/policy.py
"""
import base64
import json
import pathlib
import tempfile

import numpy as np
import tokenizers
import torch
import transformers
import trl
from datasets import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl.trainer.utils import selective_log_softmax

BETA, VOCABULARY = 0.3, 24
WEIGHTS = [0.25, 1.75, 0.5, 1.5]
CONFIG = dict(
    vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=32, tie_word_embeddings=True, pad_token_id=0, bos_token_id=None, eos_token_id=1,
)


def pack(tensor):
    array = np.ascontiguousarray(tensor.detach().numpy().astype("<f4"))
    return {"shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def model_of(seed):
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(**CONFIG))
    for parameter in model.parameters():  # larger than the usual start, so that every operation counts
        torch.nn.init.normal_(parameter, std=0.3) if parameter.dim() > 1 else torch.nn.init.normal_(parameter, 1.0, 0.1)
    return model.eval()


words = ["<pad>", "<eos>", "<unk>"] + [f"w{i}" for i in range(VOCABULARY - 3)]
raw = tokenizers.Tokenizer(tokenizers.models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
raw.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")
pairs = Dataset.from_list([
    {"prompt": "w0 w1 w2", "chosen": " w3 w4 w5 w6", "rejected": " w7 w8"},
    {"prompt": "w9 w10", "chosen": " w11", "rejected": " w12 w13 w14 w15 w16"},
])
policy, start = model_of(1), model_of(2)
with tempfile.TemporaryDirectory() as folder:
    args = trl.DPOConfig(output_dir=folder, beta=BETA, per_device_train_batch_size=2, use_cpu=True, bf16=False, report_to="none",
                         gradient_checkpointing=False, remove_unused_columns=False, dataloader_drop_last=False)
    trainer = trl.DPOTrainer(model=policy, ref_model=start, args=args, train_dataset=pairs, processing_class=tokenizer)
    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(2)])
    trainer.model.eval()
    loss = trainer.compute_loss(trainer.model, {k: v.clone() for k, v in batch.items()})
    trainer.model.zero_grad()
    loss.backward()
    gradients = {name: pack(p.grad) for name, p in trainer.model.named_parameters()}

ids, mask, completion = batch["input_ids"], batch["attention_mask"], batch["completion_mask"]


def log_probabilities(model):
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
    return selective_log_softmax(logits, ids[:, 1:]) * completion[:, 1:]


with torch.no_grad():
    sums = {name: log_probabilities(model).sum(1).tolist() for name, model in {"policy": policy, "start": start}.items()}
policy.zero_grad()
token = log_probabilities(policy)
weighted = -(torch.tensor(WEIGHTS) * token.sum(1)).sum() / completion[:, 1:].sum()
plain = policy(input_ids=ids, attention_mask=mask, labels=ids.masked_fill(completion == 0, -100)).loss
assert abs(plain.item() + token.sum().item() / completion[:, 1:].sum().item()) < 1e-5
weighted.backward()
weighted_gradients = {name: pack(p.grad) for name, p in policy.named_parameters()}

prompts = [[3, 4, 5, 6], [12, 13], [7]]
greedy = []
for prompt in prompts:
    with torch.no_grad():
        out = policy.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), max_new_tokens=8, do_sample=False)
    greedy.append(out[0, len(prompt):].tolist())

rows = [row[m.bool()].tolist() for row, m in zip(ids, mask)]
answers = [int(c.sum()) for c in completion]
out = {
    "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "trl": trl.__version__},
    "config": {**CONFIG, "architectures": ["LlamaForCausalLM"], "model_type": "llama"},
    "beta": BETA, "weights": WEIGHTS,
    "policy": {name: pack(p) for name, p in policy.named_parameters()},
    "start": {name: pack(p) for name, p in start.named_parameters()},
    "rows": [{"prompt": row[:-n], "answer": row[-n:]} for row, n in zip(rows, answers)],
    "log_probabilities": sums,
    "dpo": {"loss": loss.item(), "gradients": gradients},
    "weighted": {"loss": weighted.item(), "plain": plain.item(), "gradients": weighted_gradients},
    "greedy": [{"prompt": p, "answer": a} for p, a in zip(prompts, greedy)],
}
path = pathlib.Path(__file__).parent / "policy" / "policy.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(out) + "\n")
print({k: out[k] for k in ("rows", "log_probabilities", "greedy")}, out["dpo"]["loss"], out["weighted"]["loss"])
