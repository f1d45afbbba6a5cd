"""In: a model and pairs of token ids. Out: TRL's reward trainer with the loss, order and figures of the local training."""

from __future__ import annotations

import math
import time
from typing import Any, cast

import torch
from accelerate.data_loader import DataLoaderShard
from torch import Tensor
from transformers import EvalPrediction, PreTrainedModel
from trl.trainer.reward_config import RewardConfig
from trl.trainer.reward_trainer import RewardTrainer

from checked import JobError
from batches import UpdateBatches
from collate import PAIR_COLUMNS
from cost import Update
from events import Emit
from figures import UpdateFigures
from job import Training
from loss import pair_losses
from model import needs_mask
from schedule import learning_rate_at


#: Validation pairs whose rewards are told; the local end computes from them what it shows of its own runs.
_REWARDS_TOLD = 20_000


class PairTrainer(RewardTrainer):
    """Adds weights, smoothing and the `scaled` loss to TRL's trainer; every pair of an update counts the same.

    The mean is taken over the pairs of the whole update, whichever worker and batch they fell to.
    """

    args: RewardConfig

    def __init__(self, training: Training, emit: Emit, batches: UpdateBatches, **options: Any) -> None:
        super().__init__(**options, compute_metrics=self._validation_figures)
        self.training = training
        self._emit = emit
        self._batches = batches
        batches.epoch = lambda: math.floor(self.state.epoch or 0)
        self._figures = UpdateFigures(self.args.device)
        self._update_pairs = torch.ones(())
        self._update_began = time.monotonic()
        #: What a batch holds that is not for the model.
        self._withheld = {*PAIR_COLUMNS} if needs_mask(self.reward_model) else {*PAIR_COLUMNS, "attention_mask"}
        #: What each update of this process took.
        self.updates: list[Update] = []
        #: [chosen, rejected] of the last validation, in the order of its file.
        self._validated: list[list[float]] = []

    @property
    def reward_model(self) -> PreTrainedModel:
        """The model as it trains, without what spreads it over workers."""
        return cast(PreTrainedModel, self.model)

    def _set_signature_columns_if_needed(self) -> None:
        kept = ["chosen_ids", "rejected_ids", "chosen_token_type_ids", "rejected_token_type_ids", *PAIR_COLUMNS]
        self._signature_columns = kept  # type: ignore[assignment]

    def get_train_dataloader(self) -> DataLoaderShard:
        """This worker's batches, which are of different sizes."""
        return DataLoaderShard(
            self.train_dataset,
            device=self.args.device,
            batch_sampler=self._batches,
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> Any:
        peak = self.training.learning_rate
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self.optimizer,  # type: ignore[arg-type]
            lambda done: learning_rate_at(done + 1, num_training_steps, self.training) / peak,
        )
        return self.lr_scheduler

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> tuple[list[dict[str, Tensor]], Any]:
        """The batches of an update, whose pairs are counted over all workers."""
        self._update_began = time.monotonic()
        batches, items = super().get_batch_samples(*args, **kwargs)
        own = torch.stack([batch["counts"].sum() for batch in batches]).sum().to(self.args.device)
        self._update_pairs = self.accelerator.reduce(own, reduction="sum")
        return batches, items

    def compute_loss(
        self, model: Any, inputs: dict[str, Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The share of this batch in the mean over the update, scaled as gradients are averaged over workers and batches."""
        chosen, rejected, losses = self._rewards_and_losses(model, inputs)
        counts = inputs["counts"]
        self._figures.add(chosen.detach(), rejected.detach(), losses.detach(), counts, inputs["attention_mask"].sum(1))
        averaged_over = self.accelerator.num_processes * self.current_gradient_accumulation_steps
        return (losses * counts).sum() * (averaged_over / self._update_pairs)

    def prediction_step(self, model: Any, inputs: dict[str, Tensor], *_: Any, **__: Any) -> tuple[Tensor, Tensor, Tensor]:
        """(mean loss, rewards [B, 2], weight and margin [B, 2]) of a validation batch."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            chosen, rejected, losses = self._rewards_and_losses(model, inputs)
        return losses.mean(), torch.stack([chosen, rejected], 1), torch.stack([inputs["weight"], inputs["margin"]], 1)

    def _rewards_and_losses(self, model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        outputs = model(**{name: value for name, value in inputs.items() if name not in self._withheld})
        chosen, rejected = outputs.logits.float().squeeze(-1).chunk(2)
        return chosen, rejected, pair_losses(chosen, rejected, inputs["weight"], inputs["margin"], self.training)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Tells of every update and every validation. @throws JobError when training has diverged"""
        step = self.state.global_step
        if "loss" in logs:
            figures = self._figures.take()  # waits for the device
            seconds = time.monotonic() - self._update_began
            tokens, squares = figures.pop("tokens"), figures.pop("squares")
            self.updates.append(Update(seconds, figures["pairs"], tokens, squares))
            self.state.num_input_tokens_seen += tokens
            rate = learning_rate_at(step, self.state.max_steps, self.training)
            event = {**figures, "num_tokens": self.state.num_input_tokens_seen, "learning_rate": rate}
            self._tell("step", {**event, "grad_norm": float(logs.get("grad_norm", math.nan)), "seconds": seconds})
            if not math.isfinite(figures["loss"]):
                raise JobError(f"step {step}: expected a finite loss, got {figures['loss']}; lower the learning rate")
        elif "eval_accuracy" in logs:
            names = ("loss", "nll", "accuracy", "margin", "pairs")
            when = "epoch" if float(self.state.epoch or 0).is_integer() else "step"
            figures = {name: logs[f"eval_{name}"] for name in names}
            self._tell("validation", {**figures, "when": when, "rewards": self._validated})
        super().log(logs, start_time)

    def _validation_figures(self, seen: EvalPrediction) -> dict[str, float]:
        self._validated = [[float(f"{reward:.6g}") for reward in pair] for pair in seen.predictions[:_REWARDS_TOLD]]
        return validation_figures(seen, self.training)

    def _tell(self, kind: str, figures: dict[str, Any]) -> None:
        if self.is_world_process_zero():
            epoch = max(1, math.ceil((self.state.epoch or 0) - 1e-9))
            self._emit({"event": kind, "step": self.state.global_step, "epoch": epoch, **figures})

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """The command line writes the card."""


def validation_figures(seen: EvalPrediction, training: Training) -> dict[str, float]:
    """Loss and accuracy over all validation pairs; a tie counts one half."""
    rewards, settings = torch.tensor(seen.predictions), torch.tensor(seen.label_ids)
    chosen, rejected = rewards.double().unbind(1)
    weight, margin = settings.double().unbind(1)
    difference = chosen - rejected
    return {
        "loss": pair_losses(chosen, rejected, weight, margin, training).mean().item(),
        "nll": torch.nn.functional.softplus(-difference).mean().item(),
        "accuracy": ((difference > 0).double() + 0.5 * (difference == 0).double()).mean().item(),
        "margin": difference.mean().item(),
        "pairs": len(difference),
    }
