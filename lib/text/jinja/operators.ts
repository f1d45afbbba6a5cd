// In: an operator and its two values. Out: what Python makes of them.
import { repr, str } from "./print";
import {
  defined,
  equal,
  Float,
  isDictionary,
  isList,
  itemsOf,
  numberOf,
  TemplateError,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values";

/** Below zero where a comes before b. @throws TemplateError for values that Python does not order */
export function compare(a: Value, b: Value): number {
  const [x, y] = [numberOf(defined(a)), numberOf(defined(b))];
  if (x !== null && y !== null) return x - y;
  if (typeof a === "string" && typeof b === "string") return compareTexts(a, b);
  const [left, right] = [a, b].map((value) => (value instanceof Tuple ? value.items : isList(value) ? value : null));
  if (left && right) {
    for (let i = 0; i < Math.min(left.length, right.length); i++)
      if (!equal(left[i], right[i])) return compare(left[i], right[i]);
    return left.length - right.length;
  }
  throw new TemplateError(`'<' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

/** By code points, as Python: JavaScript's own order goes by halves of them. */
function compareTexts(a: string, b: string): number {
  const [x, y] = [[...a], [...b]];
  for (let i = 0; i < Math.min(x.length, y.length); i++)
    if (x[i] !== y[i]) return x[i].codePointAt(0)! - y[i].codePointAt(0)!;
  return x.length - y.length;
}

/** Python's `in`. */
export function contains(container: Value, item: Value): boolean {
  if (typeof container === "string") {
    if (typeof defined(item) !== "string")
      throw new TemplateError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
    return container.includes(item as string);
  }
  if (isDictionary(container)) return container.has(item);
  if (container === null || numberOf(container) !== null)
    throw new TemplateError(`argument of type '${typeName(container)}' is not iterable`);
  return itemsOf(container).some((other) => equal(other, item));
}

export function binary(operator: string, a: Value, b: Value): Value {
  switch (operator) {
    case "==":
      return equal(a, b);
    case "!=":
      return !equal(a, b);
    case "<":
      return compare(a, b) < 0;
    case "<=":
      return compare(a, b) <= 0;
    case ">":
      return compare(a, b) > 0;
    case ">=":
      return compare(a, b) >= 0;
    case "in":
      return contains(b, a);
    case "not in":
      return !contains(b, a);
    case "~":
      return str(a) + str(b);
    case "+":
      return add(defined(a), defined(b));
    default:
      return arithmetic(operator, defined(a), defined(b));
  }
}

function add(a: Value, b: Value): Value {
  if (typeof a === "string" && typeof b === "string") return a + b;
  if (isList(a) && isList(b)) return [...a, ...b];
  if (a instanceof Tuple && b instanceof Tuple) return new Tuple([...a.items, ...b.items]);
  const kinds = { string: "str", list: "list" };
  const kind = typeof a === "string" ? kinds.string : isList(a) ? kinds.list : null;
  if (kind) throw new TemplateError(`can only concatenate ${kind} (not "${typeName(b)}") to ${kind}`);
  return arithmetic("+", a, b);
}

function arithmetic(operator: string, a: Value, b: Value): Value {
  if (operator === "%" && typeof a === "string") return formatted(a, b);
  if (operator === "*" && (typeof a === "string" || isList(a)) && typeof b === "number") return repeated(a, b);
  if (operator === "*" && (typeof b === "string" || isList(b)) && typeof a === "number") return repeated(b, a);
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x === null || y === null)
    throw new TemplateError(`unsupported operand type(s) for ${operator}: '${typeName(a)}' and '${typeName(b)}'`);
  if ("/%//".includes(operator) && y === 0) throw new TemplateError("division by zero");
  const results: Readonly<Record<string, number>> = {
    "+": x + y,
    "-": x - y,
    "*": x * y,
    "/": x / y,
    "//": Math.floor(x / y),
    "%": x - y * Math.floor(x / y),
    "**": x ** y,
  };
  const isFloat = operator === "/" || a instanceof Float || b instanceof Float || (operator === "**" && y < 0);
  return isFloat ? new Float(results[operator]) : results[operator];
}

const repeated = (value: string | readonly Value[], times: number): Value =>
  typeof value === "string"
    ? value.repeat(Math.max(0, times))
    : Array.from({ length: Math.max(0, times) }, () => value).flat();

/** `"%s of %d" % (a, b)` */
function formatted(pattern: string, value: Value): string {
  const values = value instanceof Tuple ? value.items : [value];
  let next = 0;
  const text = pattern.replace(/%([sdr%])/g, (_, kind: string) => {
    if (kind === "%") return "%";
    const item = values[next++];
    if (item === undefined) throw new TemplateError("not enough arguments for format string");
    return kind === "r" ? repr(item) : kind === "d" ? String(Math.trunc(numberOf(item) ?? NaN)) : str(item);
  });
  if (next < values.length && !(value instanceof Undefined) && !isDictionary(value))
    throw new TemplateError("not all arguments converted during string formatting");
  return text;
}
