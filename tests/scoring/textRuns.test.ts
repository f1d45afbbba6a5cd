// Texts packed into rows against each text in a row of its own, eagerly: what the head sees, and the score.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { embedTexts } from "../../lib/scoring/embed";
import { compileForTexts } from "../../lib/scoring/textRuns";
import { poolInputs, scoreInputs, type ModelInputs, type RewardModel } from "../../lib/models/rewardModel";
import { createRandom } from "../../lib/random";
import { loadRewardModel, type LoadedModel } from "../../lib/checkpoints/checkpoint";
import { makeModelDirectory } from "../checkpoints/modelDirectory";

const root = mkdtempSync(join(tmpdir(), "runs-"));
afterAll(() => rmSync(root, { recursive: true }));
beforeAll(async () => void (await initBackend()));

async function load(family: string): Promise<LoadedModel> {
  const dir = join(root, family);
  await makeModelDirectory(dir, family);
  return loadRewardModel(dir, { settings: { template: "{prompt} {response}", max_length: 16 } });
}

/** A text alone in its row, op by op. */
function alone(
  fn: (model: RewardModel, inputs: ModelInputs) => tf.Tensor,
  model: RewardModel,
  ids: Uint32Array,
): number[] {
  return tf.tidy(() => {
    const row = tf.tensor2d(Int32Array.from(ids), [1, ids.length], "int32");
    return Array.from(fn(model, { ids: row, segmentIds: tf.ones([1, ids.length]) }).dataSync());
  });
}

test.each(["bert", "distilbert", "roberta", "llama", "qwen3"])(
  "%s: the same numbers in long rows as alone",
  async (family) => {
    const { model, tokenizer } = await load(family);
    const random = createRandom(3);
    const texts = Array.from({ length: 40 }, () =>
      Uint32Array.from({ length: 1 + random.integer(15) }, () => random.integer(20)),
    );
    const rows = { length: (i: number) => texts[i].length, ids: (i: number) => texts[i] };
    for (const fn of [scoreInputs, poolInputs]) {
      const runs = compileForTexts(model, fn, { padId: tokenizer.padId, tokensPerBatch: 64, name: "test" });
      const found = new Map<number, number[]>();
      const done = [...runs.run(rows, [...texts.keys()], (text, values) => found.set(text, Array.from(values)))];
      runs.dispose();
      expect(done.at(-1)).toBe(40);
      expect([...found.keys()].sort((a, b) => a - b)).toEqual(texts.map((_, i) => i));
      texts.forEach((ids, i) =>
        alone(fn, model, ids).forEach((wanted, j) => expect(found.get(i)![j]).toBeCloseTo(wanted, 4)),
      );
    }
    model.dispose();
  },
);

test("vectors of equal texts are the same, of others not", async () => {
  const loaded = await load("bert");
  const items = ["the quick fox", "lazy dog", "the quick fox"].map((response) => ({ prompt: "Question", response }));
  const [first, other, again] = await embedTexts(loaded, items);
  expect(again).toBe(first);
  expect(Math.max(...first.map((x, i) => Math.abs(x - other[i])))).toBeGreaterThan(1e-4);
  loaded.model.dispose();
});
