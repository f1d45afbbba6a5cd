// In: a parsed template and its variables. Out: the text that Python's Jinja renders.
import { applyFilter, argumentsOf, call, evaluate } from "./expressions";
import { fieldsOf, namespaceOf } from "./filters";
import { str } from "./print";
import { Scope } from "./scope";
import type { CallBlockNode, ForNode, MacroNode, Node, SetNode } from "./syntax";
import {
  Callable,
  integerOf,
  isTrue,
  itemsOf,
  Namespace,
  TemplateError,
  Undefined,
  type Arguments,
  type Value,
} from "./values";

class Break extends Error {}
class Continue extends Error {
  constructor(readonly printed: string) {
    super();
  }
}

/** Renders a template's statements with these variables over Jinja's own. */
export function render(body: readonly Node[], variables: ReadonlyMap<string, Value>): string {
  const scope = new Scope(globals());
  for (const [name, value] of variables) scope.set(name, value);
  return block(body, new Scope(scope));
}

function globals(): Scope {
  const scope = new Scope();
  const own: Record<string, Value> = { true: true, True: true, false: false, False: false, none: null, None: null };
  for (const [name, value] of Object.entries(own)) scope.set(name, value);
  const define = (name: string, run: (args: Arguments) => Value) => scope.set(name, new Callable(name, run));
  define("namespace", namespaceOf);
  define("dict", (args) => new Map<Value, Value>(fieldsOf(args)));
  define("range", ({ positional }) => range(positional));
  define("raise_exception", ({ positional: [message] }) => {
    throw new TemplateError(str(message));
  });
  return scope;
}

function range(bounds: readonly Value[]): number[] {
  const [a, b, c] = bounds.map((bound) => integerOf(bound, "range"));
  const [start, stop, step] = bounds.length === 1 ? [0, a, 1] : [a, b, c ?? 1];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= MOST_ITEMS))
    throw new TemplateError(`Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MOST_ITEMS}).`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}
/** Jinja's sandbox: MAX_RANGE. */
const MOST_ITEMS = 100_000;

function block(body: readonly Node[], scope: Scope): string {
  let printed = "";
  for (const node of body) {
    try {
      printed += statement(node, scope);
    } catch (error) {
      // what stands before a break or continue has been printed
      if (error instanceof Continue) throw new Continue(printed + error.printed);
      if (error instanceof Break) throw Object.assign(error, { message: printed + error.message });
      throw error;
    }
  }
  return printed;
}

function statement(node: Node, scope: Scope): string {
  switch (node.type) {
    case "Comment":
      return "";
    case "If":
      return block(isTrue(evaluate(node.test, scope)) ? node.body : node.alternate, scope);
    case "For":
      return loop(node, scope);
    case "Set":
      assign(node, scope);
      return "";
    case "Macro":
      scope.set(node.name.value, macro(node.name.value, node, scope));
      return "";
    case "CallStatement":
      return callBlock(node, scope);
    case "FilterStatement":
      return str(applyFilter(node.filter, block(node.body, new Scope(scope)), scope));
    case "Break":
      throw new Break("");
    case "Continue":
      throw new Continue("");
    default:
      return str(evaluate(node, scope));
  }
}

function bind(target: Node, value: Value, scope: Scope): void {
  if (target.type === "Identifier") scope.set(target.value, value);
  else if (target.type === "TupleLiteral") {
    const items = itemsOf(value);
    if (items.length !== target.value.length) {
      const few = items.length < target.value.length;
      throw new TemplateError(few ? "not enough values to unpack" : "too many values to unpack");
    }
    target.value.forEach((name, i) => bind(name, items[i], scope));
  } else if (target.type === "MemberExpression" && target.property.type === "Identifier") {
    const holder = evaluate(target.object, scope);
    if (!(holder instanceof Namespace)) throw new TemplateError("cannot assign attribute on non-namespace object");
    holder.fields.set(target.property.value, value);
  } else throw new TemplateError(`cannot assign to ${target.type}`);
}

function assign({ assignee, value, body }: SetNode, scope: Scope): void {
  bind(assignee, value ? evaluate(value, scope) : block(body, new Scope(scope)), scope);
}

function loop({ loopvar, iterable, body, defaultBlock }: ForNode, scope: Scope): string {
  const select = iterable.type === "SelectExpression" ? iterable : null;
  const all = itemsOf(evaluate(select ? select.lhs : iterable, scope));
  const items = all.filter((item) => {
    if (!select) return true;
    const inner = new Scope(scope);
    bind(loopvar, item, inner);
    return isTrue(evaluate(select.test, inner));
  });
  if (items.length === 0) return block(defaultBlock, new Scope(scope));
  let printed = "";
  for (let i = 0; i < items.length; i++) {
    const inner = new Scope(scope);
    inner.set("loop", place(items, i));
    bind(loopvar, items[i], inner);
    try {
      printed += block(body, inner);
    } catch (error) {
      if (error instanceof Break) return printed + error.message;
      if (!(error instanceof Continue)) throw error;
      printed += error.printed;
    }
  }
  return printed;
}

/** Jinja's `loop`. */
function place(items: readonly Value[], i: number): Namespace {
  const n = items.length;
  const cycle = new Callable("cycle", ({ positional }) => positional[i % positional.length]);
  return new Namespace(
    new Map<string, Value>([
      ["index", i + 1],
      ["index0", i],
      ["revindex", n - i],
      ["revindex0", n - i - 1],
      ["first", i === 0],
      ["last", i === n - 1],
      ["length", n],
      ["depth", 1],
      ["depth0", 0],
      ["previtem", items[i - 1] ?? (i > 0 ? null : new Undefined("there is no previous item"))],
      ["nextitem", items[i + 1] ?? (i < n - 1 ? null : new Undefined("there is no next item"))],
      ["cycle", cycle],
    ]),
  );
}

type Body = Pick<MacroNode, "args" | "body">;

function macro(name: string, { args: parameters, body }: Body, around: Scope): Callable {
  return new Callable(name, ({ positional, named }) => {
    const inner = new Scope(around);
    const known = new Set<string>(["caller"]);
    parameters.forEach((parameter, i) => {
      const withDefault = parameter.type === "KeywordArgumentExpression" ? parameter : null;
      const key = withDefault ? withDefault.key.value : (parameter as { readonly value: string }).value;
      known.add(key);
      const given = i < positional.length ? positional[i] : named.get(key);
      const missing = () =>
        withDefault ? evaluate(withDefault.value, inner) : new Undefined(`parameter '${key}' was not provided`);
      inner.set(key, given === undefined ? missing() : given);
    });
    const strange = [...named.keys()].find((key) => !known.has(key));
    if (strange !== undefined) throw new TemplateError(`macro '${name}' takes no keyword argument '${strange}'`);
    if (positional.length > parameters.length)
      throw new TemplateError(`macro '${name}' takes not more than ${parameters.length} argument(s)`);
    if (named.has("caller")) inner.set("caller", named.get("caller")!);
    return block(body, inner);
  });
}

function callBlock({ call: called, callerArgs, body }: CallBlockNode, scope: Scope): string {
  const { positional, named } = argumentsOf(called.args, scope);
  const caller = macro("caller", { args: callerArgs ?? [], body }, scope);
  return str(call(evaluate(called.callee, scope), { positional, named: new Map([...named, ["caller", caller]]) }));
}
