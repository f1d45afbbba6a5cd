// In: how much is done. Out: a bar with rate and time left that stays one output; a line every few seconds outside a notebook.
import type { Bar, Beginning } from "../longWork";
import { escapeHtml } from "../report/escape";
import { createLiveDisplay, type MimeBundle } from "../report/show";
import { createRate } from "../wording";

export interface ProgressBarOptions {
  /** When the work began, and how much was done then. Default: now, and nothing. */
  readonly since?: Beginning;
  /** A clock in milliseconds. Default: the process's own. */
  readonly now?: () => number;
}

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
export function createProgressBar(label: string, unit: string, options: ProgressBarOptions = {}): Bar {
  const display = createLiveDisplay();
  const rate = createRate(options.now, options.since);
  let state = { done: 0, total: 1, note: "", ended: false };
  const bundle = (): MimeBundle => {
    const { done, total, note, ended } = state;
    const known = Number.isFinite(total);
    const text = `${label} ${known ? `${done}/${total}` : done} ${unit} · ${rate.told()}${note ? ` · ${note}` : ""}`;
    const share = known ? ` value="${done}" max="${total}"` : ended ? ` value="0"` : "";
    const html = `<div><progress${share} style="width:18em;vertical-align:middle"></progress> ${escapeHtml(text)}</div>`;
    return { "text/html": html, "text/plain": text };
  };
  return {
    update(done, total, note = "") {
      state = { done, total, note, ended: false };
      rate.update(done, total);
      display.update(bundle);
    },
    end(note) {
      state = { ...state, note: note ?? state.note, ended: true };
      display.finish(bundle);
    },
  };
}
