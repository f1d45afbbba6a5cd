// What a comparison of the benchmark is: its sides, and the rows it gives to the table.
import type { Measured, Side } from "./compare";
import type { Job } from "./job";

/** One line of the table. `value` is what counts on each side; a higher ratio ours ÷ theirs is better. */
export interface Row {
  readonly work: string;
  readonly against: string;
  readonly target: number;
  readonly unit: string;
  readonly ours: number;
  readonly theirs: number | null;
  /** What the target bounds: ours ÷ theirs, or ours alone, from below or from above. */
  readonly bound: "ratio at least" | "ratio at most" | "at least" | "at most";
}

export interface Comparison {
  readonly name: string;
  /** Largest relative difference of the loss, and in which unit; see compare.ts. */
  readonly tolerance: number;
  readonly judged?: "first";
  sides(job: Job, quick: boolean): Promise<Side[]>;
  rows(measured: ReadonlyMap<string, Measured>): Row[];
}
