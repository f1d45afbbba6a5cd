"""TRL's RewardTrainer on token ids that both sides share. unit = one epoch of training, or one evaluation."""
import inspect
import json
import os
import tempfile

import trl.trainer.reward_trainer as reward_trainer
from datasets import Dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from trl import RewardConfig, RewardTrainer

from side import serve

os.environ["TOKENIZERS_PARALLELISM"] = "false"


def columns(tokens):
    """Token ids under the column names of the installed TRL, which changed twice."""
    source = inspect.getsource(reward_trainer)
    chosen, rejected = tokens[0::2], tokens[1::2]
    if "input_ids_chosen" in source:
        ones = lambda rows: [[1] * len(row) for row in rows]
        return {"input_ids_chosen": chosen, "attention_mask_chosen": ones(chosen), "input_ids_rejected": rejected, "attention_mask_rejected": ones(rejected)}
    suffix = "input_ids" if "chosen_input_ids" in source else "ids"
    return {f"chosen_{suffix}": chosen, f"rejected_{suffix}": rejected}


def create_trainer(settings, tokens, trainer_class=RewardTrainer, **changes):
    """A RewardTrainer over `tokens` (chosen and rejected in turn) with the defaults of our side; `changes` to its configuration."""
    model = AutoModelForSequenceClassification.from_pretrained(settings["model"], num_labels=1, attn_implementation=settings["attention"])
    tokenizer = AutoTokenizer.from_pretrained(settings["model"])
    if tokenizer.eos_token is None:  # a BERT tokenizer has none and TRL wants one
        tokenizer.eos_token = tokenizer.sep_token
    dataset = Dataset.from_dict(columns(tokens))
    config = {
        "output_dir": tempfile.mkdtemp(), "max_length": settings["max_length"], "bf16": settings["bf16"], "use_cpu": True, "num_train_epochs": 1,
        "per_device_train_batch_size": settings["batch_size"], "per_device_eval_batch_size": settings["batch_size"],
        "learning_rate": settings["learning_rate"], "lr_scheduler_type": "constant", "weight_decay": 0.01, "max_grad_norm": 1.0,
        "gradient_checkpointing": False, "save_strategy": "no", "report_to": [], "logging_strategy": "no", "disable_tqdm": True,
        "remove_unused_columns": False, "dataloader_num_workers": 0,
    }
    trainer = trainer_class(model=model, args=RewardConfig(**{**config, **changes}), processing_class=tokenizer, train_dataset=dataset, eval_dataset=dataset)
    kept = len(trainer.train_dataset)
    assert kept == len(tokens) // 2, f"TRL dropped pairs: {kept} of {len(tokens) // 2} left"
    return trainer


def setup(settings):
    tokens = json.load(open(settings["tokens"]))
    trainer = create_trainer(settings, tokens)
    total, pairs = sum(map(len, tokens)), len(trainer.train_dataset)

    def train():
        result = trainer.train()
        return {"tokens": total, "updates": trainer.state.global_step, "loss": result.training_loss, "pairs": pairs}

    def evaluate():
        trainer.evaluate()
        return {"tokens": total, "pairs": pairs}

    return train if settings["what"] == "train" else evaluate


if __name__ == "__main__":
    serve(setup)
