// In: values. Out: the same as YAML front matter and as Markdown, in which no value can become structure.
import { markTurning } from "./escape";

/** YAML 1.2 of plain JSON values, block style; every string is double-quoted, so none is read as another type. */
export function yaml(value: Readonly<Record<string, unknown>>, indent = ""): string {
  return Object.entries(value)
    .map(([key, item]) => `${indent}${key}:${yamlItem(item, indent)}`)
    .join("");
}

function yamlItem(item: unknown, indent: string): string {
  if (Array.isArray(item)) {
    if (!item.length) return " []\n";
    return "\n" + item.map((entry) => `${indent}-${yamlEntry(entry, `${indent}  `)}`).join("");
  }
  if (typeof item === "object" && item !== null) return "\n" + yaml(item as Record<string, unknown>, `${indent}  `);
  return ` ${yamlScalar(item)}\n`;
}

function yamlEntry(entry: unknown, indent: string): string {
  if (typeof entry !== "object" || entry === null) return ` ${yamlScalar(entry)}\n`;
  return ` ${yaml(entry as Record<string, unknown>, indent).slice(indent.length)}`;
}

/** A JSON string is a YAML string but for characters YAML does not print; those are escaped as well. */
function yamlScalar(value: unknown): string {
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.replace(/\p{Surrogate}/gu, "\ufffd")).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Text as Markdown text: one line, no markup, no HTML. */
export function markdownText(text: string): string {
  return markTurning(text)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/[\\`*_{}[\]()#|~!]/g, "\\$&")
    .trim();
}

/** Text as inline code. */
export function code(text: string): string {
  const line = markTurning(text)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replace(/\|/g, "¦");
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest ? `${fence} ${line} ${fence}` : `\`${line}\``;
}

/** A table of text cells. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(markdownText).join(" | ")} |`;
  return [line(heads), `|${heads.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
