// In: a Hugging Face directory. Out: a reward model with its tokenizer and settings.
import { existsSync, readdirSync, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { initBackend } from "../engine/backend";
import { checkMemory } from "../engine/memory";
import { InputError } from "../errors";
import { longWork, type LongWorkOptions } from "../longWork";
import { HEADS, isDecoder, parseModelConfig, type HeadKind, type ModelConfig } from "../models/config";
import { bringsEmbeddings, readAdapter } from "./adapter";
import { mergeLora } from "../models/lora";
import { wordTable } from "../models/families";
import { streamRewardModel } from "../models/createModel";
import { parameterShapes, type RewardModel } from "../models/rewardModel";
import { CHAT_TEMPLATE, DEFAULT_TEMPLATE } from "../text/template";
import { openTokenizer, type Tokenizer } from "../text/tokenizer";
import { recoverDirectory } from "../files/directory";
import { findModel } from "./findModel";
import { INDEX_FILE, openTensors, SINGLE_FILE } from "../files/safetensors";
import { readJsonFile } from "../files/json";
import { elementCount } from "../files/pieces";
import { requireVerified } from "./verify";
import { isStandardHead } from "../models/heads";
import { readWeights, weightsFile, type WeightStorage } from "./readWeights";
import { readSettings, type RewardbookSettings } from "./settings";
import { findValueHead } from "./valueHead";

export interface LoadedModel {
  readonly model: RewardModel;
  readonly tokenizer: Tokenizer;
  readonly settings: RewardbookSettings;
  readonly dir: string;
  /** The trainer whose value head was found, for messages; absent for a head of transformers' kind. */
  readonly headOrigin?: string;
  /** Whether a rewardbook.json says how texts are made; else template and lengths are assumed. */
  readonly settingsWritten?: boolean;
}

export interface LoadOptions extends LongWorkOptions {
  /**
   * `bf16` keeps the trunk's matrices in half the memory, for scoring in bf16; `as-stored` those that the file has in bf16, so that
   * nothing is lost when a model whose head or adapter was trained is saved. Default f32.
   */
  readonly storage?: WeightStorage;
  /** Leaves the table of word embeddings in its file, which scoring reads as texts need it: such a model cannot be trained or saved. */
  readonly tableOnFile?: boolean;
  /** Seed of a fresh head. */
  readonly seed?: number;
  /** Another head than the configuration names. */
  readonly head?: HeadKind;
  /** Takes the place of what the checkpoint says. */
  readonly settings?: Partial<RewardbookSettings>;
  /** Directory beside whose model or adapter a value head of its own file lies; the model's own when absent. */
  readonly headBeside?: string;
}

const DEFAULT_MAX_LENGTH = 512;

/**
 * Loads a reward model, or a base model under a fresh head, from a Hugging Face directory. The weights are read one tensor at a time.
 *
 * @throws InputError for a missing directory or file, a model of another kind, pickled weights, a tensor that is missing, misshapen or not finite
 * @example
 * ```ts
 * const own = await loadRewardModel("checkpoints/mine/best");
 * console.log(await scoreTexts(own, [{ prompt: "2 + 2?", response: "4" }]));
 * own.model.dispose();
 * ```
 */
export async function loadRewardModel(dir: string, options: LoadOptions = {}): Promise<LoadedModel> {
  await initBackend();
  await recoverDirectory(dir);
  await requireVerified(dir);
  if (isAdapter(dir)) return loadAdapted(dir, options);
  const base = await readConfig(dir);
  refusePickle(dir);
  const valueHead = await findValueHead(options.headBeside ?? dir, dir, base);
  const config = valueHead?.tensors.has("score.bias") ? { ...base, head: "value" as const, headBias: true } : base;
  const written = readSettings(dir);
  const tokenizer = openTokenizer(dir, {
    appendEos: options.settings?.append_eos ?? written?.append_eos,
    unreadId: valueHead ? null : await unreadToken(dir, { ...config, head: options.head ?? config.head }, options),
  });
  checkVocabulary(dir, tokenizer, config);
  const settings = {
    ...(written ?? defaultSettings(config, tokenizer)),
    ...options.settings,
    append_eos: tokenizer.appendEos,
  };
  const positions = textPositions(config);
  if (settings.max_length > positions) {
    throw new InputError(
      `${dir}: max_length: expected at most the model's ${positions} positions, got ${settings.max_length}; lower it`,
    );
  }
  checkMemory(`the weights of ${dir}`, weightsNeed(config, options));
  const what = { label: `loading ${basename(dir)}`, unit: "MB" };
  const { storage, tableOnFile } = options;
  const model = await longWork(what, options, (watch) =>
    streamRewardModel(config, readWeights({ dir, config, storage, valueHead, tableOnFile, watch }), {
      ...options,
      where: valueHead ? dir : weightsFile(dir),
    }),
  );
  return { model, tokenizer, settings, dir, headOrigin: valueHead?.origin, settingsWritten: written !== null };
}

function checkVocabulary(dir: string, tokenizer: Tokenizer, config: ModelConfig): void {
  if (tokenizer.vocabSize <= config.vocabSize) return;
  throw new InputError(
    `${join(dir, "tokenizer.json")}: expected a tokenizer of at most ${config.vocabSize} tokens (the model's vocab_size), ` +
      `got ${tokenizer.vocabSize}; take the tokenizer the model came with`,
  );
}

/**
 * The token that does not count at a text's end. Only transformers' heads for decoders have one: config.json's
 * `pad_token_id`, or none. A head that is to be trained gets the tokenizer's padding (undefined), as it is saved with it.
 */
async function unreadToken(
  dir: string,
  config: ModelConfig,
  { headBeside, settings }: LoadOptions,
): Promise<number | null | undefined> {
  if (!isStandardHead(config) || !isDecoder(config)) return null;
  // an adapter that was made here was trained with the tokenizer's padding, another's with its base's
  const brought = headBeside !== undefined && settings?.run_id === undefined;
  if (!brought && !(await openTensors(dir)).names.has("score.weight")) return undefined;
  const { pad_token_id: pad } = config.raw;
  return typeof pad === "number" && pad >= 0 ? pad : null;
}

/** The weights in memory, a quarter of them again while they are copied to the backend. */
function weightsNeed(config: ModelConfig, { storage, tableOnFile = false }: LoadOptions) {
  let numbers = 0;
  for (const [name, shape] of parameterShapes(config))
    if (!tableOnFile || name !== wordTable(config)) numbers += elementCount(shape);
  const bytes = numbers * (storage === undefined || storage === "f32" ? 4 : 2);
  return { free: bytes, addresses: 1.25 * bytes };
}

const ADAPTER_CONFIG = "adapter_config.json";

const isAdapter = (dir: string): boolean =>
  existsSync(join(dir, ADAPTER_CONFIG)) && !existsSync(join(dir, "config.json"));

/** A PEFT adapter on the base model it names, folded into its weights; the trunk stays where it is. */
async function loadAdapted(dir: string, options: LoadOptions): Promise<LoadedModel> {
  const path = join(dir, ADAPTER_CONFIG);
  const { base_model_name_or_path: base, rewardbook_head: head } = readJsonFile(path) as Record<string, unknown>;
  if (typeof base !== "string") {
    throw new InputError(
      `${path}: base_model_name_or_path: expected the base model's name or path, got ${JSON.stringify(base)}; ` +
        "write it there",
    );
  }
  const written = readSettings(dir);
  const directory = findModel(base);
  const loaded = await loadRewardModel(directory, {
    head: HEADS.find((kind) => kind === head), // a head that transformers does not know is named by the adapter
    ...options,
    settings: { ...written, ...options.settings },
    headBeside: dir,
    tableOnFile: options.tableOnFile && !(await bringsEmbeddings(dir)),
  });
  await readAdapter(dir, loaded.model);
  if (loaded.model.lora) mergeLora(loaded.model);
  return { ...loaded, dir, settingsWritten: written !== null || loaded.settingsWritten };
}

function defaultSettings(config: ModelConfig, tokenizer: Tokenizer): RewardbookSettings {
  return {
    template: tokenizer.chatTemplate ? CHAT_TEMPLATE : DEFAULT_TEMPLATE,
    max_length: Math.min(DEFAULT_MAX_LENGTH, textPositions(config)),
    truncation: "right",
  };
}

/** Longest text a model can read, tokens: RoBERTa's positions begin behind its padding id. */
export function textPositions(config: ModelConfig): number {
  return config.modelType.endsWith("roberta") ? config.maxPositions - config.padTokenId - 1 : config.maxPositions;
}

/**
 * The padding id Python must know. An encoder's belongs to its embeddings. A decoder's is the token that does not count
 * at a text's end; where all count, the padding token, unless it may end a text itself: then none, and Python's batches
 * hold one text.
 */
export function padTokenId(config: ModelConfig, { padId, eosId, unreadId }: Tokenizer): number | null {
  if (!isDecoder(config)) return config.padTokenId;
  return unreadId ?? (padId === eosId && isStandardHead(config) ? null : padId);
}

async function readConfig(dir: string): Promise<ModelConfig> {
  const info = await stat(dir).catch(() => null);
  refuseOnnx(dir, info);
  if (!info?.isDirectory()) {
    throw new InputError(
      `${dir}: expected a model directory, got ${info ? "a file" : "nothing of that name"}; ` +
        "give the path of a Hugging Face directory, or fetch one: rewardbook pull NAME",
    );
  }
  const path = join(dir, "config.json");
  if (!existsSync(path)) {
    throw new InputError(
      `${path}: expected the model's configuration, got no such file; ` +
        "it gets written by rewardbook train, rewardbook pull and transformers' save_pretrained",
    );
  }
  return parseModelConfig(readJsonFile(path), path);
}

const PICKLES = ["pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "model.pth"] as const;

function refusePickle(dir: string): void {
  if ([SINGLE_FILE, INDEX_FILE].some((name) => existsSync(join(dir, name)))) return;
  const pickled = PICKLES.find((name) => existsSync(join(dir, name)));
  if (!pickled) {
    throw new InputError(
      `${dir}: expected ${SINGLE_FILE} or ${INDEX_FILE}, got neither; ` +
        "save the model with transformers' save_pretrained, or fetch it again",
    );
  }
  throw new InputError(
    `${join(dir, pickled)}: expected safetensors weights, got a Python pickle, ` +
      "which can run any code when it is opened; if you trust it, convert it in Python: " +
      `AutoModelForSequenceClassification.from_pretrained(${JSON.stringify(dir)}).save_pretrained(${JSON.stringify(dir)}, safe_serialization=True)`,
  );
}

/** Refuses what holds a model that was exported, by `rewardbook export`, optimum or another, and none to load. */
function refuseOnnx(path: string, info: Stats | null): void {
  const onnx = join(path, "onnx");
  const names = !info?.isDirectory()
    ? [path]
    : [path, onnx].flatMap((dir) => (existsSync(dir) ? readdirSync(dir) : []));
  const loadable = [SINGLE_FILE, INDEX_FILE, ...PICKLES].some((name) => existsSync(join(path, name)));
  if (info && !loadable && names.some((name) => /\.onnx(_data)?$/.test(name)))
    throw new InputError(
      `${path}: expected ${SINGLE_FILE}, got a model in ONNX, whose weights are laid out for running it; ` +
        "give the checkpoint it was exported from, or run it with Transformers.js",
    );
}
