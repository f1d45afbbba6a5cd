// In: Python's format of a date. Out: the one date that every chat template is told, so that no score depends on the day.

/**
 * The date that Llama 3's templates fall back to. In Python: `apply_chat_template(…, date_string="26 Jul 2024")`; templates
 * that ask `strftime_now` for the clock are given the same day at 0:00.
 */
export const FIXED_DATE = "26 Jul 2024";

/** C's directives in the C locale, for that moment (a Friday, the 208th day of its year). */
const DIRECTIVES: Readonly<Record<string, string>> = {
  Y: "2024",
  y: "24",
  C: "20",
  m: "07",
  d: "26",
  e: "26",
  j: "208",
  u: "5",
  w: "5",
  B: "July",
  b: "Jul",
  h: "Jul",
  A: "Friday",
  a: "Fri",
  H: "00",
  k: " 0",
  I: "12",
  l: "12",
  M: "00",
  S: "00",
  f: "000000",
  p: "AM",
  s: "1721952000",
  D: "07/26/24",
  F: "2024-07-26",
  x: "07/26/24",
  T: "00:00:00",
  X: "00:00:00",
  R: "00:00",
  r: "12:00:00 AM",
  c: "Fri Jul 26 00:00:00 2024",
  G: "2024",
  g: "24",
  V: "30",
  U: "29",
  W: "30",
  z: "",
  Z: "",
  n: "\n",
  t: "\t",
  "%": "%",
};

/** `strftime_now(format)`: Python's `datetime.now().strftime(format)` at the fixed date. */
export function formatFixedDate(format: string): string {
  return format.replace(/%(-?)([A-Za-z%])/g, (whole, bare: string, directive: string) => {
    const text = Object.hasOwn(DIRECTIVES, directive) ? DIRECTIVES[directive] : whole;
    return bare && text !== whole ? text.replace(/^[0 ]+(?=.)/, "") : text;
  });
}

/**
 * A line to put before a template that asks for the clock, so that Python's Jinja gives it the fixed date too: a macro of that
 * name. Empty for other templates.
 */
export function fixedClock(template: string): string {
  if (!template.includes("strftime_now")) return "";
  const formats = [...template.matchAll(/'([^'\\]*%[^'\\]*)'|"([^"\\]*%[^"\\]*)"/g)].map(([, a, b]) => a ?? b);
  const answers = [...new Set(formats)].map(
    (format) => `${JSON.stringify(format)}: ${JSON.stringify(formatFixedDate(format))}`,
  );
  return `{% macro strftime_now(format) %}{{ {${answers.join(", ")}}[format] }}{% endmacro %}\n`;
}
