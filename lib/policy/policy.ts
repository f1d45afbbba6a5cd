// In: a Hugging Face directory of a causal language model, or a vocabulary and a shape. Out: a policy: what writes answers.
import { elementCount } from "../files/pieces";
import * as tf from "@tensorflow/tfjs-core";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkedPieces } from "../checkpoints/readWeights";
import { requireVerified } from "../checkpoints/verify";
import { InputError } from "../errors";
import { writeDirectoryAtomically } from "../files/directory";
import { readJsonFile } from "../files/json";
import { SINGLE_FILE, streamSafetensors, writeSafetensors, type TensorSource } from "../files/safetensors";
import { isDecoder, parseModelConfig, type ModelConfig } from "../models/config";
import { canonicalName } from "../models/createModel";
import { filledVariable } from "../models/filledVariable";
import { rowPieces } from "../models/halfStorage";
import { createDropout, type Forward } from "../models/layers";
import { llamaShapes } from "../models/llama";
import { createRandom, hashSeed } from "../random";
import { openTokenizer, type Tokenizer } from "../text/tokenizer";
import { readTokenizerFiles } from "../text/tokenizerFiles";
import { wordTokenizerFiles } from "./vocabulary";

/** A causal language model: the trunk of the decoders and a table that turns states into logits. */
export interface Policy {
  readonly config: ModelConfig;
  /** Tensor name, as transformers' …ForCausalLM saves it → variable in Hugging Face orientation. */
  readonly parameters: Map<string, tf.Variable>;
  readonly tokenizer: Tokenizer;
  dispose(): void;
}

/** The output table [V, H]: the embedding's own where the model ties the two. */
const OUTPUT = "lm_head.weight";
export const outputTable = ({ parameters }: Pick<Policy, "parameters">): tf.Variable =>
  (parameters.get(OUTPUT) ?? parameters.get("model.embed_tokens.weight"))!;

/** The policy's parameters as the layers of the models take them. */
export const forwardOf = ({ config, parameters }: Pick<Policy, "config" | "parameters">): Forward => ({
  config,
  parameters,
  lora: null,
  dropout: createDropout(undefined),
  recompute: false,
  fullLastLayer: false,
});

/** Shape of a policy made here. */
export interface PolicyShape {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Longest text, tokens. */
  readonly maxLength: number;
}

/**
 * Writes a Llama of the given shape with random weights and a tokenizer of the texts' own words into a directory.
 *
 * @param texts what the policy is going to read and write
 * @example
 * ```ts
 * const shape = { hiddenSize: 192, layers: 3, heads: 3, maxLength: 128 };
 * await writeFreshPolicy("checkpoints/mine/policy", pairs.map(({ chosen }) => chosen), { shape, seed: 42 });
 * ```
 */
export async function writeFreshPolicy(
  dir: string,
  texts: Iterable<string>,
  { shape, seed }: { readonly shape: PolicyShape; readonly seed: number },
): Promise<void> {
  const { hiddenSize, layers, heads, maxLength } = shape;
  const { files, vocabSize } = wordTokenizerFiles(texts, maxLength);
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: vocabSize,
    hidden_size: hiddenSize,
    intermediate_size: Math.ceil((hiddenSize * 8) / 3 / 32) * 32,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: heads,
    max_position_embeddings: maxLength,
    rms_norm_eps: 1e-6,
    tie_word_embeddings: true,
    initializer_range: 0.02,
    pad_token_id: 0,
    bos_token_id: null,
    eos_token_id: 1,
  };
  const random = (name: string) => createRandom(seed ^ hashSeed(name));
  const weights = [...llamaShapes(parseModelConfig(config, dir))].map(([name, sizes]) => {
    const { normal } = random(name);
    const data = new Float32Array(elementCount(sizes));
    return [name, { shape: sizes, data: data.map(() => (sizes.length === 1 ? 1 : 0.02 * normal())) }] as const;
  });
  await writePolicy(dir, weights, { "config.json": config, ...files });
}

/**
 * Opens a causal language model of the decoder families.
 *
 * @throws InputError for another architecture, a file that is not as it was written, or a tensor that is missing, misshapen or
 * not finite
 * @example
 * ```ts
 * const own = await openPolicy("models/SmolLM2-135M");
 * console.log(own.config.layers);
 * ```
 */
export async function openPolicy(dir: string): Promise<Policy> {
  const path = join(dir, "config.json");
  await requireVerified(dir);
  const json = readJsonFile(path) as { readonly architectures?: readonly string[] };
  const config = parseModelConfig(json, path);
  if (!isDecoder(config) || ![json.architectures].flat().some((name) => String(name).endsWith("ForCausalLM")))
    throw new InputError(
      `${path}: architectures: expected a …ForCausalLM of a decoder family, got ${JSON.stringify(json.architectures ?? null)}; a policy has to write text`,
    );
  const shapes = llamaShapes(config).set(OUTPUT, [config.vocabSize, config.hiddenSize]);
  const parameters = new Map<string, tf.Variable>();
  for await (const [stored, tensor] of streamSafetensors(dir)) {
    const { shape } = tensor;
    const name = canonicalName(config, stored);
    const expected = shapes.get(name);
    if (!expected) continue;
    if (`${expected}` !== `${shape}`)
      throw new InputError(
        `${dir}: ${name}: expected shape [${expected}], got [${shape}]; config.json and the tensors belong to different models`,
      );
    const at = `${dir}: tensor ${JSON.stringify(stored)}`;
    parameters.set(name, await filledVariable(shape, checkedPieces(tensor, { at })));
  }
  const missing = [...shapes.keys()].find((name) => name !== OUTPUT && !parameters.has(name));
  if (missing) throw new InputError(`${dir}: expected the tensor ${missing}, got none; the checkpoint is incomplete`);
  return {
    config,
    parameters,
    tokenizer: openTokenizer(dir, { appendEos: false }),
    dispose: () => parameters.forEach((variable) => variable.dispose()),
  };
}

/**
 * Writes a policy as a Hugging Face directory, with the tokenizer's files of where it came from.
 *
 * @example
 * ```ts
 * await savePolicy(policy, "checkpoints/mine/policy");
 * ```
 */
export async function savePolicy(policy: Policy, dir: string): Promise<void> {
  const { json, config } = readTokenizerFiles(policy.tokenizer.dir);
  const weights = [...policy.parameters].map(
    ([name, variable]) => [name, { shape: variable.shape, pieces: () => rowPieces(variable) }] as const,
  );
  await writePolicy(dir, weights, {
    "config.json": policy.config.raw,
    "tokenizer.json": json,
    "tokenizer_config.json": config,
  });
}

async function writePolicy(
  dir: string,
  weights: Iterable<readonly [string, TensorSource]>,
  files: Readonly<Record<string, object>>,
): Promise<void> {
  await writeDirectoryAtomically(dir, async (temporary) => {
    await writeSafetensors(join(temporary, SINGLE_FILE), weights);
    for (const [name, json] of Object.entries(files))
      await writeFile(join(temporary, name), `${JSON.stringify(json, null, 1)}\n`);
  });
}

/**
 * A copy of a policy's weights as they stand, such as the start that a fine-tuned policy is measured against.
 *
 * @example
 * ```ts
 * const tuned = copyPolicy(policy);
 * await fitAnswers(tuned, [], { steps: 0, batchSize: 8, learningRate: 1e-4, seed: 1 });
 * ```
 */
export function copyPolicy(policy: Policy): Policy {
  const parameters = new Map(
    [...policy.parameters].map(([name, variable]) => [name, tf.tidy(() => tf.variable(tf.add(variable, 0)))]),
  );
  return { ...policy, parameters, dispose: () => parameters.forEach((variable) => variable.dispose()) };
}
