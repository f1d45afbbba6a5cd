"""TRL's RewardTrainer beside a whole run of ours, over the pairs in the same order. unit = one epoch, then the scores of all held-out texts, in f32, to a file."""
import json

import torch
from trl import RewardTrainer

from side import padded, serve
from trl_side import create_trainer


class InOrder(RewardTrainer):
    """Meets the pairs in the order of the file, which is the other side's: another order moves the accuracy by several points."""

    def _get_train_sampler(self, *_):
        return torch.utils.data.SequentialSampler(self.train_dataset)


def tokens_of(dataset):
    """What is left of the token ids after TRL has prepared them."""
    return sum(len(ids) for name in dataset.column_names if "mask" not in name for ids in dataset[name])


def scores_of(model, texts, batch_size):
    """Rewards in the order of the texts, batches sorted by length."""
    model.eval()
    scores = [0.0] * len(texts)
    order = sorted(range(len(texts)), key=lambda text: len(texts[text]))
    with torch.no_grad():
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            ids, mask = padded([texts[row] for row in rows])
            for row, score in zip(rows, model(input_ids=ids, attention_mask=mask).logits[:, 0].tolist()):
                scores[row] = score
    return scores


def setup(settings):
    train, held_out = json.load(open(settings["tokens"])), json.load(open(settings["held_out_tokens"]))
    trainer = create_trainer(
        settings, train, InOrder, seed=settings["seed"], lr_scheduler_type=settings["schedule"], warmup_steps=settings["warmup_steps"],
        weight_decay=settings["weight_decay"], max_grad_norm=settings["grad_clip"], adam_beta1=settings["adam_beta1"],
        adam_beta2=settings["adam_beta2"], adam_epsilon=settings["adam_epsilon"],
    )
    tokens, pairs = tokens_of(trainer.train_dataset), len(trainer.train_dataset)

    def unit():
        result = trainer.train()
        # Without the wrapper that computes in bf16: both sides' scores are of the trained weights in f32.
        model = trainer.accelerator.unwrap_model(trainer.model, keep_fp32_wrapper=False)
        json.dump(scores_of(model, held_out, settings["batch_size"]), open(settings["scores"], "w"))
        return {
            "tokens": tokens, "updates": trainer.state.global_step, "pairs": pairs, "texts": len(held_out),
            "held_out_tokens": sum(map(len, held_out)), "train_loss": result.training_loss,
        }

    return unit


serve(setup)
