// What every stage after reading sees: one preference pair, whatever format it came from.

/** One turn of a conversation. */
export interface Message {
  readonly role: string;
  readonly content: string;
}

/** A prompt with a preferred and a rejected answer. */
export interface PreferencePair {
  /** Unique within its file: the row's own id, else `line N`. */
  readonly id: string;
  /** Pairs of one question never part in a split: `question_id`, else a hash of the normalised prompt. */
  readonly questionId: string;
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  /** The conversation before the answer, where the source was conversational; a chat template renders it. */
  readonly promptMessages?: readonly Message[];
  /** The answers' turns, where an answer is more than one assistant message; a chat template renders them. */
  readonly chosenMessages?: readonly Message[];
  readonly rejectedMessages?: readonly Message[];
  /** Least reward difference the loss asks for; absent where the source gives none. */
  readonly margin?: number;
  readonly scoreChosen?: number;
  readonly scoreRejected?: number;
  /** `UNKNOWN` where the source gives none. */
  readonly riskLevel: string;
  /** Added weight of a pair: w = 1 + β·confidencePenalty. 0 where the source gives none. */
  readonly confidencePenalty: number;
  readonly category?: string;
  /** What the preference is about, such as correctness or style. */
  readonly preferenceType?: string;
  readonly subset?: string;
  /** 1-based line (JSONL, CSV) or row number (JSON array, Parquet) in the source file. */
  readonly line: number;
  /** The row as read, for files that carry it on unchanged (split). */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** The two answers to a pair's prompt as items to encode: the preferred one first. */
export const itemsOf = (pair: PreferencePair) =>
  [
    { response: pair.chosen, responseMessages: pair.chosenMessages },
    { response: pair.rejected, responseMessages: pair.rejectedMessages },
  ].map((answer) => ({ prompt: pair.prompt, promptMessages: pair.promptMessages, ...answer }));

/** Share of labels taken to be wrong where nothing is known of them: as many as the generator flips. */
export const LABEL_NOISE = 0.07;
