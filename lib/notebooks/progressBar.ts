// In: how much is done. Out: a bar with rate and time left that stays one output; a line every few seconds outside a notebook.
import type { Bar } from "../longWork";
import { escapeHtml } from "../report/escape";
import { createLiveDisplay, type MimeBundle } from "../report/show";

/** The rate is that of the last so many seconds: the first steps, with their compilation, say nothing about the rest. */
const RATE_WINDOW_MS = 20_000;

/** @param unit what is counted: `steps`, `pairs` */
export function createProgressBar(label: string, unit: string, now: () => number = () => performance.now()): Bar {
  const display = createLiveDisplay();
  const started = now();
  let marks = [{ at: started, done: 0 }];
  let state = { done: 0, total: 1, note: "" };
  const bundle = (): MimeBundle => {
    const { done, total, note } = state;
    const running = done < total;
    const since = running ? marks[0] : { at: started, done: 0 };
    const rate = (done - since.done) / Math.max((now() - since.at) / 1000, 1e-3);
    const time = running && rate > 0 ? `${clock((total - done) / rate)} left` : `in ${clock((now() - started) / 1000)}`;
    const text = `${label} ${done}/${total} ${unit} · ${rate.toPrecision(3)}/s · ${time}${note ? ` · ${note}` : ""}`;
    const html = `<div><progress value="${done}" max="${total}" style="width:18em;vertical-align:middle"></progress> ${escapeHtml(text)}</div>`;
    return { "text/html": html, "text/plain": text };
  };
  return {
    update(done, total, note = "") {
      state = { done, total, note };
      marks.push({ at: now(), done });
      const recent = marks.findIndex(({ at }) => now() - at <= RATE_WINDOW_MS);
      marks = marks.slice(Math.min(Math.max(recent, 0), marks.length - 2));
      display.update(bundle);
    },
    end(note) {
      if (note !== undefined) state = { ...state, note };
      display.finish(bundle);
    },
  };
}

const clock = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
