// In: an open tokenizer. Out: its files in another directory, changed where Python would otherwise cut, pad or fail differently.
import { copyFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelConfig } from "../models/config";
import type { Tokenizer } from "../text/tokenizer";
import { readTokenizerFiles } from "../text/tokenizerFiles";
import type { RewardbookSettings } from "./settings";

/** Tokenizer files that are copied as they are, and the licence of the model they came with. */
const COPIED =
  /^(vocab\.(txt|json)|merges\.txt|.*\.model|added_tokens\.json|chat_template\.jinja|(LICENSE|NOTICE)(\..*)?)$/;
const ROLES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/** What the tokenizer hands the model: without this, transformers 4 adds segments, which most families refuse. */
export const inputNames = ({ modelType }: ModelConfig): string[] =>
  modelType === "bert" ? ["input_ids", "token_type_ids", "attention_mask"] : ["input_ids", "attention_mask"];

export interface TokenizerOptions {
  readonly settings: Pick<RewardbookSettings, "max_length" | "truncation">;
  /** What it hands the model. */
  readonly inputs: readonly string[];
  /** Jinja source to hold in tokenizer_config.json, too: runtimes that do not look for chat_template.jinja find it there. */
  readonly chatTemplate?: string | null;
  /** Further changes of tokenizer.json, for other runtimes. */
  readonly change?: (json: TokenizerJson) => TokenizerJson;
}
type TokenizerJson = Readonly<Record<string, unknown>>;

/** The tokenizer's files, changed where Python would otherwise cut, pad or fail differently. */
export async function writeTokenizer(
  dir: string,
  tokenizer: Tokenizer,
  { settings, inputs, chatTemplate, change = (json) => json }: TokenizerOptions,
): Promise<void> {
  const { json, config, map } = readTokenizerFiles(tokenizer.dir);
  for (const name of await readdir(tokenizer.dir)) {
    if (COPIED.test(name)) await copyFile(join(tokenizer.dir, name), join(dir, name));
  }
  const changed = change(json.truncation || json.padding ? { ...json, truncation: null, padding: null } : json);
  if (changed !== json) await writeFile(join(dir, "tokenizer.json"), JSON.stringify(changed));
  else await copyFile(join(tokenizer.dir, "tokenizer.json"), join(dir, "tokenizer.json"));
  const tokens = { ...map, ...config };
  const pad = { pad_token: tokens.pad_token ?? tokenizer.padToken };
  await writeJson(join(dir, "tokenizer_config.json"), {
    tokenizer_class: "PreTrainedTokenizerFast",
    model_input_names: inputs,
    ...config,
    ...pad,
    ...(chatTemplate != null && { chat_template: chatTemplate }),
    model_max_length: settings.max_length,
    truncation_side: settings.truncation === "right" ? "right" : "left",
  });
  const roles = Object.fromEntries(ROLES.flatMap((role) => (tokens[role] == null ? [] : [[role, tokens[role]]])));
  await writeJson(join(dir, "special_tokens_map.json"), { ...roles, ...map, ...pad });
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
