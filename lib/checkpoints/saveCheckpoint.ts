// In: a reward model, its tokenizer and settings. Out: a Hugging Face directory that Python loads, whole or not at all.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelConfig } from "../models/config";
import { mergedParameters } from "../models/lora";
import { pythonExample } from "./pythonExample";
import { checkpointConfig } from "../models/rewardModel";
import type { Tokenizer } from "../text/tokenizer";
import { writeDirectoryAtomically } from "../files/directory";
import { padTokenId, type LoadedModel } from "./loadCheckpoint";
import { SINGLE_FILE, writeSafetensors } from "../files/safetensors";
import { inputNames, writeTokenizer } from "./saveTokenizer";
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

/**
 * Writes `config.json`, `model.safetensors`, the tokenizer, `README.md`, `rewardbook.json` and the manifest.
 * Low-rank updates are folded into the weights that are written, so that Python needs no adapter.
 * A directory that was there before stays until the new one is complete.
 *
 * @example
 * ```ts
 * const settings = { template: "{prompt} {response}", max_length: 512, truncation: "right" } as const;
 * await saveRewardModel("checkpoints/copy", { loaded, settings });
 * ```
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
