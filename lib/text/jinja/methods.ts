// In: a text, list or dictionary and the name of a method. Out: Python's method, where a template may call it.
import { repr, str } from "./print";
import {
  Callable,
  defined,
  equal,
  integerOf,
  isDictionary,
  isList,
  itemsOf,
  TemplateError,
  Tuple,
  typeName,
  Undefined,
  type Arguments,
  type Value,
} from "./values";

/** What `str.strip` and `str.split` take for white space (Python's `str.isspace`). */
const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const SPACES = new RegExp(`${SPACE}+`, "u");
const LINES = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

/** White space off both ends, or one of them; or the characters that are named. */
export function strip(text: string, sides: "both" | "left" | "right", characters?: Value): string {
  const set =
    typeof characters === "string"
      ? `[${[...characters].map((c) => `\\u{${c.codePointAt(0)!.toString(16)}}`).join("")}]`
      : SPACE;
  if (characters === "") return text;
  const left = sides === "right" ? text : text.replace(new RegExp(`^${set}+`, "u"), "");
  if (sides === "left") return left;
  const all = [...left];
  const one = new RegExp(`^${set}$`, "u");
  let end = all.length; // from the end, character by character: a pattern would look for every run of spaces
  while (end > 0 && one.test(all[end - 1])) end--;
  return all.slice(0, end).join("");
}

function split(text: string, separator: Value | undefined, most: number, fromRight: boolean): string[] {
  if (separator === undefined || separator === null) return splitSpaces(text, most, fromRight);
  if (typeof separator !== "string") throw new TemplateError(`must be str or None, not ${typeName(separator)}`);
  if (separator === "") throw new TemplateError("empty separator");
  const parts = text.split(separator);
  if (most < 0 || parts.length <= most + 1) return parts;
  return fromRight
    ? [parts.slice(0, parts.length - most).join(separator), ...parts.slice(parts.length - most)]
    : [...parts.slice(0, most), parts.slice(most).join(separator)];
}

/** Runs of white space separate; a rest that is left over keeps what stands at its far end. */
function splitSpaces(text: string, most: number, fromRight: boolean): string[] {
  if (fromRight) return splitSpaces(reversed(text), most, false).map(reversed).reverse();
  const words: string[] = [];
  let rest = strip(text, "left");
  while (rest !== "" && (most < 0 || words.length < most)) {
    const space = SPACES.exec(rest);
    words.push(space ? rest.slice(0, space.index) : rest);
    rest = space ? rest.slice(space.index + space[0].length) : "";
  }
  return rest === "" ? words : [...words, rest];
}
const reversed = (text: string): string => [...text].reverse().join("");

function replaceText(text: string, from: Value | undefined, to: Value | undefined, most: number): string {
  if (typeof from !== "string" || typeof to !== "string")
    throw new TemplateError(
      `replace() argument must be str, not ${typeName(typeof from === "string" ? (to ?? null) : (from ?? null))}`,
    );
  if (from === "") {
    const all = [...text];
    const count = most < 0 ? all.length + 1 : Math.min(most, all.length + 1);
    return all.map((c, i) => (i < count ? to : "") + c).join("") + (count > all.length ? to : "");
  }
  const parts = text.split(from);
  const n = most < 0 ? parts.length - 1 : Math.min(most, parts.length - 1);
  return (
    parts.slice(0, n + 1).join(to) +
    parts
      .slice(n + 1)
      .map((part) => from + part)
      .join("")
  );
}

/** The first letter as in a title (ß gives Ss), the others small. */
export const capitalize = (text: string): string => {
  const [first = "", ...more] = [...([...text][0] ?? "").toUpperCase()];
  return first + more.join("").toLowerCase() + [...text.toLowerCase()].slice(1).join("");
};
/** Python's `str.title`: every run of letters. */
const title = (text: string): string => text.replace(/\p{L}[\p{L}\p{M}]*/gu, capitalize);

const edges = (text: string, given: Value, at: "startsWith" | "endsWith"): boolean => {
  if (typeof given === "string") return text[at](given);
  if (given instanceof Tuple) return given.items.some((item) => edges(text, item, at));
  throw new TemplateError(`${at.toLowerCase()} first arg must be str or a tuple of str, not ${typeName(given)}`);
};

type Method = (self: never, args: readonly Value[], named: Arguments["named"]) => Value;
const text = (method: (self: string, args: readonly Value[], named: Arguments["named"]) => Value): Method =>
  method as Method;
const count = (value: Value | undefined, none: number) => (value === undefined ? none : integerOf(value, "count"));

const TEXT: Readonly<Record<string, Method>> = {
  upper: text((self) => self.toUpperCase()),
  lower: text((self) => self.toLowerCase()),
  strip: text((self, [characters]) => strip(self, "both", characters)),
  lstrip: text((self, [characters]) => strip(self, "left", characters)),
  rstrip: text((self, [characters]) => strip(self, "right", characters)),
  title: text((self) => title(self)),
  capitalize: text((self) => capitalize(self)),
  startswith: text((self, [start]) => edges(self, defined(start ?? null), "startsWith")),
  endswith: text((self, [end]) => edges(self, defined(end ?? null), "endsWith")),
  split: text((self, [by, most], named) =>
    split(self, by ?? named.get("sep"), count(most ?? named.get("maxsplit"), -1), false),
  ),
  rsplit: text((self, [by, most], named) =>
    split(self, by ?? named.get("sep"), count(most ?? named.get("maxsplit"), -1), true),
  ),
  splitlines: text((self) => {
    const lines = self.split(LINES);
    return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
  }),
  replace: text((self, [from, to, most], named) => replaceText(self, from, to, count(most ?? named.get("count"), -1))),
  join: text((self, [items]) =>
    itemsOf(defined(items ?? null))
      .map((item, i) => {
        if (typeof item === "string") return item;
        throw new TemplateError(`sequence item ${i}: expected str instance, ${typeName(item)} found`);
      })
      .join(self),
  ),
  find: text((self, [part]) => position(self, self.indexOf(str(part)))),
  rfind: text((self, [part]) => position(self, self.lastIndexOf(str(part)))),
  count: text((self, [part]) => self.split(str(part)).length - 1),
  isdigit: text((self) => /^\p{Nd}+$/u.test(self)),
  isalpha: text((self) => /^\p{L}+$/u.test(self)),
  isalnum: text((self) => /^[\p{L}\p{N}]+$/u.test(self)),
  isspace: text((self) => new RegExp(`^${SPACE}+$`, "u").test(self)),
  isupper: text((self) => self !== self.toLowerCase() && self === self.toUpperCase()),
  islower: text((self) => self !== self.toUpperCase() && self === self.toLowerCase()),
  removeprefix: text((self, [start]) => (self.startsWith(str(start)) ? self.slice(str(start).length) : self)),
  removesuffix: text((self, [end]) =>
    str(end) !== "" && self.endsWith(str(end)) ? self.slice(0, -str(end).length) : self,
  ),
  format: text((self, args, named) => {
    let next = 0;
    return self.replace(/\{\{|\}\}|\{(\w*)\}/g, (whole, field?: string) => {
      if (field === undefined) return whole[0];
      const value = field === "" ? args[next++] : /^\d+$/.test(field) ? args[Number(field)] : named.get(field);
      if (value === undefined) throw new TemplateError(`format: nothing for {${field}}`);
      return str(value);
    });
  }),
};

/** Python counts characters, JavaScript halves of them. */
const position = (self: string, at: number): number => (at < 0 ? -1 : [...self.slice(0, at)].length);

type Entries = ReadonlyMap<Value, Value>;
const DICTIONARY: Readonly<Record<string, Method>> = {
  get: ((self: Entries, [key, none]: readonly Value[]) => (self.has(key) ? self.get(key)! : (none ?? null))) as Method,
  items: ((self: Entries) => [...self].map((pair) => new Tuple(pair))) as Method,
  keys: ((self: Entries) => [...self.keys()]) as Method,
  values: ((self: Entries) => [...self.values()]) as Method,
  copy: ((self: Entries) => new Map(self)) as Method,
};
const LIST: Readonly<Record<string, Method>> = {
  index: ((self: readonly Value[], [item]: readonly Value[]) => {
    const at = self.findIndex((other) => equal(other, item));
    if (at < 0) throw new TemplateError(`${repr(item)} is not in list`);
    return at;
  }) as Method,
  count: ((self: readonly Value[], [item]: readonly Value[]) =>
    self.filter((other) => equal(other, item)).length) as Method,
};

/** The method of that name, bound to the value; null where Python has none that a template may call. */
export function methodOf(value: Value, name: string): Callable | null {
  const [methods, self] =
    typeof value === "string"
      ? [TEXT, value]
      : isDictionary(value)
        ? [DICTIONARY, value]
        : isList(value)
          ? [LIST, value]
          : value instanceof Tuple
            ? [LIST, value.items]
            : [{} as Readonly<Record<string, Method>>, value];
  if (!Object.hasOwn(methods, name)) return null;
  return new Callable(name, ({ positional, named }) =>
    methods[name](
      self as never,
      positional.map((argument) => (argument instanceof Undefined ? defined(argument) : argument)),
      named,
    ),
  );
}
