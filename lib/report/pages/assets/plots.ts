// The script that draws figures in a page: reports and exported notebooks share it. It runs in the reader's browser.
import { COLORS, FIGURE_CONFIG } from "../../figures/figure";

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

/**
 * Source of the script. It draws the figure of each `<script type="application/json" data-for=NAME>` into the element
 * `data-figure=NAME`, with the title and a tool bar above it, follows light and dark, and keeps a picture for paper.
 * `data-drawn` and `data-paper` of the document say when both are done.
 */
export function plotsScript(): string {
  return `(${plots.toString()})(${JSON.stringify(DARK)}, ${JSON.stringify({ ...FIGURE_CONFIG, displayModeBar: false })});`;
}

function plots(darkColors: Record<string, string>, config: object): void {
  type Layout = Record<string, unknown>;
  type Drawn = { readonly data: readonly Layout[]; readonly layout: Layout };
  type PlotlyLike = {
    react(node: Element, data: unknown, layout: unknown, config: unknown): Promise<unknown>;
    relayout(node: Element, change: unknown): Promise<unknown>;
    toImage(figure: unknown, options: unknown): Promise<string>;
  };
  const plotly = (window as unknown as { Plotly: PlotlyLike }).Plotly;
  const root = document.documentElement;
  const places = Array.from(document.querySelectorAll<HTMLElement>("[data-figure]"));
  const figures = new Map<string, Drawn>();
  document.querySelectorAll<HTMLElement>("script[data-for]").forEach((node) => {
    figures.set(node.dataset.for!, JSON.parse(node.textContent!) as Drawn);
  });
  const figureOf = (node: HTMLElement) => figures.get(node.dataset.figure!)!;
  const inDark = () => root.dataset.theme === "dark";
  const colored = <T>(value: T): T =>
    inDark()
      ? (JSON.parse(JSON.stringify(value).replace(/#[0-9A-F]{6}/g, (color) => darkColors[color] ?? color)) as T)
      : value;
  const wordsOf = (text: unknown) =>
    String((text as { text?: string } | undefined)?.text ?? "")
      .replace(/<br>/g, " ")
      .replace(/<[^>]*>/g, "")
      .replace(/&lt;/g, "<")
      .replace(/&gt;/g, ">")
      .replace(/&amp;/g, "&");

  type Axis = { readonly title?: { readonly text?: string } };
  const MARGINS = 88;
  /** Lines of at most so many characters, broken at spaces. */
  const linesOf = (text: string, most: number) =>
    text.split(" ").reduce<string[]>((lines, word) => {
      const longer = `${lines.at(-1) ?? ""} ${word}`;
      return lines.length && longer.length <= most ? [...lines.slice(0, -1), longer] : [...lines, word];
    }, []);
  // The title is text of the page, so that it wraps; the plot below it needs no room for one. An axis' title wraps by itself.
  const bare = (layout: Layout, width: number): Layout => {
    const { title, ...axis } = (layout.xaxis ?? {}) as Axis;
    const lines = linesOf(title?.text ?? "", (width - MARGINS) / 7); // a character of these sizes is 6 to 7 wide
    const below = ((layout.margin as { b?: number } | undefined)?.b ?? 56) + 16 * Math.max(0, lines.length - 1);
    const margin = { ...(layout.margin as object), t: layout.showlegend ? 36 : 14, b: below };
    const xaxis = title?.text ? { ...axis, title: { ...title, text: lines.join("<br>") } } : layout.xaxis;
    return { ...layout, title: undefined, margin, xaxis };
  };
  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, className: string, text = "") => {
    const node = document.createElement(tag);
    node.className = className;
    node.textContent = text;
    return node;
  };

  // Saving: a picture with its title, the numbers as CSV
  const save = (name: string, address: string) => {
    const link = make("a", "");
    link.href = address;
    link.download = name;
    link.click();
  };
  const cell = (value: unknown) => {
    const text = value === null || value === undefined ? "" : String(value);
    // A spreadsheet would compute what begins like a formula.
    const inert = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(inert) ? `"${inert.replace(/"/g, '""')}"` : inert;
  };
  const saveCsv = (name: string, rows: readonly (readonly unknown[])[]) => {
    const text = "\ufeff" + rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    save(`${name}.csv`, address);
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };
  const rowsOf = ({ data }: Drawn): unknown[][] => {
    const at = (trace: Layout, key: string, i: number) => (trace[key] as readonly unknown[] | undefined)?.[i];
    const bars = (trace: Layout) => (trace.error_y ?? trace.error_x) as Layout | undefined;
    const rows = data.flatMap((trace) => {
      const series = wordsOf({ text: trace.name });
      const length = ((trace.x ?? trace.y) as readonly unknown[] | undefined)?.length ?? 0;
      const error = bars(trace);
      return Array.from({ length }, (_, i) => {
        const [x, y] = [at(trace, "x", i), at(trace, "y", i)];
        const middle = Number(trace.error_x ? x : y);
        const ends = error?.array
          ? [
              middle - Number(at(error, "arrayminus", i) ?? at(error, "array", i)),
              middle + Number(at(error, "array", i)),
            ]
          : [];
        return [
          series,
          typeof x === "string" ? wordsOf({ text: x }) : x,
          typeof y === "string" ? wordsOf({ text: y }) : y,
          ...ends,
        ];
      });
    });
    return [["series", "x", "y", "low", "high"], ...rows];
  };
  const nameOf = (node: HTMLElement) => node.dataset.name ?? node.dataset.figure!;
  const savePng = async (node: HTMLElement) => {
    const { data, layout } = figureOf(node);
    save(
      `${nameOf(node)}.png`,
      await plotly.toImage({ data, layout, config }, { format: "png", width: 760, height: 460, scale: 2 }),
    );
  };

  // Zooming by keyboard as well as by dragging
  const zoom = (node: HTMLElement, factor: number) => {
    const layout = (node as unknown as { layout: Record<string, { range?: readonly [number, number] }> }).layout;
    const change: Record<string, unknown> = {};
    for (const key of Object.keys(layout)) {
      const range = /^[xy]axis\d*$/.test(key) ? layout[key].range?.map(Number) : undefined;
      if (!range?.every(Number.isFinite)) continue;
      const [middle, half] = [(range[0] + range[1]) / 2, ((range[1] - range[0]) / 2) * factor];
      change[`${key}.range`] = [middle - half, middle + half];
    }
    void plotly.relayout(node, change);
  };
  const toolBar = (node: HTMLElement) => {
    const bar = make("div", "plot-tools");
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "Figure");
    const tool = (text: string, label: string, action: () => void) => {
      const button = make("button", "plot-tool", text);
      button.type = "button";
      button.title = label;
      button.setAttribute("aria-label", label);
      button.tabIndex = bar.childElementCount ? -1 : 0;
      button.onclick = action;
      bar.append(button);
    };
    tool("+", "Zoom in", () => zoom(node, 0.6));
    tool("−", "Zoom out", () => zoom(node, 1 / 0.6));
    tool("↺", "Whole figure", () => void draw(node));
    tool("PNG", "Save as a picture", () => void savePng(node));
    tool("CSV", "Save the numbers", () => saveCsv(nameOf(node), rowsOf(figureOf(node))));
    // One tab stop a figure: arrow keys move between its buttons.
    bar.onkeydown = ({ key }) => {
      const buttons = Array.from(bar.children) as HTMLElement[];
      const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
      const at = buttons.indexOf(document.activeElement as HTMLElement);
      if (step && at >= 0) buttons[(at + step + buttons.length) % buttons.length].focus();
    };
    return bar;
  };
  const addHead = (node: HTMLElement) => {
    const title = figureOf(node).layout.title as { subtitle?: unknown } | undefined;
    const words = make("div", "");
    words.append(make("p", "plot-title", wordsOf(title)));
    const subtitle = wordsOf(title?.subtitle);
    if (subtitle) words.append(make("p", "plot-subtitle", subtitle));
    const head = make("div", "plot-head");
    head.append(words, toolBar(node));
    node.before(head);
  };

  // A row of its own for each of many groups
  const heightOf = ({ data, layout }: Drawn): number | null => {
    const rows = (layout.yaxis as Layout | undefined)?.type === "category" ? (data[0]?.y as unknown[]).length : 0;
    return rows > 10 ? 100 + 20 * rows : null;
  };
  const draw = async (node: HTMLElement) => {
    const { data, layout } = colored(figureOf(node));
    const height = heightOf(figureOf(node));
    if (height !== null) node.style.height = `${height}px`;
    const narrow = node.clientWidth < 460;
    const font = { ...(layout.font as object), ...(narrow ? { size: 11 } : {}) };
    // A finger that scrolls the page must not draw a rectangle.
    const dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom";
    const drawFor = async (width: number) => {
      const fresh = JSON.parse(JSON.stringify({ data, layout: bare(layout, width) })) as Drawn;
      await plotly.react(node, fresh.data, { ...fresh.layout, font, dragmode, autosize: true }, config);
    };
    await drawFor(node.clientWidth);
    // Long labels leave the axis, and so its title, less room than the page has.
    const [box, words] = [node, node.querySelector(".xtitle")].map((part) => part?.getBoundingClientRect());
    if (words && words.right > box!.right)
      await drawFor(MARGINS + box!.right - words.left - (words.right - box!.right));
    // The drawing itself is told by the figure's name.
    node.querySelectorAll("svg.main-svg").forEach((svg) => svg.setAttribute("aria-hidden", "true"));
  };
  const pause = () => new Promise((done) => setTimeout(done));
  const drawAll = async () => {
    for (const node of places) {
      await draw(node);
      await pause();
    }
    root.dataset.drawn = String(places.length);
  };

  // Paper: white, of one width. A picture made beforehand needs no script at the moment of printing.
  const PAPER = { width: 660, height: 300 };
  const addPaper = async (node: HTMLElement) => {
    const { data, layout } = figureOf(node);
    const size = { ...PAPER, height: heightOf({ data, layout }) ?? PAPER.height };
    const fixed = { ...bare(layout, size.width), ...size, autosize: false };
    const picture = make("img", "paper");
    picture.alt = node.getAttribute("aria-label") ?? "";
    picture.src = await plotly.toImage({ data, layout: fixed, config }, { format: "svg", ...size });
    await picture.decode().catch(() => undefined);
    node.after(picture);
    node.classList.add("has-paper");
  };
  const addPapers = async () => {
    for (const node of places) {
      await addPaper(node);
      await pause();
    }
    root.dataset.paper = String(places.length);
  };

  // Light and dark
  const button = document.getElementById("theme");
  const setTheme = (theme: string) => {
    root.dataset.theme = theme;
    if (button) button.textContent = theme === "dark" ? "Light colours" : "Dark colours";
  };
  const wanted = matchMedia("(prefers-color-scheme: dark)");
  const change = (theme: string) => {
    setTheme(theme);
    void drawAll();
  };
  setTheme(wanted.matches ? "dark" : "light");
  wanted.addEventListener("change", () => change(wanted.matches ? "dark" : "light"));
  button?.addEventListener("click", () => change(inDark() ? "light" : "dark"));
  let before = root.dataset.theme!;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme!;
    root.dataset.theme = "light";
  });
  addEventListener("afterprint", () => (root.dataset.theme = before));

  Object.assign(window, { rewardbook: { saveCsv } });
  places.forEach(addHead);
  void drawAll().then(addPapers);
}
