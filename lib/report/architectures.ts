// In: the files of runs. Out: what their architectures weigh and cost, side by side: a shared trunk beside a separate model.
import { basename } from "node:path";
import { duration } from "./pages/summary";
import { runLabels, type RunRecord } from "../runs/runFiles";

export interface Cost {
  readonly name: string;
  /** A text, or a number that `show` turns into one; nothing where the run has not ended or was made before it was kept. */
  readonly pick: (run: RunRecord) => number | string | null | undefined;
  readonly show: (value: number) => string;
}

const whole = (value: number) => value.toLocaleString("en");
const rate = (value: number) => value.toFixed(value < 10 ? 2 : 1);
const gigabytes = (mebibytes: number) => `${(mebibytes / 1024).toFixed(2)} GiB`;

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** What of the model moved, in the words of the configuration. */
function trainedPart({ config }: RunRecord): string | null {
  if (Number(config?.lora_rank) > 0) return `LoRA, rank ${config?.lora_rank}`;
  return config?.freeze === "none" ? "everything" : text(config?.freeze);
}

/** Both architectures in the same lines. */
export const COSTS: readonly Cost[] = [
  {
    name: "Model",
    pick: ({ config }) => (text(config?.model) === null ? null : basename(String(config!.model))),
    show: whole,
  },
  { name: "Architecture", pick: ({ config }) => text(config?.architecture), show: whole },
  { name: "What trains", pick: trainedPart, show: whole },
  { name: "Parameters, all", pick: ({ metrics }) => metrics?.num_parameters, show: whole },
  { name: "Parameters, trained", pick: ({ metrics }) => metrics?.trainable_parameters, show: whole },
  { name: "Parameters, saved", pick: ({ metrics }) => metrics?.saved_parameters, show: whole },
  { name: "Training time", pick: ({ metrics }) => metrics?.train_seconds, show: duration },
  { name: "Training, pairs a second", pick: ({ metrics }) => metrics?.train_pairs_per_second, show: rate },
  { name: "Scoring, pairs a second", pick: ({ metrics }) => metrics?.score_pairs_per_second, show: rate },
  { name: "Peak memory", pick: ({ metrics }) => metrics?.peak_memory_mb, show: gigabytes },
];

/**
 * One line a cost, one column a run, for a table.
 *
 * @example
 * ```ts
 * createTable(architectureSummary([readRun("metrics/shared"), readRun("metrics/separate")]));
 * ```
 */
export function architectureSummary(runs: readonly RunRecord[]): Record<string, string | number | null | undefined>[] {
  const labels = runLabels(runs);
  return COSTS.map(({ name, pick, show }) => {
    const cells = runs.map((run, i) => {
      const value = pick(run);
      return [labels[i], typeof value === "number" ? show(value) : value] as const;
    });
    return Object.fromEntries([["", name], ...cells]);
  });
}
