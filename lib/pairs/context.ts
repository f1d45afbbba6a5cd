// In: a row and the fields its format reads. Out: the fields nobody reads; one that carries context is a fault.
import type { Row } from "./containers/row";
import { RowFault, typeName } from "./faults";

/** `systemPrompt`, `System-Prompt` and `system prompt` are one name. */
const normalised = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[-\s.]/g, "_");

const STRONG_NAMES = [
  /((custom|default|developer)_)?(system|sys|developer)(_(prompt|message|msg|instructions?|content|text))?|preamble/,
  /((chat|conversation|dialogue|dialog|message|prompt|prev|previous|past)_)?history/,
  /(past|prev|previous|prior|earlier|preceding)_(messages?|turns?|chat|conversations?|dialogues?|dialogs?|context)/,
  /((chosen|rejected|prompt|response|answer|input|available|retrieved)_)*(tools?|tool_(calls?|schemas?|definitions?|specs?|list|responses?|results?|outputs?)|functions?|function_(calls?|definitions?|schemas?)|observations?|images?|image_(path|url|uri|file|data|bytes|base64)s?|pictures?|pixel_values|videos?|video_(path|url|uri|file)s?|audios?|audio_(path|url|uri|file)s?|speech|attachments?|documents?|docs|passages?|contexts?|messages|conversations?|dialogues?|dialogs?)(_json)?/,
];
/** Names that in a record about the row may as well repeat it. */
const WEAK_NAMES = [
  /background|knowledge|article|few_shot(_examples)?|demonstrations|objects|persona|input|instructions?|prompt|question|query/,
];
const anyOf = (names: readonly RegExp[]) => new RegExp(names.map(({ source }) => `^(${source})$`).join("|"));
const STRONG = anyOf(STRONG_NAMES);
/** Names of fields that a model is meant to read beside prompt and answer. */
const CONTEXT = anyOf([...STRONG_NAMES, ...WEAK_NAMES]);
/** Keys of a message that hold more than its text. */
const MESSAGE_CONTEXT =
  /^(tools?|tool_calls?|tool_call_id|functions?|function_calls?|name|reasoning|reasoning_content|thinking|images?|videos?|audios?|files?|attachments?|documents?|refusal|context)$/;

export const isContextName = (name: string): boolean => CONTEXT.test(normalised(name));
export const isMessageContext = (name: string): boolean => MESSAGE_CONTEXT.test(normalised(name));

/** A list of messages or of tools is context under any name. */
function holdsContext(value: unknown): boolean {
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  if (typeof first !== "object" || first === null) return false;
  const isMessage = ("role" in first && "content" in first) || ("from" in first && "value" in first);
  return isMessage || ("function" in first && typeof first.function === "object");
}

/** The context of a field that the format does not know, and that of the objects in it: `meta.system`. */
function contextsIn({ path, name, value, known }: Field): Omit<Field, "known">[] {
  if (isContextName(name) || (!known && holdsContext(value))) return [{ path, name, value }];
  const inner = known || !isObject(value) ? {} : (value as object);
  return Object.entries(inner).flatMap(([key, item]: [string, unknown]) =>
    isEmpty(item) || !(STRONG.test(normalised(key)) || isObject(item))
      ? []
      : contextsIn({ path: `${path}.${key}`, name: key, value: item, known: false }),
  );
}
const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

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

/** Shorter texts stand in others by chance: "Paris" in an answer says nothing of a system prompt "Paris". */
const TELLING = 20;

/** Whether every text of the value is one of those read, or stands in one of them. */
function isRepeated(value: unknown, read: readonly string[], name: string): boolean {
  const texts = textsOf(value);
  const least = STRONG.test(normalised(name)) || typeof value !== "string" ? TELLING : 0;
  const stands = (text: string) =>
    read.some((known) => known.trim() === text || (text.length >= least && known.includes(text)));
  return texts.length > 0 && texts.every(stands);
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
  forEachField(row, tree, (field) => {
    for (const { path, name, value } of asides.includes(field.path) ? [] : contextsIn(field))
      if ((typeof value === "string" || typeof value === "object") && !isRepeated(value, read, name))
        throw new RowFault(
          "context_not_read",
          `${path}: expected no context beside what the format ${JSON.stringify(format)} reads of this row, got ${typeName(value)}; ` +
            `write it into the prompt, or pass --ignore-fields ${name} to go on without it`,
        );
    if (!field.known) harmless.push(field.path);
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
