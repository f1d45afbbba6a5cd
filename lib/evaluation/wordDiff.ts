// In: two texts. Out: the words they share and the words only one of them has, in reading order.
import { diffArrays } from "diff";

/** `same` words stand in both texts, `chosen` ones in the first only, `rejected` ones in the second only. */
export interface DiffPart {
  readonly op: "same" | "chosen" | "rejected";
  readonly text: string;
}

/**
 * Word-level difference. Joining the `same` and `chosen` parts gives the first text; `same` and `rejected`, the second.
 *
 * Shared runs of fewer than three words between two changes are folded into them: "the" alone is no common ground.
 * Texts more than 2,000 edits apart come back as one replacement after their common start and end.
 *
 * @example
 * ```ts
 * console.log(wordDiff("It is four.", "It is five."));
 * ```
 */
export function wordDiff(chosen: string, rejected: string): DiffPart[] {
  return differentWords(diffArrays, chosen, rejected);
}

type Change = { readonly value: readonly string[]; readonly added?: boolean; readonly removed?: boolean };
type DiffArrays = (a: string[], b: string[], options: { maxEditLength: number }) => readonly Change[] | undefined;

/**
 * The same with the difference algorithm handed in: a report's page runs this function's source in the browser.
 *
 * @example
 * ```ts
 * import { diffArrays } from "diff";
 * console.log(differentWords(diffArrays, "It is four.", "It is five."));
 * ```
 */
export function differentWords(diff: DiffArrays, chosen: string, rejected: string): DiffPart[] {
  const mostEdits = 2000;
  const fewestSame = 3;
  // Words and signs, each with the space after it, so that joining gives the text back.
  const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}_'’]+\s*|[^\p{L}\p{N}_'’\s]\s*|\s+/gu) ?? [];
  const [a, b] = [wordsOf(chosen), wordsOf(rejected)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [middleA, middleB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const changes: readonly Change[] = [
    { value: a.slice(0, start) },
    ...(diff(middleA, middleB, { maxEditLength: mostEdits }) ?? [
      { value: middleA, removed: true },
      { value: middleB, added: true },
    ]),
    { value: a.slice(a.length - end) },
  ].filter(({ value }) => value.length > 0);

  // Short shared runs fold into the changes around them; within a change the chosen words come first.
  const parts: DiffPart[] = [];
  let [onlyChosen, onlyRejected] = ["", ""];
  const flush = () => {
    if (onlyChosen) parts.push({ op: "chosen", text: onlyChosen });
    if (onlyRejected) parts.push({ op: "rejected", text: onlyRejected });
    [onlyChosen, onlyRejected] = ["", ""];
  };
  changes.forEach(({ value, added = false, removed = false }, i) => {
    const text = value.join("");
    const between = i > 0 && i < changes.length - 1;
    if (!added && !removed && !(between && value.length < fewestSame)) {
      flush();
      const last = parts[parts.length - 1];
      if (last?.op === "same") parts[parts.length - 1] = { op: "same", text: last.text + text };
      else parts.push({ op: "same", text });
    } else {
      if (!added) onlyChosen += text;
      if (!removed) onlyRejected += text;
    }
  });
  flush();
  return parts;
}
