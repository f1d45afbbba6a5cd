// In: what an optimizer step saw. Out: whether it was left out, a warning that names its pairs, and the end of a run that diverges.
import type { Update } from "../batching/trainingPlan";
import { InputError } from "../errors";
import { dropUnproven } from "./checkpoints";
import type { TrainingRun } from "./run";
import type { StepOutcome } from "./step";

/** So many steps in a row are no accident of the data. */
const MOST_IN_ROW = 3;
const NAMED = 5;

/** Whether loss or gradient are no finite numbers; the optimizer has then changed nothing. */
export const isBroken = (loss: number, gradNorm: number): boolean =>
  !Number.isFinite(loss) || !Number.isFinite(gradNorm);

/**
 * Counts a step that was left out, and logs its pairs: those without a finite loss, else all of them.
 *
 * @throws InputError on the third in a row; the last state that gave finite numbers is kept
 */
export function noteSkipped(run: TrainingRun, { loss, losses, gradNorm }: StepOutcome, update: Update): void {
  const { state, config, health } = run;
  state.skipped_steps++;
  health.skippedInRow++;
  const numbers = update.batches.flatMap((batch) => batch.pairs);
  const odd = numbers.filter((_, i) => !Number.isFinite(losses[i]));
  const pairs = (odd.length > 0 ? odd : numbers).map((number) => run.trainId(number));
  const what = Number.isFinite(loss) ? `the gradient's norm is ${gradNorm}` : `the loss is ${loss}`;
  const named = pairs.slice(0, NAMED).join(", ") + (pairs.length > NAMED ? `, and ${pairs.length - NAMED} more` : "");
  run.warn([
    {
      kind: "skipped-step",
      step: state.step,
      epoch: state.epoch,
      message: `step ${state.step} was left out: ${what}; pairs ${named}`,
      advice: "look at these pairs' margin and confidence_penalty, and lower learning_rate should it happen again",
      pairs,
    },
  ]);
  if (health.skippedInRow < MOST_IN_ROW) return;
  const kept = dropUnproven(run);
  throw new InputError(
    `training: expected finite numbers, got none in ${MOST_IN_ROW} steps in a row, up to step ${state.step} (${what}; pairs ${named}); ` +
      `${kept}; begin anew (--overwrite, or another --run) with a lower --learning-rate than ${config.learning_rate}` +
      `${run.precision === "bf16" ? " or with --precision f32" : ""}`,
  );
}
