// In: the configuration and what a run of that name left. Out: the state a run begins with, fresh or that of the run it goes on
// with; or a refusal, before anything is lost.
import { existsSync, readdirSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import type { TrainingConfig } from "../config";
import { findModel } from "../checkpoints/findModel";
import { readJsonFile } from "../files/json";
import { InputError, UsageError } from "../errors";
import { checkpointsDir, metricsDir } from "../files/paths";
import { readRun } from "../runs/runFiles";
import { findStates } from "./checkpoints";
import { decisiveSettings, differences, raisedLengths, type Origin } from "./origin";
import { endedBy, newState, readTrainingState, type TrainingState } from "./state";

/** Where a run begins. */
export interface Start {
  readonly state: TrainingState;
  /** The saved state that it goes on from; null for a fresh run. */
  readonly resumeFrom: string | null;
  /** Whether the run had ended within its limits and now goes on to higher ones. */
  readonly goesFurther: boolean;
}

const ANEW = "--overwrite begins it anew, another --run leaves it as it is";

/**
 * Refuses a new run that would write over another one of its name.
 *
 * @throws UsageError naming both ways on
 */
export function refuseToReplace(config: TrainingConfig, say: (text: string) => void): void {
  const left = [metricsDir(config.run), checkpointsDir(config.run)].filter(
    (dir) => existsSync(dir) && readdirSync(dir).length > 0,
  );
  if (config.resume || left.length === 0) return;
  if (!config.overwrite) {
    throw new UsageError(
      `run ${config.run}: expected a name that no run has yet, got one that has written ${left.join(" and ")}; --resume goes on with it, ${ANEW}`,
    );
  }
  const needed = [findModel(config.model), config.pairs, config.val].filter((path) => path !== undefined);
  const inside = needed.find((path) => left.some((dir) => resolve(path).startsWith(resolve(dir) + sep)));
  if (inside !== undefined) {
    throw new UsageError(
      `run ${config.run}: expected a model and pairs that --overwrite leaves alone, got ${inside}, which lies in the run to be replaced; give another --run`,
    );
  }
  say(`run ${config.run}: replaces the earlier run of that name in ${left.join(" and ")} (overwrite)`);
}

/**
 * @param origin what the run begins with: it goes on only with the same
 * @throws UsageError naming each difference; InputError when all that was saved is damaged
 */
export async function findStart(config: TrainingConfig, origin: Origin, say: (text: string) => void): Promise<Start> {
  const fresh = { state: newState(origin), resumeFrom: null, goesFurther: false };
  if (!config.resume) return fresh;
  const { newest, damaged } = await findStates(config.run);
  for (const { dir, why } of damaged) if (newest || config.overwrite) say(`skipped ${dir}: ${why}`);
  if (newest) return resumeFrom(newest, config, origin, say);
  if (!config.overwrite) refuseToErase(config, origin, damaged);
  say(`nothing to resume in ${checkpointsDir(config.run)}: starting anew`);
  return fresh;
}

function resumeFrom(dir: string, config: TrainingConfig, origin: Origin, say: (text: string) => void): Start {
  const state = readTrainingState(dir);
  const found = differences(state.origin, origin);
  if (found.length > 0) {
    throw new UsageError(
      `resume: expected what ${dir} was made with, got other values: ${found.join("; ")}; give the same (metrics/${config.run}/config.json has them; epochs and max_steps may be raised), or another --run`,
    );
  }
  for (const { field, old, value } of raisedLengths(state.origin, origin)) {
    say(
      `${field}: ${old} when the run began, ${value} now: from step ${state.step} on the learning rate follows the longer schedule`,
    );
  }
  const hadEnded = state.ended !== null;
  if (hadEnded) state.ended = endedBy(state, config);
  return { state: { ...state, origin }, resumeFrom: dir, goesFurther: hadEnded && state.ended === null };
}

/** Without a usable state a run can only begin anew: over nothing but what it would compute again. */
function refuseToErase(
  config: TrainingConfig,
  origin: Origin,
  damaged: readonly { readonly dir: string; readonly why: string }[],
): void {
  const { run } = config;
  if (damaged.length > 0) {
    const found = damaged.map(({ dir, why }) => `${dir}: ${why}`).join("; ");
    throw new InputError(`resume: expected a training state of run ${run} that is whole, got ${found}; ${ANEW}`);
  }
  const path = join(metricsDir(run), "config.json");
  if (!existsSync(path)) {
    if (!existsSync(join(checkpointsDir(run), "best"))) return;
    throw new InputError(
      `resume: expected a training state in ${checkpointsDir(run)}, got only its best model; ${ANEW}`,
    );
  }
  const { steps, metrics } = readRun(metricsDir(run));
  if (metrics !== null || steps.some(({ epoch }) => epoch > 1)) {
    throw new InputError(
      `resume: expected the training state that run ${run} saved (${steps.length} steps are logged), got none in ${checkpointsDir(run)}; ${ANEW}`,
    );
  }
  const then = decisiveSettings(readJsonFile(path) as object, String(origin.settings.precision));
  const found = differences({ ...origin, settings: then }, origin);
  if (found.length === 0) return; // stopped before its first save: the same steps come again
  throw new UsageError(
    `resume: run ${run} was stopped before it saved a state, and began with other values: ${found.join("; ")}; give the same, ${ANEW}`,
  );
}
