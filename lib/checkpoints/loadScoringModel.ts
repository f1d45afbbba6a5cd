// In: a checkpoint to score with, and what the caller says of its texts. Out: the model with its trained head, or why not.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../errors";
import { messagesOf } from "../longWork";
import type { RewardModel } from "../models/rewardModel";
import { CHAT_TEMPLATE } from "../text/template";
import { isEnsemble } from "./ensemble";
import { loadRewardModel, textPositions, type LoadedModel, type LoadOptions } from "./loadCheckpoint";
import { SETTINGS_FILE, type RewardbookSettings } from "./settings";

/** How texts are made where the caller knows better than the checkpoint, or the checkpoint does not say. */
export type TextSettings = Partial<Pick<RewardbookSettings, "template" | "max_length" | "truncation">>;

export interface ScoringModelOptions extends Pick<LoadOptions, "storage" | "quiet" | "tableOnFile"> {
  readonly text?: TextSettings;
  /** The directory is an ensemble's, and the caller knows. */
  readonly member?: boolean;
  /** Takes a sentence about what was found, assumed or left unused; without it a notebook shows it. */
  readonly onMessage?: (text: string) => void;
}

/** Tensors of a base model that no head reads: output layers over the vocabulary, and poolers. */
const EXPECTED = /(^|\.)(lm_head|cls|vocab_transform|vocab_layer_norm|vocab_projector|pooler)\./;
const NAMED = 8;

/**
 * Loads a reward model for scoring.
 *
 * @throws InputError when any tensor of its head is missing: a fresh one gives scores without meaning
 */
export async function loadScoringModel(dir: string, options: ScoringModelOptions = {}): Promise<LoadedModel> {
  const { text = {}, storage, quiet, tableOnFile } = options;
  const onMessage = messagesOf(options);
  if (isEnsemble(dir) && !existsSync(join(dir, "config.json")))
    throw new InputError(
      `${dir}: expected one model, got an ensemble of several; score, evaluate, rerank and compare read it, and each of its folders is a model`,
    );
  const given = Object.fromEntries(Object.entries(text).filter(([, value]) => value !== undefined));
  const loaded = await loadRewardModel(dir, { storage, quiet, tableOnFile, settings: given });
  const { model } = loaded;
  if (model.freshHead) {
    model.dispose();
    throw new InputError(
      `${dir}: expected a reward model with its trained head, got none of ${model.fresh.join(", ")}` +
        `${model.dropped.length > 0 ? ` (not used: ${listed(model.dropped)})` : ""}; ` +
        "a fresh head gives scores without meaning: train one with rewardbook train --model, or give the directory that has the head",
    );
  }
  if (isEnsemble(dir) && !options.member)
    onMessage(`${dir}: warning: an ensemble is read as the one model that is best alone`);
  for (const note of notesOn(loaded)) onMessage(`${dir}: ${note}`);
  return loaded;
}

function notesOn({ model, settings, headOrigin, settingsWritten }: LoadedModel): string[] {
  const unused = model.dropped.filter((name) => !EXPECTED.test(name));
  const { template, max_length, truncation } = settings;
  const how = template === CHAT_TEMPLATE ? "the tokenizer's chat template" : `the template ${JSON.stringify(template)}`;
  return [
    ...(headOrigin ? [`the head is of ${headOrigin}: a linear layer on the last token`] : []),
    ...(unused.length > 0 ? [`warning: tensors that are not used: ${listed(unused)}`] : []),
    ...(settingsWritten
      ? []
      : [
          `no ${SETTINGS_FILE}: texts are made with ${how}, at most ${max_length} of ${positions(model)} tokens, cut ${truncation} ` +
            "(--template, --max-length, --truncation say otherwise)",
        ]),
  ];
}

const positions = ({ config }: RewardModel): number => textPositions(config);
const listed = (names: readonly string[]): string =>
  names.slice(0, NAMED).join(", ") + (names.length > NAMED ? ` and ${names.length - NAMED} more` : "");
