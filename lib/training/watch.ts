// In: the hooks of a training. Out: the same; in a notebook also a bar and messages where the caller brings none.
import { observer, type Bar } from "../longWork";
import type { TrainingHooks } from "./run";
import { percent } from "../wording";

/** Hooks, and the end of their bar. */
export interface WatchedTraining {
  readonly hooks: TrainingHooks;
  end(note?: string): void;
}

/** `quiet`, or a hook of one's own in its place, keeps bar or messages away. */
export function watchTraining(hooks: TrainingHooks): WatchedTraining {
  const seenBy = observer(hooks.quiet);
  if (!seenBy) return { hooks, end: () => {} };
  let bar: Bar | null = null;
  const onProgress: TrainingHooks["onProgress"] = ({ step, totalSteps, epoch, loss, accuracy }) => {
    bar ??= seenBy.bar("training", "steps");
    bar.update(step, totalSteps, `epoch ${epoch} · loss ${loss.toFixed(4)} · accuracy ${percent(accuracy)}`);
  };
  return { hooks: { onMessage: seenBy.say, onProgress, ...hooks }, end: (note) => bar?.end(note) };
}
