// A prompt with an answer, how it is to be encoded, and what comes of it.
import type { Message } from "../pairs/pair";
import type { Truncation } from "./truncate";

/** What one reward is asked for. */
export interface TextItem {
  readonly prompt: string;
  readonly response: string;
  /** The conversation the prompt came from; a chat template renders it instead of `prompt`. */
  readonly promptMessages?: readonly Message[];
  /** The answer's turns, where it is more than one assistant message; a chat template renders them instead of `response`. */
  readonly responseMessages?: readonly Message[];
}

export interface EncodeOptions {
  /** With `{prompt}` and `{response}`, or `chat`; or `rendered chat` for answers that are whole rendered chats. */
  readonly template: string;
  /** Most tokens of a text, special ones included. */
  readonly maxLength: number;
  readonly truncation: Truncation;
  /** Also say where a text was cut. */
  readonly locateCuts?: boolean;
}

/** Characters (code points) [start, stop) of a prompt or an answer that the model does not read. */
export interface TextCut {
  readonly from: "prompt" | "response";
  readonly start: number;
  readonly stop: number;
}

export interface Encoded {
  readonly ids: Uint32Array;
  /** Tokens removed to fit. */
  readonly cut: number;
  /** Where, if that was asked for and anything was removed. */
  readonly cuts?: readonly TextCut[];
  /** Tokens at the end that the head does not read (a tokenizer's `unreadId`). */
  readonly unread: number;
}
