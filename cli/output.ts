// What a command says: results on stdout, everything else on stderr; with --json one object on stdout and nothing beside it.
// What a terminal would obey, from data, names and paths, is shown as text here and in `fail`; there is no other way out.
import { printable, printableLine } from "../lib/terminal";
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
      process.stdout.write((json ? JSON.stringify(value) : shown) + "\n");
    },
    progress: createProgress,
  };
}

/** A reader that went away (`| head`, a closed terminal) ends what is written for it, not the work. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    if (!stream.listeners("error").includes(passOver)) stream.on("error", passOver);
}

const passOver = (error: NodeJS.ErrnoException): void => {
  if (!["EPIPE", "EIO", "ERR_STREAM_DESTROYED"].includes(error.code ?? "")) throw error;
};

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
