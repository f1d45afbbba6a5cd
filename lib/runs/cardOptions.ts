// What a model card tells of a checkpoint, as training hands it over.
import type { PythonTokenizer } from "../checkpoints/pythonTokens";
import type { ModelConfig } from "../models/config";
import type { HeadConfig } from "../models/heads";

export type Interval = readonly [number, number];

/** The part of an `Evaluation` a card tells. */
export interface CardEvaluation {
  readonly n_pairs: number;
  readonly n_prompts?: number;
  readonly accuracy: number;
  readonly accuracy_ci95?: Interval;
  readonly ece: number;
  readonly ece_symmetric?: number;
  readonly brier?: number;
  readonly nll?: number;
  readonly temperature?: number;
  readonly baselines?: Readonly<Record<string, number>>;
  readonly by_risk?: Readonly<
    Record<string, { readonly n: number; readonly accuracy: number; readonly ci95?: Interval }>
  >;
  readonly length?: { readonly sentence?: string };
}

export interface ModelCardOptions {
  /** The resolved configuration of the run. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly settings: {
    readonly template: string;
    readonly max_length: number;
    readonly truncation?: string;
    readonly append_eos?: boolean;
  };
  /** On the validation pairs; null for a state saved between validations. */
  readonly evaluation: CardEvaluation | null;
  readonly modelConfig: HeadConfig & Partial<Omit<ModelConfig, "raw">>;
  readonly tokenizer: PythonTokenizer;
  /** Whether the directory holds the head and low-rank updates alone, as an adapter on the policy's model. */
  readonly adapter?: boolean;
  /** A decoder's padding token, as config.json names it. */
  readonly padId?: number | null;
  /** Weights of the whole model, and those that were trained. */
  readonly parameters?: { readonly all: number; readonly trained: number };
  /** `data.json`. */
  readonly data?: Readonly<Record<string, unknown>>;
}
