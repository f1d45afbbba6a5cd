// In: the formats. Out: the table of the fields each of them reads, for the help and the README.
import { FORMATS } from ".";
import { COMMON_FIELDS } from "./format";

/** Nested fields of one list or object stand together: `completions[].{rank, completion}`. */
function gathered(fields: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const field of new Set(fields)) {
    const dot = field.indexOf(".");
    const outer = dot < 0 ? field : field.slice(0, dot);
    groups.set(outer, [...(groups.get(outer) ?? []), ...(dot < 0 ? [] : [field.slice(dot + 1)])]);
  }
  return [...groups].map(([outer, inner]) =>
    inner.length === 0 ? outer : inner.length === 1 ? `${outer}.${inner[0]}` : `${outer}.{${inner.join(", ")}}`,
  );
}

/** Every format with its fields. */
export const acceptedFields = (): { readonly format: string; readonly fields: readonly string[] }[] => [
  ...FORMATS.map(({ name, fields }) => ({ format: name, fields: gathered(fields) })),
  { format: "every format", fields: COMMON_FIELDS },
];

/** The table in Markdown. */
export const acceptedFieldsTable = (): string =>
  [
    "| format | fields |",
    "|---|---|",
    ...acceptedFields().map(
      ({ format, fields }) => `| ${format} | ${fields.map((field) => `\`${field}\``).join(" ")} |`,
    ),
  ].join("\n");
