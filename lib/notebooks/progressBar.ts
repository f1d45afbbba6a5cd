// In: how much is done. Out: a bar with rate and time left that stays one output; a line every few seconds outside a notebook.
import type { Bar } from "../longWork";
import { escapeHtml } from "../report/escape";
import { createLiveDisplay, type MimeBundle } from "../report/show";
import { createRate } from "../wording";

/**
 * A bar that stays one output of a cell.
 *
 * @param unit what is counted: `steps`, `pairs`
 * @example
 * ```ts
 * const bar = createProgressBar("reading", "pairs");
 * pairs.forEach((_, i) => bar.update(i + 1, pairs.length));
 * bar.end();
 * ```
 */
export function createProgressBar(label: string, unit: string, now?: () => number): Bar {
  const display = createLiveDisplay();
  const rate = createRate(now);
  let state = { done: 0, total: 1, note: "" };
  const bundle = (): MimeBundle => {
    const { done, total, note } = state;
    const text = `${label} ${done}/${total} ${unit} · ${rate.told()}${note ? ` · ${note}` : ""}`;
    const html = `<div><progress value="${done}" max="${total}" style="width:18em;vertical-align:middle"></progress> ${escapeHtml(text)}</div>`;
    return { "text/html": html, "text/plain": text };
  };
  return {
    update(done, total, note = "") {
      state = { done, total, note };
      rate.update(done, total);
      display.update(bundle);
    },
    end(note) {
      if (note !== undefined) state = { ...state, note };
      display.finish(bundle);
    },
  };
}
