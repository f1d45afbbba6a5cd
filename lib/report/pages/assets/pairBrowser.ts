// The script of a report's list of pairs. It runs in the reader's browser: nothing in it may come from outside.
import { differentWords } from "../../../evaluation/wordDiff";
import type { PairView } from "../pairs";
import { pairParts } from "./pairParts";

/** Source of the script; the page holds the pairs in `#pairs-data`, and `Diff` of the npm package diff. */
export function pairBrowserScript(): string {
  return `(${pairBrowser.toString()})((${pairParts.toString()})(${differentWords.toString()}));`;
}

function pairBrowser(parts: ReturnType<typeof pairParts>): void {
  const { make, signed, deltaOf, isCut, sizeOf, whole } = parts;
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

  const hashOf = ({ id, part }: PairView) =>
    `#pair=${encodeURIComponent(id)}${part === "test" && pairs.some((other) => other.id === id && other.part !== part) ? "&part=test" : ""}`;
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
