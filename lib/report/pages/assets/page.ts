// The report's own script. It runs in the reader's browser: `reportScript` is its source, so it may use nothing outside.
import { COLORS } from "../../figures/figure";

interface Segment {
  readonly text: string;
  readonly differs: boolean;
}
/** A mistake as the page draws it. Everything in it is text. */
export interface MistakeView {
  readonly id: string;
  readonly risk: string;
  readonly kind: string;
  readonly delta: number;
  readonly prompt: string;
  readonly chosen: readonly Segment[];
  readonly rejected: readonly Segment[];
  readonly chosenScore: number;
  readonly rejectedScore: number;
}

/** Colours of figures on a dark ground, by their colour on white. */
const DARK: Readonly<Record<string, string>> = {
  [COLORS.blue]: "#4FB0E8",
  [COLORS.vermillion]: "#FF8A4C",
  [COLORS.green]: "#3CC79A",
  [COLORS.purple]: "#D59BCB",
  [COLORS.grey]: "#A5B0BF",
  [COLORS.ink]: "#E8ECF1",
  [COLORS.faint]: "#3A627D",
  [COLORS.grid]: "#2B333F",
  "#FFFFFF": "#12161C",
};

/** Source of the page's script. */
export function reportScript(): string {
  return `(${page.toString()})(${JSON.stringify(DARK)});`;
}

/* eslint-disable no-inner-declarations -- one self-contained function */
function page(dark: Record<string, string>): void {
  type PlotlyLike = {
    react(node: Element, data: unknown, layout: unknown, config: unknown): Promise<unknown>;
    relayout(node: Element, change: unknown): Promise<unknown>;
  };
  const plotly = (window as unknown as { Plotly: PlotlyLike }).Plotly;
  const read = (id: string) => JSON.parse(document.getElementById(id)?.textContent || "null");
  const root = document.documentElement;

  // Figures
  const figures: Record<string, { data: unknown; layout: Record<string, unknown> }> = read("figures") ?? {};
  const plots = Array.from(document.querySelectorAll<HTMLElement>("[data-figure]"));
  const colored = (value: unknown): unknown =>
    root.dataset.theme === "dark"
      ? JSON.parse(JSON.stringify(value).replace(/#[0-9A-F]{6}/g, (color) => dark[color] ?? color))
      : value;
  // One tab stop a chart: arrow keys move between its buttons. The drawing itself is told by the chart's name.
  const makeAccessible = (node: HTMLElement) => {
    node.querySelectorAll("svg.main-svg").forEach((svg) => svg.setAttribute("aria-hidden", "true"));
    const buttons = Array.from(node.querySelectorAll<HTMLElement>(".modebar-btn"));
    buttons.forEach((button, i) => {
      button.tabIndex = i === 0 ? 0 : -1;
      button.onkeydown = ({ key }) => {
        const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
        if (step) buttons[(i + step + buttons.length) % buttons.length].focus();
      };
    });
  };
  const draw = async (node: HTMLElement) => {
    const figure = colored(figures[node.dataset.figure!]) as { data: unknown; layout: Record<string, unknown> };
    const narrow = node.clientWidth < 460;
    const font = { ...(figure.layout.font as object), ...(narrow ? { size: 11 } : {}) };
    const config = {
      responsive: true,
      displaylogo: false,
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    };
    await plotly.react(node, figure.data, { ...figure.layout, font, autosize: true }, config);
    makeAccessible(node);
  };
  const drawAll = async () => {
    for (const node of plots) {
      await draw(node);
      await new Promise((done) => setTimeout(done));
    }
    root.dataset.drawn = String(plots.length);
  };

  // Light and dark
  const button = document.getElementById("theme");
  const setTheme = (theme: string) => {
    root.dataset.theme = theme;
    if (button) button.textContent = theme === "dark" ? "Light colours" : "Dark colours";
  };
  const wanted = matchMedia("(prefers-color-scheme: dark)");
  setTheme(wanted.matches ? "dark" : "light");
  const change = (theme: string) => {
    setTheme(theme);
    void drawAll();
  };
  wanted.addEventListener("change", () => change(wanted.matches ? "dark" : "light"));
  button?.addEventListener("click", () => change(root.dataset.theme === "dark" ? "light" : "dark"));

  // Paper is white, has a fixed width, and nothing on it can be opened
  const PAPER_WIDTH = 660;
  let before = root.dataset.theme!;
  let closed: HTMLDetailsElement[] = [];
  addEventListener("beforeprint", () => {
    before = root.dataset.theme!;
    closed = Array.from(document.querySelectorAll<HTMLDetailsElement>("section > details:not([open])"));
    if (before === "dark") change("light");
    for (const node of plots) void plotly.relayout(node, { autosize: false, width: PAPER_WIDTH, height: 320 });
    for (const part of closed) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const node of plots) void plotly.relayout(node, { autosize: true, width: null, height: null });
    for (const part of closed) part.open = false;
    if (before === "dark") change("dark");
  });

  // Where the reader is
  const links = Array.from(document.querySelectorAll<HTMLAnchorElement>("nav.contents a"));
  const watch = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        for (const link of links) {
          if (link.hash === `#${entry.target.id}`) link.setAttribute("aria-current", "true");
          else link.removeAttribute("aria-current");
        }
      }
    },
    { rootMargin: "-10% 0px -75% 0px" },
  );
  document.querySelectorAll("section[id]").forEach((section) => watch.observe(section));

  // Mistakes: search, filter, sort. Texts only ever become text nodes.
  const mistakes: MistakeView[] = read("mistakes") ?? [];
  const list = document.getElementById("error-list");
  const signed = (value: number) => value.toFixed(3).replace("-", "−");
  const make = (tag: string, className: string, text?: string) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const answer = (label: string, className: string, score: number, segments: readonly Segment[]) => {
    const node = make("div", `answer ${className}`);
    const head = make("h4", "");
    head.append(make("span", "", label), make("span", "mono", `reward ${signed(score)}`));
    const body = make("div", "text");
    body.tabIndex = 0;
    body.setAttribute("role", "group");
    body.setAttribute("aria-label", label);
    for (const { text, differs } of segments)
      body.append(differs ? make("mark", "", text) : document.createTextNode(text));
    node.append(head, body);
    return node;
  };
  const show = (mistake: MistakeView) => {
    const item = make("li", "mistake");
    const facts = make("div", "facts");
    facts.append(make("span", "tag delta", `Δ ${signed(mistake.delta)}`));
    for (const tag of [mistake.kind, mistake.risk].filter(Boolean)) facts.append(make("span", "tag", tag));
    facts.append(make("span", "muted mono", mistake.id));
    const answers = make("div", "answers");
    answers.append(
      answer("Preferred by the data", "better", mistake.chosenScore, mistake.chosen),
      answer("Preferred by the model", "worse", mistake.rejectedScore, mistake.rejected),
    );
    item.append(facts, make("p", "prompt", mistake.prompt), answers);
    return item;
  };
  const PAGE = 10;
  let limit = PAGE;
  const field = (id: string) => document.getElementById(id) as HTMLInputElement | HTMLSelectElement | null;
  const plainText = (mistake: MistakeView) =>
    [mistake.id, mistake.prompt, ...mistake.chosen.map((s) => s.text), "\n", ...mistake.rejected.map((s) => s.text)]
      .join("")
      .toLowerCase();
  const texts = mistakes.map(plainText);
  const update = () => {
    if (!list) return;
    const words = (field("error-search")?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const kind = field("error-kind")?.value ?? "";
    const risk = field("error-risk")?.value ?? "";
    const order = field("error-order")?.value ?? "worst";
    const found = mistakes.filter(
      (mistake, i) =>
        words.every((word) => texts[i].includes(word)) &&
        (!kind || mistake.kind === kind) &&
        (!risk || mistake.risk === risk),
    );
    found.sort((a, b) => (order === "closest" ? b.delta - a.delta : a.delta - b.delta));
    list.replaceChildren(...found.slice(0, limit).map(show));
    document.getElementById("error-count")!.textContent =
      `${found.length} of ${mistakes.length} mistakes match; ${Math.min(limit, found.length)} shown`;
    document.getElementById("error-more")!.hidden = found.length <= limit;
  };
  for (const id of ["error-search", "error-kind", "error-risk", "error-order"]) {
    field(id)?.addEventListener("input", () => {
      limit = PAGE;
      update();
    });
  }
  document.getElementById("error-more")?.addEventListener("click", () => {
    const next = limit;
    limit += PAGE;
    update();
    list?.children[next]?.querySelector<HTMLElement>(".text")?.focus();
  });
  update();
  void drawAll();
}
