// What the server's process and the scoring process say to each other.
import type { ScoreItem } from "../lib/scoring/score";

/** One text: a prompt and its answer for the checkpoint's template, or a whole text as the model reads it. */
export type JobItem = ScoreItem | { readonly whole: string };

/** The texts of one request. */
export interface Job {
  readonly id: number;
  readonly items: readonly JobItem[];
  /** Most tokens of a text, where the request asks for fewer than the checkpoint's. */
  readonly maxLength?: number;
  /** The end that is cut, where the request names one; else as the checkpoint was trained. */
  readonly truncation?: "left" | "right";
  /** Whether a text that is too long is an error rather than cut. */
  readonly refuseLong: boolean;
}

/** One text's reward and what became of its length, tokens. */
export interface ItemScore {
  readonly score: number;
  /** Tokens that the model read. */
  readonly tokens: number;
  /** Tokens that were cut off. */
  readonly cut: number;
}

/** Why a job got no scores. */
export interface JobFault {
  readonly kind: "too_long" | "too_large" | "text" | "not_finite" | "engine";
  readonly message: string;
  /** The item at fault. */
  readonly item?: number;
}

/** What the scoring process knows of its checkpoint. */
export interface ModelFacts {
  readonly name: string;
  /** sha256 over the checkpoint's files, short. */
  readonly digest: string;
  readonly modelType: string;
  readonly parameters: number;
  readonly template: string;
  readonly maxLength: number;
  readonly truncation: string;
  /** P(first is preferred) = σ(Δ / temperature); null where none was fitted. */
  readonly temperature: number | null;
  readonly precision: "f32" | "bf16";
  /** The checkpoint has no reward head: its scores mean nothing. */
  readonly freshHead: boolean;
  readonly backend: string;
  readonly threads: number;
  readonly eosToken: string | null;
  readonly padToken: string;
}

/** What one graph run did. */
export interface BatchReport {
  readonly texts: number;
  readonly tokens: number;
  readonly ms: number;
  /** Texts that still wait. */
  readonly waiting: number;
  /** Memory of the scoring process, bytes. */
  readonly memory: number;
}

export type ToScoring = { readonly type: "job"; readonly job: Job } | { readonly type: "cancel"; readonly id: number };

export type FromScoring =
  | { readonly type: "ready"; readonly model: ModelFacts; readonly tokensPerSecond: number }
  | { readonly type: "unfit"; readonly message: string; readonly mendable: boolean }
  | { readonly type: "scored"; readonly id: number; readonly scores: readonly ItemScore[] }
  | { readonly type: "refused"; readonly id: number; readonly fault: JobFault }
  | { readonly type: "batch"; readonly batch: BatchReport };
