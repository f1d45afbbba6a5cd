// A prompt with an answer, how it is to be encoded, and what comes of it.
import type { Message } from "../pairs/pair";
import type { Truncation } from "./truncate";

/** What one reward is asked for. */
export interface TextItem {
  readonly prompt: string;
  readonly response: string;
  /** The conversation the prompt came from; a chat template renders it instead of `prompt`. */
  readonly promptMessages?: readonly Message[];
}

export interface EncodeOptions {
  /** With `{prompt}` and `{response}`, or `chat`; or `rendered chat` for answers that are whole rendered chats. */
  readonly template: string;
  /** Most tokens of a text, special ones included. */
  readonly maxLength: number;
  readonly truncation: Truncation;
}

export interface Encoded {
  readonly ids: Uint32Array;
  /** Tokens removed to fit. */
  readonly cut: number;
}
