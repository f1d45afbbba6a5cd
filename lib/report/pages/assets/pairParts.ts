// In: one held-out pair. Out: what the list of pairs shows of it, as elements of the page. Runs in the reader's browser: nothing in it may come from outside.
import type { differentWords } from "../../../evaluation/wordDiff";
import type { PairView } from "../pairs";

/** The parts from which the script of the list is made; the page holds `Diff` of the npm package diff. */
export function pairParts(differences: typeof differentWords) {
  type Diff = Parameters<typeof differentWords>[0];

  // Texts only ever become text nodes; what would be invisible or turn the writing round is spelt out.
  const make = (tag: string, className: string, text?: string) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) write(node, text);
    return node;
  };
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
  const write = (node: Element, text: string) => {
    let from = 0;
    for (const { index, 0: character } of text.matchAll(HIDDEN)) {
      const sign = document.createElement("span");
      sign.className = "control";
      sign.textContent = `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
      node.append(text.slice(from, index), sign);
      from = index + 1;
    }
    node.append(text.slice(from));
  };
  const signed = (value: number) => value.toFixed(3).replace("-", "−");
  const deltaOf = ({ scores }: PairView) => scores[0] - scores[1];
  const sureOf = (pair: PairView) => 1 / (1 + Math.exp(-Math.abs(deltaOf(pair))));
  const isCut = ({ cuts }: PairView) => cuts[0].length + cuts[1].length > 0;
  const sizeOf = ({ answers }: PairView) => answers[0].length + answers[1].length;

  // A text in pieces: what differs is marked, what was not read is struck out.
  const index = (text: string, point: number) => Array.from(text).slice(0, point).join("").length;
  type Range = readonly [number, number];
  const writePieces = (node: Element, text: string, marked: readonly Range[], unread: readonly Range[]) => {
    const edges = new Set([0, text.length, ...marked.flat(), ...unread.flat()]);
    const sorted = [...edges].filter((edge) => edge <= text.length).sort((a, b) => a - b);
    const within = (ranges: readonly Range[], at: number) => ranges.some(([from, to]) => from <= at && at < to);
    sorted.slice(0, -1).forEach((from, i) => {
      const piece = text.slice(from, sorted[i + 1]);
      let inner: Element = node;
      for (const [tag, ranges] of [
        ["del", unread],
        ["mark", marked],
      ] as const) {
        if (!within(ranges, from)) continue;
        const wrap = document.createElement(tag);
        if (tag === "del") wrap.title = "not read by the model";
        inner.append(wrap);
        inner = wrap;
      }
      write(inner, piece);
    });
  };
  const unreadOf = (pair: PairView, side: 0 | 1, from: "prompt" | "response"): Range[] => {
    const text = from === "prompt" ? pair.prompt : pair.answers[side];
    return pair.cuts[side]
      .filter(([part]) => part === from)
      .map(([, start, stop]) => [index(text, start), index(text, stop)] as const);
  };
  const markedOf = (pair: PairView): [Range[], Range[]] => {
    const diff = (window as unknown as { Diff: { diffArrays: Diff } }).Diff.diffArrays;
    const marked: [Range[], Range[]] = [[], []];
    const at = [0, 0];
    for (const { op, text } of differences(diff, pair.answers[0], pair.answers[1])) {
      if (op !== "same")
        marked[op === "chosen" ? 0 : 1].push([at[op === "chosen" ? 0 : 1], at[op === "chosen" ? 0 : 1] + text.length]);
      if (op !== "rejected") at[0] += text.length;
      if (op !== "chosen") at[1] += text.length;
    }
    return marked;
  };

  const answerOf = (pair: PairView, side: 0 | 1, marked: readonly Range[]) => {
    const wrong = deltaOf(pair) < 0;
    const label = side === 0 ? "Preferred by the data" : wrong ? "Preferred by the model" : "Rejected by the data";
    const node = make("div", `answer ${side === 0 ? "better" : "worse"}`);
    const head = make("h4", "");
    const read = pair.tokens ? `, ${pair.tokens[side].toLocaleString("en")} tokens read` : "";
    head.append(make("span", "", label), make("span", "mono", `reward ${signed(pair.scores[side])}${read}`));
    const body = make("div", "text");
    body.tabIndex = 0;
    body.setAttribute("role", "group");
    body.setAttribute("aria-label", label);
    writePieces(body, pair.answers[side], marked, unreadOf(pair, side, "response"));
    node.append(head, body);
    return node;
  };
  const factsOf = (pair: PairView) => {
    const delta = deltaOf(pair);
    const verdict = delta === 0 ? "tied" : delta < 0 ? "wrong" : "right";
    const facts = make("div", "facts");
    facts.append(make("span", `tag ${verdict}`, `${verdict}, Δ ${signed(delta)}`));
    facts.append(make("span", "tag", `${(100 * sureOf(pair)).toFixed(1)}% sure`));
    for (const tag of [pair.kind, pair.risk, isCut(pair) ? "cut" : "", pair.part].filter(Boolean))
      facts.append(make("span", "tag", tag));
    facts.append(make("span", "muted mono", pair.id));
    return facts;
  };
  const whole = (pair: PairView) => {
    const marked = markedOf(pair);
    const prompt = make("p", "prompt");
    writePieces(prompt, pair.prompt || "(this run kept no text of this pair)", [], unreadOf(pair, 0, "prompt"));
    const answers = make("div", "answers");
    if (pair.answers[0] || pair.answers[1]) answers.append(answerOf(pair, 0, marked[0]), answerOf(pair, 1, marked[1]));
    return [factsOf(pair), prompt, answers];
  };

  return { make, signed, deltaOf, isCut, sizeOf, whole };
}
