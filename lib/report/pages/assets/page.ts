// The report's own script. It runs in the reader's browser: `reportScript` is its source, so it may use nothing outside.

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

/** Source of the page's script. */
export function reportScript(): string {
  return `(${page.toString()})();`;
}

function page(): void {
  const read = (id: string) => JSON.parse(document.getElementById(id)?.textContent || "null");

  // Nothing on paper can be opened
  let closed: HTMLDetailsElement[] = [];
  addEventListener("beforeprint", () => {
    closed = Array.from(document.querySelectorAll<HTMLDetailsElement>("section > details:not([open])"));
    for (const part of closed) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
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
}
