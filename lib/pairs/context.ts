// In: a row and the fields its format reads. Out: the fields nobody reads; one that carries context is a fault.
import type { Row } from "./containers/row";
import { RowFault, typeName } from "./faults";

const normalised = (name: string): string => name.toLowerCase().replace(/[-\s.]/g, "_");

/** Names of fields that a model is meant to read beside prompt and answer. */
const CONTEXT =
  /^((custom|default)_)?(system|sys)(_(prompt|message|msg|instructions?|content|text))?$|^((chat|conversation|dialogue|dialog|message|prompt|prev|previous|past)_)?history$|^((chosen|rejected|prompt|response|answer|input|available|retrieved)_)*(tools?|tool_calls?|tool_schemas?|functions?|function_calls?|images?|image_(path|url|uri|file|data|bytes|base64)s?|pictures?|pixel_values|videos?|video_(path|url|uri|file)s?|audios?|audio_(path|url|uri|file)s?|speech|attachments?|documents?|docs|passages?|contexts?|messages|conversations?|dialogues?|dialogs?)$|^(background|knowledge|few_shot(_examples)?|demonstrations|objects|persona|input|instruction|prompt|question|query)$/;
/** Keys of a message that hold more than its text. */
const MESSAGE_CONTEXT =
  /^(tools?|tool_calls?|tool_call_id|functions?|function_calls?|name|reasoning|reasoning_content|thinking|images?|videos?|audios?|files?|attachments?|documents?|refusal|context)$/;

export const isContextName = (name: string): boolean => CONTEXT.test(normalised(name));
export const isMessageContext = (name: string): boolean => MESSAGE_CONTEXT.test(normalised(name));

/** Nothing to read: null, "", [], {}, an empty list written as text, and lists of such. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || Number.isNaN(value)) return true;
  if (typeof value === "string") return /^\s*(\[\s*\]|\{\s*\}|null|none|nan)?\s*$/i.test(value);
  if (Array.isArray(value)) return value.every(isEmpty);
  return typeof value === "object" && Object.values(value).every(isEmpty);
}

/** Fields by their paths: `completions[].response` is a field of each item of a list. */
export interface FieldTree {
  readonly fields: Map<string, FieldTree>;
  /** Fields by the beginning of their names. */
  readonly beginnings: [string, FieldTree][];
  /** The value is read whole. */
  whole: boolean;
}

const emptyTree = (): FieldTree => ({ fields: new Map(), beginnings: [], whole: false });

/** `response-*` stands for every field whose name begins so; `prompt.replies.…`: replies have the fields of a prompt. */
export function fieldTree(paths: readonly string[]): FieldTree {
  const root = emptyTree();
  for (const path of paths) {
    let node = root;
    const names = path.split(".").map((part) => part.replace("[]", ""));
    const recursive = names.at(-1) === "…" ? names.splice(-2)[0] : undefined;
    for (const name of names) {
      const child = node.fields.get(name) ?? emptyTree();
      if (name.endsWith("*")) node.beginnings.push([name.slice(0, -1), child]);
      else node.fields.set(name, child);
      node = child;
    }
    if (recursive === undefined) node.whole = true;
    else node.fields.set(recursive, node);
  }
  return root;
}

const knownField = (tree: FieldTree, name: string): FieldTree | undefined =>
  tree.fields.get(name) ?? tree.beginnings.find(([beginning]) => name.startsWith(beginning))?.[1];

/** A field that is not empty, and whether the format reads it. */
interface Field {
  readonly path: string;
  readonly name: string;
  readonly value: unknown;
  readonly known: boolean;
}

/** Calls `each` for every field that the tree does not name, and for those that it names and reads whole. */
function forEachField(row: Row, tree: FieldTree, each: (field: Field) => void, prefix = ""): void {
  for (const name of Object.keys(row)) {
    const value = row[name];
    if (isEmpty(value)) continue;
    const path = prefix + name;
    const known = knownField(tree, name);
    if (known && !known.whole)
      for (const [item, at] of objectsOf(value, path)) forEachField(item, known, each, `${at}.`);
    else each({ path, name, value, known: known !== undefined });
    if (known?.whole) forEachMessageKey(value, path, each);
  }
}

function objectsOf(value: unknown, path: string): [Row, string][] {
  if (Array.isArray(value)) return value.flatMap((item) => objectsOf(item, `${path}[]`));
  return typeof value === "object" && value !== null ? [[value as Row, path]] : [];
}

const MESSAGE_FIELDS: ReadonlySet<string> = new Set(["role", "from", "content", "value"]);

/** Messages have their own fields, whatever format they stand in. */
function forEachMessageKey(value: unknown, path: string, each: (field: Field) => void): void {
  if (typeof value !== "object" || value === null) return;
  for (const [item, at] of objectsOf(value, path))
    if ("content" in item || "value" in item)
      for (const name of Object.keys(item))
        if (!MESSAGE_FIELDS.has(name) && !isEmpty(item[name]))
          each({ path: `${at}.${name}`, name, value: item[name], known: false });
}

/** All texts of a value but the names of roles and types. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value.trim()];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (/^(role|from|type)$/.test(key) ? [] : textsOf(item)));
}

/** Whether every text of the value stands in what is read. */
function isRepeated(value: unknown, read: readonly string[]): boolean {
  const texts = textsOf(value);
  return texts.length > 0 && texts.every((text) => read.some((known) => known.includes(text)));
}

/**
 * The paths of fields that are not read and carry no context.
 *
 * Fields that the format reads are looked at as well: of two that may hold the prompt it reads one.
 *
 * @param read the texts of the row's pairs: context that stands in them is not lost
 * @throws RowFault naming the first field with context that is not read
 */
export function unreadFields(
  row: Row,
  tree: FieldTree,
  read: readonly string[],
  { format, asides = [] }: { readonly format: string; readonly asides?: readonly string[] },
): string[] {
  const harmless: string[] = [];
  forEachField(row, tree, ({ path, name, value, known }) => {
    const named = isContextName(name) && !asides.includes(path);
    const carries = named && (typeof value === "string" || typeof value === "object");
    if (carries && !isRepeated(value, read))
      throw new RowFault(
        "context_not_read",
        `${path}: expected no context beside what the format ${JSON.stringify(format)} reads of this row, got ${typeName(value)}; ` +
          `write it into the prompt, or pass --ignore-fields ${name} to go on without it`,
      );
    if (!known) harmless.push(path);
  });
  return harmless;
}

/** The names of `ignore_fields`, a list separated by commas. */
export const ignoredFields = (names = ""): ReadonlySet<string> =>
  new Set(
    names
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean),
  );

/** A copy without the named fields, at every depth. */
export function withoutFields<T>(value: T, names: ReadonlySet<string>): T {
  return names.size === 0 ? value : strip(value, names);
}

function strip<T>(value: T, names: ReadonlySet<string>): T {
  if (Array.isArray(value)) return value.map((item: unknown) => strip(item, names)) as T;
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !names.has(name));
  return Object.fromEntries(kept.map(([name, item]) => [name, strip(item, names)])) as T;
}

/** Messages as Python prints them, or as JSON inside a text: the first brackets and a key of a message. */
const PRINTED = /^\s*(array\()?\[?\s*\{\s*['"](role|from|content|value)['"]\s*:/;
/** Any list or object as Python prints it. */
const PYTHON = /^\s*(array\(|[[{(])\s*[[{(]?\s*(dtype|'[^']*'\s*:)/;

/** @throws RowFault where a field that should hold messages, or an object, holds their text */
export function refusePrinted(row: Row, tree: FieldTree, prefix = ""): void {
  for (const [name, node] of tree.fields) {
    const value = Object.hasOwn(row, name) ? row[name] : undefined;
    if (typeof value === "string") {
      const looksNested = node.whole ? PRINTED.test(value) : PYTHON.test(value);
      if (looksNested)
        throw new RowFault(
          "messages_as_text",
          `${prefix}${name}: expected ${node.whole ? "text, or a list of messages" : "an object or a list"}, got one printed as text; ` +
            "write the rows with json.dumps or as Parquet, where lists stay lists",
        );
    }
  }
}
