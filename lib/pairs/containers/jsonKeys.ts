// In: a JSON text. Out: its value; a key that an object holds twice is refused at every depth.
import { RowFault } from "../faults";

/** Deeper rows are refused for their depth. */
const DEEPEST = 64;

/**
 * The first key that an object of a valid JSON text holds twice; JSON.parse would keep the last value and say nothing.
 *
 * Goes from quote to quote, so that long texts cost one search.
 */
export function duplicateKey(text: string): string | undefined {
  const seen: Set<string>[] = [];
  let [depth, at] = [0, 0];
  for (;;) {
    const quote = text.indexOf('"', at);
    for (const end = quote < 0 ? text.length : quote; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === 123 || code === 91) {
        if (++depth > DEEPEST) return undefined;
        (seen[depth] ??= new Set()).clear();
      } else if (code === 125 || code === 93) depth--;
    }
    if (quote < 0) return undefined;
    const close = closingQuote(text, quote);
    at = close + 1;
    while (isSpace(text.charCodeAt(at))) at++;
    if (text[at] !== ":") continue;
    const raw = text.slice(quote + 1, close);
    const key = raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
    if (seen[depth].has(key)) return key;
    seen[depth].add(key);
  }
}

const isSpace = (code: number): boolean => code === 32 || code === 9 || code === 10 || code === 13;

function closingQuote(text: string, opening: number): number {
  for (let close = text.indexOf('"', opening + 1); ; close = text.indexOf('"', close + 1)) {
    let slashes = 0;
    while (text.charCodeAt(close - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return close;
  }
}

/** @throws SyntaxError as JSON.parse; RowFault when a key stands twice */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const twice = duplicateKey(text);
  if (twice !== undefined)
    throw new RowFault("duplicate_key", `expected each field once, got ${JSON.stringify(twice)} twice; remove one`);
  return value;
}
