// In: an expression and the names it may use. Out: its value, as Python's Jinja has it.
import { FILTERS, TESTS, type FilterContext } from "./filters";
import { methodOf } from "./methods";
import { binary } from "./operators";
import { repr } from "./print";
import type { Scope } from "./scope";
import type { CallNode, Identifier, MemberNode, Node } from "./syntax";
import {
  Callable,
  defined,
  Float,
  isDictionary,
  isList,
  isTrue,
  itemsOf,
  Namespace,
  numberOf,
  slice,
  TemplateError,
  Tuple,
  typeName,
  Undefined,
  type Arguments,
  type Value,
} from "./values";

export function evaluate(node: Node, scope: Scope): Value {
  switch (node.type) {
    case "IntegerLiteral":
    case "StringLiteral":
      return node.value;
    case "FloatLiteral":
      return new Float(node.value);
    case "ArrayLiteral":
      return node.value.map((item) => evaluate(item, scope));
    case "TupleLiteral":
      return new Tuple(node.value.map((item) => evaluate(item, scope)));
    case "ObjectLiteral":
      return new Map([...node.value].map(([key, value]) => [evaluate(key, scope), evaluate(value, scope)]));
    case "Identifier":
      return scope.get(node.value);
    case "MemberExpression":
      return member(node, scope);
    case "CallExpression":
      return call(evaluate(node.callee, scope), argumentsOf(node.args, scope));
    case "BinaryExpression":
      return operation(node.operator.value, node.left, node.right, scope);
    case "UnaryExpression":
      return unary(node.operator.value, evaluate(node.argument, scope));
    case "FilterExpression":
      return applyFilter(node.filter, evaluate(node.operand, scope), scope);
    case "TestExpression":
      return CONTEXT.test(node.test.value, evaluate(node.operand, scope), []) !== node.negate;
    case "Ternary":
      return evaluate(isTrue(evaluate(node.condition, scope)) ? node.trueExpr : node.falseExpr, scope);
    case "SelectExpression":
      if (isTrue(evaluate(node.test, scope))) return evaluate(node.lhs, scope);
      return new Undefined("the inline if-expression evaluated to false and no else section was defined.");
    default:
      throw new TemplateError(`expected an expression, got ${node.type}`);
  }
}

function operation(operator: string, left: Node, right: Node, scope: Scope): Value {
  const a = evaluate(left, scope);
  if (operator === "and") return isTrue(a) ? evaluate(right, scope) : a;
  if (operator === "or") return isTrue(a) ? a : evaluate(right, scope);
  return binary(operator, a, evaluate(right, scope));
}

function unary(operator: string, value: Value): Value {
  if (operator === "not") return !isTrue(value);
  const number = numberOf(defined(value));
  if (number === null) throw new TemplateError(`bad operand type for unary ${operator}: '${typeName(value)}'`);
  const signed = operator === "-" ? -number : number;
  return value instanceof Float ? new Float(signed) : signed;
}

function member({ object, property, computed }: MemberNode, scope: Scope): Value {
  const value = evaluate(object, scope);
  if (property.type === "SliceExpression") {
    const bounds = [property.start, property.stop, property.step];
    return slice(
      value,
      bounds.map((bound) => (bound ? (evaluate(bound, scope) ?? undefined) : undefined)),
    );
  }
  if (computed) return item(value, evaluate(property, scope));
  return attribute(value, property.type === "IntegerLiteral" ? property.value : (property as Identifier).value);
}

/** `value.name`: a method comes before an item of that name. */
function attribute(value: Value, name: string | number): Value {
  if (typeof name === "number") return item(value, name);
  const method = methodOf(defined(value), name);
  if (method) return method;
  const found = itemOrNull(value, name);
  return found ? found.value : missing(value, name);
}

/** `value[key]`: an item comes before a method of that name. */
function item(value: Value, key: Value): Value {
  const found = itemOrNull(defined(value), key);
  if (found !== null) return found.value;
  return (typeof key === "string" ? methodOf(value, key) : null) ?? missing(value, key);
}

function itemOrNull(value: Value, key: Value): { readonly value: Value } | null {
  const fields = value instanceof Namespace ? value.fields : isDictionary(value) ? value : null;
  if (fields) {
    const held = (fields as ReadonlyMap<Value, Value>).get(key);
    return held === undefined ? null : { value: held };
  }
  const sequence = typeof value === "string" || isList(value) || value instanceof Tuple;
  if (!sequence || numberOf(key) === null || key instanceof Float) return null;
  const held = itemsOf(value).at(numberOf(key)!);
  return held === undefined ? null : { value: held };
}

const missing = (value: Value, key: Value): Undefined => {
  const of = value === null ? "None" : `${typeName(value)} object`;
  return new Undefined(
    typeof key === "string" ? `'${of}' has no attribute '${key}'` : `${of} has no element ${repr(key)}`,
  );
};

export function call(callee: Value, args: Arguments): Value {
  if (!(defined(callee) instanceof Callable)) throw new TemplateError(`'${typeName(callee)}' object is not callable`);
  return (callee as Callable).call(args);
}

export function argumentsOf(nodes: readonly Node[], scope: Scope): Arguments {
  const positional: Value[] = [];
  const named = new Map<string, Value>();
  for (const node of nodes) {
    if (node.type === "KeywordArgumentExpression") named.set(node.key.value, evaluate(node.value, scope));
    else if (node.type === "SpreadExpression") positional.push(...itemsOf(evaluate(node.argument, scope)));
    else if (node.type === "KeywordSpreadExpression") {
      const more = evaluate(node.argument, scope);
      if (isDictionary(more)) for (const [key, value] of more) named.set(String(key), value);
    } else positional.push(evaluate(node, scope));
  }
  return { positional, named };
}

export function applyFilter(filter: Identifier | CallNode, value: Value, scope: Scope): Value {
  if (filter.type === "Identifier") return CONTEXT.filter(filter.value, value, { positional: [], named: new Map() });
  return CONTEXT.filter((filter.callee as Identifier).value, value, argumentsOf(filter.args, scope));
}

const CONTEXT: FilterContext = {
  attribute: (value, name) => item(value, name),
  filter: (name, value, args) => {
    if (!Object.hasOwn(FILTERS, name)) throw new TemplateError(`No filter named '${name}'.`);
    return FILTERS[name](value, args, CONTEXT);
  },
  test: (name, value, args) => {
    if (!Object.hasOwn(TESTS, name)) throw new TemplateError(`No test named '${name}'.`);
    return TESTS[name](value, args);
  },
};
