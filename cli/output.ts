// What a command says: results on stdout, everything else on stderr; with --json one object on stdout and nothing beside it.
// What a terminal would obey, from data, names and paths, is shown as text here and in `fail`; there is no other way out.
import { systemFault } from "../lib/files/systemError";
import { printable, printableJson, printableLine } from "../lib/terminal";
import { createRate } from "../lib/wording";

/** A bar on a terminal, a line every few seconds elsewhere. */
export interface ProgressLine {
  update(done: number, total: number, note?: string): void;
  end(note?: string): void;
}

export interface Output {
  readonly json: boolean;
  /** A sentence for the reader. */
  say(text: string): void;
  /** The command's result: the object with --json, else the lines. */
  result(value: unknown, lines: string | readonly string[]): void;
  progress(label: string): ProgressLine;
}

const BAR_WIDTH = 24;
const TERMINAL_INTERVAL_MS = 100;
const PLAIN_INTERVAL_MS = 5000;

/** @param json whether the caller asked for one JSON object */
export function createOutput(json: boolean): Output {
  return {
    json,
    say: (text) => process.stderr.write(printableLine(text) + "\n"),
    result: (value, lines) => {
      const shown = typeof lines === "string" ? printable(lines) : lines.map(printableLine).join("\n");
      process.stdout.write((json ? printableJson(value) : shown) + "\n");
    },
    progress: createProgress,
  };
}

/** What the system refused of stdout: a result that is not where it was asked for. */
let lost: Error | null = null;

/**
 * A reader that went away (`| head`, a closed terminal) or a full disk under `2>` ends what is written there, not the work.
 * A result that stdout does not take is another matter: `lostOutput` tells of it.
 */
export function outliveReaders(): void {
  lost = null;
  if (!process.stdout.listeners("error").includes(noteLoss)) process.stdout.on("error", noteLoss);
  if (!process.stderr.listeners("error").includes(passOver)) process.stderr.on("error", passOver);
}

const passOver = (): void => {};

const noteLoss = (error: NodeJS.ErrnoException): void => {
  if (!["EPIPE", "EIO", "ERR_STREAM_DESTROYED"].includes(error.code ?? "")) lost ??= error;
};

/** Why the result is not on stdout; null where it is, or where nobody reads it. */
export async function lostOutput(): Promise<Error | null> {
  await new Promise((resolve) => setImmediate(resolve)); // a stream tells of what was refused after the write has returned
  return lost && (systemFault(lost, "standard output") ?? lost);
}

/** Ends a command with a message of several lines on stderr. */
export const fail = (message: string): void => void process.stderr.write(`${printable(message).trimEnd()}\n`);

function createProgress(label: string): ProgressLine {
  const terminal = process.stderr.isTTY === true;
  const rate = createRate();
  let last = 0;
  let [reached, whole] = [0, 0];
  const draw = (done: number, total: number, note: string, end: boolean) => {
    const filled = Math.round((done / Math.max(1, total)) * BAR_WIDTH);
    const bar = terminal ? `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ` : "";
    const line = printableLine(`${label} ${bar}${done}/${total} · ${rate.told(end)}${note ? ` · ${note}` : ""}`);
    process.stderr.write(terminal ? `\r\x1b[2K${line}${end ? "\n" : ""}` : `${line}\n`);
  };
  return {
    update: (done, total, note = "") => {
      [reached, whole] = [done, total];
      rate.update(done, total);
      if (Date.now() - last < (terminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS)) return;
      last = Date.now();
      draw(done, total, note, false);
    },
    end: (note = "") => draw(reached, whole, note, true),
  };
}
