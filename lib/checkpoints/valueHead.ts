// In: a decoder's directory. Out: the value head that another trainer saved there, under the names that it has here.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../errors";
import { openTensors, readSafetensors, type TensorEntry } from "../files/safetensors";
import { readTorchTensors } from "../files/torchTensors";
import { isDecoder, type ModelConfig } from "../models/config";

/** A linear layer on the last token, read whatever that token is: these trainers go by the attention mask. */
export interface ValueHead {
  /** `score.weight` [1, H], and `score.bias` [1] where there is one. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The names it was found under among the model's own tensors. */
  readonly stored: readonly string[];
  /** For messages: whose head it is. */
  readonly origin: string;
}

/** LLaMA-Factory writes the head to a file of its own, beside the model or the adapter. */
const FILES = [
  ["value_head.safetensors", readSafetensors],
  ["value_head.bin", readTorchTensors],
] as const;
/** Module of the head in LLaMA-Factory, and in TRL's models with a value head. */
const SUMMARY = "v_head.summary";
const OPENRLHF = "value_head";

/**
 * Looks for a head of LLaMA-Factory (`v_head.summary`, with a bias) or of OpenRLHF (`value_head.weight`, or the name in
 * `value_head_prefix`; `score.weight` under a configuration of its own). OpenRLHF's normalisation (r − mean) / std is
 * folded into weight and bias.
 *
 * @param dir   of the model, or of the adapter beside which the head lies
 * @param model directory with the model's own tensors
 * @returns null for a transformers classifier, a base model, and an encoder
 * @throws InputError for a head's file without its weight
 * Reference: LLaMA-Factory, src/llamafactory/model/model_utils/valuehead.py; OpenRLHF, openrlhf/models/model.py
 */
export async function findValueHead(dir: string, model: string, config: ModelConfig): Promise<ValueHead | null> {
  if (!isDecoder(config) || config.headBias) return null;
  for (const [name, read] of FILES) {
    const path = join(dir, name);
    if (!existsSync(path)) continue;
    const tensors = await read(path);
    if (!tensors.has(`${SUMMARY}.weight`)) {
      throw new InputError(
        `${path}: expected the tensor ${SUMMARY}.weight, got ${[...tensors.keys()].join(", ") || "none"}; save the head again`,
      );
    }
    return { tensors: underOurNames(tensors, SUMMARY), stored: [], origin: `LLaMA-Factory (${name})` };
  }
  const source = await openTensors(model);
  const module = headModule(source.names, config.raw);
  if (module === null) return null;
  const stored = [`${module}.weight`, `${module}.bias`].filter((name) => source.names.has(name));
  const tensors = underOurNames(
    new Map(await Promise.all(stored.map(async (name) => [name, await source.read(name)] as const))),
    module,
  );
  const origin = module === SUMMARY ? "LLaMA-Factory or TRL (v_head.summary)" : `OpenRLHF (${module})`;
  return { tensors: module === SUMMARY ? tensors : normalised(tensors, config.raw), stored, origin };
}

/** The module that is the head; null where transformers' own `score` or none is there. */
function headModule(names: ReadonlySet<string>, raw: ModelConfig["raw"]): string | null {
  const prefix = typeof raw.value_head_prefix === "string" ? raw.value_head_prefix : null;
  if (prefix !== null && names.has(`${prefix}.weight`)) return prefix;
  if (names.has("score.weight")) return "normalize_reward" in raw ? "score" : null;
  return [SUMMARY, OPENRLHF].find((module) => names.has(`${module}.weight`)) ?? null;
}

const underOurNames = (tensors: ReadonlyMap<string, TensorEntry>, module: string): Map<string, TensorEntry> =>
  new Map(
    ["weight", "bias"].flatMap((part) => {
      const tensor = tensors.get(`${module}.${part}`);
      return tensor ? [[`score.${part}`, tensor] as const] : [];
    }),
  );

function normalised(tensors: Map<string, TensorEntry>, raw: ModelConfig["raw"]): Map<string, TensorEntry> {
  const { normalize_reward: wanted, mean, std } = raw;
  if (wanted !== true || typeof mean !== "number" || typeof std !== "number") return tensors;
  const weight = tensors.get("score.weight")!;
  const bias = tensors.get("score.bias")?.data[0] ?? 0;
  return new Map([
    ["score.weight", { ...weight, data: weight.data.map((value) => value / std) }],
    ["score.bias", { dtype: "F32", shape: [1], data: Float32Array.of((bias - mean) / std) }],
  ]);
}
