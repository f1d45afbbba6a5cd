// In: JSON values. Out: files of them, written whole or not at all.
import { writeFileAtomically } from "./atomic";

/**
 * One JSON value a line.
 *
 * @example
 * ```ts
 * await writeJsonLines("data/mine.jsonl", pairs.map(({ raw }) => raw));
 * ```
 */
export async function writeJsonLines(path: string, values: Iterable<unknown> | AsyncIterable<unknown>): Promise<void> {
  await writeFileAtomically(
    path,
    (async function* () {
      for await (const value of values) yield `${JSON.stringify(value)}\n`;
    })(),
  );
}

/**
 * One JSON list with two spaces of indent, as Python's `json.dumps(indent=2, ensure_ascii=False)` writes it.
 *
 * @example
 * ```ts
 * await writeJsonList("data/mine.json", pairs.map(({ raw }) => raw));
 * ```
 */
export async function writeJsonList(path: string, values: Iterable<unknown>): Promise<void> {
  await writeFileAtomically(
    path,
    (function* () {
      let first = true;
      for (const value of values) {
        yield `${first ? "[" : ","}\n  ${JSON.stringify(value, null, 2).replaceAll("\n", "\n  ")}`;
        first = false;
      }
      yield first ? "[]" : "\n]";
    })(),
  );
}

/**
 * One JSON value with two spaces of indent.
 *
 * @example
 * ```ts
 * await writeJson("metrics/mine/note.json", { accuracy: 0.8 });
 * ```
 */
export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeFileAtomically(path, JSON.stringify(value, null, 2));
