// What a check found: the JSON of `rewardbook check --json`.
import type { Reason, RejectedRow } from "../pairs/faults";
import type { LabelNoise } from "./noise";
import type { Profile } from "./profile";

/** A pair as an example in a report: texts are clipped. */
export interface Example {
  readonly line: number;
  readonly id: string;
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
}

/** Prompts of another file that the checked file has too. */
export interface OverlapReport {
  readonly path: string;
  readonly prompts: number;
  readonly exact: number;
  readonly near: number;
  readonly examples: readonly { readonly prompt: string; readonly own: Example; readonly similarity: number }[];
}

export interface CheckReport {
  readonly path: string;
  readonly format: string;
  readonly container: string;
  readonly reads: string;
  readonly rows: number;
  readonly pairs: number;
  readonly questions: number;
  readonly prompts: number;
  /** No row at fault and at least one usable pair. */
  readonly ok: boolean;
  /** Rows at fault; they make `check` fail. */
  readonly errors: number;
  readonly errors_by_reason: Partial<Record<Reason, number>>;
  /** Rows left out by rule; no error. */
  readonly left_out: number;
  readonly left_out_by_reason: Partial<Record<Reason, number>>;
  readonly identical: number;
  readonly ties: number;
  /** What else the log says of the reading: ties that stay, prompts read once, fields that are not read. */
  readonly notes: readonly string[];
  /** Pairs with no answer at all, and with only one of the two. */
  readonly empty: number;
  readonly one_sided: number;
  /** The first rows not used; all of them are in `*_rejected_rows.jsonl`. */
  readonly rejected: readonly RejectedRow[];
  /** Pairs whose chosen score is below the rejected one. */
  readonly inverted_scores: { readonly count: number; readonly examples: readonly Example[] };
  readonly duplicates: { readonly count: number; readonly examples: readonly (readonly [Example, Example])[] };
  readonly contradictions: { readonly count: number; readonly examples: readonly (readonly [Example, Example])[] };
  readonly near_duplicate_prompts: {
    readonly count: number;
    readonly examples: readonly { readonly similarity: number; readonly pair: readonly [Example, Example] }[];
  };
  readonly one_sided_answers: {
    readonly pairs: number;
    readonly examples: readonly {
      readonly side: string;
      readonly chosen: number;
      readonly rejected: number;
      readonly prompts: number;
      readonly pair: Example;
    }[];
  };
  readonly risk_levels: Readonly<Record<string, number>>;
  readonly categories: Readonly<Record<string, number>>;
  readonly lengths: Omit<Profile, "vocabulary">;
  readonly vocabulary: Profile["vocabulary"];
  readonly splits: readonly OverlapReport[];
  readonly contamination: readonly OverlapReport[];
  readonly label_noise: LabelNoise | null;
  /** Plain sentences, the gravest first. */
  readonly warnings: readonly string[];
}
