// In: a value and the name of a filter or test. Out: what Jinja makes of it.
import { capitalize, methodOf, strip } from "./methods";
import { json, str } from "./print";
import { compare } from "./operators";
import {
  Callable,
  defined,
  equal,
  Float,
  integerOf,
  isDictionary,
  isList,
  isTrue,
  itemsOf,
  lengthOf,
  Namespace,
  numberOf,
  TemplateError,
  Tuple,
  typeName,
  Undefined,
  type Arguments,
  type Value,
} from "./values";

export type Filter = (value: Value, args: Arguments, context: FilterContext) => Value;
/** What filters that name other filters, tests and attributes need. */
export interface FilterContext {
  attribute(value: Value, name: Value): Value;
  filter(name: string, value: Value, args: Arguments): Value;
  test(name: string, value: Value, args: readonly Value[]): boolean;
}

const argument = ({ positional, named }: Arguments, at: number, name: string): Value | undefined =>
  positional[at] ?? named.get(name);
const listOf = (value: Value): Value[] => [...itemsOf(value)];
const none = { positional: [], named: new Map<string, Value>() };

/** `a.b.0`, as in `map(attribute="a.b")`. */
const path = (value: Value, attribute: Value, context: FilterContext): Value =>
  typeof attribute === "string"
    ? attribute.split(".").reduce((at, part) => context.attribute(at, /^\d+$/.test(part) ? Number(part) : part), value)
    : context.attribute(value, attribute);

const selecting =
  (byAttribute: boolean, wanted: boolean): Filter =>
  (value, { positional }, context) => {
    const [attribute, ...rest] = byAttribute ? positional : [null, ...positional];
    const [test, ...given] = rest;
    return listOf(value).filter((item) => {
      const subject = byAttribute ? path(item, attribute, context) : item;
      return (test === undefined ? isTrue(subject) : context.test(str(test), subject, given)) === wanted;
    });
  };

const extreme =
  (sign: 1 | -1): Filter =>
  (value, args, context) => {
    const attribute = argument(args, 1, "attribute");
    const key = (item: Value) => lowered(attribute === undefined ? item : path(item, attribute, context));
    const items = listOf(value);
    if (items.length === 0) return new Undefined("No aggregated item, sequence was empty.");
    return items.reduce((best, item) => (sign * compare(key(item), key(best)) > 0 ? item : best));
  };

/** Jinja sorts and compares texts without regard to case unless told otherwise. */
const lowered = (value: Value): Value => (typeof value === "string" ? value.toLowerCase() : value);
const method =
  (name: string): Filter =>
  (value) =>
    methodOf(str(value), name)!.call(none);

export const FILTERS: Readonly<Record<string, Filter>> = {
  upper: method("upper"),
  lower: method("lower"),
  title: method("title"),
  string: (value) => str(value),
  capitalize: (value) => capitalize(str(value)),
  trim: (value, args) => strip(str(value), "both", argument(args, 0, "chars")),
  length: (value) => lengthOf(value),
  count: (value) => lengthOf(value),
  list: (value) => listOf(value),
  first: (value) => itemsOf(value)[0] ?? new Undefined("No first item, sequence was empty."),
  last: (value) => itemsOf(value).at(-1) ?? new Undefined("No last item, sequence was empty."),
  reverse: (value) => (typeof value === "string" ? [...value].reverse().join("") : listOf(value).reverse()),
  abs: (value) => {
    const number = numberOf(defined(value));
    if (number === null) throw new TemplateError(`bad operand type for abs(): '${typeName(value)}'`);
    return value instanceof Float ? new Float(Math.abs(number)) : Math.abs(number);
  },
  int: (value, args) => {
    const text = typeof defined(value) === "string" ? strip(value as string, "both") : null;
    const number =
      text === null ? numberOf(value) : /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : null;
    return number === null ? (argument(args, 0, "default") ?? 0) : Math.trunc(number);
  },
  float: (value, args) => {
    const number =
      typeof defined(value) === "string" && strip(value as string, "both") !== "" ? Number(value) : numberOf(value);
    return number === null || Number.isNaN(number) ? (argument(args, 0, "default") ?? new Float(0)) : new Float(number);
  },
  round: (value, args) => {
    const digits = 10 ** integerOf(argument(args, 0, "precision") ?? 0, "round");
    const scaled = numberOf(defined(value))! * digits;
    const even = Math.abs(scaled % 1) === 0.5 ? 2 * Math.round(scaled / 2) : Math.round(scaled);
    return new Float(even / digits);
  },
  default: (value, args) => {
    const replace = value instanceof Undefined || (isTrue(argument(args, 1, "boolean") ?? false) && !isTrue(value));
    return replace ? (argument(args, 0, "default_value") ?? "") : value;
  },
  d: (value, args, context) => FILTERS.default(value, args, context),
  join: (value, args, context) => {
    const attribute = argument(args, 1, "attribute");
    const items = listOf(value).map((item) => (attribute === undefined ? item : path(item, attribute, context)));
    return items.map(str).join(str(argument(args, 0, "d") ?? ""));
  },
  replace: (value, { positional: [from, to, most] }) =>
    methodOf(str(value), "replace")!.call({
      ...none,
      positional: [str(from), str(to), ...(most === undefined ? [] : [most])],
    }),
  items: (value) => {
    if (value instanceof Undefined) return [];
    if (!isDictionary(value)) throw new TemplateError("Can only get item pairs from a mapping.");
    return [...value].map((pair) => new Tuple(pair));
  },
  dictsort: (value) => {
    const entries = isDictionary(value) ? [...value] : [];
    return entries.sort(([a], [b]) => compare(lowered(a), lowered(b))).map((pair) => new Tuple(pair));
  },
  sort: (value, args, context) => {
    const attribute = argument(args, 2, "attribute");
    const sensitive = isTrue(argument(args, 1, "case_sensitive") ?? false);
    const plain = (item: Value) => (attribute === undefined ? item : path(item, attribute, context));
    const key = (item: Value) => (sensitive ? plain(item) : lowered(plain(item)));
    const sign = isTrue(argument(args, 0, "reverse") ?? false) ? -1 : 1;
    return listOf(value).sort((a, b) => sign * compare(key(a), key(b)));
  },
  unique: (value) =>
    listOf(value).filter((item, i, all) => all.findIndex((other) => equal(lowered(other), lowered(item))) === i),
  sum: (value, args, context) => {
    const attribute = argument(args, 0, "attribute");
    const items = listOf(value).map((item) => (attribute === undefined ? item : path(item, attribute, context)));
    return items.reduce<number>((total, item) => total + (numberOf(defined(item)) ?? NaN), 0);
  },
  min: extreme(-1),
  max: extreme(1),
  map: (value, args, context) => {
    const attribute = args.named.get("attribute");
    const [name, ...positional] = args.positional;
    return listOf(value).map((item) => {
      if (attribute === undefined) return context.filter(str(name), item, { positional, named: args.named });
      const found = path(item, attribute, context);
      return found instanceof Undefined ? (args.named.get("default") ?? found) : found;
    });
  },
  select: selecting(false, true),
  reject: selecting(false, false),
  selectattr: selecting(true, true),
  rejectattr: selecting(true, false),
  attr: (value, args, context) => context.attribute(value, argument(args, 0, "name") ?? ""),
  indent: (value, args) => {
    const width = argument(args, 0, "width") ?? 4;
    const pad = typeof width === "string" ? width : " ".repeat(integerOf(width, "indent"));
    const [head, ...rest] = str(value).split("\n");
    const blank = isTrue(argument(args, 2, "blank") ?? false);
    const first = isTrue(argument(args, 1, "first") ?? false) ? pad + head : head;
    return [first, ...rest.map((line) => (line !== "" || blank ? pad + line : line))].join("\n");
  },
  tojson: (value, args) => {
    const separators = args.named.get("separators");
    const indent = argument(args, 1, "indent") ?? null;
    return json(value, {
      ensureAscii: isTrue(argument(args, 0, "ensure_ascii") ?? false),
      indent: typeof indent === "number" || typeof indent === "string" ? indent : null,
      separators:
        separators === undefined || separators === null ? null : (itemsOf(separators).map(str) as [string, string]),
      sortKeys: isTrue(argument(args, 3, "sort_keys") ?? false),
    });
  },
  safe: (value) => value,
  escape: (value) =>
    str(value).replace(/[&<>'"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&#34;" })[c]!),
  e: (value, args, context) => FILTERS.escape(value, args, context),
};

const whole = (value: Value): value is number => typeof value === "number";
export const TESTS: Readonly<Record<string, (value: Value, args: readonly Value[]) => boolean>> = {
  defined: (value) => !(value instanceof Undefined),
  undefined: (value) => value instanceof Undefined,
  none: (value) => value === null,
  boolean: (value) => typeof value === "boolean",
  true: (value) => value === true,
  false: (value) => value === false,
  string: (value) => typeof value === "string",
  number: (value) => numberOf(value) !== null,
  integer: whole,
  float: (value) => value instanceof Float,
  mapping: isDictionary,
  sequence: (value) =>
    typeof value === "string" ||
    isList(value) ||
    value instanceof Tuple ||
    isDictionary(value) ||
    value instanceof Undefined,
  iterable: (value) =>
    typeof value === "string" ||
    isList(value) ||
    value instanceof Tuple ||
    isDictionary(value) ||
    value instanceof Undefined,
  callable: (value) => value instanceof Callable,
  odd: (value) => Math.abs(integerOf(defined(value), "odd") % 2) === 1,
  even: (value) => integerOf(defined(value), "even") % 2 === 0,
  lower: (value) => str(value) !== str(value).toUpperCase() && str(value) === str(value).toLowerCase(),
  upper: (value) => str(value) !== str(value).toLowerCase() && str(value) === str(value).toUpperCase(),
  sameas: (value, [other]) => value === other,
  eq: (value, [other]) => equal(value, other),
  equalto: (value, [other]) => equal(value, other),
  "==": (value, [other]) => equal(value, other),
  ne: (value, [other]) => !equal(value, other),
  "!=": (value, [other]) => !equal(value, other),
  lt: (value, [other]) => compare(value, other) < 0,
  le: (value, [other]) => compare(value, other) <= 0,
  gt: (value, [other]) => compare(value, other) > 0,
  ge: (value, [other]) => compare(value, other) >= 0,
  in: (value, [container]) =>
    itemsOf(container).some((item) => equal(item, value)) ||
    (typeof container === "string" && container.includes(str(value))),
  divisibleby: (value, [by]) => integerOf(defined(value), "divisibleby") % integerOf(by, "divisibleby") === 0,
  filter: (value) => Object.hasOwn(FILTERS, str(value)),
  test: (value) => Object.hasOwn(TESTS, str(value)),
};

/** `namespace(…)` and `dict(…)`: pairs of a mapping or a list, then the named ones. */
export function fieldsOf({ positional: [source], named }: Arguments): Map<string, Value> {
  const pairs: readonly (readonly Value[])[] =
    source === undefined ? [] : isDictionary(source) ? [...source] : itemsOf(source).map(itemsOf);
  return new Map([...pairs.map(([key, value]) => [str(key), value] as const), ...named]);
}
export const namespaceOf = (args: Arguments): Namespace => new Namespace(fieldsOf(args));
