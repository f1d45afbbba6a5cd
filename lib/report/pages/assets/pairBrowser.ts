// The script of a report's list of pairs. It runs in the reader's browser: nothing in it may come from outside.
import { differentWords } from "../../../evaluation/wordDiff";
import type { PairView } from "../pairs";

/** Source of the script; the page holds the pairs in `#pairs-data`, and `Diff` of the npm package diff. */
export function pairBrowserScript(): string {
  return `(${pairBrowser.toString()})(${differentWords.toString()});`;
}

function pairBrowser(differences: typeof differentWords): void {
  type Diff = Parameters<typeof differentWords>[0];
  const list = document.getElementById("pair-list");
  const holder = document.getElementById("pairs-data");
  if (!list || !holder) return;
  const rows = document.getElementById("pair-rows")!;
  const detail = document.getElementById("pair-detail")!;
  const ROW_HEIGHT = 58;
  let pairs: PairView[] = [];
  let texts: string[] = [];
  let found: PairView[] = [];
  let current: PairView | null = null;

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
  const hashOf = ({ id, part }: PairView) =>
    `#pair=${encodeURIComponent(id)}${part === "test" && pairs.some((other) => other.id === id && other.part !== part) ? "&part=test" : ""}`;

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
  const show = (pair: PairView | null) => {
    current = pair;
    detail.replaceChildren();
    if (!pair) return;
    const link = make("a", "pair-link", "link to this pair") as HTMLAnchorElement;
    link.href = hashOf(pair);
    detail.append(...whole(pair), link);
  };

  // Only the rows in view exist.
  const draw = () => {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW_HEIGHT) - 4);
    const shown = found.slice(first, first + Math.ceil(list.clientHeight / ROW_HEIGHT) + 8);
    rows.style.height = `${found.length * ROW_HEIGHT}px`;
    rows.replaceChildren(
      ...shown.map((pair, i) => {
        const row = make("div", "pair-row");
        row.style.top = `${(first + i) * ROW_HEIGHT}px`;
        row.style.height = `${ROW_HEIGHT}px`;
        row.id = `pair-row-${first + i}`;
        row.setAttribute("role", "option");
        row.setAttribute("aria-selected", String(pair === current));
        row.setAttribute("aria-posinset", String(first + i + 1));
        row.setAttribute("aria-setsize", String(found.length));
        const delta = deltaOf(pair);
        row.append(
          make("span", `delta ${delta < 0 ? "wrong" : delta > 0 ? "right" : "tied"}`, signed(delta)),
          make("span", "snippet", (pair.prompt || pair.id).slice(0, 160)),
          make(
            "span",
            "muted about",
            [pair.kind, pair.risk, pair.part === "test" ? "test" : ""].filter(Boolean).join(" · "),
          ),
        );
        row.onclick = () => choose(first + i);
        return row;
      }),
    );
    const at = current ? found.indexOf(current) : -1;
    if (at >= 0) list.setAttribute("aria-activedescendant", `pair-row-${at}`);
    else list.removeAttribute("aria-activedescendant");
  };
  const choose = (at: number) => {
    if (found.length === 0) return;
    const i = Math.min(found.length - 1, Math.max(0, at));
    show(found[i]);
    history.replaceState(null, "", hashOf(found[i]));
    const top = i * ROW_HEIGHT;
    if (top < list.scrollTop) list.scrollTop = top;
    if (top + ROW_HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW_HEIGHT - list.clientHeight;
    draw();
  };
  list.addEventListener("scroll", draw);
  addEventListener("resize", draw);
  list.addEventListener("keydown", (event) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -1e9, End: 1e9 };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    choose((current ? found.indexOf(current) : -1) + step);
  });

  const field = (id: string) => document.getElementById(id) as HTMLInputElement | HTMLSelectElement | null;
  const valueOf = (id: string) => field(id)?.value ?? "";
  const UNDECIDED = Math.log(0.6 / 0.4);
  const kinds: Record<string, (pair: PairView) => boolean> = {
    wrong: (pair) => deltaOf(pair) < 0,
    right: (pair) => deltaOf(pair) > 0,
    near: (pair) => Math.abs(deltaOf(pair)) < UNDECIDED,
    cut: isCut,
    longer: ({ answers }) => answers[0].length > answers[1].length,
    shorter: ({ answers }) => answers[0].length < answers[1].length,
  };
  const orders: Record<string, (a: PairView, b: PairView) => number> = {
    wrong: (a, b) => deltaOf(a) - deltaOf(b),
    right: (a, b) => deltaOf(b) - deltaOf(a),
    near: (a, b) => Math.abs(deltaOf(a)) - Math.abs(deltaOf(b)),
    long: (a, b) => sizeOf(b) - sizeOf(a),
    short: (a, b) => sizeOf(a) - sizeOf(b),
    file: () => 0,
  };
  const update = () => {
    const words = valueOf("pair-search").toLowerCase().split(/\s+/).filter(Boolean);
    const [which, part, kind, risk] = ["which", "part", "kind", "risk"].map((name) => valueOf(`pair-${name}`));
    found = pairs.filter(
      (pair, i) =>
        words.every((word) => texts[i].includes(word)) &&
        (!which || kinds[which](pair)) &&
        (!part || pair.part === part) &&
        (!kind || pair.kind === kind) &&
        (!risk || pair.risk === risk),
    );
    found.sort(orders[valueOf("pair-order")] ?? orders.file);
    list.scrollTop = 0;
    const wrong = found.filter(kinds.wrong).length;
    document.getElementById("pair-count")!.textContent =
      `${found.length.toLocaleString("en")} of ${pairs.length.toLocaleString("en")} pairs match; ${wrong.toLocaleString("en")} of them wrong`;
    if (!current || !found.includes(current)) show(found[0] ?? null);
    draw();
  };
  const fillChoice = (name: string, values: readonly string[]) => {
    const distinct = [...new Set(values)].filter(Boolean).sort();
    document.getElementById(`pair-${name}-label`)!.hidden = distinct.length < 2;
    for (const value of distinct) {
      const option = make("option", "", value) as HTMLOptionElement;
      option.value = value;
      field(`pair-${name}`)!.append(option);
    }
  };
  const fromAddress = () => {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const id = wanted.get("pair");
    const pair = pairs.find((one) => one.id === id && (wanted.get("part") ?? one.part) === one.part);
    if (!pair) return;
    if (!found.includes(pair)) {
      for (const name of ["search", "which", "part", "kind", "risk"])
        if (field(`pair-${name}`)) field(`pair-${name}`)!.value = "";
      update();
    }
    choose(found.indexOf(pair));
    document.getElementById("pairs")!.scrollIntoView();
  };
  for (const name of ["search", "which", "part", "kind", "risk", "order"])
    field(`pair-${name}`)?.addEventListener("input", update);
  addEventListener("hashchange", fromAddress);
  document.getElementById("pair-csv")!.addEventListener("click", () => {
    const head =
      "id,part,question_id,kind,risk,chosen_score,rejected_score,delta,chosen_tokens,rejected_tokens,cut,prompt,chosen,rejected";
    const lines = found.map((pair) => [
      ...[
        pair.id,
        pair.part,
        pair.question,
        pair.kind,
        pair.risk,
        ...pair.scores,
        Number(deltaOf(pair).toPrecision(6)),
      ],
      ...[...(pair.tokens ?? ["", ""]), isCut(pair), pair.prompt, ...pair.answers],
    ]);
    const { saveCsv } = (window as unknown as { rewardbook: { saveCsv(name: string, rows: unknown[][]): void } })
      .rewardbook;
    saveCsv("pairs", [head.split(","), ...lines]);
  });

  // Paper has no list to scroll: every mistake stands there whole.
  const paper = document.getElementById("pair-paper")!;
  addEventListener("beforeprint", () => {
    const mistakes = pairs.filter(kinds.wrong).sort(orders.wrong);
    paper.replaceChildren(
      ...mistakes.map((pair) => {
        const item = make("li", "mistake");
        item.append(...whole(pair));
        return item;
      }),
    );
  });
  addEventListener("afterprint", () => paper.replaceChildren());

  const unpack = async () => {
    const bytes = Uint8Array.from(atob(holder.textContent!), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    pairs = JSON.parse(await new Response(stream).text()) as PairView[];
    texts = pairs.map(({ id, prompt, answers }) => [id, prompt, ...answers].join("\n").toLowerCase());
    fillChoice(
      "part",
      pairs.map(({ part }) => part),
    );
    fillChoice(
      "kind",
      pairs.map(({ kind }) => kind),
    );
    fillChoice(
      "risk",
      pairs.map(({ risk }) => risk),
    );
    update();
    fromAddress();
    document.documentElement.dataset.pairs = String(pairs.length);
  };
  void unpack();
}
