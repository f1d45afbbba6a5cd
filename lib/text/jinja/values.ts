// In: nothing. Out: the values of a template as Python has them, and what Python asks of any value: its truth, type, equality, items.

/** A float: 2.0 prints otherwise than 2. Integers are plain numbers. */
export class Float {
  constructor(readonly value: number) {}
}
export class Tuple {
  constructor(readonly items: readonly Value[]) {}
}
/** Jinja's `namespace(…)`, the only thing whose attributes a template may set. */
export class Namespace {
  constructor(readonly fields: Map<string, Value>) {}
}
/** A name, attribute or item that is not there: prints as nothing, is false, and raises when anything else is done with it. */
export class Undefined {
  constructor(readonly message: string) {}
}
export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}
export class Callable {
  constructor(
    readonly name: string,
    readonly call: (args: Arguments) => Value,
  ) {}
}
export type Dictionary = Map<Value, Value>;
export type Value =
  null | boolean | number | string | Float | Tuple | Namespace | Undefined | Callable | readonly Value[] | Dictionary;

/** What a template refuses or cannot do; the message is for the reader. */
export class TemplateError extends Error {}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isDictionary = (value: Value): value is Dictionary => value instanceof Map;

/** JSON's values as Python has them; a number without a fraction is an integer. */
export function toValue(json: unknown): Value {
  if (json === null || typeof json === "boolean" || typeof json === "string") return json;
  if (typeof json === "number") return Number.isInteger(json) ? json : new Float(json);
  if (Array.isArray(json)) return json.map(toValue);
  if (json instanceof Callable) return json;
  if (typeof json !== "object") throw new TemplateError(`expected a JSON value, got ${typeof json}`);
  return new Map(Object.entries(json).flatMap(([key, value]) => (value === undefined ? [] : [[key, toValue(value)]])));
}

/** Python's name of a type, for messages. */
export function typeName(value: Value): string {
  if (value === null) return "NoneType";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return "int";
  if (typeof value === "string") return "str";
  if (value instanceof Float) return "float";
  if (value instanceof Tuple) return "tuple";
  if (isList(value)) return "list";
  if (isDictionary(value)) return "dict";
  return value instanceof Namespace ? "Namespace" : value instanceof Undefined ? "Undefined" : "function";
}

/** @throws TemplateError when the value is undefined, as Python does where it is used for anything but printing */
export function defined(value: Value): Value {
  if (value instanceof Undefined) throw new TemplateError(value.message);
  return value;
}

export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (value instanceof Float) return value.value !== 0;
  if (value instanceof Tuple) return value.items.length > 0;
  if (isList(value)) return value.length > 0;
  if (isDictionary(value)) return value.size > 0;
  return typeof value === "object" ? true : Boolean(value);
}

/** True is 1 and False is 0; null where the value is no number. */
export function numberOf(value: Value): number | null {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  return value instanceof Float ? value.value : null;
}

export function equal(a: Value, b: Value): boolean {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== null && y !== null) return x === y;
  if (a instanceof Undefined) return b instanceof Undefined;
  if (a instanceof Tuple && b instanceof Tuple) return equal(a.items, b.items);
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, i) => equal(item, b[i]));
  if (isDictionary(a) && isDictionary(b)) {
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && equal(value, b.get(key)!));
  }
  return a === b;
}

/** The items that a loop goes over: a text's characters, a dictionary's keys, nothing of what is undefined. */
export function itemsOf(value: Value): readonly Value[] {
  if (typeof value === "string") return [...value];
  if (isList(value)) return value;
  if (value instanceof Tuple) return value.items;
  if (isDictionary(value)) return [...value.keys()];
  if (value instanceof Undefined) return [];
  throw new TemplateError(`'${typeName(value)}' object is not iterable`);
}

export function lengthOf(value: Value): number {
  if (numberOf(value) !== null || value === null || value instanceof Namespace || value instanceof Callable)
    throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
  return isDictionary(value) ? value.size : itemsOf(value).length;
}

/** An integer argument. */
export function integerOf(value: Value | undefined, what: string): number {
  const number = value === undefined || value instanceof Float ? null : numberOf(value);
  if (number === null) throw new TemplateError(`${what}: expected an integer, got ${typeName(value ?? null)}`);
  return number;
}

/** Python's slice: positions may be negative, steps too; characters, not code units. */
export function slice(value: Value, bounds: readonly (Value | undefined)[]): Value {
  const items = itemsOf(defined(value));
  const n = items.length;
  const [from, to, by] = bounds.map((bound) => (bound == null ? null : integerOf(bound, "slice")));
  const step = by ?? 1;
  if (step === 0) throw new TemplateError("slice step cannot be zero");
  const [least, most] = step > 0 ? [0, n] : [-1, n - 1];
  const place = (bound: number | null, none: number) =>
    bound === null ? none : Math.min(most, Math.max(least, bound < 0 ? bound + n : bound));
  const [start, stop] = [place(from, step > 0 ? least : most), place(to, step > 0 ? most : least)];
  const taken: Value[] = [];
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) taken.push(items[i]);
  return typeof value === "string" ? taken.join("") : value instanceof Tuple ? new Tuple(taken) : taken;
}
