// Low-rank updates against Python's peft 0.21.2 (goldens adapter_* of tests/goldens/models.py) and against their definition.

import * as tf from "@tensorflow/tfjs-core";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { readAdapter, writeAdapter } from "../../lib/checkpoints/adapter";
import { trainableNames } from "../../lib/models/freeze";
import { attachLora, loraParameters, mergedParameters, mergeLora, unmergeLora } from "../../lib/models/lora";
import { scoreInputs, type RewardModel } from "../../lib/models/rewardModel";
import { readSafetensors } from "../../lib/files/safetensors";
import { excess, inputsOf, joined, modelOf, readGolden } from "./golden";

const GOLDENS = join(__dirname, "../goldens/models");
const scratch = mkdtempSync(join(tmpdir(), "rewardbook-lora-"));

beforeAll(async () => {
  await initBackend();
});
afterAll(() => rmSync(scratch, { recursive: true }));

const scores = (model: RewardModel, options = {}) => [
  ...tf.tidy(() => scoreInputs(model, inputsOf(readGolden("bert").right), options).dataSync()),
];

/** Random values in every low-rank matrix: B starts at zero and would hide mistakes. */
function shake(model: RewardModel): void {
  let seed = 1;
  for (const variable of loraParameters(model).values())
    tf.tidy(() => variable.assign(tf.randomNormal(variable.shape, 0, 0.3, "float32", seed++)));
}

describe.each(["bert", "llama3"])("adapter of peft on %s", (name) => {
  const dir = join(GOLDENS, `adapter_${name}`);
  const expected = JSON.parse(readFileSync(join(dir, "scores.json"), "utf8")).scores as number[];

  // Fails for a wrong scale, orientation or name, or a head that is not taken over.
  test("gives peft's scores, apart and merged, and comes back", async () => {
    const golden = readGolden(name);
    const model = modelOf(golden);
    await readAdapter(dir, model);
    const now = () => tf.tidy(() => scoreInputs(model, inputsOf(golden.right)).dataSync());
    expect(excess(now(), expected, 1e-4, 1e-5)).toBeLessThanOrEqual(1);
    expect(model.lora).toMatchObject({ rank: 3, alpha: 5, dropout: 0.1 });
    const adapter = mergeLora(model);
    expect(loraParameters(model).size).toBe(0);
    expect(excess(now(), expected, 1e-4, 1e-5)).toBeLessThanOrEqual(1);
    unmergeLora(model, adapter);
    expect(excess(now(), expected, 1e-4, 1e-5)).toBeLessThanOrEqual(1);
    model.dispose();
  });

  // Fails when Python would find a tensor under another name, or miss one.
  test("is written with peft's names and shapes", async () => {
    const model = modelOf(readGolden(name));
    await readAdapter(dir, model);
    await writeAdapter(join(scratch, name), model, { baseModel: "base" });
    const shapes = async (folder: string) =>
      [...(await readSafetensors(join(folder, "adapter_model.safetensors")))].map(([n, t]) => `${n} ${t.shape}`).sort();
    expect(await shapes(join(scratch, name))).toEqual(await shapes(dir));
    model.dispose();
  });
});

describe("attachLora", () => {
  test("changes no score at first, and the adapter that is written reads back to equal scores", async () => {
    const model = modelOf(readGolden("bert"));
    const before = scores(model);
    attachLora(model, { rank: 2, alpha: 4, seed: 3 });
    // up to rounding: with low-rank updates the last layer projects all keys and values
    scores(model).forEach((score, i) => expect(score).toBeCloseTo(before[i], 6));
    shake(model);
    const adapted = scores(model);
    expect(excess(adapted, before, 0, 1e-3)).toBeGreaterThan(1);
    await writeAdapter(join(scratch, "own"), model);
    const other = modelOf(readGolden("bert"));
    await readAdapter(join(scratch, "own"), other);
    expect(scores(other)).toEqual(adapted);
    tf.dispose([model, other].flatMap((m) => [...m.parameters.values()]));
  });

  // Fails when the trunk keeps training, or the head does not.
  test("trains the low-rank matrices and the head, which all get a gradient", () => {
    const model = modelOf(readGolden("bert"));
    attachLora(model, { rank: 2, targets: ["all-linear"], dropout: 0.1 });
    shake(model);
    const names = trainableNames(model, "none");
    expect([...names].filter((n) => !/lora_[AB]/.test(n)).sort()).toEqual([
      "bert.pooler.dense.bias",
      "bert.pooler.dense.weight",
      "classifier.bias",
      "classifier.weight",
    ]);
    expect(names.size).toBe(4 + 2 * 6 * 2);
    const variables = [...names].map((n) => model.parameters.get(n)!);
    const { grads } = tf.variableGrads(
      () =>
        tf.sum(
          scoreInputs(model, inputsOf(readGolden("bert").right), { dropoutSeed: tf.tensor1d([1, 2], "int32") }),
        ) as tf.Scalar,
      variables,
    );
    for (const variable of variables) expect(tf.max(tf.abs(grads[variable.name])).dataSync()[0]).toBeGreaterThan(0);
    model.dispose();
  });

  test("merged parameters are those of the plain model of the same scores", () => {
    const model = modelOf(readGolden("bert"));
    attachLora(model, { rank: 2 });
    shake(model);
    const adapted = scores(model);
    const plain = modelOf(readGolden("bert"));
    for (const [name, { shape, pieces }] of mergedParameters(model))
      plain.parameters.get(name)!.assign(tf.tensor(joined(pieces()), [...shape]));
    expect(excess(scores(plain), adapted, 1e-5, 1e-6)).toBeLessThanOrEqual(1);
    expect(
      mergedParameters(model)
        .map(([name]) => name)
        .sort(),
    ).toEqual([...plain.parameters.keys()].sort());
    plain.dispose();
    model.dispose();
  });

  test("says which targets there are, and refuses a second adapter", () => {
    const model = modelOf(readGolden("distilbert"));
    expect(() => attachLora(model, { rank: 2, targets: ["query"] })).toThrow(/q_lin, k_lin.*got "query"/);
    attachLora(model, { rank: 2 });
    expect(() => attachLora(model, { rank: 2 })).toThrow(/merge it first/);
    model.dispose();
  });
});

describe("readAdapter refuses", () => {
  test.each([
    [{ use_dora: true }, /use_dora/],
    [{ peft_type: "IA3" }, /peft_type/],
    [{ rank_pattern: { query: 4 } }, /rank_pattern/],
    [{ r: 4 }, /lora_A.weight: expected shape \[4,16\], got \[3,16\]/],
  ])("%o", async (change, message) => {
    const config = JSON.parse(readFileSync(join(GOLDENS, "adapter_bert/adapter_config.json"), "utf8"));
    const dir = mkdtempSync(join(scratch, "bad-"));
    writeFileSync(join(dir, "adapter_config.json"), JSON.stringify({ ...config, ...change }));
    writeFileSync(
      join(dir, "adapter_model.safetensors"),
      readFileSync(join(GOLDENS, "adapter_bert/adapter_model.safetensors")),
    );
    const model = modelOf(readGolden("bert"));
    await expect(readAdapter(dir, model)).rejects.toThrow(message);
    expect(model.lora).toBeNull();
    model.dispose();
  });
});
