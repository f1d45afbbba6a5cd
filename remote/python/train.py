"""In: a job and one of its workers' session. Out: a trained checkpoint on the storage, and what it cost."""

from __future__ import annotations

import json
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback
from trl.trainer.reward_config import RewardConfig

from batches import UpdateBatches
from checked import JobError
from collate import PairCollator
from cost import cost_of
from handback import file_list
from job import Job, Training
from model import trainable_model
from padding import PaddingOnly
from pairs import lengths, read_pairs
from probe import probe_scores
from rhythm import Rhythm
from session import Session
from storage import join, resolve, send_folder
from trainer import PairTrainer


def train(job: Job, folder: Path, session: Session) -> dict[str, Any]:
    """Trains on this worker's share of every update; the first worker stores the finished model and scores the probe.

    @returns the `done` event
    """
    training = job.training
    assert training is not None
    if training.fsdp and not torch.cuda.is_available():
        raise JobError("fsdp: expected workers with GPUs to shard over, got none; set gpus_per_worker, or leave fsdp out")
    with tempfile.TemporaryDirectory(prefix="rewardbook-") as scratch:
        trainer = build_trainer(job, training, folder, session, Path(scratch))
        checkpoint = session.resume_from()
        if session.rank == 0:
            session.emit(start_event(trainer, session, checkpoint))
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        cost = cost_of(trainer.updates, trainer.reward_model, session.workers, frozen=training.lora is not None)
        finished = Path(scratch, "model")
        save_finished(trainer, job, finished)
        done: dict[str, Any] = {"event": "done", "checkpoint": join(job.run, "model"), **cost}
        if session.rank == 0:
            files = send_folder(finished, join(job.storage, job.run, "model"))
            done["files"] = file_list(done["checkpoint"], files)
            del trainer
            done["probe"] = probe_scores(job, finished, folder)
        return done


def build_trainer(job: Job, training: Training, folder: Path, session: Session, scratch: Path) -> PairTrainer:
    rows = read_pairs(resolve(job.data.train, folder), scratch / "train.arrow", filler=True)
    validation = read_pairs(resolve(job.data.validation, folder), scratch / "validation.arrow")
    batches = UpdateBatches(
        lengths(rows)[:-1],
        batch_pairs=training.batch_pairs,
        batch_tokens=job.batch_tokens,
        seed=training.seed,
        rank=session.rank,
        workers=session.workers,
    )
    model = trainable_model(job, training, folder)
    special = model.config.get_text_config()
    trainer = PairTrainer(
        training,
        session.emit,
        batches,
        model=model,
        args=trainer_arguments(job, training, batches, max(lengths(validation)), session, model),
        train_dataset=rows,
        eval_dataset=validation,
        data_collator=PairCollator(pad_token_id=job.model.pad_token_id, pad_to_multiple_of=8),
        processing_class=PaddingOnly(job.model.pad_token_id, special.eos_token_id, special.bos_token_id),
        callbacks=[Rhythm(training, session)],
    )
    trainer.remove_callback(PrinterCallback)  # The events tell it already.
    return trainer


def trainer_arguments(
    job: Job, training: Training, batches: UpdateBatches, longest: int, session: Session, model: Any
) -> RewardConfig:
    """The job's settings by Trainer's names; validation and saving are the callback's.

    @param longest validation text, tokens: Trainer validates in batches of so many pairs
    """
    steps = training.epochs * len(batches) // batches.in_update
    return RewardConfig(
        output_dir=str(session.output),
        max_length=None,
        disable_dropout=False,
        num_train_epochs=training.epochs,
        max_steps=min(training.max_steps or steps, steps),
        per_device_eval_batch_size=max(1, job.batch_tokens // (2 * longest)),
        gradient_accumulation_steps=batches.in_update,
        learning_rate=training.learning_rate,
        weight_decay=training.weight_decay,
        adam_beta1=training.adam_betas[0],
        adam_beta2=training.adam_betas[1],
        adam_epsilon=training.adam_epsilon,
        max_grad_norm=training.clip_norm or 0.0,
        seed=training.seed,
        bf16=job.model.dtype == "bfloat16",
        use_cpu=not torch.cuda.is_available(),
        gradient_checkpointing=training.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        fsdp=training.fsdp,  # type: ignore[arg-type]  # A flag since transformers 5.
        fsdp_config={"transformer_layer_cls_to_wrap": list(model._no_split_modules or [])} if training.fsdp else None,
        logging_steps=1,
        logging_nan_inf_filter=False,
        eval_strategy="no",
        save_strategy="no",
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
    )


def start_event(trainer: PairTrainer, session: Session, checkpoint: Path | None) -> dict[str, Any]:
    return {
        "event": "start",
        "workers": session.workers,
        "gpus": session.workers if torch.cuda.is_available() else 0,
        "total_steps": trainer.args.max_steps,
        "trainable_parameters": sum(p.numel() for p in trainer.reward_model.parameters() if p.requires_grad),
        "resumed_from_step": _step_of(checkpoint) if checkpoint else 0,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "versions": {name: _version(name) for name in ("ray", "torch", "transformers", "trl", "peft")},
    }


def _step_of(checkpoint: Path) -> int:
    return int(json.loads((checkpoint / "trainer_state.json").read_text())["global_step"])


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def save_finished(trainer: PairTrainer, job: Job, target: Path) -> None:
    """A plain Hugging Face directory: shards gathered, adapters folded in, the numbers in the job's precision."""
    state = trainer.accelerator.get_state_dict(trainer.model)
    if not trainer.is_world_process_zero():
        return
    model = trainer.accelerator.unwrap_model(trainer.model)
    if hasattr(model, "merge_and_unload"):
        model.load_state_dict(state)
        model, state = model.merge_and_unload(), None
    dtype = getattr(torch, job.model.dtype)
    state = {name: value.to(dtype) for name, value in (state or model.state_dict()).items()}
    model.config.dtype = dtype
    model.save_pretrained(target, state_dict=state)
