// In: cells with their source maps. Out: stacks that name the cell and its own line, and the line itself.
import { SourceMap } from "node:module";

const FRAME = /cell \[(\d+)\]:(\d+):(\d+)/;
const PREFIX_LINES = 1; // tslab puts `export {};` before a cell

/** How a cell is called in stacks. */
export const cellName = (number) => `cell [${number}]`;

/** Remembers cells and lets every stack of this process, printed ones too, speak of their lines. */
export function followCells() {
  const cells = new Map();

  const locate = (number, line, column) => {
    const cell = cells.get(number);
    if (!cell || line > cell.lines) return null;
    let [at, character] = [line - 1, column - 1];
    for (const map of cell.maps) {
      const entry = map.findEntry(at, character);
      if (entry?.originalLine === undefined) return null;
      [at, character] = [entry.originalLine, entry.originalColumn];
    }
    return { line: at - PREFIX_LINES + 1, column: character + 1 };
  };
  /** null for the frame of the function that tslab wraps around a cell. */
  const inCellLines = (frame) => {
    const [found, ...numbers] = FRAME.exec(frame) ?? [];
    if (!found) return frame;
    const place = locate(...numbers.map(Number));
    return place && frame.replace(found, `${cellName(numbers[0])}:${place.line}:${place.column}`);
  };

  // What lies below a cell is the kernel: of no use to its author.
  Error.prepareStackTrace = (error, sites) => {
    const frames = sites.map(String);
    const last = frames.findLastIndex((frame) => FRAME.test(frame));
    const shown =
      last < 0
        ? frames
        : frames
            .slice(0, last + 1)
            .map(inCellLines)
            .filter(Boolean);
    return [errorText(error), ...shown.map((frame) => `    at ${frame}`)].join("\n");
  };

  return {
    add(number, source, { output = "", maps }) {
      cells.set(number, { source, maps: maps.map((map) => new SourceMap(map)), lines: output.split("\n").length });
    },
    /** The line of the first frame in a cell, marked: `null` where no frame is in one. */
    excerptOf(stack) {
      const frame = String(stack)
        .split("\n")
        .find((line) => /^\s+at /.test(line) && FRAME.test(line));
      if (!frame) return null;
      const [, number, line, column] = FRAME.exec(frame);
      const cell = cells.get(Number(number));
      return cell && excerpt(cell.source, { line: Number(line), from: Number(column), length: 1 });
    },
  };
}

function errorText(error) {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "Error";
  }
}

/** A source line with a caret under a part of it. Lines and columns count from 1. */
export function excerpt(source, { line, from, length }) {
  const text = source.split("\n")[line - 1];
  if (text === undefined) return null;
  const number = String(line);
  const lead = text.slice(0, from - 1).replace(/[^\t]/g, " ");
  const mark = "^".repeat(Math.max(1, Math.min(length, text.length - from + 1)));
  return `  ${number} | ${text}\n  ${" ".repeat(number.length)} | ${lead}${mark}`;
}
