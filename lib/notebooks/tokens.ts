// In: the tokens of a text and the place that is scored. Out: the text in coloured tokens, for a notebook.
import { escapeHtml } from "../report/escape";
import type { MimeBundle } from "../report/show";
import { printableLine } from "../terminal";

/** Two quiet grounds in turn, so that the borders of tokens show. */
const GROUNDS = ["#E8F1F8", "#FBEEE3"] as const;
const SCORED = "#0072B2";

/**
 * Tokens side by side; the ones the head reads (`scored`) stand white on blue and are named below.
 *
 * @example
 * ```ts
 * displayBundle(coloredTokens(["[CLS]", "2", "[SEP]"], [0]));
 * ```
 */
export function coloredTokens(tokens: readonly string[], scored: readonly number[]): { toMimeBundle(): MimeBundle } {
  const style = (i: number) =>
    scored.includes(i)
      ? `background:${SCORED};color:#FFFFFF;font-weight:600`
      : `background:${GROUNDS[i % 2]};color:#1B2330`;
  const spans = tokens.map(
    (token, i) => `<span style="${style(i)};padding:.15em .3em;border-radius:3px">${escapeHtml(token)}</span>`,
  );
  const read = scored.map((i) => `${escapeHtml(tokens[i])} (place ${i})`).join(", ");
  const html = `<div style="font-family:monospace;line-height:2">${spans.join(" ")}</div><div>the head reads ${read}</div>`;
  const text = tokens.map((token, i) => (scored.includes(i) ? `»${token}«` : token)).join(" ");
  return { toMimeBundle: () => ({ "text/html": html, "text/plain": printableLine(text) }) };
}
