"""In: how often to validate and to save. Out: the callback that tells Trainer so, and the session when it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from job import Training
from session import Session


class Rhythm(TrainerCallback):
    """At the end of every epoch, and every so many steps: Trainer knows only one of the two."""

    def __init__(self, training: Training, session: Session) -> None:
        self._training = training
        self._session = session

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if float(state.epoch or 0).is_integer():
            return  # The epoch's end does both.
        control.should_evaluate |= _is_due(state.global_step, self._training.evaluate_every_steps)
        control.should_save |= _is_due(state.global_step, self._training.save_every_steps)

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        control.should_evaluate = True
        control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._session.saved(Path(str(args.output_dir), f"checkpoint-{state.global_step}"))
        if self._session.rank == 0:
            self._session.emit({"event": "checkpoint", "step": state.global_step})


def _is_due(step: int, every: int | None) -> bool:
    return bool(every) and step % (every or 1) == 0
