// In: any model directory. Out: what it is, and everything that is wrong with it, without loading it.
import { elementCount } from "../files/pieces";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../errors";
import { findDamage, MANIFEST, type Damage } from "../files/atomic";
import { readJsonFile } from "../files/json";
import { openSafetensors, streamSafetensors } from "../files/safetensors";
import { parseModelConfig, type ModelConfig } from "../models/config";
import { canonicalName } from "../models/createModel";
import { headShapes, outputModule } from "../models/heads";
import { parameterShapes } from "../models/rewardModel";
import { openTokenizer } from "../text/tokenizer";
import { isEnsemble, memberDirectory, readEnsemble, readHeads, type EnsembleFile } from "./ensemble";
import { checkFinite } from "../files/finite";
import { readSettings } from "./settings";

export interface Inspection {
  readonly dir: string;
  readonly ok: boolean;
  /** What is wrong, each with its file. */
  readonly problems: readonly string[];
  /** Whether there is a manifest, and the files match it. */
  readonly manifest: "matches" | "differs" | "none";
  readonly model_type: string | null;
  readonly tensors: number;
  readonly parameters: number;
  /** Whether the tensors of the reward head are there. */
  readonly head: "complete" | "incomplete" | "none";
  /** Tensors that the model does not use. */
  readonly unused: readonly string[];
  /** Tokens of the tokenizer. */
  readonly tokens: number | null;
}

/**
 * Checks manifest, configuration, weights against it (names, shapes, finite numbers), tokenizer and settings; of an ensemble
 * every member, of an export in ONNX its checksums and tokenizer.
 */
export async function inspectCheckpoint(dir: string): Promise<Inspection> {
  const ensemble = isEnsemble(dir) ? await ensembleOf(dir) : null;
  if (ensemble === null) return inspectOne(dir);
  return ensemble.kind === "heads" ? inspectHeads(dir, ensemble) : inspectMembers(dir, ensemble);
}

/** Null where it does not say which members it has: it is then judged by what it lacks. */
const ensembleOf = (dir: string): Promise<EnsembleFile | null> =>
  readEnsemble(dir).catch((error: unknown) => {
    if (error instanceof InputError) return null;
    throw error;
  });

/** One model with several heads. */
async function inspectHeads(dir: string, ensemble: EnsembleFile): Promise<Inspection> {
  const model = await inspectOne(dir);
  const problems = [...model.problems];
  try {
    for (const head of await readHeads(dir, ensemble))
      for (const [name, { data }] of head) checkFinite(data, `${dir}: head ${name}`);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.push(error.message);
  }
  return { ...model, problems, ok: problems.length === 0 };
}

/** A model a folder: their problems together, and what they hold. */
async function inspectMembers(dir: string, { members }: EnsembleFile): Promise<Inspection> {
  const all: Inspection[] = [];
  for (const member of members) all.push(await inspectOne(memberDirectory(dir, member)));
  const damage = existsSync(join(dir, MANIFEST)) ? await findDamage(dir) : undefined;
  const own = damage ? [differing(dir, damage)] : [];
  const problems = [...own, ...all.flatMap((one) => one.problems)];
  const sum = (count: (one: Inspection) => number): number => all.reduce((total, one) => total + count(one), 0);
  return {
    ...all[0],
    dir,
    problems,
    ok: problems.length === 0,
    manifest: stateOf(damage),
    tensors: sum((one) => one.tensors),
    parameters: sum((one) => one.parameters),
    head: all.find((one) => one.head !== "complete")?.head ?? "complete",
    unused: all.flatMap((one) => one.unused),
  };
}

const differing = (dir: string, damage: Damage): string =>
  `${join(dir, damage.file)}: differs from the manifest: ${damage.why}`;
const stateOf = (damage: Damage | null | undefined): Inspection["manifest"] =>
  damage === undefined ? "none" : damage === null ? "matches" : "differs";

async function inspectOne(dir: string): Promise<Inspection> {
  const problems: string[] = [];
  const attempt = async <T>(work: () => T | Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(error.message);
      return null;
    }
  };
  const damage = existsSync(join(dir, MANIFEST)) ? await findDamage(dir) : undefined;
  if (damage) problems.push(differing(dir, damage));
  const adapter = existsSync(join(dir, "adapter_config.json")) && !existsSync(join(dir, "config.json"));
  const weights = adapter
    ? await attempt(() => inspectAdapter(dir))
    : await attempt(() => inspectModel(dir, (text) => problems.push(text)));
  await attempt(() => readSettings(dir));
  const tokenizer =
    adapter && !existsSync(join(dir, "tokenizer.json")) ? null : await attempt(() => openTokenizer(dir));
  const vocabulary = weights?.config?.vocabSize ?? Infinity;
  if (tokenizer && tokenizer.vocabSize > vocabulary)
    problems.push(
      `${join(dir, "tokenizer.json")}: expected at most ${vocabulary} tokens (vocab_size), got ${tokenizer.vocabSize}`,
    );
  return {
    dir,
    ok: problems.length === 0,
    problems,
    manifest: stateOf(damage),
    model_type: weights?.config?.modelType ?? null,
    tensors: weights?.tensors ?? 0,
    parameters: weights?.parameters ?? 0,
    head: weights?.head ?? "none",
    unused: weights?.unused ?? [],
    tokens: tokenizer?.vocabSize ?? null,
  };
}

interface Weights {
  readonly config: ModelConfig | null;
  readonly tensors: number;
  readonly parameters: number;
  readonly head: Inspection["head"];
  readonly unused: readonly string[];
}

async function inspectModel(dir: string, problem: (text: string) => void): Promise<Weights> {
  const path = join(dir, "config.json");
  const config = parseModelConfig(readJsonFile(path), path);
  const [expected, head] = [parameterShapes(config), headShapes(config)];
  // What ONNX holds is the runtime's own: the checksums say whether it is as it was written.
  if (existsSync(join(dir, "onnx")) && !(await readdir(dir)).some((name) => name.endsWith(".safetensors")))
    return { config, tensors: 0, parameters: 0, head: "complete", unused: [] };
  const found = new Set<string>();
  const unused: string[] = [];
  let [tensors, parameters] = [0, 0];
  for await (const [stored, { shape, pieces }] of streamSafetensors(dir)) {
    const name = canonicalName(config, stored);
    const wanted = expected.get(name);
    tensors++;
    if (!wanted) {
      unused.push(stored);
      continue;
    }
    found.add(name);
    if (String(wanted) !== String(shape)) problem(`${dir}: ${stored}: expected shape [${wanted}], got [${shape}]`);
    let read = 0;
    let sound = true;
    for await (const piece of pieces()) {
      const wrong: number = sound ? piece.findIndex((value) => value - value !== 0) : -1;
      if (wrong >= 0)
        problem(`${dir}: ${stored}: expected finite numbers, got ${piece[wrong]} at position ${read + wrong}`);
      sound &&= wrong < 0;
      read += piece.length;
    }
    parameters += read;
  }
  const missing = [...expected.keys()].filter((name) => !found.has(name));
  // a base model has a pooler, perhaps, and no output layer: a fresh head is put on it
  const headless = ["weight", "bias"].every((part) => !found.has(`${outputModule(config)}.${part}`));
  const needed = missing.filter((name) => !headless || !head.has(name));
  for (const name of needed) problem(`${dir}: ${name}: expected this tensor of a ${config.modelType}, got none`);
  const state = headless ? "none" : needed.some((name) => head.has(name)) ? "incomplete" : "complete";
  return { config, tensors, parameters, head: state, unused };
}

/** An adapter's own file; its base is a model of its own. */
async function inspectAdapter(dir: string): Promise<Weights> {
  readJsonFile(join(dir, "adapter_config.json"));
  const file = await openSafetensors(join(dir, "adapter_model.safetensors"));
  try {
    let parameters = 0;
    for (const { shape } of file.tensors.values()) parameters += elementCount(shape);
    const names = [...file.tensors.keys()];
    const head = names.some((name) => /score|classifier/.test(name)) ? "complete" : "none";
    return { config: null, tensors: names.length, parameters, head, unused: [] };
  } finally {
    await file.close();
  }
}
