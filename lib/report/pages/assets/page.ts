// The report's own small script: contents, paper, tables that sort. It runs in the reader's browser.

/** Source of the page's script. */
export function reportScript(): string {
  return `(${page.toString()})();`;
}

function page(): void {
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

  // Tables that sort: a button in each heading, numbers by the value the cell carries
  const valueOf = (row: HTMLTableRowElement, column: number) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? (cell.textContent ?? "") : Number(cell.dataset.value);
  };
  const compare = (a: string | number, b: string | number) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  document.querySelectorAll<HTMLTableElement>("table.sortable").forEach((table) => {
    const heads = Array.from(table.tHead!.rows[0].cells);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.onclick = () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = Array.from(table.tBodies[0].rows);
        rows.sort((a, b) => compare(valueOf(a, column), valueOf(b, column)) * (down ? -1 : 1));
        table.tBodies[0].append(...rows);
      };
    });
  });
}
