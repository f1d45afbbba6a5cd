// In: a reward model, its tokenizer and settings. Out: a Hugging Face directory that Python loads, whole or not at all.
import { copyFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelConfig } from "../models/config";
import { mergedParameters } from "../models/lora";
import { pythonExample } from "./pythonExample";
import { checkpointConfig } from "../models/rewardModel";
import type { Tokenizer } from "../text/tokenizer";
import { readTokenizerFiles } from "../text/tokenizerFiles";
import { writeDirectoryAtomically } from "../files/atomic";
import { padTokenId, type LoadedModel } from "./loadCheckpoint";
import { SINGLE_FILE, writeSafetensors } from "../files/safetensors";
import { SETTINGS_FILE, type RewardbookSettings } from "./settings";

export interface SaveOptions {
  /** The tokenizer's files are copied from the directory it was opened from. */
  readonly loaded: Pick<LoadedModel, "model" | "tokenizer">;
  readonly settings: RewardbookSettings;
  /** README.md; a short one when absent. */
  readonly modelCard?: string;
  readonly dtype?: "F32" | "BF16";
  /** Writes further files (training state) before the manifest. */
  readonly extra?: (dir: string) => Promise<void>;
}

/** Tokenizer files that are copied as they are, and the licence of the model they came with. */
const COPIED =
  /^(vocab\.(txt|json)|merges\.txt|.*\.model|added_tokens\.json|chat_template\.jinja|(LICENSE|NOTICE)(\..*)?)$/;
const ROLES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/**
 * Writes `config.json`, `model.safetensors`, the tokenizer, `README.md`, `rewardbook.json` and the manifest.
 * Low-rank updates are folded into the weights that are written, so that Python needs no adapter.
 * A directory that was there before stays until the new one is complete.
 */
export async function saveRewardModel(dir: string, options: SaveOptions): Promise<void> {
  const {
    loaded: { model, tokenizer },
    extra,
    dtype = "F32",
  } = options;
  const settings = { ...options.settings, append_eos: tokenizer.appendEos };
  await writeDirectoryAtomically(dir, async (temporary) => {
    await writeSafetensors(join(temporary, SINGLE_FILE), mergedParameters(model), { dtype });
    await writeJson(join(temporary, "config.json"), {
      ...checkpointConfig(model.config),
      pad_token_id: padTokenId(model.config, tokenizer),
      [DTYPE_KEY]: dtype === "BF16" ? "bfloat16" : "float32",
    });
    await writeTokenizer(temporary, tokenizer, { settings, inputs: inputNames(model.config) });
    await writeJson(join(temporary, SETTINGS_FILE), settings);
    await writeFile(
      join(temporary, "README.md"),
      options.modelCard ?? shortModelCard(model.config, settings, tokenizer),
    );
    await extra?.(temporary);
  });
}

/** Read by transformers 4 and 5 alike. */
const DTYPE_KEY = "torch_dtype";

/** What the tokenizer hands the model: without this, transformers 4 adds segments, which most families refuse. */
const inputNames = ({ modelType }: ModelConfig): string[] =>
  modelType === "bert" ? ["input_ids", "token_type_ids", "attention_mask"] : ["input_ids", "attention_mask"];

/** The tokenizer's files, changed where Python would otherwise cut, pad or fail differently. */
async function writeTokenizer(
  dir: string,
  tokenizer: Tokenizer,
  { settings, inputs }: { settings: RewardbookSettings; inputs: readonly string[] },
): Promise<void> {
  const { json, config, map } = readTokenizerFiles(tokenizer.dir);
  for (const name of await readdir(tokenizer.dir)) {
    if (COPIED.test(name)) await copyFile(join(tokenizer.dir, name), join(dir, name));
  }
  if (json.truncation || json.padding)
    await writeFile(join(dir, "tokenizer.json"), JSON.stringify({ ...json, truncation: null, padding: null }));
  else await copyFile(join(tokenizer.dir, "tokenizer.json"), join(dir, "tokenizer.json"));
  const tokens = { ...map, ...config };
  const pad = { pad_token: tokens.pad_token ?? tokenizer.padToken };
  await writeJson(join(dir, "tokenizer_config.json"), {
    tokenizer_class: "PreTrainedTokenizerFast",
    model_input_names: inputs,
    ...config,
    ...pad,
    model_max_length: settings.max_length,
    truncation_side: settings.truncation === "right" ? "right" : "left",
  });
  const roles = Object.fromEntries(ROLES.flatMap((role) => (tokens[role] == null ? [] : [[role, tokens[role]]])));
  await writeJson(join(dir, "special_tokens_map.json"), { ...roles, ...map, ...pad });
}

function shortModelCard(model: ModelConfig, settings: RewardbookSettings, tokenizer: Tokenizer): string {
  return (
    `---\nlibrary_name: transformers\npipeline_tag: text-classification\ntags: [reward-model, ` +
    `rewardbook]\n---\n# Reward model\n\n` +
    `Gives one number for a prompt and an answer; only differences between answers to one prompt mean something.\n\n` +
    "```python\n" +
    pythonExample({ model, settings, tokenizer }) +
    "\n```\n"
  );
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
