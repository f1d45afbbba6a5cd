// In: two texts. Out: the words they share and the words only one of them has, in reading order.

/** `same` words stand in both texts, `chosen` ones in the first only, `rejected` ones in the second only. */
export interface DiffPart {
  readonly op: "same" | "chosen" | "rejected";
  readonly text: string;
}

const MOST_EDITS = 2000;
const FEWEST_SAME = 3;

/** Words and signs, each with the space after it, so that joining gives the text back. */
const tokensOf = (text: string): string[] => text.match(/[\p{L}\p{N}_'’]+\s*|[^\p{L}\p{N}_'’\s]\s*|\s+/gu) ?? [];

/**
 * Word-level difference. Joining the `same` and `chosen` parts gives the first text; `same` and `rejected`, the second.
 *
 * Shared runs of fewer than three words between two changes are folded into them: "the" alone is no common ground.
 * Texts more than 2,000 edits apart come back as one replacement after their common start and end.
 *
 * Reference: Myers (1986), An O(ND) difference algorithm and its variations, Algorithmica 1.
 */
export function wordDiff(chosen: string, rejected: string): DiffPart[] {
  const [a, b] = [tokensOf(chosen), tokensOf(rejected)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [middleA, middleB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const parts = [
    ...(start > 0 ? [{ op: "same" as const, words: a.slice(0, start) }] : []),
    ...(editScript(middleA, middleB) ?? [
      { op: "chosen" as const, words: middleA },
      { op: "rejected" as const, words: middleB },
    ]),
    ...(end > 0 ? [{ op: "same" as const, words: a.slice(a.length - end) }] : []),
  ];
  return tidy(parts);
}

interface Run {
  op: DiffPart["op"];
  words: string[];
}

/** Shortest edit script, forward and traced back; null beyond `MOST_EDITS`. */
function editScript(a: readonly string[], b: readonly string[]): Run[] | null {
  const most = Math.min(MOST_EDITS, a.length + b.length);
  const offset = most + 1;
  const furthest = new Int32Array(2 * most + 3);
  const history: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits++) {
    history.push(furthest.slice(offset - edits - 1, offset + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && furthest[offset + k - 1] < furthest[offset + k + 1]);
      let x = down ? furthest[offset + k + 1] : furthest[offset + k - 1] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return traceBack(a, b, history);
    }
  }
  return null;
}

function traceBack(a: readonly string[], b: readonly string[], history: readonly Int32Array[]): Run[] {
  const reversed: Run[] = [];
  const put = (op: Run["op"], word: string) => {
    const last = reversed[reversed.length - 1];
    if (last?.op === op) last.words.push(word);
    else reversed.push({ op, words: [word] });
  };
  let [x, y] = [a.length, b.length];
  for (let edits = history.length - 1; edits >= 0; edits--) {
    const before = history[edits];
    const at = (k: number) => before[k + edits + 1];
    const k = x - y;
    const down = k === -edits || (k !== edits && at(k - 1) < at(k + 1));
    const previousK = down ? k + 1 : k - 1;
    const previousX = edits === 0 ? 0 : at(previousK);
    const previousY = edits === 0 ? 0 : previousX - previousK;
    while (x > previousX && y > previousY) {
      put("same", a[--x]);
      y--;
    }
    if (edits === 0) break;
    if (down) put("rejected", b[--y]);
    else put("chosen", a[--x]);
  }
  return reversed.reverse().map(({ op, words }) => ({ op, words: words.reverse() }));
}

/** Folds short shared runs into the changes around them; within a change the chosen words come first. */
function tidy(runs: readonly Run[]): DiffPart[] {
  const parts: DiffPart[] = [];
  let [chosen, rejected] = ["", ""];
  const flush = () => {
    if (chosen) parts.push({ op: "chosen", text: chosen });
    if (rejected) parts.push({ op: "rejected", text: rejected });
    [chosen, rejected] = ["", ""];
  };
  runs.forEach(({ op, words }, i) => {
    const text = words.join("");
    const between = i > 0 && i < runs.length - 1;
    if (op === "same" && !(between && words.length < FEWEST_SAME)) {
      flush();
      parts.push({ op, text });
    } else {
      if (op !== "rejected") chosen += text;
      if (op !== "chosen") rejected += text;
    }
  });
  flush();
  return parts;
}
