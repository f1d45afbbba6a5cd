// In: a notebook's name. Out: what it will take on this machine and with this configuration, told before anything runs.
import { currentBackend, measureGemm } from "../engine/backend";
import { createTable, type Table } from "../report/tables";
import { expectedSeconds, inWords } from "./expectedTime";
import { notebookConfig, type NotebookConfig } from "./support";

/**
 * The speed that counts for a run: bf16 products where the processor has them and the run may use them.
 *
 * @example
 * ```ts
 * console.log(speedFor(notebookConfig()).gflops);
 * ```
 */
export function speedFor({ training }: NotebookConfig): { gflops: number; precision: "bf16" | "f32" } {
  const { f32, bf16 } = measureGemm();
  const half = training.precision !== "f32" && currentBackend().bf16 && bf16 !== null;
  return { gflops: half ? Math.max(bf16, f32) : f32, precision: half ? "bf16" : "f32" };
}

/**
 * The table under a notebook's first cell. The backend must have been chosen (`initBackend`).
 *
 * @example
 * ```ts
 * openNotebook("03_train_reward_model", notebookConfig());
 * ```
 */
export function openNotebook(name: string, config = notebookConfig()): Table {
  const backend = currentBackend();
  const { gflops, precision } = speedFor(config);
  const seconds = expectedSeconds(config, gflops)?.[name];
  const data = config.synthetic ? `${config.questions} synthetic questions` : config.training.pairs!;
  return createTable([
    { what: "takes about", value: seconds === undefined ? "not known before the model is there" : inWords(seconds) },
    {
      what: "on",
      value: `${backend.name}, ${backend.threads} threads, products at ${gflops.toFixed(0)} GFLOP/s (${precision})`,
    },
    ...(config.missingModel === undefined
      ? []
      : [
          {
            what: "model",
            value: `the default encoder: ${config.missingModel} is not here (npx rewardbook pull ${config.missingModel})`,
          },
        ]),
    ...(config.lengthNote === undefined ? [] : [{ what: "longest text", value: config.lengthNote }]),
    { what: "run", value: `${config.training.run}: ${data}, seed ${config.training.seed}` },
  ]);
}
