// In: how texts are made and cut. Out: lines of Python whose `encode(prompt, response)` gives the same token ids.
import { CHAT_TEMPLATE } from "../text/template";
import { FIXED_DATE, fixedClock } from "../text/chatTemplate";
import type { Tokenizer } from "../text/tokenizer";
import type { RewardbookSettings } from "./settings";

export type PythonTokenizer = Pick<
  Tokenizer,
  "appendEos" | "frame" | "chatTemplate" | "plainSpecials" | "specialTexts"
>;
export type PythonTexts = Pick<RewardbookSettings, "template" | "max_length"> & { readonly truncation?: string };

export interface PythonTokens {
  readonly imports: readonly string[];
  /** Lines that make `tokenizer`. */
  readonly load: readonly string[];
  /** Lines that define `encode`. */
  readonly define: readonly string[];
}

/**
 * The tokenizer as transformers has it does where it does the same: a template that ends with the answer and names no
 * special token, cut at one end. Everything else (chats, special tokens in templates, cutting the prompt first, vocabularies
 * whose pieces spell special tokens) takes the engine itself, with special tokens under secret names.
 *
 * @param dir where the tokenizer lies, as an expression of Python
 */
export function pythonTokens(settings: PythonTexts, tokenizer: PythonTokenizer, dir: string): PythonTokens {
  const { template, truncation } = settings;
  const simple =
    template !== CHAT_TEMPLATE &&
    template.endsWith("{response}") &&
    truncation !== "prompt-first" &&
    tokenizer.plainSpecials &&
    !tokenizer.specialTexts.some((text) => template.includes(text));
  return simple ? simpleTokens(settings, tokenizer, dir) : engineTokens(settings, tokenizer, dir);
}

/** The template as a Python list of its parts; nothing in a prompt can be taken for a placeholder. */
const pieces = (template: string): string[] =>
  template
    .split(/(\{prompt\}|\{response\})/)
    .filter((part) => part !== "")
    .map((part) => (part === "{prompt}" ? "prompt" : part === "{response}" ? "response" : pythonString(part)));

/** JSON's escapes are Python's, but for surrogates: Python's source takes the characters themselves. */
export const pythonString = (text: string): string => JSON.stringify(text).replaceAll("\u007f", "\\u007f");

function simpleTokens(
  { template, max_length }: PythonTexts,
  { appendEos, frame }: PythonTokenizer,
  dir: string,
): PythonTokens {
  const length = appendEos ? max_length - 1 : max_length;
  const empty = !appendEos && frame.head + frame.tail === 0 ? " or [tokenizer.pad_token_id]" : "";
  const eos = appendEos ? " + [tokenizer.eos_token_id]" : "";
  return {
    imports: [],
    // special tokens that a prompt or an answer spells stay text
    load: [`tokenizer = AutoTokenizer.from_pretrained(${dir}, split_special_tokens=True)`],
    define: [
      "def encode(prompt, response):",
      `    text = ${pieces(template).join(" + ")}`,
      `    return tokenizer(text, truncation=True, max_length=${length})["input_ids"]${eos}${empty}`,
    ],
  };
}

/** Special tokens under secret names, as in lib/text/specialTokens.ts. */
const engineLines = (dir: string): string[] => [
  "# Special tokens go by secret names, so that what a prompt or an answer spells stays text.",
  `spec, nonce = json.load(open(${dir} + "/tokenizer.json", encoding="utf-8")), secrets.token_hex(8)`,
  'special = [t for t in spec["added_tokens"] if t["special"] and t["content"]]',
  'names = [t["content"] for t in special]',
  'secret = {name: f"{nonce}x{i}x" for i, name in enumerate(names)}',
  'for t in special: t["content"] = secret[t["content"]]',
  'lm = spec["model"]',
  'lm["vocab"] = {secret.get(k, k): v for k, v in lm["vocab"].items()} if isinstance(lm["vocab"], dict) else [[secret.get(k, k), v] for k, v in lm["vocab"]]',
  'pairs = [(m, m.split(" ") if isinstance(m, str) else m) for m in lm.get("merges") or []]',
  'if "merges" in lm: lm["merges"] = [m for m, (a, b) in pairs if not {a, b, a + b} & set(secret)]',
  'if lm.get("unk_token"): lm["unk_token"] = secret.get(lm["unk_token"], lm["unk_token"])',
  'engine = Tokenizer.from_str(json.dumps({**spec, "truncation": None, "padding": None}))',
  'find = re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))) or "(?!)")',
  "arm = lambda text: find.sub(lambda m: secret[m[0]], text)",
];

/** Where prompt and answer lie in a rendered chat, learnt from a second rendering, as in lib/text/renderChat.ts. */
const CHAT_PARTS = [
  'hide = lambda text: find.sub(lambda m: f"{nonce}y{names.index(m[0])}y", text)',
  'reveal = lambda text: re.sub(f"{nonce}y(\\\\d+)y", lambda m: names[int(m[1])], arm(text))',
  "",
  "def parts_of(prompt, response):",
  '    prompt = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]',
  '    chat = [{"role": hide(m["role"]), "content": hide(m["content"])} for m in prompt + [{"role": "assistant", "content": response}]]',
  `    render = lambda chat: tokenizer.apply_chat_template(chat, tokenize=False, date_string=${pythonString(FIXED_DATE)})`,
  '    text, mark, n = render(chat), "rewardbookMark{}x".format, len(chat) - 1',
  '    before, tail = (render([{**m, "content": mark(i)} for i, m in enumerate(chat)]).split(mark(n)) + [""])[:2]',
  "    first, gap = before.split(mark(0))[0], before.split(mark(n - 1))[-1]",
  '    answer = next((a for a in (chat[-1]["content"], chat[-1]["content"].strip()) if text.endswith(a + tail)), "")',
  "    d = len(text) - len(tail) - len(answer)",
  "    a = len(first) if text.startswith(first) else 0",
  "    c = d - len(gap) if text[a:d].endswith(gap) else d",
  '    parts = [("template", text[:a]), ("prompt", text[a:c]), ("template", text[c:d]), ("response", answer), ("template", text[d + len(answer):])]',
  '    return [(of, reveal(part)) for of, part in parts if part or of != "template"]',
];

function plainParts(template: string): string[] {
  const parts = pieces(template).map((part) =>
    part === "prompt"
      ? '("prompt", prompt)'
      : part === "response"
        ? '("response", response)'
        : `("template", arm(${part}))`,
  );
  return ["", "def parts_of(prompt, response):", `    return [${parts.join(", ")}]`];
}

/** Cuts as lib/text/truncate.ts does. */
const cutLines = (truncation: string): string[] => [
  "    excess, cuts = len(ids) - LENGTH, []",
  "    if excess <= 0: return ids",
  "    def span(name):",
  "        start, k = 0, HEAD",
  "        for of, part in parts:",
  "            stop = start + len(part)",
  "            i = next((i for i in range(k, end) if offsets[i][0] >= start), end)",
  "            j = next((j for j in range(i, end) if offsets[j][1] > stop), end)",
  "            if of == name: return i, j",
  "            start, k = stop, j",
  "        return HEAD, HEAD",
  '    lead = {t["id"] for t in special}',
  "    head = next((i for i in range(HEAD, end) if ids[i] not in lead), end)",
  '    body = end if parts[-1][0] == "response" else max(head, span("response")[1])',
  ...(truncation === "prompt-first"
    ? [
        '    for a, b in (span("prompt"), span("response")):',
        "        n = max(0, min(excess, b - a))",
        "        cuts, excess = cuts + [(a, a + n)], excess - n",
        "    if excess > 0: cuts = [(head, head + len(ids) - LENGTH)]",
      ]
    : [`    cuts = [${truncation === "left" ? "(head, head + excess)" : "(body - excess, body)"}]`]),
  "    return [t for i, t in enumerate(ids) if not any(a <= i < b for a, b in cuts)]",
];

function engineTokens(settings: PythonTexts, tokenizer: PythonTokenizer, dir: string): PythonTokens {
  const { template, max_length, truncation = "right" } = settings;
  const chat = template === CHAT_TEMPLATE;
  const { head, tail } = chat ? { head: 0, tail: 0 } : tokenizer.frame;
  const appendEos = !chat && tokenizer.appendEos;
  const clock = chat ? fixedClock(tokenizer.chatTemplate ?? "") : "";
  return {
    imports: ["import json, re, secrets", "from tokenizers import Tokenizer"],
    load: [
      `tokenizer = AutoTokenizer.from_pretrained(${dir})`,
      ...(clock
        ? [`tokenizer.chat_template = ${pythonString(clock)} + tokenizer.chat_template  # no score depends on the day`]
        : []),
    ],
    define: [
      ...engineLines(dir),
      ...(chat ? CHAT_PARTS : plainParts(template)),
      "",
      "def encode(prompt, response):",
      "    parts = parts_of(prompt, response)",
      `    read = engine.encode("".join(part for _, part in parts), add_special_tokens=${chat ? "False" : "True"})`,
      `    ids, offsets, HEAD, LENGTH = read.ids${appendEos ? " + [tokenizer.eos_token_id]" : ""}, read.offsets, ${head}, ${max_length}`,
      "    if not ids: return [tokenizer.pad_token_id]",
      `    end = len(ids) - ${tail + (appendEos ? 1 : 0)}`,
      ...cutLines(truncation),
    ],
  };
}
