// In: work that takes its time. Out: its result; in a notebook also a bar while it runs, and its end when the user interrupts.
import { Interrupted } from "./errors";
import { insideKernel, listenForStop } from "./interrupt";

/** A bar that stays one output. */
export interface Bar {
  /** @param total Infinity where it is not known */
  update(done: number, total: number, note?: string): void;
  /** Draws the last state, done or not. */
  end(note?: string): void;
}

/** Where a rate counts from. */
export interface Beginning {
  readonly at: number;
  readonly done: number;
}

/** Who looks on while long work runs: the notebook's kernel. In a program no one does, unless it passes hooks. */
export interface Observer {
  say(text: string): void;
  /** @param since when the work began, by `performance.now()`, and how much was done then */
  bar(label: string, unit: string, since?: Beginning): Bar;
}

/** What long work may be told. */
export interface LongWorkOptions {
  /** Takes the place of the notebook's bar. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the work; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** No bar and no messages in a notebook. */
  readonly quiet?: boolean;
}

/** Who hears what long work has to say. */
export interface MessageOptions extends Pick<LongWorkOptions, "quiet"> {
  readonly onMessage?: (text: string) => void;
}

/** What the work itself is handed. */
export interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
  /** Told before the work begins where an earlier run that was stopped has done a part. */
  readonly onKnown: (done: number) => void;
}

const OBSERVER = Symbol.for("rewardbook.observer");

/** Work shorter than this shows no bar. */
const BAR_AFTER_MS = 400;

/** The kernel's observer; null in a program, and for work that should be quiet. */
export function observer(quiet = false): Observer | null {
  return quiet ? null : (((globalThis as Record<symbol, unknown>)[OBSERVER] as Observer | undefined) ?? null);
}

/** Where a sentence for the reader goes: to the caller's hook, else into the notebook, else nowhere. */
export function messagesOf({ onMessage, quiet }: MessageOptions): (text: string) => void {
  return onMessage ?? observer(quiet)?.say ?? (() => {});
}

/**
 * Runs work that reports its progress and obeys a signal.
 *
 * @param what `label` and `unit` of the bar, and what a second run finds already done (`again`)
 * @throws Interrupted when the notebook's user stopped it
 */
export async function longWork<T>(
  what: { readonly label: string; readonly unit: string; readonly again?: string },
  { onProgress, signal: outer, quiet }: LongWorkOptions,
  work: (watch: Watch) => Promise<T>,
): Promise<T> {
  const stop = insideKernel() ? await listenForStop(outer) : null;
  const signal = stop?.signal ?? outer ?? new AbortController().signal;
  const bar = onProgress ? null : lateBar(observer(quiet), what);
  let state = { done: 0, total: 0 };
  try {
    const result = await work({
      signal,
      onKnown: (done) => bar?.known(done),
      onProgress: (done, total) => {
        state = { done, total };
        onProgress?.(done, total);
        bar?.update(done, total);
      },
    });
    bar?.end();
    return result;
  } catch (error) {
    if (!signal.aborted || outer?.aborted) throw error;
    const again = what.again ?? "run the cell again to start anew";
    bar?.end(`stopped; ${again}`);
    if (error instanceof Interrupted) throw error; // long work inside this one has said where it stopped
    throw new Interrupted(`${what.label}: stopped at ${amount(state)} ${what.unit}; ${again}`);
  } finally {
    stop?.release();
  }
}

const amount = ({ done, total }: { done: number; total: number }): string =>
  Number.isFinite(total) ? `${done} of ${total}` : `${done}`;

function lateBar(seenBy: Observer | null, { label, unit }: { label: string; unit: string }) {
  if (!seenBy) return null;
  let since = { at: performance.now(), done: 0 };
  let bar: Bar | null = null;
  let latest: [number, number] = [0, 0];
  const draw = () => {
    const [done, total] = latest;
    if (!bar && done < total) bar = seenBy.bar(label, unit, since);
    bar?.update(done, total);
  };
  const late = setTimeout(draw, BAR_AFTER_MS); // the first piece may take long
  return {
    known: (done: number) => void (since = { ...since, done }),
    update(done: number, total: number) {
      latest = [done, total];
      if (performance.now() - since.at > BAR_AFTER_MS) draw();
    },
    end(note?: string) {
      clearTimeout(late);
      bar?.end(note);
    },
  };
}
