// In: what requests want to put into the queue. Out: a place for it, before anything is tokenised, or a refusal with the time to wait.
import { RequestFault } from "./faults";
import type { BatchReport } from "./messages";
import type { ServerSettings } from "./settings";

export interface Ask {
  readonly texts: number;
  /** Bytes of the request's body. */
  readonly bytes: number;
  /** Estimated tokens (see `estimateTokens`). */
  readonly tokens: number;
}

export interface Place {
  /** Gives the place back, once. @param tokens what the texts really had, where that is known */
  release(tokens?: number): void;
}

export interface Admission {
  /** @throws RequestFault `overloaded` */
  reserve(ask: Ask): Place;
  /** Whether anything at all would be refused now: a request can then be turned away before its body is read. */
  full(): boolean;
  /** The speed of a model that takes over. */
  begin(tokensPerSecond: number): void;
  /** Learns the speed from a graph run. */
  observe(batch: BatchReport): void;
  /** Texts and estimated seconds of work in flight. */
  readonly texts: number;
  readonly seconds: number;
}

/** Share of the newest observation in the running means. */
const NEW = 0.1;
/** Characters of a token in most languages; the real ratio is learnt. */
const CHARACTERS_PER_TOKEN = 4;
const FRAME_TOKENS = 8;

/** What a text may cost, before it is tokenised: long texts are cut. */
export const estimateTokens = (characters: number, maxLength: number): number =>
  Math.min(maxLength, FRAME_TOKENS + Math.ceil(characters / CHARACTERS_PER_TOKEN));

export function createAdmission(
  limits: Pick<ServerSettings, "max_queue_items" | "max_queue_bytes" | "max_wait_seconds">,
): Admission {
  let speed = 1000; // tokens a second
  let truth = 1; // real tokens to estimated ones
  const held = { texts: 0, bytes: 0, tokens: 0 };
  const seconds = () => (held.tokens * truth) / speed;
  const overloaded = (why: string) =>
    new RequestFault("overloaded", `${why}; try again later`, { retryAfter: Math.max(1, Math.ceil(seconds())) });
  const tooLong = () => held.texts > 0 && seconds() > limits.max_wait_seconds;

  return {
    reserve: ({ texts, bytes, tokens }) => {
      if (held.texts > 0 && held.texts + texts > limits.max_queue_items)
        throw overloaded(`expected at most ${limits.max_queue_items} texts in flight, got ${held.texts + texts}`);
      if (held.bytes > 0 && held.bytes + bytes > limits.max_queue_bytes)
        throw overloaded(`expected at most ${limits.max_queue_bytes} bytes in flight, got ${held.bytes + bytes}`);
      if (tooLong())
        throw overloaded(`expected a wait of at most ${limits.max_wait_seconds} s, got ${seconds().toFixed(1)} s`);
      held.texts += texts;
      held.bytes += bytes;
      held.tokens += tokens;
      let released = false;
      return {
        release: (real) => {
          if (released) return;
          released = true;
          held.texts -= texts;
          held.bytes -= bytes;
          held.tokens -= tokens;
          if (real !== undefined && tokens > 0) truth += NEW * (Math.min(4, real / tokens) - truth);
        },
      };
    },
    full: () => tooLong() || held.texts >= limits.max_queue_items,
    begin: (tokensPerSecond) => (speed = tokensPerSecond),
    observe: ({ tokens, ms }) => {
      // small runs say little about the speed of full ones
      if (ms > 0 && tokens >= 512) speed += NEW * ((1000 * tokens) / ms - speed);
    },
    get texts() {
      return held.texts;
    },
    get seconds() {
      return seconds();
    },
  };
}
