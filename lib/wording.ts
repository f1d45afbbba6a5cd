// Numbers as a reader is told them.

/**
 * `0.8123` → `81.2%`.
 *
 * @example
 * ```ts
 * percent(0.8123); // → "81.2%"
 * ```
 */
export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)}%`;

/** `0.0312` → `3.1`, `-0.0312` → `−3.1`: a share, or a difference of two, in points of a hundred. */
export const hundredths = (share: number): string => (100 * share).toFixed(1).replace("-", "−");

/** Minutes and seconds: `83.2` → `1:23`; a dash for what is not known. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** How fast work goes: over the last while, since the first steps with their compilation say nothing about the rest. */
export interface Rate {
  /** What was done since it began, and how much there is. */
  update(done: number, total: number): void;
  /** In words: `3.21/s · 1:23 left`, or `3.21/s · in 0:45` when all is done or `ended`. */
  told(ended?: boolean): string;
}

const RATE_WINDOW_MS = 20_000;

export function createRate(now: () => number = () => performance.now(), since = { at: now(), done: 0 }): Rate {
  let marks = [since];
  let whole = 1;
  return {
    update(done, total) {
      whole = total;
      marks.push({ at: now(), done });
      const recent = marks.findIndex(({ at }) => now() - at <= RATE_WINDOW_MS);
      marks = marks.slice(Math.min(Math.max(recent, 0), marks.length - 2));
    },
    told(ended = false) {
      const { done } = marks[marks.length - 1];
      const running = !ended && done < whole;
      const from = running ? marks[0] : since;
      const rate = (done - from.done) / Math.max((now() - from.at) / 1000, 1e-3);
      const time =
        running && rate > 0 && Number.isFinite(whole)
          ? `${clock((whole - done) / rate)} left`
          : `in ${clock((now() - since.at) / 1000)}`;
      return `${rate.toPrecision(3)}/s · ${time}`;
    },
  };
}
