// rewardbook remote train: pairs in, a job on the cluster, and the same run folder and checkpoint out as of a local training.
import type { Command } from "commander";
import { Interrupted } from "../lib/errors";
import { remoteTrainingSchema, type RemoteTrainingInput } from "../remote/settings";
import { EXIT, ExitWith } from "./exit";
import { addConfigFlags, addSchemaFlags, configFromFlags, fieldsFromFlags } from "./flags";
import { createOutput, type Output } from "./output";
import { hooksFor, leave, reportRun } from "./train";

export function register(remote: Command): void {
  const command = remote
    .command("train")
    .description(
      "train there; Ctrl-C leaves the job running, the same command with --resume (or remote logs) comes back to it",
    )
    .option("--json", "print one JSON object on stdout");
  addSchemaFlags(command, remoteTrainingSchema.shape);
  addConfigFlags(command).action(async (options) => {
    const out = createOutput(options.json === true);
    const { handOverTraining } = await import("../remote/train");
    const where = fieldsFromFlags(options, remoteTrainingSchema.shape) as unknown as RemoteTrainingInput;
    await detachable(out, async () => {
      const { result, left } = await handOverTraining(configFromFlags(options), where, hooksFor(out));
      if (result === null) return out.result({ run: configFromFlags(options).run, left }, `checkpoint  ${left}`);
      reportRun(out, result);
      leave(result);
    });
  });
}

/** Ctrl-C leaves a job to itself: the message says how to come back, the exit code that it was interrupted. */
export async function detachable(out: Output, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    out.say(error.message);
    throw new ExitWith(EXIT[error.cause === "SIGTERM" ? "SIGTERM" : "SIGINT"]);
  }
}
