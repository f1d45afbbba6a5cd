// A run whose numbers run away: counted, told and ended, and no broken state kept.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadPairs } from "../../lib/pairs/read";
import { splitPairs } from "../../lib/split";
import { inOwnFolder, lines, numbers, train } from "./ownFolder";

const { folder, base } = inOwnFolder();

describe("divergence", () => {
  test("three steps in a row without finite numbers end the run: counted, their pairs logged, no broken state kept", async () => {
    const input = { ...base, learning_rate: 1e30, save_steps: 1, run: "diverged" };
    await expect(train(input)).rejects.toThrow(
      /none in 3 steps in a row, up to step 4 .*pairs .*lower --learning-rate/,
    );
    const skipped = lines("diverged", "warnings.jsonl").filter(({ kind }) => kind === "skipped-step");
    expect(skipped.map(({ step, pairs }) => [step, pairs.length])).toEqual([2, 3, 4].map((step) => [step, 16]));
    expect(existsSync("checkpoints/diverged/best")).toBe(false);
    expect(existsSync("checkpoints/diverged/last")).toBe(false);
    expect(existsSync("metrics/diverged/metrics.json")).toBe(false);
  });

  // 3e6 · softplus(1e38) is no 32-bit number; its gradient is one, and would be taken.
  test.each(["none", "head-only"])("a pair out of range costs one step and is named: freeze %s", async (freeze) => {
    const { pairs: file, ...rest } = base;
    const { train: all, val } = splitPairs((await loadPairs(file!)).pairs, {
      ...rest,
      test_ratio: 0,
      seed: 1,
    } as never);
    const odd = all.map((pair, i) => (i === 10 ? { ...pair, id: "odd", margin: 1e38, confidencePenalty: 1e6 } : pair));
    const run = `odd-${freeze}`;
    const { result, said } = await train({ ...rest, train: odd, val, freeze, epochs: 1, run } as never);
    expect(result.metrics).toMatchObject({ training_steps: 8, skipped_steps: 1 });
    expect(said).toMatch(/step \d was left out: the loss is Infinity; pairs odd;/);
    const [warning] = lines(run, "warnings.jsonl").filter(({ kind }) => kind === "skipped-step");
    expect(warning.pairs).toEqual(["odd"]);
    expect(numbers(run, "train_steps.jsonl", "loss").map((loss) => loss === null)).toEqual(
      Array.from({ length: 8 }, (_, i) => i + 1 === warning.step),
    );
    expect(lines(run, "val_epochs.jsonl")[0].train_loss).toBeLessThan(2);
  });

  test("values that no 32-bit number holds are refused at the door", async () => {
    await expect(train({ ...base, margin: 1e308, run: "door" })).rejects.toThrow(/margin: .*1000000/);
    await expect(train({ ...base, beta: 1e300, run: "door" })).rejects.toThrow(/beta: /);
    const row = JSON.parse(readFileSync(base.pairs!, "utf8").split("\n")[0]);
    for (const [field, value] of [
      ["margin", 1e308],
      ["confidence_penalty", 1e200],
    ] as const) {
      const pairs = join(folder, "door.jsonl");
      writeFileSync(pairs, `${JSON.stringify({ ...row, [field]: value })}\n`);
      await expect(train({ ...base, pairs, run: "door" })).rejects.toThrow(
        new RegExp(`door\\.jsonl:1: ${field}: expected`),
      );
    }
    expect(existsSync("metrics/door")).toBe(false);
  });
});
