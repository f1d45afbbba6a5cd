import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { writeOnnxModel } from "../../lib/engine/onnx/writeModel";
import { HEADS } from "../../lib/models/config";
import { attachLora, loraParameters, mergedParameters } from "../../lib/models/lora";
import { rewardGraph } from "../../lib/models/onnx/rewardGraph";
import { scoreInputs, type RewardModel } from "../../lib/models/rewardModel";
import { createRandom } from "../../lib/random";
import { FAMILIES, inputsOf, modelOf, readGolden } from "../models/golden";
import { scoresOf } from "./runtimes";

// Expected: Python's scores in the goldens, and this project's own for heads that Python does not have; got: onnxruntime-node's.
const TOLERANCE = 1e-4;
const work = mkdtempSync(join(tmpdir(), "onnx-"));
afterAll(() => rmSync(work, { recursive: true }));
beforeAll(async () => {
  await initBackend();
});

const difference = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length ? Math.max(...a.map((value, i) => Math.abs(value - b[i]))) : Infinity;

/** Batches of several shapes, padded left and right, one row in each of full length. */
function batches({ config }: RewardModel) {
  const random = createRandom(11);
  const shapes = [
    [1, 1],
    [1, 7],
    [3, 12],
    [5, 9],
    [2, 16],
  ];
  return shapes.flatMap(([rows, width]) =>
    (["right", "left"] as const).map((side) => {
      const lengths = Array.from({ length: rows }, (_, i) => (i === 0 ? width : 1 + Math.floor(random.next() * width)));
      const padded = (row: number[], pad: number) => {
        const padding = Array<number>(width - row.length).fill(pad);
        return side === "right" ? [...row, ...padding] : [...padding, ...row];
      };
      const token = () => 4 + Math.floor(random.next() * (config.vocabSize - 4));
      return {
        ids: lengths.map((length) => padded(Array.from({ length }, token), config.padTokenId)),
        mask: lengths.map((length) => padded(Array<number>(length).fill(1), 0)),
      };
    }),
  );
}

const exported = async (model: RewardModel, name: string, largest?: number) => {
  const file = join(work, `${name}.onnx`);
  const weights = new Map(mergedParameters(model));
  const written = await writeOnnxModel(
    file,
    rewardGraph({ config: model.config, weights, dtype: "fp32", unreadId: null }),
    { largest },
  );
  return { file, ...written };
};

describe("an exported model scores as the model does", () => {
  for (const family of FAMILIES)
    it(`${family}: Python's scores, padded right and left`, async () => {
      const golden = readGolden(family);
      const model = modelOf(golden);
      const { file } = await exported(model, family);
      const [right, left] = await scoresOf(file, [golden.right, golden.left]);
      expect(difference(right, golden.right.scores)).toBeLessThan(TOLERANCE);
      expect(difference(left, golden.left.scores)).toBeLessThan(TOLERANCE);
      model.dispose();
    });

  for (const family of ["bert", "distilbert", "roberta", "xlm_roberta", "llama", "qwen2", "qwen3", "mistral"])
    for (const head of HEADS)
      if (head !== "cls" || !/llama|qwen|mistral/.test(family))
        it(`${family} with head ${head}: batches of several sizes and lengths`, async () => {
          const golden = readGolden(family);
          const model = modelOf({ ...golden, config: { ...golden.config, rewardbook_head: head } });
          const { file } = await exported(model, `${family}-${head}`);
          const inputs = batches(model);
          const got = await scoresOf(file, inputs);
          const expected = inputs.map((batch) => tf.tidy(() => [...scoreInputs(model, inputsOf(batch)).dataSync()]));
          for (const [i, scores] of got.entries()) expect(difference(scores, expected[i])).toBeLessThan(TOLERANCE);
          model.dispose();
        });
});

describe("a model with low-rank updates", () => {
  for (const family of ["bert", "qwen3"])
    it(`${family}: the file holds them folded in`, async () => {
      const model = modelOf(readGolden(family));
      const before = tf.tidy(() => [...scoreInputs(model, inputsOf(readGolden(family).right)).dataSync()]);
      attachLora(model, { rank: 2, targets: ["all-linear"] });
      for (const [name, variable] of loraParameters(model))
        if (name.endsWith("lora_B.weight"))
          tf.tidy(() => variable.assign(tf.randomNormal(variable.shape, 0, 0.05, "float32", 3)));
      const { file } = await exported(model, `${family}-lora`);
      const { right } = readGolden(family);
      const [got] = await scoresOf(file, [right]);
      const expected = tf.tidy(() => [...scoreInputs(model, inputsOf(right)).dataSync()]);
      expect(difference(got, expected)).toBeLessThan(TOLERANCE);
      expect(difference(before, expected)).toBeGreaterThan(10 * TOLERANCE);
      model.dispose();
    });
});

describe("8 bits", () => {
  for (const family of ["bert", "qwen3"])
    it(`${family}: a score depends on no other text and on no padding`, async () => {
      const golden = readGolden(family);
      const model = modelOf(golden);
      const file = join(work, `${family}-q8.onnx`);
      const weights = new Map(mergedParameters(model));
      await writeOnnxModel(file, rewardGraph({ config: model.config, weights, dtype: "q8", unreadId: null }));
      const { ids, mask } = golden.right;
      const alone = ids.map((row, i) => {
        const tokens = row.filter((_, k) => mask[i][k] === 1);
        return { ids: [tokens], mask: [tokens.map(() => 1)] };
      });
      const [together, ...separate] = await scoresOf(file, [golden.right, ...alone]);
      expect(difference(separate.flat(), together)).toBeLessThan(1e-5);
      expect(difference(together, golden.right.scores)).toBeLessThan(0.1);
      expect(difference(together, golden.right.scores)).toBeGreaterThan(1e-4); // it was quantised
      model.dispose();
    });
});

describe("weights in a file beside the model", () => {
  it("give the same scores and leave the model's own file small", async () => {
    const golden = readGolden("bert");
    const model = modelOf(golden);
    const inside = await exported(model, "inside");
    const outside = await exported(model, "outside", 1000);
    expect([inside.external, outside.external]).toEqual([false, true]);
    expect(readFileSync(outside.file).length).toBeLessThan(readFileSync(inside.file).length / 2);
    const [[a], [b]] = [await scoresOf(inside.file, [golden.right]), await scoresOf(outside.file, [golden.right])];
    expect(b).toEqual(a);
    model.dispose();
  });
});
