// In: a value of a template. Out: the text that Python prints for it: str, repr, and JSON.
import { Callable, Float, isDictionary, isList, TemplateError, Tuple, typeName, Undefined, type Value } from "./values";

/** Python's `repr` of a float: the shortest digits, an exponent below 1e-4 and from 1e16 on. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
/** What Python calls not printable: control, format, private and unassigned characters, and all spaces but the space. */
const NOT_PRINTABLE = /[\p{C}\p{Z}]/u;

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = (digits: number) => code.toString(16).padStart(digits, "0");
  return code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}

/** Python's `repr` of a text: single quotes, unless it holds one and no double quote. */
function textRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = [...text].map((character) => {
    if (character === quote) return `\\${quote}`;
    if (ESCAPES[character]) return ESCAPES[character];
    return character !== " " && NOT_PRINTABLE.test(character) ? escaped(character) : character;
  });
  return quote + inner.join("") + quote;
}

/** Python's `repr`: how a value looks inside a printed list. */
export function repr(value: Value): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return textRepr(value);
  if (value instanceof Float) return floatText(value.value);
  if (isList(value)) return `[${value.map(repr).join(", ")}]`;
  if (value instanceof Tuple) return `(${value.items.map(repr).join(", ")}${value.items.length === 1 ? "," : ""})`;
  if (isDictionary(value)) return `{${[...value].map(([key, item]) => `${repr(key)}: ${repr(item)}`).join(", ")}}`;
  if (value instanceof Undefined) return "Undefined";
  return value instanceof Callable ? `<function ${value.name}>` : "<Namespace>";
}

/** Python's `str`: what `{{ … }}` prints. */
export function str(value: Value): string {
  return typeof value === "string" ? value : value instanceof Undefined ? "" : repr(value);
}

export interface JsonOptions {
  /** Spaces of one level; null for one line. */
  readonly indent: number | string | null;
  readonly ensureAscii: boolean;
  readonly sortKeys: boolean;
  /** Between items, and between key and value. */
  readonly separators: readonly [string, string] | null;
}

/** `json.dumps` as transformers' `tojson` calls it: no escapes of HTML, other characters as they are. */
export function json(value: Value, options: JsonOptions, depth = 0): string {
  const { indent, ensureAscii, sortKeys, separators } = options;
  const [comma, colon] = separators ?? [indent === null ? ", " : ",", ": "];
  const quoted = (text: string) => {
    // JSON.stringify leaves no control characters, but escapes lone surrogates in its own way
    const out = JSON.stringify(text);
    return ensureAscii
      ? out.replace(/[\u007f-\uffff]/g, (c) =>
          c === "\u007f" ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
        )
      : out;
  };
  const wrapped = (open: string, items: readonly string[], close: string) => {
    if (items.length === 0) return open + close;
    if (indent === null) return open + items.join(comma) + close;
    const unit = typeof indent === "number" ? " ".repeat(indent) : indent;
    const line = (level: number) => `\n${unit.repeat(level)}`;
    return open + line(depth + 1) + items.join(comma + line(depth + 1)) + line(depth) + close;
  };
  if (value === null) return "null";
  if (typeof value === "boolean" || typeof value === "number") return String(value);
  if (typeof value === "string") return quoted(value);
  if (value instanceof Float) return floatText(value.value).replace("inf", "Infinity").replace("nan", "NaN");
  if (value instanceof Tuple || isList(value)) {
    const items = value instanceof Tuple ? value.items : value;
    return wrapped(
      "[",
      items.map((item) => json(item, options, depth + 1)),
      "]",
    );
  }
  if (isDictionary(value)) {
    const entries = [...value].map(([key, item]) => [keyText(key), item] as const);
    if (sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return wrapped(
      "{",
      entries.map(([key, item]) => quoted(key) + colon + json(item, options, depth + 1)),
      "}",
    );
  }
  throw new TemplateError(`Object of type ${typeName(value)} is not JSON serializable`);
}

function keyText(key: Value): string {
  if (typeof key === "string") return key;
  if (key === null || typeof key !== "object") return key === null ? "null" : String(key);
  if (key instanceof Float) return floatText(key.value);
  throw new TemplateError(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}
